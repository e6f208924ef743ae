# SPDX-License-Identifier: Apache-2.0
"""dunlind's addresses of every transport, its own key, and certificates that are read again when their files change."""

import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import unittest

from server import DUNLIND, Api, Contract, Server, wait_until

NO_SUCH = "/nonexistent/server.pem"


def identity(server):
    return Api(server.http, Contract()).get("/server-identity").json


def made_elsewhere(folder, name):
    """Another server's certificate and key, made by it at its first start."""
    with Server() as other:
        for kind in ("pem", "key"):
            shutil.copy(os.path.join(other.data, "server." + kind), os.path.join(folder, f"{name}.{kind}"))
    return [os.path.join(folder, f"{name}.{kind}") for kind in ("pem", "key")]


class Addresses(unittest.TestCase):
    def ready(self, *options, **more):
        with Server(*options, **more) as server:
            with open(server.ready, encoding="utf-8") as file:
                return json.load(file), server.log_text(), identity(server)

    def test_only_what_was_asked_for_beside_an_explicit_coap(self):
        ready, log, shown = self.ready()
        self.assertEqual(set(ready), {"coap", "http", "pid"})
        self.assertIn("coap listening on coap://127.0.0.1:", log)
        self.assertEqual(shown["nosec"], "loopback")

    def test_every_transport(self):
        ready, log, shown = self.ready("--coaps", "127.0.0.1:0", "--coap-tcp", "127.0.0.1:0", "--coaps-tcp", "127.0.0.1:0",
                                       "--coaps-tcp", "[::1]:0")
        for scheme in ("coap", "coaps", "coap+tcp", "coaps+tcp"):
            self.assertIn(f"{scheme} listening on {scheme}://{ready[scheme]}", log)
            self.assertIn(ready[scheme], " ".join(shown["addresses"][scheme]))
        self.assertEqual(len(shown["addresses"]["coaps+tcp"]), 2)

    def test_the_file_names_them_too(self):
        ready, _, _ = self.ready(config="coaps:\n  listen: [\"127.0.0.1:0\"]\ncoap-tcp:\n  listen: [\"127.0.0.1:0\"]\n")
        self.assertEqual(set(ready), {"coap", "coaps", "coap+tcp", "http", "pid"})

    def test_nosec_is_loud(self):
        _, log, shown = self.ready("--nosec", "on", coap="0.0.0.0:0")
        self.assertIn("WARNING: security.nosec is on", log)
        self.assertEqual(shown["nosec"], "on")
        _, log, _ = self.ready(coap="0.0.0.0:0")
        self.assertIn("for devices on this host only", log)
        self.assertNotIn("WARNING: security.nosec", log)


class WrongSettings(unittest.TestCase):
    def complaint(self, config, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(config)
            file.flush()
            done = subprocess.run([DUNLIND, "--config", file.name, "--check-config", *options], capture_output=True, text=True,
                                  timeout=60, check=False)
        self.assertEqual(done.returncode, 2, done.stdout)
        return done.stderr

    def test_they_are_told(self):
        for config, options, told in (
                ("security:\n  nosec: off\ncoap:\n  listen: [\"[::]:5683\"]\n", (), "security.nosec"),
                ("security:\n  nosec: \"off\"\n", ("--coap", "127.0.0.1:0"), "security.nosec"),
                ("security:\n  nosec: maybe\n", (), "nosec"),
                ("security:\n  certificate: [a.pem]\n", (), "security.certificate"),
                ("security:\n  mtu: 100\n", (), "security.mtu"),
                ("coap:\n  listen: []\n", (), "coap"),
                ("security:\n  nosec: \"off\"\ncoaps:\n  listen: []\n", (), "no address"),
                ("coaps:\n  port: 5684\n", (), "coaps")):
            with self.subTest(config):
                self.assertIn(told, self.complaint(config, *options))


class Keys(unittest.TestCase):
    def test_an_own_key_is_made_once(self):
        with Server() as server:
            first = identity(server)
            key, certificate = (os.path.join(server.data, name) for name in ("server.key", "server.pem"))
            self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
            with open(certificate, encoding="ascii") as file:
                self.assertEqual(first["certificates"], [file.read()])
            data = server.data
        with Server(data=data) as server:
            self.assertEqual(identity(server), first | {"addresses": identity(server)["addresses"]})
        # A lost certificate is made anew for the same key.
        os.unlink(certificate)
        with Server(data=data) as server:
            second = identity(server)
        self.assertEqual(second["public_key"], first["public_key"])
        self.assertNotEqual(second["fingerprints"], first["fingerprints"])

    def test_what_is_kept_in_memory_is_another_one_each_time(self):
        shown = []
        for _ in range(2):
            with Server("--store", "memory") as server:
                shown.append(identity(server)["public_key"])
                self.assertFalse(os.path.exists(os.path.join(server.data, "server.key")))
        self.assertNotEqual(*shown)

    def test_files_that_change_are_read(self):
        with tempfile.TemporaryDirectory() as folder:
            one, other = made_elsewhere(folder, "one"), made_elsewhere(folder, "other")
            used = [os.path.join(folder, name) for name in ("used.pem", "used.key")]

            def put(pair):
                for source, target in zip(pair, used):
                    shutil.copy(source, target + ".new")
                    os.rename(target + ".new", target)

            put(one)
            with Server("--certificate", used[0], "--key", used[1]) as server:
                first = identity(server)
                put(other)
                wait_until("the other certificate is shown", lambda: identity(server)["fingerprints"] != first["fingerprints"])
                second = identity(server)
                # One that cannot be, and a key that is not the certificate's, change nothing.
                with open(used[0], "w", encoding="ascii") as file:
                    file.write("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
                wait_until("the complaint", lambda: "the former keys and certificates stay in use" in server.log_text())
                self.assertEqual(identity(server), second)
                put((other[0], one[1]))
                wait_until("the second complaint", lambda: server.log_text().count("stay in use") >= 2)
                self.assertEqual(identity(server), second)
                # SIGHUP does not wait for the look at the files.
                put(one)
                server.process.send_signal(signal.SIGHUP)
                wait_until("the first certificate is back", lambda: identity(server)["fingerprints"] == first["fingerprints"])

    def test_other_files_by_reload(self):
        with tempfile.TemporaryDirectory() as folder:
            one, other = made_elsewhere(folder, "one"), made_elsewhere(folder, "other")

            def config(pair):
                return f"security:\n  certificate: [{pair[0]}]\n  key: [{pair[1]}]\n"

            with Server(config=config(one)) as server:
                first = identity(server)
                with open(server.config, "w", encoding="utf-8") as file:
                    file.write(config(other))
                server.process.send_signal(signal.SIGHUP)
                wait_until("the other certificate", lambda: identity(server)["fingerprints"] != first["fingerprints"])

    def test_a_start_without_its_files_says_so(self):
        server = Server("--certificate", NO_SUCH, "--key", NO_SUCH, wait=False)
        self.assertEqual(server.process.wait(60), 1)
        self.assertIn(NO_SUCH, server.log_text())
        server.log.close()

    def test_a_key_that_is_not_the_certificates(self):
        with tempfile.TemporaryDirectory() as folder:
            one, other = made_elsewhere(folder, "one"), made_elsewhere(folder, "other")
            server = Server("--certificate", one[0], "--key", other[1], wait=False)
            self.assertEqual(server.process.wait(60), 1)
            self.assertIn("cannot start", server.log_text())
            server.log.close()


if __name__ == "__main__":
    unittest.main()
