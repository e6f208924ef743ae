# SPDX-License-Identifier: Apache-2.0
"""Runs the interop suites. Usage: run.py [--list] [PATTERN], where PATTERN matches "suite: title" (with *)."""

import importlib
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))

from support import programs  # noqa: E402
from support.harness import Runner  # noqa: E402

import toolchain  # noqa: E402

MODULES = ["test_leshan", "test_leshan_queue", "test_aiocoap_composites", "test_aiocoap_device", "test_aiocoap_server", "test_aiocoap_engine", "test_libcoap", "test_flood", "test_ets"]


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
    toolchain.build_leshan()
    pattern = f"*{arguments[0]}*" if arguments else "*"
    return Runner(suites, os.path.join(programs.WORK, "junit.xml"), pattern).run()


if __name__ == "__main__":
    sys.exit(main())
