/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import type { Model, ModelResource, ValueType } from "../src/api/types";
import { comparePaths, instancesOf, isWithin, leavesOf, parentOf } from "../src/model/nodes";
import { buildTree, filterTree, findNode, labelOf, modelResources, visibleRows, type Sample, type TreeInput } from "../src/model/tree";

const resource = (id: number, name: string, operations: ModelResource["operations"], type: ValueType, more: Partial<ModelResource> = {}): ModelResource =>
  ({ id, name, operations, type, multiple: false, mandatory: false, range: "", unit: "", description: "", ...more });
const DEVICE: Model = {
  id: 3, version: "1.1", name: "Device", urn: "", multiple: false, mandatory: true, description: "",
  resources: [
    resource(0, "Manufacturer", "R", "string"), resource(4, "Reboot", "E", "none", { mandatory: true }), resource(5, "Factory Reset", "E", "none"),
    resource(9, "Battery Level", "R", "integer", { unit: "%" }), resource(6, "Power Sources", "R", "integer", { multiple: true }), resource(99, "Hidden", "", "string"),
  ],
};
const sample = (path: string, value: Sample["value"], type: ValueType): [string, Sample] =>
  [path, { path, value, type, unit: "", name: "", at: 1, source: "read" }];
const input = (more: Partial<TreeInput>): TreeInput => ({
  objects: [{ id: 3303, version: "1.0", instances: [1, 0] }, { id: 3, version: "1.1", instances: [0] }],
  models: new Map([[3, DEVICE]]), samples: new Map(), presence: new Map(), showAbsent: false, ...more,
});
const ids = (nodes: readonly { id: number }[] | undefined): number[] => (nodes ?? []).map((node) => node.id);

describe("paths", () => {
  it("compare by numbers, know their family", () => {
    expect(["/10", "/3/0/11", "/3", "/3/0/2"].sort(comparePaths)).toEqual(["/3", "/3/0/2", "/3/0/11", "/10"]);
    expect(isWithin("/33/0", "/3")).toBe(false);
    expect(isWithin("/3/0", "/3")).toBe(true);
    expect(parentOf("/3/0/1")).toBe("/3/0");
    expect(parentOf("/3")).toBe("");
  });
});

describe("leavesOf", () => {
  it("takes apart objects, instances, resources and resource instances", () => {
    const node = { id: 3, instances: [{ id: 0, resources: [{ id: 0, type: "string" as const, value: "x" }, { id: 6, type: "integer" as const, values: [{ id: 0, value: 1 }, { id: 2, value: 5n }] }] }] };
    expect(leavesOf("/3", node).map((leaf) => [leaf.path, leaf.value, leaf.type])).toEqual([
      ["/3/0/0", "x", "string"], ["/3/0/6/0", 1, "integer"], ["/3/0/6/2", 5n, "integer"],
    ]);
    expect(leavesOf("/3/0/0", { id: 0, value: true })[0]).toMatchObject({ path: "/3/0/0", type: "boolean" });
    expect(leavesOf("/3/0/6/2", { id: 2, type: "integer", value: 5 })[0]).toMatchObject({ path: "/3/0/6/2", value: 5 });
    expect(leavesOf("/3/0/9", { id: 9, value: 1.5 })[0]?.type).toBe("float");
    expect(leavesOf("/3/0/6", { id: 6, type: "integer", values: [] })).toEqual([]);
  });
  it("tells the instances", () => {
    expect(instancesOf("/3/0", { id: 0, resources: [{ id: 7, value: 1 }] })).toEqual(new Map([["/3/0", [7]]]));
    expect(instancesOf("/3/0/7", { id: 7, value: 1 })).toBeUndefined();
  });
});

describe("buildTree", () => {
  it("sorts, names, and shows the model's resources before anything was read", () => {
    const tree = buildTree(input({}));
    expect(ids(tree)).toEqual([3, 3303]);
    expect(ids(tree[1]?.children)).toEqual([0, 1]);
    expect(ids(tree[0]?.children[0]?.children)).toEqual([0, 4, 5, 6, 9]);
    const reboot = findNode(tree, "/3/0/4");
    expect(reboot).toMatchObject({ name: "Reboot", executable: true, readable: false, writable: false, absent: false });
  });
  it("after a read leaves out what can be read and wasn't there, but keeps what a read can't tell", () => {
    const tree = buildTree(input({
      samples: new Map([sample("/3/0/0", "Dunlin", "string")]), presence: new Map([["/3/0", { ids: new Set([0]), complete: false }]]),
    }));
    expect(ids(tree[0]?.children[0]?.children)).toEqual([0, 4, 5]);
  });
  it("after a Discover shows exactly what is there", () => {
    const presence = new Map([["/3/0", { ids: new Set([0, 4]), complete: true }]]);
    expect(ids(buildTree(input({ presence }))[0]?.children[0]?.children)).toEqual([0, 4]);
    const all = buildTree(input({ presence, showAbsent: true }))[0]?.children[0]?.children ?? [];
    expect(ids(all)).toEqual([0, 4, 5, 6, 9, 99]);
    expect(all.filter((node) => node.absent).map((node) => node.id)).toEqual([5, 6, 9, 99]);
  });
  it("shows the instances of a multiple resource", () => {
    const tree = buildTree(input({ samples: new Map([sample("/3/0/6/1", 5, "integer"), sample("/3/0/6/0", 1, "integer")]) }));
    const node = findNode(tree, "/3/0/6");
    expect(ids(node?.children)).toEqual([0, 1]);
    expect(labelOf(tree, node?.children[1] as never)).toBe("Power Sources 1");
  });
  it("takes unmodelled objects by what the payload says and offers every operation", () => {
    const tree = buildTree(input({ samples: new Map([sample("/3303/0/7", 2.5, "float")]) }));
    expect(findNode(tree, "/3303/0/7")).toMatchObject({ modelled: false, type: "float", readable: true, writable: true });
    expect(findNode(tree, "/3303/0")?.deletable).toBe(true);
    expect(findNode(tree, "/3/0")?.deletable).toBe(false);
    expect(findNode(tree, "/3")?.creatable).toBe(false);
  });
  it("takes the unit from the sensor's own unit resource", () => {
    const tree = buildTree(input({ samples: new Map([sample("/3303/0/5700", 21.5, "float"), sample("/3303/0/5701", "Cel", "string")]) }));
    expect(findNode(tree, "/3303/0/5700")?.unit).toBe("Cel");
    expect(findNode(tree, "/3303/0/5701")?.unit).toBe("");
  });
});

describe("rows", () => {
  const tree = buildTree(input({ samples: new Map([sample("/3/0/0", "x", "string")]) }));
  it("follow what is unfolded", () => {
    expect(visibleRows(tree, new Set()).map((row) => row.node.path)).toEqual(["/3", "/3303"]);
    const rows = visibleRows(tree, new Set(["/3", "/3/0"]));
    expect(rows[0]).toMatchObject({ expanded: true, position: 1, siblings: 2 });
    expect(rows.map((row) => row.node.path)).toContain("/3/0/0");
    expect(rows.find((row) => row.node.path === "/3/0/0")?.expanded).toBeUndefined();
  });
  it("can be filtered by name and path", () => {
    expect(visibleRows(filterTree(tree, "manuf"), new Set(["/3", "/3/0"])).map((row) => row.node.path)).toEqual(["/3", "/3/0", "/3/0/0"]);
    expect(filterTree(tree, "/3303").map((node) => node.path)).toEqual(["/3303"]);
    expect(filterTree(tree, "nothing")).toEqual([]);
    expect(filterTree(tree, " ")).toHaveLength(2);
  });
});

it("offers for a new instance what holds a value", () => {
  expect(ids(modelResources("/3", DEVICE))).toEqual([0, 9, 6, 99]);
  expect(modelResources("/3", undefined)).toEqual([]);
});
