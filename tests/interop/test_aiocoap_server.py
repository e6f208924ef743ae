# SPDX-License-Identifier: Apache-2.0
"""aiocoap as an LwM2M server for `dunlin client`."""

import asyncio
import base64
import json
import socket

import aio
import flood
import links
import values
from aiocoap import Code, Message
from devices import DunlinDevice
from support.harness import Suite, case, check, equal
from support.programs import bound_port

BLOCKS = [16, 64, 256, 1024]
LARGE_SIZE = 4000
NAME = "dunlin"
LARGE_PATH = f"/{values.OBJECT}/0/{values.LARGE}"


class DunlinOnAiocoap(Suite):
    """`dunlin client` with an LwM2M server made of aiocoap."""

    name = "dunlin-on-aiocoap"

    def with_client(self, body, block=1024, **more):
        """Runs body(server, device) with a device registered."""
        async def run():
            async with aio.Server(block) as server:
                device = await asyncio.to_thread(DunlinDevice, self.programs, NAME, server.uri, **more)
                try:
                    await server.registered(NAME)
                    await body(server, device)
                finally:
                    await asyncio.to_thread(device.program.stop)

        aio.run(run())

    @case("the register has name, lifetime, version {0}, binding and the list of objects", ["1.0", "1.1"])
    def registers(self, version):
        async def body(server, device):
            _, query, payload = server.registrations[NAME]
            equal((query["ep"], query["lt"], query["lwm2m"], query.get("b", "U")), (NAME, "300", version, "U"))
            paths = {link["path"]: link["attributes"] for link in links.parse(payload)}
            for path in ("/1/0", "/3/0", "/3303/0", "/33500/0"):
                check(path in paths, f"{path} is not in {payload}")
            check(not any(path.startswith("/0") for path in paths), "the Security Object is listed")

        self.with_client(body, lwm2m=version)

    @case("the end of the device is a de-register")
    def deregisters(self):
        async def body(server, device):
            await asyncio.to_thread(device.stop)
            await server.until(lambda: NAME in server.removed)

        self.with_client(body)

    @case("an update that is answered 4.04 is followed by a register")
    def registers_again(self):
        async def body(server, device):
            server.refuse_update = True
            del server.registrations[NAME]
            await asyncio.to_thread(device.update)
            await server.registered(NAME)
            equal((await server.call(NAME, Code.GET, "/3/0/0")).code.dotted, "2.05")

        self.with_client(body)

    @case("values are as the formats of the standard say: a number as text, CBOR, SenML and TLV")
    def formats(self):
        async def body(server, device):
            path = "/33500/0/4"  # 21.5
            answers = {number: await server.call(NAME, Code.GET, path, accept=number) for number in
                       (values.TEXT, values.CBOR, values.SENML_JSON, values.SENML_CBOR, values.TLV)}
            for number, answer in answers.items():
                equal((answer.code.dotted, int(answer.opt.content_format)), ("2.05", number))
            equal(answers[values.TEXT].payload, b"21.5")
            equal(answers[values.CBOR].payload, bytes.fromhex("f94d60"))
            equal(json.loads(answers[values.SENML_JSON].payload), [{"bn": path, "v": 21.5}])
            equal(answers[values.TLV].payload, bytes.fromhex("c40441ac0000"))

        self.with_client(body)

    @case("{0} bytes are written and read in blocks of {1}", [(LARGE_SIZE, block) for block in BLOCKS])
    def blocks(self, size, block):
        async def body(server, device):
            data = base64.b64decode(values.opaque(size, block))
            answer = await server.call(NAME, Code.PUT, LARGE_PATH, data, content_format=values.OPAQUE)
            equal(answer.code.dotted, "2.04")
            equal(await asyncio.to_thread(device.get, LARGE_PATH), values.opaque(size, block), "on the device")
            answer = await server.call(NAME, Code.GET, LARGE_PATH, accept=values.OPAQUE)
            equal((answer.code.dotted, answer.payload), ("2.05", data))
            answer = await server.call(NAME, Code.GET, f"/{values.OBJECT}", accept=values.TLV)
            check(data in answer.payload, f"the value is not in the object of {len(answer.payload)} bytes")

        self.with_client(body, block)

    @case("an observation notifies until it is ended by {0}", ["GET with Observe 1", "a reset"])
    def observes(self, way):
        async def body(server, device):
            path = "/3303/0/5700"
            await asyncio.to_thread(device.set, path, "float", 1.0)
            request = server.observe(NAME, path, accept=values.TEXT)
            first = await aio.soon(request.response)
            equal((first.code.dotted, first.payload), ("2.05", b"1"))
            check(first.opt.observe is not None, "no Observe option")
            notifications = aiter(request.observation)
            for value in (2.5, 3.5, 4.5):
                await asyncio.to_thread(device.set, path, "float", value)
                notification = await aio.soon(anext(notifications))
                equal(notification.payload, str(value).encode())
            if way == "a reset":
                request.observation.cancel()
            else:
                token = request._request.token if hasattr(request, "_request") else None
                answer = await self.cancel(server, first, path, token)
                equal((answer.code.dotted, answer.opt.observe), ("2.05", None), "answer to the cancel")
            # aiocoap takes one more notification and resets the next, and of these only confirmable ones.
            await aio.until_silent(lambda value: asyncio.to_thread(device.set, path, "float", value),
                                   lambda: asyncio.to_thread(device.count, "notifications"), "notifications",
                                   most=None if way == "a reset" else 0)

        self.with_client(body, more=["--confirm"] if way == "a reset" else [])

    @staticmethod
    async def cancel(server, first, path, token):
        """GET with Observe 1 and the observation's token, which aiocoap would not choose by itself."""
        message = Message(code=Code.GET, uri_path=tuple(path.strip("/").split("/")), observe=1, accept=values.TEXT)
        message.remote = server.registrations[NAME][0]
        manager = server.context.request_interfaces[0]
        original = manager.next_token
        manager.next_token = lambda: token or first.token
        try:
            return await aio.soon(server.context.request(message, handle_blockwise=False).response)
        finally:
            manager.next_token = original

    @case("requests that can't be served get the code for it")
    def refuses(self):
        async def body(server, device):
            async def code(*arguments, **options):
                return (await server.call(NAME, *arguments, **options)).code.dotted

            equal(await code(Code.GET, "/3/0/0", accept=50), "4.06", "an unknown Accept")
            equal(await code(Code.PUT, "/1/0/1", b"60", content_format=50), "4.15", "an unknown Content-Format")
            equal(await code(Code.GET, "/0/0"), "4.01", "the Security Object")
            for path in ("/65535/0", "/3/x", "/3/0/0/0/0"):
                got = await code(Code.GET, path)
                check(got in ("4.00", "4.04", "4.05"), f"{path} that is no path: {got}")
            equal(await code(Code.PUT, "/3/0/0", b"x", content_format=0), "4.05", "a write of what is read-only")
            equal(await code(Code.PUT, "/1/0/1", b"abc", content_format=0), "4.00", "a text for a number")
            equal(await code(Code.POST, "/3/0/0"), "4.05", "an execute of what can't be")
            equal(await code(Code.DELETE, "/3/0"), "4.05", "a delete of the Device Object")
            equal(await code(Code.PUT, "/33500/0", b"\xc8\x01", content_format=values.TLV), "4.00", "a broken TLV")

        self.with_client(body)

    @case("an unknown critical option is answered 4.02, an unknown elective one is ignored")
    def options(self):
        async def body(server, device):
            for number, wanted in ((65001, "4.02"), (65000, "2.05")):
                message = Message(code=Code.GET, uri_path=("3", "0", "0"))
                message.remote = server.registrations[NAME][0]
                from aiocoap.numbers import OptionNumber
                from aiocoap.optiontypes import OpaqueOption
                message.opt.add_option(OpaqueOption(OptionNumber(number), b"x"))
                answer = await aio.soon(server.context.request(message).response)
                equal(answer.code.dotted, wanted, f"option {number}")

        self.with_client(body)

    @case("requests from an address that is not its server's are not answered")
    def strangers(self):
        async def body(server, device):
            def ask():
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
                    own.settimeout(1.0)
                    own.sendto(flood.message(flood.CON, 1, 1, b"t", flood.path("3", "0", "0")),
                               ("127.0.0.1", bound_port(device.program.pid)))
                    try:
                        return own.recv(2000)
                    except TimeoutError:
                        return None

            answer = await asyncio.to_thread(ask)
            check(answer is None or answer[1] >> 5 == 4 or answer[1] == 0, f"an answer: {answer}")

        self.with_client(body)


SUITES = [DunlinOnAiocoap]
