/* SPDX-License-Identifier: Apache-2.0 */
/* An editor for each LwM2M type. It edits a draft (text); model/value.ts turns drafts into JSON. */
import { useId, useState } from "preact/hooks";
import type { ClientObject, ValueType } from "../api/types";
import { fromHex, opaqueBytes, opaqueDraft, parseDraft, rangeWarning, toBase64, toHex, type Parsed } from "../model/value";
import { Button, Segments } from "./bits";

export interface EditorProps {
  type: ValueType;
  draft: string;
  label: string;
  range: string;
  unit?: string;
  /** The device's objects, offered as targets of an object link. */
  objects: readonly ClientObject[];
  onChange: (draft: string) => void;
  /** Show what is wrong with an empty field, too. */
  strict?: boolean;
}

const MAX_FILE = 64 * 1024 * 1024;

export function ValueEditor(props: EditorProps) {
  const id = useId();
  const parsed: Parsed = parseDraft(props.type, props.draft);
  // While typing, not on leaving the field: a line that appears then moves the button away under the click.
  const error = !parsed.ok && (props.draft.trim() !== "" || props.strict) ? parsed.error : undefined;
  const warning = parsed.ok ? rangeWarning(props.range, parsed.value) : undefined;
  const hint = `${id}-hint`;
  const common = {
    id, "aria-label": props.label, "aria-invalid": error ? (true as const) : undefined,
    "aria-describedby": error || warning ? hint : undefined,
  };
  return (
    <div class="editor">
      <Field {...props} common={common} />
      {props.unit && <span class="unit">{props.unit}</span>}
      {(error ?? warning) && <p id={hint} class={error ? "hint bad" : "hint warn"}>{error ?? warning}</p>}
    </div>
  );
}

interface Common {
  id: string;
  "aria-label": string;
  "aria-invalid": true | undefined;
  "aria-describedby": string | undefined;
}

function Field(props: EditorProps & { common: Common }) {
  const { type, draft, onChange, common } = props;
  switch (type) {
    case "boolean": return <BooleanField {...props} />;
    case "time": return <TimeField {...props} />;
    case "opaque": return <OpaqueField {...props} />;
    case "objlnk": return <LinkField {...props} />;
    case "integer":
    case "unsigned":
    case "float":
      // Not type="number": browsers round what doesn't fit a double, and change it on a wheel's turn.
      return <input {...common} class="mono" type="text" inputMode={type === "float" ? "decimal" : "numeric"} value={draft}
        autoComplete="off" spellcheck={false} placeholder={props.range || type} onInput={(event) => onChange(event.currentTarget.value)} />;
    default:
      return draft.includes("\n") || draft.length > 60
        ? <textarea {...common} rows={4} spellcheck={false} value={draft} onInput={(event) => onChange(event.currentTarget.value)} />
        : <input {...common} type="text" autoComplete="off" spellcheck={false} value={draft}
          onInput={(event) => onChange(event.currentTarget.value)} />;
  }
}

function BooleanField({ draft, onChange, common }: EditorProps & { common: Common }) {
  return (
    <label class="switch">
      <input {...common} type="checkbox" role="switch" checked={draft === "true"}
        onChange={(event) => onChange(String(event.currentTarget.checked))} />
      <span class="track" aria-hidden="true" />
      <span>{draft === "true" ? "true" : "false"}</span>
    </label>
  );
}

const pad = (n: number): string => String(n).padStart(2, "0");

/** What a datetime-local input wants: local time without a zone. */
function localInput(draft: string): string {
  const parsed = parseDraft("time", draft);
  if (!parsed.ok) return "";
  const t = new Date(String(parsed.value));
  return `${String(t.getFullYear()).padStart(4, "0")}-${pad(t.getMonth() + 1)}-${pad(t.getDate())}T${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`;
}

function TimeField({ draft, onChange, common }: EditorProps & { common: Common }) {
  const parsed = parseDraft("time", draft);
  return (
    <div class="stack">
      <div class="line">
        <input {...common} type="datetime-local" step={1} value={localInput(draft)} onInput={(event) => {
          const time = new Date(event.currentTarget.value);
          onChange(Number.isNaN(time.getTime()) ? "" : time.toISOString().slice(0, 19) + "Z");
        }} />
        <Button label="Now" onClick={() => onChange(new Date().toISOString().slice(0, 19) + "Z")} />
      </div>
      <span class="muted small">
        {parsed.ok ? <>UTC <code>{String(parsed.value)}</code> · Unix <code>{Date.parse(String(parsed.value)) / 1000}</code></> : "Your local time"}
      </span>
    </div>
  );
}

function OpaqueField({ draft, label, onChange, common }: EditorProps & { common: Common }) {
  const { mode, text } = opaqueDraft(draft);
  const bytes = opaqueBytes(draft);
  const [fileError, setFileError] = useState("");
  const change = (wanted: "base64" | "hex" | "text"): void => {
    if (!bytes) onChange(`${wanted}:${text}`);
    else if (wanted === "text") onChange(`text:${new TextDecoder().decode(bytes)}`);
    else onChange(wanted === "hex" ? `hex:${toHex(bytes)}` : `base64:${toBase64(bytes)}`);
  };
  const load = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setFileError(file.size > MAX_FILE ? "The file is larger than 64 MiB." : "");
    if (file.size <= MAX_FILE) onChange(`base64:${toBase64(new Uint8Array(await file.arrayBuffer()))}`);
  };
  const large = text.length > 100_000;
  return (
    <div class="stack">
      <div class="line wrap">
        <Segments label={`Notation of ${label}`} value={mode} onChange={change}
          options={[{ value: "hex", label: "Hex" }, { value: "base64", label: "Base64" }, { value: "text", label: "Text" }]} />
        <label class="button plain file">
          <input type="file" aria-label={`File for ${label}`} onChange={(event) => void load(event.currentTarget.files?.[0])} />
          <span>From file…</span>
        </label>
        <span class="muted small">{bytes ? `${bytes.length} bytes` : ""}{fileError}</span>
      </div>
      {!large && <textarea {...common} class="mono" rows={3} spellcheck={false} value={text}
        onInput={(event) => onChange(`${mode}:${event.currentTarget.value}`)}
        onPaste={(event) => {
          // A hex dump pasted into an empty base64 field is meant as what it is.
          const pasted = event.clipboardData?.getData("text") ?? "";
          if (mode === "base64" && text === "" && /[\s:]/.test(pasted.trim()) && fromHex(pasted)) {
            event.preventDefault();
            onChange(`hex:${pasted}`);
          }
        }} />}
    </div>
  );
}

function LinkField({ draft, objects, label, onChange, common }: EditorProps & { common: Common }) {
  const list = `${common.id}-targets`;
  return (
    <>
      <input {...common} class="mono" type="text" list={list} value={draft} placeholder="object:instance" autoComplete="off"
        onInput={(event) => onChange(event.currentTarget.value)} />
      <datalist id={list} aria-label={`Targets of ${label}`}>
        {objects.flatMap((object) => object.instances.map((instance) => (
          <option key={`${object.id}:${instance}`} value={`${object.id}:${instance}`}>{object.name ?? `Object ${object.id}`} {instance}</option>
        )))}
        <option value="65535:65535">no target</option>
      </datalist>
    </>
  );
}
