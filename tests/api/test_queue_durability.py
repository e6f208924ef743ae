# SPDX-License-Identifier: Apache-2.0
"""kill -9 at seeded moments in the middle of queued requests and of a package's push: what was acknowledged is there after, and what must not
be done twice reached its device once at most."""

import random
import shutil
import tempfile
import threading
import time
import unittest

from device import BLOCK1, CHANGED, CONTENT, CONTINUE, OBSERVE, POST, PUT, SILENT, Device, uint
from server import Api, Server, wait_until

MOMENTS = 30
SEED = 20261123
SETTLING = "queue:\n  requests-per-client: 60000\n"
CONFIG = SETTLING + "coap:\n  ack-timeout-ms: 100\n  max-retransmit: 1\n"  # what is not answered is soon given up
PACKAGE = random.Random(SEED).randbytes(50_000)


class Fleet:
    """Three devices that outlive the servers: what reached them, by what it says."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.done = {}      # payload of a request -> the messages that carried it
        self.blocks = {}    # of the package
        self.whole = 0      # pushes that came to their end
        self.well = False   # answers everything
        self.lossy = True   # loses some of what comes
        self.muted = None   # the first Write since they joined: it is done, and never answered
        self.devices = []

    def answer(self, message):
        if message.code in (PUT, POST) and message.path != "/5/0/0":
            if not self.well and self.lossy and self.random.random() < 0.2:
                return SILENT  # lost before it came: not done
            one = (message.mid, message.token)
            self.done.setdefault((message.code, message.payload), set()).add(one)
            if not self.well and self.muted is None and message.code == PUT:
                self.muted = one
            return SILENT if not self.well and (one == self.muted or self.random.random() < 0.1) else (CHANGED, None, b"")
        if message.code == PUT:
            block = message.number(BLOCK1) or 0
            self.blocks[block >> 4] = message.payload
            self.whole += not block & 8
            return (CONTINUE if block & 8 else CHANGED, None, b"", [(BLOCK1, uint(block))])
        return (CONTENT, 0, b"7", [(OBSERVE, uint(1))])

    def join(self, server):
        for device in self.devices:
            device.close()
        self.devices, self.muted = [], None
        for number in range(3):
            device = Device(server.coap, f"queue-{number}", self.answer, links="</3/0>,</5/0>,</40000/0>")
            self.devices.append(device)
            device.register()


class Caller(threading.Thread):
    """Asks for writes and executes, each with a number of its own, and notes what was acknowledged."""

    def __init__(self, server, seed, first, asked):
        super().__init__(daemon=True)
        self.random, self.number, self.asked = random.Random(seed), first, asked
        self.api = Api(server.http)

    def run(self):
        while True:
            self.number += 1
            endpoint = f"queue-{self.random.randrange(3)}"
            try:
                if self.random.random() < 0.5:
                    answer = self.api.put(f"/clients/{endpoint}/40000/0/1?wait=0&format=text", {"value": str(self.number)})
                    key = (PUT, str(self.number).encode())
                else:
                    answer = self.api.post(f"/clients/{endpoint}/40000/0/2?wait=0", {"args": f"0='{self.number}'"})
                    key = (POST, f"0='{self.number}'".encode())
            except Exception:  # the server is gone, or went in the middle of its answer
                return
            if answer.status == 202:
                self.asked[answer.json["id"]] = key


class Durability(unittest.TestCase):
    def known(self, api, asked):
        found, after = {}, None
        while True:
            page = api.get("/requests?limit=1000" + (f"&after={after}" if after else "")).json
            found.update((one["id"], one) for one in page["requests"])
            after = page["next"]
            if not after:
                break
        self.assertEqual([key for key in asked if key not in found], [])
        return found

    def test_kill_at_any_moment(self):
        generator = random.Random(SEED)
        data = tempfile.mkdtemp(prefix="dunlin-queue-")
        self.addCleanup(shutil.rmtree, data, True)
        fleet, asked, pushes = Fleet(SEED), {}, []
        package = None
        for moment in range(MOMENTS):
            server = Server(data=data, config=CONFIG)
            api = Api(server.http)
            self.known(api, list(asked) + pushes)
            if package is None:
                package = api.post("/packages", PACKAGE, headers={"Content-Type": "application/octet-stream"}).json["id"]
            caller = Caller(server, generator.random(), moment * 100_000, asked)
            fleet.lossy = moment % 10 != 9
            fleet.join(server)
            if moment % 10 == 0:
                pushes.append(api.put(f"/clients/queue-{moment // 10 % 3}/5/0/0?package={package}&wait=0").json["id"])
            caller.start()
            wanted = len(asked) + generator.randint(6, 40)
            wait_until(f"{wanted} are taken", lambda: len(asked) >= wanted)
            if not fleet.lossy:
                wait_until("a Write is done and not answered", lambda: fleet.muted)
            time.sleep(generator.uniform(0, 0.02))
            server.stop(kill=True)
            caller.join(60)
            self.assertFalse(caller.is_alive())
        server = Server(data=data, config=SETTLING)
        api = Api(server.http)
        fleet.well = True
        fleet.join(server)

        def ended():
            states = self.known(api, list(asked) + pushes)
            return states if all(one["endedAt"] for one in states.values()) else None
        states = wait_until("all have ended", ended, 180)
        for identity, key in asked.items():
            times, state = len(fleet.done.get(key, ())), states[identity]["state"]
            if key[0] == PUT:
                self.assertEqual((state, times >= 1), ("answered", True), identity)
            else:
                self.assertIn((state, times), (("answered", 1), ("unknown", 0), ("unknown", 1)), identity)
        self.assertEqual({states[identity]["state"] for identity in pushes}, {"answered"})
        self.assertEqual(b"".join(fleet.blocks[i] for i in sorted(fleet.blocks)), PACKAGE)
        self.assertGreaterEqual(fleet.whole, len(pushes))
        self.assertGreater(len(asked), 5 * MOMENTS)
        self.assertGreater(sum(len(fleet.done.get(key, ())) > 1 for key in asked.values() if key[0] == PUT), 0)
        for device in fleet.devices:
            device.close()
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
