# SPDX-License-Identifier: Apache-2.0
"""dunlin credentials: keys made and taken, shown once, imported; the devices that they let in."""

import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import tempfile
import urllib.request

from support.harness import Skipped, Suite, case, check, equal
from support.programs import BIN, wait_until

DUNLIN = os.path.join(BIN, "dunlin")
OK, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3
KEY = "000102030405060708090a0b0c0d0e0f"
MANY = 300


class Credentials(Suite):
    """A server with DTLS, and the devices that `dunlin credentials` makes."""

    name = "cli-credentials"

    def set_up(self):
        self.server = self.programs.dunlind("--coaps", "127.0.0.1:0")
        self.folder = tempfile.mkdtemp(prefix="dunlin-cli-")

    def tear_down(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run_it(self, *arguments, stdin=None):
        done = subprocess.run([DUNLIN, "credentials", "--server", self.server.url, *arguments], capture_output=True, text=True,
                              input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, timeout=120, check=False)
        return done.returncode, done.stdout, done.stderr

    def good(self, *arguments, **more):
        status, out, said = self.run_it(*arguments, **more)
        equal((status, said), (OK, ""), " ".join(arguments))
        return out

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def command_line(self, said):
        return shlex.split(next(line for line in said.splitlines() if line.strip().startswith("dunlin client")))

    def follow(self, said, endpoint):
        """Runs the command line that was printed; the device registers with what it was given."""
        words = self.command_line(said)
        device = self.programs.start(endpoint, [DUNLIN, *words[1:], "--no-console"])
        wait_until(f"{endpoint} is registered", lambda: self.server.rest.client(endpoint))
        found = self.server.rest.client(endpoint)
        device.stop()
        return found

    @case("set --psk: a new key of 16 bytes is shown once, and its command line lets the device in")
    def makes_psk(self):
        out = self.good("set", "it's a name", "--psk")
        check(re.search(r"--key hex:[0-9a-f]{32}\n", out), out)
        equal(re.search(r"^  3 +Identity +hex (\S+)$", out, re.MULTILINE)[1], "it's a name".encode().hex())
        key = re.search(r"^  5 +Secret Key +hex ([0-9a-f]{32})$", out, re.MULTILINE)[1]
        found = self.follow(out, "it's a name")
        equal((found["transport"], found["security"]), ("dtls", "psk"))
        check(key not in self.good("show", "it's a name") + self.good("list") + self.good("list", "--json"), "the key is shown")
        another = re.search(r"hex:([0-9a-f]{32})", self.good("set", "it's a name", "--psk"))[1]
        check(another != key, "the same key again")

    @case("set --psk --out: the key is in a file of the user alone, and not on the screen")
    def makes_psk_file(self):
        made = json.loads(self.good("set", "a/b", "--psk", "--out", self.folder, "--json"))
        path = self.path("a_b.key")
        equal(made["device"]["key_file"], path)
        equal(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, encoding="ascii") as file:
            key = file.read().strip()
        equal(len(key), 32)
        check(key not in json.dumps(made), "the key is shown")
        status, _, said = self.run_it("set", "a/b", "--psk", "--out", self.folder)
        equal(status, USAGE)
        check("File exists" in said, said)
        self.follow(made["device"]["command"] + "\n", "a/b")

    @case("set --psk: identity and key that are given, as text, as digits and from a file")
    def takes_psk(self):
        for number, (identity, key) in enumerate([("x y", "hex:" + KEY), ("hex:00ff", KEY), ("z", "@" + self.write("k", f" hex:{KEY}\n"))]):
            out = self.good("set", f"given-{number}", "--psk", "--identity", identity, "--key", key)
            equal(out, f"made: given-{number}, psk\n")
        equal(json.loads(self.good("show", "given-1", "--json"))["identity_hex"], "00ff")
        check("identity    x y\n" in self.good("show", "given-0"), "no identity")
        status, out, said = self.run_it("set", "given-3", "--psk", "--identity", "z")
        equal((status, out), (REFUSED, ""))
        check("identity" in said, said)

    def revoked(self):
        return int(re.search(r"^dunlin_sessions_revoked_total (\d+)$", self.metrics(), re.MULTILINE)[1])

    def metrics(self):
        with urllib.request.urlopen(self.server.url + "/metrics", timeout=60) as answer:
            return answer.read().decode()

    @case("a credential that is replaced or removed ends its session; the one that was set in its place lets the device in")
    def revokes(self):
        words = self.command_line(self.good("set", "changing", "--psk"))
        device = self.programs.start("changing", [DUNLIN, *words[1:], "--no-console"])
        wait_until("it is registered", lambda: self.server.rest.client("changing"))
        before = self.revoked()
        words = self.command_line(self.good("set", "changing", "--psk"))
        wait_until("its session has ended", lambda: self.revoked() == before + 1)
        device.stop()
        device = self.programs.start("changing-again", [DUNLIN, *words[1:], "--no-console"])
        wait_until("it is registered anew", lambda: "registered as" in device.text())
        # What proves the same ends nothing.
        same = words[words.index("--key") + 1]
        equal(self.good("set", "changing", "--psk", "--key", same), "replaced: changing, psk\n")
        equal(self.good("delete", "changing"), "removed changing\n")
        wait_until("its session has ended", lambda: self.revoked() == before + 2)
        device.stop()

    @case("set --rpk-generate: a pair of keys in files, and its command line lets the device in")
    def makes_rpk(self):
        out = self.good("set", "lock-1", "--rpk-generate", "--out", self.folder)
        for name in ("lock-1.key", "lock-1.pub", "server.pub"):
            equal(os.stat(self.path(name)).st_mode & 0o777, 0o600, name)
        with open(self.path("lock-1.key"), encoding="ascii") as file:
            text = file.read()
        check("BEGIN PRIVATE KEY" in text, text)
        check(text.splitlines()[1] not in out, "the private key is shown")
        equal(self.follow(out, "lock-1")["security"], "rpk")
        status, _, said = self.run_it("set", "lock-2", "--rpk", self.path("lock-1.key"))
        equal(status, USAGE)
        check("private" in said, said)
        equal(self.run_it("set", "lock-2", "--rpk", self.path("lock-1.pub"))[0], REFUSED, "the key of another")
        equal(self.good("set", "lock-1", "--rpk", self.path("lock-1.pub")), "replaced: lock-1, rpk\n")
        with open(self.path("lock-1.pub"), encoding="ascii") as file:
            digits = "".join(file.read().splitlines()[1:-1])
        import base64
        with open(self.path("lock-1.der"), "wb") as file:
            file.write(base64.b64decode(digits))
        equal(self.good("set", "lock-1", "--rpk", self.path("lock-1.der")), "replaced: lock-1, rpk\n")

    @case("set --rpk-generate: what the server refuses leaves no files")
    def leaves_nothing(self):
        os.makedirs(self.path("empty"))
        equal(self.run_it("set", "lock-1", "--rpk-generate", "--new", "--out", self.path("empty"))[0], REFUSED)
        equal([name for name in os.listdir(self.path("empty")) if name != "server.pub"], [])
        equal(self.run_it("set", "lock-9", "--rpk-generate", "--out", self.path("no/where"))[0], USAGE)
        equal(self.run_it("show", "lock-9")[0], REFUSED)
        self.good("set", "lock-9", "--psk", "--out", self.path("fresh"))
        equal(os.stat(self.path("fresh")).st_mode & 0o777, 0o700, "a folder that was missing")
        equal(os.listdir(self.path("fresh")), ["lock-9.key"])

    @case("set --x509: by name, by the certificate in PEM and DER, by its fingerprint; server --out")
    def takes_x509(self):
        os.makedirs(self.path("server"))
        shown = self.good("server", "--out", self.path("server"))
        fingerprint = re.search(r"^fingerprint +(\S+)$", shown, re.MULTILINE)[1]
        certificate = self.path("server/server.pem")
        equal(self.good("set", "gw-*", "--x509"), "made: gw-*, x509\n")
        self.good("set", "gw-1", "--x509", "--name", "gw-1.example")
        check("name        gw-1.example\n" in self.good("show", "gw-1"), "no name")
        with open(certificate, encoding="ascii") as file:
            both = file.read() + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
        for number, option in enumerate((("--certificate", certificate), ("--fingerprint", fingerprint),
                                         ("--certificate", self.write("both.pem", both)))):
            self.good("set", f"pin-{number}", "--x509", *option)
            equal(json.loads(self.good("show", f"pin-{number}", "--json"))["fingerprint"], fingerprint)
        check("coaps        coaps://127.0.0.1:" in shown and "no security  loopback" in shown, shown)
        equal(json.loads(self.good("server", "--json"))["fingerprints"], [fingerprint])

    @case("list, show, delete; --new leaves alone what is there")
    def lists(self):
        names = [item["endpoint"] for item in json.loads(self.good("list", "--json"))]
        equal(names, sorted(names, key=str.encode))
        equal(len(self.good("list", "--limit", "2").splitlines()), 3)
        lines = self.good("--filter", "gw-").splitlines()
        equal([line.split()[:2] for line in lines[1:]], [["gw-*", "x509"], ["gw-1", "x509"]])
        status, out, said = self.run_it("set", "gw-1", "--psk", "--new")
        equal((status, out), (REFUSED, ""))
        check("already" in said, said)
        equal(self.good("delete", "gw-*"), "removed gw-*\n")
        for arguments in (("delete", "gw-*"), ("show", "gw-*")):
            equal(self.run_it(*arguments)[0], REFUSED)

    @case("import: {0} lines of CSV, then lines of JSON; what cannot be taken is reported and the rest is taken", [MANY])
    def imports(self, count):
        lines = ["endpoint,identity,key"] + [f"csv-{number:03},,{number:032x}" for number in range(count)]
        lines[5] = '"csv ""quoted"", with a comma",quoted,' + KEY
        lines[7] = "csv-bad,," + "00"
        lines[9] = "csv-short,x"
        path = self.write("fleet.csv", "\n".join(lines) + "\n")
        status, out, said = self.run_it("import", path)
        equal((status, out), (REFUSED, f"{count - 2} made, 0 replaced, 2 failed\n"))
        check("fleet.csv:8: csv-bad: " in said and "fleet.csv:10: three fields" in said, said)
        check("0000000000000000" not in said, "a key is printed")
        equal(json.loads(self.good("show", 'csv "quoted", with a comma', "--json"))["identity"], "quoted")
        rows = [{"endpoint": "json-1", "key": KEY}, {"endpoint": "json-2", "mode": "x509", "name": "x"},
                {"endpoint": "csv-000", "mode": "psk", "identity_hex": "ff00", "key": KEY}]
        text = "\n".join(json.dumps(row) for row in rows) + "\n# a comment\n\n"
        equal(self.good("import", "-", stdin=text), "2 made, 1 replaced, 0 failed\n")
        status, out, _ = self.run_it("import", "-", "--new", "--json", stdin=text + '{"endpoint":"json-3","key":"1"}\n{\n{}\n')
        summary = json.loads(out)
        equal((status, summary["made"], summary["there"]), (REFUSED, 0, 3))
        equal([(one["line"], one.get("endpoint")) for one in summary["failed"]], [(6, "json-3"), (7, None), (8, None)])

    @case("import --stop ends at the first line that cannot be taken")
    def stops(self):
        status, out, said = self.run_it("import", "-", "--stop", stdin=f"stop-1,,{KEY}\nstop-2,,x\nstop-3,,{KEY}\n")
        equal((status, out), (REFUSED, "1 made, 0 replaced, 1 failed\n"))
        check("-:2: stop-2: " in said, said)

    @case("new-seal-key: the newest key of a running server seals everything anew on SIGHUP")
    def reseals(self):
        path = os.path.join(self.server.data, "seal.key")
        shown = json.loads(self.good("new-seal-key", path, "--json"))
        self.server.process.send_signal(1)
        number = int(shown["key"], 16)

        def resealed():
            database = sqlite3.connect(f"file:{self.server.data}/credentials.db?mode=ro", uri=True)
            try:
                return {row[0] for row in database.execute("SELECT DISTINCT seal FROM credential")} == {number}
            finally:
                database.close()

        wait_until("everything is sealed with the new key", resealed)
        os.chmod(path, 0o644)
        status, _, said = self.run_it("new-seal-key", path)
        equal(status, REFUSED)
        check("chmod 600" in said, said)
        os.chmod(path, 0o600)
        fresh = self.path("fresh.key")
        self.good("new-seal-key", fresh)
        equal(os.stat(fresh).st_mode & 0o777, 0o600)

    @case("a sealing key may be wrapped for a token")
    def wraps(self):
        if not shutil.which("softhsm2-util") or not shutil.which("p11tool"):
            raise Skipped("there is no SoftHSM here")
        conf = self.write("softhsm.conf", f"directories.tokendir = {self.folder}/tokens\nobjectstore.backend = file\n")
        os.makedirs(self.path("tokens"))
        environment = {**os.environ, "SOFTHSM2_CONF": conf, "GNUTLS_PIN": "1234"}
        for command in (["softhsm2-util", "--init-token", "--free", "--label", "dunlin", "--pin", "1234", "--so-pin", "12345678"],
                        ["p11tool", "--login", "--generate-rsa", "--bits", "2048", "--label", "seal", "--outfile",
                         self.path("seal.pub"), "pkcs11:token=dunlin"]):
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
        token = "pkcs11:token=dunlin;object=seal?pin-value=1234"
        subprocess.run([DUNLIN, "credentials", "new-seal-key", self.path("wrapped.key"), "--token", token], env=environment,
                       check=True, capture_output=True, timeout=60)
        with open(self.path("wrapped.key"), encoding="ascii") as file:
            check("\nwrapped " in file.read(), "it is not wrapped")
