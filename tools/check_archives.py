#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check what built archives hold: no mutable data, and only names of the project.

Usage: check_archives.py [--nm NM] ARCHIVE...

- no symbol lies in a writable section (.data, .bss, common, thread-local); constant tables of
  pointers (.data.rel.ro) are fine;
- every exported symbol starts with dn_ or dunlin_.
Exit status: 0 clean, 1 findings, 2 nm failed.
"""
import argparse
import pathlib
import subprocess
import sys

PREFIXES = ("dn_", "dunlin_")
TOOL_PREFIXES = ("__asan", "__odr_asan", "__tsan", "__ubsan", "__gcov", "__llvm", "__start", "__stop", "DW.ref.")


def is_writable(section):
    if section.startswith(".data.rel.ro"):
        return False
    return section.startswith((".data", ".bss", ".tdata", ".tbss", "*COM*"))


def symbols(nm, archive):
    """Yield (member, name, class, type, section) of each defined symbol."""
    result = subprocess.run([nm, "--format=sysv", "--defined-only", archive], check=True, text=True,
                            capture_output=True)
    member = "?"
    for line in result.stdout.splitlines():
        if line.startswith("Symbols from "):
            member = line.split("[")[-1].rstrip("]:")
            continue
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and fields[0] != "Name":
            yield member, fields[0], fields[2], fields[3], fields[6]


def check_archive(nm, archive):
    name_of = pathlib.Path(archive).name
    for member, name, kind, _, section in symbols(nm, archive):
        if name.startswith(TOOL_PREFIXES):
            continue
        if is_writable(section):
            yield f"{name_of}({member}): {name} is mutable data ({section})"
        if kind.isupper() and not name.startswith(PREFIXES):
            yield f"{name_of}({member}): exports {name}, which starts with neither dn_ nor dunlin_"


def main(argv):
    parser = argparse.ArgumentParser(description="Check built archives for mutable data and foreign names.")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("archives", nargs="*")
    args = parser.parse_args(argv[1:])
    findings = []
    try:
        for archive in args.archives:
            findings.extend(check_archive(args.nm, archive))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"check_archives: {error}", file=sys.stderr)
        return 2
    for finding in findings:
        print(finding)
    print(f"check_archives: {len(args.archives)} archives, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
