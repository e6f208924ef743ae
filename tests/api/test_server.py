# SPDX-License-Identifier: Apache-2.0
"""Everything of the API that needs no answering device: lists, events, models, files, checks of requests, and the contract itself."""

import http.client
import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from device import Device, SILENT
from server import DUNLIND, ROOT, Api, Contract, Events, Server, wait_until

TYPES = os.path.join(os.path.dirname(__file__), "types.xml")


def wait_for_no_stream(api):
    """The server sees only by and by that a reader has left."""
    wait_until("all streams are closed", lambda: "dunlin_event_streams 0\n" in api.get("/metrics").body)


class ServerCase(unittest.TestCase):
    options = ()
    config = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.options, config=cls.config)
        cls.contract = Contract()
        cls.api = Api(cls.server.http, cls.contract)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, cls.server.log_text()

    def device(self, name, **more):
        device = Device(self.server.coap, name, **more)
        self.addCleanup(device.close)
        device.register()
        return device

    def refusal(self, method, target, body=None, **more):
        answer = self.api.call(method, target, body, **more)
        return answer.status, answer.slug


class Clients(ServerCase):
    def test_pages(self):
        names = {f"page-{i:03}" for i in range(25)}
        devices = [self.device(name) for name in sorted(names)]
        seen, after, pages = [], None, 0
        while pages == 0 or after:
            page = self.api.get(f"/clients?limit=10&q=PAGE-{'&after=' + after if after else ''}").json
            seen += [client["endpoint"] for client in page["clients"]]
            after, pages = page["next"], pages + 1
            self.assertLess(pages, 50)
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(set(seen), names)
        self.assertGreaterEqual(page["total"], 25)
        self.assertEqual(self.api.get("/clients?q=no-such-name").json["clients"], [])
        for device in devices:
            device.deregister()

    def test_one_client(self):
        self.device("a/b c%", links='</lwm2m>;rt="oma.lwm2m";ct="110 112",</lwm2m/3/0>,</lwm2m/5>,</lwm2m/3303/1>;ver=1.1')
        client = self.api.get("/clients/a%2Fb%20c%25").json
        self.assertEqual((client["endpoint"], client["lwm2m"], client["lifetime"]), ("a/b c%", "1.1", 300))
        self.assertEqual((client["rootPath"], client["contentFormats"]), ("/lwm2m", [110, 112]))
        self.assertEqual([(one["id"], one["version"], one["instances"]) for one in client["objects"]],
                         [(3, "1.1", [0]), (5, "1.0", []), (3303, "1.1", [1])])
        self.assertEqual(client["objects"][0]["name"], "Device")

    def test_parameters(self):
        for query in ("limit=0", "limit=1001", "limit=x", "after=x", "foo=1", "q=a&q=b", "q=%zz", "q=%00"):
            self.assertEqual(self.refusal("GET", "/api/v1/clients?" + query), (400, "invalid-parameter"), query)


class Requests(ServerCase):
    def test_paths(self):
        for target in ("/api/v1/clients/e/x", "/api/v1/clients/e/65535", "/api/v1/clients/e/3/", "/api/v1/clients/e/03",
                       "/api/v1/clients/e/1/2/3/4/5", "/api/v1/clients/", "/api/v1/clients/e/-1", "/api/v1/models/x",
                       "/api/v1/clients/e/observations/x", "/api/v1/clients/%zz/3"):
            self.assertEqual(self.refusal("GET", target), (400, "invalid-path"), target)
        for target in ("/api", "/api/v1", "/api/v2/clients", "/api/v1/nothing", "/metrics/x"):
            self.assertEqual(self.refusal("GET", target), (404, "not-found"), target)

    def test_methods(self):
        for method, target in (("POST", "/api/v1/clients"), ("DELETE", "/api/v1/clients/e"), ("DELETE", "/api/v1/clients/e/3"),
                               ("POST", "/api/v1/clients/e/3/0"), ("DELETE", "/api/v1/clients/e/3/0/1"),
                               ("GET", "/api/v1/clients/e/observations/3"), ("PATCH", "/api/v1/models"),
                               ("HEAD", "/api/v1/clients/e/3/0"), ("HEAD", "/api/v1/events"), ("POST", "/index.html")):
            answer = self.api.call(method, target)
            self.assertEqual(answer.status, 405, (method, target))
            self.assertTrue(answer.headers["Allow"])
        answer = self.api.call("OPTIONS", "/api/v1/clients/e/3/0/1")
        self.assertEqual((answer.status, answer.headers["Allow"]), (204, "GET, PUT, POST, OPTIONS"))
        self.assertEqual(self.api.call("HEAD", "/api/v1/clients").status, 200)

    def test_parameters_of_device_requests(self):
        for query in ("timeout=0", "timeout=301", "timeout=1s", "format=xml", "format=40", "op=read", "mode=update",
                      "op=discover&format=text"):
            self.assertEqual(self.refusal("GET", "/api/v1/clients/e/3/0?" + query), (400, "invalid-parameter"), query)
        self.assertEqual(self.refusal("PUT", "/api/v1/clients/e/3/0/1?mode=x", {"value": 1}), (400, "invalid-parameter"))

    def test_foreign_pages(self):
        own = {"Origin": "http://" + self.server.http}
        self.assertEqual(self.api.call("DELETE", "/api/v1/clients/e/3/0", headers=own).slug, "unknown-endpoint")
        for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "http://" + self.server.http + ".evil.example"):
            self.assertEqual(self.refusal("DELETE", "/api/v1/clients/e/3/0", headers={"Origin": origin}),
                             (403, "forbidden-origin"))
        self.assertEqual(self.api.call("GET", "/api/v1/server", headers={"Origin": "http://evil.example"}).status, 200)
        for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::1", "localhost:x"):
            self.assertEqual(self.refusal("GET", "/api/v1/server", headers={"Host": host}), (403, "forbidden-origin"), host)
        for host in ("localhost", "LOCALHOST:8080", "127.0.0.1", "[::1]:80"):
            self.assertEqual(self.api.call("GET", "/api/v1/server", headers={"Host": host}).status, 200, host)

    def test_a_chunked_body_without_end(self):
        host, port = self.server.http.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as caller:
            caller.sendall(b"PUT /api/v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
            chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
            try:
                for _ in range(200):
                    caller.sendall(chunk)
            except OSError:
                return
        self.fail("12 MiB of a body were taken")

    def test_what_is_no_http(self):
        generator = random.Random(5)
        host, port = self.server.http.rsplit(":", 1)
        good = b"GET /api/v1/clients?limit=5 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"
        rows = [b"", b"\r\n", b"GET", b"GET / HTTP/1.1\r\nHo", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"\0" * 100,
                b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 3000 + b"\r\n",
                b"PUT /api/v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc",
                b"PUT /api/v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\nabc",
                b"PUT /api/v1/models HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]
        for _ in range(100):
            mutated = bytearray(good)
            for _ in range(generator.randint(1, 6)):
                mutated[generator.randrange(len(mutated))] = generator.randrange(256)
            rows.append(bytes(mutated))
        for row in rows:
            with socket.create_connection((host, int(port)), timeout=0.2) as caller:
                try:
                    caller.sendall(row)
                    caller.shutdown(socket.SHUT_WR)
                    while caller.recv(65536):
                        pass
                except OSError:
                    pass
        self.assertEqual(self.api.get("/server").status, 200)

    def test_information(self):
        server = self.api.get("/server").json
        self.assertEqual((server["http"], server["coap"]), (self.server.http, ["coap://" + self.server.coap]))
        for target in ("/healthz", "/api/v1/healthz"):
            self.assertEqual(self.api.call("GET", target).json, {"status": "ok"})
        self.assertEqual(self.api.get("/openapi.json").json, self.contract.document)
        for target in ("/metrics", "/api/v1/metrics"):
            text = self.api.call("GET", target).body
            self.assertIn("# TYPE dunlin_registrations gauge\n", text)
        self.assertIn('route="/api/v1/server",status="200"} ', text)
        for line in text.splitlines():
            self.assertRegex(line, r"^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*(\{[^}]*\}[^}]*)*\})? -?[0-9.]+)$")


class EventStream(ServerCase):
    def test_the_life_of_a_registration(self):
        events = Events(self.server.http, {"ep": "life"})
        self.addCleanup(events.close)
        self.device("other")
        device = self.device("life")
        device.update(["lt=500"])
        device.update()
        device.deregister()
        got = [events.next() for _ in range(4)]
        for _, _, data in got:
            self.contract.validate(data, {"$ref": "#/components/schemas/Event"})
            self.assertEqual(data["endpoint"], "life")
        self.assertEqual([kind for _, kind, _ in got], ["registered", "updated", "updated", "deregistered"])
        self.assertEqual((got[1][2]["changed"], got[2][2]["changed"]), (["lifetime"], []))
        self.assertEqual(got[1][2]["client"]["lifetime"], 500)
        self.assertEqual(sorted(one[0] for one in got), [one[0] for one in got])

    def test_resume(self):
        events = Events(self.server.http)
        device = self.device("resume")
        first = events.next("registered")[0]
        events.close()
        device.update(["lt=400"])
        device.deregister()
        for how in ({"last": first}, {"query": {"lastEventId": first}}):
            resumed = Events(self.server.http, **how)
            kinds = [resumed.next()[1] for _ in range(2)]
            resumed.close()
            self.assertEqual(kinds, ["updated", "deregistered"])

    def test_what_is_gone_is_a_gap(self):
        self.device("gap").deregister()
        for last in (1, 2**63):
            events = Events(self.server.http, last=last)
            _, kind, data = events.next()
            events.close()
            self.assertEqual((kind, data["lost"]), ("gap", True))

    def test_types(self):
        events = Events(self.server.http, {"type": "deregistered,expired"})
        self.addCleanup(events.close)
        self.device("types").deregister()
        self.assertEqual(events.next()[1], "deregistered")

    def test_expiry(self):
        events = Events(self.server.http, {"type": "expired", "ep": "short"})
        self.addCleanup(events.close)
        device = Device(self.server.coap, "short")
        self.addCleanup(device.close)
        device.lifetime = 1
        device.register()
        self.assertEqual(events.next()[2]["endpoint"], "short")

    def test_bad_parameters(self):
        for query in ("type=x", "type=", "lastEventId=-1", "ep=a&x=b"):
            self.assertEqual(self.refusal("GET", "/api/v1/events?" + query), (400, "invalid-parameter"), query)

    def test_a_reader_that_leaves_frees_its_place(self):
        wait_for_no_stream(self.api)
        events = Events(self.server.http)
        self.assertIn("dunlin_event_streams 1\n", self.api.get("/metrics").body)
        events.close()
        wait_for_no_stream(self.api)


class SmallLimits(ServerCase):
    config = """
limits:
  requests: 1
http:
  max-event-streams: 1
  event-history-bytes: 65536
  names: [dunlin.example]
"""

    def test_busy(self):
        device = self.device("busy", answer=lambda message: SILENT)
        waiting = threading.Thread(target=lambda: self.api.get("/clients/busy/3/0?timeout=300"))
        waiting.start()
        wait_until("one waits", lambda: device.seen)
        answer = self.api.get("/clients/busy/3/0/1")
        self.assertEqual((answer.status, answer.slug, answer.headers["Retry-After"]), (503, "busy", "1"))
        device.deregister()
        waiting.join()

    def test_streams(self):
        wait_for_no_stream(self.api)
        first = Events(self.server.http)
        self.assertEqual(first.status, 200)
        second = Events(self.server.http)
        self.assertEqual(second.status, 503)
        first.close()

    def test_a_reader_too_slow_is_told(self):
        device = self.device("slow")
        wait_for_no_stream(self.api)
        events = Events(self.server.http, buffer=4096)
        self.addCleanup(events.close)
        for i in range(3000):
            device.update([f"lt={1000 + i}"])
        kinds, last = set(), 0
        while last != 1000 + 2999:  # the last one is never lost
            _, kind, data = events.next()
            kinds.add(kind)
            last = data["client"]["lifetime"] if kind == "updated" else last
        self.assertIn("gap", kinds)

    def test_a_configured_name(self):
        self.assertEqual(self.api.call("GET", "/api/v1/server", headers={"Host": "dunlin.example:80"}).status, 200)


class Models(ServerCase):
    def setUp(self):
        with open(TYPES, "rb") as file:
            self.types = file.read()

    def test_list_and_show(self):
        models = self.api.get("/models").json["models"]
        self.assertGreater(len(models), 20)
        found = self.api.get("/models?q=firmware").json["models"]
        self.assertIn(5, [model["id"] for model in found])
        self.assertEqual({model["id"] for model in self.api.get("/models?q=3303").json["models"]}, {3303})
        self.assertEqual(self.api.get("/models/3?version=1.1").json["version"], "1.1")
        self.assertEqual(self.refusal("GET", "/api/v1/models/3?version=9.9"), (404, "not-found"))
        self.assertEqual(self.refusal("GET", "/api/v1/models/3?version=x"), (400, "invalid-parameter"))
        self.assertEqual(self.refusal("GET", "/api/v1/models/65000"), (404, "not-found"))

    def test_upload_is_kept(self):
        xml = {"Content-Type": "application/xml"}
        for method in ("PUT", "POST"):
            answer = self.api.call(method, "/api/v1/models", self.types, headers=xml)
            self.assertEqual((answer.status, answer.json["models"]),
                             (201, [{"id": 33000, "version": "1.0", "name": "All Types"}]))
        shown = self.api.get("/models/33000").json["resources"]
        self.assertEqual([one["type"] for one in shown], ["string", "integer", "unsigned", "float", "boolean", "opaque", "time",
                                                         "objlnk", "integer", "none"])
        self.assertEqual((shown[3]["unit"], shown[9]["operations"]), ("Cel", "E"))
        self.assertEqual(os.listdir(os.path.join(self.server.data, "models")), ["33000-1.0.xml"])

    def test_what_is_no_model(self):
        xml = {"Content-Type": "application/xml"}
        for body in (b"", b"<LWM2M>", b"<html/>", self.types.replace(b"33000", b"99999"), b"<LWM2M></LWM2M>"):
            self.assertEqual(self.refusal("PUT", "/api/v1/models", body, headers=xml), (400, "invalid-model"), body[:20])
        self.assertEqual(self.refusal("PUT", "/api/v1/models", "{}"), (415, "unsupported-media-type"))

    def test_what_cannot_be_kept(self):
        models = os.path.join(self.server.data, "models")
        shutil.rmtree(models)
        try:
            self.assertEqual(self.refusal("PUT", "/api/v1/models", self.types, headers={"Content-Type": "application/xml"}),
                             (500, "internal"))
        finally:
            os.mkdir(models)


class Files(unittest.TestCase):
    def setUp(self):
        self.console = tempfile.mkdtemp(prefix="dunlin-console-")
        self.addCleanup(shutil.rmtree, self.console, True)
        os.mkdir(os.path.join(self.console, "assets"))
        for name, text in (("index.html", "<!doctype html>"), ("assets/app-1a2b.js", "1"), (".secret", "no")):
            with open(os.path.join(self.console, name), "w", encoding="utf-8") as file:
                file.write(text)
        os.symlink("/etc/passwd", os.path.join(self.console, "passwd"))
        self.server = Server("--store", "memory", "--console", self.console)
        self.api = Api(self.server.http)
        self.addCleanup(self.server.stop)

    def test_files(self):
        page = self.api.call("GET", "/")
        self.assertEqual((page.status, page.body, page.headers["Cache-Control"]), (200, "<!doctype html>", "no-cache"))
        self.assertIn("default-src 'none'", page.headers["Content-Security-Policy"])
        self.assertEqual(page.headers["Content-Type"], "text/html; charset=utf-8")
        script = self.api.call("GET", "/assets/app-1a2b.js?x")
        self.assertIn("immutable", script.headers["Cache-Control"])
        self.assertEqual(self.api.call("GET", "/", headers={"If-None-Match": page.headers["ETag"]}).status, 304)
        html = {"Accept": "text/html,*/*"}
        self.assertEqual(self.api.call("GET", "/devices/urn:dev:1.2", headers=html).body, "<!doctype html>")
        for path in ("/devices/x", "/assets/none.js", "/.secret", "/passwd", "/../../etc/passwd", "/assets/../index.html",
                     "/%2e%2e/etc/passwd", "//index.html", "/assets"):
            self.assertEqual(self.api.call("GET", path).status, 404, path)
        self.assertEqual(self.api.call("GET", "/assets/none.js", headers=html).status, 404)
        self.assertEqual(self.api.call("HEAD", "/").status, 200)

    def test_reload(self):
        with open(os.path.join(self.console, "index.html"), "w", encoding="utf-8") as file:
            file.write("new")
        self.server.process.send_signal(signal.SIGHUP)
        wait_until("the new page", lambda: self.api.call("GET", "/").body == "new")


class Daemon(unittest.TestCase):
    def run_dunlind(self, *options):
        done = subprocess.run([DUNLIND, *options], capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_options(self):
        self.assertEqual(self.run_dunlind("--version")[0], 0)
        self.assertIn("Examples", self.run_dunlind("--help")[1])
        for bad in (["--nope"], ["x"], ["--store", "x"], ["--log-level", "loud"], ["--http", "0.0.0.0:0"],
                    ["--config", "/nonexistent"], ["--coap"]):
            self.assertEqual(self.run_dunlind(*bad, "--check-config")[0] if bad != ["--coap"] else self.run_dunlind(*bad)[0],
                             2, bad)
        self.assertEqual(self.run_dunlind("--check-config")[0], 0)
        self.assertEqual(self.run_dunlind("--http", "0.0.0.0:0", "--http-open", "--check-config")[0], 0)

    def test_configuration_errors_name_file_line_and_key(self):
        rows = [("http:\n  threads: 0\n", ":2: http.threads: must be from 1 to 64"),
                ("http:\n  colour: red\n", ":2: "), ("limits:\n  requests: many\n", ":2: limits.requests: "),
                ("coap:\n  block-size: 100\n", "coap.block-size"), ("store:\n  type: tape\n", ":2: store.type: "),
                ("data: [\n", ":"), ("http: 5\n", ":1: ")]
        for text, expected in rows:
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(text)
                file.flush()
                code, output = self.run_dunlind("--config", file.name, "--check-config")
                self.assertEqual(code, 2, output)
                self.assertIn(expected, output)

    def test_the_data_folder_has_one_owner(self):
        with Server() as first:
            second = Server(data=first.data, wait=False)
            self.assertEqual(second.process.wait(120), 1)
            self.assertIn("cannot start", second.log_text())

    def test_a_store_that_fails_ends_the_server(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
        server = Server(before=limit)
        device = Device(server.coap, "x", links="</3/0>")
        device.given_up = lambda: server.process.poll() is not None
        self.addCleanup(device.close)
        try:
            for number in range(20000):
                device.endpoint = f"full-{number}-" + "x" * 200
                device.register()
        except (TimeoutError, OSError, AssertionError):
            pass
        self.assertEqual(server.process.wait(120), 3)
        self.assertIn("the server failed: ", server.log_text())

    def test_an_address_in_use(self):
        with Server("--store", "memory") as first:
            code, output = self.run_dunlind("--store", "memory", "--coap", "127.0.0.1:0", "--http", first.http)
            self.assertEqual(code, 1)
            self.assertIn(first.http, output)

    def test_reload(self):
        with Server(config="log:\n  level: info\n  format: json\nhttp:\n  threads: 1\n") as server:
            with open(server.config, "w", encoding="utf-8") as file:
                file.write("log:\n  level: debug\n  format: json\nhttp:\n  threads: 2\n")
            server.process.send_signal(signal.SIGHUP)
            wait_until("it says so", lambda: "http.threads has changed" in server.log_text())
            Api(server.http).get("/server")
            wait_until("debug lines", lambda: '"level":"debug"' in server.log_text())
            for line in server.log_text().splitlines():
                if line.startswith("{"):
                    json.loads(line)
            with open(server.config, "w", encoding="utf-8") as file:
                file.write("log: [\n")
            server.process.send_signal(signal.SIGHUP)
            wait_until("it says so", lambda: "not reloaded" in server.log_text())
            self.assertEqual(Api(server.http).get("/server").status, 200)

    def test_stopping_with_streams_and_waiting_requests(self):
        server = Server("--store", "memory")
        device = Device(server.coap, "d", answer=lambda message: SILENT)
        device.register()
        events = Events(server.http)
        result = []
        waiting = threading.Thread(target=lambda: result.append(Api(server.http).get("/clients/d/3/0?timeout=300").slug))
        waiting.start()
        wait_until("it waits", lambda: device.seen)
        self.assertEqual(server.stop(), 0)  # long before the request would be given up
        waiting.join(60)
        self.assertEqual(result, ["cancelled"])
        with self.assertRaises((EOFError, http.client.IncompleteRead)):
            while True:
                events.next()
        device.close()

    def test_the_ready_file_names_the_process_and_goes_with_it(self):
        server = Server("--store", "memory")
        with open(server.ready, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["pid"], server.process.pid)
        server.stop()
        self.assertFalse(os.path.exists(server.ready))


if __name__ == "__main__":
    unittest.main()
