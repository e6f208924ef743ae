# SPDX-License-Identifier: Apache-2.0
"""What LwM2M 1.1 adds to what every pair of a server and a device must be able to do: composites, Send; and attributes."""

import values
from pairs import LARGE_SIZE, QUIET_S, Pair
from support.harness import case, check, equal
from values import FORMAT_NAMES, LARGE, OBJECT, SENML_CBOR, SENML_JSON

SENML = [(FORMAT_NAMES[number], number) for number in (SENML_JSON, SENML_CBOR)]
TEMPERATURE = "/3303/0/5700"


def _of(rid):
    return f"/{OBJECT}/0/{rid}"


class Pair11(Pair):
    def start(self):
        raise NotImplementedError

    # ---- Read-Composite and Write-Composite

    @case("a Read-Composite of resources, an instance and what is not there, as {0}", SENML)
    def reads_composite(self, name, number):
        self.device.set(TEMPERATURE, "float", 18.5)
        paths = [_of(1), _of(2), _of(22), _of(7), "/3303/0", "/3/0/999", "/4000/0"]
        answer = self.server.read_composite(self.endpoint, paths, number)
        equal((answer["code"], answer["contentFormat"]), ("2.05", number))
        found = answer["values"]
        for rid in (1, 2, 22, 7):
            equal(found.get(_of(rid)), (values.SINGLE if rid in values.SINGLE else values.MULTIPLE)[rid][1], _of(rid))
        equal(found.get(TEMPERATURE), 18.5, TEMPERATURE)
        check(not any(path.startswith(("/3/", "/4000")) for path in found), f"what is not there: {sorted(found)}")

    @case("a Read-Composite of many types is exact, as {0}", SENML)
    def reads_composite_types(self, name, number):
        table = {**{rid: row[1] for rid, row in values.SINGLE.items()}, **{rid: row[1] for rid, row in values.MULTIPLE.items()}}
        found = self.server.read_composite(self.endpoint, [_of(rid) for rid in table], number)["values"]
        for rid, wanted in table.items():
            equal(found.get(_of(rid)), wanted, _of(rid))

    @case("a Read-Composite in blocks")
    def reads_composite_large(self):
        value = values.opaque(LARGE_SIZE, seed=5)
        self.device.set(_of(LARGE), "opaque", value)
        found = self.server.read_composite(self.endpoint, [_of(LARGE), _of(4)])["values"]
        equal((found.get(_of(LARGE)), found.get(_of(4))), (value, values.SINGLE[4][1]))

    @case("a Write-Composite to two objects arrives at the device, as {0}", SENML)
    def writes_composite(self, name, number):
        for second in (True, False):
            nodes = {_of(rid): values.resource_node(rid, second) for rid in (1, 2, 5, 7)}
            nodes["/1/0/1"] = {"id": 1, "type": "integer", "value": 260 if second else 300}
            since = self.server.mark()
            equal(self.server.write_composite(self.endpoint, nodes, number)["code"], "2.04")
            for rid in (1, 2, 5, 7):
                equal(self.device.get(_of(rid)), values.SINGLE[rid][2 if second else 1], _of(rid))
            equal(self.server.updated(self.endpoint, since)["lifetime"], 260 if second else 300)

    @case("a Write-Composite in blocks")
    def writes_composite_large(self):
        value = values.opaque(LARGE_SIZE, seed=6)
        nodes = {_of(LARGE): {"id": LARGE, "type": "opaque", "value": value}, _of(4): values.resource_node(4)}
        equal(self.server.write_composite(self.endpoint, nodes)["code"], "2.04")
        equal(self.device.get(_of(LARGE)), value, "on the device")

    @case("a Write-Composite of which one part is refused writes nothing")
    def writes_composite_atomically(self):
        self.device.set(_of(1), "string", values.SINGLE[1][1])
        self.device.set(_of(11), "integer", 11)
        nodes = {_of(1): values.resource_node(1, second=True), _of(11): {"id": 11, "type": "integer", "value": 1}}
        equal(self.server.write_composite(self.endpoint, nodes)["code"], "4.05")
        equal(self.device.get(_of(1)), values.SINGLE[1][1], "the part that could have been written")
        equal(self.device.get(_of(11)), 11, "the read-only part")

    # ---- Observe-Composite

    @case("an Observe-Composite notifies a change of either resource, until it is cancelled, as {0}", SENML)
    def observes_composite(self, name, number):
        paths = [TEMPERATURE, _of(2)]
        self.device.set(TEMPERATURE, "float", 1.5)
        answer = self.server.observe_composite(self.endpoint, paths, number)
        check(answer["code"] == "2.05", answer)
        equal(answer["values"], {TEMPERATURE: 1.5, _of(2): values.SINGLE[2][1]}, "first values")
        since = self.server.mark()
        self.device.set(TEMPERATURE, "float", 2.5)
        found = self.server.composite_notification(self.endpoint, paths, since, lambda got: got.get(TEMPERATURE) == 2.5)
        equal(found, {TEMPERATURE: 2.5, _of(2): values.SINGLE[2][1]}, "values of the notification")
        since = self.server.mark()
        self.device.set(_of(2), "integer", 5)
        self.server.composite_notification(self.endpoint, paths, since, lambda got: got.get(_of(2)) == 5)
        self.device.set(_of(2), "integer", values.SINGLE[2][1])
        self.server.composite_notification(self.endpoint, paths, since, lambda got: got.get(_of(2)) == values.SINGLE[2][1])
        check(self.server.cancel_composite(self.endpoint, paths)["code"] in ("2.05", "2.04"), "cancel")
        since = self.server.mark()
        self.device.set(TEMPERATURE, "float", 3.5)
        self.server.no_composite_notification(self.endpoint, paths, since, QUIET_S)

    @case("an Observe-Composite and an Observe of one resource live side by side")
    def observes_both(self):
        paths = [TEMPERATURE, _of(5)]
        equal(self.server.observe(self.endpoint, TEMPERATURE)["code"], "2.05")
        equal(self.server.observe_composite(self.endpoint, paths)["code"], "2.05")
        since = self.server.mark()
        self.device.set(TEMPERATURE, "float", 12.5)
        self.server.notification(self.endpoint, TEMPERATURE, since, lambda node: values.plain(node) == 12.5)
        self.server.composite_notification(self.endpoint, paths, since, lambda got: got.get(TEMPERATURE) == 12.5)
        equal(self.server.cancel(self.endpoint, TEMPERATURE)["code"], "2.05")
        since = self.server.mark()
        self.device.set(TEMPERATURE, "float", 13.5)
        self.server.composite_notification(self.endpoint, paths, since, lambda got: got.get(TEMPERATURE) == 13.5)
        self.server.no_notification(self.endpoint, TEMPERATURE, since, 0.2)
        check(self.server.cancel_composite(self.endpoint, paths)["code"] in ("2.05", "2.04"), "cancel")

    # ---- Send

    @case("what the device sends by itself arrives")
    def sends(self):
        self.device.set(TEMPERATURE, "float", 7.25)
        since = self.server.mark()
        equal(self.device.send(TEMPERATURE, "/3/0/0", _of(22)), "2.04")
        found = self.server.sent(self.endpoint, since)
        equal(sorted(found), sorted([TEMPERATURE, "/3/0/0", _of(22)]), "paths")
        equal((found[TEMPERATURE], found[_of(22)]), (7.25, values.MULTIPLE[22][1]))

    @case("what the device sends by itself arrives in blocks")
    def sends_large(self):
        value = values.opaque(LARGE_SIZE, seed=8)
        self.device.set(_of(LARGE), "opaque", value)
        since = self.server.mark()
        equal(self.device.send(_of(LARGE), TEMPERATURE), "2.04")
        equal(self.server.sent(self.endpoint, since).get(_of(LARGE)), value)

    # ---- attributes

    @case("attributes that the server writes hold notifications back, and are discovered")
    def attributes(self):
        self.device.set(TEMPERATURE, "float", 10.0)
        equal(self.server.attributes(self.endpoint, TEMPERATURE, pmin=0, gt=20)["code"], "2.04")
        found = self.server.discover(self.endpoint, TEMPERATURE)["links"][0]["attributes"]
        equal((found.get("pmin"), found.get("gt")), ("0", "20"), "discovered")
        equal(self.server.observe(self.endpoint, TEMPERATURE)["code"], "2.05")
        since = self.server.mark()
        self.device.set(TEMPERATURE, "float", 19.0)
        self.server.no_notification(self.endpoint, TEMPERATURE, since, 1.0, lambda node: node["value"] == 19)
        self.device.set(TEMPERATURE, "float", 21.0)
        self.server.notification(self.endpoint, TEMPERATURE, since, lambda node: node["value"] == 21)
        equal(self.server.attributes(self.endpoint, TEMPERATURE, pmin=None, gt=None)["code"], "2.04")
        found = self.server.discover(self.endpoint, TEMPERATURE)["links"][0]["attributes"]
        check("gt" not in found and "pmin" not in found, f"discovered after they were unset: {found}")
        equal(self.server.cancel(self.endpoint, TEMPERATURE)["code"], "2.05")

    @case("the device de-registers and is no longer listed")
    def deregisters(self):
        super().deregisters()
