#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The example `secured`, which is made with the public POSIX port, against dunlind over DTLS and TLS.

Usage: secured_test.py DUNLIND SECURED
"""
import json
import os
import select
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

DUNLIND = SECURED = None
KEY = "000102030405060708090a0b0c0d0e0f"
TIMEOUT_S = 60


class Secured(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.started = []
        ready = os.path.join(self.folder.name, "ready")
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8")
        self.started.append(subprocess.Popen(
            [DUNLIND, "--data", os.path.join(self.folder.name, "data"), "--coap", "127.0.0.1:0", "--coaps", "127.0.0.1:0",
             "--coaps-tcp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--ready-file", ready], stdout=self.log, stderr=self.log))
        self.wait("dunlind is ready", lambda: os.path.exists(ready))
        with open(ready, encoding="utf-8") as file:
            self.at = json.load(file)
        self.rest("PUT", "/credentials/thermo-1", {"mode": "psk", "key": KEY})

    def tearDown(self):
        for process in reversed(self.started):
            process.terminate()
            process.wait(TIMEOUT_S)
            if process.stdout:
                process.stdout.close()
        self.log.close()
        self.folder.cleanup()

    def wait(self, what, happened):
        end = time.monotonic() + TIMEOUT_S
        while not happened():
            if time.monotonic() > end or any(process.poll() is not None for process in self.started):
                self.log.seek(0)
                self.fail(f"not seen: {what}\n{self.log.read()}")
            time.sleep(0.05)

    def rest(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.at['http']}/api/v1{path}", data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)

    def device(self, uri, key=KEY):
        process = subprocess.Popen([SECURED, "thermo-1", uri, key], stdout=subprocess.PIPE, bufsize=0)
        self.started.append(process)
        return process

    def line(self, device):
        """The next line that the device says; unbuffered, so that select tells the truth."""
        self.assertTrue(select.select([device.stdout], [], [], TIMEOUT_S)[0], "the device says nothing")
        return device.stdout.readline().decode()

    def is_read(self, scheme, transport):
        device = self.device(f"{scheme}://{self.at[scheme]}")
        self.assertEqual(self.line(device), "connected with TLS_PSK_WITH_AES_128_CCM_8\n")
        self.assertRegex(self.line(device), "^registered as /rd/")
        client = self.rest("GET", "/clients/thermo-1")
        self.assertEqual((client["transport"], client["security"]), (transport, "psk"))
        self.assertEqual(self.rest("GET", "/clients/thermo-1/3303/0/5701")["node"]["value"], "Cel")

    def test_dtls(self):
        self.is_read("coaps", "dtls")

    def test_tls(self):
        self.is_read("coaps+tcp", "tls")

    def test_what_becomes_of_a_session(self):
        device = self.device(f"coaps://{self.at['coaps']}")
        for line in ("^connected with ", "^registered as /rd/"):
            self.assertRegex(self.line(device), line)
        self.rest("PUT", "/credentials/another", {"mode": "psk", "key": KEY})  # is no concern of it
        self.assertEqual(self.rest("GET", "/clients/thermo-1/3303/0/5701")["node"]["value"], "Cel")
        self.rest("PUT", "/credentials/thermo-1", {"mode": "psk", "key": KEY[2:] + "ff"})
        self.assertRegex(self.line(device), "^no way to coaps://.*: ")

    def test_a_wrong_key_over_tls(self):
        device = self.device(f"coaps+tcp://{self.at['coaps+tcp']}", KEY[2:] + "ff")
        self.assertRegex(self.line(device), "^no way to coaps\\+tcp://")
        self.assertEqual(self.rest("GET", "/clients")["total"], 0)


if __name__ == "__main__":
    DUNLIND, SECURED = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:])
