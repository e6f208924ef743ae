#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run `dunlin client` and the example device against a small server made of a socket.

Usage: program_test.py DUNLIN THERMOMETER
"""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import unittest

from device_server import DELETE, GET, POST, PUT, TIMEOUT_S, DeviceTest, Server

THERMOMETER = None
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class ProgramTest(DeviceTest):
    def test_registers_serves_and_deregisters(self):
        ready = os.path.join(self.folder.name, "ready")
        process = self.client("--ready-file", ready, "--lifetime", "77", "--period", "0")
        self.registered()
        code, _, queries, links = self.server.seen[0]
        self.assertEqual(code, POST)
        self.assertEqual(queries, ["ep=prog-1", "lt=77", "lwm2m=1.1", "b=U"])
        self.assertIn("</3303/0>", links)
        self.server.wait(lambda: os.path.exists(ready) and os.path.getsize(ready) > 0)
        self.assertEqual(pathlib.Path(ready).read_text(), "/rd/7\n")
        self.assertEqual(self.server.ask(GET, "/3/0/0", accept=0), ("2.05", b"Dunlin"))
        self.assertEqual(self.server.ask(PUT, "/3311/0/5851", b"33", content_format=0)[0], "2.04")
        self.assertEqual(self.server.ask(GET, "/3311/0/5851", accept=0), ("2.05", b"33"))
        self.assertEqual(self.server.ask(PUT, "/3311/0/5851", b"101", content_format=0)[0], "4.00")
        out, _ = self.stop(process)
        self.assertEqual(process.returncode, 0)
        self.assertIn(f"registered as /rd/7 with coap://127.0.0.1:{self.server.port}\n", out)
        self.assertEqual(self.server.seen[-1][:2], (DELETE, "rd/7"))

    def test_values_move_by_the_seed(self):
        process = self.client("--seed", "5", "--period", "0.05")
        self.registered()
        self.comes_true("the least value is below the most", lambda: float(self.server.read("/3303/0/5601")) < float(
            self.server.read("/3303/0/5602")))
        self.stop(process, signal.SIGINT)

    def test_reboot_registers_anew(self):
        process = self.client("--no-console", "-v")
        self.registered()
        self.server.seen.clear()
        self.assertEqual(self.server.ask(POST, "/3303/0/5605", b"0,2='x'", content_format=0)[0], "2.04")
        self.assertEqual(self.server.ask(POST, "/3/0/4")[0], "2.04")
        self.registered()
        out, _ = self.stop(process)
        self.assertIn("executed /3303/0/5605\narguments 0,2='x'\n", out)
        self.assertIn("rebooting", out)

    def test_console(self):
        process = self.client("--period", "0", stdin=subprocess.PIPE)
        self.registered()
        process.stdin.write("set /3303/0/5700 -4.5\nset /3303/0/5700 warm\nget /3303/0/5700\nget /99\nset /3/0/14 \n"
                            "get /3/0/14\nadd /3311/7\nget /3311/7/5850\nremove /3311/7\nerror 8\nget /3/0/11\n"
                            "clear 8\nnonsense\nhelp\nstatus\ntree /1\n")
        process.stdin.flush()
        self.server.wait(lambda: len([s for s in self.server.seen if s[1] == "rd/7"]) >= 1)  # the list has changed
        self.assertEqual(self.server.ask(GET, "/3303/0/5700", accept=0), ("2.05", b"-4.5"))
        process.stdin.write("quit\n")
        process.stdin.flush()
        self.server.wait(lambda: process.poll() is not None)
        out, _ = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 0)
        for line in ("/3303/0/5700 is set", "error: /3303/0/5700: ", "/3303/0/5700 = -4.5 (float)", "error: /99: ",
                     "/3/0/14 =  (string)", "/3311/7 is there", "/3311/7/5850 = 0 (boolean)",
                     "/3311/7 is not there any more", "/3/0/11/0 = 8 (integer)", "error: there is no command 'nonsense'",
                     "registered; datagrams", "/1/0/1 = 86400 (integer)"):
            self.assertIn(line, out)

    def test_goes_on_when_the_input_ends(self):
        process = self.client()  # standard input is /dev/null
        self.registered()
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        self.assertEqual(self.server.ask(GET, "/3/0/16", accept=0), ("2.05", b"U"))
        self.stop(process)

    def test_objects_of_files(self):
        process = self.client("--object", str(ROOT / "models/3304.xml"), "--object",
                              str(ROOT / "tests/interop/models/33500.xml"), "--period", "0", stdin=subprocess.PIPE)
        self.registered()
        self.assertIn("</3304/0>", self.server.seen[0][3])
        self.assertEqual(self.server.ask(GET, "/33500/0/21/0", accept=0), ("2.05", b"text"))
        self.assertEqual(self.server.ask(PUT, "/33500/0/1", b"new", content_format=0)[0], "2.04")
        self.assertEqual(self.server.ask(GET, "/33500/0/1", accept=0), ("2.05", b"new"))
        code, _ = self.server.ask(POST, "/33500", b'[{"n":"/33500/3/1","vs":"x"}]', content_format=110)
        self.assertEqual(code, "2.01")
        self.assertEqual(self.server.ask(DELETE, "/33500/3")[0], "2.02")
        self.stop(process)

    def test_ipv6(self):
        if not socket.has_ipv6:
            self.skipTest("no IPv6 here")
        try:
            server = Server(socket.AF_INET6)
        except OSError:
            self.skipTest("no IPv6 here")
        self.client(server=server, host="[::1]")
        self.registered(server)
        server.close()

    def test_objects_of_the_standard(self):
        self.client("--period", "0.05", "--cellular")
        self.registered()
        links = self.server.seen[0][3]
        for link in ("</4/0>", "</5/0>", "</6/0>", "</7/0>", "</16/0>", "</10>;ver=1.1,</10/0>", "</11>;ver=1.1,</11/0>"):
            self.assertIn(link, links)
        self.assertEqual(self.server.read("/4/0/0"), "7")
        self.assertEqual(self.server.ask(GET, "/4/0", accept=110)[0], "2.05")
        first, began = (self.server.read("/6/0/0"), self.server.read("/6/0/1")), time.time()
        self.comes_true("it has moved", lambda: (self.server.read("/6/0/0"), self.server.read("/6/0/1")) != first)
        self.comes_true("the time is that of a position since", lambda: began - 2 <= float(self.server.read("/6/0/5")) <= time.time() + 1)
        self.assertGreater(int(self.server.read("/3/0/21")), int(self.server.read("/3/0/10")))
        self.assertEqual(self.server.read("/16/0/0/0"), "prog-1")
        self.assertEqual(self.server.read("/10/0/11/0"), "11:0")
        code, _ = self.server.ask(POST, "/11", b'[{"n":"/11/1/0","vs":"m2m"},{"n":"/11/1/4","v":3}]', content_format=110)
        self.assertEqual(code, "2.01")
        self.assertEqual(self.server.ask(PUT, "/11/1/3", b"1", content_format=0)[0], "2.04")
        self.assertEqual(self.server.read("/10/0/11/1"), "11:1")

    def test_statistics(self):
        self.client("--period", "0")
        self.registered()
        self.assertEqual(self.server.ask(POST, "/7/0/6")[0], "2.04")
        for _ in range(40):  # 40 answers of about 60 bytes, over the loopback interface, which is counted
            self.assertEqual(self.server.ask(GET, "/3/0", accept=110)[0], "2.05")
        self.assertEqual(self.server.ask(POST, "/7/0/7")[0], "2.04")
        sent, most, mean = (int(self.server.read(f"/7/0/{r}")) for r in (2, 4, 5))
        self.assertGreaterEqual(sent, 4)
        self.assertGreater(most, mean)
        self.assertGreater(mean, 10)
        self.assertEqual(sent, int(self.server.read("/7/0/2")))

    def test_two_servers(self):
        second = Server()
        self.client("-u", f"coap://127.0.0.1:{second.port}", "--period", "0")
        self.registered()
        second.wait(lambda: bool(second.seen))
        self.assertEqual(self.server.read("/1/0/0"), "1")
        self.assertEqual(second.read("/1/1/0"), "2")
        self.assertEqual(second.read("/3/0/0"), "Dunlin")
        self.assertEqual(second.ask(PUT, "/3311/0/5851", b"5", content_format=0)[0], "2.04")
        self.assertEqual(second.ask(PUT, "/1/0/1", b"5", content_format=0)[0], "4.01")
        self.assertEqual(second.ask(POST, "/5/0/2")[0], "4.01")
        self.assertEqual(second.read("/5/0/3"), "0")
        self.assertEqual(self.server.ask(POST, "/5/0/2")[0], "4.05")
        self.assertEqual(second.ask(POST, "/16", b'[{"n":"/16/1/0/0","vs":"x"}]', content_format=110)[0], "2.01")
        self.assertEqual(second.read("/16/1/0/0"), "x")
        self.assertEqual(self.server.read("/16/1/0/0"), "4.01")  # it is the second's own
        self.assertEqual(self.server.ask(POST, "/3", b"[]", content_format=110)[0], "4.05")
        second.close()

    def test_root_path(self):
        self.client("--root-path", "/lwm2m", "--period", "0")
        self.registered()
        self.assertIn('</lwm2m>;rt="oma.lwm2m"', self.server.seen[0][3])
        self.assertEqual(self.server.read("/lwm2m/3/0/0"), "Dunlin")

    def test_console_of_the_standard_objects(self):
        process = self.client("--period", "0", stdin=subprocess.PIPE)
        self.registered()
        process.stdin.write("battery 12\nbattery full\nget /3/0/9\nget /3/0/11\nplace 48.5 -16.25\nplace x y\nfirmware\n"
                            "firmware now\nfirmware sometimes\nfirmware ram\nsend /3/0/9 /99/0\nsend nonsense\n"
                            "send /3/0/9 /3303/0\n")
        process.stdin.flush()
        self.server.wait(lambda: any(path == "dp" for _, path, _, _ in self.server.seen))
        sent = [payload for _, path, _, payload in self.server.seen if path == "dp"][0]
        self.assertIn("/3303/0/", sent)
        self.assertEqual(self.server.read("/6/0/1"), "-16.25")
        process.stdin.write("quit\n")
        process.stdin.flush()
        self.server.wait(lambda: process.poll() is not None)
        out, _ = process.communicate(timeout=TIMEOUT_S)
        for line in ("the battery has 12 %", "error: 'full' is no level", "/3/0/9 = 12 (integer)", "/3/0/11/0 = 1 (integer)",
                     "it is at 48.500000, -16.250000", "error: it takes degrees", "; idle, result 0",
                     "error: no package is there", "error: it takes now, not, flash", "updates will fail: ram",
                     "error: nothing is at one of the paths", "error: 'nonsense' is one path too many", "it is on its way",
                     "server 1 has taken it"):
            self.assertIn(line, out)

    def test_queue_mode(self):
        process = self.client("--queue", "--awake", "2", "--period", "0", "-v", stdin=subprocess.PIPE)
        self.registered()
        self.assertIn("Q", self.server.seen[0][2])
        self.says(process, "asleep\n")
        with self.assertRaises(AssertionError):  # it hears nothing
            self.server.ask(GET, "/3/0/0", accept=0, timeout_s=1)

        def heard():
            process.stdin.write("update\n")  # wakes it
            process.stdin.flush()
            self.server.wait(lambda: self.server.seen[-1][:2] == (POST, "rd/7"))
            try:
                return self.server.ask(GET, "/3/0/0", accept=0, timeout_s=1) == ("2.05", b"Dunlin")
            except AssertionError:
                return False  # too late, it sleeps again
        self.comes_true("awake, it is read", heard)
        out, _ = self.stop(process)
        self.assertIn("awake\n", out)

    def test_refused(self):
        self.server.register = 0x83
        process = self.client("--retry", "0")
        self.server.wait(lambda: process.poll() is not None)
        _, err = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 1)
        self.assertIn("4.03 Forbidden", err)
        self.assertIn("giving up", err)
        self.assertEqual(len(self.server.seen), 5)

    def test_wrong_command_lines(self):
        rows = (
            (["-e", "x", "-u", "http://h"], 2, "coap://"),
            (["-e", "x", "-u", "coaps://h"], 2, "needs credentials"),
            (["-e", "x", "-u", "coaps://h", "--identity", "i", "--key", "secret"], 2, "--key takes hex:DIGITS"),
            (["-e", "x", "-u", "coaps://h", "--identity", "i", "--key", "@/nonexistent"], 2, "--key /nonexistent: "),
            (["-e", "x", "-u", "coaps://h", "--cert", "/nonexistent"], 2, "--private-key is missing"),
            (["-e", "x"], 2, "-u URL is missing"),
            (["-e", "x", "-u", "coap://127.0.0.1", "--state", "/proc/no/such"], 2, "cannot keep anything"),
            (["-e", "x", "-u", "coap://127.0.0.1", "--firmware-fail", "often"], 2, "--firmware-fail takes"),
            (["-e", "x", "-u", "coap://127.0.0.1", "--object", "/nonexistent.xml"], 2, "cannot read"),
            (["-e", "x", "-u", "coap://127.0.0.1", "--object", str(ROOT / "models/3.xml")], 2, "leave it out"),
            (["-e", "x", "-u", "coap://127.0.0.1", "--object", str(ROOT / "README.md")], 2, "README.md:"),
            (["-e", "x", "-u", "coap://127.0.0.1", "--local", "nowhere"], 2, "--local takes"),
        )
        for arguments, code, text in rows:
            done = subprocess.run([self.dunlin, "client", *arguments], capture_output=True, text=True, timeout=TIMEOUT_S,
                                  stdin=subprocess.DEVNULL, check=False)
            self.assertEqual(done.returncode, code, arguments)
            self.assertIn(text, done.stderr)

    def test_help(self):
        done = subprocess.run([self.dunlin, "client", "--help"], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        self.assertIn("examples:", done.stdout)

    def test_example(self):
        process = self.start(THERMOMETER, "thermo-9", "127.0.0.1", str(self.server.port))
        self.registered()
        self.assertEqual(self.server.seen[0][2][0], "ep=thermo-9")
        self.assertEqual(self.server.ask(GET, "/3303/0/5701", accept=0), ("2.05", b"Cel"))
        self.assertEqual(self.server.ask(POST, "/3303/0/5605")[0], "2.04")
        code, value = self.server.ask(GET, "/3303/0/5700", accept=0)
        self.assertEqual(code, "2.05")
        self.assertTrue(20 <= float(value) <= 21)
        out, _ = self.stop(process)
        self.assertEqual(process.returncode, 0)
        self.assertIn("registered as /rd/7", out)


if __name__ == "__main__":
    DeviceTest.dunlin, THERMOMETER = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
