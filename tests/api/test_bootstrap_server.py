# SPDX-License-Identifier: Apache-2.0
"""dunlind as a bootstrap server over its life: restarts, kills, keys that change, alone and beside an LwM2M server; with real devices."""

import base64
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import unittest

from device import CHANGED, CONTENT, DELETE, DELETED, GET, POST, PUT, SILENT, Device, lasting_address
from server import DUNLIND, Api, Contract, Server, wait_until

CLIENT = os.environ.get("DUNLIN", os.path.join(os.path.dirname(DUNLIND), "dunlin"))
FACTORY_KEY = "000102030405060708090a0b0c0d0e0f"
SENML_JSON, LINK_FORMAT = 110, 40


class Client:
    """`dunlin client` as a child."""

    def __init__(self, endpoint, *options):
        self.folder = tempfile.mkdtemp(prefix="dunlin-client-")
        self.ready, self.log_path = os.path.join(self.folder, "ready"), os.path.join(self.folder, "log")
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen([CLIENT, "client", "-e", endpoint, "--no-console", "-v", "--retry", "1",
                                         "--ready-file", self.ready, *options], stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL)

    def await_registered(self, seconds=60):
        wait_until("the device is registered: " + self.text(),
                   lambda: os.path.exists(self.ready) or self.process.poll() is not None, seconds)
        if self.process.poll() is not None:
            raise AssertionError("the device ended: " + self.text())

    def text(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self, kill=False):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self.process.wait(120)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def factory(server, endpoint):
    """The options of a device that knows the bootstrap server's address and one secret."""
    return (endpoint, "--bootstrap", "coaps://" + server.addresses["bootstrap-coaps"], "--identity", "factory " + endpoint,
            "--key", "hex:" + FACTORY_KEY)


def admit(api, endpoint):
    answer = api.put("/bootstrap/credentials/" + endpoint,
                     {"mode": "psk", "identity": "factory " + endpoint, "key": FACTORY_KEY})
    assert answer.status in (200, 201), answer.body


def configure(api, endpoint, document, status=201):
    answer = api.put("/bootstrap/configs/" + endpoint, document)
    assert answer.status == status, answer.body
    return answer.json["version"]


def identity_of(api, endpoint):
    """Of its credential towards the LwM2M server; None: it has none."""
    answer = api.get("/credentials/" + endpoint)
    return answer.json["identity"] if answer.status == 200 else None


BOTH = ("--coaps", "127.0.0.1:0", "--bootstrap-coaps", "127.0.0.1:0")


class OneServer(unittest.TestCase):
    """An LwM2M server and a bootstrap server in one process."""

    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="dunlin-bootstrap-")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        self.servers = []
        self.addCleanup(lambda: [server.stop() for server in self.servers])

    def start(self, *options, config="", **more):
        # Runs that wait for a device which has gone are not waited for in the end.
        server = Server(*options, data=self.data, config=config + "limits:\n  stop-grace-ms: 200\n", **more)
        self.servers.append(server)
        return server, Api(server.http, Contract())

    def test_a_restart_keeps_everything(self):
        server, api = self.start(*BOTH)
        self.assertEqual(set(server.addresses), {"coap", "coaps", "bootstrap-coaps", "http", "pid"})
        self.assertIn(f"bootstrap coaps listening on coaps://{server.addresses['bootstrap-coaps']}", server.log_text())
        admit(api, "meter-1")
        self.assertEqual(configure(api, "meter-*", {"servers": [{}]}), 1)
        self.assertEqual(configure(api, "meter-*", {"servers": [{"lifetime": 300}]}, 200), 2)
        configure(api, "gone", {"servers": [{}]})
        self.assertEqual(api.delete("/bootstrap/configs/gone").status, 204)
        shown = api.get("/bootstrap/server-identity").json
        self.assertNotEqual(shown["public_key"], api.get("/server-identity").json["public_key"])
        with Client(*factory(server, "meter-1")) as client:
            client.await_registered()
            # The device is faster than the commit after its acknowledgement of Finish.
            minted = wait_until("its key is the current one", lambda: identity_of(api, "meter-1"))
        server.stop()
        for name in ("bootstrap.db", "bootstrap-credentials.db", "bootstrap.key", "seal.key"):
            self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.data, name)).st_mode), 0o600, name)
        server, api = self.start(*BOTH)
        self.assertEqual(api.get("/bootstrap/server-identity").json["public_key"], shown["public_key"])
        kept = api.get("/bootstrap/configs/meter-*").json
        self.assertEqual((kept["version"], kept["config"]["servers"][0]["lifetime"]), (2, 300))
        self.assertEqual(api.get("/bootstrap/configs/gone").status, 404)
        self.assertEqual([v["version"] for v in api.get("/bootstrap/configs/gone/versions").json["versions"]], [2, 1])
        self.assertEqual(configure(api, "gone", {"servers": [{}]}), 3)
        self.assertEqual(api.get("/bootstrap/credentials/meter-1").json["identity"], "factory meter-1")
        self.assertEqual(identity_of(api, "meter-1"), minted)
        with Client(*factory(server, "meter-1")) as client:  # it comes from the factory once more
            client.await_registered()
            wait_until("it has a new key", lambda: identity_of(api, "meter-1") != minted)
            self.assertEqual(api.get("/clients/meter-1").json["lifetime"], 300)

    def take_until_finish(self, server, endpoint, steps=1000):
        """A device without security that takes everything, or the first steps, and never answers Finish. What it was given: path to value."""
        given, reached, taken = {}, threading.Event(), []

        def answer(message):
            if message.path == "/bs" or len(taken) == steps:
                reached.set()
                return SILENT
            taken.append(message.path)
            if message.code == GET:
                return (CONTENT, LINK_FORMAT, b'</>;lwm2m=1.1,</0/0>,</3/0>')
            if message.code == DELETE:
                return (DELETED, None, b"")
            assert message.code == PUT
            base = ""
            for record in json.loads(message.payload):
                base = record.get("bn", base)
                given[base + record.get("n", "")] = next((v for k, v in record.items() if k.startswith("v")), None)
            return (CHANGED, None, b"")

        device = Device(server.addresses["bootstrap-coap"], endpoint, answer)
        self.addCleanup(device.close)
        reply = device.request(POST, ["bs"], [f"ep={endpoint}", f"pct={SENML_JSON}"])
        self.assertEqual(reply.code, CHANGED)
        self.assertTrue(reached.wait(120), given)
        return device, given

    def secret_of(self, given):
        """(identity, key in hex) of the account of an LwM2M server."""
        path = next(path[:-2] for path, value in given.items() if path.startswith("/0/") and path.endswith("/0")
                    and path.count("/") == 3 and str(value).startswith("coaps://"))
        plain = [base64.urlsafe_b64decode(given[f"{path}/{n}"] + "==") for n in (3, 5)]
        return plain[0].hex(), plain[1].hex()

    def test_killed_between_the_last_write_and_finish(self):
        """The device has its new key, and the server has not heard so: after a kill -9 it is let in all the same."""
        options = (*BOTH, "--bootstrap-coap", "127.0.0.1:0")
        server, api = self.start(*options)
        former = api.put("/credentials/cut-1", {"mode": "psk", "identity": "former", "key": FACTORY_KEY})
        self.assertEqual(former.status, 201)
        configure(api, "cut-1", {"servers": [{}], "allow_insecure": True, "verify": False, "format": "senml-json"})
        _, given = self.take_until_finish(server, "cut-1")
        identity, key = self.secret_of(given)
        self.assertEqual(identity_of(api, "cut-1"), "former")
        server.stop(kill=True)

        server, api = self.start(*options)
        self.assertEqual(identity_of(api, "cut-1"), "former")
        lwm2m = "coaps://" + server.addresses["coaps"]
        with Client("cut-1", "-u", lwm2m, "--identity", "former", "--key", "hex:" + FACTORY_KEY) as client:
            client.await_registered()  # the former one goes on to hold
        self.assertEqual(identity_of(api, "cut-1"), "former")
        with Client("cut-1", "-u", lwm2m, "--identity", "hex:" + identity, "--key", "hex:" + key) as client:
            client.await_registered()
            wait_until("what it has proved takes the place", lambda: identity_of(api, "cut-1") != "former")
            self.assertEqual(identity_of(api, "cut-1"), bytes.fromhex(identity).decode())
        server.stop(kill=True)

        server, api = self.start(*options)
        self.assertEqual(identity_of(api, "cut-1"), bytes.fromhex(identity).decode())
        lwm2m = "coaps://" + server.addresses["coaps"]
        with Client("cut-1", "-u", lwm2m, "--identity", "hex:" + identity, "--key", "hex:" + key) as client:
            client.await_registered()

    def test_killed_at_each_step(self):
        """Wherever the server dies, the device asks again, and one that was given a key is let in by it in the end."""
        options = (*BOTH, "--bootstrap-coap", "127.0.0.1:0")
        document = {"servers": [{}], "allow_insecure": True, "verify": False, "format": "senml-json"}
        server, api = self.start(*options)
        configure(api, "cut-4", document)
        for steps in range(5):  # /0 and /1 are deleted, then written; then Finish
            device, _ = self.take_until_finish(server, "cut-4", steps)
            device.close()
            server.stop(kill=True)
            server, api = self.start(*options)
            self.assertEqual(api.get("/bootstrap/configs/cut-4").json["config"], document)
            self.assertEqual(api.get("/credentials").json["total"], 0)
        _, given = self.take_until_finish(server, "cut-4")
        identity, key = self.secret_of(given)
        with Client("cut-4", "-u", "coaps://" + server.addresses["coaps"], "--identity", "hex:" + identity, "--key",
                    "hex:" + key) as client:
            client.await_registered()
        wait_until("it is promoted", lambda: api.get("/credentials").json["total"] == 1)

    def test_the_same_is_handed_out_again(self):
        """A device that has lost the word of Finish, and asks again, gets what waits for it, also after a kill -9."""
        options = (*BOTH, "--bootstrap-coap", "127.0.0.1:0")
        server, api = self.start(*options)
        configure(api, "cut-2", {"servers": [{}], "allow_insecure": True, "verify": False, "format": "senml-json"})
        device, given = self.take_until_finish(server, "cut-2")
        device.close()
        first = self.secret_of(given)
        server.stop(kill=True)
        server, api = self.start(*options)
        device, given = self.take_until_finish(server, "cut-2")
        self.assertEqual(self.secret_of(given), first)

    def test_a_new_certificate(self):
        server, api = self.start("--bootstrap-coaps-tcp", "127.0.0.1:0", "--coaps", "127.0.0.1:0")
        before = api.get("/bootstrap/server-identity").json
        lwm2m = api.get("/server-identity").json
        os.remove(os.path.join(self.data, "bootstrap.pem"))
        server.process.send_signal(signal.SIGHUP)  # without it the former stays in use
        wait_until("it is told", lambda: "the former keys and certificates stay in use" in server.log_text())
        server.stop()
        server, api = self.start("--bootstrap-coaps-tcp", "127.0.0.1:0", "--coaps", "127.0.0.1:0")
        after = api.get("/bootstrap/server-identity").json
        self.assertEqual(after["public_key"], before["public_key"])  # a new certificate for the same key
        self.assertNotEqual(after["fingerprints"], before["fingerprints"])
        self.assertEqual(api.get("/server-identity").json["fingerprints"], lwm2m["fingerprints"])
        with tempfile.TemporaryDirectory() as other:
            with Server("--bootstrap-coaps-tcp", "127.0.0.1:0", data=other):
                pass
            for name in ("bootstrap.key", "bootstrap.pem"):
                shutil.copy(os.path.join(other, name), os.path.join(self.data, name))
        server.process.send_signal(signal.SIGHUP)
        wait_until("the new one is shown", lambda: api.get("/bootstrap/server-identity").json["fingerprints"] !=
                   after["fingerprints"])
        shown = subprocess.run(["openssl", "s_client", "-connect", server.addresses["bootstrap-coaps+tcp"], "-tls1_2", "-cipher",
                                "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True,
                               text=True, check=False, timeout=60).stdout
        self.assertIn(api.get("/bootstrap/server-identity").json["certificates"][0].strip(), shown)

    def test_another_sealing_key(self):
        server, api = self.start(*BOTH)
        admit(api, "meter-1")
        configure(api, "meter-1", {"servers": [{}]})
        done = subprocess.run([CLIENT, "credentials", "new-seal-key", os.path.join(self.data, "seal.key")],
                              capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        server.process.send_signal(signal.SIGHUP)
        for text in ("versions of bootstrap configurations are sealed with the newest key", "1 credentials are sealed"):
            wait_until(text, lambda: text in server.log_text())
        server.stop()
        path = os.path.join(self.data, "seal.key")
        with open(path, encoding="ascii") as file:
            lines = file.read().splitlines()
        keys = [line for line in lines if line.startswith("key ")]
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join([lines[0], keys[-1]]) + "\n")
        server, api = self.start(*BOTH)
        with Client(*factory(server, "meter-1")) as client:
            client.await_registered()

    def test_a_lost_sealing_key(self):
        server, api = self.start(*BOTH)
        configure(api, "meter-1", {"servers": [{}]})
        server.stop()
        os.remove(os.path.join(self.data, "seal.key"))
        server, _ = self.start(*BOTH, wait=False)
        self.assertEqual(server.process.wait(60), 1)
        self.assertIn("bootstrap configurations", server.log_text())
        self.assertFalse(os.path.exists(os.path.join(self.data, "seal.key")))

    def test_a_device_that_enrols(self):
        """The CA is made at the first start; what it issued lets the device in at the LwM2M server, and after a restart, too."""
        config = "bootstrap:\n  est: {enabled: true, allow: any, days: 30}\n"
        both = ("--coaps", lasting_address(), "--bootstrap-coaps", lasting_address())
        server, api = self.start(*both, config=config)
        ca = os.path.join(self.data, "est-ca.pem")
        with open(ca, "rb") as file:
            made = file.read()
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.data, "est-ca.key")).st_mode), 0o600)
        admit(api, "meter-1")
        configure(api, "meter-*", {"servers": [{"security": {"mode": "est"}}]})
        self.assertEqual(api.put("/credentials/meter-1", {"mode": "psk", "identity": "former", "key": FACTORY_KEY}).status, 201)
        state = os.path.join(server.folder, "device")
        with Client(*factory(server, "meter-1"), "--state", state) as client:
            client.await_registered()
            self.assertEqual(api.get("/clients/meter-1").json["security"], "x509")
            wait_until("it is known by its certificate alone",
                       lambda: api.get("/credentials/meter-1").json["mode"] == "x509")
        server.stop(kill=True)
        server, api = self.start(*both, config=config)
        with open(ca, "rb") as file:
            self.assertEqual(file.read(), made)
        with Client(*factory(server, "meter-1"), "--state", state) as client:
            client.await_registered()
            self.assertEqual(api.get("/clients/meter-1").json["security"], "x509")
        self.assertEqual(api.get("/bootstrap/runs").json["runs"], [])  # by the certificate that it has kept
        server.stop()
        os.remove(ca)
        server, _ = self.start(*BOTH, config=config, wait=False)
        self.assertEqual(server.process.wait(60), 1)
        self.assertIn("est-ca.pem is missing", server.log_text())

    def test_an_authority_of_the_operators(self):
        """Its files are used as they are; what cannot be used keeps the server from starting, and is named."""
        with Server("--est", "--bootstrap-coaps", "127.0.0.1:0") as other:
            made = {name: open(os.path.join(other.data, "est-ca." + name), "rb").read() for name in ("pem", "key")}
            stranger = open(os.path.join(other.data, "server.key"), "rb").read()
        for certificate, key, told in ((made["pem"], made["key"], None), (b"not PEM\n", made["key"], "ca.pem"),
                                       (made["pem"], b"not PEM\n", "ca.key"), (made["pem"], stranger, "key"),
                                       (made["key"], made["key"], "ca.pem"), (made["pem"], None, "ca.key")):
            files = {"ca.pem": certificate, "ca.key": key}
            for name, content in files.items():
                path = os.path.join(self.data, name)
                if os.path.exists(path):
                    os.remove(path)
                if content is not None:
                    with open(path, "wb") as file:
                        file.write(content)
            config = "bootstrap:\n  est:\n    enabled: true\n    authority: {0}/ca.pem\n    authority-key: {0}/ca.key\n"
            server, _ = self.start(*BOTH, config=config.format(self.data), wait=told is None)
            if told is None:
                self.assertFalse(os.path.exists(os.path.join(self.data, "est-ca.key")))
                self.assertEqual(server.stop(), 0)
            else:
                self.assertEqual(server.process.wait(60), 1)
                self.assertRegex(server.log_text(), "cannot start: .*" + told)

    def test_one_factory_secret_for_many(self):
        """All that a demonstration needs: one credential for a pattern, one configuration for it."""
        server, api = self.start(*BOTH)
        self.assertEqual(api.put("/bootstrap/credentials/demo-*",
                                 {"mode": "psk", "identity": "factory", "key": FACTORY_KEY}).status, 201)
        configure(api, "demo-*", {"servers": [{}]})
        clients = [Client(f"demo-{n}", "--bootstrap", "coaps://" + server.addresses["bootstrap-coaps"], "--identity", "factory",
                          "--key", "hex:" + FACTORY_KEY) for n in range(3)]
        self.addCleanup(lambda: [client.stop() for client in clients])
        for client in clients:
            client.await_registered()
        wait_until("each has a key of its own",
                   lambda: len({identity_of(api, f"demo-{n}") for n in range(3)} - {None}) == 3)

    def test_it_ends_in_the_middle_of_a_run(self):
        server, api = self.start(*BOTH, "--bootstrap-coap", "127.0.0.1:0")
        configure(api, "cut-3", {"servers": [{}], "allow_insecure": True, "verify": False, "format": "senml-json"})
        self.take_until_finish(server, "cut-3")
        self.assertEqual(server.stop(), 0)


class Alone(unittest.TestCase):
    """--only bootstrap: another process is the LwM2M server."""

    def test_accounts_for_another_server(self):
        with Server("--coaps", "127.0.0.1:0") as lwm2m, \
                Server("--only", "bootstrap", "--bootstrap-coaps", "127.0.0.1:0", coap=None) as server:
            self.assertEqual(set(server.addresses), {"bootstrap-coaps", "http", "pid"})
            api, there = Api(server.http, Contract()), Api(lwm2m.http, Contract())
            self.assertEqual(api.get("/server").json["addresses"], [])
            self.assertEqual(api.get("/healthz").status, 200)
            self.assertEqual(there.get("/bootstrap/configs").slug, "no-bootstrap-server")
            # Nothing is made or kept for a server that is not there.
            self.assertEqual({name for name in os.listdir(server.data) if name.startswith(("server.", "credentials"))}, set())
            for target in ("/credentials", "/server-identity"):
                self.assertEqual(api.get(target).slug, "no-security", target)
            server.process.send_signal(signal.SIGHUP)
            key = "a" * 32
            self.assertEqual(there.put("/credentials/meter-1", {"mode": "psk", "identity": "m1", "key": key}).status, 201)
            # There is no server here that could be meant; it is said when the configuration is put, not when a device asks.
            for document, pointer in (({"servers": [{}]}, "/servers/0/uri"),
                                      ({"servers": [{"uri": "coap://h", "security": {"mode": "nosec"}}, {"ssid": 2}], "access": [
                                          {"object": 3, "instance": 0, "owner": 1}]}, "/servers/1/uri")):
                refused = api.put("/bootstrap/configs/meter-1", document)
                self.assertEqual((refused.status, refused.slug, refused.json["pointer"]), (400, "bad-bootstrap-config", pointer))
                self.assertIn("--only bootstrap", refused.json["detail"])
            self.assertEqual(api.put("/bootstrap/configs/clock", {"write": {"/3/0/14": "+01:00"}}).status, 201)
            said = subprocess.run([CLIENT, "bootstrap", "--server", "http://" + server.http, "config", "set", "meter-1"], check=False,
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual((said.returncode, said.stdout), (1, ""))
            self.assertIn("servers[0].uri", said.stderr)
            self.assertIn("--uri", said.stderr)
            admit(api, "meter-1")
            configure(api, "meter-1", {"servers": [{"uri": "coaps://" + lwm2m.addresses["coaps"], "security": {
                "mode": "psk", "identity": "m1", "key": key}}]})
            with Client(*factory(server, "meter-1")) as client:
                client.await_registered()
                self.assertEqual(there.get("/clients/meter-1").json["security"], "psk")

    def test_the_file_says_so_too(self):
        config = "only: bootstrap\nbootstrap:\n  coap:\n    listen: [\"127.0.0.1:0\"]\n  max-runs: 3\n"
        with Server(config=config, coap=None) as server:
            self.assertEqual(set(server.addresses), {"bootstrap-coap", "http", "pid"})

    def test_wrong_settings(self):
        for config, options, told in (
                ("only: bootstrap\n", (), "bootstrap.coaps.listen"),
                ("only: lwm2m\n", (), "only"),
                ("", ("--only", "bootstrap"), "bootstrap.coaps.listen"),
                ("", ("--only", "bootstrap", "--bootstrap-coap", "127.0.0.1:0", "--coaps", "127.0.0.1:0"), "only: bootstrap"),
                ("bootstrap:\n  max-runs: 0\n", (), "bootstrap.max-runs: must be from 1"),
                ("bootstrap:\n  est:\n    days: 0\n", (), "bootstrap.est.days: must be from 1"),
                ("bootstrap:\n  nosec: off\n", (), "nosec"),
                ("bootstrap:\n  est: {enabled: true}\n", (), "bootstrap.est"),
                ("bootstrap:\n  key: [a.key]\n", (), "bootstrap.certificate"),
                ("public: {coaps: example.net}\n", (), "public.coaps"),
                ("", ("--public", "example.net:5684"), "--public"),
                ("", ("--bootstrap-nosec", "off"), "bootstrap-nosec")):
            with self.subTest(config + " ".join(options)), tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(config or "data: x\n")
                file.flush()
                done = subprocess.run([DUNLIND, "--config", file.name, "--check-config", *options], capture_output=True,
                                      text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn(told, done.stderr)


if __name__ == "__main__":
    unittest.main()
