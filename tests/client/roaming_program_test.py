#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run `dunlin client` against dunlind over every transport and with every kind of credential: registering, being read and observed,
resuming from another port, losing everything, and being refused.

Usage: roaming_program_test.py DUNLIN DUNLIND
"""
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest
import unittest.mock

from device_server import TIMEOUT_S, DeviceTest

DUNLIND = None
KEY = "00112233445566778899aabbccddeeff"
PSK = ("--identity", "roamer", "--key", "hex:" + KEY)


def run(*command):
    subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)


class RoamingTest(DeviceTest):
    def setUp(self):
        super().setUp()
        self.make_certificates()
        ready = os.path.join(self.folder.name, "ready.json")
        config = pathlib.Path(self.made("dunlind.yaml"))
        config.write_text("queue:\n  awake-ms: 500\n", encoding="ascii")
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8")
        self.daemon = subprocess.Popen(
            [DUNLIND, "--config", config, "--data", os.path.join(self.folder.name, "data"), "--coap", "127.0.0.1:0", "--coaps", "127.0.0.1:0", "--coap-tcp",
             "127.0.0.1:0", "--coaps-tcp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--ready-file", ready, "--certificate",
             self.made("server.pem"), "--key", self.made("server.key"), "--client-cas", self.made("ca.pem")],
            stdout=self.log, stderr=self.log)
        self.until_true(lambda: os.path.exists(ready) or self.daemon.poll() is not None, "dunlind is ready")
        self.ready = json.loads(pathlib.Path(ready).read_text(encoding="utf-8"))

    def tearDown(self):
        super().tearDown()
        self.daemon.kill()
        self.daemon.wait()
        self.log.close()

    def made(self, name):
        return os.path.join(self.folder.name, name)

    def make_key(self, name):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.made(name + ".key"))
        run("openssl", "pkey", "-in", self.made(name + ".key"), "-pubout", "-out", self.made(name + ".pub"))

    def make_certificates(self):
        for name, subject in (("ca", "Dunlin test authority"), ("server", "localhost"), ("device", "roamer")):
            self.make_key(name)
            run("openssl", "req", "-new", "-key", self.made(name + ".key"), "-subj", f"/CN={subject}", "-out", self.made(name + ".csr"))
        run("openssl", "req", "-x509", "-in", self.made("ca.csr"), "-key", self.made("ca.key"), "-days", "2", "-out", self.made("ca.pem"))
        for name in ("server", "device"):
            run("openssl", "x509", "-req", "-in", self.made(name + ".csr"), "-CA", self.made("ca.pem"), "-CAkey", self.made("ca.key"),
                "-CAcreateserial", "-days", "2", "-out", self.made(name + ".pem"))

    def until_true(self, condition, what):
        end = time.monotonic() + TIMEOUT_S
        while not (value := condition()):
            if time.monotonic() > end:
                raise AssertionError(f"did not happen: {what}")
            time.sleep(0.02)
        return value

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.ready["http"], timeout=TIMEOUT_S)
        connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if text else None

    def credential(self, **what):
        status, answer = self.call("PUT", "/credentials/roamer", what)
        self.assertIn(status, (200, 201, 204), answer)

    def url(self, scheme):
        return f"{scheme}://{self.ready[scheme]}"

    def device(self, scheme, *credentials):
        return self.start(self.dunlin, "client", "-e", "roamer", "-u", self.url(scheme), "--local", "127.0.0.1:0", "--period", "0",
                          "--retry", "1", *credentials, stdin=subprocess.PIPE)

    def types(self, process, line):
        process.stdin.write(line + "\n")
        process.stdin.flush()

    def works(self):
        """It is read, and observed."""
        status, answer = self.call("GET", "/clients/roamer/3/0/0?timeout=60")
        self.assertEqual((status, answer["node"]["value"] if "node" in answer else answer), (200, "Dunlin"))
        status, answer = self.call("PUT", "/clients/roamer/observations/3/0/9?timeout=60")
        self.assertIn(status, (200, 201), answer)

    def goes_the_way(self, scheme, *credentials):
        process = self.device(scheme, *credentials)
        self.says(process, "registered as /rd/")
        self.works()
        self.types(process, "roam")
        secured = scheme.startswith("coaps")
        if secured:
            self.says(process, "resumed handshake")
        self.says(process, "registered as /rd/")
        self.works()
        self.types(process, "drop-session")
        if secured:
            self.says(process, "full handshake")
        if scheme != "coap":
            self.says(process, "registered as /rd/")
        self.works()
        self.types(process, "reboot")
        if secured:
            self.says(process, "full handshake")
        self.says(process, "registered as /rd/")
        self.works()
        self.types(process, "quit")
        _, err = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual((process.returncode, err), (0, ""))
        self.until_true(lambda: self.call("GET", "/clients/roamer")[0] == 404, "it is gone")

    def test_without_security(self):
        for scheme in ("coap", "coap+tcp"):
            with self.subTest(scheme):
                self.goes_the_way(scheme)

    def test_psk(self):
        self.credential(mode="psk", identity="roamer", key=KEY)
        for scheme in ("coaps", "coaps+tcp"):
            with self.subTest(scheme):
                self.goes_the_way(scheme, *PSK)

    def test_raw_public_keys(self):
        self.make_key("device")
        self.credential(mode="rpk", public_key=pathlib.Path(self.made("device.pub")).read_text(encoding="ascii"))
        for scheme in ("coaps", "coaps+tcp"):
            with self.subTest(scheme):
                self.goes_the_way(scheme, "--public-key", self.made("device.pub"), "--private-key", self.made("device.key"),
                                  "--server-key", self.made("server.pub"))

    @unittest.skipUnless(shutil.which("softhsm2-util"), "there is no SoftHSM")
    def test_key_in_a_token(self):
        """The private key stays there; the PIN is not shown for long."""
        os.mkdir(self.made("tokens"))
        config = pathlib.Path(self.made("softhsm2.conf"))
        config.write_text(f"directories.tokendir = {self.made('tokens')}\nobjectstore.backend = file\n", encoding="ascii")
        with unittest.mock.patch.dict(os.environ, {"SOFTHSM2_CONF": str(config)}):
            run("softhsm2-util", "--init-token", "--free", "--label", "dunlin", "--so-pin", "1234", "--pin", "2468")
            run("softhsm2-util", "--import", self.made("device.key"), "--token", "dunlin", "--label", "device", "--id", "01", "--pin", "2468")
            self.credential(mode="x509")
            process = self.device("coaps", "--cert", self.made("device.pem"), "--server-cert", self.made("server.pem"), "--private-key",
                                  "pkcs11:token=dunlin;object=device;type=private?pin-value=2468")
            self.says(process, "registered as /rd/")
            self.works()
            self.assertNotIn(b"2468", pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes())
            process.kill()
            process = self.device("coaps", "--cert", self.made("device.pem"), "--server-cert", self.made("server.pem"), "--private-key",
                                  "pkcs11:token=dunlin;object=nobody;type=private?pin-value=2468", "--retry", "0")
            self.until_true(lambda: process.poll() is not None, "it gives up")
            _, err = process.communicate(timeout=TIMEOUT_S)
            self.assertEqual(process.returncode, 3)
            self.assertIn("cannot be used", err)
            self.assertNotIn("2468", err)

    def test_certificates(self):
        self.credential(mode="x509")
        for usage, named, scheme in (("3", "server.pem", "coaps"), ("2", "ca.pem", "coaps+tcp")):
            with self.subTest(usage=usage):
                self.goes_the_way(scheme, "--cert", self.made("device.pem"), "--private-key", self.made("device.key"), "--server-cert",
                                  self.made(named), "--usage", usage, "--sni", "localhost")

    def test_refused(self):
        """What came back, in words."""
        self.credential(mode="psk", identity="roamer", key=KEY)
        rows = ((("--identity", "stranger", "--key", "hex:" + KEY), "(alert 115, unknown_psk_identity: the server does not know this identity)"),
                (("--identity", "roamer", "--key", "hex:" + KEY[::-1]), "alert 20, bad_record_mac"))
        for scheme in ("coaps+tcp", "coaps"):
            for credentials, why in rows[:2 if scheme == "coaps+tcp" else 1]:  # DTLS drops what it cannot decrypt
                with self.subTest(scheme=scheme, why=why):
                    process = self.start(self.dunlin, "client", "-e", "roamer", "-u", self.url(scheme), "--retry", "0", *credentials)
                    self.until_true(lambda process=process: process.poll() is not None, "it gives up")
                    _, err = process.communicate(timeout=TIMEOUT_S)
                    self.assertIn(why, err)
                    self.assertEqual(process.returncode, 3)
        process = self.device("coap")  # without security it is nobody who may use that name
        self.until_true(lambda: self.call("GET", "/clients/roamer")[0] == 404, "it is not there")
        process.kill()

    def test_credential_changes(self):
        """The session ends, and only the new key is let in."""
        self.credential(mode="psk", identity="roamer", key=KEY)
        process = self.device("coaps", *PSK)
        self.says(process, "registered as /rd/")
        self.credential(mode="psk", identity="roamer", key=KEY[::-1])
        self.says(process, "disconnected from")
        again = self.device("coaps", "--identity", "roamer", "--key", "hex:" + KEY[::-1])
        self.says(again, "registered as /rd/")
        process.kill()
        self.works()

    def test_queue_mode(self):
        """A device that sleeps goes on with its session."""
        self.credential(mode="psk", identity="roamer", key=KEY)
        for scheme in ("coaps", "coaps+tcp"):
            with self.subTest(scheme):
                process = self.start(self.dunlin, "client", "-e", "roamer", "-u", self.url(scheme), "--period", "0", "--queue",
                                     "--awake", "1", "-v", *PSK, stdin=subprocess.PIPE)
                self.says(process, "asleep")
                self.until_true(lambda: self.call("GET", "/clients/roamer")[1]["presence"] == "asleep", "the server knows it")
                status, queued = self.call("GET", "/clients/roamer/3/0/0?wait=0")
                self.assertEqual(status, 202, queued)

                def answered():
                    self.types(process, "update")  # as often as it takes: it may be asleep again before it is asked
                    self.says(process, "updated")
                    return self.call("GET", f"/requests/{queued['id']}?wait=3")[1]["state"] == "answered"
                self.until_true(answered, "it is answered")
                self.types(process, "quit")
                self.says(process, "de-registered")
                process.wait(TIMEOUT_S)
                self.until_true(lambda: self.call("GET", "/clients/roamer")[0] == 404, "it is gone")


if __name__ == "__main__":
    DeviceTest.dunlin, DUNLIND = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
