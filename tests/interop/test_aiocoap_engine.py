# SPDX-License-Identifier: Apache-2.0
"""aiocoap with both sides of our engine alone."""

import asyncio

import aio
from aiocoap import Code, Message
from probe import SLOW_TICK_MS, ProbeServer, body_of, exponent, probe
from support.harness import Suite, case, check, equal
from support.programs import free_port

BLOCKS = [16, 64, 256, 1024]
LARGE = 10000
NOTIFICATIONS = 6
SLOW_S = 3


class AiocoapOnEngine(Suite):
    """aiocoap as a client with our engine as a server."""

    name = "aiocoap-client-on-engine"

    def set_up(self):
        self.uri = ProbeServer(self.programs).uri
        self.small_blocks = ProbeServer(self.programs, 64).uri
        self.slow = ProbeServer(self.programs, tick_ms=SLOW_TICK_MS).uri

    def talk(self, body, block=1024):
        async def run():
            context = await aio.open_context(block=block)
            try:
                await body(context)
            finally:
                await context.shutdown()

        aio.run(run())

    @case("a small resource is got")
    def gets_small(self):
        async def body(context):
            answer = await aio.request(context, Code.GET, self.uri + "/small")
            equal((answer.code.dotted, answer.payload), ("2.05", b"hello"))

        self.talk(body)

    @case("10,000 bytes are put and got in blocks of {0}", BLOCKS)
    def blocks(self, block):
        async def body(context):
            answer = await aio.request(context, Code.PUT, self.uri + "/store", body_of(LARGE), content_format=42)
            equal(answer.code.dotted, "2.04")
            answer = await aio.request(context, Code.GET, self.uri + "/store")
            equal((answer.payload, answer.opt.content_format), (body_of(LARGE), 42))
            answer = await aio.request(context, Code.GET, f"{self.uri}/large?size={LARGE}")
            equal(answer.payload, body_of(LARGE))

        self.talk(body, block)

    @case("a server that takes blocks of 64 is put and got 10,000 bytes")
    def blocks_negotiated(self):
        async def body(context):
            answer = await aio.request(context, Code.PUT, self.small_blocks + "/store", body_of(LARGE))
            equal(answer.code.dotted, "2.04")
            equal((await aio.request(context, Code.GET, self.small_blocks + "/store")).payload, body_of(LARGE))

        self.talk(body)

    @case("a body of 5,000 bytes is answered with one of 5,000 bytes, for POST and FETCH")
    def both_ways(self):
        async def body(context):
            for code in (Code.POST, Code.FETCH):
                answer = await aio.request(context, code, self.uri + "/echo", body_of(5000), content_format=0)
                equal(answer.payload, body_of(5000), str(code))

        self.talk(body)

    @case("requests at once from one client are each answered")
    def at_once(self):
        async def body(context):
            answers = await asyncio.gather(*(aio.request(context, Code.GET, f"{self.uri}/large?size={size}")
                                             for size in range(100, 3100, 100)))
            for size, answer in zip(range(100, 3100, 100), answers):
                equal(answer.payload, body_of(size), size)

        self.talk(body)

    @case("/{0} is observed, then no longer, by {1}", [
        ("obs", "asking with Observe 1"), ("obs", "resetting a notification"), ("obs-large", "resetting a notification")])
    def observes(self, path, way):
        large = path == "obs-large"
        uri = f"{self.slow if large else self.uri}/{path}"

        async def body(context):
            message = Message(code=Code.GET, uri=uri, observe=0)
            request = context.request(message)
            first = await aio.soon(request.response)
            check(first.opt.observe is not None, "the first answer has no Observe option")
            queue = aio.gather_notifications(request.observation)
            seen = [await aio.soon(queue.get()) for _ in range(NOTIFICATIONS // 2 if large else NOTIFICATIONS)]
            counts = [int(n.payload.split()[1 if large else 0]) for n in seen]
            equal(counts, sorted(set(counts)), "values")  # one that is not sent yet gives way to the next
            if large:
                equal({len(n.payload) for n in seen}, {3000}, "sizes")
            if way.startswith("asking"):
                answer = await aio.request(context, Code.GET, uri, observe=1)
                equal((answer.code.dotted, answer.opt.observe), ("2.05", None))
            request.observation.cancel()
            await asyncio.sleep(1.5)  # the next notification finds nobody and is reset

        self.talk(body)

    @case("a separate response is awaited")
    def separate(self):
        async def body(context):
            equal((await aio.request(context, Code.GET, self.uri + "/separate")).payload, b"late")

        self.talk(body)

    @case("what is not there is answered 4.04, a method that is not 4.05")
    def refuses(self):
        async def body(context):
            equal((await aio.request(context, Code.GET, self.uri + "/nowhere")).code.dotted, "4.04")
            equal((await aio.request(context, Code.PUT, self.uri + "/small")).code.dotted, "4.05")

        self.talk(body)


class EngineOnAiocoap(Suite):
    """Our engine as a client with aiocoap as a server."""

    name = "engine-on-aiocoap-server"

    def serve(self, node, body, block=1024):
        """Runs body(uri) in a thread while aiocoap serves `node`."""
        async def run():
            port = free_port()
            context = await aio.open_context(node, block, port)
            try:
                await body(f"coap://127.0.0.1:{port}")
            finally:
                await context.shutdown()

        aio.run(run())

    @staticmethod
    async def probe(*arguments):
        return await asyncio.to_thread(probe, *arguments)

    @case("a small resource is got, confirmably and not")
    def gets_small(self):
        async def body(uri):
            equal((await self.probe("get", uri + "/small"))[:2], (0, b"hello"))
            equal((await self.probe("get", uri + "/small", "--non"))[:2], (0, b"hello"))
            status, _, said = await self.probe("get", uri + "/nowhere")
            check(status == 1 and "4.04" in said, said)

        self.serve(aio.Node({"/small": (0, b"hello")}), body)

    @case("10,000 bytes are put and got in blocks of {0}, as the server wants", BLOCKS)
    def blocks(self, block):
        node = aio.Node({"/large": (42, body_of(LARGE))})

        async def body(uri):
            status, got, said = await self.probe("get", uri + "/large")
            equal((status, got), (0, body_of(LARGE)), said)
            status, _, said = await self.probe("put", uri + "/store", "--size", str(LARGE), "--format", "42")
            equal(status, 0, said)
            code, path, content_format, payload = node.writes[-1]
            equal((code, path, content_format, len(payload)), (Code.PUT, "/store", 42, LARGE))

        self.serve(node, body, block)

    @case("10,000 bytes are put and got in blocks of {0}, as the client asks", BLOCKS)
    def blocks_asked(self, block):
        node = aio.Node({"/large": (42, body_of(LARGE))})
        szx = ["--szx", str(exponent(block))]

        async def body(uri):
            status, got, said = await self.probe("get", uri + "/large", *szx)
            equal((status, got), (0, body_of(LARGE)), said)
            status, _, said = await self.probe("put", uri + "/store", "--size", str(LARGE), *szx)
            equal((status, len(node.writes[-1][3])), (0, LARGE), said)

        self.serve(node, body)

    @case("a resource is observed, and let go at the end")
    def observes(self):
        node = aio.Node({"/obs": (0, b"0")})

        async def body(uri):
            watching = asyncio.create_task(self.probe("observe", uri + "/obs", "--count", "4"))
            value = 0
            while not watching.done():
                await asyncio.sleep(0.1)
                value += 1
                node.change("/obs", 0, b"%d" % value)
            status, text, said = await watching
            equal(status, 0, said)
            numbers = [int(line) for line in text.split()]
            equal(numbers, sorted(set(numbers)), "values")
            equal(len(numbers), 4, "notifications")
            for _ in range(300):
                if not node.observers["/obs"]:
                    break
                value += 1
                node.change("/obs", 0, b"%d" % value)
                await asyncio.sleep(0.2)
            equal(len(node.observers["/obs"]), 0, "observers left")

        self.serve(node, body)

    @case("a separate response is awaited")
    def separate(self):
        async def slow(request):
            await asyncio.sleep(SLOW_S)
            return Message(code=Code.CONTENT, content_format=0, payload=b"late")

        async def body(uri):
            equal((await self.probe("get", uri + "/slow"))[:2], (0, b"late"))

        self.serve(aio.Node(handlers={"/slow": slow}), body)


SUITES = [AiocoapOnEngine, EngineOnAiocoap]
