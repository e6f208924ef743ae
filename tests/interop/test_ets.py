# SPDX-License-Identifier: Apache-2.0
"""The OMA test cases against Leshan: `dunlin ets client` with its device, `dunlin ets server` with its server.

Each case takes the time that its procedure needs, so the cases run in parts side by side, each with a peer of its own. Verdicts
other than a pass are listed in ets_expected.json; docs/CONFORMANCE.md says whose they are, and why.
"""

import json
import os
import re
import shlex
import xml.etree.ElementTree as ET

import toolchain
from security import pki as material
from security.credentials import PSK, X509, Credential
from support.harness import Suite, case, check, equal
from support.programs import BIN, LOGS, WORK, Program, wait_until

# No part takes more than two and a half minutes, which is what int-109 takes alone.
PARTS = ["int-10[1-8],int-11?", "int-109", "int-2??", "int-301,int-304", "int-302", "int-303,int-305", "int-30[67],int-31*", "int-30[89]",
         "int-[5-9]??", "int-????"]
# Over DTLS, with Leshan's device: by the credential that it has.
SECURED = {"int-401": PSK, "int-402": X509}
RUNS = [(kind, part) for kind in ("server", "client") for part in PARTS] + [("client", part) for part in SECURED]
PART_TIMEOUT_S = 1200
AGAIN = 3  # times that a case is tried again
EXPECTED = os.path.join(os.path.dirname(os.path.realpath(__file__)), "ets_expected.json")


def verdicts(path):
    """{number: "pass", or the verdict and what was said} of a JUnit file."""
    out = {}
    for one in ET.parse(path).getroot().iter("testcase"):
        number = re.search(r"int-\d+", one.get("name")).group(0)
        child = next((c for c in one if c.tag in ("failure", "skipped")), None)
        said = "" if child is None else child.get("message")
        out[number] = "pass" if child is None else ("fail: " if child.tag == "failure" else "") + said
    return out


class EtsWithLeshan(Suite):
    """The OMA test cases with Leshan's server, our client library being the device, and with Leshan's device and our server."""

    name = "ets-leshan"

    # What configuration C.6 has and Leshan's device can have.
    VALUES = [("/3/0/0", "string", "Leshan"), ("/3/0/1", "string", "M15"), ("/3/0/2", "string", "serial-1"),
              ("/3/0/3", "string", "1.0"), ("/3/0/6", "integer", {0: 1, 1: 5}), ("/3/0/7", "integer", {0: 3800, 1: 5000}),
              ("/3/0/8", "integer", {0: 125, 1: 900}), ("/3/0/9", "integer", 100), ("/3/0/11", "integer", {0: 0}),
              ("/3/0/13", "time", "2026-11-22T00:00:00Z"), ("/3/0/14", "string", "+01:00"),
              ("/3/0/15", "string", "Europe/Vienna"), ("/3/0/16", "string", "U")]

    def set_up(self):
        """All parts of both are started at once; a case waits for its own."""
        with open(EXPECTED, encoding="utf-8") as file:
            self.expected = json.load(file)
        self.pki = material.make(os.path.join(WORK, "pki-" + self.name), ["leshan-secured"], bad=False)
        self.runs = {(kind, part): self.start(kind, RUNS.index((kind, part)), part) for kind, part in RUNS}

    def tear_down(self):
        for run in self.runs.values():
            run.stop()

    @staticmethod
    def report(kind, name, suffix):
        return os.path.join(LOGS, f"ets-{kind}-{name}.{suffix}")

    def run(self, kind, name, part, *arguments):
        return Program(f"ets-{kind}-{name}", [
            os.path.join(BIN, "dunlin"), "ets", kind, "--case", part, "--junit", self.report(kind, name, "xml"),
            "--html", self.report(kind, name, "html"), *arguments])

    def start(self, kind, name, part):
        return (self.start_server if kind == "server" else self.start_client)(name, part)

    def start_server(self, name, part):
        command = shlex.join(toolchain.leshan("Server"))
        return self.run("server", name, part, "--operator", f"exec:{command} 2>/dev/null", "--endpoint", f"ets-{name}")

    def start_client(self, name, part):
        endpoint, ours, theirs = f"leshan-{name}", ["--listen", "127.0.0.1:0"], []
        if part in SECURED:
            endpoint = "leshan-secured"
            own = Credential(self.pki, SECURED[part], endpoint)
            theirs = own.leshan_device()
            ours = ["--listen", "coaps://127.0.0.1:0", "--cert", self.pki.path("server", "chain"), "--key", self.pki.path("server", "key"),
                    "--trust", self.pki.path("client-cas"), "--psk", f"{own.identity}:{own.key}"]
        run = self.run("client", name, part, *ours, "--wait", str(toolchain.START_TIMEOUT_S))
        uri = wait_until("the port is told", lambda: re.search(r"device at (coaps?://\S+)", run.text()))
        device = self.programs.peer(f"ets-device-{name}", toolchain.leshan(
            "Device", "--endpoint", endpoint, "--server", uri.group(1), "--lifetime", "300", *theirs))
        device.event("ready", timeout_s=toolchain.START_TIMEOUT_S)
        for path, kind, value in self.VALUES:
            node = {"type": kind}
            if isinstance(value, dict):
                node["values"] = [{"id": key, "value": item} for key, item in value.items()]
            else:
                node["value"] = value
            check("error" not in device.ask("set", path=path, node=node), f"set {path}")
        device.ask("start")
        return run

    @case("the verdicts on Leshan's {0} of {1} are those that are explained",
RUNS, timeout_s=PART_TIMEOUT_S)
    def verdicts_are_known(self, kind, part):
        wrong = self.wrong(kind, RUNS.index((kind, part)), self.runs[kind, part])
        # The procedures measure seconds on the clock of a machine that does much besides. What is wrong because that stood
        # still is not wrong each time.
        for number, tries in [(number, tries) for number in wrong for tries in range(AGAIN)]:
            if number not in wrong:
                continue
            print(f"        {kind} {number}: {wrong.pop(number)}; once more, alone", flush=True)
            again = self.start(kind, f"again-{number}-{tries}", number)
            try:
                wrong.update(self.wrong(kind, f"again-{number}-{tries}", again))
            finally:
                again.stop()
        equal(wrong, {}, "verdicts")

    def wrong(self, kind, name, run):
        """The verdicts that are not as expected, by number, of a run that is awaited."""
        status = run.process.wait(PART_TIMEOUT_S)
        check(status in (0, 1), f"it ended with {status}:\n" + "\n".join(run.tail()))
        found = verdicts(self.report(kind, name, "xml"))
        check(found, "no case:\n" + "\n".join(run.tail()))
        equal(status, 1 if any(v.startswith("fail") for v in found.values()) else 0, "exit status")
        wanted = {number: self.expected[kind].get(number, "pass") for number in found}
        return {number: f"{verdict}, and not: {wanted[number]}" for number, verdict in found.items()
                if not verdict.startswith(wanted[number])}


SUITES = [EtsWithLeshan]
