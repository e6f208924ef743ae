# SPDX-License-Identifier: Apache-2.0
"""The command-line tool `dunlin`: every subcommand, tables and JSON, exit codes, environment, completion, manual pages.

Usage: cli_test.py [PATTERN]. The programs come from DUNLIN_BIN_DIR.
"""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
sys.path.insert(0, os.path.join(HERE, "..", "interop"))  # the test object, and a device with a console

from support import programs  # noqa: E402
from support.harness import Runner, Skipped, Suite, case, check, equal  # noqa: E402
from support.programs import BIN, ROOT, lasting_addresses, wait_until  # noqa: E402

import flood  # noqa: E402
from bootstrap_suite import Bootstrap  # noqa: E402
from credentials_suite import Credentials  # noqa: E402
import toolchain  # noqa: E402
from devices import DunlinDevice  # noqa: E402

DUNLIN = os.path.join(BIN, "dunlin")
OK, REFUSED, USAGE, UNREACHABLE, TIMEOUT = 0, 1, 2, 3, 4
NAME = "urn:dev:ops:42-thermo/1 ä"
COMMANDS = ["clients", "read", "write", "exec", "create", "delete", "discover", "observe", "observations", "cancel",
            "attributes", "requests", "request", "packages", "firmware", "credentials", "bootstrap", "events", "models", "client", "ets", "completion"]
MANY = 1050
MESSAGE_IDS = itertools.count(1)


def run(*arguments, server=None, stdin=None, env=None, timeout_s=120):
    """(exit status, standard output, standard error) of a run of dunlin."""
    environment = {key: value for key, value in os.environ.items() if key != "DUNLIN_SERVER"}
    if server:
        environment["DUNLIN_SERVER"] = server
    environment.update(env or {})
    done = subprocess.run([DUNLIN, *arguments], capture_output=True, input=stdin, timeout=timeout_s, env=environment,
                          stdin=None if stdin is not None else subprocess.DEVNULL, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def options_in(help_text):
    """The options that a help text explains."""
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z0-9-]+)", help_text, re.MULTILINE)) | set(
        re.findall(r"^ +(-\w), --", help_text, re.MULTILINE))


def rows(table):
    return [line.rstrip() for line in table.splitlines()]


class Help(Suite):
    """Help, manual pages and completion, without a server."""

    name = "cli-help"

    @case("the help lists every command, and no other")
    def lists(self):
        status, out, _ = run("--help")
        equal(status, OK)
        equal(re.findall(r"^  ([a-z]+)  +\S", out, re.MULTILINE), COMMANDS, "commands")
        equal(run("-h"), (OK, out, ""))
        equal(run("help"), (OK, out, ""))

    @case("the help of {0} shows its use and an example, whatever way it is asked for", COMMANDS)
    def explains(self, command):
        status, out, _ = run(command, "--help")
        equal(status, OK)
        check(f"usage: dunlin {command}" in out, "no usage")
        check(re.search(rf"examples?:\n.*dunlin\s+{command}", out, re.DOTALL), "no example")
        equal(run("help", command)[1], out, "help COMMAND")
        equal(run(command, "-h")[1], out, "COMMAND -h")

    @case("dunlin(1) names every command, and every option that the help of {0} names", ["", *COMMANDS])
    def manual(self, command):
        with open(os.path.join(ROOT, "docs", "man", "dunlin.1"), encoding="utf-8") as file:
            page = file.read()
        if command:
            check(f"Cm {command}" in page, f"{command} is not in dunlin.1")
        for option in options_in(run(*([command] if command else []), "--help")[1]):
            check(re.search(rf"(Fl|,) {re.escape(option[1:])}\b", page), f"{option} is not in dunlin.1")

    @case("dunlind(8) names every option that the help of dunlind names")
    def manual_of_dunlind(self):
        said = subprocess.run([os.path.join(BIN, "dunlind"), "--help"], capture_output=True, text=True, timeout=60, check=True)
        with open(os.path.join(ROOT, "docs", "man", "dunlind.8"), encoding="utf-8") as file:
            page = file.read()
        options = options_in(said.stdout)
        check(len(options) > 10, f"only {options}")
        for option in options:
            check(re.search(rf"Fl {re.escape(option[1:])}\b", page), f"{option} is not in dunlind.8")

    @case("the version is that of the source tree")
    def version(self):
        with open(os.path.join(ROOT, "VERSION"), encoding="ascii") as file:
            wanted = f"dunlin {file.read().strip()}\n"
        equal(run("--version"), (OK, wanted, ""))
        equal(run("-V"), (OK, wanted, ""))

    @case("a wrong command line ends with status 2 and says what is wrong: dunlin {0}", [
        (" ".join(row),) + tuple([row]) for row in (
            (), ("nothing",), ("--nothing",), ("help", "nothing"), ("read",), ("read", "a"), ("read", "a", "/3", "b"),
            ("read", "a", "/x"), ("read", "a", "/"), ("read", "a", "/65535"), ("read", "a", "/1/2/3/4/5"),
            ("read", "a", "/3", "--nothing"), ("read", "a", "/3", "--timeout"), ("read", "a", "/3", "--json=yes"),
            ("read", "a", "/3", "--server", "ftp://x"), ("clients", "extra"), ("clients", "--limit", "x"),
            ("clients", "--limit", "0"), ("write", "a", "/3/0/1"), ("write", "a", "/3", "1"),
            ("write", "a", "/3/0/1", "x", "--mode", "other"), ("write", "a", "/3/0/1", "x", "--body", "{}"),
            ("write", "a", "/3/0/1", "--body", "{"), ("exec", "a", "/3/0"), ("create", "a", "/3/0"),
            ("create", "a", "/3", "--id", "x"), ("create", "a", "/3", "--id", "65535"), ("delete", "a", "/3"),
            ("discover", "a", "/3/0/1/2"), ("observe", "a"), ("observe", "a", "/3", "--count", "x"),
            ("observations",), ("cancel",), ("cancel", "a"), ("cancel", "a", "/3", "x"), ("read", "--all"), ("read", "a", "/3", "--match", "x"),
            ("read", "--all", "/3", "/4"), ("read", "--all", "/3", "--in-flight", "0"), ("write", "a", "/3/0=1"), ("write", "a", "/3/0/14=1", "x"),
            ("write", "a", "/5/0", "--package", "x"), ("write", "a", "/5/0/0", "--package", "x", "--mode", "update"),
            ("attributes", "a", "/3"), ("attributes", "a", "/3", "pmin"), ("attributes", "a", "/3", "dim=1"), ("attributes", "a", "/3", "pmin=x"),
            ("requests", "a", "b"), ("requests", "--limit", "0"), ("request",), ("request", "1", "2"), ("packages", "add"), ("packages", "rm", "x", "--name", "y"),
            ("packages", "add", "/nonexistent"), ("packages", "--name", "x"), ("firmware",), ("firmware", "status"), ("firmware", "nothing", "a"),
            ("firmware", "push", "a"), ("firmware", "status", "a", "b"), ("firmware", "update", "a", "--update"), ("firmware", "status", "a", "--patience", "0"),
            ("firmware", "push", "a", "/nonexistent"), ("credentials", "show"), ("credentials", "nothing"), ("credentials", "set", "a"),
            ("credentials", "set", "a", "--psk", "--x509"), ("credentials", "set", "a", "--psk", "--key", "00"),
            ("credentials", "set", "a", "--psk", "--key", "@/nonexistent"), ("credentials", "set", "a*", "--psk"),
            ("credentials", "set", "a", "--psk", "--identity", "hex:0"), ("credentials", "set", "a", "--x509", "--key", "00"),
            ("credentials", "set", "a", "--rpk", "/nonexistent"), ("credentials", "set", "a*", "--rpk-generate"),
            ("credentials", "set", "a", "--psk", "--name", "b"), ("credentials", "set", "a", "--x509", "--certificate", __file__),
            ("credentials", "set", "a", "--x509", "--certificate", "/x", "--fingerprint", "00"), ("credentials", "list", "--limit", "0"),
            ("credentials", "import", "/nonexistent"), ("credentials", "new-seal-key", "/tmp/x", "--token", "x"),
            ("bootstrap", "nothing"), ("bootstrap", "config", "show"), ("bootstrap", "config", "set", "a", "--nosec", "--est"),
            ("bootstrap", "config", "set", "a", "--identity", "i"), ("bootstrap", "config", "set", "a", "--ssid", "x"),
            ("bootstrap", "config", "set", "a", "--file", "/nonexistent"), ("bootstrap", "config", "set", "a", "--new", "--if-version", "1"),
            ("bootstrap", "credentials", "set", "a", "--x509", "--factory", "/nonexistent"), ("bootstrap", "credentials", "new-seal-key", "x"),
            ("bootstrap", "trigger"), ("bootstrap", "runs", "a", "b"), ("bootstrap", "runs", "--follow", "--count", "0"),
            ("events", "extra"), ("events", "--count", "-1"),
            ("models", "--add", "/nonexistent.xml"), ("completion",), ("completion", "tcsh"),
            ("client", "-e", "x"), ("client", "-u", "coap://127.0.0.1"), ("client", "-e", "x", "-u", "http://127.0.0.1"))])
    def wrong(self, title, arguments):
        status, out, said = run(*arguments, server="http://127.0.0.1:9")
        equal((status, out), (USAGE, ""), said)
        check(said.strip(), "nothing on standard error")

    @case("the completion script of bash is good bash and completes commands and options")
    def completes(self):
        status, script, _ = run("completion", "bash")
        equal(status, OK)
        equal(subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode, 0, "bash -n")
        for line, wanted in [("dunlin obs", {"observe", "observations"}), ("dunlin compl", {"completion"}),
                             ("dunlin --ver", {"--version"}), ("dunlin read x --for", {"--format"}),
                             ("dunlin client --li", {"--lifetime"}), ("dunlin client --end", {"--endpoint"}),
                             ("dunlin clients --js", {"--json"}), ("dunlin credentials new", {"new-seal-key"}),
                             ("dunlin credentials x --rpk", {"--rpk", "--rpk-generate"}), ("dunlin bootstrap ru", {"runs"}), ("dunlin bootstrap re", {"rerun"}), ("dunlin completion z", {"zsh"})]:
            equal(complete(script, line), wanted, line)

    @case("the completion script of {0} is good {0}", ["zsh", "fish"])
    def other_shells(self, shell):
        status, script, _ = run("completion", shell)
        equal(status, OK)
        check("dunlin" in script, "an empty script")
        if not shutil.which(shell):
            raise Skipped(f"there is no {shell} here")
        equal(subprocess.run([shell, "-n"], input=script, text=True, check=False).returncode, 0, f"{shell} -n")


def complete(script, line, server=None):
    """What bash offers behind `line`."""
    driver = (script + '\nCOMP_LINE=$1 COMP_POINT=${#1}\nread -ra COMP_WORDS <<<"$1"\n'
              'COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_dunlin\nprintf "%s\\n" "${COMPREPLY[@]}"\n')
    environment = {**os.environ, "PATH": BIN + ":" + os.environ["PATH"], "DUNLIN_SERVER": server or "http://127.0.0.1:9"}
    done = subprocess.run(["bash", "-c", driver, "bash", line], capture_output=True, text=True, timeout=60, env=environment,
                          check=True)
    return {word for word in done.stdout.split("\n") if word}


class Tool(Suite):
    """Every command on a server with a device, and one that is registered but does not answer."""

    name = "cli"

    def set_up(self):
        self.server = self.programs.dunlind("--models", toolchain.MODELS, "--models", os.path.join(ROOT, "models"))
        self.url = self.server.url
        self.device = DunlinDevice(self.programs, NAME, self.server.uri)
        wait_until("the device is registered", lambda: self.server.rest.client(NAME))
        self.silent = register(self.server.coap, "silent")

    def tear_down(self):
        self.silent.close()

    def dunlin(self, *arguments, **more):
        return run(*arguments, server=self.url, **more)

    def good(self, *arguments, **more):
        """The standard output of a run that must go well."""
        status, out, said = self.dunlin(*arguments, **more)
        equal((status, said), (OK, ""), " ".join(arguments))
        return out

    # ---- server, exit codes

    @case("the server is that of --server, else of DUNLIN_SERVER; --server stands before or behind the command")
    def chooses_server(self):
        nobody = "http://127.0.0.1:9"
        for arguments in (("--server", self.url, "clients"), (f"--server={self.url}", "clients"),
                          ("clients", "--server", self.url), ("clients", f"--server={self.url}/")):
            equal(run(*arguments, server=nobody)[0], OK, str(arguments))
        equal(run("clients", server=self.url)[0], OK, "DUNLIN_SERVER")
        equal(run("clients", "--server", nobody, server=self.url)[0], UNREACHABLE, "--server goes first")

    @case("without a server each command that needs one ends with status 3 and says where it looked")
    def unreachable(self):
        for arguments in (("clients",), ("read", "x", "/3"), ("write", "x", "/3/0/1", "a"), ("exec", "x", "/3/0/4"),
                          ("create", "x", "/3303"), ("delete", "x", "/3303/1"), ("discover", "x", "/3"), ("observe", "x", "/3"),
                          ("observations", "x"), ("cancel", "x", "/3"), ("cancel", "1"), ("events", "--count", "1"), ("models",),
                          ("read", "x", "/3", "/4"), ("read", "--all", "/3"), ("write", "x", "/3/0/14=1"),
                          ("attributes", "x", "/3", "pmin=1"), ("requests",), ("request", "1"), ("packages",),
                          ("packages", "add", __file__), ("packages", "rm", "x"), ("credentials",), ("credentials", "set", "x", "--psk"), ("firmware", "status", "x")):
            status, out, said = run(*arguments, server="http://127.0.0.1:9")
            equal((status, out), (UNREACHABLE, ""), str(arguments))
            check("127.0.0.1:9" in said and "DUNLIN_SERVER" in said, said)

    @case("an unknown device ends with status 1")
    def unknown(self):
        for arguments in (("read", "nobody", "/3"), ("read", "nobody", "/3", "/4"), ("write", "nobody", "/3/0/14", "+01:00"),
                          ("write", "nobody", "/3/0/14=+01:00"), ("attributes", "nobody", "/3", "pmin=1"), ("exec", "nobody", "/3/0/4"),
                          ("firmware", "status", "nobody"), ("read", "nobody", "/3", "--wait", "1"),
                          ("create", "nobody", "/3303"), ("delete", "nobody", "/3303/1"), ("discover", "nobody", "/3"),
                          ("observe", "nobody", "/3"), ("observations", "nobody"), ("cancel", "nobody", "/3")):
            status, out, said = self.dunlin(*arguments)
            equal((status, out), (REFUSED, ""), str(arguments))
            check("No device of that name is registered" in said or arguments[0] == "cancel", said)

    @case("a device that does not answer ends with status 4")
    def silent_device(self):
        for arguments in (("read", "silent", "/3"), ("exec", "silent", "/3/0/4"), ("discover", "silent", "/3"),
                          ("observe", "silent", "/3")):
            status, out, said = self.dunlin(*arguments, "--timeout", "1")
            equal((status, out), (TIMEOUT, ""), f"{arguments}: {said}")

    @case("what the device refuses ends with status 1 and the CoAP code; with --json the problem is printed too")
    def refused(self):
        status, out, said = self.dunlin("read", NAME, "/33500/9")
        equal((status, out), (REFUSED, ""))
        check("CoAP 4.04" in said, said)
        status, out, said = self.dunlin("write", NAME, "/3/0/0", "x", "--json")
        equal((status, json.loads(out)["coapCode"]), (REFUSED, "4.05"))
        check("CoAP 4.05" in said, said)

    # ---- clients

    @case("clients: a table, a filter, a limit, and one JSON array")
    def clients(self):
        lines = rows(self.good("clients"))
        equal(lines[0].split("  ")[0].strip(), "ENDPOINT")
        equal(len(lines), 3, "lines")
        check(any(line.startswith(NAME) and " awake " in line and " 300 s " in line for line in lines), str(lines))
        # The columns begin where their titles do, although a name has a letter of two bytes.
        begins = lines[0].index("STATE")
        equal({line[begins:begins + 5] for line in lines[1:]} <= {"awake", "unrea"}, True, "the column of the state")
        equal(len(rows(self.good("clients", "--filter", "THERMO"))), 2, "filtered lines")
        equal(len(rows(self.good("clients", "--filter", "no such thing"))), 1, "filtered lines")
        equal(len(rows(self.good("clients", "--limit", "1"))), 2, "limited lines")
        equal(sorted(item["endpoint"] for item in json.loads(self.good("clients", "--json"))), ["silent", NAME])
        equal(json.loads(self.good("clients", "--json", "--filter", "nothing")), [])

    # ---- read, discover

    @case("read: a table for each level")
    def reads(self):
        equal(rows(self.good("read", NAME, "/33500/0/2")),
              ["PATH        NAME     VALUE                 UNIT", "/33500/0/2  Integer  -9223372036854775808"])
        table = rows(self.good("read", NAME, "33500/0/22"))
        equal([line.split() for line in table[1:]],
              [["/33500/0/22/0", "Integers", "1"], ["/33500/0/22/1", "Integers", "-70000"],
               ["/33500/0/22/65534", "Integers", "1099511627776"]])
        for path in ("/33500", "/33500/0"):
            text = self.good("read", NAME, path)
            check("/33500/0/3 " in text and "18446744073709551615" in text and "2026-01-02T03:04:05Z" in text, text)
        check("25.0" not in text and "21.5" in text, text)
        equal(rows(self.good("read", NAME, "/33500/0/22/1"))[1].split(), ["/33500/0/22/1", "-70000"])
        check(re.search(r"/3/0/9 .*Battery Level +\d+ +%", self.good("read", NAME, "/3/0")), "no unit")

    @case("read: --json is the server's answer, --format the format that is asked for")
    def reads_json(self):
        answer = json.loads(self.good("read", NAME, "/33500/0/3", "--json"))
        equal((answer["path"], answer["code"], answer["node"]["value"]), ("/33500/0/3", "2.05", 18446744073709551615))
        for name, number in (("tlv", 11542), ("senml-json", 110), ("text", 0)):
            answer = json.loads(self.good("read", NAME, "/33500/0/2", "--json", "--format", name))
            equal(answer["contentFormat"], number)
        equal(self.dunlin("read", NAME, "/33500/0/2", "--format", "nonsense")[0], REFUSED)

    @case("control characters in a device's text do not reach the terminal")
    def disarms(self):
        self.device.set("/33500/0/1", "string", "\x1b[31mred")
        check("?[31mred" in self.good("read", NAME, "/33500/0/1"), "the text")
        check("\x1b" not in self.good("read", NAME, "/33500"), "an escape character")
        equal(json.loads(self.good("read", NAME, "/33500/0/1", "--json"))["node"]["value"], "\x1b[31mred")
        self.device.set("/33500/0/1", "string", "text")

    @case("discover: a table with attributes, and JSON")
    def discovers(self):
        lines = [line.split() for line in rows(self.good("discover", NAME, "/33500/0"))]
        check(["/33500/0/22", "dim=3"] in lines and ["/33500/0/10"] in lines, str(lines))
        links = json.loads(self.good("discover", NAME, "/33500/0/22", "--json"))["links"]
        equal(links[0]["attributes"]["dim"], "3")

    @case("read: several paths in one request, as one table and as JSON")
    def reads_several(self):
        table = rows(self.good("read", NAME, "/33500/0/2", "/3/0/0", "/33500/0/22"))
        equal(sum(line.startswith("PATH ") for line in table), 1, "titles")
        equal({line.split()[0] for line in table[1:]},
              {"/33500/0/2", "/3/0/0", "/33500/0/22/0", "/33500/0/22/1", "/33500/0/22/65534"})
        answer = json.loads(self.good("read", NAME, "/33500/0/3", "/33500/0/99", "--json"))
        equal(answer["values"], {"/33500/0/3": 18446744073709551615})

    @case("read --all: a line for each device, those that fail told apart")
    def reads_all(self):
        equal([line.split()[-2:] for line in rows(self.good_to_stderr("read", "--all", "/3/0/0", "--match", "thermo"))], [["Dunlin", "Manufacturer"]])
        status, out, said = self.dunlin("read", "--all", "/3/0/0", "--timeout", "6", "--json")
        lines = {line["endpoint"]: line for line in map(json.loads, out.splitlines())}
        equal((status, set(lines)), (REFUSED, {NAME, "silent"}), said)
        equal(lines[NAME]["node"]["value"], "Dunlin")
        equal(lines["silent"]["problem"]["status"], 504)

    def good_to_stderr(self, *arguments):
        status, out, said = self.dunlin(*arguments)
        equal((status, said), (OK, "1 devices answered, 0 did not\n"), " ".join(arguments))
        return out

    @case("attributes: set, shown by discover, and taken away")
    def sets_attributes(self):
        equal(self.good("attributes", NAME, "/33500/0/4", "pmin=5", "pmax=60", "st=0.5", "gt=-3"), "set on /33500/0/4 (2.04)\n")
        link = json.loads(self.good("discover", NAME, "/33500/0/4", "--json"))["links"][0]["attributes"]
        equal({key: float(value) for key, value in link.items()}, {"pmin": 5, "pmax": 60, "st": 0.5, "gt": -3})
        self.good("attributes", NAME, "/33500/0/4", "st=", "gt=", "pmax=")
        equal(json.loads(self.good("discover", NAME, "/33500/0/4", "--json"))["links"][0]["attributes"], {"pmin": "5"})
        equal(self.dunlin("attributes", NAME, "/33500/0/1", "gt=1")[0], REFUSED, "a threshold of a text")
        self.good("attributes", NAME, "/33500/0/4", "pmin=")

    # ---- queued requests

    @case("--wait: an answer that comes in time is as without it, and the request can be looked up")
    def waits(self):
        plain = json.loads(self.good("read", NAME, "/33500/0/3", "--json"))
        queued = json.loads(self.good("read", NAME, "/33500/0/3", "--json", "--wait", "120"))
        equal({**queued, "receivedAt": 0}, {**plain, "receivedAt": 0})
        last = json.loads(self.good("requests", NAME, "--json"))[-1]
        equal([last[key] for key in ("operation", "path", "state", "code")], ["read", "/33500/0/3", "answered", "2.05"])
        text = self.good("request", last["id"])
        check("answered 2.05" in text and "18446744073709551615" in text, text)

    @case("--wait 0: the request waits, is listed, waited for, and taken back")
    def queues(self):
        said = self.good("exec", "silent", "/3/0/4", "--wait", "0", "--expires", "3600")
        number = re.search(r"queued as request (\d+) ", said).group(1)
        line = next(line for line in rows(self.good("requests")) if line.split()[0] == number)
        equal(line.split()[1:4], ["silent", "execute", "/3/0/4"])
        check("execute of /3/0/4 on silent: " in self.good("request", number, "--wait", "1"), "request")
        equal(self.good("cancel", number), f"request {number}: cancelled\n")
        equal(self.dunlin("cancel", number)[0], REFUSED, "cancelled twice")
        status, out, _ = self.dunlin("request", number, "--json")
        equal((status, json.loads(out)["state"]), (REFUSED, "cancelled"))
        equal(self.dunlin("request", "999999999")[0], REFUSED, "an unknown one")
        equal(json.loads(self.good("requests", "silent", "--limit", "1", "--json"))[0]["endpoint"], "silent")
        equal(self.dunlin("read", NAME, "/3", "--wait", "x")[0], REFUSED, "--wait x")

    # ---- packages and firmware

    @case("packages: added, listed, written, removed; firmware: pushed, pulled, reset")
    def updates_firmware(self):
        path = os.path.join(programs.WORK, "firmware.bin")
        with open(path, "wb") as file:
            file.write(b"version=7.1\n" + bytes(range(256)) * 40)
        identity = json.loads(self.good("packages", "add", path, "--name", "seven", "--json"))["id"]
        equal(rows(self.good("packages"))[1].split()[:3], [identity, "seven", "10252"])
        self.good("write", NAME, "/5/0/0", "--package", identity)
        equal(self.good("firmware", "status", NAME).strip().partition(", version")[0], f"{NAME}: downloaded, result: none yet")
        equal(self.good("firmware", "reset", NAME), f"{NAME}: idle\n")
        status, out, said = self.dunlin("firmware", "pull", NAME, identity)
        equal((status, out), (OK, f"{NAME}: downloaded, result: none yet\n"), said)
        self.good("firmware", "reset", NAME)
        status, out, said = self.dunlin("firmware", "push", NAME, path, "--update", "--json", timeout_s=120)
        equal((status, json.loads(out) if out else out), (OK, {"endpoint": NAME, "state": 0, "result": 1}), said)
        check("version: 7.1" in self.good("firmware", "status", NAME), "the version")
        self.good("packages", "rm", identity)
        equal(self.dunlin("packages", "rm", identity)[0], REFUSED, "removed twice")
        equal(self.dunlin("firmware", "push", NAME, "0" * 32)[0], REFUSED, "an unknown package")

    # ---- write, exec, create, delete

    @case("write: several resources of any instances, all or none")
    def writes_several(self):
        equal(self.good("write", NAME, "/33500/0/2=77", "/33500/0/1=a=b", "/3/0/14=+03:00"), "written 3 paths (2.04)\n")
        equal([self.device.get(path) for path in ("/33500/0/2", "/33500/0/1", "/3/0/14")], [77, "a=b", "+03:00"])
        equal(self.dunlin("write", NAME, "/33500/0/2=78", "/3/0/0=x")[0], REFUSED, "one that is read only")
        equal(self.device.get("/33500/0/2"), 77)

    @case("write: {1} to a resource of type {0}", [
        ("string", "a text", 1), ("integer", "-9223372036854775808", 2), ("unsigned", "18446744073709551615", 3),
        ("float", "1e-3", 4), ("boolean", "off", 5), ("opaque", "AAEC", 6), ("time", "2030-01-02T03:04:05Z", 7),
        ("objlnk", "3:0", 8), ("corelnk", "</3/0>", 9), ("string", "", 1), ("string", "5700=x", 1), ("integer", "-5", 2)])
    def writes(self, kind, text, rid):
        equal(self.good("write", NAME, f"/33500/0/{rid}", text), f"written /33500/0/{rid} (2.04)\n")
        wanted = {"1e-3": 0.001, "off": False}.get(text, int(text) if kind in ("integer", "unsigned") else text)
        equal(self.device.get(f"/33500/0/{rid}"), wanted)

    @case("write: what is no value of the type is refused before it is sent")
    def writes_wrong(self):
        for rid, text in ((2, "abc"), (5, "maybe"), (22, "5")):
            status, out, said = self.dunlin("write", NAME, f"/33500/0/{rid}", text)
            equal((status, out), (USAGE, ""), said)
            check(text in said, said)
        equal(self.dunlin("write", NAME, "/33500/0/2", "9223372036854775808")[0] in (REFUSED, USAGE), True, "too large")
        equal(self.dunlin("write", NAME, "/33500/0/8", "x:y")[0], REFUSED, "no link")

    @case("write: a multiple resource, one of its instances, an instance with --mode update and replace")
    def writes_many(self):
        self.good("write", NAME, "/33500/0/21", "0=a", "5=b=c")
        equal(self.device.get("/33500/0/21"), {0: "a", 5: "b=c"})
        self.good("write", NAME, "/33500/0/21/5", "B")
        equal(self.device.get("/33500/0/21"), {0: "a", 5: "B"})
        self.good("write", NAME, "/33500/0", "1=one", "2=7", "21/3=z", "--mode", "update")
        equal([self.device.get(f"/33500/0/{rid}") for rid in (1, 2, 8)], ["one", 7, "3:0"])
        equal(self.device.get("/33500/0/21"), {0: "a", 5: "B", 3: "z"})
        self.good("write", NAME, "/33500/0", "1=two", "2=8", "--mode=replace")
        equal([self.device.get(f"/33500/0/{rid}") for rid in (1, 2, 8)], ["two", 8, None])

    @case("write: --body as the REST API takes it, from the command line and from standard input, --type, --format, --json")
    def writes_bodies(self):
        self.good("write", NAME, "/33500/0/2", "--body", '{"value": 11}')
        equal(self.device.get("/33500/0/2"), 11)
        self.good("write", NAME, "/33500/0/3", "--body", "-", stdin='{"value": 12}')
        equal(self.device.get("/33500/0/3"), 12)
        answer = json.loads(self.good("write", NAME, "/33500/0/1", "7", "--type", "string", "--format", "tlv", "--json"))
        equal((answer["code"], self.device.get("/33500/0/1")), ("2.04", "7"))
        equal(self.dunlin("write", NAME, "/33500/0/2", "--body", '{"value": "x"}')[0], REFUSED)

    @case("exec: without and with arguments")
    def executes(self):
        for arguments in ([], ["0='on',1"]):
            since = self.device.mark()
            equal(self.good("exec", NAME, "/33500/0/10", *arguments), "executed /33500/0/10 (2.04)\n")
            equal(self.device.executed("/33500/0/10", since), "".join(arguments))
        equal(self.dunlin("exec", NAME, "/33500/0/10", "nonsense'")[0], REFUSED)
        equal(self.dunlin("exec", NAME, "/33500/0/1")[0], REFUSED)

    @case("create and delete: with and without a number, with values, with JSON")
    def creates(self):
        equal(self.good("create", NAME, "/33500", "1=new", "21/2=x", "--id", "3"), "created /33500/3 (2.01)\n")
        equal((self.device.get("/33500/3/1"), self.device.get("/33500/3/21")), ("new", {2: "x"}))
        equal(self.dunlin("create", NAME, "/33500", "--id", "3")[0], REFUSED, "a number that is taken")
        equal(self.good("delete", NAME, "/33500/3"), "deleted /33500/3 (2.02)\n")
        equal(self.dunlin("delete", NAME, "/33500/3")[0], REFUSED, "a number that is gone")
        path = json.loads(self.good("create", NAME, "/33500", "--body", '{"resources":[{"id":1,"value":"b"}]}', "--json"))["path"]
        check(re.fullmatch(r"/33500/[1-9]\d*", path), path)
        equal(json.loads(self.good("delete", NAME, path, "--json"))["code"], "2.02")

    # ---- observe, events

    def stream(self, name, *arguments):
        """A run of dunlin in the background whose lines are waited for."""
        return self.programs.start(name, [DUNLIN, *arguments], env={**os.environ, "DUNLIN_SERVER": self.url})

    @case("observe: prints the first value and each change, as lines and as JSON; Ctrl-C ends it and the observation")
    def observes(self):
        self.device.set("/33500/0/4", "float", 1.0)
        for name, options in (("observe", []), ("observe-json", ["--json"])):
            watching = self.stream(name, "observe", NAME, "/33500/0/4", *options)
            wait_until("the first value", lambda: len(watching.text().splitlines()) > 1)
            equal(self.observed(), ["/33500/0/4"], "observations")
            for count, value in ((3, 2.5), (4, 3.5)):  # lines; a number alone could be a part of a time
                self.device.set("/33500/0/4", "float", value)
                wait_until(f"the value {value}", lambda count=count: len(watching.text().splitlines()) >= count)
            watching.process.send_signal(signal.SIGINT)
            equal(watching.process.wait(60), OK, "exit status")
            equal(self.observed(), [], "observations")
            lines = watching.text().splitlines()[1:]
            equal(len(lines), 3, "lines")
            if options:
                equal([json.loads(line)["node"]["value"] for line in lines], [1, 2.5, 3.5])
            else:
                check(all(NAME in line and "/33500/0/4" in line and "Float" in line for line in lines), str(lines))
            self.device.set("/33500/0/4", "float", 1.0)

    def observed(self):
        return [item["path"] for item in self.server.rest.want(
            200, "GET", self.server.rest.device(NAME, "/observations"))["observations"]]

    @case("observe --count and --keep; observations; cancel")
    def keeps(self):
        watching = self.stream("keep", "observe", NAME, "/33500/0/2", "--count", "1", "--keep", "--format", "tlv")
        wait_until("the observation", lambda: self.observed() == ["/33500/0/2"])
        wait_until("the first value", lambda: watching.text().count("\n") >= 2)
        self.device.set("/33500/0/2", "integer", 4711)
        equal(watching.process.wait(60), OK, "exit status")
        equal(self.observed(), ["/33500/0/2"], "kept")
        lines = rows(self.good("observations", NAME))
        equal(lines[0].split("  ")[0], "PATH")
        check(lines[1].startswith("/33500/0/2  active"), str(lines))
        item = json.loads(self.good("observations", NAME, "--json"))["observations"][0]
        equal((item["path"], item["contentFormat"], item["last"]["node"]["value"]), ("/33500/0/2", 11542, 4711))
        # One that was there before stays when the command ends.
        again = self.stream("again", "observe", NAME, "/33500/0/2")
        wait_until("the first value", lambda: again.text().count("\n") >= 2)
        again.process.send_signal(signal.SIGINT)
        equal(again.process.wait(60), OK, "exit status")
        equal(self.good("cancel", NAME, "/33500/0/2"), "no longer observed: /33500/0/2\n")
        equal(self.dunlin("cancel", NAME, "/33500/0/2")[0], REFUSED, "a second time")
        equal(rows(self.good("observations", NAME)), [lines[0].split("  ")[0] + "  STATE  SINCE  LAST RECEIVED"])

    @case("events: live and from the past, of one device, of some types, as lines and as JSON")
    def events(self):
        before = self.server.rest.metrics()["dunlin_event_streams_total"]
        watching = self.stream("events", "events", "--ep", "comer", "--count", "2")
        typed = self.stream("events-json", "events", "--type", "deregistered", "--json", "--count", "1")
        wait_until("two streams", lambda: self.server.rest.metrics()["dunlin_event_streams_total"] >= before + 2)
        comer = register(self.server.coap, "comer")
        client = self.server.rest.client("comer")
        comer.send(flood.message(flood.CON, 4, next(MESSAGE_IDS), b"", flood.path("rd", client["registrationId"])))
        equal((watching.process.wait(60), typed.process.wait(60)), (OK, OK), "exit status")
        comer.close()
        lines = watching.text().splitlines()[1:]
        equal([line.split("  ")[1:3] for line in lines], [["comer", "registered"], ["comer", "deregistered"]])
        event = json.loads(typed.text().splitlines()[1])
        equal((event["type"], event["endpoint"]), ("deregistered", "comer"))
        past = [json.loads(line) for line in
                self.good("events", "--since", str(event["id"] - 1), "--count", "1", "--json").splitlines()]
        equal(past, [event])
        equal(self.dunlin("events", "--type", "nonsense")[0], REFUSED)

    @case("events: a stream that broke is taken up again when the server is back")
    def events_end(self):
        other = self.programs.dunlind(name="other", **lasting_addresses())
        watching = self.programs.start("events-end", [DUNLIN, "events", "--server", other.url])
        wait_until("the stream", lambda: other.rest.metrics()["dunlin_event_streams"] >= 1)
        again = other.stop() == 0 and self.programs.dunlind(name="other", data=other.data, coap=other.coap, http=other.http)
        wait_until("the stream is taken up again", lambda: again.rest.metrics()["dunlin_event_streams"] >= 1)
        register(again.coap, "later").close()
        wait_until("the event", lambda: "later" in watching.text().partition("\n")[2])
        watching.process.send_signal(signal.SIGINT)
        equal(watching.process.wait(60), OK, "exit status")

    # ---- models

    @case("models: the list, one object, one version, JSON")
    def models(self):
        lines = rows(self.good("models"))
        equal(lines[0].split(), ["ID", "VERSION", "NAME", "INSTANCES", "URN"])
        check(any(line.split()[:3] == ["3303", "1.1", "Temperature"] for line in lines), "no 3303 in version 1.1")
        table = rows(self.good("models", "33500"))
        equal(table[0], "Interop Types (urn:oma:lwm2m:x:33500)")
        check([line.split() for line in table if line.split()[:2] == ["22", "Integers"]] ==
              [["22", "Integers", "RW", "integer", "multiple", "optional"]], str(table))
        equal(json.loads(self.good("models", "3", "--version", "1.0", "--json"))["version"], "1.0")
        check(len(json.loads(self.good("models", "--json"))["models"]) > 50, "few models")
        equal(self.dunlin("models", "40000")[0], REFUSED)

    @case("models --add: a definition is sent, kept and used; a bad one is refused with its line")
    def adds_model(self):
        path = os.path.join(self.server.data, "33999.xml")
        with open(os.path.join(toolchain.MODELS, "33500.xml"), encoding="utf-8") as file:
            text = file.read().replace("33500", "33999").replace("Interop Types", "Added Types")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        check("33999" in self.good("models", "--add", path), "the answer")
        check("Added Types" in self.good("models", "33999"), "the list")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("</Resources>", "</Resource>"))
        status, out, said = self.dunlin("models", "--add", path)
        equal((status, out), (REFUSED, ""))
        check("line " in said, said)

    @case("bash completes the names of devices")
    def completes_names(self):
        plain = register(self.server.coap, "urn:dev:ops:9-plain")
        script = run("completion", "bash")[1]
        equal(complete(script, "dunlin read sil", self.url), {"silent"})
        # bash cuts words at colons: only what is behind the last one is offered.
        equal(complete(script, "dunlin read urn:dev:ops:9", self.url), {"9-plain"})
        plain.close()


class Pages(Suite):
    """A fleet of more than one page."""

    name = "cli-pages"

    def set_up(self):
        self.server = self.programs.dunlind()
        for number in range(MANY):
            register(self.server.coap, f"device-{number:04}").close()

    @case("clients --json is one array of all {0} devices", [MANY])
    def all(self, count):
        status, out, said = run("clients", "--json", server=self.server.url)
        equal((status, said), (OK, ""))
        equal(sorted(item["endpoint"] for item in json.loads(out)), [f"device-{number:04}" for number in range(count)])
        equal(len(rows(run("clients", server=self.server.url)[1])), count + 1, "lines of the table")
        equal(len(json.loads(run("clients", "--json", "--limit", "1001", server=self.server.url)[1])), 1001, "limited")
        equal(len(json.loads(run("clients", "--json", "--filter", "-00", server=self.server.url)[1])), 100, "filtered")


def register(address, name):
    """The socket of a device that registers and then says nothing."""
    host, _, port = address.rpartition(":")
    made = flood.make_socket()
    made.connect((host, int(port)))
    made.settimeout(2)
    # A port may come again soon: a message id that was used on it would make this a duplicate.
    message = flood.message(flood.CON, 2, next(MESSAGE_IDS), b"\x01", flood.path("rd") + flood.query(
        "ep=" + name, "lt=3600", "lwm2m=1.1") + [(flood.CONTENT_FORMAT, b"\x28")], b"</3/0>")
    for _ in range(20):
        made.send(message)
        try:
            equal(made.recv(2000)[1], 65, "code of the answer to the register")
            return made
        except TimeoutError:
            pass
    raise AssertionError("the server does not answer a register")


def main():
    shutil.rmtree(programs.LOGS, ignore_errors=True)
    os.makedirs(programs.LOGS)
    pattern = f"*{sys.argv[1]}*" if len(sys.argv) > 1 else "*"
    return Runner([Help, Tool, Pages, Credentials, Bootstrap], os.path.join(programs.WORK, "junit.xml"), pattern).run()


if __name__ == "__main__":
    sys.exit(main())
