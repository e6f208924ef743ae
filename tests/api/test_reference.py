# SPDX-License-Identifier: Apache-2.0
"""The documents say what the programs do: rest.md is made from openapi.json, the manual page names every option."""

import os
import re
import subprocess
import sys
import unittest

from server import DUNLIND, ROOT, Contract


class Reference(unittest.TestCase):
    def test_rest_is_up_to_date(self):
        made = subprocess.run([sys.executable, os.path.join(ROOT, "docs/reference/make_rest.py"), "--check"], check=False,
                              capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stdout)

    def test_every_option_is_in_the_manual(self):
        text = subprocess.run([DUNLIND, "--help"], check=True, capture_output=True, text=True).stdout
        with open(os.path.join(ROOT, "docs/man/dunlind.8"), encoding="utf-8") as file:
            manual = file.read()
        options = set(re.findall(r"^  --([a-z-]+)", text, re.M))
        self.assertGreater(len(options), 10)
        for option in options - {"version"}:
            self.assertIn(".It Fl -" + option, manual)

    def test_the_document_holds_together(self):
        document = Contract().document
        names = [operation["operationId"] for item in document["paths"].values() for key, operation in item.items()
                 if key != "parameters"]
        self.assertEqual(len(names), len(set(names)))
        references = set(re.findall(r'"#/components/(\w+)/(\w+)"', str(document).replace("'", '"')))
        for kind, name in references:
            self.assertIn(name, document["components"][kind])
        for path, item in document["paths"].items():
            variables = set(re.findall(r"{(\w+)}", path))
            shared = {one["$ref"].rsplit("/", 1)[1] for one in item.get("parameters", [])}
            self.assertEqual(variables, shared, path)


if __name__ == "__main__":
    unittest.main()
