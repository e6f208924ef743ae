# SPDX-License-Identifier: Apache-2.0
"""Malformed and hostile datagrams at every port change nothing but the counters."""

import socket

import flood
import values
from devices import DunlinDevice
from servers import DunlindServer
from support.harness import Suite, case, check, equal
from support.programs import bound_port

MEGABYTES = 10
SEED = 20260101
RESIDENT_GROWTH_MAX_KB = 64 * 1024


def resident_kb(program):
    with open(f"/proc/{program.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


class ByHand:
    """A device that registers by hand and then only floods, from its own port."""

    endpoint = "by-hand-7f3a9c"

    def __init__(self, address):
        self.flood = flood.Flood(address, [flood.make_socket()])
        answer = flood.exchange(self.flood.sockets[0], self.flood.target, flood.message(
            flood.CON, 2, 1, b"\x01\x02", flood.path("rd") + flood.query(
                "ep=" + self.endpoint, "lt=86400", "lwm2m=1.1") + [(flood.CONTENT_FORMAT, b"\x28")], b"</3/0>,</33500/0>"))
        equal(answer[1], 65, "code of the answer to the register")


class OwnServer:
    """A server by hand for one device, whose port then floods it. It goes on answering Registers and Updates."""

    def __init__(self):
        self.socket = flood.make_socket()
        self.uri = "coap://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.device = None
        self.registers = 0
        self.moved = None  # called with the new address

    def wait_registered(self):
        self.socket.settimeout(120)
        while not self.registers:
            self.take(self.socket, *self.socket.recvfrom(65535))
        self.socket.settimeout(None)

    def take(self, own, data, sender):
        """Answers a Register with 2.01, an Update or De-register with 2.04 or 2.02. A device that has started anew has another port."""
        if sender != self.device:
            self.device = sender
            if self.moved:
                self.moved(sender)
        if len(data) < 4 or data[0] >> 4 & 3 != flood.CON or data[1] not in (2, 4):
            return
        token = data[4:4 + (data[0] & 15)]
        inside = data[4 + len(token):].split(b"\xff", 1)[0]
        register = data[1] == 2 and b"ep=" in inside
        self.registers += register
        options = [(flood.LOCATION_PATH, b"rd"), (flood.LOCATION_PATH, b"1")] if register else []
        code = 65 if register else 68 if data[1] == 2 else 66
        own.sendto(flood.message(flood.ACK, code, data[2] << 8 | data[3], token, options), self.device)

    def get(self, path, mid):
        """The code and the rest of the answer to a GET."""
        self.socket.settimeout(2)
        for _ in range(30):
            self.socket.sendto(flood.message(flood.CON, 1, mid, b"ask", flood.path(*path.strip("/").split("/"))), self.device)
            try:
                while True:
                    data, sender = self.socket.recvfrom(65535)
                    self.take(self.socket, data, sender)
                    if data[4:4 + (data[0] & 15)] == b"ask":
                        return data[1], data
            except TimeoutError:
                pass
        raise AssertionError(f"no answer to GET {path}")


class FloodOnDunlind(Suite):
    """Random and mutated datagrams at dunlind's ports, with devices registered."""

    name = "flood-on-dunlind"

    def set_up(self):
        self.server = DunlindServer(self.programs)
        self.rest = self.server.rest
        self.devices = [DunlinDevice(self.programs, f"bystander-{i}-d41d8c", self.server.uri, lifetime=86400)
                        for i in (1, 2)]
        for device in self.devices:
            self.server.wait_registered(device.endpoint)
        self.by_hand = ByHand(self.server.program.coap)
        equal(self.server.observe(self.devices[0].endpoint, "/33500/0/1")["code"], "2.05")

    def tear_down(self):
        self.server.stream.close()
        self.by_hand.flood.close()

    def state(self):
        """All that REST shows of the registrations and observations, but times of last contact."""
        out = {}
        for client in self.rest.clients():
            detail = values.lasting(self.rest.client(client["endpoint"]))
            observations = self.rest.call("GET", self.rest.device(client["endpoint"], "/observations"))
            if detail is not None and observations.status == 200:  # else it has expired between these requests
                out[client["endpoint"]] = (detail, observations.json)
        return out

    def flood(self, sender, seed, megabytes):
        """Floods, removes what was rightfully registered by a mutant that is a valid Register, compares the rest."""
        before, counted, memory = self.state(), self.rest.metrics(), resident_kb(self.server.program)
        sender.run(flood.generator(seed), flood.server_seeds, int(megabytes * 1e6))
        check(self.server.program.alive(), "dunlind has ended")
        addresses, after = sender.addresses(), self.state()
        created = [name for name in after if name not in before]
        for name in created:
            check(after[name][0]["address"] in addresses, f"{name!r} was registered from elsewhere: {after[name]}")
        self.deregister([after[name][0] for name in created])
        equal(self.state(), before, "registrations and observations")
        now = self.rest.metrics()
        for counter in ("dunlin_coap_received_total", "dunlin_coap_malformed_total"):
            moved = sum(value for key, value in now.items() if key.startswith(counter)) - sum(
                value for key, value in counted.items() if key.startswith(counter))
            check(moved > 0, f"{counter} did not move")
        received = now["dunlin_coap_received_total"] - counted["dunlin_coap_received_total"]
        check(received >= sender.sent * 0.99, f"only {received} of {sender.sent} datagrams were looked at")
        grown = resident_kb(self.server.program) - memory
        check(grown < RESIDENT_GROWTH_MAX_KB, f"dunlind grew by {grown} kB")
        print(f"        {sender.sent} datagrams, {sender.sent_bytes / 1e6:.1f} MB, {sender.answers} answers; "
              f"{len(created)} valid registers; dunlind grew by {grown} kB", flush=True)

    def deregister(self, clients):
        """De-registers from an address that has not sent anything yet, so that no message id was used before."""
        cleaner = flood.Flood(self.server.program.coap, [flood.make_socket()])
        for mid, client in enumerate(clients, 1):
            code = flood.exchange(cleaner.sockets[0], cleaner.target, flood.message(
                flood.CON, 4, mid, b"\x77", flood.path("rd", client["registrationId"])))[1]
            check(code in (66, 132), f"{code} answers a de-register of {client['endpoint']!r}")  # its lifetime may be over
        cleaner.close()

    def still_serves(self):
        for device in self.devices:
            answer = self.server.read(device.endpoint, "/3/0/0")
            equal(answer["code"], "2.05", device.endpoint)
        path = "/33500/0/1"
        since = self.server.mark()
        value = f"after {since}"
        self.devices[0].set(path, "string", value)
        self.server.notification(self.devices[0].endpoint, path, since, lambda node: node["value"] == value)

    @case("{0} MB from addresses without a device change no registration and no observation", [MEGABYTES - 2],
          timeout_s=1200)
    def strangers(self, megabytes):
        sender = flood.Flood(self.server.program.coap)
        try:
            self.flood(sender, SEED, megabytes)
        finally:
            sender.close()

    @case("{0} MB from a registered device's own port change no registration and no observation", [2], timeout_s=1200)
    def own_port(self, megabytes):
        self.flood(self.by_hand.flood, SEED + 1, megabytes)

    @case("after that devices are read, and an observation made before still notifies")
    def serves(self):
        self.still_serves()

    @case("1 MB of random and of mutated HTTP requests change nothing")
    def http(self):
        before, rng, sent = self.state(), flood.generator(SEED + 2), 0
        host, _, port = self.server.program.http.rpartition(":")
        request = (b"GET /api/v1/clients?limit=10&q=by HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n"
                   b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        while sent < 1_000_000:
            data = (rng.randbytes(rng.randrange(1, 8000)) if rng.randrange(2)
                    else flood.mutate(rng, request + rng.randbytes(rng.randrange(2000))))
            with socket.create_connection((host, int(port)), timeout=60) as connection:
                try:
                    connection.sendall(data)
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(0.1)
                    connection.recv(4096)
                except OSError:
                    pass  # it may hang up on us, or wait for more
            sent += len(data)
        check(self.server.program.alive(), "dunlind has ended")
        equal(self.state(), before, "registrations and observations")
        self.still_serves()


class FloodOnClient(Suite):
    """Random and mutated datagrams at the port of `dunlin client`."""

    name = "flood-on-client"

    def set_up(self):
        self.server = DunlindServer(self.programs)
        self.device = DunlinDevice(self.programs, "flooded", self.server.uri, lifetime=86400)
        self.server.wait_registered("flooded")
        equal(self.server.observe("flooded", "/33500/0/1")["code"], "2.05")

    def tear_down(self):
        self.server.stream.close()

    def values(self):
        """All readable values but those that move by themselves."""
        out = {}
        for path in ("/1", "/3", "/33500"):
            answer = self.server.read("flooded", path, 112)
            equal(answer["code"], "2.05", path)
            out[path] = answer["node"]
        for instance in out["/3"]["instances"]:
            instance["resources"] = [item for item in instance["resources"] if item["id"] not in (9, 10, 13, 15)]
        return out

    @case("{0} MB from addresses that are not its server's change no value and no registration", [MEGABYTES],
          timeout_s=1200)
    def strangers(self, megabytes):
        before, listed = self.values(), values.lasting(self.server.registration("flooded"))
        taken = self.device.count("datagrams")
        sender = flood.Flood(f"127.0.0.1:{bound_port(self.device.program.pid)}",
                             settled=lambda sent: self.device.count("datagrams") - taken >= sent)
        memory = resident_kb(self.device.program)
        try:
            sender.run(flood.generator(SEED + 3), flood.client_seeds, int(megabytes * 1e6))
        finally:
            sender.close()
        check(self.device.program.alive(), "dunlin client has ended")
        equal(self.values(), before, "values")
        equal(values.lasting(self.server.registration("flooded")), listed, "registration")
        grown = resident_kb(self.device.program) - memory
        check(grown < RESIDENT_GROWTH_MAX_KB, f"dunlin client grew by {grown} kB")
        print(f"        {sender.sent} datagrams, {sender.sent_bytes / 1e6:.1f} MB, {sender.answers} answers; "
              f"dunlin client grew by {grown} kB", flush=True)

    @case("an observation made before still notifies, and writes still work")
    def serves(self):
        since = self.server.mark()
        equal(self.server.write("flooded", "/33500/0/1", {"type": "string", "value": "after"})["code"], "2.04")
        self.server.notification("flooded", "/33500/0/1", since, lambda node: node["value"] == "after")


class FloodFromOwnServer(Suite):
    """Random and mutated datagrams at `dunlin client` from its own server, which may rightfully ask for much."""

    name = "flood-on-client-from-its-server"

    def set_up(self):
        self.server = OwnServer()
        self.device = DunlinDevice(self.programs, "obedient", self.server.uri, lifetime=86400)
        self.server.wait_registered()

    @case("after {0} MB the device runs, has not grown, and answers", [2], timeout_s=1200)
    def own_server(self, megabytes):
        host, port = self.server.device
        memory = resident_kb(self.device.program)
        lost = -self.device.count("datagrams")
        sender = flood.Flood(f"{host}:{port}", [self.server.socket], on_answer=self.server.take,
                             settled=lambda sent: self.device.count("datagrams") + lost >= sent)

        def moved(address):
            nonlocal lost
            lost = sender.sent - self.device.count("datagrams")  # what went to the old port
            sender.target = address

        self.server.moved = moved
        sender.run(flood.generator(SEED + 4), flood.client_seeds, int(megabytes * 1e6))
        check(self.device.program.alive(), "dunlin client has ended")
        grown = resident_kb(self.device.program) - memory
        check(grown < RESIDENT_GROWTH_MAX_KB, f"dunlin client grew by {grown} kB")
        equal(self.server.get("/3/0/0", 7)[0], 69, "code of the answer to a read")
        print(f"        {sender.sent} datagrams, {sender.sent_bytes / 1e6:.1f} MB, {sender.answers} answers, "
              f"{self.server.registers} registers; dunlin client grew by {grown} kB", flush=True)


SUITES = [FloodOnDunlind, FloodOnClient, FloodFromOwnServer]
