# SPDX-License-Identifier: Apache-2.0
"""Queue mode and firmware with Leshan 2.x: what waits for a device that sleeps, and packages pushed and pulled."""

import base64
import hashlib
import os
import threading

from devices import DunlinDevice, LeshanDevice
from servers import DunlindServer, LeshanServer
from support.harness import Suite, case, check, equal
from support.programs import WORK, lasting_addresses, wait_until

AWAKE_S = 2.0
CLIENT_AWAKE_S = 3
PUSHED = 150_000  # the Leshan programs take 200,000 bytes in a body
PACKAGE, PACKAGE_URI, STATE, UPDATE, RESULT = ("/5/0/0", "/5/0/1", "/5/0/3", "/5/0/2", "/5/0/5")
IDLE, DOWNLOADED, SUCCESS = 0, 2, 1


def package(version, size):
    """A package for `dunlin client`, without a period."""
    out, block = bytearray(f"version={version}\n".encode()), hashlib.sha256(version.encode()).digest()
    while len(out) < size:
        out += block
        block = hashlib.sha256(block).digest()
    return bytes(out[:size])


class LeshanQueueOnDunlind(Suite):
    """Leshan's device in queue mode, LwM2M 1.1, with the durable queue of dunlind."""

    name, endpoint, version = "leshan-queue-on-dunlind", "leshan-sleeps", "1.1"

    def set_up(self):
        self.config = os.path.join(WORK, f"{self.name}.yaml")
        with open(self.config, "w", encoding="ascii") as file:
            file.write(f"queue:\n  awake-ms: {int(AWAKE_S * 1000)}\n")
        self.server = DunlindServer(self.programs, "--config", self.config, **lasting_addresses())
        self.device = LeshanDevice(self.programs, self.endpoint, self.server.uri, lwm2m=self.version, queue=True)
        self.server.wait_registered(self.endpoint)

    def tear_down(self):
        self.server.stream.close()

    def asleep(self):
        wait_until("it is asleep", lambda: self.server.registration(self.endpoint)["presence"] == "asleep")

    def ask(self, method, path, body=None, **query):
        return self.server.rest.call(method, self.server.rest.device(self.endpoint, path), body, **query)

    def put_off(self, method, path, body=None, **query):
        """The id of a request that waits for the device."""
        answer = self.ask(method, path, body, **query)
        equal(answer.status, 202, answer)
        equal(answer.json["state"], "waiting", answer)
        return answer.json["id"]

    def wake(self):
        since = self.server.mark()
        self.device.update()
        self.server.updated(self.endpoint, since)

    def ended(self, identity):
        """A request after its end. The device wakes as often as that takes: it may be asleep again before all is said."""
        for _ in range(20):
            request = self.server.rest.want(200, "GET", f"/requests/{identity}", wait="8s")
            if request["state"] not in ("waiting", "delivering"):
                break
            self.device.update()
        return request

    @case("it is listed as in queue mode, awake, and after its time asleep; the events say so")
    def presence(self):
        since = self.server.mark()
        self.wake()
        client = self.server.registration(self.endpoint)
        equal((client["queueMode"], client["binding"], client["lwm2m"]), (True, "U", self.version))
        self.server.stream.wait("presence", since, endpoint=self.endpoint, presence="asleep")
        equal(self.server.registration(self.endpoint)["presence"], "asleep")

    @case("while it sleeps requests wait, and after its update they are delivered in order")
    def queues(self):
        self.asleep()
        writes = [self.put_off("PUT", "/33500/0/1", {"type": "string", "value": f"value {number}"}) for number in range(3)]
        read = self.put_off("GET", "/33500/0/1")
        run = self.put_off("POST", "/33500/0/10", {"args": "1"})
        equal(self.server.registration(self.endpoint)["queued"], 5, "queued")
        equal(self.device.get("/33500/0/1") in ("value 0", "value 1", "value 2"), False, "delivered while it sleeps")
        since, mark = self.server.mark(), self.device.mark()
        self.wake()
        done = [self.ended(identity) for identity in [*writes, read, run]]
        equal([(one["state"], one["code"]) for one in done],
              [("answered", "2.04")] * 3 + [("answered", "2.05"), ("answered", "2.04")])
        equal(done[3]["result"]["node"]["value"], "value 2", "the value read after the writes")
        equal(self.device.get("/33500/0/1"), "value 2", "on the device")
        equal(self.device.executed("/33500/0/10", mark), "1", "arguments")
        self.server.stream.wait("request", since, endpoint=self.endpoint,
                                match=lambda event: event["request"]["id"] == run and event["request"]["state"] == "answered")
        ends = [event["request"]["id"] for event in self.server.stream.seen[since:]
                if event["type"] == "request" and event["request"]["state"] == "answered"]
        check([one for one in ends if one in (*writes, read, run)] == [*writes, read][:len(ends)] + [run], f"order: {ends}")

    @case("a caller that waits gets the device's answer when it wakes in time")
    def waits(self):
        self.asleep()
        got = []
        caller = threading.Thread(target=lambda: got.append(self.ask("GET", "/33500/0/11", wait="200s")))
        caller.start()
        wait_until("the request waits", lambda: self.server.registration(self.endpoint)["queued"] == 1)
        self.wake()
        self.ended(self.server.rest.want(200, "GET", self.server.rest.device(self.endpoint, "/requests"))["requests"][-1]["id"])
        caller.join(250)
        equal((got[0].status, got[0].json["node"]["value"]), (200, 11), got)
        check("Dunlin-Request" in got[0].headers, got[0].headers)

    @case("a request that was cancelled is not delivered")
    def cancels(self):
        self.asleep()
        first = self.put_off("PUT", "/33500/0/1", {"type": "string", "value": "not this"})
        second = self.put_off("PUT", "/33500/0/2", {"type": "integer", "value": 17})
        equal(self.server.rest.want(200, "DELETE", f"/requests/{first}")["state"], "cancelled")
        before = self.device.get("/33500/0/1")
        self.wake()
        equal(self.ended(second)["code"], "2.04")
        equal((self.device.get("/33500/0/1"), self.device.get("/33500/0/2")), (before, 17))

    @case("a package waits for the device, too, and what waits outlives kill -9 of dunlind")
    def killed(self):
        self.asleep()
        value = package("1", 3000)
        identity = self.put_off("PUT", "/33500/0/30", package=self.server.upload(value)["id"])
        composite = None if self.version == "1.0" else self.put_off("POST", "/composite/read", {"paths": ["/3/0/0"]})
        old = self.server.program
        self.server.stream.close()
        old.kill()
        self.server = DunlindServer(self.programs, "--config", self.config, data=old.data, coap=old.coap, http=old.http)
        self.wake()
        equal(self.ended(identity)["code"], "2.04")
        equal(base64.b64decode(self.device.get("/33500/0/30")), value, "on the device")
        if composite:
            equal(self.ended(composite)["result"]["values"], {"/3/0/0": "Leshan"})


class Leshan10QueueOnDunlind(LeshanQueueOnDunlind):
    """Leshan's device in queue mode, LwM2M 1.0 (binding UQ), with the durable queue of dunlind."""

    name, endpoint, version = "leshan-1.0-queue-on-dunlind", "leshan-1.0-sleeps", "1.0"


class DunlinQueueOnLeshan(Suite):
    """`dunlin client` in queue mode with the presence service of Leshan's server."""

    name, endpoint = "dunlin-queue-on-leshan", "dunlin-sleeps"

    def set_up(self):
        self.server = LeshanServer(self.programs, awake_ms=CLIENT_AWAKE_S * 1000)
        self.device = DunlinDevice(self.programs, self.endpoint, self.server.uri,
                                   more=["--queue", "--awake", str(CLIENT_AWAKE_S)])
        self.server.wait_registered(self.endpoint)

    def sleeping(self, since):
        self.server.program.event("sleeping", since, endpoint=self.endpoint)
        self.device.program.wait("asleep", 0)

    def awake(self):
        return self.server.program.ask("presence", endpoint=self.endpoint)["awake"]

    @case("it registers in queue mode, and both sides take it for asleep after its time")
    def sleeps(self):
        equal(self.server.registration(self.endpoint)["queueMode"], True)
        self.sleeping(0)
        equal(self.awake(), False)

    @case("Leshan does not ask it while it sleeps")
    def is_not_asked(self):
        before = self.device.count("datagrams")
        error = self.server.program.ask("read", endpoint=self.endpoint, path="/3/0/0").get("error", "")
        check("ClientSleepingException" in error, f"error: {error}")
        equal(self.device.count("datagrams"), before, "datagrams that the device took in")

    @case("its update wakes it for Leshan, whose requests are then answered")
    def wakes(self):
        since = self.server.mark()
        self.device.update()
        self.server.program.event("awake", since, endpoint=self.endpoint)
        since = self.server.mark()

        def read():
            answer = self.server.program.ask("read", endpoint=self.endpoint, path="/3/0/0")
            if "ClientSleepingException" in answer.get("error", ""):  # too late, it sleeps again
                self.device.update()
            return answer.get("node")
        equal(wait_until("it is read", read)["value"], "Dunlin")
        self.sleeping(since)
        equal(self.awake(), False)

    @case("a Send while it sleeps arrives, and leaves it awake for its time")
    def sends(self):
        since = self.server.mark()
        equal(self.device.send("/3303/0/5700"), "2.04")
        check("/3303/0/5700" in self.server.sent(self.endpoint, since), "values")


class LeshanFirmwareOnDunlind(Suite):
    """Leshan's device, which has a Firmware Update Object, with packages of dunlind."""

    name, endpoint = "leshan-firmware-on-dunlind", "leshan-firmware"

    def set_up(self):
        self.server = DunlindServer(self.programs)
        self.device = LeshanDevice(self.programs, self.endpoint, self.server.uri, firmware=True)
        self.server.wait_registered(self.endpoint)

    def tear_down(self):
        self.server.stream.close()

    @case("a package of {0} bytes is pushed block by block", [1, 1024, 65_537, PUSHED])
    def pushes(self, size):
        data = package(str(size), size)
        equal(self.server.push(self.endpoint, PACKAGE, data)["code"], "2.04")
        check(base64.b64decode(self.device.get(PACKAGE)) == data, "the package on the device is another")

    @case("a package larger than the device takes is answered 4.13, and the device can be asked as before")
    def refuses(self):
        equal(self.server.push(self.endpoint, PACKAGE, package("large", 250_000))["code"], "4.13")
        equal(self.server.read(self.endpoint, "/3/0/0")["code"], "2.05")


class DunlinFirmwareOnLeshan(Suite):
    """The Firmware Update Object of `dunlin client` with Leshan's server."""

    name, endpoint = "dunlin-firmware-on-leshan", "dunlin-firmware"

    def set_up(self):
        self.server = LeshanServer(self.programs)
        # Leshan cancels what is under way to a device that registers anew: the answer to Execute must not be overtaken.
        self.device = DunlinDevice(self.programs, self.endpoint, self.server.uri, more=["--firmware-time", "3"])
        self.server.wait_registered(self.endpoint)

    def value(self, path):
        answer = self.server.read(self.endpoint, path)
        equal(answer["code"], "2.05", path)
        return answer["node"]["value"]

    def update(self, version):
        since = self.server.mark()
        equal(self.server.execute(self.endpoint, UPDATE)["code"], "2.04")
        self.server.program.event("registered", since, endpoint=self.endpoint)  # it starts anew
        equal((self.value(STATE), self.value(RESULT), self.value("/3/0/3")), (IDLE, SUCCESS, version))

    @case("Leshan pushes {0} bytes in blocks, and the update runs to its end", [70_000, PUSHED])
    def pushes(self, size):
        version = f"2.{size}"
        equal(self.server.push(self.endpoint, PACKAGE, package(version, size))["code"], "2.04")
        equal((self.value(STATE), self.value(RESULT)), (DOWNLOADED, 0))
        self.update(version)

    @case("Leshan names a package of dunlind, which the device pulls in blocks")
    def pulls(self):
        store = DunlindServer(self.programs)
        store.stream.close()
        uri = store.upload(package("3.1", PUSHED))["uris"][0]
        equal(self.server.write(self.endpoint, PACKAGE_URI, {"type": "string", "value": uri})["code"], "2.04")
        wait_until("the package is downloaded", lambda: self.value(STATE) == DOWNLOADED)
        self.update("3.1")


SUITES = [LeshanQueueOnDunlind, Leshan10QueueOnDunlind, DunlinQueueOnLeshan, LeshanFirmwareOnDunlind, DunlinFirmwareOnLeshan]
