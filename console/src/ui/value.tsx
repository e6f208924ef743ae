/* SPDX-License-Identifier: Apache-2.0 */
/* A value on the page, by its type. */
import type { Value, ValueType } from "../api/types";
import { deviceLink } from "../model/route";
import { formatUnit, formatValue, fromBase64 } from "../model/value";

export function ValueText({ type, value, unit, endpoint }: { type: ValueType; value: Value; unit: string; endpoint: string }) {
  const text = formatValue(type, value);
  switch (type) {
    case "boolean":
      return <span class={`value bool ${value === true ? "on" : "off"}`}>{text}</span>;
    case "objlnk": {
      if (text === "65535:65535") return <span class="value muted">no target</span>;
      return <a class="value mono" href={deviceLink(endpoint, `/${text.replace(":", "/")}`)}
        onClick={(event) => event.stopPropagation()}>/{text.replace(":", "/")}</a>;
    }
    case "opaque": {
      const bytes = typeof value === "string" ? fromBase64(value) : undefined;
      return <span class="value mono">{text}{bytes && bytes.length > 0 && <span class="muted small"> {bytes.length} B</span>}</span>;
    }
    case "string":
    case "corelnk":
      return text === "" ? <span class="value muted">empty</span> : <span class="value" title={text}>{text}</span>;
    default:
      return (
        <span class="value num" title={String(value)}>
          {text}{unit && <span class="unit"> {formatUnit(unit)}</span>}
        </span>
      );
  }
}

const CODES: Record<string, string> = {
  "2.01": "Created", "2.02": "Deleted", "2.04": "Changed", "2.05": "Content",
  "4.00": "Bad Request", "4.01": "Unauthorized", "4.04": "Not Found", "4.05": "Method Not Allowed",
  "4.06": "Not Acceptable", "4.08": "Request Entity Incomplete", "4.13": "Request Entity Too Large",
  "4.15": "Unsupported Content-Format", "5.00": "Internal Server Error", "5.01": "Not Implemented", "5.03": "Service Unavailable",
};
export const codeName = (code: string): string => CODES[code] ?? "";

export function CodeTag({ code }: { code: string }) {
  return <code class={`code ${code.startsWith("2") ? "ok" : "bad"}`} title={codeName(code)}>{code}</code>;
}
