#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`dunlin firmware pull` with dunlind and `dunlin client`: a package comes by the session or connection by which the device is registered,
over every transport, through kill -9 of the device half way and then of the server.

Usage: pull_program_test.py DUNLIN DUNLIND
"""
import http.client
import json
import os
import pathlib
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "api"))
import device  # noqa: E402
from device_server import TIMEOUT_S, DeviceTest  # noqa: E402

DUNLIND = None
LOCALHOST = "127.0.0.1"
KEY = "00112233445566778899aabbccddeeff"
PSK = ("--identity", "puller", "--key", "hex:" + KEY)
SIZE = 1_500_000
HALF = SIZE // 2
SCHEMES = {"coap": "udp", "coaps": "dtls", "coap+tcp": "tcp", "coaps+tcp": "tls"}


def package(version, seed):
    return f"version={version}\n".encode() + random.Random(seed).randbytes(SIZE)


class Relay:
    """Stands before a port of the server, so that a transfer can be held up after so many bytes to the device: what is more waits
    (over TCP), or is lost, until `release`. `sent` counts what the device got."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent, self.limit, self.port = 0, None, None
        self.held = threading.Event()
        self.ended = False

    def target(self, address):
        self.port = int(address.rpartition(":")[2])

    def hold_after(self, count):
        with self.lock:
            self.limit = self.sent + count
            self.held.clear()

    def release(self):
        with self.lock:
            self.limit = None

    def may(self, size):
        with self.lock:
            if self.limit is not None and self.sent + size > self.limit:
                self.held.set()
                return False
            self.sent += size
            return True


class UdpRelay(Relay):
    def __init__(self):
        super().__init__()
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind((LOCALHOST, 0))
        self.own = self.front.getsockname()[1]
        self.backs = {}  # by the device's address: another port for each, as a NAT has
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while not self.ended:
            ready, _, _ = select.select([self.front, *self.backs.values()], [], [], 0.2)
            for one in ready:
                try:
                    datagram, source = one.recvfrom(65536)
                    if one is self.front:
                        if source not in self.backs:
                            self.backs[source] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                        self.backs[source].sendto(datagram, (LOCALHOST, self.port))
                    elif self.may(len(datagram)):
                        self.front.sendto(datagram, next(key for key, value in self.backs.items() if value is one))
                except OSError:
                    pass  # nobody is there now
        for one in (self.front, *self.backs.values()):
            one.close()


class TcpRelay(Relay):
    def __init__(self):
        super().__init__()
        self.listener = socket.create_server((LOCALHOST, 0))
        self.own = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        self.listener.settimeout(0.2)
        while not self.ended:
            try:
                front, _ = self.listener.accept()
            except TimeoutError:
                continue
            front.settimeout(None)
            try:
                back = socket.create_connection((LOCALHOST, self.port))
            except OSError:
                front.close()
                continue
            threading.Thread(target=self.carry, args=(front, back), daemon=True).start()
        self.listener.close()

    def carry(self, front, back):
        """Both ways, until either end hangs up."""
        pairs = {front: back, back: front}
        waiting = b""
        while not self.ended:
            ready, _, _ = select.select([front] if waiting else list(pairs), [], [], 0.02)
            try:
                for one in ready:
                    data = one.recv(16384)
                    if not data:
                        raise OSError
                    if one is back:
                        waiting = data
                    else:
                        back.sendall(data)
                if waiting and self.may(len(waiting)):
                    front.sendall(waiting)
                    waiting = b""
                if waiting and back in select.select([back], [], [], 0)[0] and not back.recv(1, socket.MSG_PEEK):
                    raise OSError
            except OSError:
                break
        front.close()
        back.close()


class PullTest(DeviceTest):
    def setUp(self):
        super().setUp()
        self.relays = {scheme: TcpRelay() if "tcp" in scheme else UdpRelay() for scheme in SCHEMES}
        self.daemon, self.ready = None, {name: device.lasting_address() for name in (*SCHEMES, "http")}
        self.state = self.made("state")
        self.log = open(self.made("log"), "w+", encoding="utf-8")

    def tearDown(self):
        super().tearDown()
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
        for relay in self.relays.values():
            relay.ended = True
        self.log.close()

    def made(self, name):
        return os.path.join(self.folder.name, name)

    def serve(self, public=True, extra=()):
        """dunlind, on the ports that it had before."""
        ready = self.made("ready.json")
        if os.path.exists(ready):
            os.remove(ready)
        options = [DUNLIND, "--data", self.made("data"), "--http", self.ready["http"], "--ready-file", ready, *extra]
        for scheme, relay in self.relays.items():
            options += ["--" + scheme.replace("+", "-"), self.ready[scheme]]
            if public:
                options += ["--public", f"{scheme}://{LOCALHOST}:{relay.own}"]
        self.daemon = subprocess.Popen(options, stdout=self.log, stderr=self.log)
        self.until_true(lambda: os.path.exists(ready) or self.daemon.poll() is not None, "dunlind is ready")
        self.ready = json.loads(pathlib.Path(ready).read_text(encoding="utf-8"))
        for scheme, relay in self.relays.items():
            relay.target(self.ready[scheme])

    def until_true(self, condition, what):
        end = time.monotonic() + TIMEOUT_S
        while not (value := condition()):
            if time.monotonic() > end:
                self.log.seek(0)
                raise AssertionError(f"did not happen: {what}\n{self.log.read()[-3000:]}")
            time.sleep(0.02)
        return value

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.ready["http"], timeout=TIMEOUT_S)
        connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if text else None

    def secure(self):
        status, answer = self.call("PUT", "/credentials/puller", {"mode": "psk", "identity": "puller", "key": KEY})
        self.assertIn(status, (200, 201), answer)

    def device(self, scheme, port=None, **more):
        secured = PSK if scheme.startswith("coaps") else ()
        process = self.start(self.dunlin, "client", "-e", "puller", "-u", f"{scheme}://{LOCALHOST}:{port or self.relays[scheme].own}", "--period", "0",
                             "--firmware-time", "0", "--retry", "1", "--tries", "50", "--state", self.state, *secured, stdin=subprocess.PIPE, **more)
        self.says(process, "registered")
        return process

    def value(self, path):
        status, answer = self.call("GET", "/clients/puller" + path)
        return answer["node"].get("value") if status == 200 else None

    def pull(self, *arguments):
        return self.start(self.dunlin, "firmware", "pull", "puller", *arguments, "--server", f"http://{self.ready['http']}")

    def ends(self, process, status=0):
        out, said = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, status, said)
        return out, said

    def part(self):
        return pathlib.Path(self.state, "firmware.bin")

    def through_kills(self, scheme):
        self.serve()
        if scheme.startswith("coaps"):
            self.secure()
        relay = self.relays[scheme]
        process = self.device(scheme)
        self.assertEqual(self.call("GET", "/clients/puller")[1]["transport"], SCHEMES[scheme])
        content = package("2.0", 1)
        first = pathlib.Path(self.made("first.bin"))
        first.write_bytes(content)

        relay.hold_after(HALF)  # the device is killed
        pulling = self.pull(str(first))
        self.assertTrue(relay.held.wait(TIMEOUT_S))
        process.send_signal(signal.SIGKILL)
        process.wait(TIMEOUT_S)
        before = relay.sent
        relay.release()
        process = self.device(scheme)
        self.ends(pulling)
        self.assertEqual(self.part().read_bytes(), content)
        self.assertLess(relay.sent - before, SIZE)  # the half that was there was not sent again
        uri = self.value("/5/0/1")
        self.assertTrue(uri.startswith(f"{scheme}://{LOCALHOST}:{relay.own}/fw/"), uri)
        out, _ = self.ends(self.start(self.dunlin, "firmware", "update", "puller", "--server", f"http://{self.ready['http']}"))
        self.assertIn("success", out)
        self.assertEqual(self.value("/3/0/3"), "2.0")

        content = package("3.0", 2)  # and then the server
        pathlib.Path(self.made("second.bin")).write_bytes(content)
        relay.hold_after(HALF)
        pulling = self.pull(self.made("second.bin"))
        self.assertTrue(relay.held.wait(TIMEOUT_S))
        self.daemon.kill()
        self.daemon.wait()
        pulling.kill()
        before = relay.sent
        relay.release()
        self.serve()
        if scheme == "coaps":  # nobody tells the device that its session is dead: it would find out by itself after some minutes
            process.stdin.write("drop-session\n")
            process.stdin.flush()
        self.until_true(lambda: self.value("/5/0/3") == 2, "it is downloaded")
        self.assertEqual(self.part().read_bytes(), content)
        self.assertLess(relay.sent - before, SIZE)

    def test_coap(self):
        self.through_kills("coap")

    def test_coaps(self):
        self.through_kills("coaps")

    def test_coap_tcp(self):
        self.through_kills("coap+tcp")

    def test_coaps_tcp(self):
        self.through_kills("coaps+tcp")

    def test_addresses(self):
        """What a device is given is made for it; what it cannot use is said."""
        self.serve(public=False)
        self.secure()
        first = pathlib.Path(self.made("first.bin"))
        first.write_bytes(b"version=1.5\n")
        self.device("coaps", self.ready["coaps"].rpartition(":")[2])
        self.ends(self.pull(str(first)))
        uri = self.value("/5/0/1")
        self.assertTrue(uri.startswith(f"coaps://{self.ready['coaps']}/fw/"), uri)
        listed = self.call("GET", "/packages")[1]["packages"][0]["uris"]
        self.assertEqual(listed, [f"{scheme}://{self.ready[scheme]}/fw/{uri[-32:]}" for scheme in SCHEMES])
        self.assertEqual([int(one["value"]) for one in self.call("GET", "/clients/puller/5/0/8")[1]["node"]["values"]], [0, 1, 2, 3, 4, 5])
        reset = self.start(self.dunlin, "firmware", "reset", "puller", "--server", f"http://{self.ready['http']}")
        self.ends(reset)
        self.ends(self.pull(f"coaps://{LOCALHOST}:1/fw"), 1)  # not of its server
        self.assertEqual(self.value("/5/0/5"), 7)
        _, said = self.ends(self.pull("ftp://127.0.0.1/fw"), 1)
        self.assertIn("fetches packages by coap, coaps, http, https, coap+tcp and coaps+tcp", said)

    def test_what_a_device_can(self):
        """/5/0/8 is looked at before anything is written."""
        self.serve(public=False)
        first = pathlib.Path(self.made("first.bin"))
        first.write_bytes(b"version=1.6\n")
        rows = ((None, 0, "coap://", "downloaded"),  # it has no such resource: CoAP
                ([0, 99], 0, "coap://", "downloaded"),
                ([1], 0, "coaps://", "registered over coap, but cannot fetch by that: it is given coaps://"),
                ([2, 3], 1, None, "fetches packages by http and https, by which this server gives it nothing"),
                ([99], 1, None, "fetches packages by nothing that is known here"))
        for number, (protocols, status, given, text) in enumerate(rows):
            written = []

            def answer(message, protocols=protocols, written=written):
                if message.code == 3:
                    written.append(message.payload)
                    return 0x44, None, b""
                if message.path == "/5/0/8" and protocols is None:
                    return 0x84, None, b""
                base, pairs = ("/5/0/8/", enumerate(protocols)) if message.path == "/5/0/8" else ("/5/0/", [(3, 2), (5, 0)])
                pack = [{"n": str(key), "v": value} for key, value in pairs]
                pack[0]["bn"] = base
                return 0x45, 110, json.dumps(pack).encode()
            with device.Device(self.ready["coap"], "puller", answer, links="</5/0>,</3/0>"):
                out, said = self.ends(self.pull(str(first)), status)
            self.assertIn(text, out + said, number)
            self.assertEqual(len(written), 0 if given is None else 1, number)
            self.assertTrue(given is None or given.encode() in written[0], written)


if __name__ == "__main__":
    DeviceTest.dunlin, DUNLIND = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
