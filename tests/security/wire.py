# SPDX-License-Identifier: Apache-2.0
"""CoAP by hand over whatever carries bytes: messages of RFC 7252 (datagrams) and of RFC 8323 (streams), a device and a server made of them."""

import collections
import os
import queue
import struct
import subprocess
import threading
import time

CON, NON, ACK, RST = 0, 1, 2, 3
GET, POST, PUT, DELETE = 1, 2, 3, 4
CREATED, DELETED, CHANGED, CONTENT, NOT_FOUND = 0x41, 0x42, 0x44, 0x45, 0x84
CSM, PING, PONG, RELEASE, ABORT = 0xE1, 0xE2, 0xE3, 0xE4, 0xE5
OBSERVE, LOCATION_PATH, URI_PATH, CONTENT_FORMAT, URI_QUERY, ACCEPT = 6, 8, 11, 12, 15, 17
MAX_MESSAGE_SIZE, BLOCK_WISE = 2, 4  # options of a CSM
ANSWER_TIMEOUT_S = 60

Message = collections.namedtuple("Message", "kind code mid token options payload")


def code_text(code):
    return f"{code >> 5}.{code & 31:02d}"


def _nibble(number):
    return number if number < 13 else 13 if number < 269 else 14


def _extended(number):
    if number < 13:
        return b""
    return bytes([number - 13]) if number < 269 else struct.pack("!H", number - 269)


def _options(options):
    out, last = bytearray(), 0
    for number, value in sorted(options, key=lambda option: option[0]):
        out.append(_nibble(number - last) << 4 | _nibble(len(value)))
        out += _extended(number - last) + _extended(len(value)) + value
        last = number
    return bytes(out)


def _read_options(data):
    """(options, payload) of what follows the token."""
    options, number, at = [], 0, 0

    def extended(nibble, at):
        if nibble == 13:
            return data[at] + 13, at + 1
        if nibble == 14:
            return struct.unpack_from("!H", data, at)[0] + 269, at + 2
        return nibble, at

    while at < len(data) and data[at] != 0xFF:
        first = data[at]
        delta, at = extended(first >> 4, at + 1)
        length, at = extended(first & 15, at)
        number += delta
        options.append((number, data[at:at + length]))
        at += length
    return options, data[at + 1:]


def datagram(message):
    body = _options(message.options) + (b"\xff" + message.payload if message.payload else b"")
    return bytes([0x40 | message.kind << 4 | len(message.token), message.code]) + struct.pack("!H", message.mid) + message.token + body


def read_datagram(data):
    tkl = data[0] & 15
    options, payload = _read_options(data[4 + tkl:])
    return Message(data[0] >> 4 & 3, data[1], struct.unpack_from("!H", data, 2)[0], data[4:4 + tkl], options, payload)


def frame(message):
    """A message on a stream (RFC 8323 section 3.2)."""
    body = _options(message.options) + (b"\xff" + message.payload if message.payload else b"")
    length = len(body)
    nibble = length if length < 13 else 13 if length < 269 else 14 if length < 65805 else 15
    more = (b"" if nibble < 13 else bytes([length - 13]) if nibble == 13 else struct.pack("!H", length - 269) if nibble == 14
            else struct.pack("!I", length - 65805))
    return bytes([nibble << 4 | len(message.token)]) + more + bytes([message.code]) + message.token + body


def read_frame(data):
    """(message, bytes used), or (None, 0) while it is not all there."""
    if not data:
        return None, 0
    nibble, tkl = data[0] >> 4, data[0] & 15
    extra = {13: 1, 14: 2, 15: 4}.get(nibble, 0)
    if len(data) < 1 + extra:
        return None, 0
    number = int.from_bytes(data[1:1 + extra], "big")
    length = {13: number + 13, 14: number + 269, 15: number + 65805}.get(nibble, nibble)
    begin = 1 + extra + 1 + tkl
    if len(data) < begin + length:
        return None, 0
    options, payload = _read_options(data[begin:begin + length])
    return Message(None, data[1 + extra], None, data[2 + extra:begin], options, payload), begin + length


class Wire:
    """Messages over a pair of functions: write(bytes), and read() which gives what came, b"" at the end."""

    def __init__(self, write, read, stream):
        self.write, self.stream = write, stream
        self.came, self.mid, self.ended = queue.Queue(), 1, False
        threading.Thread(target=self._read, args=(read,), daemon=True).start()

    def _read(self, read):
        data = b""
        while True:
            try:
                part = read()
            except (OSError, ValueError):
                part = b""
            if not part:
                break
            data += part
            while data:
                message, used = read_frame(data) if self.stream else (read_datagram(data), len(data))
                if message is None:
                    break
                self.came.put(message)
                data = data[used:]
        self.ended = True
        self.came.put(None)

    def send(self, message):
        self.write(frame(message) if self.stream else datagram(message))

    def receive(self, timeout_s=ANSWER_TIMEOUT_S):
        """The next message; None at the end."""
        try:
            return self.came.get(timeout=timeout_s)
        except queue.Empty:
            raise AssertionError(f"nothing came within {timeout_s:g} s") from None

    def request(self, code, path, query=(), payload=b"", options=(), token=b"ask"):
        """The answer to a request. Those that come meanwhile are refused."""
        self.mid += 1
        options = [*options, *((URI_PATH, part.encode()) for part in path.strip("/").split("/") if part),
                   *((URI_QUERY, part.encode()) for part in query)]
        self.send(Message(CON, code, self.mid, token, options, payload))
        while True:
            message = self.receive()
            if message is None:
                raise AssertionError("the connection has ended before an answer came")
            if message.token == token and message.code >= 0x40 and message.code < 0xE0:
                if message.kind == CON:
                    self.send(Message(ACK, 0, message.mid, b"", [], b""))
                return message
            if message.code == PING:
                self.send(Message(None, PONG, None, message.token, [], b""))

    def answer(self, request, code, options=(), payload=b""):
        self.send(Message(ACK, code, request.mid, request.token, list(options), payload))


def path_of(message):
    return "/" + "/".join(value.decode() for number, value in message.options if number == URI_PATH)


def option(message, wanted):
    return next((value for number, value in message.options if number == wanted), None)


class HandDevice:
    """A device with text resources, {path: bytes}, which a thread serves after it has registered."""

    def __init__(self, wire, values):
        self.wire, self.values = wire, values
        self.location, self.observers, self.sequence = None, {}, 10

    def open(self):
        """On a stream: our CSM, and the server's, which must be its first message."""
        self.wire.send(Message(None, CSM, None, b"", [(MAX_MESSAGE_SIZE, b"\x10\x00"), (BLOCK_WISE, b"")], b""))
        first = self.wire.receive()
        if first is None or first.code != CSM:
            raise AssertionError(f"no CSM, but {first}")
        return first

    def register(self, endpoint, lifetime=300, binding="U"):
        answer = self.wire.request(POST, "/rd", [f"ep={endpoint}" if endpoint else "b=" + binding, f"lt={lifetime}", "lwm2m=1.1"],
                                   b"</3/0>,</3303/0>", [(CONTENT_FORMAT, b"\x28")])
        if answer.code == CREATED:
            self.location = "/" + "/".join(value.decode() for number, value in answer.options if number == LOCATION_PATH)
        return answer.code

    def update(self):
        return self.wire.request(POST, self.location).code

    def serve(self):
        """Answers requests from now on."""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            message = self.wire.came.get()
            if message is None:
                return
            if message.code == PING:
                self.wire.send(Message(None, PONG, None, message.token, [], b""))
            if not 1 <= message.code < 32:
                continue
            path = path_of(message)
            if message.code != GET or path not in self.values:
                self.wire.answer(message, NOT_FOUND)
                continue
            observe = option(message, OBSERVE)
            more = [(CONTENT_FORMAT, b"")]
            if observe is not None and not any(observe):
                self.observers[path] = message.token
                more.append((OBSERVE, bytes([self.sequence])))
            self.wire.answer(message, CONTENT, more, self.values[path])

    def change(self, path, value):
        self.values[path] = value
        self.sequence += 1
        self.wire.mid += 1
        self.wire.send(Message(NON, CONTENT, self.wire.mid, self.observers[path],
                               [(OBSERVE, bytes([self.sequence])), (CONTENT_FORMAT, b"")], value))


class HandServer:
    """A server that takes the first Register that comes, and then asks."""

    def __init__(self, wire):
        self.wire, self.endpoint = wire, None

    def open(self):
        self.wire.send(Message(None, CSM, None, b"", [(MAX_MESSAGE_SIZE, b"\x10\x00"), (BLOCK_WISE, b"")], b""))

    def registered(self, timeout_s=ANSWER_TIMEOUT_S):
        """The name of the device that registers."""
        end = time.monotonic() + timeout_s
        while True:
            message = self.wire.receive(max(0.1, end - time.monotonic()))
            if message is None:
                raise AssertionError("the connection has ended before a Register came")
            if message.code == POST and path_of(message) == "/rd":
                query = [value.decode() for number, value in message.options if number == URI_QUERY]
                self.endpoint = next(item[3:] for item in query if item.startswith("ep="))
                self.wire.answer(message, CREATED, [(LOCATION_PATH, b"rd"), (LOCATION_PATH, b"1")])
                return self.endpoint

    def read(self, path):
        return self.wire.request(GET, path, options=[(ACCEPT, b"")], token=b"read")


class Piped(subprocess.Popen):
    """A program whose standard input and output are the bytes of a Wire; what it says of itself goes to a log. `datagrams`: its
    pipes keep them apart (O_DIRECT in pipe(2)): each writing is one reading."""

    def __init__(self, arguments, log_path, datagrams=False):
        self.log_path = log_path
        packets = (os.O_DIRECT if datagrams else 0) | os.O_CLOEXEC
        theirs_in, to = os.pipe2(packets)
        came, theirs_out = os.pipe2(packets)
        with open(log_path, "ab") as log:
            log.write(("$ " + " ".join(arguments) + "\n").encode())
            log.flush()
            super().__init__(arguments, stdin=theirs_in, stdout=theirs_out, stderr=log, bufsize=0)
        os.close(theirs_in)
        os.close(theirs_out)
        self.stdin, self.stdout = open(to, "wb", buffering=0), open(came, "rb", buffering=0)

    def wire(self, stream):
        return Wire(self.stdin.write, lambda: self.stdout.read(65536), stream)

    def said(self):
        with open(self.log_path, "rb") as log:
            return log.read().decode(errors="replace")

    def close(self):
        for pipe in (self.stdin, self.stdout):
            try:
                pipe.close()
            except OSError:
                pass
        if self.poll() is None:
            self.kill()
        return self.wait()
