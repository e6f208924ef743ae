# SPDX-License-Identifier: Apache-2.0
"""dunlind is killed 100 times, with SIGKILL at seeded moments, in the middle of queued requests, observations and a firmware push.

What it acknowledged is there afterwards. What must not be done twice is done once, or is said to be unknown; the devices
count. They live through all of it: two made of sockets, one in queue mode, and a `dunlin client` that takes the firmware.
"""

import hashlib
import http.client
import os
import random
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from device import CHANGED, CONTENT, OBSERVE, POST, RST, Device, encode, lasting_address, uint, CON, CONTENT_FORMAT
from server import Api, Server, wait_until

ROUNDS = int(os.environ.get("DUNLIN_KILLS", "20" if "sanitize" in os.environ.get("DUNLIN_TEST_BUILD", "") else "100"))
SEED = 20261122
MOST_TAKEN = 40       # requests before the kill
ANSWER_S = 0.004      # a device takes its time, so that a kill meets deliveries under way
PACKAGE_BYTES = 300000
SETTLED_S = 180
TAG = re.compile(rb"tag(\d+)e")
CLIENT = os.environ.get("DUNLIN", os.path.join(os.path.dirname(os.environ.get("DUNLIND", "")), "dunlin"))


def version_of(package):
    """The version that `dunlin client` gives to a package which names none: FNV-1a of its bytes, folded."""
    value = 0xcbf29ce484222325
    for byte in package:
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return f"package-{(value ^ value >> 32) & 0xffffffff:08x}"


class Counting(Device):
    """Counts what it is asked to do, by the tag in it. A repetition of one message is no second time (RFC 7252, 4.2)."""

    def __init__(self, server, endpoint, queue_mode):
        self.queue_mode, self.done, self.order, self.heard = queue_mode, {}, [], set()
        self.observed, self.value, self.acknowledged = None, 0, 0
        self.holds, self.held, self.let_go = False, threading.Event(), threading.Event()
        super().__init__(server, endpoint, self.do)

    def do(self, message):
        tag = TAG.search(message.payload)
        if (message.mid, message.token) not in self.heard:
            self.heard.add((message.mid, message.token))
            if tag:
                number = int(tag.group(1))
                self.done[number] = self.done.get(number, 0) + 1
                self.order.append(number)
        if tag and self.holds:
            self.held.set()
            self.let_go.wait(60)
        time.sleep(ANSWER_S)
        if message.code != 1:
            return (CHANGED, None, b"")
        if message.number(OBSERVE) is None:
            return (CONTENT, 0, b"7")
        self.observed = message.token
        return (CONTENT, 0, str(self.value).encode(), [(OBSERVE, uint(self.value + 1))])

    def register(self):
        query = [f"ep={self.endpoint}", "lt=86400", "lwm2m=1.1", "b=U"] + (["Q"] if self.queue_mode else [])
        reply = self.request(POST, ["rd"], query, 40, self.links.encode())
        self.location = [part.decode() for part in reply.all(8)]

    def _reply(self, message):
        try:
            super()._reply(message)
        except OSError:
            pass  # the server is dead now

    def try_update(self):
        try:
            return self.request(POST, self.location, timeout=0.3).code == CHANGED
        except (OSError, TimeoutError):
            return False

    def tell(self):
        """A confirmable notification of the next value. What was acknowledged must be kept."""
        with self._lock:
            self._mid = self._mid + 1 & 0xffff
            mid = self._mid
            box = self._waiting[mid] = [threading.Event(), None]
        value = self.value = self.value + 1
        options = [(OBSERVE, uint(value + 1)), (CONTENT_FORMAT, uint(0))]
        try:
            self.socket.send(encode(CON, CONTENT, mid, self.observed, options, str(value).encode()))
        except OSError:
            return
        if box[0].wait(0.3):
            assert box[1].kind != RST, "the server has forgotten an observation"
            self.acknowledged = value


class Load(threading.Thread):
    """What goes on until the server is killed."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.ended = work, False
        self.failure = None

    def run(self):
        try:
            while not self.ended and self.work():
                pass
        except (OSError, http.client.HTTPException, ValueError):
            pass  # the connection broke: the kill
        except AssertionError as failure:
            self.failure = failure


class Kill9(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="dunlin-kill9-")
        self.addCleanup(shutil.rmtree, self.data, True)
        self.coap = lasting_address()
        self.random = random.Random(SEED)
        self.tag = 0
        self.taken = {}  # request id -> (endpoint, tag, whether it may be repeated)
        self.tags = {}   # tag -> whether it may be repeated; also those that were not acknowledged
        self.pushes = []  # ids of requests that push the package, of which the last may be under way

    def start(self):
        server = Server(data=self.data, coap=self.coap)
        self.addCleanup(server.stop, kill=True)
        self.api = Api(server.http)
        return server

    def enqueue(self, endpoint):
        """One request for the queue; what it is called, once the server has taken it, is on record."""
        self.tag += 1
        tag, repeatable = self.tag, self.tag % 2 == 0
        self.tags[tag] = repeatable
        if repeatable:
            answer = self.api.put(f"/clients/{endpoint}/3/0/15?wait=0", {"value": f"tag{tag}e"})
        else:
            answer = self.api.post(f"/clients/{endpoint}/3/0/4?wait=0", {"args": f"0='tag{tag}e'"})
        if answer.status in (200, 202):
            number = answer.headers.get("Dunlin-Request") or answer.json["id"]
            self.taken[int(number)] = (endpoint, tag, repeatable)
        else:
            assert answer.status == 429, f"{answer.status} {answer.body}"
        time.sleep(0.002)
        return True

    def observed_value(self):
        listed = self.api.get("/clients/listener/observations").json["observations"]
        return [one["last"]["node"]["value"] for one in listed]

    def requests(self):
        """All requests of the queue, by id."""
        found, after = {}, "0"
        while after:
            page = self.api.get(f"/requests?limit=1000&after={after}").json
            found.update((int(one["id"]), one) for one in page["requests"])
            after = page["next"]
        return found

    # -- the firmware

    def push(self):
        """Queues the package when the one before has come through, and before it what lets the device forget that one."""
        if self.pushes:
            state = self.api.get(f"/requests/{self.pushes[-1]}").json["state"]
            if state in ("waiting", "delivering"):
                time.sleep(0.02)
                return True
        answer = self.api.put("/clients/taker/5/0/0?wait=0", {"value": ""})
        assert answer.status == 202, f"{answer.status} {answer.body}"
        answer = self.api.put(f"/clients/taker/5/0/0?package={self.package}&wait=0")
        assert answer.status == 202, f"{answer.status} {answer.body}"
        self.pushes.append(int(answer.json["id"]))
        return True

    def check_firmware(self, kept):
        for number in self.pushes:
            # A device that has the whole package refuses it when it comes again, for the kill hid that it has.
            allowed = ("2.04", "4.05") if kept[number]["attempts"] > 1 else ("2.04",)
            self.assertEqual(kept[number]["state"], "answered", kept[number])
            self.assertIn(kept[number]["code"], allowed, kept[number])
        self.push()
        answer = self.api.get(f"/requests/{self.pushes[-1]}?wait=60").json
        self.assertEqual((answer["state"], answer["code"]), ("answered", "2.04"), answer)
        self.assertEqual(self.api.get("/clients/taker/5/0/3").json["node"]["value"], 2)
        self.assertEqual(self.api.post("/clients/taker/5/0/2").status, 200)
        # That version is a hash of every byte the device got.
        def runs():
            answer = self.api.get("/clients/taker/3/0/3")  # fails while the device starts anew
            return answer.status == 200 and answer.json["node"]["value"] == self.version
        wait_until("the new firmware runs", runs)
        return sum(kept[number]["attempts"] > 1 for number in self.pushes[:-1])

    # -- one life of the server

    def check_alive(self):
        """Right after a start: nothing that was acknowledged is lost."""
        values = self.observed_value()
        self.assertEqual(len(values), 1)
        self.assertTrue(self.listener.acknowledged <= values[0] <= self.listener.value,
                        f"{values[0]} is not within {self.listener.acknowledged} and {self.listener.value}")

    def live(self, server, number):
        """Until some requests were taken; in one of ten lives also until a package has come through, in one until a device has done
        what it was asked to and has not answered."""
        wanted, pushed = len(self.taken) + self.random.randint(1, MOST_TAKEN), len(self.pushes)
        self.listener.held.clear()
        self.listener.let_go.clear()
        self.listener.holds = number % 10 == 5
        loads = [Load(lambda: self.enqueue("listener")), Load(lambda: self.enqueue("sleeper")),
                 Load(lambda: self.sleeper.try_update() and not time.sleep(0.03)),
                 Load(lambda: self.listener.tell() or not time.sleep(0.005)), Load(self.push)]
        for load in loads:
            load.start()
        wait_until(f"{wanted} requests are taken", lambda: len(self.taken) >= wanted or any(load.failure for load in loads))
        if number % 10 == 9:
            wait_until("a package has come through", lambda: len(self.pushes) > pushed + (pushed == 0))
        if self.listener.holds:
            wait_until("a device has not answered yet", self.listener.held.is_set)
        time.sleep(self.random.uniform(0, 0.02))
        server.stop(kill=True)
        self.listener.holds = False
        self.listener.let_go.set()
        for load in loads:
            load.ended = True
            load.join(60)
            self.assertFalse(load.is_alive())
            if load.failure:
                raise load.failure

    def settle(self):
        """The last life: lets everything come to its end."""
        def settled():
            self.sleeper.try_update()
            self.left = [one for one in self.requests().values() if one["state"] in ("waiting", "delivering")]
            return not self.left
        try:
            wait_until("the queue is empty", settled, SETTLED_S)
        except AssertionError:
            self.fail(f"{len(self.left)} requests are left, the first are {self.left[:3]}")
        return self.requests()

    def check_requests(self, kept):
        done = {**self.listener.done, **self.sleeper.done}
        for number, (endpoint, tag, repeatable) in self.taken.items():
            self.assertTrue(number in kept, f"the acknowledged request {number} is lost")
            state, times = kept[number]["state"], done.get(tag, 0)
            self.assertEqual(kept[number]["endpoint"], endpoint)
            if repeatable:
                self.assertEqual(state, "answered")
                self.assertGreaterEqual(times, 1)
            elif state == "unknown":
                self.assertLessEqual(times, 1)
            else:
                self.assertEqual((state, times), ("answered", 1), kept[number])
        for tag, repeatable in self.tags.items():
            if not repeatable:
                self.assertLessEqual(done.get(tag, 0), 1, f"{tag} was done twice")

    def check_order(self):
        """Of one device, what was taken later is not done for the first time earlier."""
        numbers = {tag: number for number, (_, tag, _) in self.taken.items()}
        for device in (self.listener, self.sleeper):
            first = [numbers[tag] for tag in dict.fromkeys(device.order) if tag in numbers]
            self.assertEqual(first, sorted(first))

    def test_a_hundred_kills(self):
        server = self.start()
        self.listener = Counting(server.coap, "listener", False)
        self.sleeper = Counting(server.coap, "sleeper", True)
        for device in (self.listener, self.sleeper):
            device.register()
            self.addCleanup(device.close)
        state = tempfile.mkdtemp(prefix="dunlin-kill9-", dir=self.data)
        taker = subprocess.Popen([CLIENT, "client", "-e", "taker", "-u", f"coap://{server.coap}", "--state", state,
                                  "--firmware-time", "0", "--no-console"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(taker.wait)
        self.addCleanup(taker.kill)
        wait_until("the client has registered", lambda: self.api.get("/clients/taker").status == 200)
        package = random.Random(SEED).randbytes(PACKAGE_BYTES)
        self.version = version_of(package)
        answer = self.api.call("POST", "/api/v1/packages", package, {"Content-Type": "application/octet-stream"})
        self.assertEqual(answer.status, 201, answer.body)
        self.assertEqual(answer.json["sha256"], hashlib.sha256(package).hexdigest())
        self.package = answer.json["id"]
        self.assertIn(self.api.put("/clients/listener/observations/3303/0/5700").status, (200, 201))
        for number in range(ROUNDS):
            if number > 0:
                server = self.start()
            self.check_alive()
            self.live(server, number)
        server = self.start()
        self.check_alive()
        kept = self.settle()
        self.check_requests(kept)
        self.check_order()
        interrupted = self.check_firmware(kept)
        states = [one["state"] for one in kept.values()]
        repeated = sum(times > 1 for device in (self.listener, self.sleeper) for times in device.done.values())
        print(f"{ROUNDS} kills, {len(self.taken)} requests taken, {states.count('unknown')} unknown,"
              f" {repeated} repeated, {self.listener.acknowledged} notifications, {len(self.pushes)} packages pushed, {interrupted} of them again")
        self.assertGreater(len(self.taken), ROUNDS)
        self.assertGreater(states.count("unknown") + repeated, 0)
        self.assertGreater(len(self.pushes), 1)
        self.assertEqual(self.api.get(f"/packages/{self.package}").status, 200)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
