# SPDX-License-Identifier: Apache-2.0
"""Runs the real dunlind on free loopback ports, and calls its API with every answer checked against openapi.json."""

import atexit
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
import warnings

import jsonschema

warnings.filterwarnings("ignore", category=DeprecationWarning)  # RefResolver: Debian 12 has nothing newer

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
DUNLIND = os.environ.get("DUNLIND", os.path.join(ROOT, "build", "bin", "dunlind"))
STOP_S = 120
START_S = 120 if "sanitize" in os.environ.get("DUNLIN_TEST_BUILD", "") else 60


_folders = []


@atexit.register
def _tidy():
    """DUNLIN_TEST_KEEP=1 keeps the servers' folders, logs among them."""
    if not os.environ.get("DUNLIN_TEST_KEEP"):
        for folder in _folders:
            shutil.rmtree(folder, ignore_errors=True)


def wait_until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}; the last look gave {value!r}")
        time.sleep(0.02)


class Server:
    def __init__(self, *options, data=None, config=None, wait=True, before=None, coap="127.0.0.1:0"):
        self.folder = tempfile.mkdtemp(prefix="dunlin-api-")
        _folders.append(self.folder)
        self.data = data or os.path.join(self.folder, "data")
        self.ready = os.path.join(self.folder, "ready.json")
        self.log_path = os.path.join(self.folder, "log")
        arguments = [DUNLIND, "--data", self.data, *(["--coap", coap] if coap else []), "--http", "127.0.0.1:0",
                     "--ready-file", self.ready, "--models", os.path.join(ROOT, "models"), *options]
        if config is not None:
            self.config = os.path.join(self.folder, "dunlind.yaml")
            with open(self.config, "w", encoding="utf-8") as file:
                file.write(config)
            arguments += ["--config", self.config]
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(arguments, stdout=self.log, stderr=self.log, preexec_fn=before)
        self.coap = self.http = None
        if wait:
            wait_until("dunlind is ready: " + self.log_path, self._ready, START_S)

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError("dunlind ended: " + self.log_text())
        if not os.path.exists(self.ready):
            return False
        with open(self.ready, encoding="utf-8") as file:
            ready = json.load(file)
        self.addresses, self.coap, self.http = ready, ready.get("coap"), ready["http"]
        return True

    def log_text(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self, kill=False):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self.process.wait(STOP_S)
        self.log.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def slug(self):
        return self.json["type"].removeprefix("/problems/")


class Contract:
    """openapi.json, which every answer must fit, and what of it was seen in this process."""

    seen, slugs = set(), set()

    def __init__(self):
        with open(os.path.join(ROOT, "src/api/openapi.json"), encoding="utf-8") as file:
            self.document = json.load(file)
        self.resolver = jsonschema.RefResolver("", self.document)
        # A literal path stands before one with variables.
        self.paths = sorted(self.document["paths"], key=lambda path: path.count("{"))

    def operation(self, method, target):
        path = target.split("?")[0]
        for template in self.paths:
            if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path):
                return template, self.document["paths"][template].get(method.lower())
        return None, None

    def validate(self, value, schema):
        jsonschema.Draft202012Validator(schema, resolver=self.resolver,
                                        format_checker=jsonschema.FormatChecker()).validate(value)

    def check(self, method, target, answer):
        template, operation = self.operation(method, target)
        media = answer.headers.get("Content-Type", "").split(";")[0]
        if media == "application/problem+json":
            self.validate(answer.json, self.document["components"]["schemas"]["Problem"])
            assert answer.json["status"] == answer.status
            self.slugs.add(answer.slug)
        if operation is None:
            return
        self.seen.add((template, method.lower()))
        described = operation["responses"].get(str(answer.status))
        assert described is not None, f"{method} {template} answered {answer.status}, which openapi.json does not have"
        if "$ref" in described:
            described = self.resolver.resolve(described["$ref"])[1]
        if "content" not in described:
            assert answer.body == "", f"{method} {template} {answer.status} has a body"
            return
        assert media in described["content"], f"{method} {template} {answer.status}: {media}"
        if media == "application/json":
            self.validate(answer.json, described["content"][media]["schema"])


class Api:
    def __init__(self, address, contract=None):
        self.address, self.contract = address, contract

    def call(self, method, target, body=None, headers=None, timeout=180):
        connection = http.client.HTTPConnection(self.address, timeout=timeout)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            answer = Answer(response.status, dict(response.getheaders()), response.read().decode())
        finally:
            connection.close()
        if self.contract is not None and method not in ("HEAD", "OPTIONS"):
            self.contract.check(method, target, answer)
        return answer

    def get(self, target, **more):
        return self.call("GET", "/api/v1" + target, **more)

    def put(self, target, body=None, **more):
        return self.call("PUT", "/api/v1" + target, body, **more)

    def post(self, target, body=None, **more):
        return self.call("POST", "/api/v1" + target, body, **more)

    def delete(self, target, **more):
        return self.call("DELETE", "/api/v1" + target, **more)


class Events:
    """An event stream, read line by line."""

    def __init__(self, address, query=None, last=None, timeout=180, buffer=None):
        self.connection = http.client.HTTPConnection(address, timeout=timeout)
        if buffer:
            host, port = address.rsplit(":", 1)
            self.connection.sock = socket.socket()
            self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            self.connection.sock.settimeout(timeout)
            self.connection.sock.connect((host, int(port)))
        headers = {"Last-Event-ID": str(last)} if last is not None else {}
        target = "/api/v1/events" + ("?" + urllib.parse.urlencode(query) if query else "")
        self.connection.request("GET", target, headers=headers)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        if self.status == 200:
            assert self.response.getheader("Content-Type") == "text/event-stream"
            self._line()  # retry: connected
            self._line()

    def _line(self):
        line = self.response.readline()
        if not line:
            raise EOFError("the stream ended")
        return line.decode().rstrip("\n")

    def next(self, wanted=None):
        """The next event (of the type wanted) as (id, type, data)."""
        while True:
            fields = {}
            while True:
                line = self._line()
                if not line:
                    break
                if not line.startswith(":"):
                    key, _, value = line.partition(": ")
                    fields[key] = value
            if "event" in fields:
                data = json.loads(fields["data"])
                assert str(data["id"]) == fields["id"] and data["type"] == fields["event"]
                if wanted in (None, fields["event"]):
                    return int(fields["id"]), fields["event"], data

    def close(self):
        self.connection.close()
