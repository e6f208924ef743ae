# SPDX-License-Identifier: Apache-2.0
"""libcoap's coap-client and coap-server (Debian's package libcoap3-bin) with both sides of our engine and with dunlind."""

import re
import shutil
import subprocess
import tempfile

from probe import SLOW_TICK_MS, TICK_MS, ProbeServer, body_of, exponent, probe
from servers import DunlindServer
from support.harness import Skipped, Suite, case, check, equal
from support.programs import WORK, free_port, wait_until

BLOCKS = [16, 64, 256, 1024]
LARGE = 10000
OBS_LARGE = 3000
PATIENCE_S = (3, 15, 60)  # of an observation, until enough was notified


def need(program):
    found = shutil.which(program) or shutil.which(program.replace("-notls", ""))
    if not found:
        raise Skipped(f"there is no {program}: ./dev setup interop")
    return found


def coap_client(*arguments, timeout_s=240):
    """(body, what it logs) of a run of coap-client."""
    with tempfile.NamedTemporaryFile(dir=WORK) as out:
        done = subprocess.run([need("coap-client-notls"), "-v", "6", "-o", out.name, *arguments], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=timeout_s, check=False)
        return out.read(), (done.stdout + done.stderr).decode(errors="replace")


class LibcoapOnProbe(Suite):
    """coap-client with our engine as a server."""

    name = "libcoap-client-on-engine"

    def set_up(self):
        need("coap-client-notls")
        self.uri = ProbeServer(self.programs).uri
        self.small_blocks = ProbeServer(self.programs, 64).uri
        self.slow = ProbeServer(self.programs, tick_ms=SLOW_TICK_MS).uri

    @case("a small resource is got, confirmably and not")
    def gets_small(self):
        equal(coap_client(self.uri + "/small")[0], b"hello")
        equal(coap_client("-N", self.uri + "/small")[0], b"hello")

    @case("10,000 bytes are got in blocks of {0}, as the client asks", BLOCKS)
    def gets_blocks(self, block):
        equal(coap_client("-b", str(block), f"{self.uri}/large?size={LARGE}")[0], body_of(LARGE))

    @case("10,000 bytes are got in blocks of 64, as the server wants")
    def gets_small_blocks(self):
        equal(coap_client(f"{self.small_blocks}/large?size={LARGE}")[0], body_of(LARGE))

    @case("10,000 bytes are put in blocks of {0} and got back", BLOCKS)
    def puts_blocks(self, block):
        with tempfile.NamedTemporaryFile(dir=WORK) as file:
            file.write(body_of(LARGE))
            file.flush()
            coap_client("-m", "put", "-b", str(block), "-f", file.name, self.uri + "/store")
        equal(coap_client(self.uri + "/store")[0], body_of(LARGE))

    @case("2,000,000 bytes go each way in blocks of {0}, and we have no room for two of them", [256, 1024])
    def pieces(self, block):
        size = 2000000
        equal(coap_client("-b", str(block), f"{self.uri}/file?size={size}")[0], body_of(size))
        with tempfile.NamedTemporaryFile(dir=WORK) as file:
            file.write(body_of(size))
            file.flush()
            coap_client("-m", "put", "-b", str(block), "-f", file.name, self.uri + "/file")
        equal(coap_client(self.uri + "/got")[0], b"%d text whole" % size)

    @case("pieces go on although the client loses some of its datagrams")
    def pieces_lossy(self):
        equal(coap_client("-l", "2,7", f"{self.uri}/file?size={LARGE}")[0], body_of(LARGE))
        with tempfile.NamedTemporaryFile(dir=WORK) as file:
            file.write(body_of(LARGE))
            file.flush()
            coap_client("-m", "put", "-b", "1024", "-l", "2,5", "-f", file.name, self.uri + "/file")
        equal(coap_client(self.uri + "/got")[0], b"%d text whole" % LARGE)

    @case("a server that takes blocks of 64 makes the client go on with those")
    def puts_negotiated(self):
        with tempfile.NamedTemporaryFile(dir=WORK) as file:
            file.write(body_of(LARGE))
            file.flush()
            coap_client("-m", "put", "-b", "1024", "-f", file.name, self.small_blocks + "/store")
        equal(coap_client(self.small_blocks + "/store")[0], body_of(LARGE))

    @case("a fetch with 3,000 bytes is answered with 3,000 bytes")
    def fetches(self):
        with tempfile.NamedTemporaryFile(dir=WORK) as file:
            file.write(body_of(3000))
            file.flush()
            equal(coap_client("-m", "fetch", "-b", "256", "-t", "0", "-f", file.name, self.uri + "/echo")[0], body_of(3000))

    @case("a resource is observed for some seconds, with values in order")
    def observes(self):
        for seconds in PATIENCE_S:
            numbers = [int(line) for line in coap_client("-w", "-s", str(seconds), self.uri + "/obs")[0].split()]
            equal(numbers, sorted(set(numbers)), "values")
            if len(numbers) >= 4:
                return
        raise AssertionError(f"only {len(numbers)} notifications in {seconds} s, one each {TICK_MS} ms")

    @case("a resource larger than a block is observed")
    def observes_large(self):
        for seconds in PATIENCE_S:
            text, said = coap_client("-s", str(seconds), "-b", "256", self.slow + "/obs-large")
            # The client writes blocks as they come, so that the last body may be a part of one when its time is up.
            bodies = [text[at:at + OBS_LARGE] for at in range(0, len(text), OBS_LARGE)]
            begins = [re.match(rb"line (\d+) of", body) for body in bodies]
            firsts = [int(begin.group(1)) if begin else -1 for begin in begins]
            # A value that changed while its blocks were got is no whole one: then once more.
            cut = [first for first, body in zip(firsts, bodies) if body != body_of(OBS_LARGE, first)[:len(body)]]
            if len(bodies) >= 2 and not cut:
                break
        check(len(bodies) >= 2, f"{len(text)} bytes of notifications:\n{said[-2000:]}")
        equal(cut, [], "bodies that are not whole")
        equal(firsts, sorted(set(firsts)), "values")

    @case("a separate response is awaited")
    def separate(self):
        equal(coap_client(self.uri + "/separate")[0], b"late")

    @case("10,000 bytes go both ways although the client loses some of its datagrams")
    def lossy(self):
        with tempfile.NamedTemporaryFile(dir=WORK) as file:
            file.write(body_of(LARGE))
            file.flush()
            coap_client("-m", "put", "-b", "1024", "-l", "2,5", "-f", file.name, self.uri + "/store")
        equal(coap_client("-l", "1,4", self.uri + "/store")[0], body_of(LARGE))

    @case("what is not there is answered 4.04, an unknown critical option 4.02")
    def refuses(self):
        check("4.04" in coap_client(self.uri + "/nowhere")[1], "no 4.04")
        check("4.02" in coap_client("-O", "65001,x", self.uri + "/small")[1], "no 4.02")


class ProbeOnLibcoap(Suite):
    """Our engine as a client with coap-server."""

    name = "engine-on-libcoap-server"

    def set_up(self):
        port = free_port()
        self.uri = f"coap://127.0.0.1:{port}"
        self.programs.start("coap-server", [need("coap-server-notls"), "-A", "127.0.0.1", "-p", str(port), "-d", "10"])
        wait_until("coap-server answers", lambda: probe("get", self.uri + "/", "--timeout", "1")[0] == 0)

    @case("its front page and its list of resources are got")
    def gets(self):
        status, body, _ = probe("get", self.uri + "/")
        check(status == 0 and b"libcoap" in body, f"{status} {body}")
        status, body, _ = probe("get", self.uri + "/.well-known/core")
        check(status == 0 and b"</time>" in body, f"{status} {body}")

    @case("10,000 bytes are put and got in blocks of {0}", BLOCKS)
    def blocks(self, block):
        with tempfile.NamedTemporaryFile(dir=WORK) as file:
            file.write(body_of(LARGE))
            file.flush()
            status, _, said = probe("put", f"{self.uri}/dunlin-{block}", "--file", file.name, "--szx", str(exponent(block)))
            equal(status, 0, said)
        status, body, said = probe("get", f"{self.uri}/dunlin-{block}", "--szx", str(exponent(block)))
        equal((status, body), (0, body_of(LARGE)), said)

    @case("200,000 bytes are put from a file and got as they come, in blocks of {0}", [64, 1024])
    def pieces(self, block):
        size = 200000
        with tempfile.NamedTemporaryFile(dir=WORK) as file:
            file.write(body_of(size))
            file.flush()
            status, _, said = probe("put", f"{self.uri}/pieces-{block}", "--pieces", file.name, "--szx", str(exponent(block)))
            equal(status, 0, said)
        status, body, said = probe("get", f"{self.uri}/pieces-{block}", "--sink", "--szx", str(exponent(block)))
        equal((status, body), (0, body_of(size)), said)
        at = size // 2 // block * block
        status, body, said = probe("get", f"{self.uri}/pieces-{block}", "--sink", "--from", str(at), "--szx", str(exponent(block)))
        equal((status, body), (0, body_of(size)[at:]), said)

    @case("the time is observed")
    def observes(self):
        status, body, said = probe("observe", self.uri + "/time", "--count", "4", "--timeout", "50")
        equal(status, 0, said)
        check(len(set(body.split(b"\n"))) >= 4, f"notifications: {body}")

    @case("a separate response is awaited")
    def separate(self):
        status, body, said = probe("get", self.uri + "/async?3")
        equal((status, body), (0, b"done"), said)

    @case("what is not there is answered 4.04")
    def refuses(self):
        status, _, said = probe("get", self.uri + "/nowhere")
        check(status == 1 and "4.04" in said, f"{status} {said}")


class LibcoapOnDunlind(Suite):
    """coap-client registers by hand with dunlind."""

    name = "libcoap-on-dunlind"

    def set_up(self):
        need("coap-client-notls")
        self.server = DunlindServer(self.programs)

    def tear_down(self):
        self.server.stream.close()

    @case("the resource directory is found with GET /.well-known/core")
    def well_known(self):
        body, _ = coap_client(self.server.uri + "/.well-known/core")
        check(b"</rd>" in body, f"links: {body}")

    @case("a package of {0} bytes is got in blocks of {1}", [(1, 1024), (150_000, 64), (2_000_000, 1024)])
    def packages(self, size, block):
        made = self.server.upload(body_of(size))
        body, said = coap_client("-b", str(block), made["uris"][0])
        check(body == body_of(size), f"{len(body)} bytes: {said[-300:]}")

    @case("a package is got although the client loses some of its datagrams; one that is unknown is answered 4.04")
    def packages_lossy(self):
        made = self.server.upload(body_of(LARGE))
        equal(coap_client("-l", "2,5", made["uris"][0])[0], body_of(LARGE))
        check("4.04" in coap_client(self.server.uri + "/fw/" + "0" * 32)[1], "no 4.04")

    @case("a register, an update and a de-register")
    def registers(self):
        port = str(free_port())
        _, said = coap_client("-p", port, "-m", "post", "-t", "40", "-e", "</3/0>,</3303/0>",
                              self.server.uri + "/rd?ep=libcoap&lt=60&lwm2m=1.1&b=U")
        client = self.server.registration("libcoap")
        check(client is not None, f"not registered: {said}")
        equal((client["lifetime"], client["lwm2m"], client["address"]), (60, "1.1", f"coap://127.0.0.1:{port}"))
        location = f"{self.server.uri}/rd/{client['registrationId']}"
        since = self.server.mark()
        coap_client("-p", port, "-m", "post", location + "?lt=90")
        equal(self.server.updated("libcoap", since)["lifetime"], 90)
        coap_client("-p", port, "-m", "delete", location)
        self.server.wait_gone("libcoap")

    @case("a register with a link list in blocks of {0} bytes", [16, 128, 1024])
    def registers_blocks(self, block):
        links = ",".join(f"</33500/{i}>" for i in range(300))
        with tempfile.NamedTemporaryFile(dir=WORK) as file:
            file.write(links.encode())
            file.flush()
            coap_client("-m", "post", "-t", "40", "-b", str(block), "-f", file.name,
                        f"{self.server.uri}/rd?ep=blocks-{block}&lt=60&lwm2m=1.1")
        client = self.server.registration(f"blocks-{block}")
        check(client is not None, "not registered")
        equal(len(client["objects"][0]["instances"]), 300, "instances")


SUITES = [LibcoapOnProbe, ProbeOnLibcoap, LibcoapOnDunlind]
