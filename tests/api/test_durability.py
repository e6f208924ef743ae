# SPDX-License-Identifier: Apache-2.0
"""kill -9 at seeded moments: what dunlind acknowledged before is there after. Registrations, observations and last values."""

import random
import shutil
import tempfile
import threading
import time
import unittest

from device import CHANGED, CONTENT, CREATED, DELETED, OBSERVE, POST, Device, uint
from server import Api, Events, Server, wait_until

MOMENTS = 20
SEED = 20261122


class Load(threading.Thread):
    """One socket that registers, refreshes, de-registers and is observed, and notes what the server acknowledged."""

    def __init__(self, server, api, seed):
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.device = Device(server.coap, "unused", self.answer)
        self.device.given_up = lambda: self.ended
        self.api, self.seed = api, seed
        self.lifetimes = {}   # endpoint -> lifetime acknowledged
        self.unsure = set()   # asked, not answered when the server died
        self.observed = set()
        self.acknowledged = 0  # times
        self.ended = False

    def answer(self, message):
        return (CONTENT, 0, b"7", [(OBSERVE, uint(1))])

    def run(self):
        locations = {}
        number = 0
        while not self.ended:
            kind = self.random.random()
            if kind < 0.5 or not locations:
                number += 1
                endpoint, lifetime = f"k{self.seed}-{number}", self.random.randint(1000, 9999)
                self.unsure.add(endpoint)
                reply = self.ask(POST, ["rd"], [f"ep={endpoint}", f"lt={lifetime}", "lwm2m=1.1", "b=U"], 40, b"</3/0>")
                if reply is None:
                    return
                assert reply.code == CREATED
                locations[endpoint] = [part.decode() for part in reply.all(8)]
                self.lifetimes[endpoint] = lifetime
                self.unsure.discard(endpoint)
            elif kind < 0.8:
                endpoint = self.random.choice(sorted(locations))
                lifetime = self.random.randint(1000, 9999)
                self.unsure.add(endpoint)
                reply = self.ask(POST, locations[endpoint], [f"lt={lifetime}"])
                if reply is None:
                    return
                assert reply.code == CHANGED
                self.lifetimes[endpoint] = lifetime
                self.unsure.discard(endpoint)
            elif kind < 0.9:
                endpoint = self.random.choice(sorted(locations))
                self.unsure.add(endpoint)
                reply = self.ask(4, locations.pop(endpoint))
                if reply is None:
                    return
                assert reply.code == DELETED
                self.lifetimes[endpoint] = None
                self.unsure.discard(endpoint)
            else:
                endpoint = self.random.choice(sorted(locations))
                try:
                    done = self.api.put(f"/clients/{endpoint}/observations/3/0/9")
                except Exception:  # the connection broke, perhaps in the middle of an answer
                    return
                if done.status in (200, 201):
                    self.observed.add(endpoint)
            self.acknowledged += 1

    def ask(self, *request):
        try:
            return self.device.request(*request)
        except (TimeoutError, OSError):
            return None


def all_clients(api):
    clients, after = {}, None
    while True:
        page = api.get("/clients?limit=1000" + (f"&after={after}" if after else "")).json
        clients.update((client["endpoint"], client) for client in page["clients"])
        after = page["next"]
        if not after:
            return clients


class Durability(unittest.TestCase):
    def check(self, api, loads):
        clients = all_clients(api)
        for load in loads:
            for endpoint, lifetime in load.lifetimes.items():
                if endpoint in load.unsure:
                    continue
                if lifetime is None:
                    self.assertNotIn(endpoint, clients)
                else:
                    self.assertIn(endpoint, clients)
                    self.assertEqual(clients[endpoint]["lifetime"], lifetime)
            for endpoint in load.observed:
                listed = api.get(f"/clients/{endpoint}/observations").json["observations"]
                self.assertEqual([(one["path"], one["last"]["node"]["value"]) for one in listed], [("/3/0/9", 7)])

    def test_kill_at_any_moment(self):
        generator = random.Random(SEED)
        data = tempfile.mkdtemp(prefix="dunlin-durable-")
        self.addCleanup(shutil.rmtree, data, True)
        loads = []
        for moment in range(MOMENTS):
            server = Server(data=data)
            api = Api(server.http)
            self.check(api, loads)
            fresh = [Load(server, api, moment * 10 + i) for i in range(3)]
            for load in fresh:
                load.start()
            wanted = generator.randint(5, 120)
            wait_until(f"{wanted} answers", lambda: sum(load.acknowledged for load in fresh) >= wanted)
            time.sleep(generator.uniform(0, 0.02))
            server.stop(kill=True)
            for load in fresh:
                load.ended = True
                load.join(60)
                self.assertFalse(load.is_alive())
                load.device.close()
            loads += fresh
        server = Server(data=data)
        self.check(Api(server.http), loads)
        self.assertGreater(sum(len(load.lifetimes) for load in loads), 3 * MOMENTS)
        self.assertGreater(sum(len(load.observed) for load in loads), 0)
        self.assertEqual(server.stop(), 0)

    def test_events_go_on_counting(self):
        """Ids grow over a restart, and a reader that resumes is told of what it missed."""
        server = Server()
        device = Device(server.coap, "ids")
        events = Events(server.http)
        device.register()
        before = events.next()[0]
        events.close()
        server.stop(kill=True)
        again = Server(data=server.data)
        resumed = Events(again.http, last=before)
        self.assertEqual(resumed.next()[1], "gap")
        other = Device(again.coap, "ids2")
        other.register()
        self.assertGreater(resumed.next()[0], before)
        resumed.close()
        again.stop()
        device.close()
        other.close()


if __name__ == "__main__":
    unittest.main()
