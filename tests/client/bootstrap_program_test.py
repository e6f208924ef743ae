#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bootstrap `dunlin client` and the example device by a small server made of a socket; end them, and see what they have kept.

Usage: bootstrap_program_test.py DUNLIN BOOTSTRAPPED
"""
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import threading
import unittest

from device_server import DELETE, GET, POST, PUT, TIMEOUT_S, DeviceTest, Server

SENML_JSON = 110
NOSEC = 3
BOOTSTRAPPED = None


class BootstrapServer(Server):
    """Answers /bs with 2.04, as all but /rd, and writes what a test wants."""

    def requested(self):
        self.wait(lambda: any(path == "bs" for _, path, _, _ in self.seen))
        return next(queries for _, path, queries, _ in self.seen if path == "bs")

    def write(self, path, records):
        return self.ask(PUT, path, json.dumps(records).encode(), content_format=SENML_JSON)[0]

    def configure(self, uri, ssid=101, lifetime=60):
        """A server account, and nothing else of servers."""
        return [step() for step in self.steps(uri, ssid, lifetime)]

    def steps(self, uri, ssid=101, lifetime=60):
        return [lambda: self.ask(DELETE, "/1")[0],
                lambda: self.write("/0/1", security(1, uri, ssid)),
                lambda: self.write("/1/0", account(0, ssid, lifetime)),
                lambda: self.ask(POST, "/bs")[0]]


def security(instance, uri, ssid=None, bootstrap=False):
    records = [{"bn": f"/0/{instance}/", "n": "0", "vs": uri}, {"n": "1", "vb": bootstrap}, {"n": "2", "v": NOSEC}]
    return records + ([] if ssid is None else [{"n": "10", "v": ssid}])


def account(instance, ssid, lifetime=60):
    return [{"bn": f"/1/{instance}/", "n": "0", "v": ssid}, {"n": "1", "v": lifetime}, {"n": "6", "vb": False},
            {"n": "7", "vs": "U"}]


def tlv(kind, number, value):
    """One element: kind 0 is an Object Instance, 3 a resource."""
    length = len(value)
    if length < 8:
        return bytes([kind << 6 | length, number]) + value
    if length < 256:
        return bytes([kind << 6 | 8, number, length]) + value
    return bytes([kind << 6 | 16, number]) + struct.pack(">H", length) + value


def card(uri, ssid):
    """The file of a smartcard with one account."""
    objects = (0, tlv(0, 0, tlv(3, 0, uri.encode()) + tlv(3, 1, b"\0") + tlv(3, 2, bytes([NOSEC])) +
                      tlv(3, 10, struct.pack(">H", ssid)))), \
        (1, tlv(0, 0, tlv(3, 0, struct.pack(">H", ssid)) + tlv(3, 1, struct.pack(">H", 55)) + tlv(3, 6, b"\0") +
                tlv(3, 7, b"U")))
    content = b"".join(struct.pack(">HBH", number, 0, len(value)) + value for number, value in objects)
    return struct.pack(">HH", len(objects), len(content)) + content


class BootstrapTest(DeviceTest):
    def setUp(self):
        super().setUp()
        self.bootstrap = BootstrapServer()
        self.state = os.path.join(self.folder.name, "state")

    def tearDown(self):
        self.bootstrap.close()
        super().tearDown()

    def device(self, *arguments, **options):
        return self.start(self.dunlin, "client", "-e", "boot-1", "--local", "127.0.0.1:0", "--period", "0", *arguments,
                          **options)

    def uri(self, server):
        return f"coap://127.0.0.1:{server.port}"

    def file(self, name, content):
        path = os.path.join(self.folder.name, name)
        pathlib.Path(path).write_text(content)
        return path

    def end(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        self.server.wait(lambda: process.poll() is not None)
        return process.communicate()

    def test_bootstrapped_it_registers(self):
        process = self.device("-b", self.uri(self.bootstrap), "--bootstrap-format", "senml-json")
        self.assertEqual(sorted(self.bootstrap.requested()), ["ep=boot-1", "pct=110"])
        self.assertEqual(self.bootstrap.configure(self.uri(self.server)), ["2.02", "2.04", "2.04", "2.04"])
        self.registered()
        self.assertIn("lt=60", self.server.seen[0][2])
        self.assertEqual(self.server.ask(GET, "/3303/0/5701", accept=0), ("2.05", b"Cel"))
        self.assertEqual(self.server.ask(PUT, "/3311/0/5851", b"33", content_format=0)[0], "2.04")
        out, err = self.end(process)
        for line in ("there is no account to register with; bootstrap", f"bootstrapping by {self.uri(self.bootstrap)}\n",
                     f"bootstrapped: 1 server\n  101 {self.uri(self.server)}\n",
                     f"registered as /rd/7 with {self.uri(self.server)}\n"):
            self.assertIn(line, out)
        self.assertEqual(err, "")
        self.assertEqual(process.returncode, 0)

    def test_a_restart_goes_on_without_a_bootstrap(self):
        for number in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(number=number):
                folder = f"{self.state}-{number}"
                process = self.device("-b", self.uri(self.bootstrap), "--state", folder)
                self.bootstrap.seen.clear()
                self.server.seen.clear()
                self.bootstrap.requested()
                self.bootstrap.configure(self.uri(self.server))
                self.registered()
                self.assertEqual(self.server.ask(PUT, "/1/0/1", b"77", content_format=0)[0], "2.04")
                self.assertEqual(self.server.ask(PUT, "/3303/0/5700", query=["pmin=3", "gt=40"])[0], "2.04")
                self.end(process, number)
                self.assertEqual(os.stat(f"{folder}/accounts").st_mode & 0o777, 0o600)
                self.bootstrap.seen.clear()
                self.server.seen.clear()
                process = self.device("-b", self.uri(self.bootstrap), "--state", folder)
                self.registered()
                self.assertIn("lt=77", next(q for _, path, q, _ in self.server.seen if path == "rd"))
                code, links = self.server.ask(GET, "/3303/0/5700", accept=40)
                self.assertEqual(code, "2.05")
                self.assertIn(b"gt=40", links)
                self.assertEqual(self.bootstrap.seen, [])
                out, _ = self.end(process)
                self.assertIn(f"going on from the state in {folder}\n", out)

    def test_killed_at_each_step(self):
        """Before Finish is answered it is as if nothing had been; then it is done."""
        steps = self.bootstrap.steps(self.uri(self.server))
        for count in range(len(steps) + 1):
            with self.subTest(steps=count):
                folder = f"{self.state}-{count}"
                self.bootstrap.seen.clear()
                process = self.device("-b", self.uri(self.bootstrap), "--state", folder)
                self.bootstrap.requested()
                for step in steps[:count]:
                    self.assertIn(step(), ("2.02", "2.04"))
                self.end(process, signal.SIGKILL)
                self.bootstrap.seen.clear()
                self.server.seen.clear()
                process = self.device("-b", self.uri(self.bootstrap), "--state", folder)
                if count < len(steps):
                    self.bootstrap.requested()
                    self.bootstrap.configure(self.uri(self.server))
                self.registered()
                self.assertEqual(len(self.bootstrap.seen), 1 if count < len(steps) else 0)
                self.end(process)

    def test_a_damaged_state_is_kept_aside(self):
        os.mkdir(self.state)
        pathlib.Path(self.state, "accounts").write_bytes(b"DLIM\1\0\0 or what is left of it")
        process = self.device("-b", self.uri(self.bootstrap), "--state", self.state)
        self.bootstrap.requested()
        self.bootstrap.configure(self.uri(self.server))
        self.registered()
        _, err = self.end(process)
        self.assertIn("the state is damaged", err)
        self.assertTrue(os.path.exists(f"{self.state}/accounts.damaged"))

    def test_one_process_has_the_state(self):
        self.device("-b", self.uri(self.bootstrap), "--state", self.state)
        self.bootstrap.requested()
        second = self.device("-b", self.uri(self.bootstrap), "--state", self.state)
        _, err = second.communicate(timeout=TIMEOUT_S)
        self.assertEqual(second.returncode, 2)
        self.assertIn("is in use by process", err)

    def test_factory_files(self):
        records = security(0, self.uri(self.server), 1) + account(0, 1, 55)
        lwm2m = {"bn": "/", "e": [{"n": "0/0/0", "sv": self.uri(self.server)}, {"n": "0/0/1", "bv": False},
                                  {"n": "0/0/2", "v": NOSEC}, {"n": "0/0/10", "v": 1}, {"n": "1/0/0", "v": 1},
                                  {"n": "1/0/1", "v": 55}, {"n": "1/0/6", "bv": False}, {"n": "1/0/7", "sv": "U"}]}
        for name, content in (("senml.json", json.dumps(records)), ("lwm2m.json", json.dumps(lwm2m, indent=1))):
            with self.subTest(name=name):
                self.server.seen.clear()
                process = self.device("--factory", self.file(name, content))
                self.registered()
                self.assertIn("lt=55", self.server.seen[0][2])
                self.end(process)

    def test_factory_files_that_are_wrong(self):
        for name, content, arguments, text in (
                ("x.json", "neither", [], "neither SenML JSON"), ("x.tlv", "\xc8", [], "--factory-path"),
                ("x.json", "[", [], "x.json: "), ("missing", None, [], "No such file"),
                ("x.tlv", "\xc8", ["--factory-path", "0"], "x.tlv: ")):
            with self.subTest(text=text):
                path = os.path.join(self.folder.name, name) if content is None else self.file(name, content)
                done = self.device("--factory", path, *arguments)
                _, err = done.communicate(timeout=TIMEOUT_S)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(text, err)

    def test_what_was_answered_survives_a_kill(self):
        """Writes as fast as they are answered, until the device is killed in the midst of it; and again."""
        chance = random.Random(7)
        factory = self.file("factory.json", json.dumps(security(0, self.uri(self.server), 1) + account(0, 1)))
        answered = asked = 0
        for _ in range(5):
            self.server.seen.clear()
            process = self.start(BOOTSTRAPPED, "boot-1", factory, self.state)
            self.registered()
            if asked:
                self.assertIn(int(float(self.server.read("/3303/0/5900"))), (answered, asked))
            last, kill = answered + chance.randint(2, 20), None
            while process.poll() is None:
                asked = answered + 1
                if asked == last:
                    kill = threading.Timer(chance.uniform(0, 0.005), process.kill)
                    kill.start()
                try:
                    code, _ = self.server.ask(PUT, "/3303/0/5900", str(asked).encode(), content_format=0,
                                              timeout_s=0.5 if kill else TIMEOUT_S)
                except AssertionError:
                    break
                self.assertEqual(code, "2.04")
                answered = asked
            kill.join()
            process.communicate()
            self.assertNotEqual(os.path.getsize(self.state), 0)
        self.assertGreater(answered, 5)

    def test_smartcard(self):
        path = os.path.join(self.folder.name, "card")
        pathlib.Path(path).write_bytes(card(self.uri(self.server), 300))
        process = self.device("--smartcard", path)
        self.registered()
        self.assertIn("lt=55", self.server.seen[0][2])
        os.unlink(path)  # out it goes; it is missed with the next Update
        self.assertEqual(self.server.ask(POST, "/1/0/8")[0], "2.04")
        self.server.wait(lambda: process.poll() is not None)
        out, _ = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(out.count("smartcard: what comes from it has changed\n"), 2)
        self.assertIn("there is no account to register with; a bootstrap might help", out)
        self.assertEqual(process.returncode, 3)

    def test_the_example(self):
        factory = self.file("factory.json", json.dumps(security(0, self.uri(self.bootstrap), bootstrap=True)))
        arguments = (BOOTSTRAPPED, "boot-1", factory, self.state)
        process = self.start(*arguments)
        self.bootstrap.requested()
        self.bootstrap.configure(self.uri(self.server))
        self.registered()
        self.assertEqual(self.server.ask(PUT, "/3303/0/5900", b"18.5", content_format=0)[0], "2.04")
        out, _ = self.end(process, signal.SIGKILL)
        self.assertEqual(out, "bootstrapped\nregistered as /rd/7\n")
        os.unlink(factory)  # it is of no use any more
        self.bootstrap.seen.clear()
        self.server.seen.clear()
        process = self.start(*arguments)
        self.registered()
        self.assertEqual(self.server.ask(GET, "/3303/0/5900", accept=0), ("2.05", b"18.5"))
        self.assertEqual(self.bootstrap.seen, [])
        self.assertEqual(self.end(process), ("registered as /rd/7\n", ""))
        self.assertEqual(process.returncode, 0)

    def test_refused(self):
        tries = []

        def refuse(datagram, peer):
            tries.append(peer)
            self.bootstrap._answer(datagram, peer, 0x80, [])
        self.bootstrap._serve = refuse
        process = self.device("-b", self.uri(self.bootstrap), "--retry", "1")
        self.bootstrap.wait(lambda: len(tries) > 1)
        _, err = self.end(process)
        self.assertIn("4.00 Bad Request: does the bootstrap server know this endpoint name?; trying again in 1 s\n", err)
        self.assertNotIn("giving up", err)

    def test_refused_until_it_gives_up(self):
        self.bootstrap._serve = lambda datagram, peer: self.bootstrap._answer(datagram, peer, 0x80, [])
        process = self.device("-b", self.uri(self.bootstrap), "--retry", "1", "--tries", "2")
        self.bootstrap.wait(lambda: process.poll() is not None)
        _, err = process.communicate()
        self.assertEqual(err.count("; trying again in 1 s\n"), 1)
        self.assertIn("; giving up\n", err)
        self.assertEqual(process.returncode, 1)

    def test_console(self):
        process = self.device("-b", self.uri(self.bootstrap), stdin=subprocess.PIPE)
        self.bootstrap.requested()
        self.bootstrap.configure(self.uri(self.server))
        self.registered()
        self.bootstrap.seen.clear()
        process.stdin.write("bootstrap\n")
        process.stdin.flush()
        self.bootstrap.requested()
        self.bootstrap.configure(self.uri(self.server), lifetime=99)
        self.server.wait(lambda: any("lt=99" in q for _, _, q, _ in self.server.seen))
        out, _ = self.end(process)
        self.assertIn("a bootstrap is on its way\n", out)
        process = self.client(stdin=subprocess.PIPE)
        self.registered()
        process.stdin.write("bootstrap\nquit\n")
        process.stdin.flush()
        self.server.wait(lambda: process.poll() is not None)
        self.assertIn("error: there is no bootstrap server's account\n", process.communicate()[0])

    def test_a_factory_reset_begins_anew(self):
        process = self.device("-b", self.uri(self.bootstrap), "--state", self.state, "--hold-off", "0")
        self.bootstrap.requested()
        self.bootstrap.configure(self.uri(self.server))
        self.registered()
        self.bootstrap.seen.clear()
        self.server.seen.clear()
        self.assertEqual(self.server.ask(POST, "/3/0/5")[0], "2.04")
        self.bootstrap.requested()
        self.bootstrap.configure(self.uri(self.server), lifetime=98)
        self.registered()
        self.assertIn("lt=98", next(q for _, path, q, _ in self.server.seen if path == "rd"))
        out, err = self.end(process)
        self.assertIn("resetting to factory values\n", out)
        self.assertEqual(out.count("there is no account to register with"), 2)
        self.assertEqual(err, "")
        self.assertEqual(process.returncode, 0)

    def test_a_server_asks_for_it(self):
        process = self.device("-b", self.uri(self.bootstrap))
        self.bootstrap.requested()
        self.bootstrap.configure(self.uri(self.server))
        self.registered()
        self.bootstrap.seen.clear()
        self.assertEqual(self.server.ask(POST, "/1/0/9")[0], "2.04")
        self.bootstrap.requested()
        self.bootstrap.configure(self.uri(self.server), lifetime=99)
        self.server.wait(lambda: any("lt=99" in q for _, _, q, _ in self.server.seen))
        out, _ = self.end(process)
        self.assertIn(f"{self.uri(self.server)} asks for a bootstrap\n", out)


if __name__ == "__main__":
    BootstrapTest.dunlin = sys.argv.pop(1)
    BOOTSTRAPPED = sys.argv.pop(1)
    unittest.main()
