/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts of whole resources and instances, and the bodies that the server wants for them. */
import type { ValueType } from "../api/types";
import type { TreeNode } from "./tree";
import { parseDraft, toDraft } from "./value";

export interface ResourceDraft {
  id: number;
  name: string;
  type: ValueType;
  unit: string;
  range: string;
  multiple: boolean;
  mandatory: boolean;
  /** No model describes it, so the type goes along with the value. */
  unmodelled: boolean;
  include: boolean;
  single: string;
  items: { id: string; draft: string }[];
}

export type Built = { ok: true; body: Record<string, unknown> } | { ok: false; error: string };

/** A draft that starts from what is known of a resource. */
export function draftOf(node: TreeNode, include: boolean): ResourceDraft {
  const type = node.type === undefined || node.type === "none" ? "string" : node.type;
  return {
    id: node.id, name: node.name, type, unit: node.unit, range: node.range, multiple: node.multiple,
    mandatory: node.mandatory, unmodelled: !node.modelled, include,
    single: toDraft(type, node.sample?.value),
    items: node.children.map((child) => ({ id: String(child.id), draft: toDraft(type, child.sample?.value) })),
  };
}

export function nextItemId(items: ResourceDraft["items"]): string {
  return String(items.reduce((top, item) => Math.max(top, Number(item.id) || 0), -1) + 1);
}

/** The body of one resource: {"value"} or {"values"}. */
export function resourceBody(draft: ResourceDraft): Built {
  const type = draft.unmodelled ? { type: draft.type } : {};
  const name = draft.name || `Resource ${draft.id}`;
  if (!draft.multiple) {
    const parsed = parseDraft(draft.type, draft.single);
    return parsed.ok ? { ok: true, body: { ...type, value: parsed.value } } : { ok: false, error: `${name}: ${parsed.error}` };
  }
  const values: { id: number; value: unknown }[] = [];
  for (const item of draft.items) {
    if (!/^\d{1,5}$/.test(item.id) || Number(item.id) > 65534) return { ok: false, error: `${name}: an instance id is a number up to 65534.` };
    const id = Number(item.id);
    if (values.some((value) => value.id === id)) return { ok: false, error: `${name}: instance ${id} is there twice.` };
    const parsed = parseDraft(draft.type, item.draft);
    if (!parsed.ok) return { ok: false, error: `${name} ${id}: ${parsed.error}` };
    values.push({ id, value: parsed.value });
  }
  return { ok: true, body: { ...type, values } };
}

/** The body of an instance: {"id"?, "resources"}; only the drafts that are included. */
export function instanceBody(drafts: readonly ResourceDraft[], idText: string): Built {
  const id = idText.trim();
  if (id !== "" && (!/^\d{1,5}$/.test(id) || Number(id) > 65534)) return { ok: false, error: "The instance id is a number up to 65534." };
  const resources: Record<string, unknown>[] = [];
  for (const draft of drafts) {
    if (!draft.include) continue;
    const built = resourceBody(draft);
    if (!built.ok) return built;
    resources.push({ id: draft.id, ...built.body });
  }
  return { ok: true, body: { ...(id === "" ? {} : { id: Number(id) }), resources } };
}
