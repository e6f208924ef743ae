# SPDX-License-Identifier: Apache-2.0
"""Every kind of credential, suite, transport and address family, through a real dunlind and real `dunlin client`s: full and resumed
handshakes, each followed by a read and a notification; and what must be refused, with the alert, the device's words, the server's log line
and its counters.

Usage: matrix.py [PATTERN]
"""

import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "interop")]

from devices import Console  # noqa: E402
from security import pki as material  # noqa: E402
from security.credentials import OTHER_KEY, PSK, RPK, SUITE_NAMES, X509, Credential, put  # noqa: E402
from support import programs  # noqa: E402
from support.harness import Runner, Suite, case, check, equal  # noqa: E402
from support.programs import BIN, WORK, wait_until  # noqa: E402

SCHEMES = {"DTLS": "coaps", "TLS": "coaps+tcp"}
HOSTS = {4: "127.0.0.1", 6: "[::1]"}
MODES = [(PSK, 3), (RPK, 3), (X509, 0), (X509, 1), (X509, 2), (X509, 3)]
ROWS = [(family, transport, mode, usage, suite) for family in HOSTS for transport in SCHEMES for mode, usage in MODES
        for suite in SUITE_NAMES]
TEMPERATURE = "/3303/0/5700"


def name_of(family, transport, mode, usage, suite):
    return f"m{family}-{transport.lower()}-{mode}{usage if mode == X509 else ''}-{suite}"


def listen(host):
    return ["--coaps", f"{host}:0", "--coaps-tcp", f"{host}:0"]


def keys(pki, certificate="server"):
    return ["--certificate", pki.path(certificate, "chain"), "--key", pki.path(certificate, "key"), "--client-cas", pki.path("client-cas")]


def console(programs_, name, uri, *more):
    return programs_.add(Console(programs_, name, [os.path.join(BIN, "dunlin"), "client", "-e", name, "-u", uri, "--lifetime", "300",
                                                   "--period", "0", "--retry", "1", *more]))


class Matrix(Suite):
    """Devices of all kinds at once, each with a full and a resumed handshake."""

    name = "security-matrix"

    def set_up(self):
        names = {row: name_of(*row) for row in ROWS}
        self.pki = material.make(os.path.join(WORK, "pki-" + self.name), [names[row] for row in ROWS if row[2] == X509],
                                 bad=False)
        self.servers, self.streams, self.devices, self.before, self.marks = {}, {}, {}, {}, {}
        for family, host in HOSTS.items():
            self.servers[family] = self.programs.dunlind(*listen(host), *keys(self.pki), name=f"dunlind-{family}", coap=f"{host}:0")
            self.streams[family] = self.servers[family].rest.events()
        for row in ROWS:
            family, transport, mode, usage, suite = row
            own = Credential(self.pki, mode, names[row], usage=usage, own=self.own_key(row, names[row]))
            put(self.servers[family].rest, own)
            self.devices[row] = console(self.programs, names[row], self.servers[family].uri_of(SCHEMES[transport]), *own.client(suite))

    def own_key(self, row, name):
        """A raw public key belongs to one credential, so each device has its own."""
        if row[2] == RPK:
            return self.pki.key("key-" + name)
        return name if row[2] == X509 else None

    def tear_down(self):
        for stream in self.streams.values():
            stream.close()

    def notifies(self, row, name, value):
        stream = self.streams[row[0]]
        since = stream.mark()
        self.devices[row].do(f"set {TEMPERATURE} {value}")
        stream.wait("notification", since, endpoint=name, path=TEMPERATURE,
                    match=lambda event: "node" in event and event["node"]["value"] == value)

    @case("{1} over IPv{0} with {2}, certificate usage {3}, and {4}: a full handshake, registered, read and observed", ROWS)
    def serves(self, *row):
        family, transport, mode, usage, suite = row
        name, rest = name_of(*row), self.servers[family].rest
        client = wait_until(f"{name} is registered", lambda: rest.client(name))
        equal((client["transport"], client["security"]), (transport.lower(), mode))
        self.devices[row].wait_match(rf"connected to \S+ with {SUITE_NAMES[suite][mode]}, full handshake, .*", 0)
        equal(rest.read(name, "/3/0/0")["node"]["value"], "Dunlin")
        equal(rest.want(201, "PUT", rest.device(name, "/observations" + TEMPERATURE))["code"], "2.05")
        self.notifies(row, name, 1.5)
        self.before[row] = client

    @case("all devices go on from other addresses")
    def roams(self):
        for row, device in self.devices.items():
            self.marks[row] = device.mark()
            device.do("roam")

    @case("{1} over IPv{0} with {2}, certificate usage {3}, and {4}: the session resumed, read, and still observed", ROWS)
    def resumes(self, *row):
        family, transport, mode, usage, suite = row
        name, rest, device, before = name_of(*row), self.servers[family].rest, self.devices[row], self.before[row]
        device.wait_match(rf"connected to \S+ with {SUITE_NAMES[suite][mode]}, resumed handshake, .*", self.marks[row])
        wait_until("it is known at its new address", lambda: rest.client(name)["address"] != before["address"])
        equal(rest.read(name, "/3/0/0")["node"]["value"], "Dunlin")
        wait_until("the observation is active", lambda: [item["state"] for item in rest.want(
            200, "GET", rest.device(name, "/observations"))["observations"]] == ["active"])
        self.notifies(row, name, 2.5)

    @case("the servers count as many resumed handshakes as there were, and no failed one")
    def counts(self):
        for family, server in self.servers.items():
            metrics = server.rest.metrics()
            rows = sum(row[0] == family for row in ROWS)
            equal([metrics["dunlin_handshakes_total"], metrics["dunlin_handshakes_resumed_total"],
                   metrics["dunlin_handshakes_failed_total"]], [2 * rows, rows, 0], "handshakes, resumed ones, failed ones")

    @case("the devices de-register over their sessions")
    def ends(self):
        for row, device in self.devices.items():
            device.type("quit")
        for row, device in self.devices.items():
            equal(device.process.wait(60), 0, f"status of {name_of(*row)}")
        for server in self.servers.values():
            wait_until("all are gone", lambda server=server: not server.rest.clients())


# What is refused of a device: (its credential, the alert or None, what the server's log says, the counter that moves).
BAD_DEVICES = {
    "an unknown PSK identity": ("psk", {"identity": "nobody"}, 115, "unknown PSK identity", "unknown_psk"),
    "a raw public key that nobody knows": ("rpk", {"own": "other-rpk"}, 46, "unknown raw public key", "bad_certificate"),
    "an expired certificate": ("x509", {"own": "device-expired"}, 45, "the certificate has expired", "bad_certificate"),
    "a certificate that is not yet valid": ("x509", {"own": "device-early"}, 45, "the certificate is not valid yet", "bad_certificate"),
    "a revoked certificate": ("x509", {"own": "device-revoked"}, 44, "the certificate was revoked", "bad_certificate"),
    "a certificate of another CA": ("x509", {"own": "device-of-other"}, 48, "the certificate is not from a trusted CA", "bad_certificate"),
    "a certificate that an end entity has signed": (
        "x509", {"own": "device-by-leaf"}, 48, "the certificate is not from a trusted CA", "bad_certificate"),
    "a certificate signed with SHA-1": (
        "x509", {"own": "device-sha1"}, 43, "a certificate has a hash or a curve that is not allowed", "bad_certificate"),
    "a certificate for servers only": (
        "x509", {"own": "device-server-only"}, 43, "the certificate is not for this purpose", "bad_certificate"),
}
ALERTS = {20: "bad_record_mac", 42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
          46: "certificate_unknown", 48: "unknown_ca", 115: "unknown_psk_identity"}
# What a device refuses of a server: (the server's certificate, the device's credential, the alert, what the device says).
BAD_SERVERS = {
    "an expired certificate": ("server-expired", {"usage": 2}, 45, "the certificate has expired"),
    "a certificate that is not yet valid": ("server-early", {"usage": 2}, 45, "the certificate is not valid yet"),
    "a certificate for another name": ("server-wrong-name", {"usage": 2}, 42, "name"),
    "a certificate of another CA": ("server-of-other", {"usage": 2}, 48, "not from a trusted CA"),
    "a certificate that an end entity has signed": ("server-by-leaf", {"usage": 2}, None, ""),
    "another certificate than the one pinned, usage 3": ("server-self", {"usage": 3, "about": "server"}, None, ""),
    "another certificate than the one pinned, usage 1": ("server", {"usage": 1, "about": "server-self"}, None, ""),
    "a CA that is not on its path, usage 0": ("server", {"usage": 0, "about": "other-root"}, None, ""),
    "an end entity for a trust anchor, usage 2": ("server-by-leaf", {"usage": 2, "about": "server"}, None, ""),
    "a root that the device does not trust, usage 0": ("server", {"usage": 0, "about": "root", "roots": "other-root"}, 48, ""),
    "another name than SNI asks for": ("server", {"usage": 2, "name": "elsewhere.example"}, 42, "name"),
    "another raw public key": ("server-self", {"mode": RPK, "server": "server"}, None, ""),
}


class Refusals(Suite):
    """What must not come to a session, or to a registration."""

    name = "security-refusals"

    def set_up(self):
        self.pki = material.make(os.path.join(WORK, "pki-" + self.name), ["device"])
        config = os.path.join(WORK, self.name + ".yaml")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"security:\n  crls: {self.pki.path('all', 'crl')}\n  handshake-ms: 4000\n")
        self.servers = {"server": self.programs.dunlind("--config", config, *listen(HOSTS[4]), *keys(self.pki))}
        for certificate in {row[0] for row in BAD_SERVERS.values()} - {"server"}:
            self.servers[certificate] = self.programs.dunlind(*listen(HOSTS[4]), *keys(self.pki, certificate), name="with-" + certificate)
        self.server = self.servers["server"]
        for mode, own in ((PSK, None), (RPK, "device-rpk"), (X509, "device")):
            put(self.server.rest, Credential(self.pki, mode, self.endpoint(mode), own=own))
        for _, more, *_ in BAD_DEVICES.values():
            if more.get("own", "").startswith("device-"):
                put(self.server.rest, Credential(self.pki, X509, more["own"]))
        self.number = 0

    @staticmethod
    def endpoint(mode):
        return "device" if mode == X509 else "refused-" + mode

    def device(self, transport, own, server=None):
        self.number += 1
        return self.programs.client(own.endpoint, (server or self.server).uri_of(SCHEMES[transport]), *own.client("mandated"), "-v",
                                    "--retry", "600", name=f"device-{self.number}")

    def credential(self, mode, **more):
        endpoint = more.get("own", "device") if mode == X509 else self.endpoint(mode)
        return Credential(self.pki, mode, endpoint, **{"usage": 2, **more})

    @case("over {1} {0} of a device is refused, with the alert for it", [(what, t) for what in BAD_DEVICES for t in SCHEMES])
    def refuses_device(self, what, transport):
        mode, more, alert, said, counter = BAD_DEVICES[what]
        before, log = self.server.rest.metrics(), len(self.server.text())
        device = self.device(transport, self.credential(mode, **more))
        line = wait_until("the device says why", lambda: re.search(r"no session with .*", device.text())).group(0)
        check(f"(alert {alert}, {ALERTS[alert]}" in line, line)
        wait_until(f"the log says {said!r}", lambda: f"{said}; sent alert {ALERTS[alert]}" in self.server.text()[log:])
        after = self.server.rest.metrics()
        for name in (f"dunlin_handshakes_{counter}_total", "dunlin_handshakes_failed_total"):
            equal(after[name] - before[name], 1, name)
        equal(after["dunlin_handshakes_total"], before["dunlin_handshakes_total"], "handshakes")
        device.stop()

    @case("over TLS a wrong key is refused with bad_record_mac")
    def refuses_key(self):
        before, log = self.server.rest.metrics(), len(self.server.text())
        device = self.device("TLS", self.credential(PSK, key=OTHER_KEY))
        line = wait_until("the device says why", lambda: re.search(r"no session with .*", device.text())).group(0)
        check("(alert 20, bad_record_mac" in line, line)
        check("the keys of the two ends differ" in self.server.text()[log:], self.server.text()[log:])
        after = self.server.rest.metrics()
        equal(after["dunlin_handshakes_bad_key_total"] - before["dunlin_handshakes_bad_key_total"], 1)
        device.stop()

    @case("over DTLS a wrong key comes to nothing, and the server gives up in its time")
    def times_out(self):
        before = self.server.rest.metrics()
        device = self.device("DTLS", self.credential(PSK, key=OTHER_KEY))
        names = ("dunlin_handshakes_bad_key_total", "dunlin_handshakes_failed_total")
        wait_until("it is counted", lambda: all(self.server.rest.metrics()[name] > before[name] for name in names))
        equal(self.server.rest.client(self.endpoint(PSK)), None)
        check("connected to" not in device.text(), device.text())
        device.kill()

    @case("over {1} a device with {0} is answered 4.00 to its Register, and both say so",
          [(what, t) for what in ("another one's PSK", "another one's certificate") for t in SCHEMES])
    def refuses_name(self, what, transport):
        mode = PSK if "PSK" in what else X509
        before, log = self.server.rest.metrics(), len(self.server.text())
        own = Credential(self.pki, mode, "somebody-else", identity=self.endpoint(PSK), own="device" if mode == X509 else None, usage=2)
        device = self.device(transport, own)
        wait_until("the device says so", lambda: "refused: 4.00" in device.text())
        wait_until("the log says so", lambda: "its credential does not stand for this endpoint" in self.server.text()[log:]
                   or self.server.text().count("its credential does not stand for this endpoint") > 0)
        equal(self.server.rest.metrics()["dunlin_identity_refused_total"] - before["dunlin_identity_refused_total"], 1)
        equal(self.server.rest.client("somebody-else"), None)
        device.stop()

    @case("over {1} {0} of a server is refused by the device", [(what, t) for what in BAD_SERVERS for t in SCHEMES])
    def refuses_server(self, what, transport):
        certificate, more, alert, said = BAD_SERVERS[what]
        more = dict(more)
        own = self.credential(more.pop("mode", X509), **more)
        device = self.device(transport, own, self.servers[certificate])
        line = wait_until("the device says why", lambda: re.search(r"no session with .*", device.text())).group(0)
        found = re.search(r"\(alert (\d+), (\w+)", line)
        check(found and said in line, line)
        if alert:
            equal(int(found.group(1)), alert, line)
        log = self.servers[certificate]
        wait_until("the server has the alert", lambda: f"received alert {found.group(2)}" in log.text())
        check("connected to" not in device.text(), device.text())
        device.stop()

    @case("a key on the curve {0} is not used by the device, nor by the server", ["P-224", "RSA"])
    def refuses_curves(self, curve):
        suffix = "p224" if curve == "P-224" else "rsa"
        own = self.credential(X509, own="device-" + suffix)
        device = self.device("DTLS", own)
        wait_until("the device says why", lambda: "the key is not on a curve that the cipher suites allow" in device.text())
        equal(device.process.wait(60), 2, "status of the device")
        try:
            self.programs.dunlind(*listen(HOSTS[4]), *keys(self.pki, "server-" + suffix), name="with-" + suffix)
        except AssertionError as why:
            check("curve" in str(why), why)
            self.programs.members = [one for one in self.programs.members if one.alive()]
        else:
            raise AssertionError("dunlind has started")

    @case("a credential that is changed or removed ends its sessions, and what resumed them is worth nothing: over {0}", list(SCHEMES))
    def changes(self, transport):
        name = "changes-" + transport.lower()
        own = Credential(self.pki, PSK, name)
        put(self.server.rest, own)
        device = console(self.programs, name, self.server.uri_of(SCHEMES[transport]), *own.client("ccm8"))
        wait_until("it is registered", lambda: self.server.rest.client(name))
        revoked, resumed, failed = (self.server.rest.metrics()[f"dunlin_{what}_total"]
                                    for what in ("sessions_revoked", "handshakes_resumed", "handshakes_failed"))
        put(self.server.rest, Credential(self.pki, PSK, name, key=OTHER_KEY), 200)
        wait_until("its session has ended", lambda: self.server.rest.metrics()["dunlin_sessions_revoked_total"] == revoked + 1)
        device.do("update")
        wait_until("its next handshake has failed", lambda: self.server.rest.metrics()["dunlin_handshakes_failed_total"] > failed)
        equal(self.server.rest.metrics()["dunlin_handshakes_resumed_total"], resumed, "resumed handshakes")
        device.kill()


def main():
    shutil.rmtree(programs.LOGS, ignore_errors=True)
    os.makedirs(programs.LOGS)
    pattern = f"*{sys.argv[1]}*" if len(sys.argv) > 1 else "*"
    return Runner([Matrix, Refusals], os.path.join(WORK, "junit.xml"), pattern).run()


if __name__ == "__main__":
    sys.exit(main())
