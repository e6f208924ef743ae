# SPDX-License-Identifier: Apache-2.0
"""aiocoap on both sides of what LwM2M 1.1 added (FETCH, iPATCH, Send), and of packages, in blocks of many sizes."""

import asyncio
import base64
import json

import aio
import values
from aiocoap import Code, Message
from devices import DunlinDevice
from servers import DunlindServer
from support.harness import Suite, case, check, equal
from test_leshan_queue import package

BLOCKS = [64, 256, 1024]
LARGE_SIZE = 4000
SENT_SIZE = 20_000
PACKAGE_SIZE = 60_000
TEMPERATURE, SWITCH = "/3303/0/5700", "/33500/0/5"
LARGE_PATH = f"/{values.OBJECT}/0/{values.LARGE}"
DOWNLOADED = b"2"


def senml(entries):
    return json.dumps(entries).encode()


def names(payload):
    """The paths that a SenML JSON body names."""
    base, out = "", []
    for record in json.loads(payload):
        base = record.get("bn", base)
        out.append(base + record.get("n", ""))
    return out


def records(payload):
    """{path: value} of a SenML JSON body."""
    base, out = "", {}
    for record in json.loads(payload):
        base = record.get("bn", base)
        out[base + record.get("n", "")] = next((record[key] for key in ("v", "vs", "vb", "vd", "vlo") if key in record), None)
    return out


class Store:
    """The root resource of a device, for FETCH and iPATCH in SenML JSON."""

    def __init__(self, found):
        self.found, self.asked = dict(found), []

    async def __call__(self, request):
        self.asked.append(request)
        if request.opt.content_format != values.SENML_JSON:
            return Message(code=Code.UNSUPPORTED_CONTENT_FORMAT)
        if request.code == Code.iPATCH:
            self.found.update(records(request.payload))
            return Message(code=Code.CHANGED)
        if request.code != Code.FETCH:
            return Message(code=Code.METHOD_NOT_ALLOWED)
        keys = {str: "vs", bool: "vb", bytes: "vd"}
        out = []
        for name in names(request.payload):
            value = self.found.get(name)
            if value is not None:
                text = base64.urlsafe_b64encode(value).decode().rstrip("=") if isinstance(value, bytes) else value
                out.append({"n": name, keys.get(type(value), "v"): text})
        return Message(code=Code.CONTENT, content_format=values.SENML_JSON, payload=senml(out))


class AiocoapReportsToDunlind(Suite):
    """Devices made of aiocoap: FETCH, iPATCH, Send and packages with dunlind."""

    name = "aiocoap-1.1-on-dunlind"

    def set_up(self):
        self.server = DunlindServer(self.programs)
        self.rest = self.server.rest

    def tear_down(self):
        self.server.stream.close()

    def device(self, endpoint, store=None, **more):
        node = aio.Node(handlers={"/": store} if store else {})
        return aio.Device(self.server.uri, endpoint, "</>;ct=110,</3/0>,</3303/0>,</33500/0>", node, **more)

    async def composite(self, device, part, body, method="POST"):
        return await asyncio.to_thread(self.rest.call, method, self.rest.device(device.endpoint, "/composite/" + part), body)

    @case("a FETCH is answered in blocks of {0}, an iPATCH comes in blocks of {0}", BLOCKS)
    def composites(self, block):
        async def body():
            data = base64.b64decode(values.opaque(LARGE_SIZE, seed=block))
            store = Store({TEMPERATURE: 21.5, LARGE_PATH: data})
            async with self.device(f"fetched-{block}", store, block=block) as device:
                answer = await self.composite(device, "read", {"paths": [TEMPERATURE, LARGE_PATH, "/3/0/0"]})
                equal(answer.status, 200, answer)
                equal(answer.json["values"].get(TEMPERATURE), 21.5)
                check(base64.b64decode(answer.json["values"].get(LARGE_PATH, "")) == data, "the large value is another")
                asked = store.asked[0]
                equal((asked.code, asked.opt.accept, asked.opt.uri_path), (Code.FETCH, values.SENML_JSON, ()))
                equal(sorted(names(asked.payload)), sorted([TEMPERATURE, LARGE_PATH, "/3/0/0"]), "paths asked for")
                other = values.opaque(LARGE_SIZE, seed=block + 1)
                answer = await self.composite(device, "write", {"values": {LARGE_PATH: other, SWITCH: True}})
                equal((answer.status, answer.json["code"]), (200, "2.04"), answer)
                equal(store.asked[-1].code, Code.iPATCH)
                equal(base64.urlsafe_b64decode(store.found[LARGE_PATH] + "=="), base64.b64decode(other), "written")
                equal(store.found[SWITCH], True)

        aio.run(body())

    @case("an observing FETCH notifies, until dunlind cancels it")
    def observes(self):
        async def body():
            store, paths = Store({TEMPERATURE: 1.5, SWITCH: False}), [TEMPERATURE, SWITCH]
            async with self.device("fetch-observed", store) as device:
                answer = await self.composite(device, "observe", {"paths": paths})
                equal((answer.status, answer.json["values"]), (201, {TEMPERATURE: 1.5, SWITCH: False}), answer)
                equal(store.asked[0].opt.observe, 0, "Observe")
                for value in (2.5, 3.5):
                    since = self.server.mark()
                    store.found[TEMPERATURE] = value
                    for observer in list(device.node.observers["/"]):
                        observer.trigger()
                    found = await asyncio.to_thread(self.server.composite_notification, device.endpoint, paths, since,
                                                    lambda got, value=value: got.get(TEMPERATURE) == value)
                    equal(found, {TEMPERATURE: value, SWITCH: False})
                answer = await self.composite(device, "observe", {"paths": paths}, "DELETE")
                equal(answer.status, 200, answer)
                await aio.soon(device.node.ended.wait())
                equal(len(device.node.observers["/"]), 0, "observers left")

        aio.run(body())

    @case("a Send of {0} bytes in blocks of {1}, with times, arrives whole", [(SENT_SIZE, block) for block in BLOCKS])
    def sends(self, size, block):
        async def body():
            async with self.device(f"sender-{block}", block=block) as device:
                history = [{"bn": TEMPERATURE, "bt": 1_790_000_000, "v": 0.5}]
                while len(senml(history)) < size:
                    history.append({"t": len(history), "v": len(history) + 0.5})
                since = self.server.mark()
                answer = await aio.request(device.context, Code.POST, self.server.uri + "/dp", senml(history),
                                           content_format=values.SENML_JSON)
                equal(answer.code.dotted, "2.04")
                event = await asyncio.to_thread(self.server.stream.wait, "send", since, endpoint=device.endpoint)
                got = event["records"]
                equal(len(got), len(history), "records")
                equal([one["value"] for one in got], [one["v"] for one in history], "values")
                equal({one["path"] for one in got}, {TEMPERATURE}, "paths")
                check(all(one.get("time") for one in got) and len({one["time"] for one in got}) == len(got), "times")

        aio.run(body())

    @case("a Send that does not decode or is in another format is answered 4.00, of a stranger 4.04, and is no event")
    def refuses(self):
        async def body():
            since = self.server.mark()
            good = senml([{"n": TEMPERATURE, "v": 1}])
            async with self.device("bad-sender") as device:
                for payload, content_format, wanted in ((b"[{", 110, "4.00"), (b"[]", 110, "4.00"), (good, values.TLV, "4.00"),
                                                        (senml([{"n": "/x/y", "v": 1}]), 110, "4.00")):
                    answer = await aio.request(device.context, Code.POST, self.server.uri + "/dp", payload,
                                               content_format=content_format)
                    equal(answer.code.dotted, wanted, payload)
            stranger = await aio.open_context()
            answer = await aio.request(stranger, Code.POST, self.server.uri + "/dp", good, content_format=110)
            equal(answer.code.dotted, "4.04", "a stranger")
            await stranger.shutdown()
            await asyncio.to_thread(self.server.stream.silent, 0.2, since, "send")

        aio.run(body())

    @case("a package of {0} bytes is fetched in blocks of {1}", [(PACKAGE_SIZE, block) for block in BLOCKS])
    def fetches_package(self, size, block):
        data = package(f"block-{block}", size)
        made = self.server.upload(data)

        async def body():
            context = await aio.open_context(block=block)
            # aiocoap asks for a block size by its first request.
            answer = await aio.request(context, Code.GET, made["uris"][0], timeout_s=120,
                                       block2=(0, False, aio.block_exponent(block)))
            equal((answer.code.dotted, answer.opt.content_format), ("2.05", values.OPAQUE))
            check(answer.payload == data, f"{len(answer.payload)} bytes, and others")
            answer = await aio.request(context, Code.GET, made["uris"][0][:-1] + "-")
            equal(answer.code.dotted, "4.04", "of an unknown id")
            await context.shutdown()

        aio.run(body())


class DunlinReportsToAiocoap(Suite):
    """`dunlin client`: FETCH, iPATCH, Send and packages with a server made of aiocoap."""

    name, endpoint = "dunlin-1.1-on-aiocoap", "dunlin-fetched"

    def with_client(self, body, block=1024, **more):
        """Runs body(server, device) with a device registered."""
        async def run():
            async with aio.Server(block) as server:
                device = await asyncio.to_thread(DunlinDevice, self.programs, self.endpoint, server.uri, **more)
                try:
                    await server.registered(self.endpoint)
                    await body(server, device)
                finally:
                    await asyncio.to_thread(device.program.stop)

        aio.run(run())

    def fetch(self, server, *paths):
        return server.call(self.endpoint, Code.FETCH, "/", senml([{"n": path} for path in paths]),
                           content_format=values.SENML_JSON, accept=values.SENML_JSON)

    def patch(self, server, entries, content_format=values.SENML_JSON):
        return server.call(self.endpoint, Code.iPATCH, "/", senml(entries), content_format=content_format)

    @case("a FETCH and an iPATCH in SenML JSON, with what is wrong refused and then nothing written")
    def composites(self):
        async def body(server, device):
            await asyncio.to_thread(device.set, TEMPERATURE, "float", 4.5)
            answer = await self.fetch(server, TEMPERATURE, SWITCH, "/33500/0/77", "/4000")
            equal((answer.code.dotted, answer.opt.content_format), ("2.05", values.SENML_JSON))
            equal(records(answer.payload), {TEMPERATURE: 4.5, SWITCH: True})
            answer = await self.patch(server, [{"bn": "/33500/0/", "n": "1", "vs": "both"}, {"n": "5", "vb": False}])
            equal(answer.code.dotted, "2.04")
            equal([await asyncio.to_thread(device.get, path) for path in ("/33500/0/1", SWITCH)], ["both", False])
            for entries, number, wanted in (
                    ([{"n": "/33500/0/1", "vs": "no"}, {"n": "/33500/0/11", "v": 1}], values.SENML_JSON, "4.05"),
                    ([{"n": "/33500/0/1", "vs": "no"}, {"n": "/33500/0/2", "vs": "x"}], values.SENML_JSON, "4.00"),
                    ([{"n": "/33500/0/1", "vs": "no"}], values.TLV, "4.15")):
                equal((await self.patch(server, entries, number)).code.dotted, wanted, entries)
                equal(await asyncio.to_thread(device.get, "/33500/0/1"), "both", "after a refusal")

        self.with_client(body)

    @case("a FETCH of {0} bytes is answered, and an iPATCH taken, in blocks of {1}",
          [(LARGE_SIZE, block) for block in BLOCKS])
    def blocks(self, size, block):
        async def body(server, device):
            data = base64.b64decode(values.opaque(size, seed=block))
            text = base64.urlsafe_b64encode(data).decode().rstrip("=")
            equal((await self.patch(server, [{"n": LARGE_PATH, "vd": text}, {"n": SWITCH, "vb": False}])).code.dotted, "2.04")
            equal(await asyncio.to_thread(device.get, LARGE_PATH), values.opaque(size, seed=block), "on the device")
            answer = await self.fetch(server, LARGE_PATH, SWITCH)
            equal(answer.code.dotted, "2.05")
            equal(records(answer.payload), {LARGE_PATH: text, SWITCH: False})

        self.with_client(body, block)

    @case("an observing FETCH notifies until it is ended by a reset")
    def observes(self):
        async def body(server, device):
            await asyncio.to_thread(device.set, TEMPERATURE, "float", 1.5)
            request = server.observe(self.endpoint, "/", Code.FETCH, content_format=values.SENML_JSON, accept=values.SENML_JSON,
                                     payload=senml([{"n": TEMPERATURE}, {"n": SWITCH}]))
            first = await aio.soon(request.response)
            equal((first.code.dotted, records(first.payload)), ("2.05", {TEMPERATURE: 1.5, SWITCH: True}))
            check(first.opt.observe is not None, "no Observe option")
            notifications = aiter(request.observation)
            for value in (2.5, 3.5):
                await asyncio.to_thread(device.set, TEMPERATURE, "float", value)
                notification = await aio.soon(anext(notifications))
                equal(records(notification.payload), {TEMPERATURE: value, SWITCH: True})
            request.observation.cancel()
            # aiocoap takes one more notification and resets the next.
            await aio.until_silent(lambda value: asyncio.to_thread(device.set, TEMPERATURE, "float", value),
                                   lambda: asyncio.to_thread(device.count, "notifications"), "notifications")

        self.with_client(body, more=["--confirm"])

    @case("a Send comes in blocks of {0}", BLOCKS)
    def sends(self, block):
        async def body(server, device):
            data = values.opaque(LARGE_SIZE, seed=block)
            await asyncio.to_thread(device.set, LARGE_PATH, "opaque", data)
            equal(await asyncio.to_thread(device.send, LARGE_PATH, "/3/0/0"), "2.04")
            content_format, payload = server.sends[-1]
            equal((len(server.sends), content_format), (1, values.SENML_CBOR))
            check(base64.b64decode(data) in payload and b"Dunlin" in payload, f"values in {len(payload)} bytes")

        self.with_client(body, block)

    @case("a package is pushed, and pulled from a server made of aiocoap, in blocks of {0}", BLOCKS)
    def packages(self, block):
        async def body(server, device):
            async def state():
                return (await server.call(self.endpoint, Code.GET, "/5/0/3", accept=values.TEXT)).payload

            data = package("4.1", PACKAGE_SIZE)
            answer = await server.call(self.endpoint, Code.PUT, "/5/0/0", data, 60, content_format=values.OPAQUE)
            equal((answer.code.dotted, await state()), ("2.04", DOWNLOADED), "push")
            answer = await server.call(self.endpoint, Code.PUT, "/5/0/0", b"\0", content_format=values.OPAQUE)
            equal((answer.code.dotted, await state()), ("2.04", b"0"), "what begins anew")
            server.files["/image"] = package("4.2", PACKAGE_SIZE)
            answer = await server.call(self.endpoint, Code.PUT, "/5/0/1", (server.uri + "/image").encode(),
                                       content_format=values.TEXT)
            equal(answer.code.dotted, "2.04", "pull")
            deadline = asyncio.get_running_loop().time() + 30
            while await state() != DOWNLOADED:
                check(asyncio.get_running_loop().time() < deadline, "the package is not downloaded within 30 s")
                await asyncio.sleep(0.05)

        self.with_client(body, block, more=["--firmware-time", "0"])


SUITES = [AiocoapReportsToDunlind, DunlinReportsToAiocoap]
