# SPDX-License-Identifier: Apache-2.0
"""Runs the interop suites. Usage: run.py [--list] [PATTERN], where PATTERN matches "suite: title" (with *).

Without a PATTERN the OMA test cases, which mostly wait, run beside all others in a process of their own.
"""

import importlib
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))

from support import programs  # noqa: E402
from support.harness import Runner  # noqa: E402

import toolchain  # noqa: E402

MODULES = ["test_leshan", "test_leshan_queue", "test_aiocoap_composites", "test_aiocoap_device", "test_aiocoap_server", "test_aiocoap_engine", "test_libcoap", "test_flood", "test_ets"]


BESIDE = "ets-leshan"


class Beside:
    """A run of the suite BESIDE with logs of its own, whose output is shown when it has ended."""

    def __init__(self):
        logs = os.path.join(programs.WORK, "logs-" + BESIDE)
        os.makedirs(logs, exist_ok=True)
        self.output = os.path.join(programs.WORK, BESIDE + ".txt")
        with open(self.output, "wb") as file:
            self.process = subprocess.Popen([sys.executable, "-u", os.path.realpath(__file__), BESIDE], stdin=subprocess.DEVNULL,
                                            stdout=file, stderr=subprocess.STDOUT,
                                            env={**os.environ, "DUNLIN_INTEROP_LOGS": logs, "DUNLIN_INTEROP_BUILT": "1"})

    def wait(self):
        status = self.process.wait()
        with open(self.output, encoding="utf-8", errors="replace") as file:
            sys.stdout.write(file.read())
        return status


def main():
    arguments = sys.argv[1:]
    suites = [suite for name in MODULES for suite in importlib.import_module(name).SUITES]
    if arguments == ["--list"]:
        for suite in suites:
            for title, _, _ in suite.cases():
                print(f"{suite.name}: {title}")
        return 0
    shutil.rmtree(programs.LOGS, ignore_errors=True)
    os.makedirs(programs.LOGS)
    if "DUNLIN_INTEROP_BUILT" not in os.environ:
        toolchain.build_leshan()
    beside = None if arguments else Beside()
    if beside is not None:
        suites = [suite for suite in suites if suite.name != BESIDE]
    pattern = f"*{arguments[0]}*" if arguments else "*"
    junit = f"junit-{BESIDE}.xml" if "DUNLIN_INTEROP_BUILT" in os.environ else "junit.xml"
    status = Runner(suites, os.path.join(programs.WORK, junit), pattern).run()
    return max(status, beside.wait()) if beside is not None else status


if __name__ == "__main__":
    sys.exit(main())
