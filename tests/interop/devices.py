# SPDX-License-Identifier: Apache-2.0
"""The two LwM2M devices behind one set of operations: what a person at the device could see and do."""

import datetime
import os
import re
import threading

import toolchain
import values
from support.programs import BIN, Program

ANSWER_TIMEOUT_S = 120  # what answers in milliseconds, but on a machine that does much besides


class LeshanDevice:
    """Leshan's client library with objects 1, 3, 3303 and 33500, and 5 if asked for."""

    def __init__(self, programs, endpoint, uri, lwm2m="1.1", lifetime=300, block=None, queue=False, firmware=False,
                 more=()):
        self.endpoint, self.lwm2m = endpoint, lwm2m
        options = ["--endpoint", endpoint, "--server", uri, "--lwm2m", lwm2m, "--lifetime", str(lifetime)]
        options += ["--block", str(block)] if block else []
        options += ["--queue", "yes"] if queue else []
        options += ["--firmware", "yes"] if firmware else []
        options += more
        self.program = programs.peer(endpoint, toolchain.leshan("Device", *options))
        self.program.event("ready", timeout_s=toolchain.START_TIMEOUT_S)
        self.set("/3/0/0", "string", "Leshan")
        self.set("/3/0/1", "string", "M15")
        self.set("/3/0/2", "string", "serial-1")
        self.set("/3/0/11", "integer", {0: 0})
        self.set("/3/0/16", "string", "U")
        self.set("/3303/0/5700", "float", 20.25)
        self.set("/3303/0/5701", "string", "Cel")
        self.fill()
        self.program.ask("start")

    def fill(self):
        """The test object's instance 0 with the first value of each resource."""
        for node in values.instance_node()["resources"]:
            self.program.ask("set", path=f"/33500/0/{node['id']}", node=node)
        self.set("/33500/0/11", "integer", 11)

    def set(self, path, kind, value):
        answer = self.program.ask("set", path=path, node={"type": kind, **values.content(value)})
        if "error" in answer:
            raise AssertionError(answer["error"])

    def get(self, path):
        """The bare value that the device holds, or None."""
        answer = self.program.ask("get", path=path)
        return values.plain(answer["node"]) if "node" in answer else None

    def mark(self):
        return self.program.mark()

    def executed(self, path, since):
        """The arguments with which a resource was executed."""
        return self.program.event("executed", since, path=path)["args"]

    def update(self):
        self.program.event("registered")  # which the server may know earlier
        self.program.ask("update")

    def send(self, *paths, format=values.SENML_CBOR):
        """The code with which the server answered a Send of these paths."""
        self.program.event("registered")  # which the server may know earlier
        answer = self.program.ask("send", paths=list(paths), format=format)
        return answer["code"] if "code" in answer else answer["error"]

    def stop(self):
        """Ends with a de-registration."""
        self.program.ask("stop")


class DunlinDevice:
    """`dunlin client` with objects 1, 3, 3303, 3311 and 33500, driven by its console."""

    FORMATS = {"1.0": [values.TEXT, values.OPAQUE, values.TLV, values.LWM2M_JSON],
               "1.1": [values.TEXT, values.OPAQUE, values.CBOR, values.SENML_JSON, values.SENML_CBOR, values.TLV]}
    TAKES = [values.LWM2M_JSON]  # of 1.0: read in 1.1 too, never written there

    def __init__(self, programs, endpoint, uri, lwm2m="1.1", lifetime=300, more=()):
        self.endpoint, self.lwm2m = endpoint, lwm2m
        self.program = programs.add(Console(programs, endpoint, [
            os.path.join(BIN, "dunlin"), "client", "-e", endpoint, "-u", uri, "--lwm2m", lwm2m, "--lifetime", str(lifetime),
            "--period", "0", "--object", os.path.join(toolchain.MODELS, "33500.xml"), "-v", *more]))
        for node in values.instance_node()["resources"]:
            value = values.plain(node)
            if isinstance(value, dict):
                self.program.do(f"unset /33500/0/{node['id']}")  # what it invented
            self.set(f"/33500/0/{node['id']}", node["type"], value)
        self.set("/33500/0/11", "integer", 11)

    def set(self, path, kind, value):
        if isinstance(value, dict):
            for key, item in value.items():
                self.set(f"{path}/{key}", kind, item)
            return
        answer = self.program.do(f"set {path} {self._text(kind, value)}")
        if not any(line == f"{path} is set" for line in answer):
            raise AssertionError(f"set {path}: {answer}")

    def get(self, path):
        """The bare value that the device holds, or None."""
        found = {}
        for line in self.program.do(f"get {path}"):
            name, equals, rest = line.partition(" = ")
            if equals and (name == path or name.startswith(path + "/")):
                text, _, kind = rest.rpartition(" (")
                found[name] = self._value(kind.rstrip(")"), text)
        if path in found:
            return found[path]
        return {int(name.rpartition("/")[2]): value for name, value in found.items()} or None

    @staticmethod
    def _text(kind, value):
        if kind == "boolean":
            return "1" if value else "0"
        if kind == "time":
            return str(int(datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()))
        return repr(value) if kind == "float" else str(value)

    @staticmethod
    def _value(kind, text):
        if kind == "boolean":
            return text == "1"
        if kind == "time":
            return datetime.datetime.fromtimestamp(int(text), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return int(text) if kind in ("integer", "unsigned") else float(text) if kind == "float" else text

    def count(self, what):
        """A number of its own statistics: "datagrams" taken in, "notifications" sent."""
        begin = self.program.mark()
        self.program.do("")
        line = next(line for line in self.program.lines[begin:] if " datagrams " in line)
        return int(line.split(f" {what} ")[1].split()[0].rstrip(";,"))

    def mark(self):
        return self.program.mark()

    def executed(self, path, since):
        """The arguments with which a resource was executed."""
        self.program.wait(f"executed {path}", since)
        self.program.do("help")  # what it says next has come by then
        said = self.program.lines[since:]
        behind = said[said.index(f"executed {path}") + 1]
        return behind.removeprefix("arguments ") if behind.startswith("arguments ") else ""

    def update(self):
        self.program.do("update")

    def send(self, *paths):
        """The code with which the server answered a Send of these paths."""
        since = self.mark()
        self.program.do("send " + " ".join(paths))
        said = self.program.wait_match(r"(server \d+ has taken it|error: .*)", since)[0]
        return "2.04" if said.endswith("has taken it") else said

    def stop(self):
        """Ends with a de-registration."""
        self.program.type("quit")
        self.program.process.wait(ANSWER_TIMEOUT_S)


class Console(Program):
    """The console of `dunlin client`: a command's answers are the lines up to those of a following `status`."""

    ends_well = True

    def __init__(self, programs, name, arguments):
        super().__init__(f"{programs.suite}-{name}", arguments, lines=True)
        self.lines, self.changed = [], threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for raw in self.lines_said():
            with self.changed:
                self.lines.append(raw.decode().rstrip("\n"))
                self.changed.notify_all()

    def mark(self):
        with self.changed:
            return len(self.lines)

    def do(self, command):
        begin = self.mark()
        self.type(command)
        self.type("status")
        with self.changed:
            if not self.changed.wait_for(lambda: any(" datagrams " in line for line in self.lines[begin:]), ANSWER_TIMEOUT_S):
                raise AssertionError(f"the console of {self.name} does not answer {command!r} within {ANSWER_TIMEOUT_S} s")
            end = next(i for i in range(begin, len(self.lines)) if " datagrams " in self.lines[i])
            return self.lines[begin:end]

    def wait(self, line, since, timeout_s=ANSWER_TIMEOUT_S):
        with self.changed:
            if not self.changed.wait_for(lambda: line in self.lines[since:], timeout_s):
                raise AssertionError(f"{self.name} did not say {line!r}: {self.lines[since:]}")

    def wait_match(self, pattern, since, timeout_s=ANSWER_TIMEOUT_S):
        """The match of the first whole line that the pattern fits."""
        def find():
            return next((match for match in (re.fullmatch(pattern, line) for line in self.lines[since:]) if match), None)

        with self.changed:
            if not self.changed.wait_for(lambda: find() is not None, timeout_s):
                raise AssertionError(f"{self.name} did not say {pattern!r}: {self.lines[since:]}")
            return find()
