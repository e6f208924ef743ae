#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The example `embedded`, a server in a program of its own with a table of its own, with `dunlin client` and with openssl.

Usage: embedded_program_test.py DUNLIN EMBEDDED
"""
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "security"))
from pki import Pki, SERVER  # noqa: E402

DUNLIN = EMBEDDED = None
KEY = "000102030405060708090a0b0c0d0e0f"
OTHER_KEY = "f0" * 16
TIMEOUT_S = 60
SCHEMES = ("coap", "coaps", "coap+tcp", "coaps+tcp")


class Lines:
    """A program whose lines are waited for; unbuffered, so that select tells the truth."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, bufsize=0)
        self.said = b""

    def find(self, pattern):
        """Waits for the next line with the pattern, and returns its match; lines before it are passed over."""
        end = time.monotonic() + TIMEOUT_S
        passed = ""
        while True:
            while b"\n" in self.said:
                line, self.said = self.said.split(b"\n", 1)
                passed += line.decode(errors="replace") + "\n"
                found = re.search(pattern, line.decode(errors="replace"))
                if found:
                    return found
            ready = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]
            more = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not more:
                raise AssertionError(f"{pattern} was not said:\n{passed}{self.said.decode(errors='replace')}")
            self.said += more

    def stop(self):
        self.process.terminate()
        status = self.process.wait(TIMEOUT_S)
        self.process.stdout.close()
        return status


class Embedded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.pki = Pki(os.path.join(cls.folder.name, "pki"))
        cls.pki.certificate("root", cn="Test Root")
        cls.pki.certificate("server", "root", **SERVER)
        cls.pki.certificate("gate-1", "root", role="client")
        cls.pki.certificate("gate-2", "root", role="client")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.started = []
        self.table = os.path.join(self.folder.name, "table")
        self.write(f"thermo-1 psk {KEY}\ngate-1 x509\n")
        self.server = self.start(EMBEDDED, self.table, self.pki.path("server"), self.pki.path("server", "key"), self.pki.path("root"),
                                 *(f"{scheme}://127.0.0.1:0" for scheme in SCHEMES))
        self.at = [self.server.find("^listening on (.*)").group(1) for _ in SCHEMES]
        self.assertEqual([uri.split("://")[0] for uri in self.at], list(SCHEMES))

    def tearDown(self):
        for program in reversed(self.started):
            program.stop()

    def start(self, *command):
        program = Lines(*command)
        self.started.append(program)
        return program

    def end(self, program):
        self.started.remove(program)
        return program.stop()

    def write(self, text):
        with open(self.table, "w", encoding="ascii") as file:
            file.write(text)

    def client(self, name, uri, *how):
        return self.start(DUNLIN, "client", "-e", name, "-u", uri, "--no-console", "--period", "0.2", "-v", *how)

    def psk(self, uri, key=KEY):
        return self.client("thermo-1", uri, "--identity", "thermo-1", "--key", f"hex:{key}")

    def x509(self, name, uri):
        return self.client(name, uri, "--cert", self.pki.path(name, "der"), "--private-key", self.pki.path(name, "key"),
                           "--server-cert", self.pki.path("root", "der"), "--usage", "2")

    def test_each_transport(self):
        coap, coaps, coap_tcp, coaps_tcp = self.at
        ways = [(lambda: self.client("plain-1", coap), "plain-1", "no security"), (lambda: self.psk(coaps), "thermo-1", "psk"),
                (lambda: self.x509("gate-1", coaps), "gate-1", "x509"), (lambda: self.client("plain-1", coap_tcp), "plain-1", "no security"),
                (lambda: self.psk(coaps_tcp), "thermo-1", "psk"), (lambda: self.x509("gate-1", coaps_tcp), "gate-1", "x509")]
        for begin, name, proof in ways:
            device = begin()
            self.server.find(f"^{name} registered from coap.* with {proof}$")
            first = self.server.find(f"^{name}: (.+)").group(1)
            self.server.find(f"^{name}: (?!{re.escape(first)}$)")  # a notification after the first value
            self.assertEqual(self.end(device), 0)
            self.server.find(f"^{name} is gone")
        self.assertEqual(self.end(self.server), 0)

    def test_who_is_not_in_the_table(self):
        self.x509("gate-2", self.at[1]).find("access_denied")
        self.psk(self.at[3], OTHER_KEY).find("bad_record_mac")
        self.client("thermo-1", self.at[0]).find("4.03")

    def test_the_table_changes(self):
        device = self.psk(self.at[3])
        self.server.find("^thermo-1 registered")
        self.write(f"thermo-1 psk {OTHER_KEY}\ngate-2 x509\n")
        self.server.process.send_signal(signal.SIGHUP)
        self.server.find("^read anew")
        device.find("^disconnected from")
        self.end(device)
        self.psk(self.at[3], OTHER_KEY)
        self.server.find("^thermo-1 registered")
        self.x509("gate-1", self.at[1]).find("access_denied")
        self.x509("gate-2", self.at[1])
        self.server.find("^gate-2 registered")
        self.write("nonsense\n")
        self.server.process.send_signal(signal.SIGHUP)
        self.server.find("line 1 is no row")
        self.server.find("^read anew")

    def test_openssl(self):
        for uri, protocol, version in ((self.at[1], "-dtls1_2", "DTLSv1.2"), (self.at[3], "-tls1_2", "TLSv1.2")):
            done = subprocess.run(["openssl", "s_client", "-brief", protocol, "-connect", uri.split("://")[1], "-psk_identity", "thermo-1",
                                   "-psk", KEY, "-cipher", "PSK-AES128-CCM8", "-alpn", "coap"],
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False)
            said = (done.stdout + done.stderr).decode(errors="replace")  # CSM comes, too
            for line in ("CONNECTION ESTABLISHED", f"Protocol version: {version}", "Ciphersuite: PSK-AES128-CCM8"):
                self.assertIn(line, said)

    def test_what_it_does_not_start_with(self):
        for place, wrong, words in ((1, "/nonexistent/table", "/nonexistent/table"), (2, "/nonexistent/pem", "/nonexistent/pem"),
                                    (3, self.pki.path("gate-1", "key"), "belong"), (5, "127.0.0.1:0", "no address to listen on")):
            command = [EMBEDDED, self.table, self.pki.path("server"), self.pki.path("server", "key"), self.pki.path("root"),
                       "coaps://127.0.0.1:0"]
            command[place] = wrong
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    DUNLIN, EMBEDDED = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:])
