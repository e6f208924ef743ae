#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names the tests that failed in files of JUnit XML, each with the end of what was said: for the last lines of a long output.

Usage: failed_tests.py FILE...     Files that are not there are passed over. The exit status is always 0.
"""

import re
import sys
import xml.etree.ElementTree as ET

TESTS_MAX = 12     # with what they said; of more only the names
LINES_MAX = 8      # half of them the first, half the last
COLUMNS_MAX = 300
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# What says why, in the outputs of cmocka, unittest, the interop harness, vitest, Playwright and the sanitizers.
TELLING = re.compile(r"error|fail|expected|received|wanted|not within|sanitizer|assert|timed? ?out|locator", re.IGNORECASE)


def lines_of(case, problem):
    """What tells most of the outputs of a test that failed."""
    texts = [problem.get("message") or "", problem.text or ""] + [case.findtext(tag) or "" for tag in ("system-out", "system-err")]
    lines = [COLOURS.sub("", line).strip()[:COLUMNS_MAX] for text in texts for line in text.splitlines()]
    lines = list(dict.fromkeys(line for line in lines if line and line != "Failed"))
    telling = [line for line in lines if TELLING.search(line)] or lines
    return telling if len(telling) <= LINES_MAX else telling[:LINES_MAX // 2] + telling[-LINES_MAX // 2:]


def failed(path):
    try:
        root = ET.parse(path).getroot()
    except (OSError, ET.ParseError):
        return
    for case in root.iter("testcase"):
        problem = next((case.find(tag) for tag in ("failure", "error") if case.find(tag) is not None), None)
        if problem is not None:
            group = case.get("classname") or ""
            name = case.get("name") or ""
            said = lines_of(case, problem) or [f"it said nothing, in {float(case.get('time') or 0):.0f} s"]
            yield (name if group in ("", name) else f"{group}: {name}"), said


def main():
    found = [one for path in sys.argv[1:] for one in failed(path)]
    for number, (name, lines) in enumerate(found):
        print(f"FAILED  {name}")
        for line in lines if number < TESTS_MAX else []:
            print(f"        {line}")


if __name__ == "__main__":
    main()
