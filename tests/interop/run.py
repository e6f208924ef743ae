# SPDX-License-Identifier: Apache-2.0
"""Runs the interop suites. Usage: run.py [--list] [PATTERN], where PATTERN matches "suite: title" (with *).

Without a PATTERN some suites run beside all others, in processes of their own (LANES). The last lines name the cases that failed.
"""

import importlib
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))

from support import programs  # noqa: E402
from support.harness import Runner, show_failed  # noqa: E402

import toolchain  # noqa: E402

MODULES = ["test_leshan", "test_leshan_queue", "test_aiocoap_composites", "test_aiocoap_device", "test_aiocoap_server",
           "test_aiocoap_engine", "test_libcoap", "test_leshan_secure", "test_openssl", "test_libcoap_secure", "test_aiocoap_streams", "test_leshan_bootstrap", "test_flood", "test_flood_secure", "test_ets"]

# Suites that mostly wait, or that are not to wait for others: each of these runs in a process of its own beside the rest.
LANES = [["ets-leshan"],
         [f"leshan-{mode}-on-dunlind" for mode in ("psk", "rpk", "x509")] + [f"dunlin-{mode}-on-leshan" for mode in ("psk", "rpk", "x509")]
         + ["leshan-credentials-on-dunlind", "dunlin-credentials-on-leshan"],
         ["leshan-bootstrapped-by-dunlind", "dunlin-bootstrapped-by-leshan"],
         ["openssl-on-dunlind", "dunlin-on-openssl", "libcoap-secure-on-dunlind", "dunlin-on-libcoap-secure", "aiocoap-streams-on-dunlind",
          "dunlin-streams-on-aiocoap"]]
IN_LANE = "DUNLIN_INTEROP_LANE"


class Lane:
    """A run of some suites with logs of its own, whose output is shown when it has ended."""

    def __init__(self, suites):
        self.name = suites[0]
        logs = os.path.join(programs.WORK, "logs-" + self.name)
        shutil.rmtree(logs, ignore_errors=True)
        os.makedirs(logs)
        self.output = os.path.join(programs.WORK, self.name + ".txt")
        with open(self.output, "wb") as file:
            self.process = subprocess.Popen([sys.executable, "-u", os.path.realpath(__file__), *suites], stdin=subprocess.DEVNULL,
                                            stdout=file, stderr=subprocess.STDOUT,
                                            env={**os.environ, "DUNLIN_INTEROP_LOGS": logs, IN_LANE: self.name})

    def wait(self):
        """The cases that failed, with what was said."""
        status = self.process.wait()
        with open(self.output, encoding="utf-8", errors="replace") as file:
            sys.stdout.write(file.read())
        try:
            tree = ET.parse(junit_path(self.name))
        except (OSError, ET.ParseError):
            return [(self.name, f"ended with status {status} before its end")]
        failed = [(f"{item.get('classname')}: {item.get('name')}", item.findtext("failure") or "")
                  for item in tree.iter("testcase") if item.find("failure") is not None]
        return failed or ([(self.name, f"ended with status {status}")] if status != 0 else [])


def junit_path(lane):
    return os.path.join(programs.WORK, f"junit-{lane}.xml" if lane else "junit.xml")


def run_lane(name, suites, wanted):
    """One process of several: the suites named."""
    return Runner([suite for suite in suites if suite.name in wanted], junit_path(name)).run()


def main():
    arguments = sys.argv[1:]
    suites = [suite for name in MODULES for suite in importlib.import_module(name).SUITES]
    if arguments == ["--list"]:
        for suite in suites:
            for title, _, _ in suite.cases():
                print(f"{suite.name}: {title}")
        return 0
    if IN_LANE in os.environ:
        return run_lane(os.environ[IN_LANE], suites, arguments)
    shutil.rmtree(programs.LOGS, ignore_errors=True)
    os.makedirs(programs.LOGS)
    toolchain.build_leshan()
    for name in [None] + [lane[0] for lane in LANES]:
        if os.path.exists(junit_path(name)):
            os.remove(junit_path(name))
    lanes = [] if arguments else [Lane(lane) for lane in LANES]
    apart = [name for lane in LANES for name in lane] if lanes else []
    runner = Runner([suite for suite in suites if suite.name not in apart], junit_path(None),
                    f"*{arguments[0]}*" if arguments else "*")
    status = runner.run()
    failed = runner.failed_cases()
    for lane in lanes:
        failed += lane.wait()
    if lanes:
        print(f"{len(failed)} cases failed in all" if failed else "no case failed", flush=True)
        show_failed(failed)
    return 1 if failed else status


if __name__ == "__main__":
    sys.exit(main())
