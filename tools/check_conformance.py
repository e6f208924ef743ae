#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check docs/CONFORMANCE.md: every requirement has a row, and every test that a row names exists.

A row is "| Id | What is asked | Who | State | Proof |". State is yes, part, no, or n/a. Proof names tests, each in
backticks: `tests/client/access_test.c:function`, `tests/api/test_queue.py:function`, `ets:int-201`. A row that says
yes or part names at least one; one that says part or no says in the second column what is missing.

Usage: tools/check_conformance.py [--list ID]
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "CONFORMANCE.md"
STATES = ("yes", "part", "no", "n/a")

# The requirements there are, so that none is forgotten: a prefix and its numbers.
RULES = {
    "G": [(1, 11)],  # general, versions
    "ID": [(1, 8)],  # identifiers
    "V": [(1, 4)],  # object versions
    "DT": [(1, 4)],  # data types
    "A": [(1, 8)],  # attributes
    "B": [(1, 7), (10, 18), (20, 27)],  # bootstrap
    "R": [(1, 16)],  # registration
    "O": [(1, 8)],  # order of servers, tries
    "Q": [(1, 7)],  # bindings, triggers, queue mode
    "D": [(1, 7), (10, 17), (20, 22), (30, 35), (40, 41), (50, 52)],  # device management
    "N": [(1, 7), (10, 15), (20, 20), (30, 32)],  # information reporting
    "AC": [(1, 9)],  # access control
    "CO": [(1, 6)],  # CoAP
    "F": [(1, 2)],  # formats
    "S": [(1, 10)],  # SenML
    "SEC": [(1, 11)],  # security
    "RC": [(1, 14)],  # response codes
    "FW": [(1, 6)],  # firmware update
    "SEC-C": [(1, 9)],  # the conformance tables of the transport binding, client
    "MEC-C": [(1, 3)],
    "OBJ-C": [(1, 9)],
    "SEC-S": [(2, 6)],  # server
}


def expected():
    for prefix, ranges in RULES.items():
        for first, last in ranges:
            for number in range(first, last + 1):
                yield f"{prefix}{'-' if '-' in prefix else ''}{number}"


def rows(text):
    """The requirement rows with their line numbers."""
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and re.fullmatch(r"[A-Z][A-Z-]*-?[0-9]+", cells[0]):
            yield number, cells


def ets_cases(root):
    cases = set()
    for path in sorted((root / "src" / "ets").glob("*.c")):
        cases.update(re.findall(r"\bint-[0-9]+\b", path.read_text(encoding="utf-8")))
    return cases


def test_exists(root, proof, cases):
    place, _, name = proof.rpartition(":")
    if place == "ets":
        return name in cases
    path = root / place
    if not place or not path.is_file():
        return False
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".c":
        defined = re.search(rf"^static void {re.escape(name)}\(void \*\*", text, re.MULTILINE) is not None
        return defined and len(re.findall(rf"\b{re.escape(name)}\b", text)) > 1
    patterns = {
        ".py": rf"^\s*def {re.escape(name)}\(",
        ".ts": rf"test\(\s*['\"`]{re.escape(name)}",
    }
    pattern = patterns.get(path.suffix)
    return pattern is not None and re.search(pattern, text, re.MULTILINE) is not None


def check(text, root=ROOT, known=None):
    """What is wrong with the document; `known` are the requirements there are."""
    findings = []
    seen = set()
    cases = ets_cases(root)
    known = list(expected()) if known is None else known
    for line, (name, what, who, state, proof) in rows(text):
        proofs = re.findall(r"`([^`]+)`", proof)
        where = f"{DOCUMENT.relative_to(ROOT)}:{line}: {name}"
        if name in seen:
            findings.append(f"{where} stands twice")
        if name not in known:
            findings.append(f"{where} is no requirement that tools/check_conformance.py knows")
        seen.add(name)
        if not what or not who:
            findings.append(f"{where} says not what is asked, or of whom")
        if state not in STATES:
            findings.append(f"{where} has the state '{state}', not one of {', '.join(STATES)}")
        if state in ("yes", "part") and not proofs:
            findings.append(f"{where} names no test")
        findings += [f"{where} names '{one}', which does not exist" for one in proofs if not test_exists(root, one, cases)]
    findings += [f"{DOCUMENT.relative_to(ROOT)}: {name} is missing" for name in known if name not in seen]
    return findings


def main():
    text = DOCUMENT.read_text(encoding="utf-8")
    if len(sys.argv) == 3 and sys.argv[1] == "--list":
        found = [cells for _, cells in rows(text) if cells[0] == sys.argv[2]]
        print("\n".join(" | ".join(cells) for cells in found) or f"no row {sys.argv[2]}")
        return 0 if found else 1
    if len(sys.argv) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    findings = check(text)
    for finding in findings:
        print(finding)
    print(f"check_conformance: {len(list(rows(text)))} requirements, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
