# SPDX-License-Identifier: Apache-2.0
"""Leshan 2.x over DTLS with our sides: pre-shared keys, raw public keys and certificates with each usage, both suites, and refusals."""

import os
import re

from devices import DunlinDevice, LeshanDevice
from pairs import Pair
from security import pki as material
from security.credentials import KEY, OTHER_KEY, PSK, RPK, SUITE_NAMES, X509, Credential, put, server_options
from servers import DunlindServer, LeshanServer
from support.harness import Suite, case, check, equal
from support.programs import WORK, wait_until
from test_leshan import LIMITS

ROWS = [(PSK, 3), (RPK, 3), (X509, 0), (X509, 1), (X509, 2), (X509, 3)]
ONLY = ["registers", "reads_default", "reads_at_once", "executes", "creates", "observes_resource", "transfers", "observes_large",
        "updates_lifetime", "deregisters"]


def name_of(mode, usage):
    return f"{mode}-{usage}" if mode == X509 else mode


def make_pki(suite, devices=()):
    """The material of a suite, made for it."""
    return material.make(os.path.join(WORK, "pki-" + suite), devices, bad=False)


def leshan_options(pki, *more):
    """Options of Leshan's server."""
    return ["--private", pki.path("server", "key.der"), "--certificate", pki.path("server", "chain"), "--trust",
            pki.path("client-cas"), *more]


def credential(pki, mode, usage, endpoint=None, **more):
    return Credential(pki, mode, endpoint or "leshan-" + name_of(mode, usage), usage=usage, **more)


NAMES = ["leshan-" + name_of(mode, usage) for mode, usage in ROWS if mode == X509]


class SecurePair(Pair):
    """The cases of a pair over one session of DTLS."""

    only, limits, mode, usage = ONLY, LIMITS, PSK, 3

    def set_up(self):
        self.pki = make_pki(self.name, [self.endpoint])
        super().set_up()


def secure_pairs():
    """A suite for each kind of credential and each direction."""
    out = []
    for mode, usage in ((PSK, 3), (RPK, 3), (X509, 2)):
        def leshan(self):
            self.server = DunlindServer(self.programs, *server_options(self.pki))
            own = credential(self.pki, self.mode, self.usage, self.endpoint)
            put(self.server.rest, own)
            self.device = LeshanDevice(self.programs, self.endpoint, self.server.program.uri_of("coaps"), more=own.leshan_device())

        def dunlin(self):
            self.server = LeshanServer(self.programs, more=leshan_options(self.pki))
            own = credential(self.pki, self.mode, self.usage, self.endpoint)
            self.server.secure(**own.leshan_secure())
            self.device = DunlinDevice(self.programs, self.endpoint, self.server.secure_uri, more=own.client())

        common = {"mode": mode, "usage": usage}
        out.append(type(f"Leshan{mode}OnDunlind", (SecurePair,), {
            **common, "__doc__": f"Leshan's device with dunlind over DTLS with {mode}.", "start": leshan,
            "name": f"leshan-{mode}-on-dunlind", "endpoint": f"leshan-{mode}"}))
        out.append(type(f"Dunlin{mode}OnLeshan", (SecurePair,), {
            **common, "__doc__": f"`dunlin client` with Leshan's server over DTLS with {mode}.", "start": dunlin,
            "name": f"dunlin-{mode}-on-leshan", "endpoint": f"dunlin-{mode}", "formats": DunlinDevice.FORMATS["1.1"],
            "takes": DunlinDevice.TAKES}))
    return out


class LeshanCredentialsOnDunlind(Suite):
    """Leshan's devices, one for each kind of credential, with one dunlind: suites, resumption, queue mode, refusals."""

    name = "leshan-credentials-on-dunlind"

    def set_up(self):
        self.pki = make_pki(self.name, NAMES + ["leshan-unknown", "leshan-resumes"])
        config = os.path.join(WORK, f"{self.name}.yaml")
        with open(config, "w", encoding="ascii") as file:
            file.write("queue:\n  awake-ms: 3000\n")
        self.server = DunlindServer(self.programs, "--config", config, *server_options(self.pki))

    def tear_down(self):
        self.server.stream.close()

    def device(self, own, *more, **options):
        return LeshanDevice(self.programs, own.endpoint, self.server.program.uri_of("coaps"),
                            more=[*own.leshan_device(), *more], **options)

    def registered(self, own, *more, **options):
        device = self.device(own, *more, **options)
        self.server.wait_registered(own.endpoint)
        client = self.server.registration(own.endpoint)
        equal((client["transport"], client["security"]), ("dtls", own.mode))
        equal(self.server.read(own.endpoint, "/3/0/0")["node"]["value"], "Leshan")
        return device

    def refused(self, device):
        """What Leshan says of a registration that failed."""
        event = device.program.event("registrationFailed")
        return f"{event['code']} {event.get('message')} {event.get('cause')} {device.program.text()}"

    @case("a device with {0}, certificate usage {1}, and suite {2}, is read",
          [(mode, usage, suite) for mode, usage in ROWS for suite in SUITE_NAMES])
    def suites(self, mode, usage, suite):
        own = credential(self.pki, mode, usage)
        put(self.server.rest, own, 201 if suite == "ccm8" else 200)
        device = self.registered(own, "--suites", SUITE_NAMES[suite][mode])
        device.stop()
        self.server.wait_gone(own.endpoint)
        device.program.stop()

    @case("an update that begins with a handshake resumes the session, and keeps registration and observation")
    def resumes(self):
        own = credential(self.pki, PSK, 3, "leshan-resumes")
        put(self.server.rest, own)
        device = self.registered(own, "--reconnect", "yes")
        before = self.server.registration(own.endpoint)["registrationId"]
        counted = self.resumed()
        for value in (31.5, 32.5):
            since = self.server.mark()
            device.update()
            self.server.updated(own.endpoint, since)
            equal(self.server.registration(own.endpoint)["registrationId"], before, "registration")
            equal(self.server.read(own.endpoint, "/3/0/0")["node"]["value"], "Leshan")
        check(self.resumed() > counted, f"no handshake was resumed: {self.handshakes()}")
        device.program.stop()

    def handshakes(self):
        return {name: value for name, value in self.server.rest.metrics().items() if "handshake" in name or "tls" in name}

    def resumed(self):
        return sum(value for name, value in self.handshakes().items() if "resumed" in name)

    @case("a device in queue mode sleeps, and what waited is delivered over the session it wakes with")
    def queues(self):
        own = credential(self.pki, RPK, 3, "leshan-sleeps", own="other-rpk")
        put(self.server.rest, own)
        device = self.registered(own, queue=True)
        wait_until("it is asleep", lambda: self.server.registration(own.endpoint)["presence"] == "asleep")
        answer = self.server.rest.call("GET", self.server.rest.device(own.endpoint, "/3/0/1"))
        equal((answer.status, answer.json["state"]), (202, "waiting"), answer)

        def ended():
            device.update()  # as often as it takes: it may be asleep again before it is asked
            request = self.server.rest.want(200, "GET", f"/requests/{answer.json['id']}", wait="8s")
            return request if request["state"] not in ("waiting", "delivering") else None
        done = wait_until("it is answered", ended)
        equal((done["state"], done["result"]["node"]["value"]), ("answered", "M15"), done)
        device.program.stop()

    @case("a device with {0} is refused", ["an unknown identity", "a wrong key", "a name that is another one's",
                                           "a certificate of another CA", "a public key that nobody knows"])
    def refuses(self, what):
        rows = {
            "an unknown identity": (Credential(self.pki, PSK, "leshan-psk", identity="nobody", key=KEY), "UNKNOWN_PSK_IDENTITY"),
            "a wrong key": (Credential(self.pki, PSK, "leshan-psk", key=OTHER_KEY), ""),
            "a name that is another one's": (Credential(self.pki, PSK, "leshan-rpk", identity="leshan-psk"), "BAD_REQUEST"),
            "a certificate of another CA": (Credential(self.pki, X509, "leshan-x509-3", own="device-of-other"), "fatal alert"),
            "a public key that nobody knows": (Credential(self.pki, RPK, "leshan-rpk", own="middle"), "fatal alert"),
        }
        own, said = rows[what]
        device = self.device(own, "--retransmissions", "2")
        got = self.refused(device)
        check(said in got, f"Leshan says: {got[-1500:]}")
        equal(self.server.registration(own.endpoint), None, "registered")
        device.program.stop()


class DunlinCredentialsOnLeshan(Suite):
    """`dunlin client` with one server of Leshan's: each kind of credential and suite, resumption, refusals."""

    name = "dunlin-credentials-on-leshan"

    def set_up(self):
        self.pki = make_pki(self.name, NAMES)
        suites = ",".join(dict.fromkeys(suite for row in SUITE_NAMES.values() for suite in row.values()))
        self.server = LeshanServer(self.programs, more=leshan_options(self.pki, "--suites", suites))
        self.server.secure(**Credential(self.pki, PSK, "refused").leshan_secure())
        # Leshan is silent about these; our device gives up after a minute.
        self.silent = {"an unknown identity": self.refused(Credential(self.pki, PSK, "refused", identity="nobody"), "identity"),
                       "a wrong key": self.refused(Credential(self.pki, PSK, "refused", key=OTHER_KEY), "key")}

    def refused(self, own, name):
        return self.programs.client(own.endpoint, self.server.secure_uri, *own.client("mandated"), "-v", "--retry", "600", name=name)

    def device(self, own, *more):
        return DunlinDevice(self.programs, own.endpoint, self.server.secure_uri, more=[*own.client(), "--retry", "1", *more])

    @case("a device with {0}, certificate usage {1}, and suite {2}, is read and observed",
          [(mode, usage, suite) for mode, usage in ROWS for suite in SUITE_NAMES])
    def suites(self, mode, usage, suite):
        own = credential(self.pki, mode, usage)
        self.server.secure(**own.leshan_secure())
        device = self.device(own, "--suites", suite)
        self.server.wait_registered(own.endpoint)
        device.program.wait_match(rf"connected to coaps://\S+ with {SUITE_NAMES[suite][mode]}, full handshake, .*", 0)
        equal(self.server.read(own.endpoint, "/3/0/0")["node"]["value"], "Dunlin")
        equal(self.server.observe(own.endpoint, "/3303/0/5700")["code"], "2.05")
        since = self.server.mark()
        device.set("/3303/0/5700", "float", 12.5)
        self.server.notification(own.endpoint, "/3303/0/5700", since, lambda node: node["value"] == 12.5)
        since, mark = self.server.mark(), device.mark()
        device.program.do("roam")
        device.program.wait_match(r"connected to \S+ with \S+ resumed handshake, .*", mark)
        self.server.program.event("registered", since, endpoint=own.endpoint)
        equal(self.server.read(own.endpoint, "/3/0/0")["node"]["value"], "Dunlin")
        device.stop()
        self.server.wait_gone(own.endpoint)
        self.server.unsecure(own.endpoint)

    @case("with {0} there is no session, and the device says why", ["a server key that is another",
                                                                     "a CA that did not issue the server's certificate"])
    def refuses(self, what):
        rows = {
            "a server key that is another": (Credential(self.pki, RPK, "refused", server="other-rpk"), ""),
            "a CA that did not issue the server's certificate": (
                Credential(self.pki, X509, "refused", own=NAMES[0], usage=2, about="other-root"), r"\(alert \d+, unknown_ca"),
        }
        own, said = rows[what]
        device = self.refused(own, what.replace(" ", "-"))
        wait_until("it says that there is no session", lambda: "no session with" in device.text(), 240)
        check(re.search(said, device.text()), device.text()[-1000:])
        equal(self.server.registration("refused"), None, "registered")
        device.kill()

    @case("with {0} a handshake comes to nothing, and the device gives it up", ["an unknown identity", "a wrong key"])
    def gives_up(self, what):
        wait_until("it says that there is no session", lambda: "no session with" in self.silent[what].text(), 240)
        equal(self.server.registration("refused"), None, "registered")


SUITES = [*secure_pairs(), LeshanCredentialsOnDunlind, DunlinCredentialsOnLeshan]
