# SPDX-License-Identifier: Apache-2.0
"""All tests of the API in one run, and then: was every operation of openapi.json called, did every kind of problem occur?"""

import sys
import unittest

import test_bootstrap
import test_bulk
import test_composites
import test_credentials
import test_operations
import test_packages
import test_queue
import test_server
from server import Contract

# dunlind always keeps credentials; a program that embeds the API may not.
NOT_OF_DUNLIND = {"no-security", "too-many-bootstrap-configs"}
MODULES = (test_bootstrap, test_bulk, test_composites, test_credentials, test_operations, test_packages, test_queue,
           test_server)


def main():
    loader = unittest.defaultTestLoader
    suite = unittest.TestSuite(loader.loadTestsFromModule(module) for module in MODULES)
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    contract = Contract()
    operations = {(path, method) for path, item in contract.document["paths"].items() for method in item
                  if method != "parameters"}
    problems = {one.rsplit("/", 1)[1] for one in
                contract.document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]}
    missing = sorted(operations - Contract.seen) + sorted(problems - Contract.slugs - NOT_OF_DUNLIND)
    for one in missing:
        print("not seen in this run:", one)
    return 0 if result.wasSuccessful() and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
