#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`dunlin ets` as a program: exit codes, JUnit XML and the HTML page, with a good device, a bad one and none.

Usage: tool_test.py DUNLIN
"""

import html.parser
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree as ET

PASSED, FAILED, USAGE, NOBODY = 0, 1, 2, 3
DUNLIN = os.path.abspath(sys.argv[1])
TIMEOUT_S = 60


def run(*arguments):
    done = subprocess.run([DUNLIN, "ets", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=TIMEOUT_S, check=False)
    return done.returncode, done.stdout, done.stderr


def listen(*arguments):
    """`dunlin ets client` at a free port: the process and the URI where it waits."""
    process = subprocess.Popen([DUNLIN, "ets", "client", "--listen", "127.0.0.1:0", *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    uri = re.search(r"coap://\S+", process.stdout.readline()).group(0)
    return process, uri


def equal(got, wanted, what):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def check(condition, what):
    if not condition:
        raise AssertionError(what)


class Page(html.parser.HTMLParser):
    """Every element that is opened is closed, and nothing is loaded from elsewhere."""

    VOID = {"meta", "br", "hr", "img", "link", "input"}

    def __init__(self):
        super().__init__()
        self.open, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        check(tag not in ("script", "img", "link", "iframe"), f"<{tag}> in a page that should stand alone")
        check("src" not in names and not names.get("href", "#").startswith("http"), f"{attrs} leads elsewhere")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        equal(tag, self.open.pop() if self.open else None, "closed element")

    def handle_data(self, data):
        self.text += data


class EmptyDevice(threading.Thread):
    """Registers, and answers 4.04 whatever it is asked."""

    def __init__(self, uri):
        super().__init__(daemon=True)
        host, port = uri.removeprefix("coap://").split(":")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((host, int(port)))

    @staticmethod
    def option(delta, value):
        check(len(value) < 13, "a short option")
        return bytes([delta << 4 | len(value)]) + value

    def run(self):
        options = (self.option(11, b"rd") + self.option(1, b"\x28") + self.option(3, b"ep=empty") +
                   self.option(0, b"lt=300") + self.option(0, b"lwm2m=1.1"))
        self.socket.send(bytes([0x44, 2, 0, 1]) + b"abcd" + options + b"\xff</1/0>,</3/0>")
        while True:
            message = self.socket.recv(2048)
            token = message[4:4 + (message[0] & 15)]
            if message[0] >> 4 & 3 == 0 and message[1] in (1, 2, 3, 4, 5, 7):
                self.socket.send(bytes([0x60 | len(token), 0x84]) + message[2:4] + token)


def verdicts(path):
    """{number: (verdict, message)} of a JUnit file."""
    out = {}
    for one in ET.parse(path).getroot().iter("testcase"):
        number = re.search(r"int-\d+", one.get("name")).group(0)
        child = [c for c in one if c.tag in ("failure", "skipped")]
        out[number] = (child[0].tag if child else "passed", child[0].get("message") if child else "")
    return out


def a_good_device(folder):
    junit, page = os.path.join(folder, "good.xml"), os.path.join(folder, "good.html")
    process, uri = listen("--case", "int-101,int-201,int-202,int-222", "--junit", junit, "--html", page)
    device = subprocess.Popen([DUNLIN, "client", "-e", "good", "-u", uri, "--period", "0", "--no-console"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        out, err = process.communicate(timeout=TIMEOUT_S)
    finally:
        device.terminate()
        device.wait()
    equal((process.returncode, err), (PASSED, ""), f"exit code: {out}")
    check("3 pass, 0 fail, 1 not applicable, 0 needs hands" in out and "\033" not in out, out)
    found = verdicts(junit)
    equal({n: v for n, (v, _) in found.items()},
          {"int-101": "passed", "int-201": "passed", "int-202": "skipped", "int-222": "passed"}, "verdicts")
    check("without a procedure" in found["int-202"][1], found)
    with open(page, encoding="utf-8") as file:
        reader = Page()
        reader.feed(file.read())
    equal(reader.open, [], "elements left open")
    for text in ("Server reads /3/0/0", "GET /3/0/0", "2.05 Content", "payload,", "good, LwM2M 1.1"):
        check(text in reader.text, f"{text!r} is not in the page")


def a_bad_device(folder):
    junit = os.path.join(folder, "bad.xml")
    process, uri = listen("--case", "int-201", "--junit", junit)
    EmptyDevice(uri).start()
    out, _ = process.communicate(timeout=TIMEOUT_S)
    equal(process.returncode, FAILED, f"exit code: {out}")
    # It lists no resources at a Discover, so whether it has /3/0/0 is only seen by the case itself.
    equal(verdicts(junit), {"int-201": ("failure", "the device answers 2.05 Content: it answered 4.04 Not Found")}, "verdict")


def nobody(folder):
    process, _ = listen("--wait", "1", "--case", "int-2*")
    out, err = process.communicate(timeout=TIMEOUT_S)
    equal(process.returncode, NOBODY, f"exit code: {out}")
    check("nobody came" in err, err)
    status, out, err = run("server", "--target", "coap://127.0.0.1:9", "--operator", "http://127.0.0.1:9", "--wait", "2",
                           "--case", "int-101")
    equal(status, NOBODY, f"exit code: {out}{err}")
    check(folder, "")


def usage(folder):
    for arguments, said in [
        (["nothing"], "no part 'nothing'"), (["client"], "--listen"), (["client", "--listen", "nowhere"], "nowhere"),
        (["server"], "--operator"), (["server", "--operator", "ftp://x"], "--operator is http"),
        (["server", "--operator", "http://127.0.0.1:9"], "--target"), (["list", "--case", "nothing"], "no case matches"),
        (["server", "--target", "http://x", "--operator", "http://127.0.0.1:9"], "no address of a server"),
        (["server", "--operator", "exec:false"], "ended without saying"), (["list", "--lwm2m", "2.0"], "--lwm2m is"),
        (["client", "--listen", "127.0.0.1:0", "--wait", "x"], "--wait"),
    ]:
        status, out, err = run(*arguments)
        equal(status, USAGE, f"exit code of {arguments}: {out}{err}")
        check(said in err, f"{arguments}: {err!r} does not say {said!r}")
    check(folder, "")


def lists(folder):
    status, out, _ = run("list")
    equal(status, PASSED, "exit code")
    numbers = re.findall(r"^LightweightM2M-1\.\d-int-(\d+) ", out, re.MULTILINE)
    check(len(numbers) > 110 and len(set(numbers)) == len(numbers), f"{len(numbers)} cases")
    equal([int(n) for n in numbers], sorted(int(n) for n in numbers), "order")
    _, out, _ = run("list", "--case", "int-205", "--procedure")
    check("Server writes /1/x/2: 101 (text/plain" in out, out)
    check(folder, "")


def configurations(folder):
    """C.1 as a document for dunlind: keys go in the clear only to who asks without security."""
    psk = ("--psk", "dev:000102030405060708090a0b0c0d0e0f")
    for bootstrap, bare in ((), None), (("--bootstrap", "coaps://h"), None), (("--bootstrap", "coaps+tcp://h"), None), \
            (("--bootstrap", "coap://h"), True), (("--bootstrap", "coap+tcp://h"), True):
        status, out, said = run("config", "C.1", "--format", "document", "--target", "coaps://h", *psk, *bootstrap)
        equal((status, said), (PASSED, ""), "exit code")
        document = json.loads(out)
        equal(document["servers"][0]["security"]["mode"], "psk", "mode")
        equal(document.get("allow_insecure"), bare, f"allow_insecure with {bootstrap}")
    status, out, _ = run("config", "C.13", "--bootstrap", "coaps://h", *psk)
    equal(status, PASSED, "exit code")
    check({"n": "/0/1/1", "bv": True} in json.loads(out)["e"], out)
    equal(run("config", "C.13")[0], USAGE, "exit code without credentials")
    check(folder, "")


def main():
    with tempfile.TemporaryDirectory() as folder:
        for test in (lists, configurations, usage, nobody, a_good_device, a_bad_device):
            test(folder)
            print(f"ok {test.__name__}", flush=True)


if __name__ == "__main__":
    main()
