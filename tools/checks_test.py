#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the checkers: each rule must fail on a tree that breaks it and pass on one that does not."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import check_archives
import check_conformance
import check_layers
import check_style

HERE = pathlib.Path(__file__).resolve().parent
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"


class Conformance(unittest.TestCase):
    """Rows of a document about one requirement, G1."""

    PROOFS = "`tests/a_test.c:works`, `tests/a.py:works`, `ets:int-1`"

    def findings(self, *rows):
        root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, root)
        (root / "tests").mkdir()
        (root / "src" / "ets").mkdir(parents=True)
        (root / "tests" / "a_test.c").write_text(
            "static void works(void **state)\nstatic void unused(void **state)\ncmocka_unit_test(works)", encoding="utf-8")
        (root / "tests" / "a.py").write_text("    def works(self):", encoding="utf-8")
        (root / "src" / "ets" / "cases.c").write_text('.id = "int-1"', encoding="utf-8")
        return check_conformance.check("\n".join(f"| {row} |" for row in rows), root, ["G1"])

    def test_good(self):
        self.assertEqual(self.findings(f"G1 | what | C | yes | {self.PROOFS}"), [])
        self.assertEqual(self.findings("G1 | what | C | no | "), [])

    def test_bad(self):
        for rows, said in [((), "G1 is missing"),
                           (("G1 | w | C | yes | ",), "names no test"),
                           (("G1 | w | C | part | ",), "names no test"),
                           (("G1 | w | C | maybe | ",), "has the state"),
                           (("G1 |  | C | no | ",), "what is asked"),
                           (("G1 | w | C | no | ", "G1 | w | C | no | "), "stands twice"),
                           (("G1 | w | C | no | ", "G2 | w | C | no | "), "is no requirement"),
                           (("G1 | w | C | yes | `tests/a_test.c:nothing`",), "does not exist"),
                           (("G1 | w | C | yes | `tests/a_test.c:unused`",), "does not exist"),
                           (("G1 | w | C | yes | `tests/a.py:nothing`",), "does not exist"),
                           (("G1 | w | C | yes | `tests/b_test.c:works`",), "does not exist"),
                           (("G1 | w | C | yes | `ets:int-2`",), "does not exist")]:
            with self.subTest(rows=rows):
                findings = self.findings(*rows)
                self.assertEqual(len(findings), 1, findings)
                self.assertIn(said, findings[0])


class TreeCase(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        self.write("tools/layers.json", json.dumps({
            "layers": {
                "src/base": {"row": 1, "system": "plain", "uses": []},
                "src/codec": {"row": 2, "system": "plain", "uses": ["src/base"]},
                "src/coap": {"row": 3, "system": "plain", "uses": ["src/base"]},
                "src/server": {"row": 7, "system": "heap", "uses": ["src/base", "src/coap"]},
                "src/port": {"row": 9, "system": "any", "uses": ["src/base"]},
                "apps": {"row": 10, "system": "any", "uses": ["*"]},
            },
            "public": {"dunlin/status.h": "src/base", "dunlin/value.h": "src/codec", "dunlin/server*.h": "src/server"},
            "vocabulary": ["dunlin/value.h"],
        }))
        for name in ("base/slice", "codec/cbor", "coap/message", "server/registry"):
            self.write(f"src/{name}.h", SPDX + "#pragma once\n")

    def write(self, rel, text):
        path = self.root / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class Layers(TreeCase):
    CASES = [
        # description, file, line, is it allowed?
        ("lower row", "src/codec/a.c", '#include "base/slice.h"', True),
        ("own layer", "src/codec/a.c", '#include "codec/cbor.h"', True),
        ("own layer, relative", "src/codec/a.c", '#include "cbor.h"', True),
        ("upward", "src/base/a.c", '#include "codec/cbor.h"', False),
        ("upward by a relative path", "src/base/a.c", '#include "../codec/cbor.h"', False),
        ("upward with spaces", "src/base/a.c", '  #  include   "codec/cbor.h"', False),
        ("lower row but not listed", "src/server/a.c", '#include "codec/cbor.h"', False),
        ("in a comment", "src/base/a.c", '/*\n#include "codec/cbor.h"\n*/', True),
        ("apps use all", "apps/dunlind/a.c", '#include "server/registry.h"', True),
        ("unknown folder", "src/nowhere/a.c", '#include "base/slice.h"', False),
        ("plain system header", "src/coap/a.c", "#include <string.h>", True),
        ("heap in a plain layer", "src/coap/a.c", "#include <stdlib.h>", False),
        ("heap in a heap layer", "src/server/a.c", "#include <stdlib.h>", True),
        ("socket in a heap layer", "src/server/a.c", "#include <sys/socket.h>", False),
        ("socket in port", "src/port/a.c", "#include <sys/socket.h>", True),
        ("system header in a test", "src/coap/a_test.c", "#include <stdlib.h>", True),
        ("upward in a test", "src/coap/a_test.c", '#include "server/registry.h"', False),
        ("public header of a lower row", "src/server/a.c", "#include <dunlin/status.h>", True),
        ("vocabulary header", "src/server/a.c", "#include <dunlin/value.h>", True),
        ("vocabulary header upward", "src/base/a.c", "#include <dunlin/value.h>", False),
        ("public header upward", "src/coap/a.c", "#include <dunlin/server.h>", False),
        ("public header nobody owns", "src/coap/a.c", "#include <dunlin/zzz.h>", False),
        ("public: allowed header", "include/dunlin/value.h", "#include <stdint.h>", True),
        ("public: other public header", "include/dunlin/value.h", "#include <dunlin/status.h>", True),
        ("public: upward", "include/dunlin/status.h", "#include <dunlin/server.h>", False),
        ("public: system header", "include/dunlin/value.h", "#include <stdio.h>", False),
        ("public: internal header", "include/dunlin/value.h", '#include "base/slice.h"', False),
    ]

    def test_includes(self):
        for description, rel, line, allowed in self.CASES:
            with self.subTest(description):
                self.write(rel, SPDX + line + "\n")
                findings = check_layers.check_tree(self.root)
                self.assertEqual(findings == [], allowed, findings)
                (self.root / rel).unlink()

    def test_table_with_an_upward_row(self):
        table = json.loads((self.root / "tools/layers.json").read_text())
        table["layers"]["src/base"]["uses"] = ["src/coap"]
        self.write("tools/layers.json", json.dumps(table))
        with self.assertRaises(ValueError):
            check_layers.check_tree(self.root)

    def test_the_real_table_is_sound(self):
        check_layers.Table(HERE.parent)


class Style(TreeCase):
    CASES = [
        ("clean", "a.c", SPDX + "int dn_x(void)\n{\n    return 0;\n}\n", True),
        ("no SPDX line", "a.c", "int x;\n", False),
        ("tab", "a.c", SPDX + "\tint x;\n", False),
        ("trailing space", "a.c", SPDX + "int x; \n", False),
        ("no last line break", "a.c", SPDX + "int x;", False),
        ("800 lines", "a.c", SPDX + "int x;\n" * 799, True),
        ("801 lines", "a.c", SPDX + "int x;\n" * 800, False),
        ("80-line function", "a.c", SPDX + "void f(void)\n{\n" + "    x();\n" * 78 + "}\n", True),
        ("81-line function", "a.c", SPDX + "void f(void)\n{\n" + "    x();\n" * 79 + "}\n", False),
        ("one #if", "a.c", SPDX + "#if A\n#endif\n", True),
        ("two #if in a short file", "a.c", SPDX + "#if A\n#endif\n#ifdef B\n#endif\n", False),
        ("guard does not count", "a.h", SPDX + "#ifndef A_H\n#define A_H\n#if B\n#endif\n#endif\n", True),
        ("header without a guard", "a.h", SPDX + "int x;\n", False),
        ("macro with return", "a.c", SPDX + "#define M(x) \\\n    if (x) \\\n        return\n", False),
        ("macro without", "a.c", SPDX + "#define M(x) \\\n    ((x) + 1)\n", True),
    ]

    def test_files(self):
        for description, name, text, allowed in self.CASES:
            with self.subTest(description):
                self.write("src/base/" + name, text)
                findings = check_style.check_tree(self.root)
                self.assertEqual(findings == [], allowed, findings)
                (self.root / "src/base" / name).unlink()


class Archives(TreeCase):
    CASES = [
        ("constant table", "static const int t[] = {1};\nint dn_f(int i) { return t[i]; }\n", True),
        ("constant pointers", 'static const char *const t[] = {"a"};\nconst char *dn_f(int i) { return t[i]; }\n', True),
        ("initialised global", "static int t = 1;\nint dn_f(void) { return t++; }\n", False),
        ("zero global", "static int t;\nint dn_f(void) { return t++; }\n", False),
        ("mutable pointer table", 'static const char *t[] = {"a", "b"};\nconst char **dn_f(void) { return t; }\n', False),
        ("thread-local", "static _Thread_local int t;\nint dn_f(void) { return t++; }\n", False),
        ("foreign name", "int f(void) { return 1; }\n", False),
        ("static name", "static int f(void) { return 1; }\nint dunlin_f(void) { return f(); }\n", True),
    ]

    def test_archives(self):
        compiler = shutil.which("cc") or shutil.which("gcc")
        for description, text, allowed in self.CASES:
            with self.subTest(description):
                self.write("x.c", text)
                source, archive = self.root / "x.c", self.root / "libx.a"
                subprocess.run([compiler, "-fPIC", "-c", source, "-o", self.root / "x.o"], check=True)
                archive.unlink(missing_ok=True)
                subprocess.run(["ar", "rc", archive, self.root / "x.o"], check=True)
                findings = list(check_archives.check_archive("nm", str(archive)))
                self.assertEqual(findings == [], allowed, findings)


if __name__ == "__main__":
    unittest.main()
