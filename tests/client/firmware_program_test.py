#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run firmware updates of `dunlin client`: push, CoAP, HTTP and HTTPS, the ways to fail, and kill -9 in between.

Usage: firmware_program_test.py DUNLIN UPDATABLE
"""
import http.server
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import unittest

from device_server import POST, PUT, TIMEOUT_S, DeviceTest

IDLE, DOWNLOADING, DOWNLOADED, UPDATING = "0", "1", "2", "3"
MEGABYTE = 1024 * 1024
UPDATABLE = None


def package(version, size):
    return f"version={version}\n".encode().ljust(size, b"\xa5")


class Files(http.server.BaseHTTPRequestHandler):
    """Serves one package, with ranges; `stall_at` bytes into the first answer it sends nothing more."""

    protocol_version = "HTTP/1.1"
    content, etag, stall_at, asked, elsewhere = b"", '"1"', None, [], ""

    def do_GET(self):
        kind = type(self)
        asked = self.headers.get("Range")
        kind.asked.append((self.path, asked, self.headers.get("If-Range")))
        if self.path in ("/moved", "/away"):
            self.send_response(302)
            self.send_header("Location", f"{kind.elsewhere if self.path == '/away' else ''}/fw")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path != "/fw":
            self.send_error(404)
            return
        start = 0
        if asked and self.headers.get("If-Range") == kind.etag:
            start = int(asked.split("=")[1].rstrip("-"))
        body = kind.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(kind.content) - 1}/{len(kind.content)}")
        self.send_header("ETag", kind.etag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            if kind.stall_at is not None:
                self.wfile.write(body[:kind.stall_at])
                self.wfile.flush()
                kind.stall_at = None
                kind.stalled.wait(TIMEOUT_S)
                self.close_connection = True
                return
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, *_):
        pass


class FirmwareTest(DeviceTest):
    def setUp(self):
        super().setUp()
        self.state = os.path.join(self.folder.name, "state")
        self.handler = type("Handler", (Files,), {"asked": [], "stalled": threading.Event()})
        self.web = None

    def tearDown(self):
        self.handler.stalled.set()
        if self.web:
            self.web.shutdown()
            self.web.server_close()
        super().tearDown()

    def serve(self, content, context=None):
        self.handler.content = content
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self.web.daemon_threads = True
        if context:
            self.web.socket = context.wrap_socket(self.web.socket, server_side=True)
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        return f"{'https' if context else 'http'}://localhost:{self.web.server_port}"

    def device(self, *arguments, **options):
        process = self.client("--period", "0", "--no-console", "--firmware-time", "0.3", *arguments, **options)
        self.server.seen.clear()
        self.registered()
        return process

    def write_uri(self, uri):
        self.assertEqual(self.server.ask(PUT, "/5/0/1", uri.encode(), content_format=0)[0], "2.04")

    def ends_in(self, state, result):
        self.until("/5/0/3", state)
        self.assertEqual(self.server.read("/5/0/5"), result)

    def update(self, version):
        self.server.seen.clear()
        self.assertEqual(self.server.ask(POST, "/5/0/2")[0], "2.04")
        self.registered()  # it has rebooted into the new one
        self.assertEqual(self.server.read("/3/0/3"), version)
        self.ends_in(IDLE, "1")

    def test_push(self):
        self.device()
        self.assertEqual(self.server.read("/5/0/9"), "2")
        self.assertEqual(self.server.push("/5/0/0", b"\0"), "2.04")
        self.ends_in(IDLE, "0")
        self.assertEqual(self.server.push("/5/0/0", package("7.1", 5000)), "2.04")
        self.ends_in(DOWNLOADED, "0")
        self.assertEqual(self.server.read("/5/0/7"), "7.1")
        self.update("7.1")

    def test_push_without_a_version(self):
        self.device()
        self.assertEqual(self.server.push("/5/0/0", bytes(3000)), "2.04")
        version = self.server.read("/5/0/7")
        self.assertRegex(version, "^package-[0-9a-f]{8}$")
        self.update(version)

    def test_failures(self):
        rows = (("flash", IDLE, "2"), ("ram", IDLE, "3"), ("connection", IDLE, "4"), ("integrity", IDLE, "5"),
                ("type", IDLE, "6"))
        process = self.client("--period", "0", stdin=subprocess.PIPE)
        self.registered()
        for how, state, result in rows:
            for size in (100, 5000):
                process.stdin.write(f"firmware {how}\n")
                process.stdin.flush()
                self.says(process, "updates will")
                self.server.push("/5/0/0", package("8", size))
                self.ends_in(state, result)
        self.assertNotEqual(self.server.read("/3/0/3"), "8")

    def test_packages_that_fail(self):
        self.device()
        for how, result in (("flash", "2"), ("ram", "3"), ("connection", "4"), ("integrity", "5"), ("type", "6")):
            for head in (f"fail={how}\n", f"version=9\nfail={how}\n"):
                self.server.push("/5/0/0", head.encode().ljust(3000, b"\xa5"))
                self.ends_in(IDLE, result)
        self.server.push("/5/0/0", b"fail=nothing\nversion=9.1\n".ljust(3000, b"\xa5"))
        self.ends_in(DOWNLOADED, "0")
        self.assertEqual(self.server.read("/5/0/7"), "9.1")
        self.server.push("/5/0/0", b"\0")
        self.server.push("/5/0/0", b"fail=install\nversion=9.2\n")
        self.assertEqual(self.server.ask(POST, "/5/0/2")[0], "2.04")
        self.ends_in(DOWNLOADED, "8")
        self.server.push("/5/0/0", b"\0")
        self.server.push("/5/0/0", package("9.3", 3000))  # and the next is good again
        self.update("9.3")

    def test_installation_fails(self):
        self.device("--firmware-fail", "install", "--firmware-time", "4")  # long enough to be seen
        before = self.server.read("/3/0/3")
        self.server.push("/5/0/0", package("8", 100))
        self.assertEqual(self.server.ask(POST, "/5/0/2")[0], "2.04")
        self.ends_in(UPDATING, "0")
        self.ends_in(DOWNLOADED, "8")
        self.assertEqual(self.server.read("/3/0/3"), before)

    def test_deferred(self):
        process = self.client("--period", "0", "--firmware-time", "0.3", "--firmware-object", "1.1", "--firmware-fail", "defer",
                              stdin=subprocess.PIPE)
        self.registered()
        self.assertIn("</5>;ver=1.1", self.server.seen[0][3])
        self.assertEqual(self.server.ask(PUT, "/5/0/13", b"3600", content_format=0)[0], "2.04")
        self.server.push("/5/0/0", package("9", 100))
        self.assertEqual(self.server.ask(POST, "/5/0/2")[0], "2.04")
        self.ends_in(DOWNLOADED, "11")
        process.stdin.write("firmware now\n")
        process.stdin.flush()
        self.until("/3/0/3", "9")
        self.server.push("/5/0/0", package("10", 100))
        self.assertEqual(self.server.ask(POST, "/5/0/10")[0], "2.04")
        self.ends_in(IDLE, "10")

    def test_deferred_for_too_long(self):
        self.device("--firmware-object", "1.1", "--firmware-fail", "defer")
        self.assertEqual(self.server.ask(PUT, "/5/0/13", b"1", content_format=0)[0], "2.04")
        self.server.push("/5/0/0", package("9", 100))
        self.assertEqual(self.server.ask(POST, "/5/0/2")[0], "2.04")
        self.ends_in(DOWNLOADED, "11")
        self.until("/3/0/3", "9")
        self.ends_in(IDLE, "1")

    def test_coap(self):
        self.device()
        self.server.files["fw/1.bin"] = package("7.2", 40000)
        self.write_uri(f"coap://127.0.0.1:{self.server.port}/fw/1.bin")
        self.ends_in(DOWNLOADED, "0")
        self.update("7.2")
        self.write_uri(f"coap://127.0.0.1:{self.server.port}/fw/2.bin")
        self.ends_in(IDLE, "7")

    def test_http(self):
        uri = self.serve(package("7.3", 3 * MEGABYTE))
        self.device()
        self.assertEqual([self.server.read(f"/5/0/8/{i}") for i in range(3)], ["0", "2", "3"])
        self.write_uri(f"{uri}/moved")
        self.ends_in(DOWNLOADED, "0")
        self.update("7.3")
        self.assertEqual([asked[0] for asked in self.handler.asked], ["/moved", "/fw"])
        self.write_uri(f"{uri}/nothing")
        self.ends_in(IDLE, "7")
        self.write_uri("http://no.such.host.invalid/fw")
        self.ends_in(IDLE, "7")
        self.write_uri("ftp://127.0.0.1/fw")
        self.ends_in(IDLE, "9")

    def test_http_is_cut(self):
        """The device asks for the rest by itself, after ten seconds."""
        self.handler.stall_at = MEGABYTE
        self.handler.stalled.set()  # it hangs up at once
        content = package("7.8", 2 * MEGABYTE)
        uri = self.serve(content)
        self.device("--state", self.state)
        self.write_uri(f"{uri}/fw")
        self.ends_in(DOWNLOADED, "0")
        self.assertEqual([asked[1] for asked in self.handler.asked], [None, f"bytes={MEGABYTE}-"])
        self.assertEqual(pathlib.Path(self.state, "firmware.bin").read_bytes(), content)

    @unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificate")
    def test_https(self):
        names = [os.path.join(self.folder.name, name) for name in ("key.pem", "certificate.pem")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        names[0], "-out", names[1], "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-days", "2"], check=True, capture_output=True, timeout=TIMEOUT_S)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(names[1], names[0])
        uri = self.serve(package("7.4", 100000), context)
        process = self.device("--ca", names[1])
        self.write_uri(f"{uri}/fw")
        self.ends_in(DOWNLOADED, "0")
        self.update("7.4")
        self.redirected_in_the_clear(uri)
        self.kill(process)
        self.device()  # one that does not trust it
        self.write_uri(f"{uri}/fw")
        self.assertEqual(self.server.read("/5/0/3"), DOWNLOADING)
        time.sleep(0.5)
        self.assertEqual(self.server.read("/5/0/3"), DOWNLOADING)  # it will try again, and get nothing

    def redirected_in_the_clear(self, uri):
        """Who was told https:// does not fetch by http://, whoever says so."""
        clear = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        clear.daemon_threads = True
        threading.Thread(target=clear.serve_forever, daemon=True).start()
        self.handler.elsewhere = f"http://localhost:{clear.server_port}"
        self.handler.asked.clear()
        self.write_uri(f"{uri}/away")
        self.ends_in(IDLE, "7")
        clear.shutdown()
        clear.server_close()
        self.assertEqual([asked[0] for asked in self.handler.asked], ["/away"])

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait(TIMEOUT_S)

    def test_killed_in_a_pull(self):
        content = package("7.5", 2 * MEGABYTE)
        self.handler.stall_at = MEGABYTE
        uri = self.serve(content)
        process = self.device("--state", self.state)
        self.write_uri(f"{uri}/fw")
        part = pathlib.Path(self.state, "firmware.bin")
        self.server.wait(lambda: part.stat().st_size >= MEGABYTE - 65536)
        self.assertEqual(self.server.read("/5/0/3"), DOWNLOADING)
        self.kill(process)
        self.handler.stalled.set()
        process = self.device("--state", self.state)
        self.ends_in(DOWNLOADED, "0")
        _, asked, condition = self.handler.asked[1]
        self.assertGreaterEqual(int(asked.split("=")[1].rstrip("-")), MEGABYTE // 2)
        self.assertEqual(condition, '"1"')
        self.assertEqual(part.read_bytes(), content)
        self.kill(process)
        process = self.device("--state", self.state)
        self.assertEqual(self.server.read("/5/0/3"), DOWNLOADED)
        self.update("7.5")
        self.kill(process)
        self.device("--state", self.state)
        self.assertEqual(self.server.read("/3/0/3"), "7.5")
        self.ends_in(IDLE, "1")

    def test_killed_while_installing(self):
        process = self.device("--state", self.state, "--firmware-time", "1")
        self.server.push("/5/0/0", package("7.6", 2000))
        self.assertEqual(self.server.ask(POST, "/5/0/2")[0], "2.04")
        self.kill(process)
        self.device("--state", self.state)
        self.until("/3/0/3", "7.6")
        self.ends_in(IDLE, "1")

    def test_killed_in_a_push(self):
        process = self.device("--state", self.state)
        self.assertEqual(self.server.ask(PUT, "/5/0/0", bytes(1024), content_format=42, block1=8 | 6)[0], "2.31")
        self.assertEqual(self.server.read("/5/0/3"), DOWNLOADING)
        self.kill(process)
        self.device("--state", self.state)
        self.ends_in(IDLE, "4")

    def test_another_package_after_a_kill(self):
        self.handler.stall_at = MEGABYTE
        uri = self.serve(package("1", 2 * MEGABYTE))
        process = self.device("--state", self.state)
        self.write_uri(f"{uri}/fw")
        part = pathlib.Path(self.state, "firmware.bin")
        self.server.wait(lambda: part.stat().st_size >= MEGABYTE - 65536)
        self.kill(process)
        self.handler.stalled.set()
        self.handler.content, self.handler.etag = package("7.7", 5000), '"2"'
        self.device("--state", self.state)
        self.ends_in(DOWNLOADED, "0")
        self.assertEqual(part.read_bytes(), self.handler.content)
        self.update("7.7")

    def test_example(self):
        slot = os.path.join(self.folder.name, "slot")
        self.start(UPDATABLE, "up-1", "127.0.0.1", str(self.server.port), slot)
        self.registered()
        self.assertEqual(self.server.read("/3/0/3"), "1.0")
        self.server.push("/5/0/0", bytes(3000))
        self.ends_in(IDLE, "6")
        content = b"FIRM".ljust(5000, b"\xa5")
        self.assertEqual(self.server.push("/5/0/0", content), "2.04")
        self.ends_in(DOWNLOADED, "0")
        self.server.seen.clear()
        self.assertEqual(self.server.ask(POST, "/5/0/2")[0], "2.04")
        self.registered()
        self.assertEqual(self.server.read("/3/0/3"), "2.0")
        self.ends_in(IDLE, "1")
        self.assertEqual(pathlib.Path(slot + ".installed").read_bytes(), content)
        self.server.files["fw"] = content[:2000]
        self.write_uri(f"coap://127.0.0.1:{self.server.port}/fw")
        self.ends_in(DOWNLOADED, "0")
        self.assertEqual(pathlib.Path(slot).read_bytes(), content[:2000])

    def test_constant_memory(self):
        """A package of 20 MB takes no more memory than none."""
        def resident_kb(process):
            text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            return int(text.split("VmRSS:")[1].split()[0])
        process = self.device("--state", self.state)
        self.server.push("/5/0/0", package("small", 2 * MEGABYTE))
        self.ends_in(DOWNLOADED, "0")
        self.server.push("/5/0/0", b"\0")
        before = resident_kb(process)
        self.assertEqual(self.server.push("/5/0/0", package("7.8", 20 * MEGABYTE)), "2.04")
        after = resident_kb(process)
        print(f"resident before and after a push of 20 MB: {before} and {after} kB")
        self.assertLess(after - before, 4096)
        self.ends_in(DOWNLOADED, "0")


if __name__ == "__main__":
    DeviceTest.dunlin, UPDATABLE = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
