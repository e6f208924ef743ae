# SPDX-License-Identifier: Apache-2.0
"""A device made of a UDP socket: registers, answers requests as a test tells it to, notifies. Speaks as much CoAP as that needs."""

import os
import random
import socket
import struct
import threading
import time

CON, NON, ACK, RST = 0, 1, 2, 3
GET, POST, PUT, DELETE = 1, 2, 3, 4
CREATED, DELETED, CHANGED, CONTENT, CONTINUE = 0x41, 0x42, 0x44, 0x45, 0x5f
OBSERVE, LOCATION, URI_PATH, CONTENT_FORMAT, URI_QUERY, ACCEPT, BLOCK2, BLOCK1 = 6, 8, 11, 12, 15, 17, 23, 27
LINKS = '</>;rt="oma.lwm2m";ct="110 112 11542",</1/0>,</3/0>,</3303/0>;ver="1.1",</33000/0>'
SILENT, RESET = "silent", "reset"
REPEAT_S = 0.5  # before a request that was not answered goes out again


def lasting_address():
    """For a server that is started again at the same address: a port that the kernel gives to nobody who asks for any one."""
    for _ in range(1000):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            port = random.SystemRandom().randrange(12000, 32000)
            try:
                udp.bind(("127.0.0.1", port))
                tcp.bind(("127.0.0.1", port))
                return f"127.0.0.1:{port}"
            except OSError:
                pass
    raise AssertionError("no port is free")


def uint(number):
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode(kind, code, mid, token, options, payload=b""):
    out = bytearray([0x40 | kind << 4 | len(token), code]) + struct.pack("!H", mid) + token
    last = 0
    for number, value in sorted(options, key=lambda option: option[0]):
        out += _option(number - last, value)
        last = number
    return bytes(out) + (b"\xff" + payload if payload else b"")


def _option(delta, value):
    def nibble(n):
        return (n, b"") if n < 13 else (13, bytes([n - 13])) if n < 269 else (14, struct.pack("!H", n - 269))
    (d, extra_d), (v, extra_v) = nibble(delta), nibble(len(value))
    return bytes([d << 4 | v]) + extra_d + extra_v + value


class Message:
    def __init__(self, data):
        self.kind, length, self.code = data[0] >> 4 & 3, data[0] & 15, data[1]
        self.mid = struct.unpack("!H", data[2:4])[0]
        self.token, at, number = data[4:4 + length], 4 + length, 0
        self.options, self.payload = [], b""
        while at < len(data) and data[at] != 0xff:
            delta, size, at = data[at] >> 4, data[at] & 15, at + 1
            delta, at = self._extend(data, delta, at)
            size, at = self._extend(data, size, at)
            number += delta
            self.options.append((number, data[at:at + size]))
            at += size
        self.payload = data[at + 1:]

    @staticmethod
    def _extend(data, value, at):
        if value == 13:
            return data[at] + 13, at + 1
        if value == 14:
            return struct.unpack("!H", data[at:at + 2])[0] + 269, at + 2
        return value, at

    def all(self, number):
        return [value for option, value in self.options if option == number]

    def number(self, option):
        values = self.all(option)
        return int.from_bytes(values[0], "big") if values else None

    @property
    def path(self):
        return "/" + "/".join(part.decode() for part in self.all(URI_PATH))


class Device:
    """`answer(message)` gives (code, content format or None, payload[, further options]) or SILENT or RESET."""

    def __init__(self, server, endpoint, answer=None, links=LINKS, lwm2m="1.1", queue=False):
        host, port = server.rsplit(":", 1)
        self.endpoint, self.links, self.lwm2m, self.lifetime, self.queue = endpoint, links, lwm2m, 300, queue
        self.answer = answer or (lambda message: (CONTENT, 0, b""))
        self.given_up = lambda: False  # whether an answer is of no interest any more
        self.seen = []
        self.location = []
        self._mid = int.from_bytes(os.urandom(2), "big")
        self._waiting = {}
        self._lock = threading.Lock()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((host, int(port)))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        self.register()
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def request(self, code, path, query=(), content_format=None, payload=b"", timeout=60):
        options = [(URI_PATH, part.encode()) for part in path] + [(URI_QUERY, part.encode()) for part in query]
        if content_format is not None:
            options.append((CONTENT_FORMAT, uint(content_format)))
        with self._lock:
            self._mid = self._mid + 1 & 0xffff
            mid = self._mid
            box = self._waiting[mid] = [threading.Event(), None]
        data = encode(CON, code, mid, os.urandom(4), options, payload)
        end = time.monotonic() + timeout
        while time.monotonic() < end and not self.given_up():
            self.socket.send(data)
            if box[0].wait(min(timeout / 3, REPEAT_S)):
                return box[1]
        raise TimeoutError(f"the server did not answer {path}")

    def register(self):
        reply = self.request(POST, ["rd"], [f"ep={self.endpoint}", f"lt={self.lifetime}", f"lwm2m={self.lwm2m}", "b=U",
                                           *(["Q"] if self.queue else [])], 40, self.links.encode())
        if reply.code != CREATED:
            raise AssertionError(f"registration answered {reply.code >> 5}.{reply.code & 31:02}")
        self.location = [part.decode() for part in reply.all(LOCATION)]

    def update(self, query=(), links=None):
        reply = self.request(POST, self.location, query, 40 if links else None, (links or "").encode())
        return reply.code

    def deregister(self):
        return self.request(DELETE, self.location).code

    def notify(self, token, sequence, content_format, payload, code=CONTENT, confirmable=False):
        with self._lock:
            self._mid = self._mid + 1 & 0xffff
            mid = self._mid
        options = [(OBSERVE, uint(sequence)), (CONTENT_FORMAT, uint(content_format))]
        self.socket.send(encode(CON if confirmable else NON, code, mid, token, options, payload))

    def _run(self):
        while True:
            try:
                data = self.socket.recv(2048)
            except ConnectionRefusedError:
                continue
            except OSError:
                return
            if not data:
                return
            message = Message(data)
            if message.kind in (ACK, RST):
                box = self._waiting.pop(message.mid, None)
                if box:
                    box[1] = message
                    box[0].set()
            elif message.code and message.code < 32:
                self.seen.append(message)
                self._reply(message)

    def _reply(self, message):
        reply = self.answer(message)
        if reply == SILENT:
            return
        if reply == RESET:
            self.socket.send(struct.pack("!BBH", 0x40 | RST << 4, 0, message.mid))
            return
        code, content_format, payload, *more = reply
        options = list(more[0]) if more else []
        if content_format is not None:
            options.append((CONTENT_FORMAT, uint(content_format)))
        self.socket.send(encode(ACK, code, message.mid, message.token, options, payload))
