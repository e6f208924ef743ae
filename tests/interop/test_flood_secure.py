# SPDX-License-Identifier: Apache-2.0
"""Forged, half-open and garbled handshakes at dunlind's secured ports while established devices are read: all are answered, memory stays flat."""

import os
import random
import select
import socket
import struct
import threading
import time

import flood
from devices import DunlinDevice
from security import pki as material
from security.credentials import PSK, RPK, X509, Credential, put, server_options
from servers import DunlindServer
from support.harness import Suite, case, check, equal
from support.programs import WORK, wait_until
from test_flood import resident_kb

SEED = 20260202
SECONDS = 5  # each flood
LIMIT_PATIENCE_S = 120  # of the flood that goes on until a limit is reached
SOCKETS = 64
HANDSHAKE_MS = 6000
SLOW_CONNECTIONS = 100
GROWTH_MAX_KB = 64 * 1024
HANDSHAKE, CLIENT_HELLO, VERIFY_REQUEST = 22, 1, 3


def client_hello(rng, cookie=b""):
    """A ClientHello of DTLS 1.2 with the two PSK suites."""
    body = b"\xfe\xfd" + rng.randbytes(32) + b"\0" + bytes([len(cookie)]) + cookie + b"\0\x04\xc0\xa8\0\xae" + b"\x01\0"
    length = len(body).to_bytes(3, "big")
    message = bytes([CLIENT_HELLO]) + length + (b"\0\1" if cookie else b"\0\0") + b"\0\0\0" + length + body
    return record(HANDSHAKE, message, 1 if cookie else 0)


def record(kind, content, sequence=0, epoch=0):
    return bytes([kind]) + b"\xfe\xfd" + struct.pack("!H", epoch) + sequence.to_bytes(6, "big") + struct.pack("!H", len(content)) + content


def cookie_of(datagram):
    """That of a HelloVerifyRequest, or None."""
    if len(datagram) < 28 or datagram[0] != HANDSHAKE or datagram[13] != VERIFY_REQUEST:
        return None
    return datagram[28:28 + datagram[27]]


class Readers:
    """Reads a resource of each device, one after the other, until it is stopped."""

    def __init__(self, server, names):
        self.server, self.names, self.times_ms, self.wrong, self.goes_on = server, names, [], [], True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while self.goes_on:
            for name in self.names:
                began = time.monotonic()
                answer = self.server.rest.call("GET", self.server.rest.device(name, "/3/0/0"))
                self.times_ms.append((time.monotonic() - began) * 1000)
                if answer.status != 200:
                    self.wrong.append((name, answer))
            time.sleep(0.01)

    def stop(self):
        self.goes_on = False
        self.thread.join(120)
        return sorted(self.times_ms)


class FloodOnSecurePorts(Suite):
    """Floods at the ports of DTLS, TCP and TLS, with devices of each transport that are read all the while."""

    name = "flood-on-secure-ports"

    def set_up(self):
        self.rng = random.Random(SEED)
        self.pki = material.make(os.path.join(WORK, "pki-" + self.name), ["reads-x509"], bad=False)
        config = os.path.join(WORK, self.name + ".yaml")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"security:\n  handshake-ms: {HANDSHAKE_MS}\n")
        self.server = DunlindServer(self.programs, "--config", config, *server_options(self.pki))
        own = [Credential(self.pki, PSK, "reads-psk"), Credential(self.pki, RPK, "reads-rpk"), Credential(self.pki, X509, "reads-x509"),
               Credential(self.pki, PSK, "reads-tls")]
        self.devices = []
        for one in own:
            put(self.server.rest, one)
            scheme = "coaps+tcp" if one.endpoint == "reads-tls" else "coaps"
            self.devices.append(DunlinDevice(self.programs, one.endpoint, self.server.program.uri_of(scheme), lifetime=86400,
                                             more=one.client("ccm8")))
        self.devices.append(DunlinDevice(self.programs, "reads-udp", self.server.uri, lifetime=86400))
        self.devices.append(DunlinDevice(self.programs, "reads-tcp", self.server.program.uri_of("coap+tcp"), lifetime=86400))
        self.names = [device.endpoint for device in self.devices]
        for name in self.names:
            self.server.wait_registered(name)
        self.quiet = self.read_for(1.0)

    def tear_down(self):
        self.server.stream.close()

    def read_for(self, seconds):
        readers = Readers(self.server, self.names)
        time.sleep(seconds)
        return readers.stop()

    def address(self, scheme):
        host, _, port = self.server.program.addresses[scheme].rpartition(":")
        return host, int(port)

    def metrics(self):
        return self.server.rest.metrics()

    def under(self, what, attack):
        """Runs the attack while devices are read; then nothing has changed but the counters. Gives these before and after."""
        before, memory = self.metrics(), resident_kb(self.server.program)
        readers = Readers(self.server, self.names)
        sent = attack()
        times = readers.stop()
        check(not readers.wrong, f"{len(readers.wrong)} of {len(times)} reads failed: {readers.wrong[:3]}")
        check(self.server.program.alive(), "dunlind has ended")
        after, grown = self.metrics(), resident_kb(self.server.program) - memory
        check(grown < GROWTH_MAX_KB, f"dunlind grew by {grown} kB")
        for gauge in ("dunlin_registrations", "dunlin_dtls_sessions", "dunlin_tls_sessions"):
            equal(after[gauge], before[gauge], gauge)
        equal(after["dunlin_handshakes_total"], before["dunlin_handshakes_total"], "handshakes")

        def p99(values):
            return values[min(len(values) - 1, len(values) * 99 // 100)]

        print(f"        {what}: {sent} in {SECONDS} s; {len(times)} reads, all answered, p50 {times[len(times) // 2]:.1f} ms, "
              f"p99 {p99(times):.1f} ms (quiet: {p99(self.quiet):.1f} ms); dunlind grew by {grown} kB", flush=True)
        return before, after, sent

    def blast(self, make):
        """Datagrams of make() at the DTLS port as fast as they go out, from many addresses."""
        sockets, target, sent = [flood.make_socket() for _ in range(SOCKETS)], self.address("coaps"), 0
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for one in sockets:
                one.sendto(make(), target)
                sent += 1
            for one in select.select(sockets, [], [], 0)[0]:
                one.recv(65535)
        for one in sockets:
            one.close()
        return sent

    @case("forged ClientHellos, without a cookie and with a wrong one, make no session, and devices are read")
    def forged(self):
        hellos = [client_hello(self.rng) for _ in range(200)] + [client_hello(self.rng, self.rng.randbytes(16)) for _ in range(200)]
        before, after, _ = self.under("forged ClientHellos", lambda: self.blast(lambda: self.rng.choice(hellos)))
        equal(after["dunlin_dtls_half_open"], 0, "half-open handshakes")
        # How many depends on the machine: dunlind answers so many a second at most, and says nothing to the rest.
        check(after["dunlin_dtls_cookies_total"] > before["dunlin_dtls_cookies_total"], "no ClientHello was answered with a cookie")

    @case("garbage and records out of nowhere make no session, and devices are read")
    def garbage(self):
        rows = [self.rng.randbytes(self.rng.randrange(1, 1200)) for _ in range(200)]
        rows += [record(self.rng.choice((20, 21, 22, 23, 24)), self.rng.randbytes(self.rng.randrange(1, 600)), self.rng.getrandbits(48),
                        self.rng.choice((0, 1, 2))) for _ in range(400)]
        rows += [flood.mutate(self.rng, client_hello(self.rng)) for _ in range(200)]
        before, after, _ = self.under("garbage at DTLS", lambda: self.blast(lambda: self.rng.choice(rows)))
        equal(after["dunlin_dtls_half_open"], 0, "half-open handshakes")
        check(after["dunlin_session_strangers_total"] > before["dunlin_session_strangers_total"], "strangers are not counted")

    def half_open(self):
        """Handshakes that end behind the cookie, from as many ports as go, until dunlind will not have more."""
        sockets, target, sent = [flood.make_socket() for _ in range(SOCKETS * 4)], self.address("coaps"), 0
        begin, limits = time.monotonic(), self.metrics()["dunlin_handshake_limits_total"]
        while time.monotonic() < begin + SECONDS or (self.metrics()["dunlin_handshake_limits_total"] == limits
                                                     and time.monotonic() < begin + LIMIT_PATIENCE_S):
            for one in sockets:
                one.sendto(client_hello(self.rng), target)
            for one in select.select(sockets, [], [], 0.2)[0]:
                cookie = cookie_of(one.recv(65535))
                if cookie is not None:
                    one.sendto(client_hello(self.rng, cookie), target)
                    sent += 1
        for one in sockets:
            one.close()
        return sent

    @case("handshakes that stop behind the cookie are limited and given up in time, and devices are read")
    def half(self):
        before, after, _ = self.under("half-open handshakes", self.half_open)
        check(after["dunlin_handshake_limits_total"] > before["dunlin_handshake_limits_total"], "no limit was reached")
        wait_until("all are given up", lambda: self.metrics()["dunlin_dtls_half_open"] == 0)

    def streams(self, scheme, slow):
        """Connections that send garbage at once, or a byte now and then."""
        sent, open_ones, end = 0, [], time.monotonic() + SECONDS
        while time.monotonic() < end:
            try:
                if not slow or len(open_ones) < SLOW_CONNECTIONS:
                    open_ones.append(socket.create_connection(self.address(scheme), timeout=5))
                    sent += 1
                if slow:
                    time.sleep(0.01)
                    for one in open_ones:
                        one.send(self.rng.choice((b"\x16", b"\xf0", b"\0", b"\x03")))
                else:
                    open_ones[-1].send(self.rng.randbytes(self.rng.randrange(1, 4000)))
                    open_ones.pop(0).close()
            except OSError:
                open_ones = [one for one in open_ones if one.fileno() >= 0][1 if open_ones else 0:]
        for one in open_ones:
            one.close()
        return sent

    @case("garbage, and a byte at a time, over {0} do no harm, and devices are read", ["coap+tcp", "coaps+tcp"])
    def tcp(self, scheme):
        for slow in (False, True):
            before, after, sent = self.under(f"{'slow' if slow else 'garbled'} connections over {scheme}",
                                             lambda slow=slow: self.streams(scheme, slow))
            check(after["dunlin_tcp_accepted_total"] > before["dunlin_tcp_accepted_total"], "none was accepted")
            wait_until("their connections have ended", lambda: self.metrics()["dunlin_tcp_connections"] <= 2)

    @case("after that the devices are as they were")
    def after(self):
        for device in self.devices:
            equal(self.server.read(device.endpoint, "/3/0/0")["code"], "2.05", device.endpoint)
            since = self.server.mark()
            device.update()
            self.server.updated(device.endpoint, since)


SUITES = [FloodOnSecurePorts]
