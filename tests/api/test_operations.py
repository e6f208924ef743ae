# SPDX-License-Identifier: Apache-2.0
"""Device management and observations through the real dunlind, with a device that answers as each test wants."""

import json
import os
import socket
import threading
import time
import unittest

from device import (ACCEPT, CHANGED, CONTENT, CONTENT_FORMAT, CREATED, DELETED, LOCATION, OBSERVE, RESET, SILENT,
                    Device, uint)
from server import Api, Contract, Events, Server, wait_until

NOT_FOUND, NOT_ACCEPTABLE, UNSUPPORTED = 0x84, 0x86, 0x8f
TYPES = os.path.join(os.path.dirname(__file__), "types.xml")


def senml(base, **values):
    return json.dumps([{"bn": base, **values}]).encode()


class OperationsCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--store", "memory", "--models", os.path.dirname(TYPES))
        cls.contract = Contract()
        cls.api = Api(cls.server.http, cls.contract)
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, cls.server.log_text()

    def device(self, answer, name=None, **more):
        type(self).count += 1
        device = Device(self.server.coap, name or f"dev-{self.count}", answer, **more)
        device.register()
        self.addCleanup(device.close)
        return device

    def value_read(self, payload_format, payload, path="/33000/0/1"):
        device = self.device(lambda message: (CONTENT, payload_format, payload))
        answer = self.api.get(f"/clients/{device.endpoint}{path}")
        self.assertEqual(answer.status, 200, answer.body)
        return answer

    def refusal(self, method, target, body=None, **more):
        answer = self.api.call(method, "/api/v1" + target, body, **more)
        return answer.status, answer.slug


class Reading(OperationsCase):
    def test_a_resource_has_name_type_unit_and_value(self):
        answer = self.value_read(110, b'[{"bn":"/3303/0/5700","v":21.5}]', "/3303/0/5700").json
        self.assertEqual(answer["path"], "/3303/0/5700")
        self.assertEqual(answer["code"], "2.05")
        self.assertEqual(answer["contentFormat"], 110)
        self.assertEqual((answer["node"]["type"], answer["node"]["value"]), ("float", 21.5))
        self.assertEqual(answer["node"]["name"], "Sensor Value")

    def test_every_type_is_exact(self):
        rows = [(0, b'[{"bn":"/33000/0/0","vs":"\\u00e9\\n"}]', '"value":"é\\n"'),
                (1, b'[{"bn":"/33000/0/1","v":-9223372036854775808}]', '"value":-9223372036854775808'),
                (2, b'[{"bn":"/33000/0/2","v":18446744073709551615}]', '"value":18446744073709551615'),
                (3, b'[{"bn":"/33000/0/3","v":0.1}]', '"value":0.1'),
                (4, b'[{"bn":"/33000/0/4","vb":true}]', '"value":true'),
                (5, b'[{"bn":"/33000/0/5","vd":"AP-_"}]', '"value":"AP+/"'),
                (6, b'[{"bn":"/33000/0/6","v":1700000000}]', '"value":"2023-11-14T22:13:20Z"'),
                (7, b'[{"bn":"/33000/0/7","vlo":"3303:65535"}]', '"value":"3303:65535"')]
        for resource, payload, expected in rows:
            with self.subTest(resource=resource):
                self.assertIn(expected, self.value_read(110, payload, f"/33000/0/{resource}").body)

    def test_a_multiple_resource_has_values(self):
        node = self.value_read(110, b'[{"bn":"/33000/0/8/","n":"3","v":7},{"n":"1","v":5}]', "/33000/0/8").json["node"]
        self.assertEqual(node["values"], [{"id": 1, "value": 5}, {"id": 3, "value": 7}])

    def test_a_resource_instance(self):
        self.assertEqual(self.value_read(0, b"7", "/33000/0/8/3").json["node"], {"id": 3, "type": "integer", "value": 7})

    def test_text_without_a_content_format(self):
        self.assertEqual(self.value_read(None, b"42").json["node"]["value"], 42)

    def test_an_instance_and_an_object(self):
        payload = b'[{"bn":"/33000/","n":"0/0","vs":"a"},{"n":"2/1","v":1},{"n":"0/8/0","v":4}]'
        node = self.value_read(110, payload, "/33000").json["node"]
        self.assertEqual([instance["id"] for instance in node["instances"]], [0, 2])
        self.assertEqual(node["name"], "All Types")
        self.assertEqual(self.value_read(11542, b"", "/33000").json["node"]["instances"], [])

    def test_an_unknown_object_is_typed_by_its_payload(self):
        node = self.value_read(110, b'[{"bn":"/40000/0/7","vb":false}]', "/40000/0/7").json["node"]
        self.assertEqual(node, {"id": 7, "type": "boolean", "value": False})

    def test_the_format_is_what_the_device_announced(self):
        for version, links, expected in (("1.1", '</>;rt="oma.lwm2m";ct="110",</3/0>', 110), ("1.1", "</3/0>", 112),
                                         ("1.0", "</3/0>", 11542), ("1.1", '</>;ct=11542,</3/0>', 11542)):
            device = self.device(lambda message: (CONTENT, 0, b"x"), links=links, lwm2m=version)
            self.api.get(f"/clients/{device.endpoint}/3/0/0")
            self.assertEqual(device.seen[-1].number(ACCEPT), expected, links)

    def test_a_refused_guess_is_tried_once_more(self):
        device = self.device(lambda m: (NOT_ACCEPTABLE, None, b"") if m.all(ACCEPT) else (CONTENT, 0, b"Acme"))
        self.assertEqual(self.api.get(f"/clients/{device.endpoint}/3/0/0").json["node"]["value"], "Acme")
        asked = [message.number(ACCEPT) for message in device.seen]
        self.assertEqual(asked, [112, None])

    def test_an_explicit_format_is_not_replaced(self):
        device = self.device(lambda message: (NOT_ACCEPTABLE, None, b""))
        self.assertEqual(self.refusal("GET", f"/clients/{device.endpoint}/3/0/0?format=text"), (406, "device-error"))
        self.assertEqual([message.number(ACCEPT) for message in device.seen], [0])

    def test_discover(self):
        links = b'</3>;pmin=10,</3/0>,</3/0/6>;dim=2;pmax=60,</3/0/7>;con,</other>'
        device = self.device(lambda m: (CONTENT, 40, links))
        answer = self.api.get(f"/clients/{device.endpoint}/3/0?op=discover")
        self.assertEqual(answer.json["links"][2], {"path": "/3/0/6", "attributes": {"dim": "2", "pmax": "60"}})
        self.assertEqual(answer.json["links"][3]["attributes"], {"con": None})
        self.assertEqual(len(answer.json["links"]), 4)
        self.assertEqual(device.seen[-1].number(ACCEPT), 40)

    def test_a_large_answer_comes_whole(self):
        text = "x" * 900
        self.assertEqual(self.value_read(0, text.encode(), "/33000/0/0").json["node"]["value"], text)


class Failing(OperationsCase):
    def test_what_the_device_says(self):
        rows = {0x80: 400, 0x81: 403, 0x84: 404, 0x85: 405, 0x86: 406, 0x88: 409, 0x8d: 413, 0x8f: 415, 0x89: 400,
                0xa0: 502, 0xa3: 502}
        for code, status in rows.items():
            device = self.device(lambda m, code=code: (code, None, b"because"))
            answer = self.api.get(f"/clients/{device.endpoint}/3/0/0?format=text")
            self.assertEqual((answer.status, answer.slug), (status, "device-error"))
            self.assertEqual(answer.json["coapCode"], f"{code >> 5}.{code & 31:02}")
            self.assertIn("because", answer.json["detail"])
            self.assertEqual((answer.json["endpoint"], answer.json["path"]), (device.endpoint, "/3/0/0"))

    def test_no_answer_reset_and_rubbish(self):
        silent = self.device(lambda message: SILENT)
        started = time.monotonic()
        self.assertEqual(self.refusal("GET", f"/clients/{silent.endpoint}/3/0/0?timeout=1"), (504, "timeout"))
        self.assertLess(time.monotonic() - started, 40)  # CoAP alone would go on for 45 s at least
        reset = self.device(lambda message: RESET)
        self.assertEqual(self.refusal("GET", f"/clients/{reset.endpoint}/3/0/0"), (502, "rejected"))
        rubbish = self.device(lambda message: (CONTENT, 112, b"\x9f\x82"))
        self.assertEqual(self.refusal("GET", f"/clients/{rubbish.endpoint}/3/0/0"), (502, "bad-payload"))
        links = self.device(lambda message: (CONTENT, 40, b"<<<"))
        self.assertEqual(self.refusal("GET", f"/clients/{links.endpoint}/3?op=discover"), (502, "bad-payload"))

    def test_the_registration_ends_meanwhile(self):
        device = self.device(lambda message: SILENT)
        result = []
        waiting = threading.Thread(target=lambda: result.append(self.refusal(
            "GET", f"/clients/{device.endpoint}/3/0/0?timeout=300")))
        waiting.start()
        wait_until("the request is at the device", lambda: device.seen)
        device.deregister()
        waiting.join(120)
        self.assertEqual(result, [(409, "cancelled")])

    def test_who_is_not_there(self):
        for method, body in (("GET", None), ("PUT", {"value": 1}), ("POST", None), ("PUT", {"value": 1})):
            self.assertEqual(self.refusal(method, "/clients/nobody/3/0/4", body), (404, "unknown-endpoint"))
        self.assertEqual(self.refusal("GET", "/clients/nobody"), (404, "unknown-endpoint"))
        self.assertEqual(self.refusal("DELETE", "/clients/nobody/3/0"), (404, "unknown-endpoint"))
        self.assertEqual(self.refusal("POST", "/clients/nobody/3", {"resources": []}), (404, "unknown-endpoint"))
        self.assertEqual(self.refusal("GET", "/clients/nobody/3/0?op=discover"), (404, "unknown-endpoint"))
        self.assertEqual(self.refusal("GET", "/clients/nobody/observations"), (404, "unknown-endpoint"))
        self.assertEqual(self.refusal("PUT", "/clients/nobody/observations/3/0"), (404, "unknown-endpoint"))
        self.assertEqual(self.refusal("DELETE", "/clients/nobody/observations/3/0"), (404, "unknown-endpoint"))

    def test_a_caller_that_hangs_up_frees_its_request(self):
        device = self.device(lambda message: SILENT)
        host, port = self.server.http.rsplit(":", 1)
        caller = socket.create_connection((host, int(port)))
        caller.sendall(f"GET /api/v1/clients/{device.endpoint}/3/0/0?timeout=60 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                       .encode())
        wait_until("the request waits", lambda: "dunlin_http_waiting 1\n" in self.api.get("/metrics").body)
        caller.close()
        wait_until("nothing waits", lambda: "dunlin_http_waiting 0\n" in self.api.get("/metrics").body)


class Writing(OperationsCase):
    def written(self, path, body, query="", answer=None, **more):
        device = self.device(answer or (lambda message: (CHANGED, None, b"")), **more)
        result = self.api.put(f"/clients/{device.endpoint}{path}{query}", body)
        return device, result

    def test_values_reach_the_device(self):
        rows = [("/33000/0/0", {"value": "é"}, "text", "é".encode()),
                ("/33000/0/1", '{"value":-9223372036854775808}', "text", b"-9223372036854775808"),
                ("/33000/0/2", '{"value":18446744073709551615}', "text", b"18446744073709551615"),
                ("/33000/0/2", '{"value":18446744073709551615}', "tlv", b"\xc8\x02\x08" + b"\xff" * 8),
                ("/33000/0/3", {"value": 0.5}, "text", b"0.5"),
                ("/33000/0/4", {"value": True}, "text", b"1"),
                ("/33000/0/5", {"value": "AP+/"}, "opaque", b"\x00\xff\xbf"),
                ("/33000/0/6", {"value": "2023-11-14T23:13:20+01:00"}, "text", b"1700000000"),
                ("/33000/0/7", {"value": "3303:1"}, "text", b"3303:1"),
                ("/33000/0/8/4", {"value": 9}, "text", b"9"),
                ("/40000/0/1", {"value": 9, "type": "float"}, "tlv", b"\xc4\x01\x41\x10\x00\x00")]
        for path, body, form, expected in rows:
            with self.subTest(path=path, form=form):
                device, result = self.written(path, body, "?format=" + form)
                self.assertEqual((result.status, result.json["code"]), (200, "2.04"), result.body)
                self.assertEqual((device.seen[-1].code, device.seen[-1].path), (3, path))
                self.assertEqual(device.seen[-1].payload, expected)

    def test_an_instance_replaced_or_updated(self):
        body = {"resources": [{"id": 1, "value": 2}, {"id": 0, "value": "a", "name": "Text", "type": "string"}]}
        for query, method in (("?mode=replace", 3), ("?mode=update", 2), ("", 3)):
            device, result = self.written("/33000/0", body, query + ("&" if query else "?") + "format=senml-json")
            self.assertEqual((result.status, device.seen[-1].code, device.seen[-1].path), (200, method, "/33000/0"))
            values = {record.get("bn", "") + record.get("n", ""): record for record in json.loads(device.seen[-1].payload)}
            self.assertEqual(len(values), 2, values)

    def test_an_update_below_an_instance_is_sent_to_the_instance(self):
        device, result = self.written("/33000/0/8", {"values": [{"id": 2, "value": 3}]}, "?mode=update")
        self.assertEqual((result.status, result.json["path"]), (200, "/33000/0/8"))
        self.assertEqual((device.seen[-1].code, device.seen[-1].path), (2, "/33000/0"))

    def test_an_unsupported_guess_is_tried_once_more(self):
        tried = []

        def answer(message):
            tried.append(message.number(CONTENT_FORMAT))
            return (UNSUPPORTED, None, b"") if tried[-1] == 112 else (CHANGED, None, b"")
        _, result = self.written("/33000/0/1", {"value": 1}, answer=answer)
        self.assertEqual((result.status, tried), (200, [112, 11542]))

    def test_the_device_s_second_refusal_stands(self):
        _, result = self.written("/33000/0/1", {"value": 1}, answer=lambda message: (UNSUPPORTED, None, b""))
        self.assertEqual((result.status, result.slug), (415, "device-error"))

    def test_what_does_not_fit(self):
        device = self.device(lambda message: (CHANGED, None, b""))
        rows = [("/33000/0/1", '{"value":"x"}', "/value"), ("/33000/0/1", '{"value":1.5}', "/value"),
                ("/33000/0/1", '{"value":9223372036854775808}', "/value"), ("/33000/0/2", '{"value":-1}', "/value"),
                ("/33000/0/2", '{"value":18446744073709551616}', "/value"), ("/33000/0/4", '{"value":1}', "/value"),
                ("/33000/0/5", '{"value":"???"}', "/value"), ("/33000/0/6", '{"value":"yesterday"}', "/value"),
                ("/33000/0/7", '{"value":"3303"}', "/value"), ("/33000/0/1", '{}', ""), ("/33000/0/1", '[]', ""),
                ("/33000/0/1", '{"values":[{"id":0,"value":1}]}', "/values"), ("/33000/0/8", '{"value":1}', "/value"),
                ("/33000/0/8", '{"values":[{"value":1}]}', "/values/0"),
                ("/33000/0/8", '{"values":[{"id":0,"value":"x"}]}', "/values/0/value"),
                ("/33000/0/9", '{"value":1}', ""), ("/33000/0/1", '{"value":1,"id":2}', "/id"),
                ("/33000/0/1", '{"valeu":1}', ""), ("/33000/0", '{"resources":[{"id":1,"value":true}]}', "/resources/0/value"),
                ("/33000/0", '{"resources":[{"id":1,"value":1},{"id":1,"value":2}]}', ""),
                ("/33000/0", '{"resources":{}}', "/resources"), ("/33000/0", '{"value":1}', ""),
                ("/40000/0/0", '{"value":null}', "/value"), ("/40000/0/0", '{"value":1,"type":"int"}', "/type")]
        for path, body, pointer in rows:
            with self.subTest(path=path, body=body):
                answer = self.api.put(f"/clients/{device.endpoint}{path}", body)
                self.assertEqual((answer.status, answer.slug), (422, "invalid-value"), answer.body)
                self.assertEqual(answer.json["pointer"], pointer)
        self.assertEqual(device.seen, [])

    def test_what_is_no_json(self):
        device = self.device(lambda message: (CHANGED, None, b""))
        for body in ("", "{", '{"value":1,"value":2}', '{"value":01}', "\xff", '{"value":1}x'):
            status, slug = self.refusal("PUT", f"/clients/{device.endpoint}/33000/0/1", body.encode("latin-1"))
            self.assertEqual((status, slug), (400, "malformed-json"), body)
        detail = self.api.put(f"/clients/{device.endpoint}/33000/0/1", b'{\n "value": x}').json["detail"]
        self.assertIn("line 2", detail)

    def test_a_body_of_another_kind_or_too_large(self):
        device = self.device(lambda message: (CHANGED, None, b""))
        target = f"/clients/{device.endpoint}/33000/0/0"
        self.assertEqual(self.refusal("PUT", target, "x", headers={"Content-Type": "text/plain"}),
                         (415, "unsupported-media-type"))
        large = json.dumps({"value": "x" * 2_000_000})  # more than http.max-body-bytes
        self.assertEqual(self.refusal("PUT", target, large), (413, "body-too-large"))
        # More than coap.max-body.
        medium = json.dumps({"value": "x" * 500_000})
        self.assertEqual(self.refusal("PUT", target, medium), (413, "body-too-large"))

    def test_execute(self):
        rows = [(None, b""), ({}, b""), ({"args": "0='x',1"}, b"0='x',1"),
                ({"args": [{"id": 0, "value": "x"}, {"id": 1}]}, b"0='x',1")]
        for body, expected in rows:
            device = self.device(lambda message: (CHANGED, None, b""))
            answer = self.api.post(f"/clients/{device.endpoint}/3/0/4", body)
            self.assertEqual((answer.status, answer.json["code"]), (200, "2.04"))
            self.assertEqual((device.seen[-1].code, device.seen[-1].payload), (2, expected))
        for bad in ({"args": "x"}, {"args": "0='a b'"}, {"args": "1,1"}, {"args": [{"id": 10}]}, {"arg": ""}, {"args": 1}):
            self.assertEqual(self.refusal("POST", f"/clients/{device.endpoint}/3/0/4", bad), (422, "invalid-value"))

    def test_create(self):
        def answer(message):
            return (CREATED, None, b"", [(LOCATION, b"33000"), (LOCATION, b"7")])
        device = self.device(answer)
        made = self.api.post(f"/clients/{device.endpoint}/33000", {"resources": [{"id": 1, "value": 5}]})
        self.assertEqual((made.status, made.json["path"]), (201, "/33000/7"))
        self.assertEqual(made.headers["Location"], f"/api/v1/clients/{device.endpoint}/33000/7")
        self.assertEqual((device.seen[-1].number(CONTENT_FORMAT), device.seen[-1].payload), (11542, b"\xc1\x01\x05"))
        device = self.device(lambda message: (CREATED, None, b""))
        made = self.api.post(f"/clients/{device.endpoint}/33000?format=tlv", {"id": 3, "resources": [{"id": 1, "value": 5}]})
        self.assertEqual(made.json["path"], "/33000/3")
        self.assertEqual(device.seen[-1].payload, b"\x03\x03\xc1\x01\x05")

    def test_a_create_in_senml_takes_a_free_instance(self):
        device = self.device(lambda message: (CREATED, None, b""), links='</>;ct=110,</33000/0>,</33000/1>')
        made = self.api.post(f"/clients/{device.endpoint}/33000", {"resources": [{"id": 1, "value": 5}]})
        self.assertEqual((made.status, made.json["path"]), (201, "/33000/2"))
        self.assertEqual(json.loads(device.seen[-1].payload), [{"bn": "/33000/", "n": "2/1", "v": 5}])

    def test_delete(self):
        device = self.device(lambda message: (DELETED, None, b""))
        answer = self.api.delete(f"/clients/{device.endpoint}/33000/0")
        self.assertEqual((answer.status, answer.json["code"], device.seen[-1].code), (200, "2.02", 4))


class Observing(OperationsCase):
    def observing(self, values=(21.0,), code=CONTENT):
        state = {"tokens": [], "n": 0}

        def answer(message):
            if message.number(OBSERVE) == 0 or (message.all(OBSERVE) and message.number(OBSERVE) is None):
                state["tokens"].append(message.token)
                return (code, 110, json.dumps([{"bn": message.path, "v": values[0]}]).encode(), [(OBSERVE, uint(5))])
            return (code, 110, json.dumps([{"bn": message.path, "v": values[0]}]).encode())
        device = self.device(answer)
        return device, state

    def test_start_notify_list_cancel(self):
        device, state = self.observing()
        target = f"/clients/{device.endpoint}/observations"
        self.assertEqual(self.api.get(target).json, {"observations": []})
        events = Events(self.server.http, {"ep": device.endpoint, "type": "notification"})
        self.addCleanup(events.close)
        first = self.api.put(target + "/3303/0/5700")
        self.assertEqual((first.status, first.json["node"]["value"]), (201, 21.0))
        again = self.api.put(target + "/3303/0/5700")
        self.assertEqual((again.status, again.json["node"]["value"], len(state["tokens"])), (200, 21.0, 1))
        device.notify(state["tokens"][0], 6, 110, b'[{"bn":"/3303/0/5700","v":22.5}]')
        while True:
            _, _, data = events.next()
            self.contract.validate(data, {"$ref": "#/components/schemas/Event"})
            if data["node"]["value"] == 22.5:
                break
        self.assertEqual((data["path"], data["endpoint"], data["code"]), ("/3303/0/5700", device.endpoint, "2.05"))
        listed = self.api.get(target).json["observations"]
        self.assertEqual([(one["path"], one["state"], one["last"]["node"]["value"]) for one in listed],
                         [("/3303/0/5700", "active", 22.5)])
        gone = self.api.delete(target + "/3303/0/5700")
        self.assertEqual((gone.status, gone.json["path"]), (200, "/3303/0/5700"))
        self.assertEqual(self.refusal("DELETE", target + "/3303/0/5700"), (404, "not-observed"))
        self.assertEqual(self.api.get(target).json, {"observations": []})

    def test_every_depth(self):
        device = self.device(lambda m: (CONTENT, 11542, b"", [(OBSERVE, b"\x01")]) if m.path.count("/") < 3
                             else (CONTENT, 0, b"5", [(OBSERVE, b"\x01")]))
        target = f"/clients/{device.endpoint}/observations"
        for path in ("/33000", "/33000/0", "/33000/0/1", "/33000/0/8/1"):
            self.assertEqual(self.api.put(target + path).status, 201, path)
        self.assertEqual(len(self.api.get(target).json["observations"]), 4)
        for path in ("/33000", "/33000/0", "/33000/0/1", "/33000/0/8/1"):
            self.assertEqual(self.api.delete(target + path).status, 200, path)

    def test_an_error_keeps_nothing(self):
        device, _ = self.observing(code=NOT_FOUND)
        target = f"/clients/{device.endpoint}/observations"
        self.assertEqual(self.refusal("PUT", target + "/3303/0/5700"), (404, "device-error"))
        self.assertEqual(self.api.get(target).json, {"observations": []})

    def test_they_outlive_the_registration(self):
        device, state = self.observing()
        target = f"/clients/{device.endpoint}/observations"
        self.api.put(target + "/3303/0/5700")
        device.deregister()
        listed = self.api.get(target).json["observations"]
        self.assertEqual([(one["path"], one["last"]["node"]["value"]) for one in listed], [("/3303/0/5700", 21.0)])
        device.register()
        wait_until("it is made again", lambda: len(state["tokens"]) >= 2)
        wait_until("it is active", lambda: self.api.get(target).json["observations"][0]["state"] == "active")


if __name__ == "__main__":
    unittest.main()
