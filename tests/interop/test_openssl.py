# SPDX-License-Identifier: Apache-2.0
"""OpenSSL's s_client and s_server, over DTLS and TLS, with dunlind and `dunlin client`: what is agreed on, and what is refused by which alert."""

import os
import re
import socket
import time

from devices import DunlinDevice
from security import pki as material
from security import wire
from security.credentials import KEY, OTHER_KEY, PSK, X509, Credential, put, server_options
from servers import DunlindServer
from support.harness import Suite, case, check, equal
from support.programs import LOGS, WORK, bound_port, wait_until

# OpenSSL's names of the four suites, and the kind of credential.
BY_NAME = {"PSK-AES128-CCM8": (PSK, "TLS_PSK_WITH_AES_128_CCM_8"),
           "PSK-AES128-CBC-SHA256": (PSK, "TLS_PSK_WITH_AES_128_CBC_SHA256"),
           "ECDHE-ECDSA-AES128-CCM8": (X509, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"),
           "ECDHE-ECDSA-AES128-SHA256": (X509, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256")}
TRANSPORTS = ["dtls", "tls"]
SCHEMES = {"dtls": "coaps", "tls": "coaps+tcp"}
VERSIONS = {"dtls": "-dtls1_2", "tls": "-tls1_2"}
NAMES = [f"openssl-{transport}-{mode}" for transport in TRANSPORTS for mode in (PSK, X509)]
HANDSHAKE_FAILURE, PROTOCOL_VERSION, UNKNOWN_PSK_IDENTITY, NO_APPLICATION_PROTOCOL = 40, 70, 115, 120


def openssl(name, *arguments):
    os.makedirs(LOGS, exist_ok=True)
    return wire.Piped(["openssl", *arguments], os.path.join(LOGS, name + ".log"), "-dtls1_2" in arguments)


class OpensslOnDunlind(Suite):
    """openssl s_client as a device by hand with dunlind."""

    name = "openssl-on-dunlind"

    def set_up(self):
        self.pki = material.make(os.path.join(WORK, "pki-" + self.name), [name for name in NAMES if name.endswith(X509)],
                                 bad=False)
        self.server = DunlindServer(self.programs, *server_options(self.pki))
        for transport in TRANSPORTS:
            for mode in (PSK, X509):
                put(self.server.rest, self.credential(transport, mode))
        self.number = 0

    def tear_down(self):
        self.server.stream.close()

    def credential(self, transport, mode):
        return Credential(self.pki, mode, f"openssl-{transport}-{mode}")

    def client(self, transport, *options, version=None, stays=True):
        self.number += 1
        address = self.server.program.addresses[SCHEMES[transport]]
        return openssl(f"{self.name}-{self.number}", "s_client", version or VERSIONS[transport], "-connect", address,
                       *(["-ign_eof"] if stays else []), *options)

    def brief(self, transport, *options, version=None):
        """What a handshake alone comes to: all that s_client said, when it has ended or is connected."""
        alpn = ["-alpn", "coap"] if transport == "tls" and "-alpn" not in options else []
        made = self.client(transport, "-brief", *alpn, *options, version=version)
        try:
            wait_until("it is connected or has ended", lambda: made.poll() is not None or "Ciphersuite" in made.said())
            if made.poll() is None:
                time.sleep(0.3)  # the other side may still refuse
        finally:
            made.close()
        return made.said()

    def alert(self, said):
        found = re.search(r"SSL alert number (\d+)", said)
        return int(found.group(1)) if found else None

    @case("over {1} with {0} it registers, is read, and notifies", [(cipher, transport) for transport in TRANSPORTS for cipher in BY_NAME])
    def registers(self, cipher, transport):
        mode, _ = BY_NAME[cipher]
        own, stream = self.credential(transport, mode), transport == "tls"
        made = self.client(transport, "-brief", "-cipher", cipher + ":@SECLEVEL=0", *own.openssl(), *(["-alpn", "coap"] if stream else []))
        try:
            device = wire.HandDevice(made.wire(stream), {"/3/0/0": b"openssl", "/3303/0/5700": b"1.5"})
            if stream:
                device.open()
            equal(wire.code_text(device.register(own.endpoint, binding="T" if stream else "U")), "2.01", made.said())
            device.serve()
            client = self.server.registration(own.endpoint)
            equal((client["transport"], client["security"]), (transport, mode))
            equal(self.server.read(own.endpoint, "/3/0/0")["node"]["value"], "openssl")
            equal(self.server.observe(own.endpoint, "/3303/0/5700")["code"], "2.05")
            since = self.server.mark()
            device.change("/3303/0/5700", b"2.5")
            self.server.notification(own.endpoint, "/3303/0/5700", since, lambda node: node["value"] == 2.5)
        finally:
            made.close()
        check(f"Ciphersuite: {cipher}" in made.said(), made.said())

    @case("over {0} a session is resumed with what s_client kept, {1}", [(t, m) for t in TRANSPORTS for m in (PSK, X509)])
    def resumes(self, transport, mode):
        kept = os.path.join(LOGS, f"{self.name}-{transport}-{mode}.session")
        own = self.credential(transport, mode)
        options = own.openssl() + ["-cipher", ("PSK" if mode == PSK else "ECDHE-ECDSA") + "-AES128-CCM8:@SECLEVEL=0"]
        options += ["-alpn", "coap"] if transport == "tls" else []
        for reused, option in ((False, "-sess_out"), (True, "-sess_in")):
            made = self.client(transport, *options, option, kept, stays=False)
            word = b"Reused, TLSv1.2" if reused else b"New, TLSv1.2"
            seen = b""
            while word not in seen:
                part = made.stdout.read(65536)
                check(part, f"{word!r} is not in what s_client says: {seen[-3000:]!r} {made.said()}")
                seen += part
            made.stdin.close()  # its end
            made.wait(wire.ANSWER_TIMEOUT_S)
            made.close()

    @case("over {1} a client is refused that offers only {0}", [(what, t) for t in TRANSPORTS for what in (
        "suites with RSA", "AES-GCM", "suites without ECDHE", "DHE with PSK")])
    def refuses_suites(self, what, transport):
        ciphers = {"suites with RSA": "ECDHE-RSA-AES128-SHA256", "AES-GCM": "ECDHE-ECDSA-AES128-GCM-SHA256",
                   "suites without ECDHE": "AES128-SHA256", "DHE with PSK": "DHE-PSK-AES128-CBC-SHA256"}[what]
        mode = PSK if "PSK" in what else X509
        said = self.brief(transport, "-cipher", ciphers + ":@SECLEVEL=0", *self.credential(transport, mode).openssl())
        equal(self.alert(said), HANDSHAKE_FAILURE, said)

    @case("over {0} a client is refused that speaks only version {1}",
          [("dtls", "-dtls1"), ("tls", "-tls1_3"), ("tls", "-tls1_1")])
    def refuses_versions(self, transport, version):
        said = self.brief(transport, "-cipher", "ALL:@SECLEVEL=0", *self.credential(transport, X509).openssl(), version=version)
        # An alert in a record of TLS 1.2 is no record to a client of TLS 1.1; one of TLS 1.3 offers no suite of ours.
        check(self.alert(said) in (PROTOCOL_VERSION, HANDSHAKE_FAILURE) or "wrong version number" in said, said)
        check("Ciphersuite" not in said, said)

    @case("over {0} a client is refused that knows only the curve {1}, or only signatures with {2}",
          [(t, "P-384", "SHA1") for t in TRANSPORTS])
    def refuses_weak(self, transport, curve, digest):
        options = ["-cipher", "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0", *self.credential(transport, X509).openssl()]
        said = self.brief(transport, *options, "-curves", curve)
        equal(self.alert(said), HANDSHAKE_FAILURE, said)
        said = self.brief(transport, *options, "-sigalgs", f"ECDSA+{digest}")
        equal(self.alert(said), HANDSHAKE_FAILURE, said)

    @case("over {0} a client is refused that has no certificate", TRANSPORTS)
    def refuses_none(self, transport):
        said = self.brief(transport, "-cipher", "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0", "-CAfile", self.pki.path("root"))
        check(self.alert(said) in (HANDSHAKE_FAILURE, 42, 41, 116), said)

    @case("over {0} a client is refused whose PSK identity nobody knows, and one whose key is another", TRANSPORTS)
    def refuses_keys(self, transport):
        psk = ["-cipher", "PSK-AES128-CCM8:@SECLEVEL=0"]
        said = self.brief(transport, *psk, "-psk", KEY, "-psk_identity", "nobody")
        equal(self.alert(said), UNKNOWN_PSK_IDENTITY, said)
        own = self.credential(transport, PSK)
        made = self.client(transport, "-brief", *psk, "-psk", OTHER_KEY, "-psk_identity", own.identity,
                           *(["-alpn", "coap"] if transport == "tls" else []))
        time.sleep(2)
        made.close()
        check("CONNECTION ESTABLISHED" not in made.said(), made.said())

    @case("over TLS a client is refused that offers another protocol than CoAP")
    def protocols(self):
        options = ["-cipher", "PSK-AES128-CCM8:@SECLEVEL=0", *self.credential("tls", PSK).openssl()]
        said = self.brief("tls", *options, "-alpn", "h2")
        equal(self.alert(said), NO_APPLICATION_PROTOCOL, said)

    @case("over TCP without security the CSM comes first, a Ping is answered, and a stranger is served by policy")
    def plain_tcp(self):
        host, _, port = self.server.program.addresses["coap+tcp"].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=wire.ANSWER_TIMEOUT_S) as connection:
            device = wire.HandDevice(wire.Wire(connection.sendall, lambda: connection.recv(65536), True), {"/3/0/0": b"plain"})
            first = device.open()
            check(wire.option(first, wire.MAX_MESSAGE_SIZE), f"no Max-Message-Size in {first}")
            check(wire.option(first, wire.BLOCK_WISE) is not None, f"no Block-Wise-Transfer in {first}")
            device.wire.send(wire.Message(None, wire.PING, None, b"p", [], b""))
            equal(device.wire.receive()[1:4:2], (wire.PONG, b"p"))
            equal(wire.code_text(device.register("plain-tcp", binding="T")), "2.01")
            device.serve()
            equal(self.server.read("plain-tcp", "/3/0/0")["node"]["value"], "plain")
            equal(self.server.registration("plain-tcp")["transport"], "tcp")


class DunlinOnOpenssl(Suite):
    """`dunlin client` with a server by hand behind openssl s_server."""

    name = "dunlin-on-openssl"

    def set_up(self):
        self.pki = material.make(os.path.join(WORK, "pki-" + self.name), NAMES)
        self.number = 0

    def server(self, transport, mode, certificate="server", *options):
        """(the program, its URI)."""
        self.number += 1
        own = ["-psk", KEY, "-psk_identity", "openssl", "-nocert"] if mode == PSK else [
            "-cert", self.pki.path(certificate), "-key", self.pki.path(certificate, "key"), "-cert_chain",
            self.pki.path(certificate, "chain"), "-CAfile", self.pki.path("client-cas"), "-Verify", "3", "-verify_return_error"]
        alpn = ["-alpn", "coap"] if transport == "tls" else []
        made = openssl(f"{self.name}-{self.number}", "s_server", VERSIONS[transport], "-accept", "127.0.0.1:0", "-brief", *own, *alpn,
                       *options)
        port = wait_until("s_server listens", lambda: bound_port(made.pid, "udp" if transport == "dtls" else "tcp"))
        return made, f"{SCHEMES[transport]}://127.0.0.1:{port}"

    def device(self, uri, own, *more):
        return DunlinDevice(self.programs, own.endpoint, uri, more=[*own.client(), "--retry", "600", *more])

    @case("over {1} with {0} it registers, and is read", [(cipher, transport) for transport in TRANSPORTS for cipher in BY_NAME])
    def registers(self, cipher, transport):
        mode, suite = BY_NAME[cipher]
        made, uri = self.server(transport, mode, "server", "-cipher", cipher + ":@SECLEVEL=0")
        server = wire.HandServer(made.wire(transport == "tls"))
        own = Credential(self.pki, mode, f"openssl-{transport}-{mode}", identity="openssl", usage=2)
        device = self.device(uri, own, "--suites", "ccm8" if "CCM" in cipher else "cbc")
        try:
            if transport == "tls":
                wait_until("it is connected", lambda: "Ciphersuite" in made.said())
                server.open()
            equal(server.registered(), own.endpoint)
            answer = server.read("/3/0/0")
            equal((wire.code_text(answer.code), answer.payload), ("2.05", b"Dunlin"))
            device.program.wait_match(rf"connected to \S+ with {suite}, full handshake, .*", 0)
        finally:
            device.program.kill()  # a de-register would wait for an answer
            made.close()

    @case("over {1} the certificate is refused that {0}", [(what, t) for t in TRANSPORTS for what in (
        "has expired", "is not yet valid", "is for another name", "is of another CA", "is signed by an end entity",
        "is signed with SHA-1", "has a key on P-224")])
    def refuses(self, what, transport):
        certificate, alerts = {
            "has expired": ("server-expired", (45,)), "is not yet valid": ("server-early", (45, 42)),
            "is for another name": ("server-wrong-name", (42, 46)), "is of another CA": ("server-of-other", (48,)),
            "is signed by an end entity": ("server-by-leaf", (48, 42)), "is signed with SHA-1": ("server-sha1", (42, 43, 48, 40)),
            "has a key on P-224": ("server-p224", (40, 42, 43, 47, 71))}[what]
        made, uri = self.server(transport, X509, certificate, "-cipher", "ALL:@SECLEVEL=0")
        own = Credential(self.pki, X509, f"openssl-{transport}-{X509}", usage=2)
        device = self.programs.client(own.endpoint, uri, *own.client("mandated"), "-v", "--retry", "600", name=f"{transport}-{certificate}")
        try:
            wait_until("it says why there is no session", lambda: "no session with" in device.text())
            found = re.search(r"no session with .*\(alert (\d+), (\w+)", device.text())
            check(found, f"no alert in: {device.text()[-600:]}")
            check(int(found.group(1)) in alerts, f"it says {found.group(0)}")
            if "received" in device.text():
                return  # s_server itself saw that we have no use for its key
            seen = wait_until("s_server has the alert", lambda: re.search(r"SSL alert number (\d+)", made.said()))
            equal(seen.group(1), found.group(1), "alert at s_server")
        finally:
            device.stop()
            made.close()


SUITES = [OpensslOnDunlind, DunlinOnOpenssl]
