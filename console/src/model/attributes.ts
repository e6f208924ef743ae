/* SPDX-License-Identifier: Apache-2.0 */
/* The notification attributes (Core 1.1.1 section 5.1.2), and what is sent when some were edited. */
import type { Attributes } from "../api/client";

export type AttributeName = keyof Attributes;

export interface AttributeInfo {
  name: AttributeName;
  label: string;
  unit: string;
  /** Only a number has a threshold. */
  numeric: boolean;
}

export const ATTRIBUTES: readonly AttributeInfo[] = [
  { name: "pmin", label: "least time between notifications", unit: "s", numeric: false },
  { name: "pmax", label: "most time between notifications", unit: "s", numeric: false },
  { name: "gt", label: "notify when it crosses this, upper", unit: "", numeric: true },
  { name: "lt", label: "notify when it crosses this, lower", unit: "", numeric: true },
  { name: "st", label: "notify when it moved by this", unit: "", numeric: true },
  { name: "epmin", label: "least time between looks at the value", unit: "s", numeric: false },
  { name: "epmax", label: "most time between looks at the value", unit: "s", numeric: false },
];

/** Of a link's attributes those that say when to notify, without its properties (dim, ver). */
export function notificationOnly(known: Record<string, string | null> | undefined): Record<string, string | null> {
  return Object.fromEntries(Object.entries(known ?? {}).filter(([name]) => ATTRIBUTES.some((attribute) => attribute.name === name)));
}

export type BuiltAttributes = { ok: true; body: Attributes } | { ok: false; error: string };

/** The attributes that differ from what is known: a number, or null for one that was emptied. */
export function attributesBody(known: Record<string, string | null>, drafts: Partial<Record<AttributeName, string>>): BuiltAttributes {
  const body: Attributes = {};
  for (const { name, numeric } of ATTRIBUTES) {
    const text = drafts[name]?.trim();
    if (text === undefined || text === (known[name] ?? "")) continue;
    const value = Number(text);
    if (text !== "" && (!Number.isFinite(value) || (!numeric && !/^\d+$/.test(text)))) {
      return { ok: false, error: `${name} must be ${numeric ? "a number" : "a whole number of seconds"}.` };
    }
    body[name] = text === "" ? null : value;
  }
  return Object.keys(body).length > 0 ? { ok: true, body } : { ok: false, error: "Nothing has been changed." };
}
