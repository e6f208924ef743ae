# SPDX-License-Identifier: Apache-2.0
"""A LwM2M server made of one socket, and a test case that runs `dunlin client` against it."""
import select
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

GET, POST, PUT, DELETE = 1, 2, 3, 4
BLOCK1, BLOCK2 = 27, 23
BLOCK_SIZE, BLOCK_SZX = 1024, 6
TIMEOUT_S = 150  # of what must happen: it only matters when it does not
REPEAT_S = 1.5  # before an unanswered request goes out again
ACK, CON = 2, 0


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
    token, at = datagram[4:4 + (datagram[0] & 15)], 4 + (datagram[0] & 15)
    return datagram[1], token, *decode_body(datagram[at:])


def decode_body(datagram):
    """Options and payload."""
    at, number, options = 0, 0, []

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
    return options, datagram[at + 1:]


class Server:
    """Answers /rd, and asks what a test wants."""

    def __init__(self, family=socket.AF_INET, register=0x41, bridge=None):
        """`bridge`: what stands for the socket, and has its port (see bridges.py)."""
        self.socket = bridge or socket.socket(family, socket.SOCK_DGRAM)
        if bridge is None:
            self.socket.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        self.port = self.socket.getsockname()[1]
        self.register, self.peer, self.mid = register, None, 1
        self.files = {}  # path: bytes that are served by Block2
        self.asked = 0  # blocks of them
        self.deaf = False  # answers no requests
        self.seen = []  # (code, path, queries, payload) of each request of the device
        self.heard = set()  # as they came: what comes once more is a repetition, for an answer was late

    def close(self):
        self.socket.close()

    def _answer(self, datagram, peer, code, options, payload=b""):
        token = datagram[4:4 + (datagram[0] & 15)]
        message = bytes([0x60 | len(token), code]) + datagram[2:4] + token + encode_options(options)
        self.socket.sendto(message + (b"\xff" + payload if payload else b""), peer)

    def _serve(self, datagram, peer):
        code, _, options, payload = decode(datagram)
        path = b"/".join(value for number, value in options if number == 11).decode()
        if self.deaf:
            return
        if code == GET:
            self._serve_file(datagram, peer, path, dict(options))
            return
        if datagram[0] >> 4 & 3 != CON or (datagram, peer) not in self.heard:
            self.seen.append((code, path, [v.decode() for n, v in options if n == 15], payload.decode(errors="replace")))
        self.heard.add((datagram, peer))
        self.peer = peer
        if path == "rd":
            self._answer(datagram, peer, self.register, [(8, b"rd"), (8, b"7")] if self.register == 0x41 else [])
        else:
            self._answer(datagram, peer, 0x42 if code == DELETE else 0x44, [])

    def _serve_file(self, datagram, peer, path, options):
        if path not in self.files:
            self._answer(datagram, peer, 0x84, [])
            return
        content = self.files[path]
        block = int.from_bytes(options.get(BLOCK2, bytes([BLOCK_SZX])), "big")
        size = 16 << min(block & 7, BLOCK_SZX)
        start = (block >> 4) * size
        more = start + size < len(content)
        value = (block >> 4) << 4 | (8 if more else 0) | min(block & 7, BLOCK_SZX)
        etag = (hash(content) & 0xFFFFFFFF).to_bytes(4, "big")
        self.asked += 1
        self._answer(datagram, peer, 0x45, [(4, etag), (BLOCK2, value.to_bytes(3, "big").lstrip(b"\0"))],
                     content[start:start + size])

    def turn(self, timeout_s=0.1):
        """Serves one datagram; gives what was no request."""
        if not select.select([self.socket], [], [], timeout_s)[0]:
            return None
        datagram, peer = self.socket.recvfrom(65536)
        if 0 < datagram[1] < 32:
            self._serve(datagram, peer)
            return None
        if datagram[1] != 0 and datagram[0] >> 4 & 3 == CON:  # an answer that came by itself
            self.socket.sendto(bytes([0x40 | ACK << 4, 0]) + datagram[2:4], peer)
        return decode(datagram)

    def wait(self, happened):
        end = time.monotonic() + TIMEOUT_S
        while not happened():
            if time.monotonic() > end:
                raise AssertionError(f"did not happen; seen {self.seen}")
            self.turn()

    def ask(self, code, path, payload=b"", content_format=None, accept=None, query=None, block1=None,
            timeout_s=TIMEOUT_S):
        """Sends a request, again and again until there is an answer: a device that reboots is deaf for a while, and may come
        back with another port. It knows a repeated one by its message id."""
        options = [(11, part.encode()) for part in path.strip("/").split("/")]
        if content_format is not None:
            options.append((12, content_format.to_bytes(2, "big").lstrip(b"\0")))
        for part in query or []:
            options.append((15, part.encode()))
        if accept is not None:
            options.append((17, accept.to_bytes(2, "big").lstrip(b"\0")))
        if block1 is not None:
            options.append((BLOCK1, block1.to_bytes(3, "big").lstrip(b"\0")))
        self.mid += 1
        token = b"t" + struct.pack(">H", self.mid)  # late answers to others are not taken for this one's
        message = bytes([0x40 | len(token), code]) + struct.pack(">H", self.mid) + token + encode_options(options)
        message += b"\xff" + payload if payload else b""
        end, repeat = time.monotonic() + timeout_s, 0
        while time.monotonic() < end:
            if time.monotonic() >= repeat:
                self.socket.sendto(message, self.peer)
                repeat = time.monotonic() + REPEAT_S
            answer = self.turn()
            if answer and answer[1] == token:
                return f"{answer[0] >> 5}.{answer[0] & 31:02}", answer[3]
        raise AssertionError(f"no answer to {path}")

    def read(self, path):
        """The value at a path, as a text."""
        code, payload = self.ask(GET, path, accept=0)
        return payload.decode() if code == "2.05" else code

    def push(self, path, content):
        """Writes by Block1; the code of the last block, or of the one that ended it."""
        blocks = [content[i:i + BLOCK_SIZE] for i in range(0, len(content), BLOCK_SIZE)]
        code = ""
        for number, block in enumerate(blocks):
            more = number + 1 < len(blocks)
            code, _ = self.ask(PUT, path, block, content_format=42,
                               block1=number << 4 | (8 if more else 0) | BLOCK_SZX)
            if code != "2.31":
                break
        return code


class DeviceTest(unittest.TestCase):
    """Starts programs, and ends them."""

    dunlin = None  # path of the program
    def setUp(self):
        self.server = Server()
        self.folder = tempfile.TemporaryDirectory()
        self.started = []

    def tearDown(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        self.server.close()
        self.folder.cleanup()

    def start(self, *arguments, stdin=subprocess.DEVNULL):
        process = subprocess.Popen(arguments, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def client(self, *arguments, server=None, host="127.0.0.1", scheme="coap", **options):
        port = (server or self.server).port
        return self.start(self.dunlin, "client", "-e", "prog-1", "-u", f"{scheme}://{host}:{port}", "--local",
                          "[::1]:0" if ":" in host else "127.0.0.1:0", *arguments, **options)

    def says(self, process, text):
        """Reads what a program tells, up to a line that has this text."""
        late = threading.Timer(TIMEOUT_S, process.kill)
        late.start()
        while text not in (line := process.stdout.readline()):
            if line == "":
                late.cancel()
                raise AssertionError(f"it ended, or was ended, without saying '{text}'")
        late.cancel()

    def until(self, path, value):
        """Waits until the device has this value."""
        seen = ""
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            seen = self.server.read(path)
            if seen == value:
                return
            self.server.turn(0.05)
        raise AssertionError(f"{path} is {seen}, not {value}")

    def comes_true(self, what, happened):
        """Waits for it, with the server answering meanwhile."""
        end = time.monotonic() + TIMEOUT_S
        while not (seen := happened()):
            if time.monotonic() > end:
                raise AssertionError(f"did not happen: {what}; the last look gave {seen!r}")
            self.server.turn(0.05)

    def registered(self, server=None):
        server = server or self.server
        server.wait(lambda: any(path == "rd" for _, path, _, _ in server.seen))

    def stop(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        self.server.wait(lambda: process.poll() is not None)
        return process.communicate(timeout=TIMEOUT_S)
