# SPDX-License-Identifier: Apache-2.0
"""Packages: uploaded, listed, kept over kill -9, fetched by devices and pushed to them."""

import hashlib
import http.client
import os
import random
import threading
import unittest

from device import BLOCK1, BLOCK2, CHANGED, CONTENT, CONTENT_FORMAT, CONTINUE, GET, PUT, Device, uint
from server import Api, Contract, Server, wait_until

OCTETS = {"Content-Type": "application/octet-stream"}
CONFIG = "packages:\n  max-bytes: 3000000\nqueue:\n  awake-ms: 500\n"


def content(size, seed=1):
    return random.Random(seed).randbytes(size)


class PackagesCase(unittest.TestCase):
    options = ()
    config = CONFIG

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.options, config=cls.config)
        cls.contract = Contract()
        cls.api = Api(cls.server.http, cls.contract)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, cls.server.log_text()

    def add(self, data, name=None):
        answer = self.api.post("/packages" + (f"?name={name}" if name else ""), data, headers=OCTETS)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json

    def refusal(self, method, target, body=None, **more):
        answer = self.api.call(method, "/api/v1" + target, body, **more)
        return answer.status, answer.slug

    def files(self):
        return sorted(os.listdir(os.path.join(self.server.data, "packages")))


class Keeping(PackagesCase):
    def test_the_life_of_a_package(self):
        data = content(2_500_000)
        made = self.add(data, "router%201.2")
        digest = hashlib.sha256(data).hexdigest()
        self.assertEqual((made["id"], made["sha256"], made["size"], made["name"]), (digest[:32], digest, len(data), "router 1.2"))
        self.assertEqual(made["uris"], [f"coap://{self.server.coap}/fw/{made['id']}"])
        self.assertEqual(self.api.get(f"/packages/{made['id']}").json, made)
        self.assertIn(made, self.api.get("/packages").json["packages"])
        with open(os.path.join(self.server.data, "packages", made["id"]), "rb") as file:
            self.assertEqual(file.read(), data)
        again = self.add(data)
        self.assertEqual(again, made)  # name and time stay
        self.assertEqual(self.add(data, "other")["name"], "other")
        self.assertEqual(self.api.delete(f"/packages/{made['id']}").status, 204)
        self.assertEqual(self.refusal("GET", f"/packages/{made['id']}"), (404, "unknown-package"))
        self.assertEqual(self.refusal("DELETE", f"/packages/{made['id']}"), (404, "unknown-package"))
        self.assertFalse([name for name in self.files() if made["id"] in name])

    def test_the_order_is_that_of_the_uploads(self):
        ids = [self.add(content(10, seed))["id"] for seed in range(10, 15)]
        listed = [one["id"] for one in self.api.get("/packages").json["packages"]]
        self.assertEqual([one for one in listed if one in ids], ids)

    def test_what_is_refused(self):
        self.assertEqual(self.refusal("POST", "/packages", b"x", headers={"Content-Type": "text/plain"}),
                         (415, "unsupported-media-type"))
        self.assertEqual(self.refusal("POST", "/packages?name=" + "x" * 256, b"x", headers=OCTETS), (400, "invalid-parameter"))
        self.assertEqual(self.refusal("POST", "/packages?foo=1", b"x", headers=OCTETS), (400, "invalid-parameter"))
        self.assertEqual(self.refusal("POST", "/packages", b"x", headers={**OCTETS, "Origin": "http://evil.example"}),
                         (403, "forbidden-origin"))
        for identity in ("x", "0" * 32, "..%2f..%2fdunlin.db", "%2e%2e"):
            for method in ("GET", "DELETE"):
                self.assertEqual(self.refusal(method, f"/packages/{identity}"), (404, "unknown-package"), identity)
        before = self.files()
        self.assertEqual(self.too_large(b"x" * 3_000_001, False), 413)
        self.assertEqual(self.too_large(b"x" * 3_000_001, True), 413)
        self.assertEqual(self.files(), before)

    def too_large(self, data, chunked):
        connection = http.client.HTTPConnection(self.server.http, timeout=120)
        try:
            if chunked:
                connection.request("POST", "/api/v1/packages", iter([data[:1_000_000], data[1_000_000:]]), OCTETS, encode_chunked=True)
            else:  # as curl does, which waits for a word before it sends
                connection.putrequest("POST", "/api/v1/packages")
                for name, value in {**OCTETS, "Content-Length": len(data), "Expect": "100-continue"}.items():
                    connection.putheader(name, value)
                connection.endheaders()
            return connection.getresponse().status
        finally:
            connection.close()

    def test_nothing_but_bytes_makes_a_package_too(self):
        made = self.add(b"")
        self.assertEqual((made["size"], made["sha256"]), (0, hashlib.sha256(b"").hexdigest()))


class Breaking(PackagesCase):
    # libmicrohttpd may notice the end of a connection in the middle of a body by its time-out only.
    config = CONFIG + "http:\n  connection-timeout-s: 2\n"

    def test_an_upload_that_breaks_off_leaves_nothing(self):
        before = self.files()
        connection = http.client.HTTPConnection(self.server.http, timeout=120)
        connection.putrequest("POST", "/api/v1/packages")
        for name, value in {**OCTETS, "Content-Length": 1_000_000}.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(b"x" * 500_000)
        wait_until("it is begun", lambda: len(self.files()) > len(before))
        connection.close()
        wait_until("it is gone", lambda: self.files() == before)


class Devices(PackagesCase):
    def ended(self, device, identity):
        """A request after its end. The device wakes as often as that takes: it may be asleep again before all is said."""
        for _ in range(30):
            device.update()
            request = self.api.get(f"/requests/{identity}?wait=4").json
            if request["state"] not in ("waiting", "delivering"):
                return request
        self.fail(f"it does not end: {request}")

    def device(self, name, answer=None, **more):
        device = Device(self.server.coap, name, answer, links="</5/0>,</33000/0>", **more)
        self.addCleanup(device.close)
        device.register()
        return device

    def test_a_device_fetches_it(self):
        data = content(5000, 3)
        made = self.add(data)
        device = self.device("pull")
        got, number = b"", 0
        while True:
            reply = self.block(device, made["id"], number)
            self.assertEqual(reply.code, CONTENT)
            got += reply.payload
            block = reply.number(BLOCK2) or 0
            if not block & 8:
                break
            number += 1
        self.assertEqual(got, data)
        self.assertEqual(device.request(GET, ["fw", "0" * 32]).code, 0x84)

    @staticmethod
    def block(device, identity, number):
        request = device.request
        import device as module
        options = []
        original = module.encode

        def encode(kind, code, mid, token, given, payload=b""):
            return original(kind, code, mid, token, list(given) + options, payload)
        options.append((BLOCK2, uint(number << 4 | 6)))
        module.encode = encode
        try:
            return request(GET, ["fw", identity])
        finally:
            module.encode = original

    def test_it_is_pushed(self):
        data = content(20_000, 4)
        made = self.add(data, "pushed")
        got = {}

        def answer(message):
            block = message.number(BLOCK1) or 0
            got[block >> 4] = message.payload
            self.assertEqual((message.code, message.path, message.number(CONTENT_FORMAT)), (PUT, "/5/0/0", 42))
            return (CONTINUE if block & 8 else CHANGED, None, b"", [(BLOCK1, uint(block))])
        self.device("push", answer)
        for query in ("", "&wait=120"):
            got.clear()
            done = self.api.put(f"/clients/push/5/0/0?package={made['id']}{query}")
            self.assertEqual((done.status, done.json), (200, {"endpoint": "push", "path": "/5/0/0", "code": "2.04"}), done.body)
            self.assertEqual(b"".join(got[i] for i in sorted(got)), data)
        kept = self.api.get("/requests/" + done.headers["Dunlin-Request"]).json
        self.assertEqual((kept["operation"], kept["state"]), ("write", "answered"))
        self.assertRegex(self.api.get("/metrics").body, r"\ndunlin_package_bytes_total [1-9]")

    def test_its_address_is_written(self):
        """Into a string; for a device that sleeps through the queue."""
        made = self.add(content(100, 9))
        uri = f"coap://{self.server.coap}/fw/{made['id']}"
        self.assertEqual(made["uris"], [uri])
        device = self.device("told", lambda message: (CHANGED, None, b""), queue=True)
        wait_until("it sleeps", lambda: self.api.get("/clients/told").json["presence"] == "asleep")
        queued = self.api.put(f"/clients/told/5/0/1?package={made['id']}")
        self.assertEqual((queued.status, queued.json["operation"]), (202, "write"))
        self.assertEqual(self.ended(device, queued.json["id"])["state"], "answered")
        self.assertEqual((device.seen[-1].path, uri.encode() in device.seen[-1].payload), ("/5/0/1", True))

    def test_it_waits_for_a_device_that_sleeps(self):
        made = self.add(content(100, 5))
        device = self.device("sleepy", lambda message: (CHANGED, None, b""), queue=True)
        wait_until("it sleeps", lambda: self.api.get("/clients/sleepy").json["presence"] == "asleep")
        queued = self.api.put(f"/clients/sleepy/5/0/0?package={made['id']}")
        self.assertEqual((queued.status, queued.json["operation"]), (202, "write"))
        gone = self.add(content(100, 6))
        lost = self.api.put(f"/clients/sleepy/5/0/0?package={gone['id']}")
        self.api.delete(f"/packages/{gone['id']}")
        self.assertEqual(self.ended(device, queued.json["id"])["state"], "answered")
        self.assertEqual(device.seen[-1].payload, content(100, 5))
        failed = self.ended(device, lost.json["id"])
        self.assertEqual((failed["state"], failed["detail"]), ("failed", "The package is not there any more."))

    def test_whoever_waits_is_told_that_the_package_is_gone(self):
        made = self.add(content(100, 8))
        device = self.device("waited", lambda message: (CHANGED, None, b""), queue=True)
        wait_until("it sleeps", lambda: self.api.get("/clients/waited").json["presence"] == "asleep")
        answers = []
        caller = threading.Thread(target=lambda: answers.append(
            Api(self.server.http).put(f"/clients/waited/5/0/0?package={made['id']}&wait=120")))
        caller.start()
        wait_until("it is queued", lambda: self.api.get("/clients/waited/requests").json["requests"])
        self.api.delete(f"/packages/{made['id']}")
        self.ended(device, self.api.get("/clients/waited/requests").json["requests"][0]["id"])
        caller.join()
        self.assertEqual((answers[0].status, answers[0].slug), (404, "unknown-package"), answers[0].body)
        self.assertEqual(self.api.get(f"/requests/{answers[0].headers['Dunlin-Request']}").json["state"], "failed")

    def test_what_is_refused(self):
        made = self.add(content(100, 7))
        device = self.device("strict", lambda message: (CHANGED, None, b""))
        rows = [("/5/0/0?package=" + "0" * 32, None, (404, "unknown-package")), ("/5/0/0?package=", None, (404, "unknown-package")),
                (f"/5/0/0?package={made['id']}", {"value": ""}, (400, "invalid-parameter")),
                (f"/5/0/0?package={made['id']}&mode=update", None, (400, "invalid-parameter")),
                (f"/5/0/0?package={made['id']}&wait=x", None, (400, "invalid-parameter")),
                (f"/5/0/3?package={made['id']}", None, (422, "invalid-value")),  # an integer
                (f"/5/0?package={made['id']}", None, (400, "invalid-parameter"))]
        for target, body, expected in rows:
            self.assertEqual(self.refusal("PUT", "/clients/strict" + target, body,
                                          headers={"Content-Type": "application/json"}), expected, target)
        self.assertEqual(self.refusal("PUT", f"/clients/nobody/5/0/0?package={made['id']}"), (404, "unknown-endpoint"))
        self.assertEqual(device.seen, [])


class Addresses(PackagesCase):
    options = ("--public-coap", "firmware.example.net:5683", "--public-coap", "[2001:db8::7]:5683")

    def test_they_are_those_that_are_configured(self):
        made = self.add(b"x")
        self.assertEqual(made["uris"], [f"coap://firmware.example.net:5683/fw/{made['id']}",
                                        f"coap://[2001:db8::7]:5683/fw/{made['id']}"])


class Without(unittest.TestCase):
    def test_no_folder_no_packages(self):
        for options, config in ((("--store", "memory"), None), ((), "packages:\n  serve: false\n")):
            with Server(*options, config=config) as server:
                api = Api(server.http, Contract())
                answer = api.post("/packages", b"x", headers=OCTETS)
                self.assertEqual((answer.status, answer.slug), (404, "not-found"))
                self.assertEqual(api.get("/packages").json, {"packages": []})
                self.assertEqual(api.get("/packages/" + "0" * 32).slug, "unknown-package")

    def test_bad_addresses(self):
        for bad in ("host", "host:0", "host:65536", ":5683", "ho st:1", "[::1:5683", "coap://host:1", "::1:5683"):
            server = Server("--public-coap", bad, "--check-config", wait=False)
            self.assertEqual(server.process.wait(120), 2, bad)
            self.assertIn("coap.public", server.log_text())


class Killed(unittest.TestCase):
    def test_what_was_acknowledged_is_there(self):
        generator = random.Random(7)
        server = Server()
        kept = {}
        for moment in range(6):
            api = Api(server.http)
            for _ in range(generator.randrange(3)):
                data = generator.randbytes(generator.randrange(1, 200_000))
                made = api.post(f"/packages?name=n{moment}", data, headers=OCTETS).json
                kept[made["id"]] = made
            connection = http.client.HTTPConnection(server.http, timeout=120)
            connection.putrequest("POST", "/api/v1/packages")
            for name, value in {**OCTETS, "Content-Length": 300_000}.items():
                connection.putheader(name, value)
            connection.endheaders()
            connection.send(b"y" * generator.randrange(300_000))
            server.stop(kill=True)
            connection.close()
            server = Server(data=server.data)
            listed = {one["id"]: one for one in Api(server.http).get("/packages").json["packages"]}
            self.assertEqual({key: {**one, "uris": []} for key, one in listed.items()},
                             {key: {**one, "uris": []} for key, one in kept.items()})
            left = [name for name in os.listdir(os.path.join(server.data, "packages")) if name.startswith("upload")]
            self.assertEqual(left, [])
        server.stop()


if __name__ == "__main__":
    unittest.main()
