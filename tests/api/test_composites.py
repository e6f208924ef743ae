# SPDX-License-Identifier: Apache-2.0
"""Composites, notification attributes, Send, and several versions of one object in one fleet."""

import json
import os
import unittest

from device import ACCEPT, CHANGED, CONTENT, CONTENT_FORMAT, OBSERVE, POST, SILENT, URI_QUERY, uint
from server import Events, wait_until
from test_operations import OperationsCase

FETCH, IPATCH = 5, 7
UNSUPPORTED, NOT_ALLOWED, CONFLICT = 0x8f, 0x85, 0x80
JSON_LINKS = '</>;rt="oma.lwm2m";ct="110",</1/0>,</3/0>,</3303/0>,</33000/0>'
HERE = os.path.dirname(__file__)


def names(message):
    """The paths in a SenML JSON payload."""
    base, out = "", []
    for record in json.loads(message.payload):
        base = record.get("bn", base)
        out.append(base + record.get("n", ""))
    return out


class Composites(OperationsCase):
    def test_read(self):
        values = b'[{"bn":"/","n":"3/0/0","vs":"Acme"},{"n":"1/0/1","v":60},{"n":"3/0/6/1","v":5},{"n":"3/0/6/0","v":1}]'
        device = self.device(lambda message: (CONTENT, 110, values), links=JSON_LINKS)
        answer = self.api.post(f"/clients/{device.endpoint}/composite/read", {"paths": ["/3/0/0", "/1/0", "/3/0/6", "/9"]})
        self.assertEqual(answer.status, 200, answer.body)
        result = answer.json
        self.assertEqual(result["values"], {"/1/0/1": 60, "/3/0/0": "Acme", "/3/0/6/0": 1, "/3/0/6/1": 5})
        self.assertEqual((result["code"], result["contentFormat"], result["endpoint"]), ("2.05", 110, device.endpoint))
        nodes = {one["path"]: one["node"] for one in result["nodes"]}
        self.assertEqual(list(nodes), ["/1/0", "/3/0/0", "/3/0/6"])
        self.assertEqual((nodes["/3/0/0"]["name"], nodes["/3/0/0"]["value"]), ("Manufacturer", "Acme"))
        self.assertEqual(nodes["/1/0"]["resources"][0]["value"], 60)
        self.assertEqual([one["value"] for one in nodes["/3/0/6"]["values"]], [1, 5])
        asked = device.seen[-1]
        self.assertEqual((asked.code, asked.path, asked.number(CONTENT_FORMAT), asked.number(ACCEPT)), (FETCH, "/", 110, 110))
        self.assertEqual(names(asked), ["/1/0", "/3/0/0", "/3/0/6", "/9"])

    def test_formats(self):
        for links, expected in (("</3/0>", 112), (JSON_LINKS, 110), ('</>;ct="110 112",</3/0>', 112), ("</>;ct=11542,</3/0>", 112)):
            device = self.device(lambda message: (CONTENT, 110, b"[]"), links=links)
            self.api.post(f"/clients/{device.endpoint}/composite/read", {"paths": ["/3"]})
            self.assertEqual(device.seen[-1].number(CONTENT_FORMAT), expected, links)
        device = self.device(lambda m: (UNSUPPORTED, None, b"") if m.number(CONTENT_FORMAT) == 112
                             else (CONTENT, 110, b'[{"bn":"/3/0/0","vs":"x"}]'))
        tried = self.api.post(f"/clients/{device.endpoint}/composite/read", {"paths": ["/3"]})
        self.assertEqual((tried.status, tried.json["values"]), (200, {"/3/0/0": "x"}))
        stands = self.api.post(f"/clients/{device.endpoint}/composite/read?format=senml-cbor", {"paths": ["/3"]})
        self.assertEqual((stands.status, stands.json["coapCode"]), (415, "4.15"))

    def test_write(self):
        device = self.device(lambda message: (CHANGED, None, b""), links=JSON_LINKS)
        body = {"values": {"/3/0/14": "+01:00", "/1/0/1": 60, "/33000/0/3": 0.5, "/33000/0/8": {"values": [{"id": 2, "value": 3}]},
                           "/40000/0/1": {"value": 9, "type": "float"}}}
        answer = self.api.post(f"/clients/{device.endpoint}/composite/write", body)
        self.assertEqual((answer.status, answer.json), (200, {"endpoint": device.endpoint, "code": "2.04"}), answer.body)
        asked = device.seen[-1]
        self.assertEqual((asked.code, asked.path, asked.number(CONTENT_FORMAT)), (IPATCH, "/", 110))
        base, sent = "", {}
        for record in json.loads(asked.payload):
            base = record.get("bn", base)
            sent[base + record.get("n", "")] = record.get("v", record.get("vs"))
        self.assertEqual(sent, {"/1/0/1": 60, "/3/0/14": "+01:00", "/33000/0/3": 0.5, "/33000/0/8/2": 3, "/40000/0/1": 9})

    def test_what_the_device_refuses(self):
        device = self.device(lambda message: (NOT_ALLOWED, None, b""))
        target = f"/clients/{device.endpoint}/composite"
        self.assertEqual(self.refusal("POST", target + "/read", {"paths": ["/3"]}), (405, "device-error"))
        self.assertEqual(self.refusal("POST", target + "/write", {"values": {"/3/0/14": "x"}}), (405, "device-error"))
        self.assertEqual(self.refusal("POST", target + "/observe", {"paths": ["/3"]}), (405, "device-error"))
        device.answer = lambda message: (CONTENT, 110, b"{")
        self.assertEqual(self.refusal("POST", target + "/read", {"paths": ["/3"]}), (502, "bad-payload"))
        device.answer = lambda message: (CONTENT, 0, b"x")
        self.assertEqual(self.refusal("POST", target + "/read", {"paths": ["/3"]}), (502, "bad-payload"))

    def test_bad_bodies(self):
        device = self.device(lambda message: (CHANGED, None, b""))
        target = f"/clients/{device.endpoint}/composite"
        rows = [({}, ""), ([], ""), ({"paths": [], "x": 1}, ""), ({"paths": []}, "/paths"), ({"paths": "/3"}, "/paths"),
                ({"paths": ["/3", 5]}, "/paths/1"), ({"paths": ["/"]}, "/paths/0"), ({"paths": ["/3/0/0/0/0"]}, "/paths/0"),
                ({"paths": ["/65535"]}, "/paths/0"), ({"paths": ["/3", "/1", "/3"]}, "/paths"),
                ({"paths": [f"/3/0/{i}" for i in range(33)]}, "/paths")]
        for body, pointer in rows:
            for method, part in (("POST", "/read"), ("POST", "/observe"), ("DELETE", "/observe")):
                answer = self.api.call(method, "/api/v1" + target + part, body)
                self.assertEqual((answer.status, answer.slug, answer.json["pointer"]), (422, "invalid-value", pointer), body)
        rows = [({}, ""), ({"values": {}}, "/values"), ({"values": []}, "/values"), ({"values": {"/3/0": 1}}, "/values"),
                ({"values": {"x": 1}}, "/values"), ({"values": {"/33000/0/1": "x"}}, "/values/~133000~10~11"),
                ({"values": {"/33000/0/8": 1}}, "/values/~133000~10~18"), ({"values": {"/33000/0/9": 1}}, "/values/~133000~10~19"),
                ({"values": {"/33000/0/8": {"values": [{"id": 0, "value": "x"}]}}}, "/values/~133000~10~18/values/0/value"),
                ({"values": {"/33000/0/8/1": 1, "/33000/0/8": {"values": []}}}, "/values"),
                ({"values": {"/40000/0/1": None}}, "/values/~140000~10~11"),
                ({"values": {f"/33000/0/8/{i}": i for i in range(257)}}, "/values")]
        for body, pointer in rows:
            answer = self.api.post(target + "/write", body)
            self.assertEqual((answer.status, answer.slug, answer.json["pointer"]), (422, "invalid-value", pointer), body)
        for part in ("/read", "/write", "/observe"):
            self.assertEqual(self.refusal("POST", target + part, "{"), (400, "malformed-json"))
            self.assertEqual(self.refusal("POST", target + part + "?format=tlv", {}), (400, "invalid-parameter"))
            self.assertEqual(self.refusal("POST", target + part + "?mode=x", {}), (400, "invalid-parameter"))
        self.assertEqual(device.seen, [])
        for part, body in (("read", {"paths": ["/3"]}), ("write", {"values": {"/3/0/14": ""}}), ("observe", {"paths": ["/3"]})):
            self.assertEqual(self.refusal("POST", "/clients/nobody/composite/" + part, body), (404, "unknown-endpoint"))

    def test_observe(self):
        state = {"v": 21, "tokens": []}

        def answer(message):
            if message.code == FETCH and message.all(OBSERVE):
                state["tokens"].append(message.token)
                return (CONTENT, 110, b'[{"bn":"/","n":"3303/0/5700","v":%d},{"n":"3/0/0","vs":"a"}]' % state["v"],
                        [(OBSERVE, uint(3))])
            return (CONTENT, 110, b"[]")
        device = self.device(answer, links=JSON_LINKS)
        events = Events(self.server.http, {"ep": device.endpoint, "type": "notification"})
        self.addCleanup(events.close)
        target = f"/clients/{device.endpoint}/composite/observe"
        paths = ["/3303/0/5700", "/3/0/0"]
        first = self.api.post(target, {"paths": paths})
        self.assertEqual((first.status, first.json["values"]), (201, {"/3/0/0": "a", "/3303/0/5700": 21}), first.body)
        again = self.api.post(target, {"paths": paths[::-1]})
        self.assertEqual((again.status, len(state["tokens"])), (200, 1))
        device.notify(state["tokens"][0], 4, 110, b'[{"bn":"/","n":"3303/0/5700","v":22},{"n":"3/0/0","vs":"b"}]')
        while True:
            _, _, data = events.next()
            self.contract.validate(data, {"$ref": "#/components/schemas/Event"})
            self.assertEqual((data["path"], data["paths"], data["code"]), ("/", ["/3/0/0", "/3303/0/5700"], "2.05"))
            if data["nodes"][1]["node"]["value"] == 22:
                break
        listed = self.api.get(f"/clients/{device.endpoint}/observations").json["observations"]
        self.assertEqual([(one["path"], one["paths"], one["state"]) for one in listed],
                         [("/", ["/3/0/0", "/3303/0/5700"], "active")])
        self.assertEqual([one["node"]["value"] for one in listed[0]["last"]["nodes"]], ["b", 22])
        gone = self.api.delete(target, body={"paths": paths})
        self.assertEqual((gone.status, gone.json["code"]), (200, "2.05"), gone.body)
        self.assertEqual(self.api.get(f"/clients/{device.endpoint}/observations").json["observations"], [])
        self.assertEqual(self.refusal("DELETE", target, {"paths": paths}), (404, "not-observed"))


class Attributes(OperationsCase):
    def test_they_are_written(self):
        device = self.device(lambda message: (CHANGED, None, b""))
        rows = [("/3303", {"pmin": 5}, ["pmin=5"]), ("/3303/0", {"pmin": 5, "pmax": None}, ["pmin=5", "pmax"]),
                ("/3303/0/5700", {"gt": 30.5, "lt": -4, "st": 0.1}, ["gt=30.5", "lt=-4", "st=0.1"]),
                ("/3303/0/5700/1", {"epmin": 0, "epmax": 4294967295}, ["epmin=0", "epmax=4294967295"]),
                ("/3303/0/5700", {"gt": 1e-7, "lt": 123456789012345.0}, ["gt=0.0000001", "lt=123456789012345"]),
                ("/3303/0/5700", {"gt": None, "lt": None}, ["gt", "lt"])]
        for path, body, expected in rows:
            answer = self.api.put(f"/clients/{device.endpoint}{path}?op=attributes", body)
            self.assertEqual((answer.status, answer.json),
                             (200, {"endpoint": device.endpoint, "path": path, "code": "2.04"}), answer.body)
            seen = device.seen[-1]
            self.assertEqual((seen.code, seen.path, seen.payload, seen.number(CONTENT_FORMAT)), (3, path, b"", None))
            self.assertEqual([part.decode() for part in seen.all(URI_QUERY)], expected)

    def test_what_is_none(self):
        device = self.device(lambda message: (CHANGED, None, b""))
        target = f"/clients/{device.endpoint}/3303/0/5700"
        rows = [({}, ""), ([], ""), ({"dim": 1}, ""), ({"pmin": -1}, "/pmin"), ({"pmin": 1.5}, "/pmin"), ({"pmax": "5"}, "/pmax"),
                ({"pmin": 4294967296}, "/pmin"), ({"gt": "x"}, "/gt"), ({"gt": True}, "/gt"), ({"st": 1e300}, "/st"),
                ({"lt": 1e-60}, "/lt")]
        for body, pointer in rows:
            answer = self.api.put(target + "?op=attributes", body)
            self.assertEqual((answer.status, answer.slug, answer.json["pointer"]), (422, "invalid-value", pointer), body)
        for query in ("?op=discover", "?op=attributes&mode=update", "?op=attributes&format=text"):
            self.assertEqual(self.refusal("PUT", target + query, {"pmin": 1}), (400, "invalid-parameter"))
        self.assertEqual(self.refusal("PUT", f"/clients/{device.endpoint}/3303", {"pmin": 1}), (400, "invalid-parameter"))
        self.assertEqual(device.seen, [])
        device.answer = lambda message: (CONFLICT, None, b"lt above gt")
        answer = self.api.put(target + "?op=attributes", {"gt": 1, "lt": 2})
        self.assertEqual((answer.status, answer.json["coapCode"]), (400, "4.00"))
        self.assertIn("lt above gt", answer.json["detail"])


class Sent(OperationsCase):
    def test_send_is_an_event(self):
        device = self.device(lambda message: SILENT, links=JSON_LINKS)
        events = Events(self.server.http, {"ep": device.endpoint, "type": "send"})
        self.addCleanup(events.close)
        pack = (b'[{"bn":"/3303/0/","bt":1700000000,"n":"5700","v":20.5,"t":-60},{"n":"5700","v":21.5},'
                b'{"bn":"/3/0/","n":"0","vs":"Acme"}]')
        reply = device.request(POST, ["dp"], (), 110, pack)
        self.assertEqual(reply.code, CHANGED)
        _, _, data = events.next()
        self.contract.validate(data, {"$ref": "#/components/schemas/Event"})
        self.assertEqual([(one["path"], one["node"]["value"]) for one in data["nodes"]], [("/3/0/0", "Acme"), ("/3303/0/5700", 21.5)])
        self.assertEqual([(one["path"], one["value"], one.get("time")) for one in data["records"]],
                         [("/3/0/0", "Acme", "2023-11-14T22:13:20.000Z"), ("/3303/0/5700", 20.5, "2023-11-14T22:12:20.000Z"),
                          ("/3303/0/5700", 21.5, "2023-11-14T22:13:20.000Z")])


class Versions(OperationsCase):
    """One fleet with two versions of an object, whose resource 0 is an integer in one and a string in the other."""

    def upload(self, version, kind):
        with open(os.path.join(HERE, "types.xml"), encoding="utf-8") as file:
            text = file.read()
        text = text.replace("33000", "33001").replace("<ObjectVersion>1.0<", f"<ObjectVersion>{version}<")
        text = text.replace("<Type>String</Type>", f"<Type>{kind}</Type>").replace("<Name>Text<", f"<Name>Text in {version}<")
        answer = self.api.post("/models", text, headers={"Content-Type": "application/xml"})
        self.assertEqual(answer.status, 201, answer.body)

    def test_each_device_is_read_and_written_by_its_own(self):
        old = self.device(lambda message: (CONTENT, 0, b"7"), links='</33001>;ver="1.0",</33001/0>')
        new = self.device(lambda message: (CONTENT, 0, b"7"), links='</33001>;ver="2.0",</33001/0>')
        unknown = self.device(lambda message: (CONTENT, 0, b"7"), links='</33001>;ver="3.0",</33001/0>')
        target = "/clients/{}/33001/0/0"
        before = self.api.get(target.format(old.endpoint)).json["node"]
        self.assertNotIn("name", before)
        self.upload("1.0", "Integer")  # while they are registered
        self.upload("2.0", "String")
        for device, name, value in ((old, "Text in 1.0", 7), (new, "Text in 2.0", "7")):
            node = self.api.get(target.format(device.endpoint)).json["node"]
            self.assertEqual((node["name"], node["value"]), (name, value))
        self.assertNotIn("name", self.api.get(target.format(unknown.endpoint)).json["node"])
        lines = [json.loads(line) for line in self.api.post("/reads", {
            "path": "/33001/0/0", "clients": [old.endpoint, new.endpoint] * 5}).body.splitlines()]
        self.assertEqual({(line["endpoint"], line["node"]["value"]) for line in lines}, {(old.endpoint, 7), (new.endpoint, "7")})
        for device in (old, new):
            device.answer = lambda message: (CHANGED, None, b"")
        self.assertEqual(self.api.put(target.format(old.endpoint), {"value": 5}).status, 200)
        self.assertEqual(self.refusal("PUT", target.format(old.endpoint), {"value": "x"}), (422, "invalid-value"))
        self.assertEqual(self.api.put(target.format(new.endpoint), {"value": "x"}).status, 200)
        self.assertEqual(self.refusal("PUT", target.format(new.endpoint), {"value": 5}), (422, "invalid-value"))
        for device, value, status in ((old, 5, 200), (old, "x", 422), (new, "x", 200), (new, 5, 422)):
            answer = self.api.post(f"/clients/{device.endpoint}/composite/write", {"values": {"/33001/0/0": value}})
            self.assertEqual(answer.status, status)
        shown = self.api.get(f"/clients/{new.endpoint}").json["objects"]
        self.assertEqual([(one["version"], one["name"]) for one in shown], [("2.0", "All Types")])
        old.update(links='</33001>;ver="2.0",</33001/0>')  # new firmware
        old.answer = lambda message: (CONTENT, 0, b"7")
        wait_until("the new version is known", lambda: self.api.get(target.format(old.endpoint)).json["node"]["value"] == "7")


if __name__ == "__main__":
    unittest.main()
