# SPDX-License-Identifier: Apache-2.0
"""libcoap with GnuTLS (coap-client-gnutls, coap-server-gnutls): every kind of credential over DTLS and TLS, and plain TCP."""

import os
import re
import subprocess
import tempfile

from security import pki as material
from security.credentials import PSK, RPK, X509, Credential, put, server_options
from servers import DunlindServer
from support.harness import Suite, case, check, equal
from support.programs import BIN, WORK, free_port, wait_until
from test_libcoap import need

MODES = [PSK, RPK, X509]
SCHEMES = ["coaps", "coaps+tcp"]
SECRET = "libcoap-secret-1"  # libcoap's programs take a key as a text
NAMES = [f"libcoap-{scheme.replace('+', '-')}-{mode}" for scheme in SCHEMES for mode in MODES]


def credential(pki, scheme, mode, **more):
    name = f"libcoap-{scheme.replace('+', '-')}-{mode}"
    return Credential(pki, mode, name, key=SECRET.encode().hex(), own=f"key-{name}" if mode == RPK else None, **more)


def make_pki(suite):
    made = material.make(os.path.join(WORK, "pki-" + suite), [name for name in NAMES if name.endswith(X509)],
                         bad=False)
    for name in NAMES:
        if name.endswith(RPK):
            made.key("key-" + name)
    return made


def coap_client(*arguments, timeout_s=240):
    """(body, what it logs) of a run of coap-client."""
    with tempfile.NamedTemporaryFile(dir=WORK) as out:
        done = subprocess.run([need("coap-client-gnutls"), "-v", "6", "-B", "30", "-o", out.name, *arguments], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=timeout_s, check=False)
        return out.read(), (done.stdout + done.stderr).decode(errors="replace")


class LibcoapSecureOnDunlind(Suite):
    """coap-client registers by hand with dunlind, over secured sessions and over TCP."""

    name = "libcoap-secure-on-dunlind"

    def set_up(self):
        need("coap-client-gnutls")
        self.pki = make_pki(self.name)
        self.server = DunlindServer(self.programs, *server_options(self.pki))
        for scheme in SCHEMES:
            for mode in MODES:
                put(self.server.rest, credential(self.pki, scheme, mode))

    def tear_down(self):
        self.server.stream.close()

    def register(self, scheme, endpoint, *options):
        """What it says of a Register; the binding tells the server that it will not be there for long."""
        return coap_client(*options, "-m", "post", "-t", "40", "-e", "</3/0>,</3303/0>",
                           f"{self.server.program.uri_of(scheme)}/rd?ep={endpoint}&lt=60&lwm2m=1.1")[1]

    @case("over {0} with {1} it registers, and is who its credential says", [(s, m) for s in SCHEMES for m in MODES])
    def registers(self, scheme, mode):
        own = credential(self.pki, scheme, mode)
        since = self.server.mark()
        said = self.register(scheme, own.endpoint, *own.libcoap())
        check("2.01" in said, said[-2000:])
        client = self.server.stream.wait("registered", since, endpoint=own.endpoint)["client"]
        equal((client["transport"], client["security"]), ("dtls" if scheme == "coaps" else "tls", mode))
        said = self.register(scheme, "somebody-else", *own.libcoap())
        check("4.00" in said, said[-2000:])

    @case("over coap+tcp it registers, and finds the resource directory")
    def plain(self):
        said = self.register("coap+tcp", "libcoap-tcp")
        check("2.01" in said, said[-2000:])
        body, _ = coap_client(self.server.program.uri_of("coap+tcp") + "/.well-known/core")
        check(b"</rd>" in body, f"links: {body}")

    @case("a package of {0} bytes is got over {1}", [(size, scheme) for size in (1, 200_000) for scheme in ("coap+tcp", "coaps+tcp", "coaps")])
    def packages(self, size, scheme):
        data = bytes(range(256)) * (size // 256 + 1)
        made = self.server.upload(data[:size])
        uri = next(one for one in made["uris"] if one.startswith(scheme + "://"))
        options = [] if scheme == "coap+tcp" else credential(self.pki, scheme, PSK).libcoap()
        body, said = coap_client(*options, uri)
        check(body == data[:size], f"{len(body)} bytes: {said[-500:]}")

    @case("over {0} with {1} that is another's there is no session", [(s, m) for s in SCHEMES for m in (PSK, RPK)])
    def refuses(self, scheme, mode):
        before = self.server.rest.metrics()["dunlin_handshakes_failed_total"]
        own = Credential(self.pki, mode, "nobody", key=SECRET.encode().hex(), own="other-rpk" if mode == RPK else None)
        said = self.register(scheme, "nobody", *own.libcoap(), *(["-B", "5"] if scheme == "coaps" else []))
        check("2.01" not in said, said[-2000:])
        equal(self.server.registration("nobody"), None)
        wait_until("it is counted", lambda: self.server.rest.metrics()["dunlin_handshakes_failed_total"] > before)


class LibcoapSecureOnEmbedded(Suite):
    """coap-client registers by hand with the example of an embedded server, whose credentials are a table of its own."""

    name = "libcoap-secure-on-embedded"
    MODES = [PSK, X509]  # that the example has

    def set_up(self):
        need("coap-client-gnutls")
        self.pki = make_pki(self.name)
        path = self.pki.path
        table = os.path.join(WORK, "embedded-table")
        with open(table, "w", encoding="ascii") as file:
            for scheme in SCHEMES:
                own = [credential(self.pki, scheme, mode) for mode in self.MODES]
                file.write(f"{own[0].endpoint} psk {own[0].key}\n{own[1].endpoint} x509\n")
        self.server = self.programs.start("embedded", [os.path.join(BIN, "examples", "embedded"), table, path("server", "chain"),
                                                       path("server", "key"), path("client-cas"), *(f"{scheme}://127.0.0.1:0" for scheme in SCHEMES)])
        at = wait_until("it listens", lambda: (found := re.findall("^listening on (.*)$", self.server.text(), re.M))[1:] and found)
        self.uris = dict(zip(SCHEMES, at))

    @case("over {0} with {1} it registers, and is who its credential says", [(s, m) for s in SCHEMES for m in MODES if m != RPK])
    def registers(self, scheme, mode):
        own = credential(self.pki, scheme, mode)
        for endpoint, code in ((own.endpoint, "2.01"), ("somebody-else", "4.00")):
            said = coap_client(*own.libcoap(), "-m", "post", "-t", "40", "-e", "</3/0>", f"{self.uris[scheme]}/rd?ep={endpoint}&lt=60&lwm2m=1.1")[1]
            check(code in said, said[-2000:])
        wait_until("it says so", lambda: f"{own.endpoint} registered from {scheme}://" in self.server.text())
        check(f"with {mode}" in self.server.text() and "somebody-else" not in self.server.text(), self.server.text())


class DunlinOnLibcoapSecure(Suite):
    """`dunlin client` with coap-server, which refuses its Register after a session has come about."""

    name = "dunlin-on-libcoap-secure"

    def set_up(self):
        self.pki = make_pki(self.name)
        self.addresses = {}
        path = self.pki.path
        for mode, options in ((PSK, ["-k", SECRET]), (RPK, ["-M", path("server", "pair")]),
                              (X509, ["-c", path("server", "chain"), "-j", path("server", "key"), "-C", path("client-cas")])):
            port = free_port(2)
            self.programs.start(f"coap-server-{mode}", [need("coap-server-gnutls"), "-v", "6", "-A", "127.0.0.1", "-p", str(port), *options])
            self.addresses[mode] = f"127.0.0.1:{port + 1}"

    @case("over {0} with {1} its Register is answered", [(s, m) for s in SCHEMES for m in MODES])
    def answers(self, scheme, mode):
        own = credential(self.pki, scheme, mode, usage=2)
        device = self.programs.client(own.endpoint, f"{scheme}://{self.addresses[mode]}", *own.client("mandated"), "-v", "--retry", "600",
                                      name=own.endpoint)
        wait_until("it is answered", lambda: re.search(r"refused: 4\.0\d", device.text()))
        check(re.search(r"connected to \S+ with TLS_\w+, full handshake", device.text()), device.text())
        device.kill()


SUITES = [LibcoapSecureOnDunlind, LibcoapSecureOnEmbedded, DunlinOnLibcoapSecure]
