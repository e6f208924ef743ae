# SPDX-License-Identifier: Apache-2.0
"""Runs suites of cases one after the other, prints progress, writes JUnit XML.

A suite is a class with set_up, tear_down and cases; a case is a method marked by @case with a sentence that
says what it proves. The cases of a suite share its programs and run in the order in which they are written.
"""

import fnmatch
import os
import signal
import sys
import time
import traceback
import xml.etree.ElementTree as ET

from support import programs

CASE_TIMEOUT_S = 600
SET_UP_TIMEOUT_S = 600
FAILED_TOLD, FAILED_CHARACTERS = 20, 500  # in the end, of what failed


class Failure(AssertionError):
    """What was expected did not happen."""


class TimedOut(Failure):
    pass


class Skipped(Exception):
    """The case can't be tried here; the text says why."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(got, wanted, what=""):
    if got != wanted:
        got, wanted = _apart(got, wanted)
        raise Failure(f"{what or 'value'}: got {got!r}, wanted {wanted!r}")


def _apart(got, wanted):
    """The parts in which two values differ."""
    if isinstance(got, dict) and isinstance(wanted, dict):
        keys = [key for key in {**got, **wanted} if got.get(key) != wanted.get(key)]
        pairs = {key: _apart(got.get(key), wanted.get(key)) for key in keys}
        return {key: pair[0] for key, pair in pairs.items()}, {key: pair[1] for key, pair in pairs.items()}
    if isinstance(got, (list, tuple)) and isinstance(wanted, (list, tuple)) and len(got) == len(wanted) > 1:
        pairs = [_apart(*pair) for pair in zip(got, wanted) if pair[0] != pair[1]]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return got, wanted


def case(title, rows=None, timeout_s=CASE_TIMEOUT_S):
    """Marks a method as a case. With `rows` it is run once with each; the title may use {0}, {1}, … of a row."""

    def mark(function):
        function.case_title, function.case_rows, function.case_timeout_s = title, rows, timeout_s
        return function

    return mark


class Suite:
    name = ""

    def __init__(self):
        self.programs = programs.Programs(self.name)

    def set_up(self):
        pass

    def tear_down(self):
        pass

    @classmethod
    def cases(cls):
        """(title, method name, row) in the order of the source; one that a subclass defines anew runs at its place there."""
        out, owner = [], {}
        for klass in reversed(cls.__mro__):
            owner.update({name: klass for name, member in vars(klass).items() if hasattr(member, "case_title")})
        for klass in reversed(cls.__mro__):
            for name in vars(klass):
                if owner.get(name) is not klass:
                    continue
                function = getattr(cls, name)
                for row in function.case_rows or [()]:
                    row = row if isinstance(row, tuple) else (row,)
                    out.append((function.case_title.format(*row), name, row))
        return out


def _short(error):
    """An exception with the places in the tests that led to it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/tests/" in f.filename and "/support/" not in f.filename]
    places = " < ".join(f"{os.path.basename(f.filename)}:{f.lineno}" for f in reversed(frames[-3:]))
    return f"{places}: {type(error).__name__}: {error}"


def _alarm(signum, frame):
    raise TimedOut("the case took too long")


def show_failed(cases):
    """The cases that failed, (name, what was said) each, as the last lines of the output: more than those are not always seen."""
    for number, (name, said) in enumerate(cases):
        print(f"FAILED  {name}", flush=True)
        if number < FAILED_TOLD:
            print(f"        {' '.join(said.split())[:FAILED_CHARACTERS]}", flush=True)


class Runner:
    def __init__(self, suites, junit_path, pattern="*"):
        self.suites, self.junit_path, self.pattern = suites, junit_path, pattern
        self.passed = self.failed = self.skipped = 0
        self.results = []  # (suite, title, seconds, "passed" | "failed" | "skipped", detail)

    def run(self):
        signal.signal(signal.SIGALRM, _alarm)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        started = time.monotonic()
        for suite in self.suites:
            chosen = [c for c in suite.cases() if fnmatch.fnmatch(f"{suite.name}: {c[0]}", self.pattern)]
            if chosen:
                self._run_suite(suite, chosen)
        self._write_junit()
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"took {time.monotonic() - started:.0f} s; {self.junit_path}")
        if skipped:
            print(f"{self.skipped} skipped")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        show_failed(self.failed_cases())
        return 1 if self.failed or not self.passed else 0

    def failed_cases(self):
        return [(f"{suite}: {title}", said) for suite, title, _, outcome, said in self.results if outcome == "failed"]

    def _run_suite(self, klass, chosen):
        print(f"\n== {klass.name}: {(klass.__doc__ or '').strip().splitlines()[0]}", flush=True)
        suite = klass()
        try:
            detail = self._guarded(suite.set_up, SET_UP_TIMEOUT_S)
            if detail is not None:
                print(f"        set-up: {detail}")
            if isinstance(detail, str):
                suite.programs.show_logs()
            if detail is not None:
                self._drop(klass.name, chosen, "skipped" if isinstance(detail, Skipped) else "failed", str(detail))
                return
            for title, name, row in chosen:
                method = getattr(suite, name)
                begin, logs = time.monotonic(), suite.programs.log_sizes()
                outcome = self._guarded(lambda: method(*row), method.case_timeout_s)
                spent = time.monotonic() - begin
                if outcome is None:
                    self._note(klass.name, title, spent, "passed", "")
                elif isinstance(outcome, Skipped):
                    self._note(klass.name, title, spent, "skipped", str(outcome))
                else:
                    self._note(klass.name, title, spent, "failed", outcome)
                    suite.programs.show_logs(logs)
        finally:
            self._guarded(suite.tear_down, 300)
            troubles = suite.programs.stop_all()
            if troubles:
                self._note(klass.name, "our programs end with status 0 when they are asked to", 0.0, "failed",
                           "; ".join(troubles))
                suite.programs.show_logs()

    def _guarded(self, call, timeout_s):
        """None when `call` went well, a Skipped, or the text of what went wrong."""
        signal.alarm(int(timeout_s))
        try:
            call()
            return None
        except Skipped as why:
            return why
        except AssertionError as why:
            where = traceback.extract_tb(why.__traceback__)
            line = next((f for f in reversed(where) if "/support/" not in f.filename), where[-1])
            return f"{os.path.basename(line.filename)}:{line.lineno}: {why}"
        except Exception:  # whatever a case runs into is its result
            return _short(sys.exc_info()[1])
        finally:
            signal.alarm(0)

    def _drop(self, suite, chosen, outcome, detail):
        """None of the cases could be tried."""
        print(f"{outcome.upper()} {suite}: {len(chosen)} cases, for the suite could not be set up", flush=True)
        setattr(self, outcome, getattr(self, outcome) + len(chosen))
        self.results += [(suite, title, 0.0, outcome, f"the suite could not be set up: {detail}") for title, _, _ in chosen]

    def _note(self, suite, title, seconds, outcome, detail):
        word = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}[outcome]
        print(f"{word:7} {suite}: {title} ({seconds:.1f} s)" + (f"\n        {detail}" if detail else ""), flush=True)
        setattr(self, outcome, getattr(self, outcome) + 1)
        self.results.append((suite, title, seconds, outcome, detail))

    def _write_junit(self):
        root = ET.Element("testsuites")
        for name in dict.fromkeys(r[0] for r in self.results):
            rows = [r for r in self.results if r[0] == name]
            node = ET.SubElement(root, "testsuite", name=name, tests=str(len(rows)),
                                 failures=str(sum(r[3] == "failed" for r in rows)),
                                 skipped=str(sum(r[3] == "skipped" for r in rows)))
            for suite, title, seconds, outcome, detail in rows:
                item = ET.SubElement(node, "testcase", classname=suite, name=title, time=f"{seconds:.3f}")
                if outcome == "failed":
                    ET.SubElement(item, "failure", message=detail.strip().splitlines()[-1]).text = detail
                elif outcome == "skipped":
                    ET.SubElement(item, "skipped", message=detail)
        os.makedirs(os.path.dirname(self.junit_path), exist_ok=True)
        ET.ElementTree(root).write(self.junit_path, encoding="utf-8", xml_declaration=True)
