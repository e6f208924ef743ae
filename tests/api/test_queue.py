# SPDX-License-Identifier: Apache-2.0
"""The durable queue through the API: waiting, sleeping devices, requests and what becomes of them, presence."""

import json
import socket
import threading
import unittest

from device import (ACCEPT, CHANGED, CONTENT, CONTENT_FORMAT, CREATED, DELETED, GET, LOCATION, OBSERVE, POST, PUT, RESET, SILENT,
                    URI_QUERY, Device, uint)
from server import Api, Contract, Events, Server, wait_until

NOT_FOUND = 0x84
AWAKE_S = 0.5


class QueueCase(unittest.TestCase):
    config = f"queue:\n  awake-ms: {int(AWAKE_S * 1000)}\n  requests-per-client: 5\n"
    options = ("--store", "memory")

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.options, config=cls.config)
        cls.contract = Contract()
        cls.api = Api(cls.server.http, cls.contract)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, cls.server.log_text()

    def device(self, name, answer=lambda message: SILENT, **more):
        device = Device(self.server.coap, name, answer, **more)
        self.addCleanup(device.close)
        device.register()
        return device

    def presence(self, name):
        return self.api.get(f"/clients/{name}").json["presence"]

    def sleeper(self, name, answer=lambda message: SILENT, **more):
        device = self.device(name, answer, queue=True, **more)
        wait_until("it sleeps", lambda: self.presence(name) == "asleep")
        return device

    def state(self, identity):
        return self.api.get(f"/requests/{identity}").json["state"]

    def ended(self, device, identity):
        """A request after its end. The device wakes as often as that takes: it may be asleep again before all is said."""
        for _ in range(30):
            device.update()
            request = self.api.get(f"/requests/{identity}?wait=4").json
            if request["state"] not in ("waiting", "delivering"):
                return request
        self.fail(f"it does not end: {request}")

    def refusal(self, method, target, body=None, **more):
        answer = self.api.call(method, "/api/v1" + target, body, **more)
        return answer.status, answer.slug


class Waiting(QueueCase):
    def test_answered_in_time_it_is_as_without(self):
        values = b'[{"bn":"/3303/0/5700","v":21.5}]'
        device = self.device("in-time", lambda message: (CONTENT, 110, values), links="</>;ct=110,</3303/0>")
        for wait in ("30", "30s"):
            answer = self.api.get(f"/clients/in-time/3303/0/5700?wait={wait}")
            self.assertEqual((answer.status, answer.json["node"]["value"], answer.json["path"]), (200, 21.5, "/3303/0/5700"))
            self.assertEqual(answer.json["node"]["name"], "Sensor Value")
            kept = self.api.get("/requests/" + answer.headers["Dunlin-Request"]).json
            self.assertEqual((kept["state"], kept["operation"], kept["code"]), ("answered", "read", "2.05"))
            self.assertEqual({**kept["result"], "receivedAt": ""}, {**answer.json, "receivedAt": ""})
        self.assertEqual(device.seen[-1].number(ACCEPT), 110)  # what it announced

    def test_every_operation(self):
        device = self.device("each")
        pack = b'[{"bn":"/3/0/0","vs":"Acme"}]'
        rows = [("GET", "/3/0/0", None, (CONTENT, 0, b"Acme"), "read", 200), ("GET", "/3?op=discover", None, (CONTENT, 40, b"</3/0>"), "discover", 200),
                ("PUT", "/33000/0/1", {"value": 5}, (CHANGED, None, b""), "write", 200),
                ("PUT", "/33000/0?mode=update", {"resources": [{"id": 1, "value": 5}]}, (CHANGED, None, b""), "write", 200),
                ("PUT", "/3303/0?op=attributes", {"pmin": 5}, (CHANGED, None, b""), "write-attributes", 200),
                ("POST", "/3/0/4", None, (CHANGED, None, b""), "execute", 200),
                ("POST", "/33000", {"id": 3, "resources": []}, (CREATED, None, b"", [(LOCATION, b"33000"), (LOCATION, b"3")]), "create", 201),
                ("DELETE", "/33000/3", None, (DELETED, None, b""), "delete", 200),
                ("POST", "/composite/read", {"paths": ["/3/0/0"]}, (CONTENT, 110, pack), "read-composite", 200),
                ("POST", "/composite/write", {"values": {"/3/0/14": "x"}}, (CHANGED, None, b""), "write-composite", 200)]
        for method, path, body, reply, operation, status in rows:
            device.answer = lambda message, reply=reply: reply
            direct = self.api.call(method, "/api/v1/clients/each" + path, body)
            queued = self.api.call(method, "/api/v1/clients/each" + path + ("&" if "?" in path else "?") + "wait=60", body)
            self.assertEqual((queued.status, direct.status), (status, status), queued.body)
            self.assertEqual({**queued.json, "receivedAt": ""}, {**direct.json, "receivedAt": ""})
            kept = self.api.get("/requests/" + queued.headers["Dunlin-Request"]).json
            self.assertEqual((kept["operation"], kept["state"], kept["attempts"]), (operation, "answered", 1))
            self.assertEqual({**kept["result"], "receivedAt": ""}, {**direct.json, "receivedAt": ""})
            self.assertEqual(queued.headers.get("Location"), direct.headers.get("Location"))

    def test_what_the_device_refuses_is_its_problem(self):
        self.device("refuses", lambda message: (NOT_FOUND, 0, b"no such thing"))
        answer = self.api.get("/clients/refuses/3/0/0?wait=60")
        self.assertEqual((answer.status, answer.slug, answer.json["coapCode"]), (404, "device-error", "4.04"))
        kept = self.api.get("/requests/" + answer.headers["Dunlin-Request"]).json
        self.assertEqual((kept["state"], kept["code"]), ("answered", "4.04"))
        self.assertIn("no such thing", kept["detail"])
        self.assertNotIn("result", kept)
        self.device("resets", lambda message: RESET)
        answer = self.api.get("/clients/resets/3/0/0?wait=60")
        self.assertEqual((answer.status, answer.slug), (502, "rejected"))
        kept = self.api.get("/requests/" + answer.headers["Dunlin-Request"]).json
        self.assertEqual(kept["state"], "failed")
        self.assertIn("Reset", kept["detail"])

    def test_bad_parameters(self):
        self.device("params", lambda message: (CONTENT, 0, b"x"))
        for query in ("wait=-1", "wait=301", "wait=", "wait=s", "wait=5m", "wait=1.5", "wait=5ss", "expires=0", "expires=31536001",
                      "expires=1d", "wait=1&wait=2", "wait=00000000000000005"):
            self.assertEqual(self.refusal("GET", "/clients/params/3/0/0?" + query), (400, "invalid-parameter"), query)
        self.assertEqual(self.refusal("PUT", "/clients/params/observations/3/0/0?wait=1"), (400, "invalid-parameter"))
        for target in ("/requests?limit=0", "/requests?limit=1001", "/requests?after=x", "/requests?foo=1",
                       "/requests/1?wait=x", "/clients/params/requests?limit=x"):
            self.assertEqual(self.refusal("GET", target), (400, "invalid-parameter"), target)
        self.assertEqual(self.refusal("GET", "/clients/nobody/3/0/0?wait=1"), (404, "unknown-endpoint"))


class Silent(QueueCase):
    """With devices that do not answer, of which the server soon thinks so."""

    config = QueueCase.config + "coap:\n  ack-timeout-ms: 100\n  max-retransmit: 1\n"

    def test_not_answered_in_time_it_is_accepted(self):
        device = self.device("late")
        answer = self.api.put("/clients/late/33000/0/1?wait=1", {"value": 5})
        self.assertEqual(answer.status, 202)
        identity = answer.json["id"]
        self.assertEqual((answer.headers["Location"], answer.headers["Dunlin-Request"]), (f"/api/v1/requests/{identity}", identity))
        self.assertIn(answer.json["state"], ("waiting", "delivering"))
        wait_until("an attempt has failed", lambda: self.presence("late") == "unreachable")
        device.answer = lambda message: (CHANGED, None, b"")
        done = self.ended(device, identity)
        self.assertEqual((done["state"], done["code"]), ("answered", "2.04"))
        self.assertEqual(done["result"], {"endpoint": "late", "path": "/33000/0/1", "code": "2.04"})
        self.assertGreaterEqual(done["attempts"], 2)

    def test_unreachable(self):
        device = self.device("reach")
        self.assertEqual(self.refusal("GET", "/clients/reach/3/0/0?timeout=60"), (504, "timeout"))
        self.assertEqual(self.presence("reach"), "unreachable")
        device.update()
        self.assertEqual(self.presence("reach"), "awake")


class Asleep(QueueCase):
    def test_asleep_it_is_queued_by_itself(self):
        device = self.sleeper("sleeps", lambda message: (CONTENT, 0, b"Acme"))
        answer = self.api.get("/clients/sleeps/3/0/0")
        self.assertEqual((answer.status, answer.json["state"], answer.json["operation"]), (202, "waiting", "read"))
        self.assertEqual(device.seen, [])
        self.assertEqual(self.api.get("/clients/sleeps").json["queued"], 1)
        waiting = []
        caller = threading.Thread(target=lambda: waiting.append(self.api.get(f"/requests/{answer.json['id']}?wait=120")))
        caller.start()
        self.ended(device, answer.json["id"])
        caller.join(150)
        self.assertEqual((waiting[0].json["state"], waiting[0].json["result"]["node"]["value"]), ("answered", "Acme"))
        self.assertEqual(self.api.get("/clients/sleeps").json["queued"], 0)

    def test_in_order_one_at_a_time(self):
        device = self.sleeper("order", lambda message: (CHANGED, None, b""))
        ids = [self.api.put(f"/clients/order/33000/0/1?wait=0&format=text", {"value": i}).json["id"] for i in range(5)]
        answer = self.api.put("/clients/order/33000/0/1?wait=0", {"value": 5})
        self.assertEqual((answer.status, answer.slug), (429, "queue-full"))
        listed = self.api.get("/clients/order/requests").json["requests"]
        self.assertEqual([one["id"] for one in listed], ids)
        page = self.api.get("/clients/order/requests?limit=2").json
        self.assertEqual([one["id"] for one in page["requests"]], ids[:2])
        page = self.api.get(f"/requests?endpoint=order&limit=1000&after={page['next']}").json
        self.assertEqual(([one["id"] for one in page["requests"]], page["next"]), (ids[2:], None))
        gone = self.api.delete(f"/requests/{ids[2]}")
        self.assertEqual((gone.status, gone.json["state"]), (200, "cancelled"))
        self.assertEqual(self.refusal("DELETE", f"/requests/{ids[2]}"), (409, "ended"))
        self.assertEqual(self.ended(device, ids[4])["state"], "answered")
        # What was late is repeated by the server: the same message once more.
        once = {(message.mid, message.token): message.payload for message in device.seen}
        self.assertEqual(list(dict.fromkeys(once.values())), [b"0", b"1", b"3", b"4"])

    def test_a_bulk_read_leaves_it_alone(self):
        device = self.sleeper("bulk", lambda message: (CONTENT, 0, b"x"))
        line = json.loads(self.api.post("/reads", {"path": "/3/0/0", "clients": ["bulk"]}).body)
        self.assertEqual((line["problem"]["type"], device.seen), ("/problems/asleep", []))

    def test_observations_of_a_device_that_sleeps(self):
        seen = [(OBSERVE, uint(3))]
        device = self.device("watched", lambda message: (CONTENT, 0, b"7", seen), queue=True)
        target = "/clients/watched/observations/3/0/9"
        composite = "/clients/watched/composite/observe"
        def observed():
            device.update()  # it must be awake for it
            return self.api.put(target).status in (200, 201)
        wait_until("it is observed", observed)
        wait_until("it sleeps", lambda: self.presence("watched") == "asleep")
        asked = len(device.seen)
        self.assertEqual(self.api.put(target).json["node"]["value"], 7)
        self.assertEqual(self.refusal("PUT", "/clients/watched/observations/3/0/10"), (409, "asleep"))
        self.assertEqual(self.refusal("POST", composite, {"paths": ["/3"]}), (409, "asleep"))
        self.assertEqual(self.refusal("DELETE", "/clients/watched/observations/3/0/10"), (404, "not-observed"))
        self.assertEqual(self.refusal("DELETE", composite, {"paths": ["/3"]}), (404, "not-observed"))
        self.assertEqual(self.refusal("DELETE", "/clients/nobody/observations/3/0/10"), (404, "unknown-endpoint"))
        self.assertEqual(self.api.delete(target).status, 200)
        self.assertEqual(self.api.get("/clients/watched/observations").json["observations"], [])
        self.assertEqual(len(device.seen), asked)

    def test_expiry(self):
        self.sleeper("expires")
        answer = self.api.get("/clients/expires/3/0/0?expires=1")
        self.assertEqual(answer.status, 202)
        done = self.api.get(f"/requests/{answer.json['id']}?wait=60").json
        self.assertEqual(done["state"], "expired")
        self.assertIn("time was over", done["detail"])
        answer = self.api.get("/clients/expires/3/0/0?expires=1&wait=60")
        self.assertEqual((answer.status, answer.slug), (504, "timeout"))

    def test_cancelled_while_a_caller_waits(self):
        self.sleeper("cancels")
        waiting = []
        caller = threading.Thread(target=lambda: waiting.append(self.api.get("/clients/cancels/3/0/0?wait=120")))
        caller.start()
        queued = wait_until("it is queued", lambda: self.api.get("/clients/cancels/requests").json["requests"])
        self.assertEqual(self.api.delete(f"/requests/{queued[0]['id']}").status, 200)
        caller.join(150)
        self.assertEqual((waiting[0].status, waiting[0].slug), (409, "cancelled"))

    def test_a_caller_that_hangs_up_leaves_its_request(self):
        self.sleeper("leaves")
        host, port = self.server.http.rsplit(":", 1)
        caller = socket.create_connection((host, int(port)))
        caller.sendall(b"GET /api/v1/clients/leaves/3/0/0?wait=300 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        queued = wait_until("it is queued", lambda: self.api.get("/clients/leaves/requests").json["requests"])
        wait_until("its caller waits", lambda: "dunlin_http_waiting 1\n" in self.api.get("/metrics").body)
        caller.close()
        wait_until("nobody waits", lambda: "dunlin_http_waiting 0\n" in self.api.get("/metrics").body)
        self.assertEqual(self.state(queued[0]["id"]), "waiting")

    def test_many_wait_for_one_request(self):
        device = self.sleeper("many", lambda message: (CONTENT, 0, b"Acme"))
        identity = self.api.get("/clients/many/3/0/0").json["id"]
        states = []
        callers = [threading.Thread(target=lambda: states.append(self.api.get(f"/requests/{identity}?wait=120").json["state"]))
                   for _ in range(10)]
        for caller in callers:
            caller.start()
        self.ended(device, identity)
        for caller in callers:
            caller.join(150)
        self.assertEqual(states, ["answered"] * 10)

    def test_unknown_requests(self):
        for identity in ("0", "999999", "x", "-1", "18446744073709551616", "18446744073709551615"):
            self.assertEqual(self.refusal("GET", f"/requests/{identity}"), (404, "unknown-request"), identity)
            self.assertEqual(self.refusal("DELETE", f"/requests/{identity}"), (404, "unknown-request"), identity)
        self.assertEqual(self.api.get("/clients/nobody/requests").json, {"requests": [], "next": None})

    def test_they_outlive_the_registration(self):
        device = self.sleeper("outlives", lambda message: (CHANGED, None, b""))
        identity = self.api.put("/clients/outlives/33000/0/1", {"value": 1}).json["id"]
        self.assertEqual(device.deregister(), DELETED)
        self.assertEqual(self.state(identity), "waiting")
        device.register()
        self.assertEqual(self.ended(device, identity)["state"], "answered")

    def test_events(self):
        events = Events(self.server.http, {"ep": "events", "type": "presence,request"})
        self.addCleanup(events.close)
        device = self.sleeper("events", lambda message: (CHANGED, None, b""))
        identity = self.api.put("/clients/events/33000/0/1", {"value": 1}).json["id"]
        self.ended(device, identity)
        got = []
        while ("answered" not in [one[2]["request"]["state"] for one in got if one[1] == "request"]
               or len([one for one in got if one[1] == "presence"]) < 2):
            got.append(events.next())
            self.contract.validate(got[-1][2], {"$ref": "#/components/schemas/Event"})
        presences = [data["presence"] for _, kind, data in got if kind == "presence"]
        self.assertEqual(presences[:2], ["asleep", "awake"])
        self.assertEqual([data["client"]["presence"] for _, kind, data in got if kind == "presence"][:2], presences[:2])
        requests = [data["request"] for _, kind, data in got if kind == "request"]
        self.assertEqual({one["id"] for one in requests}, {identity})
        self.assertEqual([one["state"] for one in requests], ["waiting", "delivering", "answered"])
        self.assertNotIn("result", requests[-1])

    def test_metrics(self):
        self.sleeper("metrics")
        identity = self.api.get("/clients/metrics/3/0/0").json["id"]
        text = self.api.get("/metrics").body
        self.assertRegex(text, r"\ndunlin_queued_requests [1-9]")
        self.assertIn("\ndunlin_queued_answered_total ", text)
        self.api.delete(f"/requests/{identity}")


class Stopping(unittest.TestCase):
    def test_a_caller_that_waits_is_let_go_and_its_request_stays(self):
        server = Server(config=QueueCase.config)
        api = Api(server.http)
        device = Device(server.coap, "stay", lambda message: SILENT, queue=True)
        self.addCleanup(device.close)
        device.register()
        wait_until("it sleeps", lambda: api.get("/clients/stay").json["presence"] == "asleep")
        answers = []
        caller = threading.Thread(target=lambda: answers.append(api.put("/clients/stay/33000/0/1?wait=300", {"value": 7, "type": "integer"})))
        caller.start()
        wait_until("it is queued", lambda: api.get("/clients/stay/requests").json["requests"])
        self.assertEqual(server.stop(), 0)  # long before the caller would be let go anyway
        caller.join(60)
        self.assertEqual(answers[0].status, 202)
        again = Server(data=server.data, config=QueueCase.config)
        self.addCleanup(again.stop)
        api = Api(again.http, Contract())
        identity = answers[0].json["id"]
        self.assertEqual(api.get(f"/requests/{identity}").json["state"], "waiting")
        awake = Device(again.coap, "stay", lambda message: (CHANGED, None, b""), queue=True)
        self.addCleanup(awake.close)
        awake.register()
        def done():
            awake.update()
            return api.get(f"/requests/{identity}?wait=4").json["state"] == "answered"
        wait_until("it is answered", done)
        self.assertEqual(api.get(f"/requests/{identity}").json["operation"], "write")


if __name__ == "__main__":
    unittest.main()
