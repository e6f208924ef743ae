#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The probe's client against the probe's server over loopback, IPv4 and IPv6. Usage: coap_probe_test.py COAP_PROBE"""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROBE = None


def call(*args, timeout=120):
    """Exit status, stdout, stderr of one client run."""
    done = subprocess.run([PROBE, *args], capture_output=True, timeout=timeout, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


class Server:
    """A running probe server; `uri` is its address."""

    def __init__(self, listen, *more):
        self.folder = tempfile.TemporaryDirectory()
        ready = os.path.join(self.folder.name, "ready")
        self.process = subprocess.Popen([PROBE, "server", "--listen", listen, "--ready-file", ready, *more],
                                        stdout=subprocess.PIPE)
        end = time.monotonic() + 60
        self.uri = ""
        while not self.uri.endswith("\n"):
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError("the server did not start")
            if os.path.exists(ready):
                with open(ready, encoding="utf-8") as file:
                    self.uri = file.read()
            time.sleep(0.01)
        self.uri = self.uri.strip()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        self.folder.cleanup()
        return self.process.returncode


def body_of(size):
    text = b"".join(b"line %07d of the body\n" % i for i in range(size // 25 + 1))
    return text[:size]


class ProbeCase:
    listen = ""
    more = ()

    def setUp(self):
        self.server = Server(self.listen, "--tick", "50", "--separate", "900", *self.more)
        self.uri = self.server.uri

    def tearDown(self):
        self.assertEqual(self.server.stop(), 0)

    def test_get(self):
        self.assertEqual(call("get", self.uri + "/small")[:2], (0, b"hello"))
        self.assertEqual(call("get", self.uri + "/small", "--non")[:2], (0, b"hello"))
        self.assertEqual(call("get", self.uri + "/none")[0], 1)
        self.assertEqual(call("put", self.uri + "/small")[0], 1)
        self.assertEqual(call("get", self.uri + "/query?a=1&b=%20%26")[1], b"a=1\nb= &\n")
        self.assertIn(b"</large>", call("get", self.uri + "/.well-known/core")[1])

    def test_blocks(self):
        for size in (0, 1, 1024, 1025, 10000, 200000):
            uri = f"{self.uri}/large?size={size}"
            self.assertEqual(call("get", uri)[:2], (0, body_of(size)))
        self.assertEqual(call("get", self.uri + "/large", "--szx", "2")[1], body_of(10000))
        self.assertEqual(call("put", self.uri + "/store", "--size", "5000", "--szx", "4")[0], 0)
        stored = call("get", self.uri + "/store")[1]
        self.assertEqual(len(stored), 5000)
        self.assertEqual(call("fetch", self.uri + "/echo", "--size", "5000")[1], stored)
        self.assertEqual(call("post", self.uri + "/echo", "--size", "5000", "--szx", "1")[1], stored)
        self.assertEqual(call("delete", self.uri + "/store")[0], 0)
        self.assertEqual(call("get", self.uri + "/store")[1], b"")

    def test_pieces(self):
        size = 1000001
        uri = f"{self.uri}/file?size={size}"
        self.assertEqual(call("get", uri, "--sink")[:2], (0, body_of(size)))
        self.assertEqual(call("get", uri, "--sink", "--from", "999936")[:2], (0, body_of(size)[999936:]))
        self.assertEqual(call("get", uri, "--sink", "--from", "1000064")[0], 1)  # behind the end
        self.assertEqual(call("get", self.uri + "/file?size=10", "--sink")[1], body_of(10))
        self.assertEqual(call("put", self.uri + "/file", "--text", str(size))[0], 0)
        self.assertEqual(call("get", self.uri + "/got")[1], b"%d text whole" % size)
        self.assertEqual(call("put", self.uri + "/file", "--pieces", PROBE)[0], 0)
        self.assertEqual(call("get", self.uri + "/got")[1], b"%d other whole" % os.path.getsize(PROBE))
        self.assertEqual(call("put", self.uri + "/store", "--pieces", PROBE)[0], 1)  # too large to be put together

    def test_separate(self):
        self.assertEqual(call("get", self.uri + "/separate")[:2], (0, b"late"))

    def test_observe(self):
        code, out, _ = call("observe", self.uri + "/obs", "--count", "8")
        numbers = [int(line) for line in out.split()]
        self.assertEqual(code, 0)
        self.assertEqual(len(numbers), 8)
        self.assertEqual(numbers, sorted(set(numbers)))
        code, out, _ = call("observe", self.uri + "/obs-large", "--count", "4")
        self.assertEqual(code, 0)
        self.assertEqual(len(out), 4 * 3001)
        self.assertEqual(call("observe", self.uri + "/small")[0], 1)

    def test_count(self):
        for _ in range(3):
            self.assertEqual(call("post", self.uri + "/count")[0], 0)
        self.assertEqual(call("get", self.uri + "/count")[1], b"3")


class IPv4(ProbeCase, unittest.TestCase):
    listen = "127.0.0.1:0"


class IPv6(ProbeCase, unittest.TestCase):
    listen = "[::1]:0"
    more = ("--szx", "3")


class Usage(unittest.TestCase):
    def test_usage(self):
        for args in ((), ("get",), ("server",), ("get", "http://x/"), ("get", "coap://[::1/"), ("get", "coap://127.0.0.1:0/"),
                     ("get", "coap://127.0.0.1/%zz"), ("get", "coap://127.0.0.1/", "--szx", "7"), ("server", "--szx", "7")):
            self.assertEqual(call(*args)[0], 2, args)
        self.assertEqual(call("server", "--listen", "nowhere")[0], 4)

    def test_nobody_there(self):
        self.assertEqual(call("get", "coap://127.0.0.1:9/", "--timeout", "1")[0], 3)


if __name__ == "__main__":
    PROBE = sys.argv.pop(1)
    unittest.main()
