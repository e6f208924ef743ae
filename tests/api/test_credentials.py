# SPDX-License-Identifier: Apache-2.0
"""Credentials: set, shown, listed, removed; kept over kill -9; keys that are nowhere to be read; sealing keys that change."""

import glob
import hashlib
import os
import shutil
import signal
import subprocess
import unittest
import urllib.parse

from server import Api, Contract, Server, wait_until

KEY = "000102030405060708090a0b0c0d0e0f"
MORE_KEY = "c0ffee00c0ffee11c0ffee22c0ffee33"
DUNLIN = os.environ.get("DUNLIN", os.path.join(os.path.dirname(os.environ.get("DUNLIND", "")), "dunlin"))
# A P-256 key made for this test, in DER.
SPKI = ("3059301306072a8648ce3d020106082a8648ce3d03010703420004aa7a343696a65c61bd973f56b1028b6fc1f82913b26b56e35ba89c097b15ac5e"
        "df63a909207ca3272c0652e78a4fb0eed78d4f2740903dd4d37645781420ef78")
SECURED = ("--coaps", "127.0.0.1:0")


def pem(label, der):
    import base64
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[at:at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def url(endpoint):
    return "/credentials/" + urllib.parse.quote(endpoint, safe="")


class CredentialsCase(unittest.TestCase):
    options = ("--store", "memory")
    config = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*SECURED, *cls.options, config=cls.config)
        cls.contract = Contract()
        cls.api = Api(cls.server.http, cls.contract)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, cls.server.log_text()

    def tearDown(self):
        while True:
            page = self.api.get("/credentials?limit=1000").json
            for one in page["credentials"]:
                self.assertEqual(self.api.delete(url(one["endpoint"])).status, 204)
            if page["next"] is None:
                break
        self.assertEqual(self.api.get("/credentials").json, {"credentials": [], "total": 0, "next": None})

    def put(self, endpoint, status=201, headers=None, **body):
        answer = self.api.put(url(endpoint), body, headers=headers)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json


class Keeping(CredentialsCase):
    def test_the_life_of_a_credential(self):
        made = self.put("thermo-1", mode="psk", identity="id-1", key=KEY)
        self.assertEqual({key: made[key] for key in made if key not in ("created", "changed")},
                         {"endpoint": "thermo-1", "pattern": False, "mode": "psk", "state": "current", "identity": "id-1", "key_bits": 128})
        self.assertEqual(made["created"], made["changed"])
        self.assertEqual(self.api.get(url("thermo-1")).json, made)
        self.assertIn("\ndunlin_credentials 1\n", self.api.get("/metrics").body)
        replaced = self.put("thermo-1", 200, mode="psk", identity="id-1", key=MORE_KEY.upper())
        self.assertEqual(replaced["created"], made["created"])
        self.assertEqual(self.api.delete(url("thermo-1")).status, 204)
        self.assertIn("\ndunlin_credentials 0\n", self.api.get("/metrics").body)
        for answer in (self.api.get(url("thermo-1")), self.api.delete(url("thermo-1"))):
            self.assertEqual((answer.status, answer.slug), (404, "no-credential"))

    def test_the_identity_is_the_name_if_there_is_none(self):
        self.assertEqual(self.put("a/b ä:1", mode="psk", key=KEY)["identity"], "a/b ä:1")
        self.assertEqual(self.api.get(url("a/b ä:1")).status, 200)

    def test_an_identity_of_any_bytes(self):
        made = self.put("raw", mode="psk", identity_hex="00ff0A", key=KEY)
        self.assertEqual(made["identity_hex"], "00ff0a")
        self.assertNotIn("identity", made)
        # The same bytes as a text are the same identity.
        self.assertEqual(self.put("text", mode="psk", identity_hex="6162", key=KEY)["identity"], "ab")
        self.assertEqual(self.api.put(url("other"), {"mode": "psk", "identity": "ab", "key": KEY}).slug, "credential-in-use")

    def test_raw_public_keys(self):
        made = self.put("lock-1", mode="rpk", public_key=SPKI)
        self.assertEqual((made["public_key"], made["public_key_sha256"]),
                         (SPKI, hashlib.sha256(bytes.fromhex(SPKI)).hexdigest()))
        self.assertEqual(self.put("lock-1", 200, mode="rpk", public_key=pem("PUBLIC KEY", bytes.fromhex(SPKI)))["public_key"], SPKI)
        self.assertEqual(self.api.put(url("lock-2"), {"mode": "rpk", "public_key": SPKI}).slug, "credential-in-use")

    def test_certificates(self):
        certificate = self.api.get("/server-identity").json["certificates"][0]
        fingerprint = self.api.get("/server-identity").json["fingerprints"][0]
        self.assertNotIn("name", self.put("gw-*", mode="x509"))
        self.assertTrue(self.api.get(url("gw-*")).json["pattern"])
        self.assertEqual(self.put("gw-1", mode="x509", name="gw-1.example")["name"], "gw-1.example")
        self.assertEqual(self.put("gw-2", mode="x509", certificate=certificate)["fingerprint"], fingerprint)
        self.assertEqual(self.put("gw-3", mode="x509", fingerprint=fingerprint.upper())["fingerprint"], fingerprint)

    def test_another_kind_takes_the_place(self):
        self.put("dev", mode="psk", key=KEY)
        made = self.put("dev", 200, mode="x509")
        self.assertNotIn("identity", made)
        self.put("dev-2", mode="psk", identity="dev", key=KEY)

    def test_only_if_there_is_none(self):
        never = {"If-None-Match": "*"}
        self.put("dev", headers=never, mode="psk", key=KEY)
        answer = self.api.put(url("dev"), {"mode": "x509"}, headers=never)
        self.assertEqual((answer.status, answer.slug), (412, "credential-exists"))
        self.assertEqual(self.api.get(url("dev")).json["mode"], "psk")
        self.assertEqual(self.api.put(url("dev"), {"mode": "x509"}, headers={"If-None-Match": "x"}).slug, "invalid-parameter")

    def test_conditions_as_of_rfc_9110(self):
        """A credential has no ETag: only * is something that is there."""
        there = {"If-Match": "*"}
        for answer in (self.api.put(url("dev"), {"mode": "x509"}, headers=there), self.api.delete(url("dev"), headers=there)):
            self.assertEqual((answer.status, answer.slug), (412, "precondition-failed"))
        self.assertEqual(self.api.get(url("dev")).status, 404)
        self.put("dev", headers={"If-None-Match": '"x"'}, mode="psk", key=KEY)
        self.put("dev", 200, headers=there, mode="x509")
        for answer in (self.api.put(url("dev"), {"mode": "x509"}, headers={"If-Match": '"x"'}), self.api.delete(url("dev"), headers={"If-Match": '"x"'})):
            self.assertEqual((answer.status, answer.slug), (412, "precondition-failed"))
        self.assertEqual(self.api.delete(url("dev"), headers={"If-None-Match": "*"}).slug, "credential-exists")
        self.assertEqual(self.api.delete(url("dev"), headers=there).status, 204)

    def test_pages(self):
        names = sorted([f"dev-{number:02}" for number in range(25)] + ["zebra", "Zebra", "é"], key=lambda name: name.encode())
        for name in names:
            self.put(name, mode="psk", key=KEY)
        seen, after = [], None
        while True:
            page = self.api.get("/credentials?limit=7" + (f"&after={urllib.parse.quote(after)}" if after else "")).json
            self.assertEqual(page["total"], len(names))
            seen += [one["endpoint"] for one in page["credentials"]]
            after = page["next"]
            if after is None:
                break
            self.assertEqual(after, seen[-1])
        self.assertEqual(seen, names)
        self.assertEqual([one["endpoint"] for one in self.api.get("/credentials?search=ebra").json["credentials"]],
                         ["Zebra", "zebra"])
        for query in ("limit=0", "limit=1001", "limit=x", "q=x"):
            self.assertEqual(self.api.get("/credentials?" + query).slug, "invalid-parameter", query)

    def test_what_cannot_be_a_credential(self):
        good = {"mode": "psk", "key": KEY}
        private = pem("PRIVATE KEY", b"0" * 100)
        table = [
            ("dev", [], None), ("dev", '"x"', None), ("dev", {}, "/mode"), ("dev", {"mode": 1}, "/mode"),
            ("dev", {"mode": "oscore"}, "/mode"), ("dev", {"mode": "psk"}, "/key"), ("dev", {**good, "key": 5}, "/key"),
            ("dev", {**good, "key": "xy" * 16}, "/key"), ("dev", {**good, "key": KEY + "0"}, "/key"),
            ("dev", {**good, "key": "00" * 65}, "/key"), ("dev", {**good, "key": "00" * 7}, None),
            ("dev", {**good, "key": ""}, None), ("dev", {**good, "identity": ""}, None),
            ("dev", {**good, "identity": "x" * 129}, "/identity"), ("dev", {**good, "identity": 3}, "/identity"),
            ("dev", {**good, "identity_hex": "0"}, "/identity_hex"), ("dev", {**good, "identity_hex": "00" * 129}, "/identity_hex"),
            ("dev", {**good, "identity": "a", "identity_hex": "00"}, "/identity_hex"),
            ("dev-*", good, "/identity"), ("dev", {**good, "public_key": SPKI}, None), ("dev", {**good, "Key": KEY}, None),
            ("x" * 253, good, None), ("x" * 129, good, "/identity"), ("\n", {**good, "mode": "x"}, "/mode"),
            ("dev", {"mode": "rpk"}, "/public_key"), ("dev", {"mode": "rpk", "public_key": ""}, None),
            ("dev", {"mode": "rpk", "public_key": SPKI[:-2]}, None), ("dev", {"mode": "rpk", "public_key": "zz"}, "/public_key"),
            ("dev", {"mode": "rpk", "public_key": private}, "/public_key"),
            ("dev", {"mode": "rpk", "public_key": pem("PUBLIC KEY", b"no DER")}, "/public_key"),
            ("dev", {"mode": "rpk", "public_key": "-----BEGIN PUBLIC KEY-----"}, "/public_key"),
            ("dev-*", {"mode": "rpk", "public_key": SPKI}, None), ("dev", {"mode": "rpk", "public_key": SPKI, "key": KEY}, None),
            ("dev", {"mode": "x509", "name": ""}, "/name"), ("dev", {"mode": "x509", "name": "x" * 253}, "/name"),
            ("dev", {"mode": "x509", "fingerprint": "00" * 31}, "/fingerprint"),
            ("dev", {"mode": "x509", "fingerprint": "00" * 32, "certificate": "x"}, "/certificate"),
            ("dev", {"mode": "x509", "certificate": "x"}, "/certificate"),
            ("dev", {"mode": "x509", "certificate": private}, "/certificate"),
            ("dev", {"mode": "x509", "certificate": pem("CERTIFICATE", b"0" * 50)}, "/certificate"),
            ("dev-*", {"mode": "x509", "name": "x"}, None),
        ]
        for endpoint, body, pointer in table:
            with self.subTest(endpoint=endpoint[:20], body=str(body)[:80]):
                answer = self.api.put(url(endpoint), body)
                self.assertEqual((answer.status, answer.slug, answer.json.get("pointer")), (400, "bad-credential", pointer),
                                 answer.body)
        self.assertEqual(self.api.get("/credentials").json["total"], 0)

    def test_other_refusals(self):
        self.assertEqual(self.api.put(url("dev"), "{").slug, "malformed-json")
        self.assertEqual(self.api.put(url("dev"), '{"mode":"psk","mode":"psk"}').slug, "malformed-json")
        self.assertEqual(self.api.put(url("dev"), {"mode": "x509", "name": "x" * 70000}).slug, "body-too-large")
        self.assertEqual(self.api.put(url("dev"), "{}", headers={"Content-Type": "text/plain"}).slug, "unsupported-media-type")
        self.assertEqual(self.api.put(url("dev"), {"mode": "x509"}, headers={"Origin": "http://evil.example"}).slug,
                         "forbidden-origin")
        self.assertEqual(self.api.post(url("dev"), {}).slug, "method-not-allowed")
        self.assertEqual(self.api.get("/credentials/").slug, "invalid-path")
        self.assertEqual(self.api.get("/credentials/a%00b").status, 400)
        self.assertEqual(self.api.get("/credentials/" + "x" * 300).slug, "no-credential")
        self.assertEqual(self.api.get("/credentials/%ff").slug, "no-credential")

    def test_as_many_patterns_as_there_may_be(self):
        for number in range(1000):
            self.put(f"p{number}-*", mode="psk", identity=f"id-{number}", key=KEY)
        answer = self.api.put(url("one-more-*"), {"mode": "psk", "identity": "x", "key": KEY})
        self.assertEqual((answer.status, answer.slug), (409, "too-many-credentials"))

    def test_the_server_shows_itself(self):
        shown = self.api.get("/server-identity").json
        self.assertEqual(len(bytes.fromhex(shown["public_key"])), 91)
        self.assertIn("BEGIN CERTIFICATE", shown["certificates"][0])
        self.assertTrue(shown["psk"])
        self.assertEqual(shown["nosec"], "loopback")
        self.assertEqual(shown["addresses"]["coap"], [f"coap://{self.server.coap}"])
        self.assertEqual(set(shown["addresses"]), {"coap", "coaps"})
        everything = [uri for uris in shown["addresses"].values() for uri in uris]
        self.assertEqual(self.api.get("/server").json["addresses"], everything)


class OnDisk(unittest.TestCase):
    def setUp(self):
        self.server = Server(*SECURED)
        self.contract = Contract()
        self.api = Api(self.server.http, self.contract)

    def tearDown(self):
        self.server.stop(kill=True)

    def again(self, **more):
        self.server = Server(*SECURED, data=self.server.data, **more)
        if more.get("wait", True):
            self.api = Api(self.server.http, self.contract)

    def put(self, endpoint, key):
        answer = self.api.put(url(endpoint), {"mode": "psk", "key": key})
        self.assertIn(answer.status, (200, 201), answer.body)

    def path(self, name):
        return os.path.join(self.server.data, name)

    def test_what_was_answered_is_there_after_kill_9(self):
        for number in range(5):
            self.put(f"dev-{number}", KEY)
        self.server.stop(kill=True)
        self.again()
        self.assertEqual(self.api.get("/credentials").json["total"], 5)
        self.assertEqual(self.api.delete(url("dev-3")).status, 204)
        self.server.stop(kill=True)
        self.again()
        self.assertEqual(self.api.get(url("dev-3")).slug, "no-credential")

    def test_no_secret_anywhere(self):
        secrets = [KEY, MORE_KEY, "deadbeefdeadbeefdeadbeefdeadbeef"]
        self.put("dev-1", secrets[0])
        self.put("dev-1", secrets[1])
        answers = [
            self.api.get(url("dev-1")), self.api.get("/credentials"), self.api.get("/events?type=nothing"), self.api.get("/metrics"),
            # Wrong in every place: the answer must not repeat it.
            self.api.put(url("dev-2"), {"mode": "psk", "identity": "dev-1", "key": secrets[2]}),
            self.api.put(url("dev-2"), {"mode": "psk", "key": secrets[2] + "zz"}),
            self.api.put(url("dev-2"), {"mode": "psk", secrets[2]: "key"}),
            self.api.put(url("dev-2"), {"mode": secrets[2]}),
            self.api.put(url("dev-2"), '{"mode":"psk","key":"' + secrets[2] + '"'),
            self.api.put(url("dev-2"), '{"mode":"psk","key":' + secrets[2] + "}"),
            self.api.put(url("dev-2"), {"mode": "x509", "certificate": secrets[2]}),
            self.api.put(url("dev-2"), {"mode": "rpk", "public_key": secrets[2]}),
        ]
        self.assertEqual(self.server.stop(), 0)
        places = [self.server.log_text().encode()] + [answer.body.encode() for answer in answers]
        for path in glob.glob(self.server.data + "/**", recursive=True):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    places.append(file.read())
        self.assertGreater(len(places), len(answers) + 3)
        for secret in secrets:
            for place in places:
                self.assertNotIn(bytes.fromhex(secret), place)
                self.assertNotIn(secret.encode(), place.lower())
        self.assertIn("the credential of dev-1 is made: psk", self.server.log_text())
        self.assertIn("the credential of dev-1 is replaced: psk", self.server.log_text())

    def test_modes_of_the_files(self):
        self.put("dev-1", KEY)
        for name in ("credentials.db", "credentials.db-wal", "seal.key"):
            self.assertEqual(os.stat(self.path(name)).st_mode & 0o777, 0o600, name)

    def refuses(self, text):
        self.again(wait=False)
        self.assertNotEqual(self.server.process.wait(60), 0)
        self.assertIn(text, self.server.log_text())

    def test_without_its_key_it_does_not_start(self):
        self.put("dev-1", KEY)
        self.assertEqual(self.server.stop(), 0)
        os.rename(self.path("seal.key"), self.path("aside"))
        self.refuses("put the file back")
        self.assertFalse(os.path.exists(self.path("seal.key")))
        os.rename(self.path("aside"), self.path("seal.key"))
        os.chmod(self.path("seal.key"), 0o644)
        self.refuses("chmod 600")
        os.chmod(self.path("seal.key"), 0o600)
        self.again()
        self.assertEqual(self.api.get(url("dev-1")).status, 200)

    def test_a_new_sealing_key_without_a_restart(self):
        self.put("dev-1", KEY)
        before = self.sealed()
        said = subprocess.run([DUNLIN, "credentials", "new-seal-key", self.path("seal.key")], check=True, capture_output=True,
                              text=True, timeout=60).stdout
        self.assertIn("has the new key", said)
        self.server.process.send_signal(signal.SIGHUP)
        wait_until("everything is sealed anew", lambda: self.sealed() != before)
        self.assertEqual(self.api.get(url("dev-1")).status, 200)
        # The old one is not needed any more.
        with open(self.path("seal.key"), encoding="ascii") as file:
            lines = file.read().splitlines()
        keys = [line for line in lines if line.startswith("key ")]
        self.assertEqual(len(keys), 2)
        with open(self.path("seal.key"), "w", encoding="ascii") as file:
            file.write("\n".join([lines[0], keys[1]]) + "\n")
        self.assertEqual(self.server.stop(), 0)
        self.again()
        self.assertEqual(self.api.get(url("dev-1")).status, 200)

    def test_the_server_looks_at_the_file_of_sealing_keys(self):
        self.put("dev-1", KEY)
        before = self.sealed()
        subprocess.run([DUNLIN, "credentials", "new-seal-key", self.path("seal.key")], check=True, capture_output=True, timeout=60)
        wait_until("everything is sealed anew", lambda: self.sealed() != before)
        os.rename(self.path("seal.key"), self.path("aside"))
        with open(self.path("seal.key"), "w", encoding="ascii") as file:
            file.write("rubbish\n")
        os.chmod(self.path("seal.key"), 0o600)
        wait_until("it complains", lambda: "the former sealing keys stay in use" in self.server.log_text())
        self.put("dev-2", KEY)
        os.rename(self.path("aside"), self.path("seal.key"))

    def sealed(self):
        """The numbers of the keys that seal."""
        import sqlite3
        database = sqlite3.connect(f"file:{self.path('credentials.db')}?mode=ro", uri=True)
        try:
            return {row[0] for row in database.execute("SELECT seal FROM credential")}
        finally:
            database.close()

    def test_a_sealing_key_of_systemd(self):
        self.server.stop()
        folder = self.path("credentials-directory")
        os.makedirs(folder)
        subprocess.run([DUNLIN, "credentials", "new-seal-key", os.path.join(folder, "seal")], check=True, capture_output=True, timeout=60)
        os.environ["CREDENTIALS_DIRECTORY"] = folder
        self.addCleanup(os.environ.pop, "CREDENTIALS_DIRECTORY")
        os.remove(self.path("seal.key"))
        self.restart_with("credential:seal")
        self.put("dev-1", KEY)
        self.assertFalse(os.path.exists(self.path("seal.key")))
        self.server.stop(kill=True)
        self.restart_with("credential:seal")
        self.assertEqual(self.api.get(url("dev-1")).status, 200)

    def restart_with(self, seal_key):
        self.server = Server(*SECURED, "--seal-key", seal_key, data=self.server.data)
        self.api = Api(self.server.http, self.contract)

    @unittest.skipUnless(shutil.which("softhsm2-util") and shutil.which("p11tool"), "there is no SoftHSM here")
    def test_a_sealing_key_in_a_token(self):
        self.server.stop()
        os.remove(self.path("seal.key"))
        os.makedirs(self.path("tokens"))
        with open(self.path("softhsm.conf"), "w", encoding="ascii") as file:
            file.write(f"directories.tokendir = {self.path('tokens')}\nobjectstore.backend = file\n")
        os.environ["SOFTHSM2_CONF"] = self.path("softhsm.conf")
        self.addCleanup(os.environ.pop, "SOFTHSM2_CONF")
        environment = {**os.environ, "GNUTLS_PIN": "1234"}
        for command in (["softhsm2-util", "--init-token", "--free", "--label", "fleet", "--pin", "1234", "--so-pin", "12345678"],
                        ["p11tool", "--login", "--generate-rsa", "--bits", "2048", "--label", "seal", "--outfile", self.path("public"),
                         "pkcs11:token=fleet"]):
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
        with open(self.path("pin"), "w", encoding="ascii") as file:
            file.write("1234")
        token = f"pkcs11:token=fleet;object=seal?pin-source={self.path('pin')}"
        self.restart_with(token)
        self.put("dev-1", KEY)
        with open(self.path("seal.key"), encoding="ascii") as file:
            self.assertIn("\nwrapped ", file.read())
        self.server.stop(kill=True)
        self.restart_with(token)
        self.assertEqual(self.api.get(url("dev-1")).status, 200)
        self.server.stop()
        self.refuses("pkcs11:")

    def test_a_row_that_somebody_changed(self):
        import sqlite3
        self.put("dev-1", KEY)
        self.put("dev-2", MORE_KEY)
        database = sqlite3.connect(self.path("credentials.db"))
        with database:
            database.execute("UPDATE credential SET identity=x'7878' WHERE identity=x'6465762d31'")
        database.close()
        # Look-ups share a snapshot of the database for a moment.
        wait_until("the change is seen", lambda: self.api.get(url("dev-1")).status != 200)
        answer = self.api.get(url("dev-1"))
        self.assertEqual(answer.slug, "internal")
        self.assertIn("dev-1", answer.json["detail"])
        self.assertEqual(self.api.get(url("dev-2")).status, 200)
        self.put("dev-1", KEY)
        self.assertEqual(self.api.get(url("dev-1")).json["identity"], "dev-1")


if __name__ == "__main__":
    unittest.main()
