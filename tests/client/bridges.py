# SPDX-License-Identifier: Apache-2.0
"""What stands for the UDP socket of device_server.Server, and carries its messages over something else."""
import os
import select
import socket
import struct
import subprocess
import threading
import time

CSM, PING, PONG = 0xE1, 0xE2, 0xE3
LOCALHOST = "127.0.0.1"


class Bridge:
    """A pair of local sockets: ours is the Server's, a thread serves the other."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.port = None

    def getsockname(self):
        return LOCALHOST, self.port

    def fileno(self):
        return self.ours.fileno()

    def sendto(self, message, _):
        self.ours.send(message)

    def recvfrom(self, size):
        return self.ours.recv(size), "the device"

    def close(self):
        self.ours.close()
        self.theirs.close()


def frame(datagram):
    """A message of RFC 7252 as one of RFC 8323; an empty one is none there."""
    length, code, rest = datagram[0] & 15, datagram[1], datagram[4:]
    if code == 0:
        return b""
    size = len(rest) - length
    if size < 13:
        head = bytes([size << 4 | length])
    elif size < 269:
        head = bytes([13 << 4 | length, size - 13])
    else:
        head = struct.pack(">BH", 14 << 4 | length, size - 269)
    return head + bytes([code]) + rest


def unframe(stream):
    """The first message, as one of RFC 7252, and what follows it; None, and all of it, while it is not whole."""
    if not stream:
        return None, stream
    size, length, at = stream[0] >> 4, stream[0] & 15, 1
    more = {13: 1, 14: 2, 15: 4}.get(size, 0)
    if len(stream) < at + more + 1:
        return None, stream
    if more:
        size = int.from_bytes(stream[at:at + more], "big") + {1: 13, 2: 269, 4: 65805}[more]
    at += more
    end = at + 1 + length + size
    if len(stream) < end:
        return None, stream
    return bytes([0x50 | length, stream[at], 0, 0]) + stream[at + 1:end], stream[end:]


class TcpBridge(Bridge):
    """CoAP over TCP, or TLS with a context of ssl; one connection at a time."""

    def __init__(self, context=None):
        super().__init__()
        self.listener = socket.create_server((LOCALHOST, 0))
        self.port = self.listener.getsockname()[1]
        self.context, self.connections, self.errors = context, 0, []
        self.hang_up = threading.Event()  # the connection that is there is closed
        self.ended = False
        threading.Thread(target=self._run, daemon=True).start()

    def close(self):
        self.ended = True
        self.hang_up.set()
        self.listener.close()

    def _run(self):
        while not self.ended:
            try:
                connection, _ = self.listener.accept()
                connection = self.context.wrap_socket(connection, server_side=True) if self.context else connection
            except OSError as error:
                self.errors.append(str(error))
                continue
            self.hang_up.clear()
            self.connections += 1
            try:
                self._serve(connection)
            except OSError as error:
                self.errors.append(str(error))
            connection.close()
        super().close()

    def _serve(self, connection):
        stream = b""
        connection.sendall(bytes([0x00, CSM]))
        while not self.hang_up.is_set():
            if select.select([self.theirs], [], [], 0)[0]:
                connection.sendall(frame(self.theirs.recv(65536)))
            pending = self.context is not None and connection.pending() > 0
            if not pending and not select.select([connection, self.theirs], [], [], 0.1)[0]:
                continue
            if not pending and not select.select([connection], [], [], 0)[0]:
                continue
            got = connection.recv(65536)
            if not got:
                return
            stream += got
            message, stream = unframe(stream)
            while message:
                if message[1] == PING:
                    connection.sendall(frame(bytes([message[0], PONG]) + message[2:]))
                elif message[1] < CSM:
                    self.theirs.send(message)
                message, stream = unframe(stream)


class PipeBridge(Bridge):
    """The standard input and output of a program that secures what goes through it, such as `openssl s_server -quiet`. Where it
    secures datagrams, its pipes keep them apart (O_DIRECT in pipe(2)): each writing is one reading."""

    def __init__(self, kind, *command, framed=False):
        super().__init__()
        self.framed, self.kind = framed, kind
        for tries in range(10):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.bind((LOCALHOST, 0))
                self.port = probe.getsockname()[1]
            self._start([part.replace("PORT", str(self.port)) for part in command])
            if self._is_there():
                break
            said = self.process.stderr.read().decode()
            self._end()
            if tries == 9 or "in use" not in said:  # else somebody else was quicker with the port
                raise AssertionError(f"{self.process.args} ended: {said}")
        threading.Thread(target=self._out, daemon=True).start()
        threading.Thread(target=self._in, daemon=True).start()

    def _start(self, command):
        packets = os.O_DIRECT if self.kind == socket.SOCK_DGRAM else 0
        theirs_in, to = os.pipe2(packets | os.O_CLOEXEC)
        came, theirs_out = os.pipe2(packets | os.O_CLOEXEC)
        self.to, self.came = open(to, "wb", buffering=0), open(came, "rb", buffering=0)
        self.process = subprocess.Popen(command, stdin=theirs_in, stdout=theirs_out, stderr=subprocess.PIPE)
        os.close(theirs_in)
        os.close(theirs_out)

    def _is_there(self):
        """Whether it waits at its port. The kernel's table tells; a connection would be taken for the device's."""
        wanted = [f"{address}:{self.port:04X}" for address in ("0100007F", "00000000")]
        tables = ("/proc/net/tcp",) if self.kind == socket.SOCK_STREAM else ("/proc/net/udp", "/proc/net/udp6")
        wanted += ["0" * 32 + f":{self.port:04X}"]
        while self.process.poll() is None:
            for name in tables:
                with open(name, encoding="ascii") as table:
                    rows = [line.split() for line in table.readlines()[1:]]
                if any(row[1] in wanted and (self.kind == socket.SOCK_DGRAM or row[3] == "0A") for row in rows):
                    return True
            time.sleep(0.01)
        return False

    def _end(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.to, self.came, self.process.stderr):
            stream.close()

    def close(self):
        self._end()
        super().close()

    def _out(self):
        stream = b""
        try:
            while got := self.came.read(65536):
                if not self.framed:
                    self.theirs.send(got)
                    continue
                stream += got
                message, stream = unframe(stream)
                while message:
                    if message[1] < CSM:
                        self.theirs.send(message)
                    elif message[1] == CSM:
                        self._write(bytes([0x00, CSM]))
                    message, stream = unframe(stream)
        except (OSError, ValueError):
            pass

    def _in(self):
        try:
            while message := self.theirs.recv(65536):
                self._write(frame(message) if self.framed else message)
        except (OSError, ValueError):
            pass

    def _write(self, message):
        if message:
            self.to.write(message)
