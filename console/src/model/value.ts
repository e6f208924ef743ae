/* SPDX-License-Identifier: Apache-2.0 */
/* Values between three forms: JSON as the server speaks it, the draft text of an editor, and what
 * people read. Drafts of opaque values carry their notation: "hex:00ff", "base64:AP8=", "text:hi". */
import type { Value, ValueType } from "../api/types";

export type Parsed = { ok: true; value: Value } | { ok: false; error: string };

export const VALUE_TYPES: ValueType[] = [
  "string", "integer", "unsigned", "float", "boolean", "time", "opaque", "objlnk", "corelnk",
];

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;
const FLOAT_WORDS: Record<string, string> = {
  nan: "NaN", inf: "Infinity", infinity: "Infinity", "+infinity": "Infinity", "-inf": "-Infinity", "-infinity": "-Infinity",
};

const bad = (error: string): Parsed => ({ ok: false, error });
const good = (value: Value): Parsed => ({ ok: true, value });

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

/** The bytes of base64 text, or undefined if it is none. Padding is required, as in the interface. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

export const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The bytes of hexadecimal text; blanks, colons and dashes between digits are taken as people write them. */
export function fromHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/[\s:-]/g, "").replace(/^0x/i, "");
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return undefined;
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(i * 2, i * 2 + 2), 16));
}

function parseInteger(text: string, type: "integer" | "unsigned"): Parsed {
  if (!/^[+-]?\d+$/.test(text)) return bad("A whole number is needed.");
  const value = BigInt(text.replace(/^\+/, ""));
  const [low, high] = type === "integer" ? [INT64_MIN, INT64_MAX] : [0n, UINT64_MAX];
  if (value < low || value > high) return bad(`It must lie between ${low} and ${high}.`);
  const number = Number(value);
  return good(Number.isSafeInteger(number) ? number : value);
}

function parseFloating(text: string): Parsed {
  const word = FLOAT_WORDS[text.toLowerCase()];
  if (word !== undefined) return good(word);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return bad("A number is needed, such as 21.5 or 1e-3.");
  const value = Number(text);
  return Number.isFinite(value) ? good(value) : bad("That is beyond the range of a double.");
}

function parseTime(text: string): Parsed {
  if (/^-?\d{1,15}$/.test(text)) return good(isoSeconds(new Date(Number(text) * 1000)));
  const time = new Date(text);
  if (text === "" || Number.isNaN(time.getTime())) return bad("A date and time is needed, or Unix seconds.");
  return good(isoSeconds(time));
}

function parseObjectLink(text: string): Parsed {
  const found = /^(\d{1,5}):(\d{1,5})$/.exec(text);
  if (!found) return bad("Two numbers are needed, object:instance.");
  if (Number(found[1]) > 65535 || Number(found[2]) > 65535) return bad("Each number is at most 65535.");
  return good(`${Number(found[1])}:${Number(found[2])}`);
}

export function opaqueDraft(draft: string): { mode: "base64" | "hex" | "text"; text: string } {
  const found = /^(base64|hex|text):([\s\S]*)$/.exec(draft);
  return found ? { mode: found[1] as "base64" | "hex" | "text", text: found[2] ?? "" } : { mode: "base64", text: draft };
}

/** The bytes that an opaque draft stands for, or undefined if the notation is broken. */
export function opaqueBytes(draft: string): Uint8Array | undefined {
  const { mode, text } = opaqueDraft(draft);
  if (mode === "text") return new TextEncoder().encode(text);
  return mode === "hex" ? fromHex(text) : fromBase64(text.replace(/\s/g, ""));
}

function parseOpaque(draft: string): Parsed {
  const bytes = opaqueBytes(draft);
  if (bytes) return good(toBase64(bytes));
  return bad(opaqueDraft(draft).mode === "hex" ? "Pairs of hexadecimal digits are needed." : "That is not base64 (it needs its padding).");
}

/** The JSON value of an editor's draft, or what is wrong with it. */
export function parseDraft(type: ValueType, draft: string): Parsed {
  const text = draft.trim();
  switch (type) {
    case "integer":
    case "unsigned": return parseInteger(text, type);
    case "float": return parseFloating(text);
    case "boolean": return text === "true" || text === "false" ? good(text === "true") : bad("true or false is needed.");
    case "time": return parseTime(text);
    case "objlnk": return parseObjectLink(text);
    case "opaque": return parseOpaque(draft);
    case "none": return bad("An executable resource has no value.");
    default: return good(draft);
  }
}

/** The draft that an editor starts with. */
export function toDraft(type: ValueType, value: Value | undefined): string {
  if (value === undefined) return type === "boolean" ? "false" : type === "opaque" ? "hex:" : "";
  if (type === "opaque") {
    const bytes = typeof value === "string" ? fromBase64(value) : undefined;
    return bytes && bytes.length <= 64 ? `hex:${toHex(bytes)}` : `base64:${String(value)}`;
  }
  return String(value);
}

/** A warning when the value lies outside the model's range; the device has the last word. */
export function rangeWarning(range: string, value: Value): string | undefined {
  const found = /^\s*(-?\d+(?:\.\d+)?)\s*(?:\.\.|-)\s*(-?\d+(?:\.\d+)?)\s*$/.exec(range);
  if (!found || (typeof value !== "number" && typeof value !== "bigint")) return undefined;
  const outside = value < Number(found[1]) || value > Number(found[2]);
  return outside ? `The model gives the range ${range}; the device may refuse this.` : undefined;
}

export function isoSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, "Z");
}

const two = (n: number): string => String(n).padStart(2, "0");

/** "2026-11-22 03:00:00" in the reader's time zone. */
export function formatTime(iso: string): string {
  const t = new Date(iso);
  if (Number.isNaN(t.getTime())) return iso;
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${formatClock(t)}`;
}

export function formatClock(time: Date, milliseconds = false): string {
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return milliseconds ? `${clock}.${String(time.getMilliseconds()).padStart(3, "0")}` : clock;
}

/** "12 s", "5 min", "3 h", "2 d": a duration to one unit. */
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 100) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 129_600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86_400)} d`;
}

const UNITS: Record<string, string> = { Cel: "°C", lx: "lx", "/100": "%", "%EL": "%", "%RH": "% RH" };
export const formatUnit = (unit: string): string => UNITS[unit] ?? unit;

export const isNumeric = (type: ValueType): boolean => type === "integer" || type === "unsigned" || type === "float";

/** A value as people read it. Integers and strings are exact; a float is shortened to 7 digits. */
export function formatValue(type: ValueType, value: Value): string {
  if (type === "float" && typeof value === "number") return String(Number(value.toPrecision(7)));
  if (type === "time" && typeof value === "string") return formatTime(value);
  if (type === "opaque" && typeof value === "string") {
    const bytes = fromBase64(value);
    if (!bytes) return value;
    const shown = toHex(bytes.subarray(0, 16)).replace(/(..)(?=.)/g, "$1 ");
    return bytes.length === 0 ? "empty" : `${shown}${bytes.length > 16 ? " …" : ""}`;
  }
  return String(value);
}
