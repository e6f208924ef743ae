#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run `dunlin client` and the example device against a small server made of a socket.

Usage: program_test.py DUNLIN THERMOMETER
"""
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

DUNLIN, THERMOMETER = None, None
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GET, POST, PUT, DELETE = 1, 2, 3, 4
TIMEOUT_S = 20


def nibble(value):
    if value < 13:
        return value, b""
    if value < 269:
        return 13, bytes([value - 13])
    return 14, struct.pack(">H", value - 269)


def encode_options(options):
    out, last = b"", 0
    for number, value in options:
        delta, delta_more = nibble(number - last)
        length, length_more = nibble(len(value))
        out += bytes([delta << 4 | length]) + delta_more + length_more + value
        last = number
    return out


def decode(datagram):
    """Code, token, options and payload of a CoAP message."""
    at, number, options = 4 + (datagram[0] & 15), 0, []
    token = datagram[4:at]

    def more(value, position):
        if value == 13:
            return datagram[position] + 13, position + 1
        if value == 14:
            return struct.unpack(">H", datagram[position:position + 2])[0] + 269, position + 2
        return value, position

    while at < len(datagram) and datagram[at] != 255:
        delta, length = datagram[at] >> 4, datagram[at] & 15
        delta, at = more(delta, at + 1)
        length, at = more(length, at)
        number += delta
        options.append((number, datagram[at:at + length]))
        at += length
    return datagram[1], token, options, datagram[at + 1:]


class Server:
    """Answers /rd, and asks what a test wants."""

    def __init__(self, family=socket.AF_INET, register=0x41):
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        self.port = self.socket.getsockname()[1]
        self.register, self.peer, self.mid = register, None, 1
        self.seen = []  # (code, path, queries, payload) of each request of the device

    def close(self):
        self.socket.close()

    def _answer(self, datagram, peer, code, options):
        token = datagram[4:4 + (datagram[0] & 15)]
        self.socket.sendto(bytes([0x60 | len(token), code]) + datagram[2:4] + token + encode_options(options), peer)

    def _serve(self, datagram, peer):
        code, _, options, payload = decode(datagram)
        path = b"/".join(value for number, value in options if number == 11).decode()
        self.seen.append((code, path, [v.decode() for n, v in options if n == 15], payload.decode()))
        self.peer = peer
        if path == "rd":
            self._answer(datagram, peer, self.register, [(8, b"rd"), (8, b"7")] if self.register == 0x41 else [])
        else:
            self._answer(datagram, peer, 0x42 if code == DELETE else 0x44, [])

    def turn(self, timeout_s=0.1):
        """Serves one datagram; gives what was no request."""
        if not select.select([self.socket], [], [], timeout_s)[0]:
            return None
        datagram, peer = self.socket.recvfrom(65536)
        if 0 < datagram[1] < 32:
            self._serve(datagram, peer)
            return None
        return decode(datagram)

    def wait(self, happened):
        end = time.monotonic() + TIMEOUT_S
        while not happened():
            if time.monotonic() > end:
                raise AssertionError(f"did not happen; seen {self.seen}")
            self.turn()

    def ask(self, code, path, payload=b"", content_format=None, accept=None):
        options = [(11, part.encode()) for part in path.strip("/").split("/")]
        if content_format is not None:
            options.append((12, content_format.to_bytes(2, "big").lstrip(b"\0")))
        if accept is not None:
            options.append((17, accept.to_bytes(2, "big").lstrip(b"\0")))
        self.mid += 1
        message = bytes([0x41, code]) + struct.pack(">H", self.mid) + b"t" + encode_options(options)
        self.socket.sendto(message + (b"\xff" + payload if payload else b""), self.peer)
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            answer = self.turn()
            if answer and answer[1] == b"t":
                return f"{answer[0] >> 5}.{answer[0] & 31:02}", answer[3]
        raise AssertionError(f"no answer to {path}")


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.folder = tempfile.TemporaryDirectory()
        self.started = []

    def tearDown(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.server.close()
        self.folder.cleanup()

    def start(self, *arguments, stdin=subprocess.DEVNULL):
        process = subprocess.Popen(arguments, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def client(self, *arguments, server=None, host="127.0.0.1", **options):
        port = (server or self.server).port
        return self.start(DUNLIN, "client", "-e", "prog-1", "-u", f"coap://{host}:{port}", "--local",
                          "[::1]:0" if ":" in host else "127.0.0.1:0", *arguments, **options)

    def registered(self, server=None):
        server = server or self.server
        server.wait(lambda: any(path == "rd" for _, path, _, _ in server.seen))

    def stop(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        self.server.wait(lambda: process.poll() is not None)
        return process.communicate(timeout=TIMEOUT_S)

    def test_registers_serves_and_deregisters(self):
        ready = os.path.join(self.folder.name, "ready")
        process = self.client("--ready-file", ready, "--lifetime", "77", "--period", "0")
        self.registered()
        code, _, queries, links = self.server.seen[0]
        self.assertEqual(code, POST)
        self.assertEqual(queries, ["ep=prog-1", "lt=77", "lwm2m=1.1", "b=U"])
        self.assertIn("</3303/0>", links)
        self.server.wait(lambda: os.path.exists(ready) and os.path.getsize(ready) > 0)
        self.assertEqual(pathlib.Path(ready).read_text(), "/rd/7\n")
        self.assertEqual(self.server.ask(GET, "/3/0/0", accept=0), ("2.05", b"Dunlin"))
        self.assertEqual(self.server.ask(PUT, "/3311/0/5851", b"33", content_format=0)[0], "2.04")
        self.assertEqual(self.server.ask(GET, "/3311/0/5851", accept=0), ("2.05", b"33"))
        self.assertEqual(self.server.ask(PUT, "/3311/0/5851", b"101", content_format=0)[0], "4.00")
        out, _ = self.stop(process)
        self.assertEqual(process.returncode, 0)
        self.assertIn(f"registered as /rd/7 with coap://127.0.0.1:{self.server.port}\n", out)
        self.assertEqual(self.server.seen[-1][:2], (DELETE, "rd/7"))

    def test_values_move_by_the_seed(self):
        def values():
            process = self.client("--seed", "5", "--period", "0.05")
            self.server.seen.clear()
            self.registered()
            time.sleep(0.6)
            seen = self.server.ask(GET, "/3303/0/5602", accept=0)[1], self.server.ask(GET, "/3303/0/5601", accept=0)[1]
            self.stop(process, signal.SIGINT)
            return seen
        most, least = values()
        self.assertLess(float(least), float(most))

    def test_reboot_registers_anew(self):
        process = self.client("--no-console", "-v")
        self.registered()
        self.server.seen.clear()
        self.assertEqual(self.server.ask(POST, "/3303/0/5605", b"0,2='x'", content_format=0)[0], "2.04")
        self.assertEqual(self.server.ask(POST, "/3/0/4")[0], "2.04")
        self.registered()
        out, _ = self.stop(process)
        self.assertIn("executed /3303/0/5605\narguments 0,2='x'\n", out)
        self.assertIn("rebooting", out)

    def test_console(self):
        process = self.client("--period", "0", stdin=subprocess.PIPE)
        self.registered()
        process.stdin.write("set /3303/0/5700 -4.5\nset /3303/0/5700 warm\nget /3303/0/5700\nget /99\nset /3/0/14 \n"
                            "get /3/0/14\nadd /3311/7\nget /3311/7/5850\nremove /3311/7\nerror 8\nget /3/0/11\n"
                            "clear 8\nnonsense\nhelp\nstatus\ntree /1\n")
        process.stdin.flush()
        self.server.wait(lambda: len([s for s in self.server.seen if s[1] == "rd/7"]) >= 1)  # the list has changed
        self.assertEqual(self.server.ask(GET, "/3303/0/5700", accept=0), ("2.05", b"-4.5"))
        process.stdin.write("quit\n")
        process.stdin.flush()
        self.server.wait(lambda: process.poll() is not None)
        out, _ = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 0)
        for line in ("/3303/0/5700 is set", "error: /3303/0/5700: ", "/3303/0/5700 = -4.5 (float)", "error: /99: ",
                     "/3/0/14 =  (string)", "/3311/7 is there", "/3311/7/5850 = 0 (boolean)",
                     "/3311/7 is not there any more", "/3/0/11/0 = 8 (integer)", "error: there is no command 'nonsense'",
                     "registered; datagrams", "/1/0/1 = 86400 (integer)"):
            self.assertIn(line, out)

    def test_goes_on_when_the_input_ends(self):
        process = self.client()  # standard input is /dev/null
        self.registered()
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        self.assertEqual(self.server.ask(GET, "/3/0/16", accept=0), ("2.05", b"U"))
        self.stop(process)

    def test_objects_of_files(self):
        process = self.client("--object", str(ROOT / "models/3304.xml"), "--object",
                              str(ROOT / "tests/interop/models/33500.xml"), "--period", "0", stdin=subprocess.PIPE)
        self.registered()
        self.assertIn("</3304/0>", self.server.seen[0][3])
        self.assertEqual(self.server.ask(GET, "/33500/0/21/0", accept=0), ("2.05", b"text"))
        self.assertEqual(self.server.ask(PUT, "/33500/0/1", b"new", content_format=0)[0], "2.04")
        self.assertEqual(self.server.ask(GET, "/33500/0/1", accept=0), ("2.05", b"new"))
        code, _ = self.server.ask(POST, "/33500", b'[{"n":"/33500/3/1","vs":"x"}]', content_format=110)
        self.assertEqual(code, "2.01")
        self.assertEqual(self.server.ask(DELETE, "/33500/3")[0], "2.02")
        self.stop(process)

    def test_ipv6(self):
        if not socket.has_ipv6:
            self.skipTest("no IPv6 here")
        try:
            server = Server(socket.AF_INET6)
        except OSError:
            self.skipTest("no IPv6 here")
        self.client(server=server, host="[::1]")
        self.registered(server)
        server.close()

    def test_refused(self):
        self.server.register = 0x83
        process = self.client("--retry", "0")
        self.server.wait(lambda: process.poll() is not None)
        _, err = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 1)
        self.assertIn("4.03 Forbidden", err)
        self.assertIn("giving up", err)
        self.assertEqual(len(self.server.seen), 5)

    def test_wrong_command_lines(self):
        rows = (
            (["-e", "x", "-u", "http://h"], 2, "coap://"),
            (["-e", "x", "-u", "coaps://h"], 2, "not supported yet"),
            (["-e", "x"], 2, "-u coap://HOST:PORT is missing"),
            (["-e", "x", "-u", "coap://127.0.0.1", "--queue"], 2, "not supported yet"),
            (["-e", "x", "-u", "coap://127.0.0.1", "--object", "/nonexistent.xml"], 2, "cannot read"),
            (["-e", "x", "-u", "coap://127.0.0.1", "--object", str(ROOT / "models/3.xml")], 2, "leave it out"),
            (["-e", "x", "-u", "coap://127.0.0.1", "--object", str(ROOT / "README.md")], 2, "README.md:"),
            (["-e", "x", "-u", "coap://127.0.0.1", "--local", "nowhere"], 2, "--local takes"),
        )
        for arguments, code, text in rows:
            done = subprocess.run([DUNLIN, "client", *arguments], capture_output=True, text=True, timeout=TIMEOUT_S,
                                  stdin=subprocess.DEVNULL, check=False)
            self.assertEqual(done.returncode, code, arguments)
            self.assertIn(text, done.stderr)

    def test_help(self):
        done = subprocess.run([DUNLIN, "client", "--help"], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        self.assertIn("examples:", done.stdout)

    def test_example(self):
        process = self.start(THERMOMETER, "thermo-9", "127.0.0.1", str(self.server.port))
        self.registered()
        self.assertEqual(self.server.seen[0][2][0], "ep=thermo-9")
        self.assertEqual(self.server.ask(GET, "/3303/0/5701", accept=0), ("2.05", b"Cel"))
        self.assertEqual(self.server.ask(POST, "/3303/0/5605")[0], "2.04")
        code, value = self.server.ask(GET, "/3303/0/5700", accept=0)
        self.assertEqual(code, "2.05")
        self.assertTrue(20 <= float(value) <= 21)
        out, _ = self.stop(process)
        self.assertEqual(process.returncode, 0)
        self.assertIn("registered as /rd/7", out)


if __name__ == "__main__":
    DUNLIN, THERMOMETER = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
