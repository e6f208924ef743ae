# SPDX-License-Identifier: Apache-2.0
"""aiocoap as a device (and as a plain CoAP client) with dunlind."""

import asyncio
import base64

from aiocoap import Code, Message

import aio
import values
from devices import DunlinDevice
from servers import DunlindServer
from support.harness import Suite, case, check, equal

LARGE_SIZE = 8192
DATAGRAM_SIZE = 1000
MANY_INSTANCES = 400
BLOCKS = [16, 64, 256, 1024]
SLOW_S = 4


class AiocoapOnDunlind(Suite):
    """Devices made of aiocoap with dunlind through REST."""

    name = "aiocoap-on-dunlind"

    def set_up(self):
        self.server = DunlindServer(self.programs)
        self.rest = self.server.rest

    def tear_down(self):
        self.server.stream.close()

    def device(self, endpoint, links="</3/0>,</33500/0>", node=None, **more):
        return aio.Device(self.server.uri, endpoint, links, node or aio.Node(), **more)

    async def rest_call(self, *arguments, **query):
        return await asyncio.to_thread(self.rest.call, *arguments, **query)

    async def rest_device(self, method, device, path, body=None, **query):
        return await self.rest_call(method, self.rest.device(device.endpoint, path), body, **query)

    # ---- registration

    @case("a register in blocks of {0} bytes with a link list of many blocks is listed whole", BLOCKS)
    def registers_large(self, block):
        async def body():
            links = "</>;rt=\"oma.lwm2m\";ct=\"60 110 112\",</1/0>,</3/0>," + ",".join(
                f"</33500/{iid}>" for iid in range(MANY_INSTANCES))
            async with self.device(f"large-{block}", links, block=block) as device:
                equal(device.answer.code.dotted, "2.01")
                client = self.rest.client(device.endpoint)
                objects = {item["id"]: item["instances"] for item in client["objects"]}
                equal(sorted(objects[33500]), list(range(MANY_INSTANCES)), "instances")
                equal(client["contentFormats"], [60, 110, 112], "content formats")
                equal((await device.deregister()).code.dotted, "2.02")
                equal(self.rest.client(device.endpoint), None, "after the de-register")

        aio.run(body())

    @case("a device that announces LwM2M {0} is answered {1}",
          [("1.0", "2.01"), ("1.1", "2.01"), ("1.2", "2.01"), ("2.0", "4.12"), ("0.9", "4.12"), ("x", "4.00")])
    def versions(self, version, wanted):
        async def body():
            async with self.device(f"version-{version}", lwm2m=version) as device:
                equal(device.answer.code.dotted, wanted)
                client = self.rest.client(device.endpoint)
                if wanted == "2.01":
                    equal(client["lwm2m"], version if version < "1.2" else client["lwm2m"], "listed version")
                else:
                    equal(client, None, "listed")

        aio.run(body())

    @case("a register {0} is answered 4.00 and changes nothing",
          [("without a name", ["lt=60", "lwm2m=1.1"]), ("with an empty name", ["ep=", "lt=60", "lwm2m=1.1"]),
           ("with a lifetime that is no number", ["ep=bad", "lt=x", "lwm2m=1.1"]),
           ("with a negative lifetime", ["ep=bad", "lt=-1", "lwm2m=1.1"])])
    def refuses_register(self, what, query):
        async def body():
            context = await aio.open_context()
            before = [values.lasting(client) for client in self.rest.clients()]
            answer = await aio.request(context, Code.POST, self.server.uri + "/rd", b"</3/0>", uri_query=query,
                                       content_format=aio.LINK_FORMAT)
            equal(answer.code.dotted, "4.00")
            equal([values.lasting(client) for client in self.rest.clients()], before, "registrations")
            await context.shutdown()

        aio.run(body())

    @case("an update changes lifetime and objects; one of an unknown registration is answered 4.04")
    def updates(self):
        async def body():
            async with self.device("updater") as device:
                since = self.server.mark()
                equal((await device.update(lt=77)).code.dotted, "2.04")
                equal(self.server.updated("updater", since)["lifetime"], 77)
                equal((await device.update("</3/0>,</33500/4>")).code.dotted, "2.04")
                client = self.rest.client("updater")
                equal({o["id"]: o["instances"] for o in client["objects"]}, {3: [0], 33500: [4]})
                equal(client["lifetime"], 77, "lifetime is kept")
                location, device.location = device.location, "/rd/no-such-registration"
                equal((await device.update()).code.dotted, "4.04", "update")
                equal((await device.deregister()).code.dotted, "4.04", "de-register")
                device.location = location
                equal((await device.deregister()).code.dotted, "2.02")
                equal((await device.update()).code.dotted, "4.04", "update after the de-register")

        aio.run(body())

    @case("a device that registers again replaces its registration")
    def registers_again(self):
        async def body():
            async with self.device("again") as device:
                first = device.location
                answer = await device.register()
                equal(answer.code.dotted, "2.01")
                check(device.location != first, "the second registration has the location of the first")
                equal(sum(c["endpoint"] == "again" for c in self.rest.clients()), 1, "times listed")
                second, device.location = device.location, first
                equal((await device.update()).code.dotted, "4.04", "update of the first")
                device.location = second
                equal((await device.update()).code.dotted, "2.04", "update of the second")

        aio.run(body())

    @case("a queue-mode device with a phone number is listed as such")
    def queue_mode(self):
        async def body():
            async with self.device("sleepy", more=["b=U", "Q", "sms=15551234567"]) as device:
                equal(device.answer.code.dotted, "2.01")
                client = self.rest.client("sleepy")
                equal((client["queueMode"], client["sms"], client["binding"]), (True, "15551234567", "U"))

        aio.run(body())

    @case("the resource directory is found with GET /.well-known/core")
    def well_known(self):
        async def body():
            context = await aio.open_context()
            answer = await aio.request(context, Code.GET, self.server.uri + "/.well-known/core")
            equal((answer.code.dotted, answer.opt.content_format), ("2.05", aio.LINK_FORMAT))
            check(b"</rd>" in answer.payload, f"links: {answer.payload}")
            await context.shutdown()

        aio.run(body())

    # ---- device management

    @case("an object of {0} bytes is read in blocks of {1} bytes", [(LARGE_SIZE, block) for block in BLOCKS])
    def reads_large(self, size, block):
        async def body():
            value = base64.b64decode(values.opaque(size, seed=block))
            # TLV: resource 30 with a 24-bit length, in instance 0.
            resource = bytes([0b11011000, 30]) + size.to_bytes(3, "big") + value
            instance = bytes([0b00011000, 0]) + len(resource).to_bytes(3, "big") + resource
            node = aio.Node({"/33500": (values.TLV, instance), "/33500/0/30": (values.OPAQUE, value)})
            async with self.device(f"reader-{block}", node=node, block=block) as device:
                answer = await self.rest_device("GET", device, "/33500", format="tlv")
                equal(answer.status, 200, answer)
                got = values.plain(answer.json["node"])
                equal(base64.b64decode(got[0][30]), value, "object")
                answer = await self.rest_device("GET", device, "/33500/0/30", format="opaque")
                equal(base64.b64decode(answer.json["node"]["value"]), value, "resource")

        aio.run(body())

    @case("{0} bytes are written in blocks to a device that takes {1} at once", [(LARGE_SIZE, block) for block in BLOCKS])
    def writes_large(self, size, block):
        async def body():
            value = values.opaque(size, seed=block)
            async with self.device(f"writer-{block}", block=block) as device:
                answer = await self.rest_device("PUT", device, "/33500/0/30", {"type": "opaque", "value": value},
                                                format="opaque")
                equal(answer.status, 200, answer)
                code, path, content_format, payload = device.node.writes[-1]
                equal((code, path, content_format), (Code.PUT, "/33500/0/30", values.OPAQUE))
                equal(base64.b64encode(payload).decode(), value, "payload")

        aio.run(body())

    @case("an answer that comes apart from its acknowledgement, seconds later, is awaited")
    def separate_response(self):
        async def slow(request):
            await asyncio.sleep(SLOW_S)
            return Message(code=Code.CONTENT, content_format=values.TEXT, payload=b"late")

        async def body():
            async with self.device("slow", node=aio.Node(handlers={"/3/0/0": slow})) as device:
                answer = await self.rest_device("GET", device, "/3/0/0")
                equal(answer.status, 200, answer)
                equal(answer.json["node"]["value"], "late")
                answer = await self.rest_device("GET", device, "/3/0/0", timeout=1)
                equal((answer.status, answer.json["type"]), (504, "/problems/timeout"))

        aio.run(body())

    @case("an observation notifies, until dunlind cancels it")
    def observes(self):
        async def body():
            node = aio.Node({"/3303/0/5700": (values.TEXT, b"1.5"), "/33500/0/30": (values.OPAQUE, b"small")})
            async with self.device("observed", "</3303/0>,</33500/0>", node, block=64) as device:
                answer = await self.rest_device("PUT", device, "/observations/3303/0/5700")
                equal((answer.status, answer.json["node"]["value"]), (201, 1.5))
                for value in (2.5, 3.5):
                    since = self.server.mark()
                    node.change("/3303/0/5700", values.TEXT, str(value).encode())
                    await asyncio.to_thread(self.server.notification, "observed", "/3303/0/5700", since,
                                            lambda got, value=value: got["value"] == value)
                answer = await self.rest_device("PUT", device, "/observations/33500/0/30", format="opaque")
                equal(answer.status, 201, answer)
                # aiocoap sends a notification in one datagram, whatever its size; Leshan's come in blocks.
                large = base64.b64decode(values.opaque(DATAGRAM_SIZE))
                since = self.server.mark()
                node.change("/33500/0/30", values.OPAQUE, large)
                await asyncio.to_thread(self.server.notification, "observed", "/33500/0/30", since,
                                        lambda got: base64.b64decode(got["value"]) == large)
                answer = await self.rest_device("DELETE", device, "/observations/3303/0/5700")
                equal(answer.status, 200, answer)
                await aio.soon(node.ended.wait())
                equal(len(node.observers["/3303/0/5700"]), 0, "observers left")
                equal(len(node.observers["/33500/0/30"]), 1, "observers of the other")

        aio.run(body())

    @case("an error of the device reaches the caller with its CoAP code: {0}",
          ["4.00", "4.01", "4.04", "4.05", "4.06", "5.00", "5.01"])
    def errors(self, code):
        statuses = {"4.01": 403, "5.00": 502, "5.01": 502}
        number = int(code[0]) * 32 + int(code[2:])

        async def fail(request):
            return Message(code=Code(number), payload=b"because")

        async def body():
            async with self.device("failing", node=aio.Node(handlers={"/3/0/0": fail})) as device:
                answer = await self.rest_device("GET", device, "/3/0/0")
                equal((answer.status, answer.json["coapCode"]), (statuses.get(code, 400 + int(code[2:])), code))
                equal(answer.json["type"], "/problems/device-error")

        aio.run(body())

    @case("an answer that does not decode is told as bad-payload, and the device stays registered")
    def bad_payload(self):
        async def body():
            node = aio.Node({"/3/0": (values.TLV, b"\xc8\x00\xff"), "/3/0/1": (values.SENML_CBOR, b"\x9f\x9f\x9f")})
            async with self.device("garbled", node=node) as device:
                for path in node.values:
                    answer = await self.rest_device("GET", device, path)
                    equal((answer.status, answer.json["type"]), (502, "/problems/bad-payload"), path)
                check(self.rest.client("garbled") is not None, "the device is still listed")

        aio.run(body())


class OverIPv6(Suite):
    """A device of aiocoap and `dunlin client` with dunlind over IPv6."""

    name = "ipv6-on-dunlind"

    def set_up(self):
        self.server = DunlindServer(self.programs, coap="[::1]:0", http="[::1]:0")
        self.rest = self.server.rest

    def tear_down(self):
        self.server.stream.close()

    @case("aiocoap registers, and 8,192 bytes are read and written")
    def aiocoap(self):
        value = values.opaque(LARGE_SIZE)

        async def body():
            node = aio.Node({"/33500/0/30": (values.OPAQUE, base64.b64decode(value))})
            async with aio.Device(self.server.uri, "six", "</33500/0>", node) as device:
                equal(device.answer.code.dotted, "2.01")
                check(self.rest.client("six")["address"].startswith("coap://[::1]:"), self.rest.client("six"))
                path = self.rest.device("six", "/33500/0/30")
                answer = await asyncio.to_thread(self.rest.call, "GET", path, format="opaque")
                equal((answer.status, answer.json["node"]["value"]), (200, value))
                answer = await asyncio.to_thread(self.rest.call, "PUT", path, {"value": value}, format="opaque")
                equal((answer.status, base64.b64encode(node.writes[-1][3]).decode()), (200, value))

        aio.run(body())

    @case("dunlin client registers, is read and observed")
    def client(self):
        device = DunlinDevice(self.programs, "six-own", self.server.uri)
        self.server.wait_registered("six-own")
        equal(self.server.observe("six-own", "/3303/0/5700")["code"], "2.05")
        since = self.server.mark()
        device.set("/3303/0/5700", "float", 66.5)
        self.server.notification("six-own", "/3303/0/5700", since, lambda node: node["value"] == 66.5)


SUITES = [AiocoapOnDunlind, OverIPv6]
