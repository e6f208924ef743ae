# SPDX-License-Identifier: Apache-2.0
"""Starts the programs under test and their peers, keeps their output in files, ends them by their process ids."""

import atexit
import contextlib
import json
import os
import queue
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from support.rest import Rest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BIN = os.environ.get("DUNLIN_BIN_DIR", os.path.join(ROOT, "build", "bin"))
WORK = os.environ.get("DUNLIN_INTEROP_DIR", os.path.join(ROOT, "build", "interop"))
LOGS = os.environ.get("DUNLIN_INTEROP_LOGS", os.path.join(WORK, "logs"))
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 90
PORTS = range(12000, 32000)  # the kernel gives none of these to who asks for any
LOG_LINES_SHOWN = 40
LOGS_SHOWN = 6
LISTENING = "0A"  # in /proc/net/tcp

_running = []


@atexit.register
def _kill_all():
    for process in _running:
        if process.poll() is None:
            process.kill()


def wait_until(what, condition, timeout_s=120.0, every_s=0.05):
    """The first true value of `condition()`; what does not come in time is an AssertionError."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_s:g} s: {what}; the last look gave {value!r}"[:2000])
        time.sleep(every_s)


def free_port(count=1):
    """The first of `count` ports of the loopback, UDP and TCP, that nobody has: for programs that can't choose one and tell, and for
    those that are started again at the same one."""
    for _ in range(1000):
        first = random.SystemRandom().choice(PORTS)
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + count):
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        held.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
                return first
            except OSError:
                pass
    raise AssertionError("no port is free")


def lasting_addresses():
    """Where a dunlind can be started again."""
    return {name: f"127.0.0.1:{free_port()}" for name in ("coap", "http")}


def bound_port(pid, kind="udp"):
    """The port that a process has bound ("udp") or listens on ("tcp"); None: it has none."""
    inodes = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    for table in (kind, kind + "6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                if fields[9] in inodes and (kind == "udp" or fields[3] == LISTENING):
                    return int(fields[1].rpartition(":")[2], 16)
    return None


class Program:
    """A child with its output in a file. `lines`: its standard output is read by line instead."""

    ends_well = False  # whether its exit status must be 0 when it is asked to end

    def __init__(self, name, arguments, lines=False, cwd=None, env=None):
        os.makedirs(LOGS, exist_ok=True)
        self.name, self.killed = name, False
        self.log_path = os.path.join(LOGS, "".join(c if c.isalnum() or c in "-_." else "_" for c in name) + ".log")
        self.log = open(self.log_path, "ab")
        self.log.write(("$ " + " ".join(arguments) + "\n").encode())
        self.log.flush()
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, cwd=cwd, env=env,
                                        stdout=subprocess.PIPE if lines else self.log, stderr=self.log)
        _running.append(self.process)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def type(self, line):
        self.process.stdin.write((line + "\n").encode())
        self.process.stdin.flush()

    def lines_said(self):
        """The lines of its standard output, kept in the log too, until it ends or is stopped."""
        try:
            for line in self.process.stdout:
                if not self.log.closed:
                    self.log.write(line)
                    self.log.flush()
                yield line
        except (OSError, ValueError):
            return  # closed under our hands

    def stop(self):
        """Its exit status, after a request to end or, when that is not heeded, a kill."""
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()  # and its status tells that it did not heed
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                try:
                    stream.close()
                except OSError:
                    pass
        self.log.close()
        return self.process.returncode

    def kill(self):
        self.killed = True
        self.process.kill()
        self.process.wait()

    def tail(self):
        with open(self.log_path, "rb") as log:
            return log.read().decode(errors="replace").splitlines()[-LOG_LINES_SHOWN:]

    def text(self):
        with open(self.log_path, "rb") as log:
            return log.read().decode(errors="replace")


class JsonPeer(Program):
    """A child that speaks JSON lines: requests with an id are answered, events come by themselves."""

    def __init__(self, name, arguments, **more):
        super().__init__(name, arguments, lines=True, **more)
        self.events, self.answers, self.number = [], {}, 0
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.lines_said():
            if not line.startswith(b"{"):
                continue
            message = json.loads(line)
            with self.changed:
                if "event" in message:
                    self.events.append(message)
                else:
                    self.answers[message["id"]] = message
                self.changed.notify_all()

    def ask(self, op, timeout_s=90.0, **fields):
        with self.changed:
            self.number += 1
            number = self.number
        self.type(json.dumps({"id": number, "op": op, **fields}))
        with self.changed:
            if not self.changed.wait_for(lambda: number in self.answers, timeout_s):
                raise AssertionError(f"{self.name} did not answer {op} {fields} within {timeout_s:g} s")
            answer = self.answers.pop(number)
        return answer

    def mark(self):
        """A place among the events, to await those after it."""
        with self.changed:
            return len(self.events)

    def event(self, name, since=0, timeout_s=120.0, **fields):
        """The first event of this name and these fields at or after the place `since`."""
        def find():
            for event in self.events[since:]:
                if event["event"] == name and all(event.get(k) == v for k, v in fields.items()):
                    return event
            return None

        with self.changed:
            if not self.changed.wait_for(lambda: find() is not None, timeout_s):
                seen = [e["event"] for e in self.events[since:]]
                raise AssertionError(f"{self.name}: no event {name} {fields} within {timeout_s:g} s; seen: {seen}")
            return find()


class Dunlind(Program):
    """A server on free ports of the loopback, or (for a second start) on those given."""

    ends_well = True

    def __init__(self, name, *options, data=None, coap="127.0.0.1:0", http="127.0.0.1:0"):
        self.data = data or tempfile.mkdtemp(prefix="dunlind-", dir=WORK)
        self.options = options
        ready = os.path.join(self.data, "ready.json")
        if os.path.exists(ready):
            os.remove(ready)
        super().__init__(name, [os.path.join(BIN, "dunlind"), "--data", self.data, "--coap", coap, "--http", http,
                                "--ready-file", ready, *options])
        wait_until(f"{name} is ready", lambda: not self.alive() or (os.path.exists(ready) and os.path.getsize(ready)),
                   START_TIMEOUT_S)
        if not self.alive():
            raise AssertionError(f"{name} ended by itself:\n" + "\n".join(self.tail()))
        with open(ready, encoding="utf-8") as file:
            addresses = json.load(file)
        self.coap, self.http = addresses["coap"], addresses["http"]
        self.addresses = addresses
        self.uri = "coap://" + self.coap
        self.url = "http://" + self.http
        self.rest = Rest(self.http)

    def uri_of(self, scheme):
        """That of one of its ports: coap, coaps, coap+tcp, coaps+tcp."""
        return f"{scheme}://{self.addresses[scheme]}"

    def remove_data(self):
        shutil.rmtree(self.data, ignore_errors=True)


class Programs:
    """The programs of a suite, so that they are stopped together and their output is shown when a case fails."""

    def __init__(self, suite):
        self.suite = suite
        self.members = []

    def _name(self, name):
        return f"{self.suite}-{name}".replace(" ", "_")

    def start(self, name, arguments, **more):
        return self.add(Program(self._name(name), arguments, **more))

    def peer(self, name, arguments, **more):
        return self.add(JsonPeer(self._name(name), arguments, **more))

    def dunlind(self, *options, name="dunlind", **more):
        return self.add(Dunlind(self._name(name), *options, **more))

    def client(self, endpoint, uri, *options, name="client"):
        return self.start(name, [os.path.join(BIN, "dunlin"), "client", "-e", endpoint, "-u", uri, *options])

    def add(self, program):
        self.members.append(program)
        return program

    def log_sizes(self):
        return {member: os.path.getsize(member.log_path) for member in self.members}

    def show_logs(self, before=None):
        """Of the programs whose logs have grown since `before` (of log_sizes), or of all; of many, those that are newest."""
        shown = [one for one in self.members if before is None or os.path.getsize(one.log_path) != before.get(one)]
        for member in shown[-LOGS_SHOWN:]:
            print(f"        -- the end of {member.log_path}")
            for line in member.tail():
                print(f"        | {line}")

    def stop_all(self):
        """What was wrong with the ends of our own programs, a text for each."""
        troubles = []
        for member in reversed(self.members):
            status = member.stop()
            if member.ends_well and status not in (0, -signal.SIGKILL if member.killed else 0):
                troubles.append(f"{member.name} ended with status {status}")
            if isinstance(member, Dunlind):
                member.remove_data()
        return troubles
