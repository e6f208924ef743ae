#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check the rules of form that no compiler checks.

Usage: check_style.py [ROOT]

For C files in src, include, apps, tests, fuzz, bench, examples and tools:
- a file has at most 800 lines, no tab, no trailing space, ends with a line break, and starts
  with an SPDX line;
- a function has at most 80 lines, counted from its opening to its closing brace;
- outside src/port there are at most 3 conditional compilations per 1,000 lines of code
  (include guards and feature files' own single guard do not count; a file gets 1 for free);
- a header has an include guard or #pragma once, and no function-like macro holds goto or return.
Exit status: 0 clean, 1 findings.
"""
import pathlib
import re
import sys

FOLDERS = ("src", "include", "apps", "tests", "fuzz", "bench", "examples", "tools")
SKIP = {"node_modules", "build", "corpus", "dist", ".venv"}
FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 80
CONDITIONALS_PER_1000 = 3
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */"
CONDITION = re.compile(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)\b(.*)$")
GUARD_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]*$")


def check_text(lines):
    if not lines or not lines[0].startswith(SPDX):
        yield 1, f"first line is not \"{SPDX}\""
    if len(lines) > FILE_LINES_MAX:
        yield len(lines), f"{len(lines)} lines, more than {FILE_LINES_MAX}"
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield number, "tab"
        if line != line.rstrip():
            yield number, "trailing space"


def check_functions(lines):
    """clang-format puts a function's braces in the first column, each on its own line."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            length = number - start + 1
            if length > FUNCTION_LINES_MAX:
                yield start, f"function of {length} lines, more than {FUNCTION_LINES_MAX}"
            start = None


def is_guard(lines, index, expression):
    following = lines[index + 1] if index + 1 < len(lines) else ""
    match = GUARD_DEFINE.match(following)
    return bool(match) and match.group(1) == expression.strip()


def conditionals(lines):
    count = 0
    for index, line in enumerate(lines):
        match = CONDITION.match(line)
        if not match or "__cplusplus" in match.group(2):
            continue
        if match.group(1) == "ifndef" and is_guard(lines, index, match.group(2)):
            continue
        count += 1
    return count


def check_conditionals(rel, lines):
    if rel.startswith("src/port/"):
        return
    allowed = 1 + CONDITIONALS_PER_1000 * len(lines) // 1000
    count = conditionals(lines)
    if count > allowed:
        yield 1, f"{count} conditional compilations, more than {allowed} for {len(lines)} lines"


def check_header(rel, lines):
    if not rel.endswith(".h"):
        return
    guarded = any("#pragma once" in line for line in lines) or any(
        line.startswith("#ifndef") and is_guard(lines, i, line[len("#ifndef"):]) for i, line in enumerate(lines))
    if not guarded:
        yield 1, "header without include guard"


def check_macros(lines):
    inside = None
    for number, line in enumerate(lines, 1):
        if inside is None and re.match(r"^[ \t]*#[ \t]*define[ \t]+\w+\(", line):
            inside = number
        if inside is not None:
            if re.search(r"\b(goto|return)\b", line):
                yield number, "macro that hides control flow"
            if not line.endswith("\\"):
                inside = None


def check_file(root, path):
    rel = path.relative_to(root).as_posix()
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    else:
        yield f"{rel}:{len(lines)}: no line break at the end"
    for source in (check_text(lines), check_functions(lines), check_conditionals(rel, lines),
                   check_header(rel, lines), check_macros(lines)):
        for number, finding in source:
            yield f"{rel}:{number}: {finding}"


def check_tree(root):
    findings = []
    for top in FOLDERS:
        for path in sorted((root / top).rglob("*.[ch]")):
            if not SKIP.intersection(path.relative_to(root).parts):
                findings.extend(check_file(root, path))
    return findings


def main(argv):
    root = pathlib.Path(argv[1] if len(argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    findings = check_tree(root)
    for finding in findings:
        print(finding)
    print(f"check_style: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
