# SPDX-License-Identifier: Apache-2.0
"""The two LwM2M servers behind one set of operations, so that one set of cases proves every pair.

An operation gives {"code": "2.05", "node": …, "contentFormat": …, "links": […], "location": …}, with what applies.
"""

import links
import toolchain
import values
from support.programs import wait_until


class DunlindServer:
    """Our server, driven through REST."""

    def __init__(self, programs, *options, **more):
        self.program = programs.dunlind("--models", toolchain.MODELS, *options, **more)
        self.uri, self.rest = self.program.uri, self.program.rest
        self.stream = self.rest.events()

    def registration(self, endpoint):
        return self.rest.client(endpoint)

    def wait_registered(self, endpoint, timeout_s=20.0):
        return wait_until(f"{endpoint} is registered", lambda: self.registration(endpoint), timeout_s)

    def wait_gone(self, endpoint):
        wait_until(f"{endpoint} is gone", lambda: self.registration(endpoint) is None)

    def _call(self, method, endpoint, path, body=None, **query):
        answer = self.rest.call(method, self.rest.device(endpoint, path), body, **query)
        out = answer.json
        if "coapCode" in out:
            out["code"] = out["coapCode"]
        if "code" not in out:
            raise AssertionError(f"{method} {path}: no code of the device in {answer!r}")
        return out

    @staticmethod
    def _format(number):
        return {} if number is None else {"format": values.FORMAT_NAMES[number]}

    def read(self, endpoint, path, format=None):
        return self._call("GET", endpoint, path, **self._format(format))

    def write(self, endpoint, path, node, format=None, mode="replace"):
        return self._call("PUT", endpoint, path, node, mode=mode, **self._format(format))

    def execute(self, endpoint, path, args=None):
        return self._call("POST", endpoint, path, None if args is None else {"args": args})

    def discover(self, endpoint, path):
        return self._call("GET", endpoint, path, op="discover")

    def create(self, endpoint, path, node, format=None):
        out = self._call("POST", endpoint, path, node, **self._format(format))
        out["location"] = out["path"]
        return out

    def delete(self, endpoint, path):
        return self._call("DELETE", endpoint, path)

    def observe(self, endpoint, path, format=None):
        return self._call("PUT", endpoint, "/observations" + path, **self._format(format))

    def cancel(self, endpoint, path):
        return self._call("DELETE", endpoint, "/observations" + path)

    def mark(self):
        return self.stream.mark()

    def notification(self, endpoint, path, since, match=None):
        return self.stream.wait("notification", since, endpoint=endpoint, path=path,
                                match=None if match is None else lambda event: "node" in event and match(event["node"]))

    def no_notification(self, endpoint, path, since, seconds):
        self.stream.silent(seconds, since, "notification", endpoint=endpoint, path=path)

    def updated(self, endpoint, since):
        return self.stream.wait("updated", since, endpoint=endpoint)["client"]


class LeshanServer:
    """Leshan's server library, driven by JSON lines."""

    def __init__(self, programs, block=None):
        options = ["--block", str(block)] if block else []
        self.program = programs.peer("leshan-server", toolchain.leshan("Server", *options))
        self.uri = self.program.event("ready", timeout_s=30)["uri"]

    def registration(self, endpoint):
        for client in self.program.ask("list")["clients"]:
            if client["endpoint"] == endpoint:
                return client
        return None

    def wait_registered(self, endpoint, timeout_s=20.0):
        return wait_until(f"{endpoint} is registered", lambda: self.registration(endpoint), timeout_s)

    def wait_gone(self, endpoint):
        wait_until(f"{endpoint} is gone", lambda: self.registration(endpoint) is None)

    def _ask(self, op, endpoint, path, format=None, **fields):
        if format is not None:
            fields["format"] = format
        answer = self.program.ask(op, endpoint=endpoint, path=path, **fields)
        if "error" in answer:
            raise AssertionError(f"Leshan could not {op} {path}: {answer['error']}")
        return answer

    def read(self, endpoint, path, format=None):
        return self._ask("read", endpoint, path, format)

    def write(self, endpoint, path, node, format=None, mode="replace"):
        return self._ask("write", endpoint, path, format, node=node, mode=mode)

    def execute(self, endpoint, path, args=None):
        return self._ask("execute", endpoint, path, **({} if args is None else {"args": args}))

    def discover(self, endpoint, path):
        answer = self._ask("discover", endpoint, path)
        if "links" in answer:
            answer["links"] = links.parse(answer["links"])
        return answer

    def create(self, endpoint, path, node, format=None):
        answer = self._ask("create", endpoint, path, format, node=node)
        if answer.get("location"):
            answer["location"] = "/" + answer["location"].lstrip("/")
        elif "id" in node:
            answer["location"] = f"{path}/{node['id']}"  # a client may leave out what the server knows
        return answer

    def delete(self, endpoint, path):
        return self._ask("delete", endpoint, path)

    def observe(self, endpoint, path, format=None):
        return self._ask("observe", endpoint, path, format)

    def cancel(self, endpoint, path):
        return self._ask("cancel", endpoint, path)

    def attributes(self, endpoint, path, query):
        return self._ask("attributes", endpoint, path, query=query)

    def forget(self, endpoint, path):
        self._ask("forget", endpoint, path)

    def mark(self):
        return self.program.mark()

    def notification(self, endpoint, path, since, match=None):
        def find():
            for event in self.program.events[since:]:
                if (event["event"] == "notification" and event["endpoint"] == endpoint and event["path"] == path
                        and (match is None or "node" in event and match(event["node"]))):
                    return event
            return None

        return wait_until(f"a notification of {path}", find)

    def no_notification(self, endpoint, path, since, seconds):
        from time import sleep
        sleep(seconds)
        for event in self.program.events[since:]:
            if event["event"] == "notification" and event["endpoint"] == endpoint and event["path"] == path:
                raise AssertionError(f"a notification came: {event}")

    def updated(self, endpoint, since):
        return self.program.event("updated", since, endpoint=endpoint)
