#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Enrolment through real programs: a `dunlin client` that knows the bootstrap server alone makes its key, is issued a certificate, registers by it, and
goes on with it after a restart; with the authority that dunlind makes, and with one elsewhere that issues with openssl (ca.py).

Usage: enrol.py [PATTERN]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "..")]

from security.pki import SERVER_ALTERNATIVES, Pki  # noqa: E402
from support import programs  # noqa: E402
from support.harness import Runner, Skipped, Suite, case, check, equal  # noqa: E402
from support.programs import BIN, WORK, wait_until  # noqa: E402

KEY = "000102030405060708090a0b0c0d0e0f"
PIN = "471147"
DAY_S = 86400


class Enrolment(Suite):
    """Everything but the authority."""

    def make_folder(self):
        self.folder = tempfile.mkdtemp(prefix="est-", dir=WORK)
        self.pki = Pki(os.path.join(self.folder, "pki"))

    def serve(self, *options, **est):
        self.pki.certificate("factory-ca")
        config = {"bootstrap": {"client-cas": self.pki.path("factory-ca"), "est": {"enabled": True, "days": 10, **est}}}
        path = os.path.join(self.folder, "dunlind.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)  # which is YAML, too
        self.server = self.programs.dunlind("--config", path, *options, "--coaps", "127.0.0.1:0", "--coaps-tcp", "127.0.0.1:0",
                                            "--bootstrap-coaps", "127.0.0.1:0", "--bootstrap-coaps-tcp", "127.0.0.1:0")
        self.rest = self.server.rest

    def tear_down(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def configure(self, name, credential, **security):
        self.rest.want(201, "PUT", f"/bootstrap/configs/{name}", {"servers": [{"security": {"mode": "est", **security}}]})
        self.rest.want(201, "PUT", f"/bootstrap/credentials/{name}", credential)

    def start(self, name, *options, scheme="coaps"):
        uri = f"{scheme}://" + self.server.addresses["bootstrap-" + scheme]
        return self.programs.start(name, [os.path.join(BIN, "dunlin"), "client", "-e", name, "-b", uri, "--state",
                                          os.path.join(self.folder, "state-" + name), "--no-console", "-v", *options])

    def by_psk(self, name, **more):
        return self.start(name, "--identity", name, "--key", "hex:" + KEY, **more)

    def registered(self, name):
        return wait_until(f"{name} is registered", lambda: self.rest.client(name))

    def gone(self, name):
        wait_until(f"{name} is gone", lambda: not self.rest.client(name))

    def made(self, name):
        return os.path.join(self.server.data, name)

    def metric(self, name):
        return self.rest.metrics()[f"dunlin_bootstrap_{name}_total"]


PSK = {"mode": "psk", "key": KEY}


class Here(Enrolment):
    """The authority is dunlind's own; whoever proves itself may enrol."""

    name = "est-here"

    def set_up(self):
        self.make_folder()
        self.serve(allow="any")

    @case("a device with a pre-shared key is issued a certificate over {0}, registers by it, and does so again after a restart",
          rows=[("coaps",), ("coaps+tcp",)])
    def enrols(self, scheme):
        name = "here-" + scheme.replace("+", "-")
        before = self.metric("enrolled")
        self.configure(name, {**PSK, "identity": name})
        device = self.by_psk(name, scheme=scheme)
        client = self.registered(name)
        equal(client["security"], "x509", "by what it has proved itself")
        equal(self.metric("enrolled"), before + 1, "certificates")
        check(f"a certificate was issued for {scheme}://" in device.text(), "the device says so")
        device.stop()
        self.gone(name)
        again = self.by_psk(name, scheme=scheme)
        equal(self.registered(name)["security"], "x509", "by what it has proved itself")
        equal(self.metric("enrolled"), before + 1, "certificates after the restart")
        equal(again.text().count("bootstrapping by"), 1, "bootstraps, with those before the restart")
        again.stop()

    @case("a device whose clock says that it is time renews its certificate, and stays registered")
    def renews(self):
        name = "here-renews"
        before = self.metric("enrolled")
        self.configure(name, {**PSK, "identity": name})
        device = self.by_psk(name)
        number = self.registered(name)["registrationId"]
        self.rest.want(200, "PUT", self.rest.device(name, "/3/0/13"), {"value": int(time.time() + 9.5 * DAY_S)})
        wait_until("it has another certificate", lambda: self.metric("enrolled") == before + 2)
        wait_until("it says so", lambda: device.text().count("a certificate was issued for coaps") == 2)
        equal(self.registered(name)["registrationId"], number, "the registration")
        device.stop()

    @case("the authority outlives the server, and nothing is enrolled twice")
    def authority_stays(self):
        with open(self.made("est-ca.pem"), encoding="ascii") as file:
            check("BEGIN CERTIFICATE" in file.read(), "est-ca.pem")
        equal(os.stat(self.made("est-ca.key")).st_mode & 0o777, 0o600, "mode of est-ca.key")
        check(KEY not in self.server.text() and "PRIVATE" not in self.server.text(), "no secret in the log")


class Certificates(Enrolment):
    """As RFC 9148 has it: who enrols has a certificate already, the factory's."""

    name = "est-certificates"

    def set_up(self):
        self.make_folder()
        self.serve()

    @case("a device with the factory's certificate enrols")
    def by_certificate(self):
        self.pki.certificate("cert-1", "factory-ca", cn="cert-1", role="client")
        self.configure("cert-1", {"mode": "x509"})
        device = self.start("cert-1", "--cert", self.pki.path("cert-1"), "--private-key", self.pki.path("cert-1", "key"),
                            "--usage", "3", "--server-cert", self.made("bootstrap.pem"))
        equal(self.registered("cert-1")["security"], "x509", "by what it has proved itself")
        device.stop()

    @case("one with a pre-shared key does not: 4.03, counted and told")
    def not_by_psk(self):
        self.configure("psk-1", {**PSK, "identity": "psk-1"})
        device = self.by_psk("psk-1")
        wait_until("it was refused", lambda: self.metric("enrolments_refused") > 0)
        wait_until("the device knows", lambda: "code 4.03" in device.text())
        check(self.rest.client("psk-1") is None, "it is not registered")
        device.stop()


class Trust(Enrolment):
    """The authority is the operator's, and has issued the LwM2M server's certificate, too: the device is told of it by /crts alone."""

    name = "est-trust"

    def set_up(self):
        self.make_folder()
        self.pki.certificate("root")
        self.pki.certificate("server", "root", cn="localhost", role="server", alternatives=SERVER_ALTERNATIVES)
        self.serve("--certificate", self.pki.path("server"), "--key", self.pki.path("server", "key"), "--client-cas", self.pki.path("root"),
                   **{"allow": "any", "authority": self.pki.path("root"), "authority-key": self.pki.path("root", "key")})

    @case("with usage 1 the server's certificate is judged by what /crts gave, after a restart too")
    def by_trust_store(self):
        self.configure("trust-1", {**PSK, "identity": "trust-1"}, usage=1)
        for what in ("enrolled", "restarted"):
            device = self.by_psk("trust-1")
            equal(self.registered("trust-1")["security"], "x509", what)
            device.stop()
            self.gone("trust-1")
        equal(self.metric("enrolled"), 1, "certificates")


class Token(Enrolment):
    """The authority's key never leaves its token (SoftHSM)."""

    name = "est-token"

    def set_up(self):
        self.make_folder()
        self.pki.certificate("root")
        if not shutil.which("softhsm2-util"):
            return
        os.environ["SOFTHSM2_CONF"] = os.path.join(self.folder, "softhsm2.conf")
        with open(os.environ["SOFTHSM2_CONF"], "w", encoding="ascii") as file:
            file.write(f"directories.tokendir = {self.folder}\nobjectstore.backend = file\nlog.level = ERROR\n")
        for command in (["--init-token", "--free", "--label", "dunlin", "--so-pin", PIN, "--pin", PIN],
                        ["--import", self.pki.path("root", "key"), "--token", "dunlin", "--label", "root", "--id", "01", "--pin", PIN]):
            subprocess.run(["softhsm2-util", *command], check=True, capture_output=True)
        self.serve(**{"allow": "any", "authority": self.pki.path("root"),
                      "authority-key": f"pkcs11:token=dunlin;object=root;type=private?pin-value={PIN}"})

    @case("a key in a token issues")
    def issues(self):
        if not shutil.which("softhsm2-util"):
            raise Skipped("there is no softhsm2-util")
        self.configure("token-1", {**PSK, "identity": "token-1"})
        device = self.by_psk("token-1")
        equal(self.registered("token-1")["security"], "x509", "by what it has proved itself")
        check(PIN not in self.server.text(), "no PIN in the log")
        device.stop()


class Elsewhere(Enrolment):
    """The authority is another one, asked over HTTPS; its first answer is that it takes a second."""

    name = "est-elsewhere"

    def set_up(self):
        os.makedirs(WORK, exist_ok=True)
        self.ca_folder = tempfile.mkdtemp(prefix="ca-", dir=WORK)
        self.ca = subprocess.Popen([sys.executable, os.path.join(HERE, "ca.py"), self.ca_folder, "--accept", "1"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        port = self.ca.stdout.readline().split()[1].decode()
        self.make_folder()
        of = {name: os.path.join(self.ca_folder, name) for name in ("ca.pem", "ra.pem", "ra.key")}
        self.serve(**{"allow": "any", "forward": f"https://127.0.0.1:{port}/.well-known/est", "forward-ca": of["ca.pem"],
                      "forward-certificate": of["ra.pem"], "forward-key": of["ra.key"]})

    def tear_down(self):
        self.ca.stdin.close()
        self.ca.wait(120)
        self.ca.stdout.close()
        shutil.rmtree(self.ca_folder, ignore_errors=True)
        super().tear_down()

    @case("a device waits as it is told, and registers by the certificate of an authority elsewhere")
    def enrols(self):
        self.configure("far-1", {**PSK, "identity": "far-1"})
        device = self.by_psk("far-1")
        equal(self.registered("far-1")["security"], "x509", "by what it has proved itself")
        check("code 5.03" in device.text(), "it was told to wait")
        device.stop()


def main():
    shutil.rmtree(programs.LOGS, ignore_errors=True)
    os.makedirs(programs.LOGS)
    pattern = f"*{sys.argv[1]}*" if len(sys.argv) > 1 else "*"
    return Runner([Here, Certificates, Trust, Token, Elsewhere], os.path.join(WORK, "junit.xml"), pattern).run()


if __name__ == "__main__":
    sys.exit(main())
