#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that every #include follows the layer table in tools/layers.json.

Usage: check_layers.py [ROOT]

Rules
- a file in src/LAYER includes files of its own layer and of the layers its row names;
- system headers: a layer of kind "plain" includes only headers that need neither heap nor
  operating system, "heap" adds <stdlib.h> and friends, "any" is free;
- a public header (include/dunlin/) includes only <dunlin/...>, <stdint.h>, <stddef.h>, <stdbool.h>;
- a public header belongs to the layer named by "public" in the table: it may be included by that
  layer and by those which may use it; headers in "vocabulary" may be included by every layer
  with a higher row than their owner's;
- a unit test beside its source (x_test.c) may include any system header and tests/, but no
  higher layer either.
Exit status: 0 clean, 1 findings (one line each), 2 the table itself is wrong.
"""
import fnmatch
import json
import pathlib
import re
import sys

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
PLAIN = {"assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdalign.h",
         "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}
HEAP = PLAIN | {"stdlib.h", "stdio.h", "time.h", "stdatomic.h"}
PUBLIC = {"stdint.h", "stddef.h", "stdbool.h"}


class Table:
    """The layer table and the questions the checker asks of it."""

    def __init__(self, root):
        data = json.loads((root / "tools/layers.json").read_text(encoding="utf-8"))
        self.layers = data["layers"]
        self.public = data.get("public", {})
        self.vocabulary = data.get("vocabulary", [])
        for name, row in self.layers.items():
            for used in row["uses"]:
                if used == "*":
                    continue
                if used not in self.layers:
                    raise ValueError(f"{name} uses {used}, which is not a layer")
                if self.layers[used]["row"] >= row["row"]:
                    raise ValueError(f"{name} (row {row['row']}) uses {used}, which is not in a lower row")

    def layer_of(self, path):
        """The most specific layer folder that holds `path`, or None."""
        best = None
        for name in self.layers:
            if path.startswith(name + "/") and (best is None or len(name) > len(best)):
                best = name
        return best

    def owner_of_public(self, header):
        for pattern, layer in self.public.items():
            if fnmatch.fnmatch(header, pattern):
                return layer
        return None

    def may_use(self, layer, used):
        uses = self.layers[layer]["uses"]
        return layer == used or "*" in uses or used in uses


def check_public(table, rel, kind, name):
    if name.startswith("dunlin/"):
        owner, used = table.owner_of_public(rel[len("include/"):]), table.owner_of_public(name)
        if used is None:
            return f"includes <{name}>, which \"public\" in tools/layers.json does not list"
        if owner and not may_see_public(table, owner, name, used):
            return f"includes <{name}> of {used}, which {owner} may not use"
        return None
    if kind == '"' or name not in PUBLIC:
        return f"public header includes {name}; only dunlin/, stdint.h, stddef.h, stdbool.h are allowed"
    return None


def may_see_public(table, layer, name, owner):
    if table.may_use(layer, owner):
        return True
    return name in table.vocabulary and table.layers[layer]["row"] > table.layers[owner]["row"]


def check_system(table, layer, name, is_test):
    kind = table.layers[layer]["system"]
    allowed = {"plain": PLAIN, "heap": HEAP}.get(kind)
    if is_test or allowed is None or name in allowed:
        return None
    return f"includes <{name}>; {layer} ({kind}) may not include that system header"


def resolve(root, rel, name):
    """Path of a quoted include relative to the root, or None."""
    for base in (root / "src", root / pathlib.PurePath(rel).parent, root, root / "include"):
        candidate = base / name
        if candidate.is_file():
            return candidate.resolve().relative_to(root.resolve()).as_posix()
    return None


def check_include(table, root, rel, kind, name):
    """One finding (text) for this include, or None."""
    if rel.startswith("include/"):
        return check_public(table, rel, kind, name)
    layer = table.layer_of(rel)
    if layer is None:
        return "is in a folder that tools/layers.json does not list"
    is_test = rel.endswith("_test.c")
    if name.startswith("dunlin/"):
        owner = table.owner_of_public(name)
        if owner is None:
            return f"includes <{name}>, which \"public\" in tools/layers.json does not list"
        if not may_see_public(table, layer, name, owner):
            return f"includes <{name}> of {owner}, which {layer} may not use"
        return None
    if kind == "<":
        return check_system(table, layer, name, is_test)
    target = resolve(root, rel, name)
    if target is None:
        # A generated header: it must be named by its layer's folder to be placed in a layer.
        target = "src/" + name if table.layer_of("src/" + name) else rel
    if target.startswith("tests/"):
        return None if is_test or layer == "apps" else f"includes {target}: production code must not use tests"
    used = table.layer_of(target)
    if used is None:
        return f"includes {target}, which is in no layer"
    if not table.may_use(layer, used):
        return f"includes {target}: {layer} may not use {used}"
    return None


def strip_comments(text):
    """Blank out comments, keeping line breaks, so that an include in a comment does not count."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)


def check_tree(root):
    table = Table(root)
    findings = []
    for top in ("src", "apps", "include"):
        for path in sorted((root / top).rglob("*.[ch]")):
            rel = path.relative_to(root).as_posix()
            text = strip_comments(path.read_text(encoding="utf-8"))
            for match in INCLUDE.finditer(text):
                finding = check_include(table, root, rel, match.group(1), match.group(2))
                if finding:
                    line = text.count("\n", 0, match.start()) + 1
                    findings.append(f"{rel}:{line}: {finding}")
    return findings


def main(argv):
    root = pathlib.Path(argv[1] if len(argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    try:
        findings = check_tree(root)
    except (OSError, KeyError, ValueError) as error:
        print(f"check_layers: {error}", file=sys.stderr)
        return 2
    for finding in findings:
        print(finding)
    print(f"check_layers: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
