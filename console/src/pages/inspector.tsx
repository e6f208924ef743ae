/* SPDX-License-Identifier: Apache-2.0 */
/* The inspector: one node with what it is, what it holds and everything that can be done with it. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { series } from "../app-state";
import { comparePaths, isWithin, parentOf, splitPath } from "../model/nodes";
import { deviceLink } from "../model/route";
import type { DeviceSession, Outcome } from "../model/session";
import { labelOf, modelResources, type TreeNode } from "../model/tree";
import { formatUnit } from "../model/value";
import { Ago, Button, Empty, ProblemBox, StateMark } from "../ui/bits";
import { Chart } from "../ui/chart";
import { Confirm } from "../ui/dialog";
import { CodeTag, codeName, ValueText } from "../ui/value";
import { AttributesForm } from "./attributes";
import { ExecuteForm, InstanceForm, WriteForm } from "./forms";
import { intent } from "./tree";

const DONE: Record<Outcome["operation"], string> = {
  read: "Read", write: "Written", execute: "Executed", create: "Created", delete: "Deleted",
  observe: "Observing", cancel: "No longer observed", discover: "Discovered", attributes: "Attributes set on", bootstrap: "Told to bootstrap by",
};

export function OutcomeLine({ outcome }: { outcome: Outcome }) {
  const took = `${Math.round(outcome.elapsedMs)} ms`;
  if (outcome.problem) {
    return (
      <div class="outcome">
        <ProblemBox problem={outcome.problem} />
        <p class="muted small">{outcome.operation} <code>{outcome.path}</code> · {took} · <Ago at={outcome.at} /></p>
      </div>
    );
  }
  if (outcome.queued !== undefined) {
    return (
      <p class="outcome">
        <StateMark mark="wait" /> {outcome.operation} <code>{outcome.path}</code> waits for the device
        <span class="muted small">request {outcome.queued} · <Ago at={outcome.at} /></span>
      </p>
    );
  }
  return (
    <p class="outcome good">
      <CodeTag code={outcome.code ?? ""} /> {DONE[outcome.operation]} <code>{outcome.path}</code>
      <span class="muted small">{codeName(outcome.code ?? "")} · {took} · <Ago at={outcome.at} /></span>
    </p>
  );
}

function Facts({ session, node }: { session: DeviceSession; node: TreeNode }) {
  const attributes = session.attributes.value.get(node.path);
  const shown = attributes ? Object.entries(attributes) : [];
  const operations = [node.readable && "read", node.writable && "write", node.executable && "execute"].filter(Boolean).join(", ");
  return (
    <dl class="facts">
      {node.type && <div><dt>Type</dt><dd>{node.type === "none" ? "executable" : node.type}</dd></div>}
      {node.unit && <div><dt>Unit</dt><dd>{formatUnit(node.unit)}</dd></div>}
      {node.range && <div><dt>Range</dt><dd><code>{node.range}</code></dd></div>}
      {node.depth >= 3 && <div><dt>Operations</dt><dd>{node.modelled ? operations || "none" : "unknown"}</dd></div>}
      {node.depth === 3 && <div><dt>Instances</dt><dd>{node.multiple ? "multiple" : "single"}</dd></div>}
      {node.version && <div><dt>Version</dt><dd><code>{node.version}</code></dd></div>}
      {node.sample && <div><dt>{node.sample.source === "read" ? "Read" : "Notified"}</dt><dd><Ago at={node.sample.at} /></dd></div>}
      {shown.map(([name, value]) => <div key={name}><dt>{name}</dt><dd><code>{value ?? "yes"}</code></dd></div>)}
    </dl>
  );
}

/** The measured value of an IPSO sensor comes before its minimum and maximum. */
const MEASURED = 5700;

function compareCharts(a: string, b: string): number {
  const lead = (path: string): number => (splitPath(path)[2] === MEASURED ? 0 : 1);
  return parentOf(a) === parentOf(b) ? lead(a) - lead(b) || comparePaths(a, b) : comparePaths(a, b);
}

/** The charts of all numbers at or below a path ("" for the whole device): what moves first, what
 * never did as a line of text. */
export function Charts({ session, path }: { session: DeviceSession; path: string }) {
  void series.version.value;
  const found = series.of(session.endpoint).filter((item) => path === "" || isWithin(item.path, path))
    .sort((a, b) => compareCharts(a.path, b.path)).map((item) => {
      const node = session.nodeAt(item.path);
      return {
        item, name: node ? labelOf(session.tree.value, node) : item.path, unit: node?.unit ?? "",
        href: item.path === path ? undefined : deviceLink(session.endpoint, item.path),
      };
    });
  const moving = found.filter(({ item }) => item.varies.value || item.path === path);
  const still = found.filter((entry) => !moving.includes(entry));
  return (
    <>
      <div class="charts">
        {moving.map(({ item, ...rest }) => <Chart key={item.path} series={item} {...rest} />)}
      </div>
      {still.length > 0 && (
        <ul class="lines" aria-label="Numbers that have not moved">
          {still.map(({ item, name, unit, href }) => (
            <li key={item.path}>
              <span class="grow">{href === undefined ? name : <a class="plain" href={href}>{name}</a>} <code class="muted small">{item.path}</code></span>
              <span class="muted small">steady</span>
              <span class="value num">{item.lastValue} <span class="unit">{formatUnit(unit)}</span></span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

export function Inspector({ session, path, narrow }: { session: DeviceSession; path: string; narrow: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const panel = useRef<HTMLElement>(null);
  const asking = useSignal(false);
  const open = useSignal<"write" | "create" | "attributes" | undefined>(undefined);
  const node = session.nodeAt(path);
  const wanted = intent.value?.path === path ? intent.value.action : undefined;

  useEffect(() => {
    open.value = undefined;
    if (narrow && !wanted) heading.current?.focus();
  }, [path]);
  useEffect(() => {
    if (!wanted || !node) return;
    intent.value = undefined;
    if (wanted === "delete") asking.value = true;
    if (wanted === "create" || (wanted === "write" && node.depth === 2)) open.value = wanted as "write" | "create";
    requestAnimationFrame(() => panel.current?.querySelector<HTMLElement>(
      `[data-form="${wanted}"] :is(input, textarea, select, button[type=submit])`)?.focus());
  }, [wanted, node]);

  const back = deviceLink(session.endpoint);
  // On a narrow screen the inspector is all that there is, so its heading is the page's.
  const Heading = narrow ? "h1" : "h2";
  const Section = narrow ? "h2" : "h3";
  if (!node) {
    return (
      <section class="pane inspector" aria-label={`Node ${path}`} ref={panel}>
        <header class="head"><Heading ref={heading} tabIndex={-1}><code>{path}</code></Heading><a class="button quiet compact" href={back} aria-label="Close" title="Close">×</a></header>
        {session.loading.value ? null : <Empty icon="search" title="The device has nothing here"><p>It may have been deleted, or not been read yet.</p>
          <Button icon="read" label={`Read ${path}`} onClick={() => void session.read(path)} /></Empty>}
        {session.outcomes.value.get(path) && <OutcomeLine outcome={session.outcomes.value.get(path) as Outcome} />}
      </section>
    );
  }

  const name = labelOf(session.tree.value, node);
  const busy = session.pending.value.get(path);
  const observed = session.observations.value.get(path);
  const through = observed ? undefined : session.observationOf(path);
  const outcome = session.outcomes.value.get(path);
  const gone = session.gone.value !== undefined;
  const objects = session.client.value?.objects ?? [];
  const model = session.models.value.get(Number(path.split("/")[1]));
  return (
    <section class="pane inspector" aria-label={`${name} ${path}`} ref={panel} key={path}>
      <header class="head">
        <div>
          <Heading ref={heading} tabIndex={-1}>{name}</Heading>
          <code class="path">{path}</code>
        </div>
        <a class="button quiet compact" href={back} aria-label="Close the inspector" title="Close">×</a>
      </header>
      {node.sample && (
        <p class="big"><ValueText type={node.sample.type} value={node.sample.value} unit={node.unit} endpoint={session.endpoint} /></p>
      )}
      <Facts session={session} node={node} />
      {node.description && <details class="about"><summary>About</summary><p>{node.description}</p></details>}

      <div class="buttons">
        {node.readable && <Button icon="read" label="Read" busy={busy === "read"} disabled={gone} onClick={() => void session.read(path)} />}
        {node.readable && (observed
          ? <Button icon="observe" label="Stop observing" pressed busy={busy === "cancel"} disabled={gone} onClick={() => void session.cancel(path)} />
          : <Button icon="observe" label="Observe" pressed={false} busy={busy === "observe"} disabled={gone} onClick={() => void session.observe(path)} />)}
        {node.depth <= 3 && <Button icon="discover" label="Discover" busy={busy === "discover"} disabled={gone} onClick={() => void session.discover(path)} />}
        {node.creatable && <Button icon="create" label="Create…" pressed={open.value === "create"} disabled={gone}
          onClick={() => { open.value = open.value === "create" ? undefined : "create"; }} />}
        {node.depth === 2 && <Button icon="write" label="Write…" pressed={open.value === "write"} disabled={gone}
          onClick={() => { open.value = open.value === "write" ? undefined : "write"; }} />}
        {node.readable && <Button icon="options" label="Attributes…" pressed={open.value === "attributes"} disabled={gone}
          onClick={() => { open.value = open.value === "attributes" ? undefined : "attributes"; }} />}
        {node.deletable && <Button icon="delete" label="Delete" kind="danger" busy={busy === "delete"} disabled={gone} onClick={() => { asking.value = true; }} />}
      </div>
      {observed?.state === "pending" && <p class="muted small">The observation waits for the device.</p>}
      {observed?.state === "lost" && <p class="hint warn">The device dropped this observation.</p>}
      {through && <p class="muted small">Observed through <a href={deviceLink(session.endpoint, through.path)}><code>{through.path}</code></a>.</p>}
      <div aria-live="polite">{outcome && <OutcomeLine outcome={outcome} />}</div>

      {!gone && node.depth >= 3 && node.writable && node.type !== "none" && (
        <div class="section" data-form="write">
          <Section class="sub">Write</Section>
          <WriteForm key={path} node={node} objects={objects} busy={busy === "write"}
            onWrite={(mode, body) => void session.write(path, mode, body)} />
        </div>
      )}
      {!gone && node.depth === 3 && node.executable && (
        <div class="section" data-form="execute">
          <Section class="sub">Execute</Section>
          <ExecuteForm node={node} busy={busy === "execute"} onExecute={(args) => void session.execute(path, args)} />
        </div>
      )}
      {!gone && open.value === "attributes" && (
        <div class="section" data-form="attributes">
          <Section class="sub">When the device notifies</Section>
          <AttributesForm key={path} node={node} known={session.attributes.value.get(path) ?? {}} busy={busy === "attributes"}
            onSubmit={(attributes) => void session.writeAttributes(path, attributes)} />
        </div>
      )}
      {!gone && (open.value === "write" || open.value === "create") && (
        <div class="section" data-form={open.value}>
          <Section class="sub">{open.value === "create" ? "Create an instance" : "Write the instance"}</Section>
          <InstanceForm key={`${path} ${open.value}`} node={node} objects={objects} busy={busy === open.value} purpose={open.value}
            resources={open.value === "create" ? modelResources(path, model) : node.children.filter((child) => child.writable && child.type !== "none")}
            onSubmit={(mode, body) => {
              if (open.value === "write") void session.write(path, mode, body);
              else void session.create(path, body).then((result) => { if (!result.problem) open.value = undefined; });
            }} />
        </div>
      )}
      <Charts session={session} path={path} />
      {asking.value && (
        <Confirm title={`Delete ${path}?`} action="Delete" onDone={(yes) => {
          asking.value = false;
          if (yes) void session.remove(path);
        }}>
          <p>The device is told to delete <strong>{name}</strong> and all that it holds. This can’t be taken back.</p>
        </Confirm>
      )}
    </section>
  );
}
