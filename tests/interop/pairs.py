# SPDX-License-Identifier: Apache-2.0
"""What every pair of an LwM2M server and an LwM2M device must be able to do; a suite names the pair."""

import concurrent.futures

import links
import values
from support.harness import Suite, case, check, equal
from support.programs import wait_until
from values import (CBOR, FORMAT_NAMES, LARGE, LWM2M_JSON, MULTIPLE, OBJECT, OPAQUE, SENML_CBOR, SENML_JSON, SINGLE,
                    STRUCTURED, TEXT, TLV, plain)

LARGE_SIZE = 4000  # `dunlin client` has room for 4,094 bytes in a resource of an object definition
AT_ONCE = 20
QUIET_S = 1.5


def _single_rows():
    """Each type in each format that can carry it alone."""
    for rid, row in SINGLE.items():
        for number in [TEXT, CBOR, *STRUCTURED] + ([OPAQUE] if row[0] == "opaque" else []):
            yield rid, row[0], FORMAT_NAMES[number], number


class Pair(Suite):
    server = device = None
    endpoint = ""
    version = "1.1"
    # What the peer of this pair can't do, by subject; docs/interop.md says why.
    limits = {}

    # The content formats that the device has, and (for a part of the cases only) the methods to run.
    formats = list(FORMAT_NAMES)
    takes = []  # formats that it reads but does not write
    only = None

    @classmethod
    def cases(cls):
        """Without those in a format that the device does not have; `refuses_formats` is about these."""
        return [item for item in super().cases()
                if (cls.only is None or item[1] in cls.only)
                and not (item[2] and item[2][-1] in FORMAT_NAMES and item[2][-1] not in cls.formats)
                and not (item[1] == "reads_resource_instance" and cls.version == "1.0")
                and not (item[1] == "refuses_formats" and set(cls.formats) == set(FORMAT_NAMES))]

    def start(self):
        """Starts the server and then the device."""
        raise NotImplementedError

    def set_up(self):
        self.start()
        self.server.wait_registered(self.endpoint)

    def tear_down(self):
        stream = getattr(self.server, "stream", None)
        if stream:
            stream.close()

    def cannot(self, subject, key):
        """Whether the peer is known not to do this."""
        return key in self.limits.get(subject, ())

    # ---- registration

    @case("the device registers, and the server lists its name, version, lifetime and objects")
    def registers(self):
        registration = self.server.registration(self.endpoint)
        equal(registration["lwm2m"], self.version, "version")
        equal(registration["lifetime"], 300, "lifetime")
        if "objects" in registration:
            listed = {(item["id"], iid) for item in registration["objects"] for iid in item["instances"]}
        else:
            listed = {tuple(int(n) for n in link["path"].strip("/").split("/"))
                      for link in links.parse(registration["links"]) if link["path"].count("/") == 2}
        for wanted in [(1, 0), (3, 0), (3303, 0), (OBJECT, 0)]:
            check(wanted in listed, f"{wanted} is not among {sorted(listed)}")
        check((0, 0) not in listed, "the Security Object must not be listed (Core 1.1.1 section 6.2.1)")

    # ---- read

    @case("a read of an object, an instance, a multiple and a single resource as {0}",
          [(FORMAT_NAMES[number], number) for number in STRUCTURED])
    def reads_levels(self, name, number):
        for path in [f"/{OBJECT}", f"/{OBJECT}/0", f"/{OBJECT}/0/21", f"/{OBJECT}/0/1"]:
            answer = self.server.read(self.endpoint, path, number)
            equal(answer["code"], "2.05", path)
            equal(answer["contentFormat"], number, f"{path}: format")
            self.compare(path, plain(answer["node"]), number)

    def compare(self, path, got, number):
        instance = {rid: row[1] for rid, row in {**SINGLE, **MULTIPLE}.items()}
        instance[values.READ_ONLY] = 11
        for rid in [r for r in SINGLE if self.cannot("extreme", (SINGLE[r][0], number))]:
            del instance[rid]
        depth = path.count("/")
        if depth == 1:
            equal(sorted(got), [0], f"{path}: instances")
            got = got[0]
        if depth <= 2:
            for rid, wanted in instance.items():
                check(rid in got, f"{path}: resource {rid} is not in {sorted(got)}")
                equal(got[rid], wanted, f"{path}: resource {rid}")
            check(values.WRITE_ONLY not in got, f"{path}: the write-only resource is in the answer")
        else:
            equal(got, instance[int(path.split("/")[3])], path)

    @case("a read of a resource instance as {0}", [(FORMAT_NAMES[n], n) for n in [TEXT, CBOR, SENML_JSON, SENML_CBOR]])
    def reads_resource_instance(self, name, number):
        for rid in [21, 22, 24, 25, 28]:
            for key, wanted in MULTIPLE[rid][1].items():
                answer = self.server.read(self.endpoint, f"/{OBJECT}/0/{rid}/{key}", number)
                equal(answer["code"], "2.05", f"/{OBJECT}/0/{rid}/{key}")
                equal(values.moment(answer["node"]["value"]), wanted, f"/{OBJECT}/0/{rid}/{key}")

    @case("a read without a format asked for is answered in one that the server can read")
    def reads_default(self):
        for path in ["/3/0", "/3/0/0", f"/{OBJECT}/0/22"]:
            equal(self.server.read(self.endpoint, path)["code"], "2.05", path)

    @case("a read in a format that the device does not have is answered 4.06, a write 4.15")
    def refuses_formats(self):
        path, node = f"/{OBJECT}/0/1", values.resource_node(1)
        for number in set(FORMAT_NAMES) - set(self.formats):
            equal(self.server.read(self.endpoint, path, number)["code"], "4.06", f"read as {FORMAT_NAMES[number]}")
            wanted = "2.04" if number in self.takes else "4.15"
            equal(self.server.write(self.endpoint, path, node, number)["code"], wanted, f"write as {FORMAT_NAMES[number]}")

    @case("reads of what is not there are answered 4.04")
    def reads_missing(self):
        for path in ["/4000", "/3/7", "/3/0/999", f"/{OBJECT}/9/1"]:
            equal(self.server.read(self.endpoint, path)["code"], "4.04", path)

    @case("{0} requests at once each get their own answer", [AT_ONCE])
    def reads_at_once(self, count):
        paths = [f"/{OBJECT}/0/{rid}" for rid in [1, 2, 4, 5]] * (count // 4)
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            answers = list(pool.map(lambda path: self.server.read(self.endpoint, path), paths))
        for path, answer in zip(paths, answers):
            equal(answer["code"], "2.05", path)
            equal(plain(answer["node"]), SINGLE[int(path.split("/")[3])][1], path)

    @case("a write to a read-only resource and a read of a write-only one are answered 4.05")
    def refuses(self):
        answer = self.server.write(self.endpoint, f"/{OBJECT}/0/11", {"type": "integer", "value": 1})
        equal(answer["code"], "4.05", "write")
        equal(self.server.read(self.endpoint, f"/{OBJECT}/0/12")["code"], "4.05", "read")
        equal(self.server.read(self.endpoint, f"/{OBJECT}/0/10")["code"], "4.05", "read of an executable resource")

    # ---- write

    @case("a write of one {1} as {2} arrives at the device and reads back", list(_single_rows()))
    def writes_single(self, rid, kind, name, number):
        path = f"/{OBJECT}/0/{rid}"
        first = SINGLE[rid][1]
        if self.cannot("extreme", (kind, number)):
            first = 2**63 - 1
        for value in (SINGLE[rid][2], first):
            answer = self.server.write(self.endpoint, path, {"type": kind, "value": value}, number)
            equal(answer["code"], "2.04", f"write {value!r}")
            equal(self.device.get(path), value, "on the device")
            answer = self.server.read(self.endpoint, path, number)
            equal(answer["code"], "2.05", "read back")
            equal(plain(answer["node"]), value, "read back")

    @case("a write of the largest and smallest integers as {0} is exact",
          [(FORMAT_NAMES[n], n) for n in [TEXT, CBOR, TLV, SENML_JSON, SENML_CBOR, LWM2M_JSON]])
    def writes_extremes(self, name, number):
        path = f"/{OBJECT}/0/2"
        for value in [0, -1, 127, 128, -129, 32768, 2147483647, -2147483649, 2**53 + 1, 2**63 - 1, -2**63]:
            equal(self.server.write(self.endpoint, path, {"type": "integer", "value": value}, number)["code"], "2.04", value)
            equal(self.device.get(path), value, "on the device")

    @case("unsigned integers of every length, in TLV, are written and read exactly")
    def unsigned_lengths(self):
        path = f"/{OBJECT}/0/3"
        for value in [0, 127, 128, 200, 255, 256, 32767, 32768, 65535, 65536, 2**31, 2**32 - 1, 2**32, 2**63 - 1]:
            equal(self.server.write(self.endpoint, path, {"type": "unsigned", "value": value}, TLV)["code"], "2.04", value)
            equal(self.device.get(path), value, "on the device")
            equal(plain(self.server.read(self.endpoint, path, TLV)["node"]), value, "read back")
        equal(self.server.write(self.endpoint, path, values.resource_node(3), TEXT)["code"], "2.04")

    @case("multiple resources are replaced as {0}", [(FORMAT_NAMES[n], n) for n in STRUCTURED])
    def writes_multiple(self, name, number):
        for rid, (kind, first, second) in MULTIPLE.items():
            path = f"/{OBJECT}/0/{rid}"
            for value in (second, first):
                answer = self.server.write(self.endpoint, path, {"type": kind, **values.content(value)}, number)
                equal(answer["code"], "2.04", path)
                equal(self.device.get(path), value, f"{path} on the device")

    @case("an instance is updated (others stay) as {0}", [(FORMAT_NAMES[n], n) for n in STRUCTURED])
    def updates_instance(self, name, number):
        node = {"resources": [values.resource_node(rid, second=True) for rid in (1, 2, 5)]}
        equal(self.server.write(self.endpoint, f"/{OBJECT}/0", node, number, mode="update")["code"], "2.04")
        for rid in (1, 2, 5):
            equal(self.device.get(f"/{OBJECT}/0/{rid}"), SINGLE[rid][2], f"resource {rid}")
        equal(self.device.get(f"/{OBJECT}/0/4"), SINGLE[4][1], "a resource that was not written")
        node = {"resources": [values.resource_node(rid) for rid in (1, 2, 5)]}
        equal(self.server.write(self.endpoint, f"/{OBJECT}/0", node, number, mode="update")["code"], "2.04")

    @case("an instance with every type is replaced as {0}", [(FORMAT_NAMES[n], n) for n in STRUCTURED])
    def replaces_instance(self, name, number):
        without = [rid for rid in SINGLE if self.cannot("extreme", (SINGLE[rid][0], number))]
        for second in (True, False):
            node = values.instance_node(second, without)
            equal(self.server.write(self.endpoint, f"/{OBJECT}/0", node, number)["code"], "2.04")
            for item in node["resources"]:
                equal(self.device.get(f"/{OBJECT}/0/{item['id']}"), plain(item), f"resource {item['id']}")

    # ---- execute, discover, create, delete

    @case("a resource is executed without and with arguments")
    def executes(self):
        for args in [None, "0='on',1,2='x-y'"]:
            since = self.device.mark()
            equal(self.server.execute(self.endpoint, f"/{OBJECT}/0/10", args)["code"], "2.04")
            equal(self.device.executed(f"/{OBJECT}/0/10", since), args or "", "arguments")

    @case("an execute of a resource that can't be executed is answered 4.05")
    def refuses_execute(self):
        equal(self.server.execute(self.endpoint, f"/{OBJECT}/0/1")["code"], "4.05")

    @case("a discover of an object, an instance and a resource lists what is there")
    def discovers(self):
        for path in [f"/{OBJECT}", f"/{OBJECT}/0"]:
            answer = self.server.discover(self.endpoint, path)
            equal(answer["code"], "2.05", path)
            found = {link["path"] for link in answer["links"]}
            for rid in [1, 9, 10, 21]:
                check(f"/{OBJECT}/0/{rid}" in found, f"{path}: resource {rid} is not in {sorted(found)}")
        answer = self.server.discover(self.endpoint, f"/{OBJECT}/0/1")
        equal([link["path"] for link in answer["links"]], [f"/{OBJECT}/0/1"])

    @case("a discover of a multiple resource tells its dimension")
    def discovers_dimension(self):
        answer = self.server.discover(self.endpoint, f"/{OBJECT}/0/22")
        equal(answer["links"][0]["attributes"].get("dim"), "3", f"dim in {answer['links']}")

    @case("an instance with a number of the server's is created, read, and deleted, as {0}",
          [(FORMAT_NAMES[n], n) for n in STRUCTURED])
    def creates(self, name, number):
        since = self.server.mark()
        node = {"id": 5, "resources": [values.resource_node(rid, second=True) for rid in (1, 2, 3, 4, 5, 6, 7, 8, 21, 22)]}
        answer = self.server.create(self.endpoint, f"/{OBJECT}", node, number)
        equal(answer["code"], "2.01")
        equal(answer["location"], f"/{OBJECT}/5", "location")
        self.wait_listed(since, 5, True)
        answer = self.server.read(self.endpoint, f"/{OBJECT}/5")
        got = plain(answer["node"])
        for item in node["resources"]:
            equal(got.get(item["id"]), plain(item), f"resource {item['id']}")
        since = self.server.mark()
        equal(self.server.delete(self.endpoint, f"/{OBJECT}/5")["code"], "2.02")
        self.wait_listed(since, 5, False)
        equal(self.server.read(self.endpoint, f"/{OBJECT}/5")["code"], "4.04", "read after the delete")

    def wait_listed(self, since, iid, wanted):
        """Until the registration, as the device updated it, has (or has no longer) an instance of the test object."""
        path = f"</{OBJECT}/{iid}>"
        wait_until(f"{path} listed: {wanted}",
                   lambda: (path in self.server.registration(self.endpoint)["links"]) == wanted)

    @case("an instance without a number is created where the device says")
    def creates_anywhere(self):
        answer = self.server.create(self.endpoint, f"/{OBJECT}", {"resources": [values.resource_node(1)]})
        equal(answer["code"], "2.01")
        path = answer["location"]
        check(path.startswith(f"/{OBJECT}/") and path != f"/{OBJECT}/0", f"location {path}")
        equal(plain(self.server.read(self.endpoint, path + "/1")["node"]), SINGLE[1][1])
        equal(self.server.delete(self.endpoint, path)["code"], "2.02")

    @case("a create of an instance that is there, and a delete of one that is not, are refused")
    def refuses_create(self):
        answer = self.server.create(self.endpoint, f"/{OBJECT}", {"id": 0, "resources": [values.resource_node(1)]})
        check(answer["code"] in ("4.00", "4.05"), f"create: {answer}")
        equal(self.server.delete(self.endpoint, f"/{OBJECT}/77")["code"], "4.04", "delete")

    # ---- observe

    @case("an observed resource notifies each change, in order, until it is cancelled")
    def observes_resource(self):
        path = "/3303/0/5700"
        self.device.set(path, "float", 20.25)
        answer = self.server.observe(self.endpoint, path)
        equal(answer["code"], "2.05")
        equal(plain(answer["node"]), 20.25, "first value")
        for value in (21.5, -40.0, 1.0e6):
            since = self.server.mark()
            self.device.set(path, "float", value)
            self.server.notification(self.endpoint, path, since, lambda node: plain(node) == value)
        equal(self.server.cancel(self.endpoint, path)["code"], "2.05")
        since = self.server.mark()
        self.device.set(path, "float", 3.0)
        self.server.no_notification(self.endpoint, path, since, QUIET_S)

    @case("an observed instance and object notify a change of a resource, as {0}",
          [(FORMAT_NAMES[n], n) for n in STRUCTURED])
    def observes_levels(self, name, number):
        for path in ["/3303/0", "/3303"]:
            self.device.set("/3303/0/5700", "float", 1.5)
            equal(self.server.observe(self.endpoint, path, number)["code"], "2.05", path)
            since = self.server.mark()
            self.device.set("/3303/0/5700", "float", 2.5)
            event = self.server.notification(self.endpoint, path, since, lambda node, path=path: (
                plain(node)[0] if path == "/3303" else plain(node))[5700] == 2.5)
            equal(event["contentFormat"], number, "format of the notification")
            equal(self.server.cancel(self.endpoint, path)["code"], "2.05", path)

    @case("two observations of a device are told apart, and a write of the server's own is notified")
    def observes_two(self):
        first, second = f"/{OBJECT}/0/1", f"/{OBJECT}/0/2"
        for path in (first, second):
            equal(self.server.observe(self.endpoint, path)["code"], "2.05")
        since = self.server.mark()
        equal(self.server.write(self.endpoint, second, values.resource_node(2, second=True))["code"], "2.04")
        self.server.notification(self.endpoint, second, since, lambda node: plain(node) == SINGLE[2][2])
        self.server.no_notification(self.endpoint, first, since, 0.2)
        equal(self.server.write(self.endpoint, second, values.resource_node(2))["code"], "2.04")
        for path in (first, second):
            equal(self.server.cancel(self.endpoint, path)["code"], "2.05")

    # ---- block-wise

    @case("{0} bytes are written and read in blocks as {1}",
          [(LARGE_SIZE, FORMAT_NAMES[n], n) for n in [OPAQUE, TLV, SENML_CBOR, SENML_JSON, CBOR]])
    def transfers(self, size, name, number):
        path, value = f"/{OBJECT}/0/{LARGE}", values.opaque(size, seed=number + 1)
        answer = self.server.write(self.endpoint, path, {"type": "opaque", "value": value}, number)
        equal(answer["code"], "2.04")
        equal(self.device.get(path), value, "on the device")
        answer = self.server.read(self.endpoint, path, number)
        equal(answer["code"], "2.05")
        equal(plain(answer["node"]), value, "read back")

    @case("a notification larger than a block arrives whole")
    def observes_large(self):
        path = f"/{OBJECT}/0/{LARGE}"
        self.device.set(path, "opaque", values.opaque(10))
        equal(self.server.observe(self.endpoint, path)["code"], "2.05")
        value = values.opaque(LARGE_SIZE, seed=77)
        since = self.server.mark()
        self.device.set(path, "opaque", value)
        self.server.notification(self.endpoint, path, since, lambda node: plain(node) == value)
        equal(self.server.cancel(self.endpoint, path)["code"], "2.05")

    # ---- lifetime, end

    @case("a new lifetime written to the Server Object comes back in an update")
    def updates_lifetime(self):
        since = self.server.mark()
        equal(self.server.write(self.endpoint, "/1/0/1", {"type": "integer", "value": 240})["code"], "2.04")
        equal(self.server.updated(self.endpoint, since)["lifetime"], 240)
        equal(self.server.registration(self.endpoint)["lifetime"], 240)

    @case("an execute of the update trigger makes the device update its registration")
    def triggers_update(self):
        since = self.server.mark()
        equal(self.server.execute(self.endpoint, "/1/0/8")["code"], "2.04")
        self.server.updated(self.endpoint, since)

    @case("the device de-registers and is no longer listed")
    def deregisters(self):
        self.device.stop()
        self.server.wait_gone(self.endpoint)
