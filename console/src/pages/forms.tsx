/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of the inspector: write a resource, write or create an instance, execute. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ClientObject, ValueType } from "../api/types";
import { draftOf, instanceBody, nextItemId, resourceBody, type Built, type ResourceDraft } from "../model/draft";
import type { TreeNode } from "../model/tree";
import { formatUnit, toDraft, VALUE_TYPES } from "../model/value";
import { Button, Segments } from "../ui/bits";
import { ValueEditor } from "../ui/editor";

/** Takes the reader to what is wrong, once it is marked. */
function showFirstError(event: Event): void {
  const form = event.currentTarget as HTMLElement;
  requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}

const MODES = [{ value: "replace", label: "Replace" }, { value: "update", label: "Update" }] as const;
type Mode = (typeof MODES)[number]["value"];

function TypePicker({ value, onChange }: { value: ValueType; onChange: (type: ValueType) => void }) {
  return (
    <label class="field">
      <span>Type (no model tells it)</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value as ValueType)}>
        {VALUE_TYPES.map((type) => <option key={type} value={type}>{type}</option>)}
      </select>
    </label>
  );
}

/** Editor of one resource, single or multiple. */
function ResourceEditor({ draft, objects, strict, onChange }: {
  draft: ResourceDraft; objects: readonly ClientObject[]; strict: boolean; onChange: (draft: ResourceDraft) => void;
}) {
  const name = draft.name || `Resource ${draft.id}`;
  const common = { type: draft.type, range: draft.range, unit: formatUnit(draft.unit), objects, strict };
  if (!draft.multiple) {
    return <ValueEditor {...common} label={name} draft={draft.single} onChange={(single) => onChange({ ...draft, single })} />;
  }
  const items = (change: (items: ResourceDraft["items"]) => ResourceDraft["items"]): void => onChange({ ...draft, items: change(draft.items) });
  return (
    <div class="stack">
      {draft.items.map((item, index) => (
        <div class="line item" key={index}>
          <input class="mono id" type="text" inputMode="numeric" aria-label={`${name}: id of value ${index + 1}`} value={item.id}
            onInput={(event) => {
              const id = event.currentTarget.value;
              items((all) => all.map((old, at) => (at === index ? { ...old, id } : old)));
            }} />
          <ValueEditor {...common} label={`${name}: value ${item.id}`} draft={item.draft}
            onChange={(text) => items((all) => all.map((old, at) => (at === index ? { ...old, draft: text } : old)))} />
          <Button icon="close" label={`Remove value ${item.id}`} compact kind="quiet"
            onClick={() => items((all) => all.filter((_, at) => at !== index))} />
        </div>
      ))}
      <div><Button icon="create" label="Add value"
        onClick={() => items((all) => [...all, { id: nextItemId(all), draft: toDraft(draft.type, undefined) }])} /></div>
    </div>
  );
}

interface FormProps {
  node: TreeNode;
  objects: readonly ClientObject[];
  busy: boolean;
}

/** Write one resource or resource instance. */
export function WriteForm({ node, objects, busy, onWrite }: FormProps & { onWrite: (mode: Mode, body: unknown) => void }) {
  const start = (): ResourceDraft => (node.depth === 4 ? { ...draftOf(node, true), multiple: false } : draftOf(node, true));
  const [draft, setDraft] = useState(start);
  const touched = useRef(false);
  const change = (next: ResourceDraft): void => {
    touched.current = true;
    setDraft(next);
  };
  const known = node.sample !== undefined || node.children.length > 0;
  // The first value may come after the form; what somebody typed meanwhile stays.
  useEffect(() => {
    if (!touched.current) setDraft(start());
  }, [known, node.type, node.modelled]);
  const [mode, setMode] = useState<Mode>("replace");
  const [error, setError] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    const built: Built = resourceBody(draft);
    setError(built.ok ? "" : built.error);
    if (built.ok) onWrite(mode, built.body);
    else showFirstError(event);
  };
  return (
    <form class="form" aria-label={`Write ${node.path}`} onSubmit={submit} noValidate>
      {draft.unmodelled && <TypePicker value={draft.type} onChange={(type) => change({ ...draft, type })} />}
      {draft.unmodelled && node.depth === 3 && (
        <label class="check">
          <input type="checkbox" checked={draft.multiple} onChange={(event) => change({ ...draft, multiple: event.currentTarget.checked })} />
          <span>Has several instances</span>
        </label>
      )}
      <ResourceEditor draft={draft} objects={objects} strict={error !== ""} onChange={change} />
      {error && <p class="hint bad" role="alert">{error}</p>}
      <div class="line wrap">
        <Button submit kind="primary" icon="write" label="Write" busy={busy} />
        {draft.multiple && <Segments label="Mode" value={mode} options={MODES} onChange={setMode} />}
      </div>
    </form>
  );
}

/** Write an instance (mode) or create one (id): the writable resources with a tick each. */
export function InstanceForm(props: FormProps & {
  purpose: "write" | "create";
  resources: readonly TreeNode[];
  onSubmit: (mode: Mode, body: unknown) => void;
}) {
  const { node, purpose, resources } = props;
  const isKnown = (resource: TreeNode): boolean => resource.sample !== undefined || resource.children.length > 0;
  const start = (): ResourceDraft[] => resources.map((resource) => draftOf(resource, purpose === "create" ? resource.mandatory : isKnown(resource)));
  const [drafts, setDrafts] = useState(start);
  const touched = useRef(false);
  const change = (next: ResourceDraft[]): void => {
    touched.current = true;
    setDrafts(next);
  };
  // The model, and what the device has, may come after the form; what somebody typed meanwhile stays.
  useEffect(() => {
    if (!touched.current) setDrafts(start());
  }, [resources.map((resource) => `${resource.id} ${resource.type} ${isKnown(resource)}`).join()]);
  const [id, setId] = useState("");
  const [mode, setMode] = useState<Mode>("update");
  const [error, setError] = useState("");
  const [extra, setExtra] = useState("");
  const set = (index: number, draft: ResourceDraft): void => change(drafts.map((old, at) => (at === index ? draft : old)));
  const submit = (event: Event): void => {
    event.preventDefault();
    const built = instanceBody(drafts, purpose === "create" ? id : "");
    setError(built.ok ? "" : built.error);
    if (built.ok) props.onSubmit(mode, built.body);
    else showFirstError(event);
  };
  const add = (): void => {
    const rid = Number(extra);
    if (!/^\d{1,5}$/.test(extra) || drafts.some((draft) => draft.id === rid)) return;
    change([...drafts, {
      id: rid, name: "", type: "string", unit: "", range: "", multiple: false, mandatory: false, unmodelled: true, include: true, single: "", items: [],
    }]);
    setExtra("");
  };
  const verb = purpose === "create" ? "Create" : "Write";
  return (
    <form class="form" aria-label={`${verb} ${node.path}`} onSubmit={submit} noValidate>
      {purpose === "create" && (
        <label class="field">
          <span>Instance id (empty: the device chooses)</span>
          <input class="mono id" type="text" inputMode="numeric" value={id} autoComplete="off" onInput={(event) => setId(event.currentTarget.value)} />
        </label>
      )}
      <ul class="resources" aria-label="Resources to send">
        {drafts.map((draft, index) => (
          <li key={draft.id} class={draft.include ? "" : "off"}>
            <label class="check">
              <input type="checkbox" checked={draft.include} onChange={(event) => set(index, { ...draft, include: event.currentTarget.checked })} />
              <code>{draft.id}</code> <span>{draft.name || "Resource"}</span>{draft.mandatory && <span class="tag">mandatory</span>}
            </label>
            {draft.include && draft.unmodelled && <TypePicker value={draft.type} onChange={(type) => set(index, { ...draft, type })} />}
            {draft.include && <ResourceEditor draft={draft} objects={props.objects} strict={error !== ""} onChange={(next) => set(index, next)} />}
          </li>
        ))}
      </ul>
      <div class="line">
        <input class="mono id" type="text" inputMode="numeric" aria-label="Id of another resource" placeholder="id" value={extra}
          onInput={(event) => setExtra(event.currentTarget.value)} />
        <Button icon="create" label="Add resource by id" onClick={add} />
      </div>
      {error && <p class="hint bad" role="alert">{error}</p>}
      <div class="line wrap">
        <Button submit kind="primary" icon={purpose} label={purpose === "create" ? "Create instance" : "Write"} busy={props.busy} />
        {purpose === "write" && <Segments label="Mode" value={mode} options={MODES} onChange={setMode} />}
      </div>
      {purpose === "write" && (
        <p class="muted small">{mode === "replace" ? "Replace: resources that are not ticked are removed." : "Update: only the ticked resources change."}</p>
      )}
    </form>
  );
}

/** Execute with up to ten arguments (digit, optional text). */
export function ExecuteForm({ node, busy, onExecute }: {
  node: TreeNode; busy: boolean; onExecute: (args: { id: number; value?: string }[]) => void;
}) {
  const [args, setArgs] = useState<{ id: number; value: string }[]>([]);
  const free = Array.from({ length: 10 }, (_, id) => id).find((id) => !args.some((arg) => arg.id === id));
  const bad = args.find((arg) => arg.value.includes("'"));
  return (
    <form class="form" aria-label={`Execute ${node.path}`} noValidate onSubmit={(event) => {
      event.preventDefault();
      if (!bad) onExecute(args.map((arg) => (arg.value === "" ? { id: arg.id } : arg)));
    }}>
      {args.map((arg, index) => (
        <div class="line item" key={index}>
          <select aria-label={`Number of argument ${index + 1}`} value={String(arg.id)} onChange={(event) => {
            const id = Number(event.currentTarget.value);
            setArgs(args.map((old, at) => (at === index ? { ...old, id } : old)));
          }}>
            {Array.from({ length: 10 }, (_, id) => <option key={id} value={id} disabled={id !== arg.id && args.some((other) => other.id === id)}>{id}</option>)}
          </select>
          <input type="text" aria-label={`Value of argument ${arg.id}`} placeholder="no value" value={arg.value} onInput={(event) => {
            const value = event.currentTarget.value;
            setArgs(args.map((old, at) => (at === index ? { ...old, value } : old)));
          }} />
          <Button icon="close" label={`Remove argument ${arg.id}`} compact kind="quiet" onClick={() => setArgs(args.filter((_, at) => at !== index))} />
        </div>
      ))}
      {bad && <p class="hint bad" role="alert">An argument can’t hold an apostrophe.</p>}
      <div class="line wrap">
        <Button submit kind="primary" icon="execute" label="Execute" busy={busy} />
        {free !== undefined && <Button icon="create" label="Add argument" onClick={() => setArgs([...args, { id: free, value: "" }])} />}
      </div>
    </form>
  );
}
