# SPDX-License-Identifier: Apache-2.0
"""POST /reads: one path of many devices, as lines, with back-pressure and an end when the caller leaves."""

import json
import socket
import threading
import time
import unittest

from device import ACCEPT, CONTENT, RESET, SILENT, Device
from server import Api, Contract, Server, wait_until

NOT_FOUND, NOT_ACCEPTABLE = 0x84, 0x86


class Fleet(unittest.TestCase):
    config = "limits:\n  requests: 8\nhttp:\n  max-bulk-reads: 2\n"

    @classmethod
    def setUpClass(cls):
        cls.server = Server("--store", "memory", config=cls.config)
        cls.contract = Contract()
        cls.api = Api(cls.server.http, cls.contract)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, cls.server.log_text()

    def device(self, name, answer, **more):
        device = Device(self.server.coap, name, answer, **more)
        device.register()
        self.addCleanup(device.close)
        return device

    def fleet(self, prefix, count, answer):
        """Many endpoints on one socket: the server knows them by their registrations."""
        device = Device(self.server.coap, prefix, answer)
        self.addCleanup(device.close)
        names = [f"{prefix}-{i:04}" for i in range(count)]
        for device.endpoint in names:
            device.register()
        return device, names

    def read(self, **body):
        answer = self.api.post("/reads", body)
        self.assertEqual(answer.status, 200, answer.body)
        lines = [json.loads(line) for line in answer.body.splitlines()]
        for line in lines:
            self.contract.validate(line, {"$ref": "#/components/schemas/ReadsLine"})
            self.assertEqual("problem" in line, "node" not in line)
        return lines

    def begin(self, body):
        """A caller whose answer is read by hand."""
        host, port = self.server.http.rsplit(":", 1)
        caller = socket.socket()
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.settimeout(120)
        caller.connect((host, int(port)))
        text = json.dumps(body).encode()
        caller.sendall(b"POST /api/v1/reads HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(text) + text)
        return caller

    def metric(self, name):
        for line in self.api.get("/metrics").body.splitlines():
            if line.startswith(name + " "):
                return int(line.split()[1])
        raise AssertionError(name)


class Reads(Fleet):
    def test_each_device_has_its_line(self):
        names = []
        for number in range(5):
            def answer(message, number=number):
                return (CONTENT, 110, json.dumps([{"bn": "/3303/0/5700", "v": number + 0.5}]).encode())
            names.append(self.device(f"line-{number}", answer).endpoint)
        lines = self.read(path="/3303/0/5700", clients=names + ["line-none"])
        found = {line["endpoint"]: line for line in lines}
        self.assertEqual(set(found), set(names) | {"line-none"})
        for number, name in enumerate(names):
            line = found[name]
            self.assertEqual((line["code"], line["contentFormat"], line["node"]["value"], line["node"]["name"]),
                             ("2.05", 110, number + 0.5, "Sensor Value"))
        self.assertEqual(found["line-none"]["problem"]["type"], "/problems/unknown-endpoint")

    def test_what_goes_wrong_is_told_in_its_line(self):
        self.device("bad-code", lambda message: (NOT_FOUND, 0, b"nothing here"))
        self.device("bad-reset", lambda message: RESET)
        self.device("bad-silent", lambda message: SILENT)
        self.device("bad-payload", lambda message: (CONTENT, 110, b"{"))
        self.device("good", lambda message: (CONTENT, 0, b"7"))
        lines = self.read(path="/3/0/9", clients=["bad-code", "bad-reset", "bad-payload", "good"])
        lines += self.read(path="/3/0/9", clients=["bad-silent"], timeout=1)
        slugs = {line["endpoint"]: line.get("problem", {}).get("type", "").removeprefix("/problems/") for line in lines}
        self.assertEqual(slugs, {"bad-code": "device-error", "bad-reset": "rejected", "bad-silent": "timeout",
                                 "bad-payload": "bad-payload", "good": ""})
        code = next(line["problem"] for line in lines if line["endpoint"] == "bad-code")
        self.assertEqual((code["coapCode"], code["status"], code["path"]), ("4.04", 404, "/3/0/9"))
        self.assertIn("nothing here", code["detail"])

    def test_more_in_flight_than_the_server_may_have(self):
        """limits.requests is 8: the window shrinks, and no device is told to be busy."""
        _, names = self.fleet("window", 300, lambda message: (CONTENT, 0, b"7"))
        lines = self.read(path="/3/0/9", clients=names, inFlight=64)
        self.assertEqual(sorted(line["endpoint"] for line in lines), names)
        self.assertEqual([line["endpoint"] for line in lines if "problem" in line], [])

    def test_a_refused_guess_is_tried_once_more(self):
        self.device("guess", lambda m: (NOT_ACCEPTABLE, None, b"") if m.all(ACCEPT) else (CONTENT, 0, b"Acme"))
        self.assertEqual(self.read(path="/3/0/0", clients=["guess"])[0]["node"]["value"], "Acme")
        asked = self.read(path="/3/0/0", clients=["guess"], format="tlv")
        self.assertEqual(asked[0]["problem"]["coapCode"], "4.06")

    def test_the_same_device_twice(self):
        self.device("twice", lambda message: (CONTENT, 0, b"7"))
        self.assertEqual([line["node"]["value"] for line in self.read(path="/3/0/9", clients=["twice"] * 3)], [7, 7, 7])

    def test_a_caller_that_leaves_ends_it(self):
        device, names = self.fleet("leave", 40, lambda message: SILENT)
        caller = self.begin({"path": "/3/0/9", "clients": names, "inFlight": 4, "timeout": 300})
        wait_until("devices are asked", lambda: device.seen)
        self.assertEqual(self.metric("dunlin_bulk_reads"), 1)
        caller.close()
        wait_until("it is over", lambda: self.metric("dunlin_bulk_reads") == 0)
        self.assertLessEqual(len({message.token for message in device.seen}), 8)
        device.answer = lambda message: (CONTENT, 0, b"7")
        self.assertEqual(self.api.get(f"/clients/{names[-1]}/3/0/9").status, 200)

    def test_a_caller_that_does_not_read_slows_the_reads(self):
        text = b"x" * 1000
        device, names = self.fleet("slow", 400, lambda message: (CONTENT, 0, text))
        caller = self.begin({"path": "/3/0/0", "clients": names * 25, "inFlight": 4})
        wait_until("devices are asked", lambda: device.seen)
        asked = -1
        while asked != len(device.seen):  # until it stands
            asked = len(device.seen)
            time.sleep(0.5)
        self.assertLess(asked, 9000)
        data = b""
        while not data.endswith(b"0\r\n\r\n"):
            data = data[-16:] + caller.recv(1 << 20)
        self.assertEqual(len({message.token for message in device.seen}), 10000)
        caller.close()

    def test_as_many_as_may_be_open(self):
        device, names = self.fleet("open", 2, lambda message: SILENT)
        callers = [self.begin({"path": "/3/0/9", "clients": [name], "timeout": 300}) for name in names]
        wait_until("both wait", lambda: self.metric("dunlin_bulk_reads") == 2)
        answer = self.api.post("/reads", {"path": "/3", "clients": ["a"]})
        self.assertEqual((answer.status, answer.slug), (503, "busy"))
        for caller in callers:
            caller.close()
        wait_until("none is open", lambda: self.metric("dunlin_bulk_reads") == 0)

    def test_bad_requests(self):
        good = {"path": "/3/0", "clients": ["a"]}
        rows = [([], ""), ({"clients": ["a"]}, "/path"), ({"path": "/3/0"}, "/clients"), ({**good, "path": "/"}, "/path"),
                ({**good, "path": 3}, "/path"), ({**good, "path": "/3/0/1/2/3"}, "/path"), ({**good, "clients": []}, "/clients"),
                ({**good, "clients": "a"}, "/clients"), ({**good, "clients": ["a", 5]}, "/clients/1"),
                ({**good, "clients": ["a", ""]}, "/clients/1"), ({**good, "clients": ["a"] * 100001}, "/clients"),
                ({**good, "inFlight": 0}, "/inFlight"), ({**good, "inFlight": 1025}, "/inFlight"),
                ({**good, "inFlight": "8"}, "/inFlight"), ({**good, "timeout": 0}, "/timeout"),
                ({**good, "timeout": 301}, "/timeout"), ({**good, "format": "xml"}, "/format"),
                ({**good, "format": 110}, "/format"), ({**good, "paths": []}, "")]
        for body, pointer in rows:
            answer = self.api.post("/reads", body)
            self.assertEqual((answer.status, answer.slug, answer.json["pointer"]), (422, "invalid-value", pointer))
        self.assertEqual(self.api.post("/reads", "{").slug, "malformed-json")
        self.assertEqual(self.api.post("/reads", "{}", headers={"Content-Type": "text/plain"}).status, 415)
        self.assertEqual(self.api.post("/reads?timeout=1", good).slug, "invalid-parameter")
        self.assertEqual(self.api.get("/reads").status, 405)
        large = {**good, "clients": ["x" * 1000] * 9000}  # more than http.max-list-bytes
        self.assertEqual(self.api.post("/reads", large).slug, "body-too-large")
        many = {**good, "clients": ["x" * 60] * 50000}  # more than http.max-body-bytes, which does not count here
        answer = self.api.post("/reads", many)
        self.assertEqual((answer.status, answer.body.count("\n"), answer.body.count("unknown-endpoint")), (200, 50000, 50000))


class Ending(Fleet):
    def test_a_stream_that_is_broken_off_is_not_whole(self):
        device, names = self.fleet("ending", 20, lambda message: SILENT)
        caller = self.begin({"path": "/3/0/9", "clients": names, "inFlight": 4, "timeout": 300})
        wait_until("devices are asked", lambda: device.seen)
        stopped = []
        stopping = threading.Thread(target=lambda: stopped.append(self.server.stop()))
        stopping.start()
        data = b""
        while True:
            part = caller.recv(65536)
            if not part:
                break
            data += part
        stopping.join(120)
        self.assertEqual(stopped, [0])
        self.assertIn(b"/problems/cancelled", data)
        self.assertFalse(data.endswith(b"0\r\n\r\n"))
        self.server.__init__("--store", "memory")


if __name__ == "__main__":
    unittest.main()
