#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run `dunlin client` over TCP, TLS and DTLS against servers that are not ours: Python's ssl, openssl and gnutls-serv.

Usage: secured_program_test.py DUNLIN
"""
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import unittest

from bridges import PipeBridge, TcpBridge
from device_server import DELETE, GET, PUT, TIMEOUT_S, DeviceTest, Server

KEY = "000102030405060708090a0b0c0d0e0f"
IDENTITY = "prog-1 identity"
PSK = ("--identity", IDENTITY, "--key", "hex:" + KEY)
CCM8 = "TLS_PSK_WITH_AES_128_CCM_8"


def run(*command):
    subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)


class SecuredTest(DeviceTest):
    def setUp(self):
        super().setUp()
        self.bridges = []
        self.default = self.server

    def tearDown(self):
        super().tearDown()
        self.default.close()

    def serve(self, bridge):
        """All goes through it from now on."""
        self.server = Server(bridge=bridge)
        return bridge

    def made(self, name):
        return os.path.join(self.folder.name, name)

    def make_key(self, name):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.made(name + ".key"))
        run("openssl", "pkey", "-in", self.made(name + ".key"), "-pubout", "-out", self.made(name + ".pub"))

    def make_certificate(self, name, subject, issuer=None):
        """By itself, or by another."""
        self.make_key(name)
        command = ["openssl", "req", "-new", "-key", self.made(name + ".key"), "-subj", f"/CN={subject}"]
        request, certificate = self.made(name + ".csr"), self.made(name + ".pem")
        run(*command, "-out", request)
        if issuer is None:
            run("openssl", "req", "-x509", "-in", request, "-key", self.made(name + ".key"), "-days", "2", "-out", certificate)
            return
        extensions = pathlib.Path(self.made(name + ".ext"))
        extensions.write_text(f"subjectAltName=DNS:{subject}\n")
        run("openssl", "x509", "-req", "-in", request, "-CA", self.made(issuer + ".pem"), "-CAkey", self.made(issuer + ".key"),
            "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", certificate)

    def make_pair(self):
        """An authority, and a server and a device below it."""
        self.make_certificate("ca", "Dunlin test authority")
        self.make_certificate("server", "server.example.org", "ca")
        self.make_certificate("device", "prog-1", "ca")

    def x509(self, *more):
        return ("--cert", self.made("device.pem"), "--private-key", self.made("device.key"), *more)

    def works(self):
        """The device registers, and answers."""
        self.registered()
        self.assertEqual(self.server.seen[-1][2][0], "ep=prog-1")
        self.assertEqual(self.server.read("/3/0/0"), "Dunlin")
        self.assertEqual(self.server.ask(PUT, "/3311/0/5851", b"33", content_format=0)[0], "2.04")
        self.assertGreater(len(self.server.ask(GET, "/3", accept=110)[1]), 300)

    def ends(self, process):
        out, err = self.stop(process)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(self.server.seen[-1][:2], (DELETE, "rd/7"))
        return out, err

    def types(self, process, line):
        process.stdin.write(line + "\n")
        process.stdin.flush()


class TcpTest(SecuredTest):
    def test_tcp(self):
        bridge = self.serve(TcpBridge())
        process = self.client("--period", "0", scheme="coap+tcp")
        self.works()
        self.assertIn("b=T", self.server.seen[0][2])
        self.assertEqual(self.server.read("/1/0/7"), "T")
        out, _ = self.ends(process)
        self.assertIn(f"connected to coap+tcp://127.0.0.1:{bridge.port}\n", out)
        self.assertEqual(bridge.connections, 1)

    def test_the_server_hangs_up(self):
        bridge = self.serve(TcpBridge())
        process = self.client("--period", "0", "--retry", "1", scheme="coap+tcp", stdin=subprocess.PIPE)
        self.registered()
        self.server.seen.clear()
        bridge.hang_up.set()
        self.says(process, "disconnected from")
        self.types(process, "update")
        self.server.wait(lambda: bool(self.server.seen))
        self.assertEqual(self.server.read("/3/0/0"), "Dunlin")
        self.assertEqual(bridge.connections, 2)
        self.stop(process)

    def test_roam(self):
        bridge = self.serve(TcpBridge())
        process = self.client("--period", "0", scheme="coap+tcp", stdin=subprocess.PIPE)
        self.registered()
        self.server.seen.clear()
        self.types(process, "roam")
        self.works()
        self.assertEqual(bridge.connections, 2)
        self.stop(process)

    def test_nobody_is_there(self):
        with socket.create_server(("127.0.0.1", 0)) as made:
            port = made.getsockname()[1]
        process = self.start(self.dunlin, "client", "-e", "x", "-u", f"coap+tcp://127.0.0.1:{port}", "--retry", "0")
        self.server.wait(lambda: process.poll() is not None)
        _, err = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 3)
        self.assertIn(f"no session with coap+tcp://127.0.0.1:{port}: no connection came about", err)
        self.assertIn("giving up", err)


class TlsTest(SecuredTest):
    def context(self):
        self.make_pair()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0")
        context.load_cert_chain(self.made("server.pem"), self.made("server.key"))
        context.load_verify_locations(self.made("ca.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["coap"])
        return context

    def test_certificates(self):
        self.serve(TcpBridge(self.context()))
        process = self.client("--period", "0", *self.x509("--server-cert", self.made("server.pem")), scheme="coaps+tcp",
                              stdin=subprocess.PIPE)
        self.works()
        self.server.seen.clear()
        self.types(process, "roam")
        self.works()  # by a Register, as a new connection wants it
        out, err = self.ends(process)
        suite = "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"
        self.assertRegex(out, rf"connected to coaps\+tcp://127.0.0.1:\d+ with {suite}, full handshake, \d+ ms\n")
        self.assertRegex(out, rf"connected to coaps\+tcp://127.0.0.1:\d+ with {suite}, resumed handshake, \d+ ms\n", err)

    def test_other_certificates(self):
        """What the device does not take, it says."""
        self.make_pair()
        self.make_certificate("stranger", "server.example.org")
        bridge = self.serve(TcpBridge(self.context()))
        for trust, why in ((("--server-cert", self.made("stranger.pem")), "certificate"),
                           (("--server-cert", self.made("stranger.pem"), "--usage", "2"), "certificate"),
                           (("--roots", self.made("ca.pem"), "--usage", "0", "--server-cert", self.made("ca.pem")), "name")):
            process = self.client("--retry", "0", *self.x509(*trust), scheme="coaps+tcp")
            self.server.wait(lambda: process.poll() is not None)
            _, err = process.communicate(timeout=TIMEOUT_S)
            self.assertEqual(process.returncode, 3, err)
            self.assertRegex(err, f"no session with .*({why}).* \\(alert \\d+, [a-z_]+", trust)
        self.assertEqual(bridge.connections, 0)
        process = self.client(*self.x509("--roots", self.made("ca.pem"), "--usage", "0", "--server-cert", self.made("ca.pem"),
                                         "--sni", "server.example.org"), scheme="coaps+tcp")
        self.registered()
        self.stop(process)

    def test_key_of_another(self):
        """A mistake of the command line ends the program."""
        self.make_pair()
        process = self.client("--cert", self.made("device.pem"), "--private-key", self.made("server.key"), "--server-cert",
                              self.made("server.pem"), scheme="coaps+tcp")
        self.server.wait(lambda: process.poll() is not None)
        _, err = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 2)
        self.assertIn("cannot be used", err)


@unittest.skipUnless(shutil.which("openssl"), "there is no openssl")
class OpensslTest(SecuredTest):
    def s_server(self, version, *more):
        datagrams = version == "-dtls1_2"
        return self.serve(PipeBridge(socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM, "openssl", "s_server", "-quiet",
                                     version, "-accept", "127.0.0.1:PORT", *more, *(() if datagrams else ("-alpn", "coap")),
                                     framed=not datagrams))

    def psk_server(self, version, suite):
        return self.s_server(version, "-nocert", "-psk_identity", IDENTITY, "-psk", KEY, "-cipher", suite + ":@SECLEVEL=0")

    def test_psk(self):
        rows = (("-dtls1_2", "coaps", "PSK-AES128-CCM8", CCM8, ()),
                ("-dtls1_2", "coaps", "PSK-AES128-CBC-SHA256", "TLS_PSK_WITH_AES_128_CBC_SHA256", ("--suites", "cbc")),
                ("-tls1_2", "coaps+tcp", "PSK-AES128-CCM8", CCM8, ()))
        for version, scheme, cipher, suite, more in rows:
            with self.subTest(scheme=scheme, suite=suite):
                self.psk_server(version, cipher)
                process = self.client("--period", "0", *PSK, *more, scheme=scheme)
                self.works()
                shown = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
                self.assertNotIn(KEY.encode(), shown)
                out, err = self.ends(process)
                self.assertRegex(out, rf"connected to {re.escape(scheme)}://127.0.0.1:\d+ with {suite}, full handshake, \d+ ms\n")
                self.assertNotIn(KEY, out + err)
                self.server.close()

    def test_key_in_a_file(self):
        pathlib.Path(self.made("key")).write_text(KEY + "\n")
        self.psk_server("-dtls1_2", "PSK-AES128-CCM8")
        self.client("--identity", "hex:" + IDENTITY.encode().hex(), "--key", "@" + self.made("key"), scheme="coaps")
        self.works()

    def test_wrong_key(self):
        self.psk_server("-tls1_2", "PSK-AES128-CCM8")
        process = self.client("--identity", IDENTITY, "--key", "hex:" + KEY[::-1], "--retry", "1", scheme="coaps+tcp")
        self.server.wait(lambda: process.poll() is not None)
        _, err = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 3)
        self.assertIn("(alert 20, bad_record_mac: the key may be another one than the server's)", err)
        self.assertNotIn(KEY[::-1], err)

    def test_certificates_over_dtls(self):
        self.make_pair()
        self.s_server("-dtls1_2", "-cert", self.made("server.pem"), "-key", self.made("server.key"), "-CAfile", self.made("ca.pem"),
                      "-Verify", "1", "-verify_return_error", "-cipher", "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0")
        process = self.client(*self.x509("--server-cert", self.made("ca.pem"), "--usage", "2", "--sni", "server.example.org"),
                              scheme="coaps")
        self.works()
        self.ends(process)


@unittest.skipUnless(shutil.which("gnutls-serv"), "there is no gnutls-serv")
class GnutlsTest(SecuredTest):
    def test_raw_public_keys(self):
        """It echoes what it gets, so connecting is all there is."""
        self.make_key("server")
        self.make_key("device")
        for scheme, kind, version, more in (("coaps+tcp", socket.SOCK_STREAM, "TLS1.2", ()),
                                            ("coaps", socket.SOCK_DGRAM, "DTLS1.2", ("--udp",))):
            with self.subTest(scheme=scheme):
                self.serve(PipeBridge(
                    kind, "gnutls-serv", "--echo", "--quiet", "--port", "PORT", "--rawpkkeyfile", self.made("server.key"),
                    "--rawpkfile", self.made("server.pub"), "--priority", f"NORMAL:-VERS-ALL:+VERS-{version}:-CTYPE-ALL:"
                    "+CTYPE-RAWPK:-CIPHER-ALL:+AES-128-CCM-8:+AEAD", *more))
                process = self.client("--public-key", self.made("device.pub"), "--private-key", self.made("device.key"),
                                      "--server-key", self.made("server.pub"), scheme=scheme)
                self.says(process, "with TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, full handshake")
                process.kill()
                process.wait()
                self.server.close()


if __name__ == "__main__":
    DeviceTest.dunlin = sys.argv[1]
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
