# SPDX-License-Identifier: Apache-2.0
"""The two LwM2M devices behind one set of operations: what a person at the device could see and do."""

import toolchain
import values


class LeshanDevice:
    """Leshan's client library with objects 1, 3, 3303 and 33500."""

    formats = [values.TEXT, values.OPAQUE, values.CBOR, values.SENML_JSON, values.SENML_CBOR, values.TLV, values.LWM2M_JSON]

    def __init__(self, programs, endpoint, uri, lwm2m="1.1", lifetime=300, block=None):
        self.endpoint, self.lwm2m = endpoint, lwm2m
        options = ["--endpoint", endpoint, "--server", uri, "--lwm2m", lwm2m, "--lifetime", str(lifetime)]
        options += ["--block", str(block)] if block else []
        self.program = programs.peer(endpoint, toolchain.leshan("Device", *options))
        self.program.event("ready", timeout_s=30)
        self.set("/3/0/0", "string", "Leshan")
        self.set("/3/0/1", "string", "M15")
        self.set("/3/0/2", "string", "serial-1")
        self.set("/3/0/11", "integer", {0: 0})
        self.set("/3/0/16", "string", "U")
        self.set("/3303/0/5700", "float", 20.25)
        self.set("/3303/0/5701", "string", "Cel")
        self.fill()
        self.program.ask("start")

    def fill(self):
        """The test object's instance 0 with the first value of each resource."""
        for node in values.instance_node()["resources"]:
            self.program.ask("set", path=f"/33500/0/{node['id']}", node=node)
        self.set("/33500/0/11", "integer", 11)

    def set(self, path, kind, value):
        answer = self.program.ask("set", path=path, node={"type": kind, **values.content(value)})
        if "error" in answer:
            raise AssertionError(answer["error"])

    def get(self, path):
        """The bare value that the device holds, or None."""
        answer = self.program.ask("get", path=path)
        return values.plain(answer["node"]) if "node" in answer else None

    def mark(self):
        return self.program.mark()

    def executed(self, path, since):
        """The arguments with which a resource was executed."""
        return self.program.event("executed", since, path=path)["args"]

    def update(self):
        self.program.ask("update")

    def stop(self):
        """Ends with a de-registration."""
        self.program.ask("stop")
