# SPDX-License-Identifier: Apache-2.0
"""aiocoap as an LwM2M device and as an LwM2M server, written out by hand so that each message can be chosen."""

import asyncio

import aiocoap
from aiocoap import Code, Message
from aiocoap.resource import ObservableResource
from aiocoap.transports import tls, udp6
from support.harness import check
from support.programs import free_port

LINK_FORMAT = 40
ANSWER_TIMEOUT_S = 120  # what comes in milliseconds, but on a machine that does much besides


def block_exponent(size):
    return size.bit_length() - 5


async def open_context(site=None, block=1024, port=0, host="127.0.0.1"):
    """A context on a (free) port of the loopback, whose blocks have at most `block` bytes."""
    udp6.UDP6EndpointAddress.maximum_block_size_exp = block_exponent(block)
    context = await aiocoap.Context.create_server_context(site, bind=(host, port), transports=["udp6"])
    return context


async def open_stream_context(site, security=None, server_port=None, host="127.0.0.1"):
    """The same over TCP, or (with an ssl.SSLContext) over TLS: to connect, or to listen on a port."""
    kind = "tls" if security else "tcp"
    if server_port is not None:
        # A TLS port of aiocoap lies one above what it is told.
        return await aiocoap.Context.create_server_context(site, bind=(host, server_port - (1 if security else 0)),
                                                           transports=[kind + "server"], _ssl_context=security)
    tls.TLSClient._ssl_context_factory = lambda self, hostinfo: security
    return await aiocoap.Context.create_server_context(site, transports=[kind + "client"])


async def request(context, code, uri, payload=b"", timeout_s=ANSWER_TIMEOUT_S, **options):
    message = Message(code=code, uri=uri, payload=payload, **options)
    return await asyncio.wait_for(context.request(message).response, timeout_s)


def code_text(message):
    return message.code.dotted


async def soon(awaitable):
    """What comes by itself in milliseconds."""
    return await asyncio.wait_for(awaitable, ANSWER_TIMEOUT_S)


def gather_notifications(observation):
    """A queue with every notification: iterating over an observation of aiocoap keeps but the newest of those not yet taken."""
    queue = asyncio.Queue()
    observation.register_callback(queue.put_nowait, _suppress_deprecation=True)
    return queue


SILENT_CHANGES_MAX = 100


async def until_silent(change, count, what, most=None):
    """Changes a value until a change is no longer notified, which must be so in the end, or after `most` notifications."""
    counts = [await count()]
    while len(counts) < 3 or counts[-1] != counts[-3]:
        check(len(counts) < SILENT_CHANGES_MAX and (most is None or counts[-1] - counts[0] <= most), f"{what} after the end: {counts}")
        await change(len(counts) + 0.5)
        await asyncio.sleep(0.7)
        counts.append(await count())
    return counts[-1] - counts[0]


class Node(ObservableResource):
    """Answers every path: from `values` (path: (content format, bytes)), or what a handler for the path does."""

    def __init__(self, values=None, handlers=None):
        super().__init__()
        self.values, self.handlers = dict(values or {}), dict(handlers or {})
        self.writes, self.observers, self.requests = [], {}, []
        self.ended = asyncio.Event()

    async def render(self, request):
        path = "/" + "/".join(request.opt.uri_path)
        self.requests.append((request.code, path, request.opt))
        handler = self.handlers.get(path)
        if handler:
            return await handler(request)
        if request.code in (Code.PUT, Code.POST):
            self.writes.append((request.code, path, request.opt.content_format, request.payload))
            return Message(code=Code.CHANGED)
        if path not in self.values:
            return Message(code=Code.NOT_FOUND)
        content_format, payload = self.values[path]
        return Message(code=Code.CONTENT, content_format=content_format, payload=payload)

    async def add_observation(self, request, serverobservation):
        path = "/" + "/".join(request.opt.uri_path)
        self.observers.setdefault(path, set()).add(serverobservation)

        def gone():
            self.observers[path].discard(serverobservation)
            self.ended.set()

        serverobservation.accept(gone)

    def change(self, path, content_format, payload):
        self.values[path] = (content_format, payload)
        for observer in list(self.observers.get(path, ())):
            observer.trigger()


class Device:
    """A registered device: `async with Device(uri, name, links, node) as device`."""

    def __init__(self, server, endpoint, links, node, block=1024, lwm2m="1.1", lifetime=300, more=(), security=None):
        self.server, self.endpoint, self.links, self.node, self.block = server, endpoint, links, node, block
        self.security = security
        self.query = [f"ep={endpoint}", f"lt={lifetime}", f"lwm2m={lwm2m}", *more]
        self.context = self.answer = self.location = None

    async def __aenter__(self):
        host = "::1" if "[::1]" in self.server else "127.0.0.1"
        if "+tcp:" in self.server:
            self.context = await open_stream_context(self.node, self.security)
        else:
            self.context = await open_context(self.node, self.block, host=host)
        self.answer = await self.register()
        return self

    async def register(self):
        answer = await request(self.context, Code.POST, self.server + "/rd", self.links.encode(),
                               uri_query=self.query, content_format=LINK_FORMAT)
        if answer.code == Code.CREATED:
            self.location = "/" + "/".join(answer.opt.location_path)
        return answer

    async def update(self, links=None, **parameters):
        options = {"content_format": LINK_FORMAT} if links is not None else {}
        query = [f"{name}={value}" for name, value in parameters.items()]
        return await request(self.context, Code.POST, self.server + self.location, (links or "").encode(),
                             uri_query=query, **options)

    async def deregister(self):
        return await request(self.context, Code.DELETE, self.server + self.location)

    async def __aexit__(self, *_):
        await self.context.shutdown()


class Server:
    """An LwM2M server with one registration: `async with Server() as server`; then await server.registered(name)."""

    def __init__(self, block=1024, stream=False, security=None):
        self.block, self.stream, self.security = block, stream, security
        self.registrations = {}  # endpoint: (remote, query, payload)
        self.changed = asyncio.Condition()
        self.updates, self.removed, self.sends = [], [], []
        self.files = {}  # path: what GET of it answers
        self.askers = set()  # the remotes that got one of them
        self.refuse_update = False

    async def __aenter__(self):
        site = Node()
        site.render = self.render
        port = free_port()
        if self.stream:
            self.context = await open_stream_context(site, self.security, port)
        else:
            self.context = await open_context(site, self.block, port)
        self.uri = f"coap{'s' if self.security else ''}{'+tcp' if self.stream else ''}://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_):
        await self.context.shutdown()

    async def render(self, message):
        path = message.opt.uri_path
        async with self.changed:
            self.changed.notify_all()
            if message.code == Code.POST and path == ("rd",):
                query = dict(item.partition("=")[::2] for item in message.opt.uri_query)
                self.registrations[query["ep"]] = (message.remote, query, message.payload.decode())
                return Message(code=Code.CREATED, location_path=("rd", query["ep"]))
            if message.code == Code.POST and path == ("dp",):
                self.sends.append((message.opt.content_format, message.payload))
                return Message(code=Code.CHANGED)
            if message.code == Code.GET and "/" + "/".join(path) in self.files:
                self.askers.add(message.remote)
                return Message(code=Code.CONTENT, content_format=42, payload=self.files["/" + "/".join(path)])
            if len(path) == 2 and path[1] in self.registrations and not self.refuse_update:
                if message.code == Code.POST:
                    self.updates.append((path[1], message.opt.uri_query, message.payload.decode()))
                    return Message(code=Code.CHANGED)
                if message.code == Code.DELETE:
                    self.removed.append(path[1])
                    del self.registrations[path[1]]
                    return Message(code=Code.DELETED)
        self.refuse_update = False
        return Message(code=Code.NOT_FOUND)

    async def until(self, condition, timeout_s=ANSWER_TIMEOUT_S):
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(condition), timeout_s)

    async def registered(self, endpoint):
        await self.until(lambda: endpoint in self.registrations)
        return self.registrations[endpoint]

    async def call(self, endpoint, code, path, payload=b"", timeout_s=ANSWER_TIMEOUT_S, **options):
        message = Message(code=code, uri_path=tuple(path.strip("/").split("/")) if path != "/" else (),
                          payload=payload, **options)
        message.remote = self.registrations[endpoint][0]
        return await asyncio.wait_for(self.context.request(message).response, timeout_s)

    def observe(self, endpoint, path, code=Code.GET, **options):
        """An aiocoap request whose .observation yields the notifications."""
        message = Message(code=code, uri_path=tuple(path.strip("/").split("/")) if path != "/" else (), observe=0, **options)
        message.remote = self.registrations[endpoint][0]
        return self.context.request(message)


def run(coroutine):
    return asyncio.run(coroutine)
