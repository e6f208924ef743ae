# SPDX-License-Identifier: Apache-2.0
"""Bootstrap with Leshan 2.x: its devices at dunlind's bootstrap server, `dunlin client` at Leshan's; each then registers with what it was given."""

import os

import toolchain
import values
from devices import Console, LeshanDevice
from security.credentials import KEY, OTHER_KEY, PSK, RPK, X509, Credential, put, server_options
from servers import DunlindServer, LeshanServer
from support.harness import Suite, case, check, equal
from support.programs import BIN, WORK, wait_until
from test_leshan_secure import leshan_options, make_pki

NOSEC, MINTED, FORMATS = "nosec", "minted", {"tlv": values.TLV, "senml-json": values.SENML_JSON, "senml-cbor": values.SENML_CBOR}


def endpoint_of(towards, account):
    return f"boot-{towards}-{account}"


class LeshanBootstrappedByDunlind(Suite):
    """Leshan's devices know dunlind's bootstrap server alone."""

    name = "leshan-bootstrapped-by-dunlind"
    ROWS = [(PSK, MINTED), (PSK, RPK), (RPK, PSK), (X509, X509), (NOSEC, MINTED)]

    def set_up(self):
        self.pki = make_pki(self.name, [endpoint_of(*row) for row in self.ROWS])
        config = os.path.join(WORK, f"{self.name}.yaml")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"bootstrap:\n  certificate: [{self.pki.path('server', 'chain')}]\n  key: [{self.pki.path('server', 'key')}]\n"
                       f"  client-cas: {self.pki.path('client-cas')}\n")
        self.server = DunlindServer(self.programs, "--config", config, "--bootstrap-coaps", "127.0.0.1:0", "--bootstrap-coap",
                                    "127.0.0.1:0", *server_options(self.pki))

    def tear_down(self):
        self.server.stream.close()

    def give(self, towards, account, endpoint):
        """The configuration of a device, and who it is to both servers."""
        rest, security = self.server.rest, {}
        if account != MINTED:
            own = Credential(self.pki, account, endpoint, key=OTHER_KEY)
            put(rest, own)
            security = {PSK: lambda: {"mode": PSK, "identity": endpoint, "key": OTHER_KEY},
                        RPK: lambda: {"mode": RPK, "private_key": self.pki.text(own.own, "key")},
                        X509: lambda: {"mode": X509, "certificate": self.pki.text(own.own), "private_key": self.pki.text(own.own, "key")},
                        }[account]()
        document = {"servers": [{"lifetime": 300, **({"security": security} if security else {})}]}
        if towards == NOSEC:
            document["allow_insecure"] = True
        rest.want(201, "PUT", f"/bootstrap/configs/{endpoint}", document)
        if towards != NOSEC:
            rest.want(201, "PUT", f"/bootstrap/credentials/{endpoint}", Credential(self.pki, towards, endpoint).rest())

    def device(self, towards, endpoint):
        scheme = "coap" if towards == NOSEC else "coaps"
        own = [] if towards == NOSEC else Credential(self.pki, towards, endpoint).leshan_device()
        uri = f"{scheme}://{self.server.program.addresses['bootstrap-' + scheme]}"
        return LeshanDevice(self.programs, endpoint, uri, more=[*own, "--bootstrap", "yes"])

    def runs(self, endpoint):
        return self.server.rest.want(200, "GET", "/bootstrap/runs", endpoint=endpoint)["runs"]

    @case("a device that proves itself by {0} is given an account with {1}, and registers with it", ROWS)
    def bootstraps(self, towards, account):
        endpoint = endpoint_of(towards, account)
        self.give(towards, account, endpoint)
        device = self.device(towards, endpoint)
        self.server.wait_registered(endpoint)
        device.program.event("bootstrapped")
        client = self.server.registration(endpoint)
        equal((client["transport"], client["security"]), ("dtls", PSK if account == MINTED else account))
        equal(self.server.read(endpoint, "/3/0/0")["node"]["value"], "Leshan")
        equal(self.server.read(endpoint, "/1/0/1")["node"]["value"], 300)
        run, = self.runs(endpoint)
        equal((run["state"], run["security"]), ("finished", towards))
        check(all(step["code"][0] == "2" for step in run["steps"]), f"a step was refused: {run['steps']}")

    @case("a registered device is told to bootstrap again (/1/x/9), and is given another key")
    def again(self):
        endpoint = endpoint_of(PSK, MINTED)
        before = self.server.rest.want(200, "GET", f"/credentials/{endpoint}")
        self.server.rest.want(200, "POST", self.server.rest.device(endpoint, "/bootstrap"))
        wait_until("it was bootstrapped again", lambda: [run["state"] for run in self.runs(endpoint)] == ["finished", "finished"])
        after = self.server.rest.want(200, "GET", f"/credentials/{endpoint}")
        check(before["identity"] != after["identity"], "the key was replaced")
        self.server.wait_registered(endpoint)

    @case("a device without a configuration is refused")
    def unknown(self):
        device = self.device(NOSEC, "boot-unknown")
        equal(device.program.event("bootstrapFailed")["code"].split("(")[0], "BAD_REQUEST")

    @case("a device with a configuration, but neither security nor leave to do without, is refused")
    def insecure(self):
        self.server.rest.want(201, "PUT", "/bootstrap/configs/boot-insecure", {"servers": [{}]})
        device = self.device(NOSEC, "boot-insecure")
        equal(device.program.event("bootstrapFailed")["code"].split("(")[0], "BAD_REQUEST")


class DunlinBootstrappedByLeshan(Suite):
    """`dunlin client` knows Leshan's bootstrap server alone, and registers with Leshan's server."""

    name = "dunlin-bootstrapped-by-leshan"
    ROWS = [(PSK, PSK, "senml-cbor"), (RPK, RPK, "tlv"), (X509, X509, "senml-json")]

    def set_up(self):
        self.pki = make_pki(self.name, [endpoint_of(towards, account) for towards, account, _ in self.ROWS])
        self.server = LeshanServer(self.programs, more=leshan_options(self.pki))
        self.bootstrap = self.programs.peer("leshan-bootstrap", toolchain.leshan("BootstrapServer", *leshan_options(self.pki)))
        self.ready = self.bootstrap.event("ready", timeout_s=toolchain.START_TIMEOUT_S)

    def tell(self, op, **fields):
        answer = self.bootstrap.ask(op, **fields)
        check("error" not in answer, f"Leshan's bootstrap server: {answer}")

    def account(self, mode, endpoint):
        """What Leshan's bootstrap server writes, and Leshan's server knows."""
        own = Credential(self.pki, mode, endpoint, key=OTHER_KEY)
        self.server.secure(**own.leshan_secure())
        path = self.pki.path
        more = {PSK: lambda: {"identity": endpoint, "key": OTHER_KEY},
                RPK: lambda: {"public": path(own.own, "pub.der"), "private": path(own.own, "key.der"),
                              "serverPublic": path("server", "pub.der")},
                X509: lambda: {"certificate": path(own.own, "der"), "private": path(own.own, "key.der"),
                               "serverCertificate": path("server", "der")}}[mode]()
        return {"uri": self.server.secure_uri, "ssid": 101, "mode": mode, **more}

    @case("a device that proves itself by {0} is given an account with {1} in {2}, and registers with it", ROWS)
    def bootstraps(self, towards, account, form):
        endpoint = endpoint_of(towards, account)
        own = Credential(self.pki, towards, endpoint, key=KEY)
        self.tell("secure", **own.leshan_secure())
        self.tell("config", endpoint=endpoint, account=self.account(account, endpoint), format=FORMATS[form])
        device = self.programs.add(Console(self.programs, endpoint, [
            os.path.join(BIN, "dunlin"), "client", "-e", endpoint, "-b", self.ready["secure"], "--period", "0", "-v",
            "--bootstrap-format", form, *own.client()]))
        equal(self.bootstrap.event("requested", endpoint=endpoint)["pct"], FORMATS[form])
        self.bootstrap.event("finished", endpoint=endpoint)
        self.server.wait_registered(endpoint)
        equal(self.server.read(endpoint, "/3/0/0")["code"], "2.05")
        equal(self.server.read(endpoint, "/1/0/0")["node"]["value"], 101)
        device.type("quit")


SUITES = [LeshanBootstrappedByDunlind, DunlinBootstrappedByLeshan]
