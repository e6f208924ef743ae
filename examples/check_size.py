#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hold the promise that an Object with three resources takes fewer than 40 lines of application code.

Usage: check_size.py FILE

Counts the lines between the marks [object and object] that are neither empty nor only a comment.
"""
import re
import sys

LINES_MAX = 39


def main(argv):
    with open(argv[1], encoding="utf-8") as file:
        text = file.read()
    marked = re.search(r"/\* \[object \*/\n(.*)/\* object\] \*/", text, re.S)
    if not marked:
        print(f"{argv[1]}: the marks [object and object] are missing")
        return 1
    code = re.sub(r"/\*.*?\*/", "", marked.group(1), flags=re.S)
    lines = [line for line in code.split("\n") if line.strip()]
    resources = len(re.findall(r"^\s*\{DUNLIN_", code, re.M))
    print(f"{argv[1]}: an Object of {resources} resources in {len(lines)} lines (at most {LINES_MAX})")
    return 0 if resources >= 3 and len(lines) <= LINES_MAX else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
