# SPDX-License-Identifier: Apache-2.0
"""The bootstrap server's part: configurations with versions, conditions and no secret in any answer; runs, events, the trigger."""

import json
import os
import subprocess
import threading
import unittest
import urllib.parse

from device import CHANGED, CONTENT, DELETE, DELETED, GET, POST, PUT, Device
from server import Api, Contract, Events, Server, wait_until

DUNLIN = os.environ.get("DUNLIN", os.path.join(os.path.dirname(os.environ.get("DUNLIND", "")), "dunlin"))
KEY = "000102030405060708090a0b0c0d0e0f"
MORE_KEY = "c0ffee00c0ffee11c0ffee22c0ffee33"
LINKS = b'</>;lwm2m=1.1,</0/0>,</1/0>,</3/0>'
OTHER = {"ssid": 7, "uri": "coaps://other.example:5684", "security": {"mode": "psk", "identity": "id-7", "key": KEY}}


def url(endpoint, suffix=""):
    return "/bootstrap/configs/" + urllib.parse.quote(endpoint, safe="") + suffix


def name_of(text):
    return urllib.parse.quote(text, safe="")


class BootstrapCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--store", "memory", "--coaps", "127.0.0.1:0", "--bootstrap-coap", "127.0.0.1:0",
                            "--bootstrap-coaps", "127.0.0.1:0")
        with open(cls.server.ready, encoding="utf-8") as file:
            cls.addresses = json.load(file)
        cls.api = Api(cls.server.http, Contract())

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, cls.server.log_text()
        log = cls.server.log_text()
        assert KEY not in log and MORE_KEY not in log

    def tearDown(self):
        for one in self.api.get("/bootstrap/configs?limit=1000").json["configs"]:
            self.assertEqual(self.api.delete(url(one["endpoint"])).status, 204)

    def put(self, endpoint, document, status=201, headers=None):
        answer = self.api.put(url(endpoint), document, headers=headers)
        self.assertEqual(answer.status, status, answer.body)
        self.assertNotIn(KEY, answer.body)
        self.assertNotIn(MORE_KEY, answer.body)
        return answer.json


class Configurations(BootstrapCase):
    def test_the_life_of_a_configuration(self):
        name = "pump ä/1"
        made = self.put(name, {"servers": [{}]})
        first = made["version"]
        self.assertEqual((made["endpoint"], made["pattern"], made["config"]), (name, False, {"servers": [{}]}))
        answer = self.api.get(url(name))
        self.assertEqual((answer.json, answer.headers["ETag"]), (made, f'"{first}"'))
        second = self.put(name, {"servers": [{"lifetime": 60}]}, 200)
        self.assertGreater(second["version"], first)
        self.assertEqual(second["created"], made["created"])
        self.assertEqual(self.api.get(url(name) + f"?version={first}").json["config"], {"servers": [{}]})
        self.assertIn("\ndunlin_bootstrap_configs 1\n", self.api.get("/metrics").body)
        self.assertEqual(self.api.get("/server").json["bootstrap"]["configs"], 1)
        self.assertEqual(self.api.delete(url(name)).status, 204)
        for answer in (self.api.get(url(name)), self.api.delete(url(name)), self.api.get(url("never", "/versions"))):
            self.assertEqual((answer.status, answer.slug), (404, "no-bootstrap-config"))
        third = self.put(name, {"servers": [{}]})
        self.assertGreater(third["version"], second["version"])
        versions = self.api.get(url(name, "/versions")).json["versions"]
        self.assertEqual([(one["version"], one["removed"]) for one in versions][-2:], [(second["version"], False), (first, False)])
        self.assertEqual((versions[0]["version"], [one["removed"] for one in versions].count(True)), (third["version"], 1))
        self.assertEqual(self.api.get(url(name) + "?version=4000000").slug, "no-bootstrap-config")

    def test_which_one_counts(self):
        for pattern, ssid in (("pump-*", 1), ("pump-1?", 2), ("pump-10", 3), ("*", 4)):
            self.put(pattern, {"servers": [{"ssid": ssid}]})
        for name, wanted in (("pump-10", "pump-10"), ("pump-11", "pump-1?"), ("pump-2", "pump-*"), ("x", "*")):
            self.assertEqual(self.api.get(url(name, "/effective")).json["endpoint"], wanted, name)
        self.assertTrue(self.api.get(url("pump-*")).json["pattern"])
        self.assertEqual(self.api.get(url("pump-2")).slug, "no-bootstrap-config")

    def test_conditions(self):
        never = {"If-None-Match": "*"}
        made = self.put("dev", {"servers": [{}]}, headers=never)
        etag = f'"{made["version"]}"'
        self.assertEqual(self.api.put(url("dev"), {"servers": [{}]}, headers=never).slug, "version-conflict")
        second = self.put("dev", {"servers": [{}]}, 200, headers={"If-Match": etag})
        for answer in (self.api.put(url("dev"), {"servers": [{}]}, headers={"If-Match": etag}),
                       self.api.delete(url("dev"), headers={"If-Match": etag}),
                       self.api.put(url("new"), {"servers": [{}]}, headers={"If-Match": etag})):
            self.assertEqual((answer.status, answer.slug), (412, "version-conflict"))
        self.assertEqual(self.api.get(url("dev")).json["version"], second["version"])
        for bad in ({"If-Match": "3"}, {"If-Match": '"3'}, {"If-None-Match": "x"}, {"If-Match": "*, *"}):
            self.assertEqual(self.api.put(url("dev"), {"servers": [{}]}, headers=bad).slug, "invalid-parameter", bad)
            self.assertEqual(self.api.delete(url("dev"), headers=bad).slug, "invalid-parameter", bad)
        self.assertEqual(self.api.delete(url("dev"), headers={"If-Match": f'"{second["version"]}"'}).status, 204)

    def test_conditions_as_of_rfc_9110(self):
        """* is any that there is; lists; weak tags; both headers; and what is asked for again need not come again."""
        for method in ("put", "delete"):
            body = ({"servers": [{}]},) if method == "put" else ()
            ask = lambda headers, name="dev", method=method, body=body: getattr(self.api, method)(url(name), *body, headers=headers)
            answer = ask({"If-Match": "*"}, "never")
            self.assertEqual((answer.status, answer.slug), (412, "version-conflict"))
            self.assertEqual(self.api.get(url("never")).status, 404)
            version = self.put("dev", {"servers": [{}]}, 201)["version"]
            for held in ({"If-Match": f'"{version + 5}"'}, {"If-Match": f'W/"{version}"'}, {"If-Match": '"abc", "def"'},
                         {"If-None-Match": "*"}, {"If-None-Match": f'"1000000", "{version}"'}, {"If-None-Match": f'W/"{version}"'},
                         {"If-Match": "*", "If-None-Match": "*"}):
                answer = ask(held)
                self.assertEqual((answer.status, answer.slug), (412, "version-conflict"), (method, held))
            for good in ({"If-Match": "*"}, {"If-Match": '"1000000", "VERSION"'}, {"If-None-Match": '"1000000"'},
                         {"If-Match": "*", "If-None-Match": '"1000000"'}):
                version = self.api.get(url("dev")).json["version"]
                headers = {key: value.replace("VERSION", str(version)) for key, value in good.items()}
                self.assertLess(ask(headers).status, 300, (method, headers))
                self.api.put(url("dev"), {"servers": [{}]})
            self.assertEqual(self.api.delete(url("dev")).status, 204)
        self.assertEqual(self.api.delete(url("dev"), headers={"If-None-Match": "*"}).slug, "no-bootstrap-config")
        version = self.put("dev", {"servers": [{}]})["version"]
        known = self.api.get(url("dev"), headers={"If-None-Match": f'"{version}"'})
        self.assertEqual((known.status, known.body, known.headers["ETag"]), (304, "", f'"{version}"'))
        self.assertEqual(self.api.get(url("dev"), headers={"If-None-Match": f'"{version + 1}"'}).json["version"], version)
        self.assertEqual(self.api.get(url("dev"), headers={"If-Match": f'"{version + 1}"'}).slug, "version-conflict")

    def test_a_member_twice_is_told(self):
        for at, path in ((url("dev"), '{"servers": [{"ssid": 1,\n "ssid": 2}]}'), ("/credentials/dev", '{"mode": "psk",\n  "mode": "x509"}'),
                         ("/bootstrap/credentials/dev", '{"mode": "psk",\n  "mode": "x509"}')):
            answer = self.api.put(at, path.encode())
            self.assertEqual((answer.status, answer.slug), (400, "malformed-json"), answer.body)
            name = "ssid" if "ssid" in path else "mode"
            self.assertRegex(answer.json["detail"], rf'^line 2, column [0-9]+: duplicate member "{name}" stands a second time in its object$')

    def test_secrets_come_in_and_never_out(self):
        made = self.put("dev", {"servers": [OTHER]})
        security = made["config"]["servers"][0]["security"]
        self.assertEqual(security, {"mode": "psk", "identity": "id-7", "key_bits": 128})
        # What was shown can be put back, with something else changed.
        made["config"]["servers"][0]["lifetime"] = 77
        again = self.put("dev", made["config"], 200)
        self.assertEqual(again["config"]["servers"][0]["security"]["key_bits"], 128)
        longer = {"servers": [{**OTHER, "security": {"mode": "psk", "identity": "id-7", "key": MORE_KEY + KEY}}]}
        self.assertEqual(self.put("dev", longer, 200)["config"]["servers"][0]["security"]["key_bits"], 256)
        # A shown document of another account has no former secret to take.
        made["config"]["servers"][0]["ssid"] = 8
        answer = self.api.put(url("dev"), made["config"])
        self.assertEqual((answer.slug, answer.json["pointer"]), ("bad-bootstrap-config", "/servers/0/security/key"))
        first = self.api.get(url("dev") + f"?version={made['version']}").body
        self.assertNotIn(KEY, first)

    def test_values_take_the_types_of_the_models(self):
        made = self.put("dev", {"write": {"/3303/0": {"5700": 21, "5701": "Cel"}, "/5/0/1": "coap://h", "/33000/0/1": 5}})
        self.assertEqual(made["config"]["write"], {"/3303/0": {"5700": {"float": 21.0}, "5701": "Cel"}, "/5/0/1": "coap://h",
                                                   "/33000/0/1": 5})

    def test_what_is_refused(self):
        account = {"ssid": 1, "security": {"mode": "psk", "identity": "i", "key": KEY}}
        table = (
            ("nothing to do", {}, None),
            ("an unknown member", {"server": []}, None),
            ("no array", {"servers": {}}, "/servers"),
            ("SSID 0", {"servers": [{"ssid": 0}]}, "/servers/0/ssid"),
            ("SSID 65535", {"servers": [{"ssid": 65535}]}, "/servers/0/ssid"),
            ("an SSID twice", {"servers": [{}, account], "access": [{"object": 3, "instance": 0, "owner": 1}]}, "/servers/1/ssid"),
            ("two servers without access control", {"servers": [{}, OTHER]}, "/access"),
            ("a mode that is none", {"servers": [{"security": {"mode": "magic"}}]}, "/servers/0/security/mode"),
            ("a scheme of another mode", {"servers": [{"uri": "coap://h", "security": account["security"]}]}, "/servers/0/uri"),
            ("minting for another's server", {"servers": [{"uri": "coaps://h", "security": {"mode": "psk", "mint": True}}]},
             "/servers/0/security/mint"),
            ("no key", {"servers": [{"security": {"mode": "psk", "identity": "i"}}]}, "/servers/0/security/key"),
            ("no digits", {"servers": [{"security": {"mode": "psk", "identity": "i", "key": KEY[1:]}}]}, "/servers/0/security/key"),
            ("access to Object 2", {"servers": [{}], "access": [{"object": 2, "instance": 0, "owner": 1}]}, "/access/0/object"),
            ("Object 1 written otherwise", {"write": {"/1/0/1": 60}}, None),
            ("a value of another type", {"write": {"/3303/0/5700": "warm"}}, None),
            ("an executable written", {"write": {"/3/0/4": 1}}, None),
            ("a number that is too large", {"servers": [{"lifetime": 1 << 64}]}, None),
        )
        for what, document, pointer in table:
            answer = self.api.put(url("dev"), document)
            self.assertEqual((answer.status, answer.slug), (400, "bad-bootstrap-config"), f"{what}: {answer.body}")
            self.assertNotIn(KEY[1:], answer.body)
            if pointer is not None:
                self.assertEqual(answer.json.get("pointer"), pointer, f"{what}: {answer.body}")
        self.assertEqual(self.api.put(url("dev"), b"{'key': '" + KEY.encode() + b"'").slug, "malformed-json")
        self.assertEqual(self.api.put(url("dev"), b"[1]").slug, "bad-bootstrap-config")
        self.assertEqual(self.api.put(url("x" * 253), {"servers": [{}]}).slug, "bad-bootstrap-config")
        big = {"servers": [{}], "write": {"/3303/0/5701": "x" * 70000}}
        self.assertEqual(self.api.put(url("dev"), big).slug, "body-too-large")
        self.assertEqual(self.api.get(url("dev")).slug, "no-bootstrap-config")
        for query in ("/bootstrap/configs?limit=0", "/bootstrap/configs?q=x", url("dev") + "?version=x", "/bootstrap/runs?limit=201",
                      "/bootstrap/runs?before=0"):
            self.assertEqual(self.api.get(query).slug, "invalid-parameter", query)

    def test_pages(self):
        names = sorted([f"dev-{number:02}" for number in range(9)] + ["Zebra"])
        for name in names:
            self.put(name, {"servers": [{}]})
        seen, after = [], None
        while True:
            page = self.api.get("/bootstrap/configs?limit=4" + (f"&after={name_of(after)}" if after else "")).json
            self.assertEqual(page["total"], len(names))
            seen += [one["endpoint"] for one in page["configs"]]
            after = page["next"]
            if after is None:
                break
        self.assertEqual(seen, names)
        self.assertEqual([one["endpoint"] for one in self.api.get("/bootstrap/configs?search=ebr").json["configs"]], ["Zebra"])


class Credentials(BootstrapCase):
    def test_they_are_others_than_those_of_the_server(self):
        at = "/bootstrap/credentials/dev"
        self.assertEqual(self.api.put(at, {"mode": "psk", "key": KEY}).status, 201)
        self.assertEqual(self.api.get(at).json["key_bits"], 128)
        self.assertEqual(self.api.get("/bootstrap/credentials").json["total"], 1)
        self.assertEqual(self.api.get("/credentials/dev").slug, "no-credential")
        self.assertEqual(self.api.delete(at).status, 204)
        self.assertEqual(self.api.get(at).slug, "no-credential")

    def test_what_a_device_must_know(self):
        identity = self.api.get("/bootstrap/server-identity").json
        self.assertIn("coaps://" + self.addresses["bootstrap-coaps"], identity["addresses"]["coaps"])
        self.assertIn("coaps://" + self.addresses["bootstrap-coaps"], self.api.get("/server").json["bootstrap"]["addresses"])


class Runs(BootstrapCase):
    def device(self, name, answer=None):
        """Answers every step as if all were well, unless `answer` has another mind."""
        def reply(message):
            given = answer(message) if answer else None
            if given is not None:
                return given
            if message.code == GET:
                return CONTENT, 40, LINKS
            return DELETED if message.code == DELETE else CHANGED, None, b""
        device = Device(self.addresses["bootstrap-coap"], name, reply)
        self.addCleanup(device.close)
        return device

    def config(self, name):
        return self.put(name, {"servers": [{"security": {"mode": "nosec"}}], "allow_insecure": True, "verify": False})

    def events(self, name):
        stream = Events(self.server.http, {"ep": name})
        self.addCleanup(stream.close)
        return stream

    def until(self, stream, contract, last):
        seen = []
        while not seen or seen[-1]["type"] not in last:
            seen.append(stream.next()[2])
            contract.validate(seen[-1], contract.document["components"]["schemas"]["Event"])
        return seen

    def test_a_run_is_told_step_by_step(self):
        made = self.config("boot-1")
        stream = self.events("boot-1")
        device = self.device("boot-1")
        self.assertEqual(device.request(POST, ["bs"], ["ep=boot-1", "pct=110"]).code, CHANGED)
        seen = self.until(stream, Contract(), ("bootstrap-finished", "bootstrap-failed"))
        self.assertEqual((seen[0]["type"], seen[-1]["type"]), ("bootstrap-requested", "bootstrap-finished"), seen)
        steps = [one for one in seen if one["type"] == "bootstrap-step"]
        self.assertEqual((steps[-1]["operation"], steps[-1]["code"], steps[-1]["step"]), ("finish", "2.04", steps[-1]["steps"]))
        self.assertEqual({one["run"] for one in seen}, {seen[0]["run"]})
        run = self.api.get("/bootstrap/runs?endpoint=boot-1").json["runs"][0]
        self.assertEqual((run["run"], run["state"], run["version"], run["transport"], run["security"]),
                         (seen[0]["run"], "finished", made["version"], "udp", "nosec"))
        self.assertEqual([one["operation"] for one in run["steps"]], [one["operation"] for one in steps])
        self.assertTrue(any(one["operation"] == "write" and one["bytes"] > 0 for one in run["steps"]))
        self.assertEqual(len({one.mid for one in device.seen if one.code == PUT}), len([one for one in steps if one["operation"] == "write"]))
        self.assertRegex(self.api.get("/metrics").body, r"\ndunlin_bootstrap_finished_total [1-9]")

    def test_the_server_speaks_first(self):
        """POST /bootstrap/runs/{endpoint}: over the address by which the device came last; one at a time; what is not possible is said."""
        self.config("boot-3")
        self.assertEqual(self.api.post("/bootstrap/runs/boot-3").slug, "no-way")  # never seen
        holds = threading.Event()
        holds.set()

        def answer(message):
            holds.wait(120)
        device = self.device("boot-3", answer)
        device.request(POST, ["bs"], ["ep=boot-3", "pct=110"])
        newest = lambda: self.api.get("/bootstrap/runs?endpoint=boot-3&limit=1").json["runs"][0]
        wait_until("its end", lambda: newest()["state"] == "finished")
        self.assertEqual((newest()["by"], newest()["reachable"]), ("device", True))
        holds.clear()
        stream = self.events("boot-3")
        begun = self.api.post("/bootstrap/runs/boot-3")
        self.assertEqual(begun.status, 202)
        self.assertEqual((begun.json["endpoint"], begun.json["by"], begun.json["state"], begun.json["steps"]), ("boot-3", "server", "running", []))
        self.assertEqual(self.api.post("/bootstrap/runs/boot-3").slug, "bootstrap-under-way")
        self.assertEqual(newest()["run"], begun.json["run"])
        holds.set()
        seen = self.until(stream, Contract(), ("bootstrap-finished", "bootstrap-failed"))
        self.assertEqual((seen[0]["type"], seen[0]["by"], seen[0]["run"]), ("bootstrap-requested", "server", begun.json["run"]))
        self.assertEqual((seen[-1]["type"], newest()["by"]), ("bootstrap-finished", "server"))
        # What the operator says since counts: without security only where the configuration allows it.
        self.put("boot-3", {"servers": [{"security": {"mode": "nosec"}}]}, 200)
        refused = self.api.post("/bootstrap/runs/boot-3")
        self.assertEqual((refused.status, refused.slug), (409, "cannot-bootstrap"))
        self.assertIn("does not allow it without security", refused.json["detail"])
        self.assertEqual(self.api.delete("/bootstrap/configs/boot-3").status, 204)
        self.assertEqual(self.api.post("/bootstrap/runs/boot-3").slug, "no-bootstrap-config")

    def test_what_is_staged_is_shown(self):
        """A key that was handed out lets the device in before anybody knows that it has it: that is told, and since when; never the key."""
        self.put("boot-4", {"servers": [{}], "allow_insecure": True, "verify": False})
        works = threading.Event()
        device = self.device("boot-4", lambda message: (0xA0, None, b"") if message.code == POST and not works.is_set() else None)
        newest = lambda: self.api.get("/bootstrap/runs?endpoint=boot-4&limit=1").json["runs"][0]
        count = 0

        def bootstrap(state):
            nonlocal count
            count += 1
            device.request(POST, ["bs"], ["ep=boot-4", "pct=110"])
            wait_until("its end", lambda: newest()["state"] == state and len(self.api.get("/bootstrap/runs?endpoint=boot-4").json["runs"]) == count)
        self.assertEqual(self.api.get("/credentials/boot-4").slug, "no-credential")
        bootstrap("failed")
        alone = self.api.get("/credentials/boot-4")
        self.assertEqual((alone.status, alone.json["state"], alone.json["mode"]), (200, "staged", "psk"))
        self.assertNotIn("staged", alone.json)
        self.assertEqual(newest()["staged"], {"mode": "psk", "since": alone.json["created"]})
        self.assertEqual(self.api.get("/credentials").json["credentials"], [])
        works.set()
        bootstrap("finished")
        self.assertNotIn("staged", newest())
        taken = self.api.get("/credentials/boot-4").json
        self.assertEqual((taken["state"], taken["identity"], taken.get("staged")), ("current", alone.json["identity"], None))
        works.clear()
        bootstrap("failed")
        both = self.api.get("/credentials/boot-4").json
        self.assertEqual((both["state"], both["identity"]), ("current", taken["identity"]))
        self.assertEqual(both["staged"], newest()["staged"])
        self.assertEqual(self.api.get("/credentials").json["credentials"], [both])
        # The tool shows it.
        for words, wanted in ((["credentials", "show", "boot-4"], "staged      psk, since " + both["staged"]["since"]),
                              (["credentials"], both["staged"]["since"]),
                              (["bootstrap", "runs", "boot-4"], "staged since " + both["staged"]["since"])):
            said = subprocess.run([DUNLIN, words[0], "--server", "http://" + self.server.http, *words[1:]], check=False, capture_output=True,
                                  text=True, timeout=60)
            self.assertIn(wanted, said.stdout, words)
        self.assertEqual(self.api.delete("/credentials/boot-4").status, 204)
        self.assertEqual(self.api.get("/credentials/boot-4").slug, "no-credential")
        self.assertNotIn("staged", newest())

    def test_a_failure_says_what_was_wrong(self):
        self.config("boot-2")
        stream = self.events("boot-2")
        links = LINKS + b',</9/0>;note="\x1b[1m"'

        def answer(message):
            return (0x80 | 5, None, b"") if message.code == PUT else (CONTENT, 40, links) if message.code == GET else None
        device = self.device("boot-2", answer)
        device.request(POST, ["bs"], ["ep=boot-2", "pct=110"])
        last = self.until(stream, Contract(), ("bootstrap-finished", "bootstrap-failed"))[-1]
        self.assertEqual(last["type"], "bootstrap-failed")
        self.assertNotEqual(last["why"], "")
        run = self.api.get("/bootstrap/runs?limit=1&endpoint=boot-2").json["runs"][0]
        self.assertEqual((run["state"], run["why"]), ("failed", last["why"]))
        self.assertEqual([one["code"] for one in run["steps"] if one["operation"] == "write"][-1], "4.05")
        self.assertEqual((run["found"], last["found"]), (links.decode(), links.decode()))
        # The tool shows it, but not to the terminal what a device would tell it.
        said = subprocess.run([DUNLIN, "bootstrap", "--server", "http://" + self.server.http, "runs", "boot-2"], check=False,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((said.returncode, said.stderr), (1, ""))
        self.assertIn("why: " + last["why"], said.stdout)
        self.assertIn('</9/0>;note="?[1m"', said.stdout)
        self.assertNotIn("\x1b", said.stdout)

    def test_nobody_without_a_configuration(self):
        stream = self.events("stranger")
        reply = self.device("stranger").request(POST, ["bs"], ["ep=stranger"])
        self.assertEqual(reply.code >> 5, 4)
        event = stream.next()[2]
        self.assertEqual(event["type"], "bootstrap-refused")
        self.assertNotIn("run", event)

    def test_pages_of_runs(self):
        for number in range(3):
            name = f"page-{number}"
            self.config(name)
            self.device(name).request(POST, ["bs"], [f"ep={name}", "pct=110"])
            wait_until("its end", lambda name=name: any(run["state"] == "finished" for run in
                                                        self.api.get(f"/bootstrap/runs?endpoint={name}").json["runs"]))
        page = self.api.get("/bootstrap/runs?limit=2").json
        self.assertEqual([run["endpoint"] for run in page["runs"]], ["page-2", "page-1"])
        self.assertEqual(page["next"], page["runs"][-1]["run"])
        rest = self.api.get(f"/bootstrap/runs?before={page['next']}").json
        self.assertEqual(rest["runs"][0]["endpoint"], "page-0")
        self.assertIsNone(rest["next"])

    def test_the_trigger_tries_the_accounts(self):
        asked = []
        lock = threading.Lock()

        def answer(message):
            with lock:
                asked.append((message.code, message.path))
            return (CHANGED, None, b"") if message.path == "/1/4/9" else (0x81, None, b"")
        with Device(self.server.coap, "many", answer, links="</1/0>,</1/4>,</3/0>"):
            done = self.api.post("/clients/many/bootstrap")
            self.assertEqual((done.status, done.json["path"], done.json["code"]), (200, "/1/4/9", "2.04"))
        self.assertEqual(asked, [(POST, "/1/0/9"), (POST, "/1/4/9")])
        self.assertEqual(self.api.post("/clients/nobody/bootstrap").slug, "unknown-endpoint")
        with Device(self.server.coap, "none", lambda message: (0x85, None, b""), links="</1/0>,</3/0>"):
            refused = self.api.post("/clients/none/bootstrap")
            self.assertEqual((refused.slug, refused.json["coapCode"]), ("device-error", "4.05"))


class Without(unittest.TestCase):
    def test_a_server_that_is_none_says_so(self):
        with Server("--store", "memory") as server:
            api = Api(server.http, Contract())
            self.assertIsNone(api.get("/server").json["bootstrap"])
            for target in ("/bootstrap/configs", "/bootstrap/configs/x", "/bootstrap/configs/x/versions", "/bootstrap/runs",
                           "/bootstrap/credentials", "/bootstrap/credentials/x", "/bootstrap/server-identity"):
                answer = api.get(target)
                self.assertEqual((answer.status, answer.slug), (404, "no-bootstrap-server"), target)
            self.assertEqual(api.put(url("x"), {"servers": [{}]}).slug, "no-bootstrap-server")
            self.assertEqual(api.post("/bootstrap/runs/x").slug, "no-bootstrap-server")


if __name__ == "__main__":
    unittest.main()
