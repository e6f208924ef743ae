# SPDX-License-Identifier: Apache-2.0
"""Leshan 2.x against both of our sides, and against itself (to know what is Leshan's own doing)."""

import time

import values
from devices import DunlinDevice, LeshanDevice
from pairs import Pair
from pairs11 import Pair11
from servers import DunlindServer, LeshanServer
from support.harness import Suite, case, check, equal
from support.programs import lasting_addresses, wait_until


# Leshan 2.0.0-M15 writes an unsigned integer in TLV as a signed one, so that 2^63 and above arrive as something else.
LIMITS = {"extreme": [("unsigned", values.TLV)]}


class LeshanOnLeshan(Pair11):
    """Leshan's device with Leshan's server: the control, which shows what the peer itself does not do."""

    name, endpoint = "leshan-on-leshan", "leshan-control"

    def start(self):
        self.server = LeshanServer(self.programs)
        self.device = LeshanDevice(self.programs, self.endpoint, self.server.uri)


class LeshanOnDunlind(Pair11):
    """Leshan's device, LwM2M 1.1, with dunlind through REST."""

    name, endpoint = "leshan-on-dunlind", "leshan-1.1"
    limits = LIMITS

    def start(self):
        self.server = DunlindServer(self.programs)
        self.device = LeshanDevice(self.programs, self.endpoint, self.server.uri)


class Leshan10OnDunlind(Pair):
    """Leshan's device, LwM2M 1.0, with dunlind through REST."""

    name, endpoint, version = "leshan-1.0-on-dunlind", "leshan-1.0", "1.0"
    limits = LIMITS

    def start(self):
        self.server = DunlindServer(self.programs)
        self.device = LeshanDevice(self.programs, self.endpoint, self.server.uri, lwm2m="1.0")


class LeshanOverRestart(Suite):
    """Leshan's device while dunlind is killed and started again, and when the device registers anew."""

    name, endpoint = "leshan-over-restart", "leshan-stays"

    def set_up(self):
        self.server = DunlindServer(self.programs, **lasting_addresses())
        self.device = LeshanDevice(self.programs, self.endpoint, self.server.uri)
        self.server.wait_registered(self.endpoint)

    def tear_down(self):
        self.server.stream.close()

    def notifies(self, value):
        since = self.server.mark()
        self.device.set("/3303/0/5700", "float", value)
        self.server.notification(self.endpoint, "/3303/0/5700", since, lambda node: node["value"] == value)

    @case("after kill -9 the registration is listed as before, and the observation still notifies")
    def killed(self):
        equal(self.server.observe(self.endpoint, "/3303/0/5700")["code"], "2.05")
        self.notifies(30.5)
        before = values.lasting(self.server.registration(self.endpoint))
        old = self.server.program
        self.server.stream.close()
        old.kill()
        self.server = DunlindServer(self.programs, data=old.data, coap=old.coap, http=old.http)
        equal(values.lasting(self.server.registration(self.endpoint)), before, "registration")
        observations = self.server.rest.want(200, "GET", self.server.rest.device(self.endpoint, "/observations"))
        equal([(item["path"], item["last"]["node"]["value"]) for item in observations["observations"]],
              [("/3303/0/5700", 30.5)], "observations")
        self.notifies(31.5)
        equal(self.server.read(self.endpoint, "/3/0/0")["node"]["value"], "Leshan")
        since = self.server.mark()
        self.device.update()
        self.server.updated(self.endpoint, since)

    @case("an observation is made anew when the device registers anew")
    def registers_again(self):
        since = self.server.mark()
        self.device.stop()
        self.server.wait_gone(self.endpoint)
        self.device.program.ask("start")
        self.server.stream.wait("registered", since, endpoint=self.endpoint)
        wait_until("the observation is active", lambda: [item["state"] for item in self.server.rest.want(
            200, "GET", self.server.rest.device(self.endpoint, "/observations"))["observations"]] == ["active"])
        self.notifies(32.5)


class DunlinOnLeshan(Pair11):
    """`dunlin client`, LwM2M 1.1, with Leshan's server."""

    name, endpoint = "dunlin-on-leshan", "dunlin-1.1"
    formats, takes = DunlinDevice.FORMATS["1.1"], DunlinDevice.TAKES
    limits = LIMITS

    def start(self):
        self.server = LeshanServer(self.programs)
        self.device = DunlinDevice(self.programs, self.endpoint, self.server.uri)

    @case("an observation that the server has forgotten ends with its reset")
    def forgotten(self):
        path = f"/{values.OBJECT}/0/1"
        equal(self.server.observe(self.endpoint, path)["code"], "2.05")
        self.server.forget(self.endpoint, path)
        sent = [self.device.count("notifications")]
        while len(sent) < 3 or sent[-1] != sent[-3]:
            check(len(sent) < 100, f"notifications sent, which Leshan resets: {sent}")
            self.device.set(path, "string", f"value {len(sent)}")
            time.sleep(0.5)
            sent.append(self.device.count("notifications"))

    @case("the device de-registers and is no longer listed")
    def deregisters(self):
        super().deregisters()


class Dunlin10OnLeshan(Pair):
    """`dunlin client`, LwM2M 1.0, with Leshan's server."""

    name, endpoint, version = "dunlin-1.0-on-leshan", "dunlin-1.0", "1.0"
    formats = DunlinDevice.FORMATS["1.0"]
    limits = LIMITS

    def start(self):
        self.server = LeshanServer(self.programs)
        self.device = DunlinDevice(self.programs, self.endpoint, self.server.uri, lwm2m="1.0")


class DunlinOnDunlind(Pair11):
    """`dunlin client` with dunlind: what the other pairs are measured by."""

    name, endpoint = "dunlin-on-dunlind", "dunlin-own"
    formats, takes = DunlinDevice.FORMATS["1.1"], DunlinDevice.TAKES

    def start(self):
        self.server = DunlindServer(self.programs)
        self.device = DunlinDevice(self.programs, self.endpoint, self.server.uri)


class LeshanBlocksOnDunlind(Pair):
    """Leshan's device with blocks of 64 bytes with dunlind."""

    name, endpoint = "leshan-64-on-dunlind", "leshan-64"
    only = ["registers", "transfers", "observes_large", "creates", "deregisters"]

    def start(self):
        self.server = DunlindServer(self.programs)
        self.device = LeshanDevice(self.programs, self.endpoint, self.server.uri, block=64)


class DunlinOnLeshanBlocks(Pair):
    """`dunlin client` with Leshan's server that uses blocks of 64 bytes."""

    name, endpoint, formats, takes = (
        "dunlin-on-leshan-64", "dunlin-64", DunlinDevice.FORMATS["1.1"], DunlinDevice.TAKES)
    only = LeshanBlocksOnDunlind.only

    def start(self):
        self.server = LeshanServer(self.programs, block=64)
        self.device = DunlinDevice(self.programs, self.endpoint, self.server.uri)


SUITES = [LeshanOnLeshan, LeshanOverRestart, LeshanBlocksOnDunlind, DunlinOnLeshanBlocks, LeshanOnDunlind, Leshan10OnDunlind, DunlinOnLeshan, Dunlin10OnLeshan, DunlinOnDunlind]
