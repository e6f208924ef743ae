# SPDX-License-Identifier: Apache-2.0
"""Leshan 2.x against both of our sides, and against itself (to know what is Leshan's own doing)."""

import toolchain
from devices import LeshanDevice
from pairs import Pair
from servers import DunlindServer, LeshanServer


class LeshanOnLeshan(Pair):
    """Leshan's device with Leshan's server: the control, which shows what the peer itself does not do."""

    name, endpoint = "leshan-on-leshan", "leshan-control"

    def set_up(self):
        self.server = LeshanServer(self.programs)
        self.device = LeshanDevice(self.programs, self.endpoint, self.server.uri)


class LeshanOnDunlind(Pair):
    """Leshan's device, LwM2M 1.1, with dunlind through REST."""

    name, endpoint = "leshan-on-dunlind", "leshan-1.1"

    def set_up(self):
        self.server = DunlindServer(self.programs)
        self.device = LeshanDevice(self.programs, self.endpoint, self.server.uri)


class Leshan10OnDunlind(Pair):
    """Leshan's device, LwM2M 1.0, with dunlind through REST."""

    name, endpoint, version = "leshan-1.0-on-dunlind", "leshan-1.0", "1.0"

    def set_up(self):
        self.server = DunlindServer(self.programs)
        self.device = LeshanDevice(self.programs, self.endpoint, self.server.uri, lwm2m="1.0")


SUITES = [LeshanOnLeshan, LeshanOnDunlind, Leshan10OnDunlind]
