# SPDX-License-Identifier: Apache-2.0
"""Seeded floods of random and of mutated valid CoAP datagrams.

The flood is paced: after each batch a ping (an empty confirmable message, RFC 7252 section 4.3) must be answered with a
reset, so that no datagram is lost in a full socket and each one is really looked at. A device does not answer strangers;
there the caller says how it tells.
"""

import random
import select
import socket
import struct
import time

from support.programs import wait_until

BATCH = 48
PING_TIMEOUT_S = 180
SOCKETS = 24
RANDOM_MAX = 1400
CON, NON, ACK, RST = 0, 1, 2, 3
OBSERVE, LOCATION_PATH, URI_PATH, CONTENT_FORMAT, URI_QUERY, ACCEPT, BLOCK2, BLOCK1 = 6, 8, 11, 12, 15, 17, 23, 27


def message(kind, code, mid, token=b"", options=(), payload=b""):
    """The bytes of a CoAP message; options are (number, bytes)."""
    out = bytearray([0x40 | kind << 4 | len(token), code]) + struct.pack("!H", mid & 0xFFFF) + token
    last = 0
    for number, value in sorted(options, key=lambda option: option[0]):
        out.append(_nibble(number - last) << 4 | _nibble(len(value)))
        out += _extended(number - last) + _extended(len(value)) + value
        last = number
    return bytes(out) + (b"\xff" + payload if payload else b"")


def _nibble(number):
    return number if number < 13 else 13 if number < 269 else 14


def _extended(number):
    if number < 13:
        return b""
    return bytes([number - 13]) if number < 269 else struct.pack("!H", number - 269)


def path(*segments):
    return [(URI_PATH, segment.encode()) for segment in segments]


def query(*items):
    return [(URI_QUERY, item.encode()) for item in items]


def make_socket():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    made.bind(("127.0.0.1", 0))
    return made


def exchange(own, target, data, repeats=30):
    """What answers a confirmable message, which is repeated every two seconds."""
    own.settimeout(2)
    try:
        for _ in range(repeats):
            own.sendto(data, target)
            try:
                while True:
                    answer = own.recv(65535)
                    if answer[2:4] == data[2:4]:
                        return answer
            except TimeoutError:
                pass
    finally:
        own.settimeout(None)
    raise AssertionError(f"no answer from {target}")


def server_seeds(rng):
    """Valid datagrams for a server's port. The names and locations are none that a test's device has."""
    name = "flood-%06x" % rng.getrandbits(24)
    links = b"</3/0>,</3303/0>,</3303/1>;ver=1.1," + b",".join(b"</33500/%d>" % i for i in range(rng.randrange(60)))
    location = "flood%08x" % rng.getrandbits(32)
    text = [(CONTENT_FORMAT, b"\x28")]
    return [
        (CON, 2, path("rd") + query("ep=" + name, "lt=60", "lwm2m=1.1", "b=U") + text, links),
        (NON, 2, path("rd") + query("ep=" + name, "lt=60", "lwm2m=1.0") + text, links),
        (CON, 2, path("rd") + query("ep=" + name) + text + [(BLOCK1, b"\x0e")], links[:1024].ljust(1024, b",")),
        (CON, 2, path("rd", location) + query("lt=120") + text, links),
        (CON, 4, path("rd", location), b""),
        (CON, 1, path(".well-known", "core"), b""),
        (CON, 1, path("rd") + [(OBSERVE, b"")], b""),
        (CON, 1, path("rd") + [(BLOCK2, b"\x16")], b""),
        (CON, 5, path("rd") + [(CONTENT_FORMAT, b"\x70")], bytes(rng.randrange(256) for _ in range(40))),
        (CON, 2, path("dp") + [(CONTENT_FORMAT, b"\x70")], b"\x81\xa2\x00\x67/3/0/13\x02\x01"),
        (CON, 69, [(OBSERVE, b"\x05"), (CONTENT_FORMAT, b"")], b"21.5"),
        (NON, 69, [(OBSERVE, b"\x06"), (CONTENT_FORMAT, b"\x2d\x16")], b"\xc4\x16\x54\x41\xac\x00\x00"),
        (ACK, 69, [(CONTENT_FORMAT, b"")], b"21.5"),
        (ACK, 69, [(BLOCK2, b"\x0e")], b"x" * 1024),
        (ACK, 95, [(BLOCK1, b"\x0e")], b""),
        (RST, 0, [], b""), (ACK, 0, [], b""),
    ]


def client_seeds(rng):
    """Valid datagrams for a device's port."""
    value = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 200)))
    return [
        (CON, 1, path("3", "0") + [(ACCEPT, b"\x70")], b""),
        (CON, 1, path("3303", "0", "5700") + [(OBSERVE, b"")], b""),
        (CON, 1, path("3303") + [(ACCEPT, b"\x28")], b""),
        (CON, 3, path("1", "0", "1") + [(CONTENT_FORMAT, b"")], b"60"),
        (CON, 3, path("33500", "0", "30") + [(CONTENT_FORMAT, b"\x2a")], value),
        (CON, 3, path("33500", "0", "30") + [(CONTENT_FORMAT, b"\x2a"), (BLOCK1, b"\x0e")], b"z" * 1024),
        (CON, 2, path("33500") + [(CONTENT_FORMAT, b"\x2d\x16")], b"\x08\x05\x00" + value),
        (CON, 2, path("3", "0", "4"), b""), (CON, 4, path("33500", "0"), b""),
        (CON, 5, [(CONTENT_FORMAT, b"\x70")], b"\x82\xa1\x00\x64/3/0\xa1\x00\x65/3303"),
        (CON, 7, [(CONTENT_FORMAT, b"\x70")], b"\x81\xa2\x00\x67/1/0/1\x02\x18\x3c"),
        (CON, 2, path("bs"), b""), (CON, 4, [], b""),
        (ACK, 65, [(LOCATION_PATH, b"rd"), (LOCATION_PATH, b"flood")], b""),
        (ACK, 68, [], b""), (CON, 132, [], b""), (RST, 0, [], b""), (ACK, 0, [], b""),
    ]


def mutate(rng, data):
    """One to four small changes of a datagram."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        place = rng.randrange(len(out)) if out else 0
        choice = rng.randrange(6)
        if not out or choice == 0:
            out[place:place] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
        elif choice == 1:
            out[place] ^= 1 << rng.randrange(8)
        elif choice == 2:
            out[place] = rng.choice((0, 0x0D, 0x0E, 0x0F, 0xD0, 0xE0, 0xF0, 0xFF, rng.randrange(256)))
        elif choice == 3:
            del out[place:]
        elif choice == 4:
            del out[place:place + rng.randrange(1, 5)]
        else:
            end = place + rng.randrange(1, 40)
            out[place:place] = out[place:end]
    return bytes(out)


def datagrams(rng, seeds, total_bytes):
    """Random and mutated datagrams, in turn, of `total_bytes` together."""
    sent = 0
    while sent < total_bytes:
        if rng.randrange(3) == 0:
            data = rng.randbytes(rng.randrange(1, RANDOM_MAX))
        else:
            kind, code, options, payload = rng.choice(seeds(rng))
            token = rng.randbytes(rng.randrange(9))
            if kind in (RST,) or code == 0:
                token = b""
            if len(payload) < 400 and rng.randrange(2):
                payload += rng.randbytes(rng.randrange(600))  # longer, for the bytes to be reached in time
            data = mutate(rng, message(kind, code, rng.getrandbits(16), token, options, payload))
        sent += len(data)
        yield data


class Flood:
    """Sends floods from sockets of its own (or given ones) to one port."""

    def __init__(self, address, sockets=None, settled=None, on_answer=None):
        host, _, port = address.rpartition(":")
        self.target = (host.strip("[]"), int(port))
        self.sockets = sockets or [make_socket() for _ in range(SOCKETS)]
        self.settled, self.on_answer = settled, on_answer
        self.sent = self.sent_bytes = self.answers = 0

    def addresses(self):
        return {"coap://%s:%d" % one.getsockname() for one in self.sockets}

    def run(self, rng, seeds, total_bytes):
        batch = 0
        for data in datagrams(rng, seeds, total_bytes):
            rng.choice(self.sockets).sendto(data, self.target)
            self.sent += bool(data)  # an empty one may be taken in uncounted
            self.sent_bytes, batch = self.sent_bytes + len(data), batch + 1
            if batch == BATCH:
                self.settle(rng)
                batch = 0
        self.settle(rng)

    def settle(self, rng):
        """Until everything sent so far was taken in."""
        if self.settled:
            def settled():
                self._drain(None, None, 0)
                return self.settled(self.sent)

            wait_until(f"{self.sent} datagrams are taken in", settled, PING_TIMEOUT_S, every_s=0.002)
        else:
            self.ping(rng)

    def ping(self, rng):
        chosen, mid = self.sockets[0], rng.getrandbits(16)
        end = time.monotonic() + PING_TIMEOUT_S
        while time.monotonic() < end:
            chosen.sendto(message(CON, 0, mid), self.target)
            if self._drain(chosen, struct.pack("!BBH", 0x70, 0, mid), 2.0):
                return
            mid = rng.getrandbits(16)
        raise AssertionError(f"no answer to a ping after {self.sent} datagrams, {self.sent_bytes} bytes")

    def _drain(self, chosen, wanted, wait_s):
        end = time.monotonic() + wait_s
        found = False
        while not found:
            for ready in select.select(self.sockets, [], [], max(0.0, end - time.monotonic()))[0]:
                while True:
                    try:
                        data, sender = ready.recvfrom(65535, socket.MSG_DONTWAIT)
                    except BlockingIOError:
                        break
                    self.answers += 1
                    if self.on_answer:
                        self.on_answer(ready, data, sender)
                    found = found or (ready is chosen and data == wanted)
            if time.monotonic() >= end:
                break
        return found

    def close(self):
        for one in self.sockets:
            one.close()


def generator(seed):
    return random.Random(seed)
