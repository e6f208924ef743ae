# SPDX-License-Identifier: Apache-2.0
"""The test object 33500: its resources with values that are hard to carry, and comparison of nodes."""

import base64

OBJECT = 33500


def opaque(size, seed=1):
    """`size` bytes without a short period, as base64."""
    out, state = bytearray(), seed
    for _ in range(size):
        state = (state * 1103515245 + 12345) % 2**31
        out.append(state >> 16 & 0xFF)
    return base64.b64encode(bytes(out)).decode()


# resource: (type, a value, another value)
SINGLE = {
    1: ("string", "Gr\u00fc\u00dfe, \u4e16\u754c \"\\/", "plain"),
    2: ("integer", -9223372036854775808, 9007199254740993),
    3: ("unsigned", 18446744073709551615, 7),
    4: ("float", 21.5, -1.0e-12),
    5: ("boolean", True, False),
    6: ("opaque", base64.b64encode(bytes(range(256))).decode(), base64.b64encode(b"\0").decode()),
    7: ("time", "2026-01-02T03:04:05Z", "2038-01-19T03:14:07Z"),
    8: ("objlnk", "33500:0", "3:0"),
    9: ("corelnk", "</3/0>", "</3303/0/5700>"),
}
# resource: (type, values by resource instance, another set)
MULTIPLE = {
    21: ("string", {0: "zero", 7: "seven"}, {3: "three"}),
    22: ("integer", {0: 1, 1: -70000, 65534: 2**40}, {0: 5}),
    24: ("float", {0: 0.25, 1: -3.5}, {1: 8.0}),
    25: ("boolean", {0: True, 1: False}, {4: True}),
    26: ("opaque", {0: opaque(3), 1: opaque(50)}, {0: opaque(2, 9)}),
    28: ("objlnk", {0: "3:0", 2: "1:0"}, {0: "0:0"}),
}
ACT, READ_ONLY, WRITE_ONLY, LARGE = 10, 11, 12, 30

# Content formats by number (Core 1.1.1 table 7.4.-1).
TEXT, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV, LWM2M_JSON = 0, 42, 60, 110, 112, 11542, 11543
FORMAT_NAMES = {TEXT: "text", OPAQUE: "opaque", CBOR: "cbor", SENML_JSON: "senml-json", SENML_CBOR: "senml-cbor",
                TLV: "tlv", LWM2M_JSON: "lwm2m-json"}
STRUCTURED = [TLV, LWM2M_JSON, SENML_JSON, SENML_CBOR]


def resource_node(rid, second=False):
    """The node of a resource of the test object, with its first or its second value."""
    table = SINGLE if rid in SINGLE else MULTIPLE
    kind, value = table[rid][0], table[rid][2 if second else 1]
    return {"id": rid, "type": kind, **content(value)}


def content(value):
    if isinstance(value, dict):
        return {"values": [{"id": key, "value": item} for key, item in sorted(value.items())]}
    return {"value": value}


def instance_node(second=False, without=()):
    return {"resources": [resource_node(rid, second) for rid in sorted({**SINGLE, **MULTIPLE}) if rid not in without]}


def plain(node):
    """A node as bare values: {instance: {resource: value or {resource instance: value}}} and parts of it."""
    if "instances" in node:
        return {item["id"]: plain(item) for item in node["instances"]}
    if "resources" in node:
        return {item["id"]: plain(item) for item in node["resources"]}
    if "values" in node:
        return {item["id"]: moment(item["value"]) for item in node["values"]}
    return moment(node["value"])


def moment(value):
    """Times with and without milliseconds are the same."""
    if isinstance(value, str) and value.endswith(".000Z"):
        return value[:-5] + "Z"
    return value


def lasting(client):
    """A client as the server shows it, without what any message from it moves."""
    return client and {key: value for key, value in client.items() if key not in ("lastSeen", "presence")}


def types(node):
    """{resource: type} of an instance."""
    return {item["id"]: item["type"] for item in node["resources"]}
