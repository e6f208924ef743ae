# SPDX-License-Identifier: Apache-2.0
"""aiocoap over TCP and TLS (RFC 8323), as a device with dunlind and as a server for `dunlin client`."""

import asyncio
import base64
import os
import ssl

import aio
import values
from aiocoap import Code
from devices import DunlinDevice
from security import pki as material
from security.credentials import X509, Credential, put, server_options
from servers import DunlindServer
from support.harness import Suite, case, check, equal
from support.programs import WORK
from test_leshan_queue import package

SIZES = [10, 1_200, 20_000]
CLIENT_SIZE = 4000  # the room of `dunlin client`
NAME = "streams"
PACKAGE_SIZE = 100_000
LARGE_PATH = f"/{values.OBJECT}/0/{values.LARGE}"
CIPHERS = {"ccm8": "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0", "cbc": "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0"}
KINDS = ["tcp", "tls"]


def security(pki, own, is_server, suite="ccm8"):
    """TLS 1.2 with the certificate of `own`, one suite, ALPN, and trust in the test's root."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(CIPHERS[suite])
    made.load_cert_chain(pki.path(own, "chain"), pki.path(own, "key"))
    made.load_verify_locations(pki.path("client-cas"))
    made.verify_mode = ssl.CERT_REQUIRED
    made.set_alpn_protocols(["coap"])
    return made


class AiocoapStreamsOnDunlind(Suite):
    """Devices made of aiocoap with dunlind over TCP and TLS."""

    name = "aiocoap-streams-on-dunlind"

    def set_up(self):
        self.pki = material.make(os.path.join(WORK, "pki-" + self.name), [NAME + "-tls"], bad=False)
        self.server = DunlindServer(self.programs, *server_options(self.pki))
        put(self.server.rest, Credential(self.pki, X509, NAME + "-tls"))

    def tear_down(self):
        self.server.stream.close()

    def device(self, kind, node, suite="ccm8"):
        scheme = "coap+tcp" if kind == "tcp" else "coaps+tcp"
        own = None if kind == "tcp" else security(self.pki, NAME + "-tls", False, suite)
        return aio.Device(self.server.program.uri_of(scheme), f"{NAME}-{kind}", "</3/0>,</3303/0>,</33500/0>", node, security=own,
                          more=["b=T"])

    async def ask(self, method, device, path, body=None, **query):
        return await asyncio.to_thread(self.server.rest.call, method, self.server.rest.device(device.endpoint, path), body, **query)

    @case("over {0} with {1} it registers, updates, and de-registers", [("tcp", "ccm8"), ("tls", "ccm8"), ("tls", "cbc")])
    def registers(self, kind, suite):
        async def body():
            async with self.device(kind, aio.Node(), suite) as device:
                equal(device.answer.code.dotted, "2.01")
                client = self.server.registration(device.endpoint)
                equal((client["transport"], client["security"]), (kind, "nosec" if kind == "tcp" else X509))
                equal((await device.update(lt=77)).code.dotted, "2.04")
                equal((await device.deregister()).code.dotted, "2.02")
                equal(self.server.registration(device.endpoint), None)

        aio.run(body())

    @case("over {1} {0} bytes are read and written", [(size, kind) for kind in KINDS for size in SIZES])
    def moves(self, size, kind):
        async def body():
            value = values.opaque(size)
            node = aio.Node({"/33500/0/30": (values.OPAQUE, base64.b64decode(value))})
            async with self.device(kind, node) as device:
                answer = await self.ask("GET", device, "/33500/0/30", format="opaque")
                equal((answer.status, answer.json["node"]["value"]), (200, value))
                answer = await self.ask("PUT", device, "/33500/0/30", {"type": "opaque", "value": value}, format="opaque")
                equal((answer.status, base64.b64encode(node.writes[-1][3]).decode()), (200, value))

        aio.run(body())

    @case("over {0} an observation notifies until it is cancelled", KINDS)
    def observes(self, kind):
        async def body():
            node = aio.Node({"/3303/0/5700": (values.TEXT, b"1.5")})
            async with self.device(kind, node) as device:
                answer = await self.ask("PUT", device, "/observations/3303/0/5700")
                equal((answer.status, answer.json["node"]["value"]), (201, 1.5))
                for value in (2.5, 3.5):
                    since = self.server.mark()
                    node.change("/3303/0/5700", values.TEXT, str(value).encode())
                    await asyncio.to_thread(self.server.notification, device.endpoint, "/3303/0/5700", since,
                                            lambda got, value=value: got["value"] == value)
                answer = await self.ask("DELETE", device, "/observations/3303/0/5700")
                equal(answer.status, 200, answer)
                await aio.soon(node.ended.wait())

        aio.run(body())


class DunlinStreamsOnAiocoap(Suite):
    """`dunlin client` with a server made of aiocoap over TCP and TLS."""

    name, endpoint = "dunlin-streams-on-aiocoap", NAME

    def set_up(self):
        self.pki = material.make(os.path.join(WORK, "pki-" + self.name), [NAME], bad=False)

    def with_client(self, kind, body, suite="ccm8"):
        """Runs body(server, device) with a device registered."""
        async def run():
            own = None if kind == "tcp" else security(self.pki, "server", True, suite)
            async with aio.Server(stream=True, security=own) as server:
                more = [] if kind == "tcp" else Credential(self.pki, X509, NAME, usage=2).client(suite)
                device = await asyncio.to_thread(DunlinDevice, self.programs, NAME, server.uri, more=more)
                try:
                    await server.registered(NAME)
                    await body(server, device)
                finally:
                    await asyncio.to_thread(device.program.stop)

        aio.run(run())

    @case("over {0} with {1} it registers with the binding T, updates, and de-registers",
          [("tcp", "ccm8"), ("tls", "ccm8"), ("tls", "cbc")])
    def registers(self, kind, suite):
        async def body(server, device):
            query = server.registrations[NAME][1]
            check("T" in query.get("b", ""), f"binding in {query}")
            await asyncio.to_thread(device.update)
            await server.until(lambda: server.updates)
            await asyncio.to_thread(device.stop)
            await server.until(lambda: NAME in server.removed)

        self.with_client(kind, body, suite)

    @case("over {0} {1} bytes are written and read", [(kind, CLIENT_SIZE) for kind in KINDS])
    def moves(self, kind, size):
        async def body(server, device):
            data = base64.b64decode(values.opaque(size))
            answer = await server.call(NAME, Code.PUT, LARGE_PATH, data, content_format=values.OPAQUE)
            equal(answer.code.dotted, "2.04")
            equal(await asyncio.to_thread(device.get, LARGE_PATH), values.opaque(size), "on the device")
            answer = await server.call(NAME, Code.GET, LARGE_PATH, accept=values.OPAQUE)
            equal((answer.code.dotted, answer.payload), ("2.05", data))

        self.with_client(kind, body)

    @case("over {0} a package of {1} bytes is pulled by the connection that is there", [(kind, size) for kind in KINDS for size in (1, PACKAGE_SIZE)])
    def pulls(self, kind, size):
        async def body(server, device):
            data = package("5.1", size) if size > 1 else b"x"
            server.files["/image"] = data
            remote = server.registrations[NAME][0]
            answer = await server.call(NAME, Code.PUT, "/5/0/1", f"{server.uri}/image".encode(), content_format=values.TEXT)
            equal(answer.code.dotted, "2.04")
            end = asyncio.get_running_loop().time() + 30
            while (await server.call(NAME, Code.GET, "/5/0/3", accept=values.TEXT)).payload == b"1":
                check(asyncio.get_running_loop().time() < end, "the package is not downloaded within 30 s")
                await asyncio.sleep(0.05)
            equal((await server.call(NAME, Code.GET, "/5/0/5", accept=values.TEXT)).payload, b"0", "the result")
            check(server.askers == {remote}, f"asked by {server.askers}")
            check(size == 1 or (await server.call(NAME, Code.GET, "/5/0/7", accept=values.TEXT)).payload == b"5.1", "the version")

        self.with_client(kind, body)

    @case("over {0} an observation notifies, and a Send arrives", KINDS)
    def observes(self, kind):
        async def body(server, device):
            path = "/3303/0/5700"
            await asyncio.to_thread(device.set, path, "float", 1.0)
            request = server.observe(NAME, path, accept=values.TEXT)
            first = await aio.soon(request.response)
            equal((first.code.dotted, first.payload), ("2.05", b"1"))
            queue = aio.gather_notifications(request.observation)
            for value in (2.5, 3.5, 4.5):
                await asyncio.to_thread(device.set, path, "float", value)
                while (await aio.soon(queue.get())).payload != str(value).encode():
                    pass
            request.observation.cancel()
            equal(await asyncio.to_thread(device.send, path, "/3/0/0"), "2.04")
            check(b"Dunlin" in server.sends[-1][1], f"sent: {server.sends}")

        self.with_client(kind, body)


SUITES = [AiocoapStreamsOnDunlind, DunlinStreamsOnAiocoap]
