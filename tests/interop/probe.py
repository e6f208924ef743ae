# SPDX-License-Identifier: Apache-2.0
"""coap_probe: our CoAP engine alone, as a server and as a client (tests/probe)."""

import os
import subprocess

from support.programs import BIN, WORK, wait_until

PROBE = os.path.join(BIN, "test", "coap_probe")
TICK_MS, SEPARATE_MS = 200, 3000
SLOW_TICK_MS = 1500  # so that a value of many blocks is got before it changes


def body_of(size, first=0):
    """What GET /large?size=… answers, and (from another line on) what /obs-large notifies."""
    return b"".join(b"line %07d of the body\n" % i for i in range(first, first + size // 25 + 1))[:size]


def exponent(block):
    return block.bit_length() - 5


class ProbeServer:
    def __init__(self, programs, block=1024, tick_ms=TICK_MS):
        ready = os.path.join(WORK, f"{programs.suite}-{block}-{tick_ms}.ready")
        if os.path.exists(ready):
            os.remove(ready)
        self.program = programs.start(f"probe-{block}-{tick_ms}", [
            PROBE, "server", "--listen", "127.0.0.1:0", "--ready-file", ready, "--szx", str(exponent(block)), "--tick",
            str(tick_ms), "--separate", str(SEPARATE_MS)])

        def address():
            if not os.path.exists(ready):
                return None
            with open(ready, encoding="ascii") as file:
                text = file.read()
            return text.strip() if text.endswith("\n") else None

        self.uri = wait_until("the probe's server is ready", address)


def probe(method, uri, *options, timeout_s=240):
    """(exit status, body, what it says of the code) of a run of the probe's client."""
    done = subprocess.run([PROBE, method, uri, *options], capture_output=True, timeout=timeout_s, check=False)
    return done.returncode, done.stdout, done.stderr.decode()
