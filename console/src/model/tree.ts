/* SPDX-License-Identifier: Apache-2.0 */
/* The object tree of a device: what it registered, joined with the models' names and types and with
 * the values seen so far. Pure: the same input gives the same tree. */
import type { ClientObject, Model, ModelResource, ValueType } from "../api/types";
import { comparePaths, isWithin, parentOf, splitPath, type Leaf } from "./nodes";

/** A value with where it came from. */
export interface Sample extends Leaf {
  at: number;
  source: "read" | "notified";
}

/** Which resources an instance has; complete when the device was asked by Discover. */
export interface Presence {
  ids: Set<number>;
  complete: boolean;
}

export interface TreeNode {
  path: string;
  depth: 1 | 2 | 3 | 4;
  id: number;
  name: string;
  description: string;
  type: ValueType | undefined;
  unit: string;
  range: string;
  readable: boolean;
  writable: boolean;
  executable: boolean;
  multiple: boolean;
  mandatory: boolean;
  /** False when no model describes it: operations are then anyone's guess and all offered. */
  modelled: boolean;
  /** An instance that may be deleted, an object that may get another instance. */
  deletable: boolean;
  creatable: boolean;
  /** The model has it, the device is known not to. */
  absent: boolean;
  version: string;
  sample: Sample | undefined;
  children: TreeNode[];
}

export interface TreeInput {
  objects: readonly ClientObject[];
  models: ReadonlyMap<number, Model>;
  samples: ReadonlyMap<string, Sample>;
  presence: ReadonlyMap<string, Presence>;
  showAbsent: boolean;
}

const BLANK = {
  description: "", type: undefined, unit: "", range: "", readable: true, writable: true, executable: false,
  multiple: false, mandatory: false, modelled: false, deletable: false, creatable: false, absent: false, version: "", sample: undefined,
} satisfies Partial<TreeNode>;

/** Samples below each instance, so that a tree of many instances needs one pass over the samples. */
function groupByInstance(samples: ReadonlyMap<string, Sample>): Map<string, Sample[]> {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples.values()) {
    const [object, instance] = splitPath(sample.path);
    const key = `/${object}/${instance}`;
    const group = groups.get(key);
    if (group) group.push(sample);
    else groups.set(key, [sample]);
  }
  return groups;
}

/** The unit that an IPSO object tells in its own resource 5701 for the values around it. */
const UNIT_RESOURCE = 5701;
const MEASURED = new Set([5601, 5602, 5603, 5604, 5700]);

function unitBeside(samples: readonly Sample[], instance: string): string {
  const found = samples.find((sample) => sample.path === `${instance}/${UNIT_RESOURCE}`);
  return typeof found?.value === "string" ? found.value : "";
}

function resourceNode(path: string, id: number, model: ModelResource | undefined, samples: Sample[], absent: boolean, beside = ""): TreeNode {
  const own = samples.find((sample) => sample.path === path);
  const parts = samples.filter((sample) => sample.path !== path && isWithin(sample.path, path));
  const any = own ?? parts[0];
  const type = model?.type ?? any?.type;
  const operations = model?.operations;
  return {
    ...BLANK, path, id, depth: 3, absent, children: [], sample: own,
    name: model?.name ?? any?.name ?? "",
    description: model?.description ?? "",
    type,
    unit: model?.unit || any?.unit || (MEASURED.has(id) ? beside : ""),
    range: model?.range ?? "",
    readable: operations === undefined ? type !== "none" : operations.includes("R"),
    writable: operations === undefined ? type !== "none" : operations.includes("W"),
    executable: operations === undefined ? type === "none" || type === undefined : operations.includes("E"),
    multiple: model?.multiple ?? parts.length > 0,
    mandatory: model?.mandatory ?? false,
    modelled: model !== undefined,
    ...(parts.length > 0 ? {
      children: parts.sort((a, b) => comparePaths(a.path, b.path)).map((part): TreeNode => ({
        ...BLANK, path: part.path, id: splitPath(part.path)[3] ?? 0, depth: 4, name: "", children: [], sample: part,
        type, unit: model?.unit || part.unit, range: model?.range ?? "",
        readable: operations === undefined || operations.includes("R"),
        writable: operations === undefined || operations.includes("W"),
        modelled: model !== undefined,
      })),
    } : {}),
  };
}

function instanceNode(path: string, id: number, model: Model | undefined, samples: Sample[], presence: Presence | undefined,
  showAbsent: boolean): TreeNode {
  const known = new Set(presence?.ids);
  for (const sample of samples) known.add(splitPath(sample.path)[2] ?? 0);
  const shown = new Set(known);
  for (const resource of model?.resources ?? []) {
    // A read tells nothing about what can't be read; only Discover does.
    const undecided = !presence || (!presence.complete && !resource.operations.includes("R") && resource.operations !== "");
    if (showAbsent || (undecided && resource.operations !== "")) shown.add(resource.id);
  }
  const byId = new Map(model?.resources.map((resource) => [resource.id, resource]));
  const unit = unitBeside(samples, path);
  const children = [...shown].sort((a, b) => a - b).map((rid) => {
    const resource = byId.get(rid);
    const decided = presence !== undefined && (presence.complete || (resource?.operations.includes("R") ?? false));
    return resourceNode(`${path}/${rid}`, rid, resource, samples.filter((s) => isWithin(s.path, `${path}/${rid}`)),
      decided && !known.has(rid), unit);
  });
  // A mandatory object of one instance, such as Device, can't lose it (core specification, Create and Delete).
  const deletable = model === undefined || model.multiple || !model.mandatory;
  return { ...BLANK, path, id, depth: 2, name: "", children, modelled: model !== undefined, deletable };
}

/** The device's objects, instances, resources and resource instances, each sorted by id. */
export function buildTree(input: TreeInput): TreeNode[] {
  const groups = groupByInstance(input.samples);
  return [...input.objects].sort((a, b) => a.id - b.id).map((object): TreeNode => {
    const model = input.models.get(object.id);
    const path = `/${object.id}`;
    return {
      ...BLANK, path, id: object.id, depth: 1, version: object.version,
      name: model?.name ?? object.name ?? "",
      description: model?.description ?? "",
      multiple: model?.multiple ?? true,
      mandatory: model?.mandatory ?? false,
      modelled: model !== undefined,
      creatable: model === undefined || model.multiple || object.instances.length === 0,
      children: [...object.instances].sort((a, b) => a - b).map((id) => {
        const at = `${path}/${id}`;
        return instanceNode(at, id, model, groups.get(at) ?? [], input.presence.get(at), input.showAbsent);
      }),
    };
  });
}

export interface TreeRow {
  node: TreeNode;
  expanded: boolean | undefined;
  position: number;
  siblings: number;
}

/** The rows to show: depth first, only below expanded nodes. */
export function visibleRows(nodes: readonly TreeNode[], expanded: ReadonlySet<string>, out: TreeRow[] = []): TreeRow[] {
  nodes.forEach((node, index) => {
    const open = node.children.length > 0 ? expanded.has(node.path) : undefined;
    out.push({ node, expanded: open, position: index + 1, siblings: nodes.length });
    if (open) visibleRows(node.children, expanded, out);
  });
  return out;
}

/** The tree cut down to what matches the text by name or path, with the way to it. */
export function filterTree(nodes: readonly TreeNode[], text: string): TreeNode[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [...nodes];
  const keep = (node: TreeNode): TreeNode[] => {
    if (node.name.toLowerCase().includes(wanted) || (wanted.startsWith("/") && isWithin(node.path, wanted))) return [node];
    const children = node.children.flatMap(keep);
    return children.length > 0 ? [{ ...node, children }] : [];
  };
  return nodes.flatMap(keep);
}

export function findNode(nodes: readonly TreeNode[], path: string): TreeNode | undefined {
  for (const node of nodes) {
    if (node.path === path) return node;
    if (isWithin(path, node.path)) return findNode(node.children, path);
  }
  return undefined;
}

/** "Sensor Value", "Temperature 0", "Power Source Voltage 1": what to call a node in a sentence. */
export function labelOf(nodes: readonly TreeNode[], node: TreeNode): string {
  if (node.name) return node.name;
  const parent = findNode(nodes, parentOf(node.path));
  const kind = ["", "Object", "Instance", "Resource", "Resource instance"][node.depth] ?? "";
  return parent?.name ? `${parent.name} ${node.id}` : `${kind} ${node.id}`;
}

/** The resources that a new instance may be given: all of the model's that hold a value. */
export function modelResources(objectPath: string, model: Model | undefined): TreeNode[] {
  return (model?.resources ?? []).filter((resource) => resource.type !== "none")
    .map((resource) => resourceNode(`${objectPath}/0/${resource.id}`, resource.id, resource, [], false));
}
