/* SPDX-License-Identifier: Apache-2.0 */
/* The object tree as a treegrid: one row in the tab order, arrows move and fold, letters act. */
import { signal, useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { readOnOpen } from "../app-state";
import { parentOf } from "../model/nodes";
import { deviceLink } from "../model/route";
import type { DeviceSession } from "../model/session";
import { filterTree, labelOf, visibleRows, type TreeNode, type TreeRow } from "../model/tree";
import { Button, Empty, SearchBox } from "../ui/bits";
import { Icon } from "../ui/icons";
import { ValueText } from "../ui/value";

/** What the inspector should offer first for a node: set by the tree's buttons. */
export type Intent = "write" | "execute" | "create" | "delete";
export const intent = signal<{ path: string; action: Intent } | undefined>(undefined);

interface Action {
  name: "read" | "observe" | Intent;
  key: string;
  label: string;
  run: () => void;
  pressed?: boolean;
}

/** What can be done with a node, in the order of the buttons. */
function actionsOf(session: DeviceSession, node: TreeNode, name: string): Action[] {
  const out: Action[] = [];
  const go = (action: Intent): void => {
    intent.value = { path: node.path, action };
    location.hash = deviceLink(session.endpoint, node.path);
  };
  if (node.readable) {
    out.push({ name: "read", key: "r", label: `Read ${name}`, run: () => void session.read(node.path) });
    const own = session.observations.value.has(node.path);
    const through = own ? undefined : session.observationOf(node.path);
    out.push({
      name: "observe", key: "o", pressed: own,
      label: own ? `Stop observing ${name}` : through ? `Observe ${name} (already observed through ${through.path})` : `Observe ${name}`,
      run: () => void (session.observations.value.has(node.path) ? session.cancel(node.path) : session.observe(node.path)),
    });
  }
  if (node.creatable) out.push({ name: "create", key: "c", label: `Create an instance of ${name}`, run: () => go("create") });
  if ((node.depth >= 3 && node.writable) || (node.depth === 2 && node.children.some((child) => child.writable))) {
    out.push({ name: "write", key: "w", label: `Write ${name}`, run: () => go("write") });
  }
  if (node.depth === 3 && node.executable) out.push({ name: "execute", key: "x", label: `Execute ${name}`, run: () => go("execute") });
  if (node.deletable) out.push({ name: "delete", key: "Delete", label: `Delete ${name}`, run: () => go("delete") });
  return out;
}

function Row({ session, row, selected, active, onActive }: {
  session: DeviceSession; row: TreeRow; selected: boolean; active: boolean; onActive: () => void;
}) {
  const { node } = row;
  const busy = session.pending.value.get(node.path);
  const problem = session.outcomes.value.get(node.path)?.problem;
  const name = labelOf(session.tree.value, node);
  const tab = active ? 0 : -1;
  const covered = node.readable && !node.absent && session.observationOf(node.path) !== undefined;
  return (
    <div role="row" class={`row depth${node.depth}${selected ? " selected" : ""}${node.absent ? " absent" : ""}`} data-path={node.path}
      aria-level={node.depth} aria-posinset={row.position} aria-setsize={row.siblings} aria-expanded={row.expanded}
      aria-selected={selected} tabIndex={tab} onFocus={onActive}
      onClick={() => { location.hash = deviceLink(session.endpoint, node.path); }}>
      <div role="gridcell" class="what">
        {row.expanded === undefined
          ? <span class="fold" />
          : <button type="button" class="fold" tabIndex={-1} aria-hidden="true" onClick={(event) => {
            event.stopPropagation();
            session.toggle(node.path);
          }}><Icon name="chevron" /></button>}
        <code class="path">{node.path}</code>
        <span class="name">{node.depth === 2 || node.depth === 4 ? <span class="muted">{name}</span> : name}</span>
        {node.depth === 1 && node.version && <span class="tag">v{node.version}</span>}
        {node.depth === 1 && !node.modelled && <span class="tag" title="No model describes this object; types come from the payload">no model</span>}
      </div>
      <div role="gridcell" class="cell">
        {covered && <span class="watch" title="Observed"><Icon name="observe" /><span class="sr-only">observed</span></span>}
        {node.sample
          // A new value is a new element, whose animation starts; the same value again stays calm.
          ? <span key={String(node.sample.value)} class={node.sample.source === "notified" ? "flash" : ""}>
            <ValueText type={node.sample.type} value={node.sample.value} unit={node.unit} endpoint={session.endpoint} />
          </span>
          : node.depth >= 3 && node.children.length === 0 && (
            <span class="muted">{node.absent ? "absent" : node.executable && !node.readable ? "executable" : node.readable ? "–" : "write only"}</span>
          )}
        {node.children.length > 0 && node.depth === 3 && <span class="muted">{node.children.length === 1 ? "1 value" : `${node.children.length} values`}</span>}
        {problem && !busy && <span class="failed" title={`${problem.title}: ${problem.detail}`}>{problem.coapCode ?? "failed"}</span>}
      </div>
      <div role="gridcell" class="acts">
        {actionsOf(session, node, name).map((action) => (
          <Button key={action.name} icon={action.name} label={action.label} compact kind="quiet" tabIndex={tab}
            busy={busy === action.name || (action.name === "observe" && busy === "cancel")}
            disabled={session.gone.value !== undefined}
            {...(action.pressed === undefined ? {} : { pressed: action.pressed })} onClick={action.run} />
        ))}
      </div>
    </div>
  );
}

export function ObjectTree({ session, selected }: { session: DeviceSession; selected: string }) {
  const box = useRef<HTMLDivElement>(null);
  const filter = useSignal("");
  const active = useSignal(selected);
  const wantFocus = useRef(false);
  const rows = useComputed(() => {
    const tree = session.tree.value;
    if (filter.value.trim() === "") return visibleRows(tree, session.expanded.value);
    const found = filterTree(tree, filter.value);
    const all = new Set<string>();
    const open = (nodes: readonly TreeNode[]): void => nodes.forEach((node) => {
      all.add(node.path);
      open(node.children);
    });
    open(found);
    return visibleRows(found, all);
  });
  const list = rows.value;
  const at = Math.max(0, list.findIndex((row) => row.node.path === active.value));

  useLayoutEffect(() => {
    if (!wantFocus.current) return;
    wantFocus.current = false;
    box.current?.querySelector<HTMLElement>(`[data-path="${active.value}"]`)?.focus();
  });

  // Whoever comes by a link sees the node in the tree, too; once, so that scrolling away stays possible.
  const shown = useRef("");
  useLayoutEffect(() => {
    const element = selected === "" || shown.current === selected ? null : box.current?.querySelector(`[data-path="${selected}"]`);
    if (element === null || element === undefined) return;
    shown.current = selected;
    element.scrollIntoView({ block: "nearest" });
  });

  const focus = (row: TreeRow | undefined): void => {
    if (!row) return;
    wantFocus.current = true;
    active.value = row.node.path;
    // When the row was active already nothing renders anew, so focus it here as well.
    box.current?.querySelector<HTMLElement>(`[data-path="${row.node.path}"]`)?.focus();
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const row = list[at];
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const onRow = (event.target as HTMLElement).getAttribute("role") === "row";
    const moves: Record<string, () => void> = {
      ArrowDown: () => focus(list[Math.min(list.length - 1, at + 1)]),
      ArrowUp: () => focus(list[Math.max(0, at - 1)]),
      Home: () => focus(list[0]),
      End: () => focus(list[list.length - 1]),
      ArrowRight: () => (row.expanded === false ? session.toggle(row.node.path, true) : row.expanded ? focus(list[at + 1]) : undefined),
      ArrowLeft: () => (row.expanded ? session.toggle(row.node.path, false)
        : focus(list.find((other) => other.node.path === parentOf(row.node.path)))),
    };
    if (onRow) {
      moves["Enter"] = () => { location.hash = deviceLink(session.endpoint, row.node.path); };
      moves[" "] = () => row.expanded !== undefined && session.toggle(row.node.path);
      if (session.gone.value === undefined) {
        for (const action of actionsOf(session, row.node, "")) moves[action.key] = action.run;
      }
    }
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };

  return (
    <section class="pane tree" aria-label="Objects">
      <div class="toolbar">
        <SearchBox label="Filter by name or path" value={filter.value} onInput={(text) => { filter.value = text; }} />
        <Button icon="unfold" label="Unfold all" compact kind="quiet" onClick={() => session.expandAll(true)} />
        <Button icon="fold" label="Fold all" compact kind="quiet" onClick={() => session.expandAll(false)} />
        <Button icon="refresh" label="Read all objects" compact kind="quiet" disabled={session.gone.value !== undefined}
          onClick={() => void session.readAll(session.tree.value.map((node) => node.path))} />
        <details class="menu">
          <summary aria-label="Options of the tree and of requests" title="Options"><Icon name="options" /></summary>
          <div class="card">
            <label class="check">
              <input type="checkbox" checked={session.showAbsent.value} onChange={(event) => { session.showAbsent.value = event.currentTarget.checked; }} />
              <span>Show what the model has and the device lacks</span>
            </label>
            <label class="check">
              <input type="checkbox" checked={readOnOpen.value} onChange={(event) => { readOnOpen.value = event.currentTarget.checked; }} />
              <span>Read devices when they are opened</span>
            </label>
            <label class="field">
              <span>Content format of requests</span>
              <select value={session.options.value.format ?? ""} onChange={(event) => {
                session.options.value = { ...session.options.value, format: event.currentTarget.value || undefined };
              }}>
                <option value="">chosen by the server</option>
                {["senml-cbor", "senml-json", "tlv", "lwm2m-json", "cbor", "text", "opaque"].map((name) => <option key={name} value={name}>{name}</option>)}
              </select>
            </label>
            <label class="field">
              <span>Wait for the device</span>
              <select value={String(session.options.value.timeout ?? "")} onChange={(event) => {
                const seconds = event.currentTarget.value;
                session.options.value = { ...session.options.value, timeout: seconds ? Number(seconds) : undefined };
              }}>
                <option value="">30 s (default)</option>
                {[5, 10, 60, 120, 300].map((seconds) => <option key={seconds} value={seconds}>{seconds} s</option>)}
              </select>
            </label>
          </div>
        </details>
      </div>
      {list.length === 0
        ? <Empty icon="models" title={filter.value ? "Nothing matches" : "The device registered no objects"} />
        : (
          <div class="grid" role="treegrid" aria-label="Object tree" ref={box} onKeyDown={onKeyDown}>
            {list.map((row, index) => (
              <Row key={row.node.path} session={session} row={row} selected={row.node.path === selected} active={index === at}
                onActive={() => { active.value = row.node.path; }} />
            ))}
          </div>
        )}
      <p class="keys muted small">
        <kbd>↑</kbd><kbd>↓</kbd> move <kbd>←</kbd><kbd>→</kbd> fold <kbd>R</kbd> read <kbd>O</kbd> observe <kbd>W</kbd> write{" "}
        <kbd>X</kbd> execute <kbd>C</kbd> create <kbd>Del</kbd> delete
      </p>
    </section>
  );
}
