/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, and the nodes that the server answers with, taken apart into single values. */
import type { InstanceNode, Node, ObjectNode, ResourceNode, Value, ValueType } from "../api/types";

/** One value of a device: a single resource or an instance of a multiple one. */
export interface Leaf {
  path: string;
  value: Value;
  type: ValueType;
  unit: string;
  name: string;
}

export function splitPath(path: string): number[] {
  return path.split("/").filter((part) => part !== "").map(Number);
}

export const joinPath = (...ids: number[]): string => `/${ids.join("/")}`;
export const depthOf = (path: string): number => splitPath(path).length;
export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));
/** True when path is base or lies below it; "" is above everything. */
export const isWithin = (path: string, base: string): boolean => path === base || path.startsWith(`${base}/`);

/** Orders paths by their numbers, parents first. */
export function comparePaths(a: string, b: string): number {
  const x = splitPath(a);
  const y = splitPath(b);
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const difference = (x[i] ?? -1) - (y[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

function guessType(value: Value): ValueType {
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "float";
  return "string";
}

function resourceLeaves(path: string, node: ResourceNode, out: Leaf[]): void {
  const common = { unit: node.unit ?? "", name: node.name ?? "" };
  if (node.values) {
    for (const item of node.values) {
      out.push({ ...common, path: `${path}/${item.id}`, value: item.value, type: node.type ?? item.type ?? guessType(item.value) });
    }
  } else if (node.value !== undefined) {
    out.push({ ...common, path, value: node.value, type: node.type ?? guessType(node.value) });
  }
}

/** The values of a node that was read or notified at the path. */
export function leavesOf(path: string, node: Node): Leaf[] {
  const out: Leaf[] = [];
  const instance = (base: string, item: InstanceNode): void => {
    for (const resource of item.resources) resourceLeaves(`${base}/${resource.id}`, resource, out);
  };
  if ("instances" in node) for (const item of (node as ObjectNode).instances) instance(`${path}/${item.id}`, item);
  else if ("resources" in node) instance(path, node as InstanceNode);
  else resourceLeaves(path, node as ResourceNode, out);
  return out;
}

/** The ids of the instances in a node, with the resources that each has; undefined below instance level. */
export function instancesOf(path: string, node: Node): Map<string, number[]> | undefined {
  if ("instances" in node) {
    return new Map((node as ObjectNode).instances.map((item) => [`${path}/${item.id}`, item.resources.map((r) => r.id)]));
  }
  if ("resources" in node) return new Map([[path, (node as InstanceNode).resources.map((r) => r.id)]]);
  return undefined;
}
