# SPDX-License-Identifier: Apache-2.0
"""A small client of dunlind's REST interface and of its event stream."""

import http.client
import json
import socket
import threading
import time
import urllib.parse

HTTP_TIMEOUT_S = 300


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:600]!r}>"


class Rest:
    def __init__(self, address):
        self.address = address

    def call(self, method, path, body=None, content_type="application/json", **query):
        connection = http.client.HTTPConnection(self.address, timeout=HTTP_TIMEOUT_S)
        try:
            target = "/api/v1" + path + ("?" + urllib.parse.urlencode(query) if query else "")
            headers = {}
            if body is not None:
                headers["Content-Type"] = content_type
                if not isinstance(body, (str, bytes)):
                    body = json.dumps(body)
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read().decode())
        finally:
            connection.close()

    def want(self, status, method, path, body=None, **query):
        """The JSON of an answer that must have this status."""
        answer = self.call(method, path, body, **query)
        if answer.status != status:
            raise AssertionError(f"{method} {path} {query or ''}: wanted {status}, got {answer!r}")
        return answer.json if answer.body else None

    def device(self, endpoint, path=""):
        return "/clients/" + urllib.parse.quote(endpoint, safe="") + path

    def read(self, endpoint, path, **query):
        return self.want(200, "GET", self.device(endpoint, path), **query)

    def client(self, endpoint):
        """The registration of a name, or None."""
        answer = self.call("GET", self.device(endpoint))
        return answer.json if answer.status == 200 else None

    def clients(self):
        out, after = [], None
        while True:
            page = self.want(200, "GET", "/clients", limit=1000, **({"after": after} if after else {}))
            out += page["clients"]
            after = page["next"]
            if after is None:
                return out

    def metrics(self):
        """Each sample of /metrics by its name with labels."""
        out = {}
        for line in self.call("GET", "/metrics").body.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                out[name] = float(value)
        return out

    def events(self, **query):
        return Events(self.address, query)


class Events:
    """The event stream, read by a thread of its own."""

    def __init__(self, address, query):
        self.seen = []
        self.changed = threading.Condition()
        self.connection = http.client.HTTPConnection(address, timeout=HTTP_TIMEOUT_S)
        self.connection.connect()
        self.socket = self.connection.sock
        self.connection.request("GET", "/api/v1/events" + ("?" + urllib.parse.urlencode(query) if query else ""))
        self.response = self.connection.getresponse()
        if self.response.status != 200:
            raise AssertionError(f"/events: {self.response.status} {self.response.read()[:300]!r}")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        data = []
        try:
            for raw in self.response:
                line = raw.decode().rstrip("\r\n")
                if line.startswith("data:"):
                    data.append(line[5:].strip())
                elif not line and data:
                    with self.changed:
                        self.seen.append(json.loads("\n".join(data)))
                        self.changed.notify_all()
                    data = []
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # closed

    def mark(self):
        with self.changed:
            return len(self.seen)

    def wait(self, kind, since=0, timeout_s=120.0, match=None, **fields):
        """The first event of a type (and fields, and for which match(event) holds) at or after `since`."""
        def find():
            for event in self.seen[since:]:
                if (event["type"] == kind and all(event.get(k) == v for k, v in fields.items())
                        and (match is None or match(event))):
                    return event
            return None

        with self.changed:
            if not self.changed.wait_for(lambda: find() is not None, timeout_s):
                raise AssertionError(f"no event {kind} {fields} within {timeout_s:g} s; seen: {self.seen[since:]}")
            return find()

    def silent(self, seconds, since, kind, match=None, **fields):
        """Fails when an event of this type (for which match(event) holds) comes within `seconds`."""
        time.sleep(seconds)
        with self.changed:
            for event in self.seen[since:]:
                if (event["type"] == kind and all(event.get(k) == v for k, v in fields.items())
                        and (match is None or match(event))):
                    raise AssertionError(f"an event {kind} came: {event}")

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # first: the reader holds a lock that close() waits for
        except OSError:
            pass
        self.connection.close()
