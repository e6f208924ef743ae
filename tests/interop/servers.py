# SPDX-License-Identifier: Apache-2.0
"""The two LwM2M servers behind one set of operations, so that one set of cases proves every pair.

An operation gives {"code": "2.05", "node": …, "contentFormat": …, "links": […], "location": …}, with what applies.
"""

import base64
import time

import links
import toolchain
import values
from support.programs import wait_until
from toolchain import START_TIMEOUT_S


def by_path(nodes):
    """[{"path", "node"}] as {path of a resource: bare value}, whatever the levels of the nodes are."""
    out = {}

    def add(path, node):
        if node is None:
            return
        for item in node.get("instances") or node.get("resources") or ():
            add(f"{path}/{item['id']}", item)
        resource, _, instance = path.rpartition("/")
        if path.count("/") == 4:  # a resource instance that came alone, as Leshan tells those of a Send
            out.setdefault(resource, {})[int(instance)] = values.plain(node)
        elif "value" in node or "values" in node:
            out[path] = values.plain(node)

    for one in nodes:
        add(one["path"], one["node"])
    return out


class DunlindServer:
    """Our server, driven through REST."""

    def __init__(self, programs, *options, **more):
        self.program = programs.dunlind("--models", toolchain.MODELS, *options, **more)
        self.uri, self.rest = self.program.uri, self.program.rest
        self.stream = self.rest.events()

    def registration(self, endpoint):
        return self.rest.client(endpoint)

    def wait_registered(self, endpoint, timeout_s=150.0):
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
        """Starts it. When this returns, the event of its first value has been seen: no later mark() lies before it."""
        since, began = self.mark(), len(self._observed(endpoint))
        out = self._call("PUT", endpoint, "/observations" + path, **self._format(format))
        if len(self._observed(endpoint)) > began:
            self.stream.wait("notification", since, endpoint=endpoint, path=path)
        return out

    def _observed(self, endpoint):
        answer = self.rest.call("GET", self.rest.device(endpoint, "/observations"))
        return answer.json["observations"] if answer.status == 200 else []

    def cancel(self, endpoint, path):
        return self._call("DELETE", endpoint, "/observations" + path)

    def mark(self):
        return self.stream.mark()

    def notification(self, endpoint, path, since, match=None):
        return self.stream.wait("notification", since, endpoint=endpoint, path=path,
                                match=None if match is None else lambda event: "node" in event and match(event["node"]))

    def no_notification(self, endpoint, path, since, seconds, match=lambda node: True):
        self.stream.silent(seconds, since, "notification", endpoint=endpoint, path=path,
                           match=lambda event: "node" not in event or match(event["node"]))

    def updated(self, endpoint, since):
        return self.stream.wait("updated", since, endpoint=endpoint)["client"]

    # ---- composites, Send, attributes, packages

    def _composite(self, method, endpoint, part, body, format=None):
        out = self._call(method, endpoint, "/composite/" + part, body, **self._format(format))
        return {**out, "values": by_path(out["nodes"])} if "nodes" in out else out

    def read_composite(self, endpoint, paths, format=None):
        return self._composite("POST", endpoint, "read", {"paths": paths}, format)

    def write_composite(self, endpoint, nodes, format=None):
        given = {path: {key: node[key] for key in ("type", "value", "values") if key in node} for path, node in nodes.items()}
        return self._composite("POST", endpoint, "write", {"values": given}, format)

    def observe_composite(self, endpoint, paths, format=None):
        since = self.mark()
        out = self._composite("POST", endpoint, "observe", {"paths": paths}, format)
        if out["code"] == "2.05":
            self.composite_notification(endpoint, paths, since)  # of the first values, as observe() does
        return out

    def cancel_composite(self, endpoint, paths):
        return self._composite("DELETE", endpoint, "observe", {"paths": paths})

    def composite_notification(self, endpoint, paths, since, match=lambda found: True):
        """The values of the first such notification for which match(values) holds."""
        event = self.stream.wait("notification", since, endpoint=endpoint, path="/", match=lambda event: (
            sorted(event["paths"]) == sorted(paths) and "nodes" in event and match(by_path(event["nodes"]))))
        return by_path(event["nodes"])

    def no_composite_notification(self, endpoint, paths, since, seconds):
        self.stream.silent(seconds, since, "notification", endpoint=endpoint, path="/")

    def sent(self, endpoint, since):
        """The values of the first Send since then."""
        return by_path(self.stream.wait("send", since, endpoint=endpoint)["nodes"])

    def attributes(self, endpoint, path, **attributes):
        return self._call("PUT", endpoint, path, attributes, op="attributes")

    def upload(self, data):
        answer = self.rest.call("POST", "/packages", data, content_type="application/octet-stream")
        if answer.status != 201:
            raise AssertionError(f"upload: {answer!r}")
        return answer.json

    def push(self, endpoint, path, data):
        """Writes an opaque value, from a package."""
        return self._call("PUT", endpoint, path, package=self.upload(data)["id"], timeout=300)


class LeshanServer:
    """Leshan's server library, driven by JSON lines."""

    def __init__(self, programs, block=None, awake_ms=None, more=()):
        options = ["--block", str(block)] if block else []
        options += ["--awake", str(awake_ms)] if awake_ms else []
        self.program = programs.peer("leshan-server", toolchain.leshan("Server", *options, *more))
        ready = self.program.event("ready", timeout_s=START_TIMEOUT_S)
        self.uri, self.secure_uri = ready["uri"], ready["secure"]

    def secure(self, **credential):
        """Makes a device's credential known."""
        answer = self.program.ask("secure", **credential)
        if "error" in answer:
            raise AssertionError(f"Leshan refused a credential: {answer['error']}")

    def unsecure(self, endpoint):
        self.program.ask("unsecure", endpoint=endpoint)

    def registration(self, endpoint):
        for client in self.program.ask("list")["clients"]:
            if client["endpoint"] == endpoint:
                return client
        return None

    def wait_registered(self, endpoint, timeout_s=150.0):
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

    def no_notification(self, endpoint, path, since, seconds, match=lambda node: True):
        time.sleep(seconds)
        for event in self.program.events[since:]:
            if (event["event"] == "notification" and event["endpoint"] == endpoint and event["path"] == path
                    and ("node" not in event or match(event["node"]))):
                raise AssertionError(f"a notification came: {event}")

    def updated(self, endpoint, since):
        return self.program.event("updated", since, endpoint=endpoint)

    # ---- composites, Send, attributes, packages

    def _composite(self, op, endpoint, format, paths=None, nodes=None):
        """Leshan sends composites in the one format that it is told."""
        fields = {"paths": paths} if nodes is None else {"nodes": nodes, "paths": []}
        answer = self.program.ask(op, endpoint=endpoint, format=format or values.SENML_CBOR, **fields)
        if "error" in answer:
            raise AssertionError(f"Leshan could not {op}: {answer['error']}")
        return {**answer, "values": by_path(answer["nodes"])} if "nodes" in answer else answer

    def read_composite(self, endpoint, paths, format=None):
        return self._composite("readComposite", endpoint, format, paths)

    def write_composite(self, endpoint, nodes, format=None):
        return self._composite("writeComposite", endpoint, format,
                               nodes=[{"path": path, "node": node} for path, node in nodes.items()])

    def observe_composite(self, endpoint, paths, format=None):
        return self._composite("observeComposite", endpoint, format, paths)

    def cancel_composite(self, endpoint, paths):
        return self._composite("cancelComposite", endpoint, None, paths)

    def _composites(self, endpoint, paths, since):
        return [by_path(event["nodes"]) for event in self.program.events[since:]
                if event["event"] == "compositeNotification" and event["endpoint"] == endpoint
                and sorted(event["paths"]) == sorted(paths) and "nodes" in event]

    def composite_notification(self, endpoint, paths, since, match=lambda found: True):
        return wait_until(f"a notification of {paths}", lambda: next(
            (found for found in self._composites(endpoint, paths, since) if match(found)), None))

    def no_composite_notification(self, endpoint, paths, since, seconds):
        time.sleep(seconds)
        came = self._composites(endpoint, paths, since)
        if came:
            raise AssertionError(f"a notification came: {came}")

    def sent(self, endpoint, since):
        self.program.event("send", since, endpoint=endpoint)
        return by_path(self.program.ask("sent", endpoint=endpoint)["nodes"])

    def attributes(self, endpoint, path, **attributes):
        query = "&".join(name if value is None else f"{name}={value}" for name, value in attributes.items())
        return self._ask("attributes", endpoint, path, query=query)

    def push(self, endpoint, path, data):
        node = {"type": "opaque", "value": base64.b64encode(data).decode()}
        return self.program.ask("write", timeout_s=80, endpoint=endpoint, path=path, node=node, mode="replace",
                                format=values.OPAQUE)
