# SPDX-License-Identifier: Apache-2.0
"""Leshan 2.x against both of our sides, and against itself (to know what is Leshan's own doing)."""

import values
from devices import DunlinDevice, LeshanDevice
from pairs import Pair
from servers import DunlindServer, LeshanServer


# Leshan 2.0.0-M15 writes an unsigned integer in TLV as a signed one, so that 2^63 and above arrive as something else.
LIMITS = {"extreme": [("unsigned", values.TLV)]}


class LeshanOnLeshan(Pair):
    """Leshan's device with Leshan's server: the control, which shows what the peer itself does not do."""

    name, endpoint = "leshan-on-leshan", "leshan-control"

    def start(self):
        self.server = LeshanServer(self.programs)
        self.device = LeshanDevice(self.programs, self.endpoint, self.server.uri)


class LeshanOnDunlind(Pair):
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


class DunlinOnLeshan(Pair):
    """`dunlin client`, LwM2M 1.1, with Leshan's server."""

    name, endpoint = "dunlin-on-leshan", "dunlin-1.1"
    formats = DunlinDevice.FORMATS["1.1"]
    limits = LIMITS

    def start(self):
        self.server = LeshanServer(self.programs)
        self.device = DunlinDevice(self.programs, self.endpoint, self.server.uri)


class Dunlin10OnLeshan(Pair):
    """`dunlin client`, LwM2M 1.0, with Leshan's server."""

    name, endpoint, version = "dunlin-1.0-on-leshan", "dunlin-1.0", "1.0"
    formats = DunlinDevice.FORMATS["1.0"]
    limits = LIMITS

    def start(self):
        self.server = LeshanServer(self.programs)
        self.device = DunlinDevice(self.programs, self.endpoint, self.server.uri, lwm2m="1.0")


class DunlinOnDunlind(Pair):
    """`dunlin client` with dunlind: what the other pairs are measured by."""

    name, endpoint = "dunlin-on-dunlind", "dunlin-own"
    formats = DunlinDevice.FORMATS["1.1"]

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

    name, endpoint, formats = "dunlin-on-leshan-64", "dunlin-64", DunlinDevice.FORMATS["1.1"]
    only = LeshanBlocksOnDunlind.only

    def start(self):
        self.server = LeshanServer(self.programs, block=64)
        self.device = DunlinDevice(self.programs, self.endpoint, self.server.uri)


SUITES = [LeshanOnLeshan, LeshanBlocksOnDunlind, DunlinOnLeshanBlocks, LeshanOnDunlind, Leshan10OnDunlind, DunlinOnLeshan, Dunlin10OnLeshan, DunlinOnDunlind]
