# SPDX-License-Identifier: Apache-2.0
"""dunlin bootstrap: a device that knows the bootstrap server alone ends up registered, and every step of it is told."""

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import urllib.request

from support.harness import Suite, case, check, equal
from support.programs import BIN, ROOT, wait_until

DUNLIN = os.path.join(BIN, "dunlin")
OK, REFUSED, USAGE = 0, 1, 2
KEY = "000102030405060708090a0b0c0d0e0f"
STEP = re.compile(r"^ +(\d+)/(\d+) +(\w+) +(\S*) +(\d\.\d\d) +\d+ ms$", re.MULTILINE)


class Bootstrap(Suite):
    """A server with a bootstrap server beside it."""

    name = "cli-bootstrap"

    def set_up(self):
        self.server = self.programs.dunlind("--coaps", "127.0.0.1:0", "--bootstrap-coaps", "127.0.0.1:0",
                                            "--bootstrap-coaps-tcp", "127.0.0.1:0")
        self.folder = tempfile.mkdtemp(prefix="dunlin-cli-")

    def tear_down(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run_it(self, *arguments, stdin=None):
        done = subprocess.run([DUNLIN, "bootstrap", "--server", self.server.url, *arguments], capture_output=True, text=True,
                              input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, timeout=120, check=False)
        return done.returncode, done.stdout, done.stderr

    def good(self, *arguments, **more):
        status, out, said = self.run_it(*arguments, **more)
        equal((status, said), (OK, ""), " ".join(arguments))
        return out

    def path(self, name):
        return os.path.join(self.folder, name)

    def device(self, name, *words):
        return self.programs.start(name, [DUNLIN, "client", "-e", name, *words, "--no-console"])

    def registered(self, name):
        wait_until(f"{name} is registered", lambda: self.server.rest.client(name))
        return self.server.rest.client(name)

    @case("config: set by options, shown, listed, found for a name, changed only from the version that was seen, removed")
    def configures(self):
        equal(self.good("config", "set", "pump-*", "--lifetime", "600", "--ssid", "7"), "made: pump-*, version 1\n")
        shown = self.good("config", "show", "pump-*")
        check("pattern pump-*, version 1" in shown and '"lifetime": 600' in shown and '"ssid": 7' in shown, shown)
        check("pattern pump-*" in self.good("config", "effective", "pump-1"), "not found")
        check(re.search(r"^pump-\* +1 ", self.good("config", "list"), re.MULTILINE), "not listed")
        equal(self.good("config", "set", "pump-*", "--if-version", "1"), "replaced: pump-*, version 2\n")
        for options in (("--if-version", "1"), ("--new",)):
            status, out, said = self.run_it("config", "set", "pump-*", *options)
            equal((status, out), (REFUSED, ""))
            check("version" in said or "none" in said, said)
        check('"lifetime": 600' in self.good("config", "show", "pump-*", "--version", "1"), "version 1 is another")
        equal(len(self.good("config", "versions", "pump-*").splitlines()), 3)
        equal(self.good("config", "delete", "pump-*"), "removed pump-*\n")
        equal(self.run_it("config", "show", "pump-*")[0], REFUSED)

    @case("config set --file: a document goes there and back, and its key is never shown")
    def takes_documents(self):
        document = {"servers": [{"ssid": 3, "uri": "coaps://h:1", "security": {"mode": "psk", "identity": "i", "key": KEY}}],
                    "write": {"/3303/0/5701": "Cel"}}
        self.good("config", "set", "doc", "--file", "-", stdin=json.dumps(document))
        shown = json.loads(self.good("config", "show", "doc", "--json"))
        check(KEY not in json.dumps(shown), "the key is shown")
        shown["config"]["servers"][0]["lifetime"] = 60
        with open(self.path("doc.json"), "w", encoding="utf-8") as file:
            json.dump(shown["config"], file)
        again = json.loads(self.good("config", "set", "doc", "--file", self.path("doc.json"), "--if-version", str(shown["version"]), "--json"))
        equal(again["config"]["servers"][0]["security"]["key_bits"], 128)
        status, out, said = self.run_it("config", "set", "doc", "--file", "-", stdin='{"servers": [{"ssid": 0}]}')
        equal((status, out), (REFUSED, ""))
        check("servers[0].ssid" in said, said)
        equal(self.run_it("config", "set", "doc", "--file", "-", "--ssid", "1", stdin="{}")[0], USAGE)

    @case("credentials set --factory: a device starts from that file alone; runs --follow tells each step, and ends with it")
    def bootstraps(self):
        self.good("config", "set", "vault-*", "--lifetime", "600")
        factory = self.path("vault-1.json")
        out = self.good("credentials", "set", "vault-1", "--psk", "--factory", factory)
        equal(os.stat(factory).st_mode & 0o777, 0o600)
        with open(factory, encoding="utf-8") as file:
            records = json.load(file)
        secret = next(one["vd"] for one in records if one["n"] == "5")
        key = base64.urlsafe_b64decode(secret + "==").hex()
        equal(len(key), 32)
        check(key not in out and secret not in out, "the key is shown")
        words = shlex.split(next(line for line in out.splitlines() if line.strip().startswith("dunlin client")))
        equal(words[4:], ["--factory", factory])
        opened = self.streams_opened()
        follower = self.programs.start("follow", [DUNLIN, "bootstrap", "--server", self.server.url, "runs", "vault-1", "--follow"])
        wait_until("the stream is open", lambda: self.streams_opened() > opened)
        device = self.device("vault-1", "--factory", factory)
        found = self.registered("vault-1")
        equal((found["lifetime"], found["security"]), (600, "psk"))
        wait_until("runs --follow ends", lambda: follower.process.poll() is not None)
        equal(follower.process.returncode, OK)
        text = follower.text()
        steps = STEP.findall(text)
        equal([int(step[0]) for step in steps], list(range(1, int(steps[-1][1]) + 1)))
        equal((steps[-1][2], steps[-1][4]), ("finish", "2.04"))
        check(" run 1 requested: psk over dtls from " in text and " run 1 finished\n" in text, text)
        equal(STEP.findall(self.good("runs", "vault-1")), steps)
        # Told to do it again, it does.
        status, out, said = self.run_it("trigger", "vault-1", "--follow")
        equal((status, said), (OK, ""))
        check(out.startswith("vault-1  /1/0/9  2.04\n") and "finished\n" in out, out)
        device.stop()

    def streams_opened(self):
        """Of events, since the server began."""
        with urllib.request.urlopen(self.server.url + "/metrics", timeout=60) as answer:
            return int(re.search(r"^dunlin_event_streams_total (\d+)$", answer.read().decode(), re.MULTILINE).group(1))

    @case("config set --file: an unsigned number beyond 2^63-1 arrives as it is, in each format, and is shown again")
    def writes_large_numbers(self):
        large = 2 ** 64 - 1
        types = os.path.join(ROOT, "tests/api/types.xml")
        with open(types, "rb") as file:
            self.server.rest.call("PUT", "/models", file.read(), content_type="application/xml")
        self.good("config", "set", "big-*", "--file", "-", stdin='{"servers": [{}], "write": {"/33000/0/2": %d}}' % large)
        check(f'"unsigned": "{large}"' in self.good("config", "show", "big-*"), "not shown")
        shown = json.loads(self.good("config", "show", "big-*", "--json"))["config"]
        self.good("config", "set", "big-*", "--file", "-", stdin=json.dumps(shown))
        for form in ("senml-cbor", "senml-json", "tlv"):
            name = "big-" + form
            self.good("credentials", "set", name, "--psk", "--factory", self.path(name))
            device = self.device(name, "--factory", self.path(name), "--object", types, "--bootstrap-format", form)
            self.registered(name)
            equal(self.server.rest.read(name, "/33000/0/2")["node"]["value"], large, form)
            device.stop()
        status, out, said = self.run_it("config", "set", "big-*", "--file", "-", stdin='{"servers": [{}], "write": {"/33000/0/1": %d}}' % large)
        equal((status, out), (REFUSED, ""))
        check("write./33000/0/1: must be an integer from" in said, said)

    @case("rerun: the bootstrap server speaks first to a device that keeps the way, and a device without is told by its server")
    def runs_again(self):
        self.good("config", "set", "again-*", "--lifetime", "600")
        out = self.good("credentials", "set", "again-1", "--psk", "--factory", self.path("again-1.json"))
        check("dunlin client -e again-1" in out, out)
        equal(self.run_it("rerun", "again-1")[0], REFUSED)  # it was never here
        device = self.device("again-1", "--factory", self.path("again-1.json"), "--stay")
        self.registered("again-1")
        self.good("config", "set", "again-*", "--lifetime", "700")
        out = self.good("rerun", "again-1", "--follow", "--by", "server")
        lines = out.splitlines()
        equal(lines[0], "again-1  the bootstrap server has begun run " + lines[0].rsplit(" ", 1)[1])
        check(" begun by the server: psk over dtls from " in lines[1] and lines[-1].endswith(" finished"), out)
        wait_until("it registers as it was told", lambda: (self.server.rest.client("again-1") or {}).get("lifetime") == 700)
        check(" finished, begun by the server, psk over dtls from " in self.good("runs", "again-1"), "not told in the list")
        run = json.loads(self.good("runs", "again-1", "--json"))["runs"][0]
        equal((run["by"], run["reachable"], run["state"]), ("server", True, "finished"))
        # By its server if that is wished.
        out = self.good("rerun", "again-1", "--follow", "--by", "trigger")
        check(out.startswith("again-1  /1/0/9  2.04\n") and out.endswith("finished\n"), out)
        equal(json.loads(self.good("runs", "again-1", "--json"))["runs"][0]["by"], "device")
        device.stop()
        wait_until("the bootstrap server knows that it is gone", lambda: not json.loads(self.good("runs", "again-1", "--json"))["runs"][0]["reachable"])
        wait_until("its registration has ended", lambda: not self.server.rest.client("again-1"))
        status, out, said = self.run_it("rerun", "again-1")
        equal((status, out), (REFUSED, ""))
        check("There is no way to the device at present" in said and "No device of that name is registered" in said, said)
        status, out, said = self.run_it("rerun", "nobody-again")
        equal((status, out), (REFUSED, ""))
        check("Nothing says what a device of this name is given" in said, said)
        equal(self.run_it("rerun", "again-1", "--by", "luck")[0], USAGE)

    @case("rerun: a device that gives up the way is told by its server, and that is said")
    def runs_again_by_trigger(self):
        self.good("config", "set", "gone-1", "--lifetime", "600")
        words = shlex.split(next(line for line in self.good("credentials", "set", "gone-1", "--psk").splitlines()
                                 if line.strip().startswith("dunlin client")))
        tls = next(one for one in self.server.rest.want(200, "GET", "/server")["bootstrap"]["addresses"] if one.startswith("coaps+tcp:"))
        words = [tls if word.startswith("coaps:") else word for word in words]
        device = self.programs.start("gone-1", [DUNLIN, *words[1:], "--no-console"])
        self.registered("gone-1")
        wait_until("it has hung up", lambda: not json.loads(self.good("runs", "gone-1", "--json"))["runs"][0]["reachable"])
        status, out, said = self.run_it("rerun", "gone-1", "--by", "server")
        equal((status, out), (REFUSED, ""))
        check("There is no way to the device at present" in said and "session or connection has ended" in said, said)
        out = self.good("rerun", "gone-1", "--follow")
        check(out.startswith("gone-1  its server has told it: /1/0/9  2.04\n") and out.endswith("finished\n"), out)
        device.stop()

    @case("credentials set --rpk-generate --factory: a raw public key, the server's with it")
    def bootstraps_by_rpk(self):
        self.good("config", "set", "lock-1")
        factory = self.path("lock-1.json")
        self.good("credentials", "set", "lock-1", "--rpk-generate", "--out", self.folder, "--factory", factory)
        device = self.device("lock-1", "--factory", factory)
        equal(self.registered("lock-1")["security"], "psk")
        run = json.loads(self.good("runs", "lock-1", "--json"))["runs"][0]
        equal((run["state"], run["security"]), ("finished", "rpk"))
        device.stop()

    @case("the command line that credentials set prints lets the device in")
    def bootstraps_by_command_line(self):
        self.good("config", "set", "hand-1")
        out = self.good("credentials", "set", "hand-1", "--psk")
        check("  1  Bootstrap-Server    true\n" in out, out)
        words = shlex.split(next(line for line in out.splitlines() if line.strip().startswith("dunlin client")))
        device = self.programs.start("hand-1", [DUNLIN, *words[1:], "--no-console"])
        self.registered("hand-1")
        device.stop()

    @case("credentials: what is wrong is said in the name of the command that was typed")
    def says_its_name(self):
        for words in (("set", "x-1"), ("set", "x-*", "--rpk-generate"), ("set", "x-1", "--psk", "--key", "zz"), ("set", "x-1", "--rpk", "/nonexistent"),
                      ("import", "/nonexistent"), ("list", "--limit", "0"), ("nonsense",)):
            status, out, said = self.run_it("credentials", *words)
            equal((status, out), (USAGE, ""), words)
            check("dunlin bootstrap credentials" in said, said)
            check("dunlin credentials" not in said, said)

    @case("a device that nothing is said of is refused; runs --follow says so and ends with status 1")
    def refuses(self):
        out = self.good("credentials", "set", "nobody-1", "--psk")
        words = shlex.split(next(line for line in out.splitlines() if line.strip().startswith("dunlin client")))
        opened = self.streams_opened()
        follower = self.programs.start("follow-nobody", [DUNLIN, "bootstrap", "--server", self.server.url, "runs", "nobody-1", "--follow"])
        wait_until("the stream is open", lambda: self.streams_opened() > opened)
        device = self.programs.start("nobody-1", [DUNLIN, *words[1:], "--no-console"])
        wait_until("runs --follow ends", lambda: follower.process.poll() is not None)
        equal(follower.process.returncode, REFUSED)
        check("nobody-1  refused, 4." in follower.text(), follower.text())
        device.stop()
