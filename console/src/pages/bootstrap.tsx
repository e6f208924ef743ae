/* SPDX-License-Identifier: Apache-2.0 */
/* The bootstrap server: what devices are given, by what they are let in, and how their bootstraps go on, step by step. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import * as rest from "../api/client";
import { Problem } from "../api/problem";
import type { BootstrapConfig, BootstrapRun, BootstrapVersion } from "../api/types";
import { bootstrapRuns, now, serverInfo } from "../app-state";
import { differences, documentOf, draftOf, emptyDraft, type BootstrapDraft, type Difference } from "../model/bootstrap";
import { deviceLink, formatRoute, type BootstrapTab } from "../model/route";
import { runMs } from "../model/runs";
import { SECURITY_TEXTS, TRANSPORT_TEXTS } from "../model/security";
import { formatTime } from "../model/value";
import { Ago, Button, Empty, ProblemBox, SearchBox, Skeleton, StateMark } from "../ui/bits";
import { Confirm } from "../ui/dialog";
import { NameList, useNames } from "../ui/names";
import { CodeTag } from "../ui/value";
import { BootstrapFields, type FormFault } from "./bootstrap-form";
import { CredentialsPage } from "./credentials";

const NEW = "+";
const TABS: { tab: BootstrapTab; label: string }[] = [
  { tab: "configs", label: "Configurations" }, { tab: "credentials", label: "Credentials" }, { tab: "runs", label: "Bootstraps" },
];

function Tabs({ current }: { current: BootstrapTab }) {
  return (
    <nav class="subpages" aria-label="Parts of the bootstrap server">
      {TABS.map(({ tab, label }) => (
        <a key={tab} href={formatRoute({ page: "bootstrap", tab, endpoint: undefined })} aria-current={tab === current ? "page" : undefined}>{label}</a>
      ))}
    </nav>
  );
}

/* ---- versions ---- */

function DifferenceTable({ list }: { list: readonly Difference[] }) {
  if (list.length === 0) return <p class="muted">Nothing that is shown is another: a secret may be.</p>;
  return (
    <table class="differences">
      <thead><tr><th scope="col">Member</th><th scope="col">Then</th><th scope="col">Now</th></tr></thead>
      <tbody>
        {list.map(({ at, before, after }) => (
          <tr key={at}><th scope="row"><code>{at}</code></th><td><code>{before ?? "–"}</code></td><td><code>{after ?? "–"}</code></td></tr>
        ))}
      </tbody>
    </table>
  );
}

function Versions({ current }: { current: BootstrapConfig }) {
  const [list, setList] = useState<BootstrapVersion[]>([]);
  const [shown, setShown] = useState<{ version: number; list: Difference[] } | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  useEffect(() => {
    const abort = new AbortController();
    setShown(undefined);
    rest.listBootstrapVersions(current.endpoint, abort.signal).then((found) => setList(found.versions), () => undefined);
    return () => abort.abort();
  }, [current.endpoint, current.version]);
  const compare = async (version: number): Promise<void> => {
    try {
      const former = await rest.getBootstrapConfig(current.endpoint, version);
      setShown({ version, list: differences(former.config, current.config) });
      setProblem(undefined);
    } catch (error) {
      setProblem(Problem.from(error));
    }
  };
  const former = list.filter((one) => one.version !== current.version);
  if (former.length === 0) return null;
  return (
    <section class="section" aria-labelledby="versions-title">
      <h3 id="versions-title">Former versions</h3>
      <ul class="lines" aria-label="Former versions">
        {former.map((one) => (
          <li key={one.version}>
            <span class="grow">Version {one.version}{one.removed ? ", removed" : ""}</span>
            <span class="muted small"><Ago at={one.changed} /></span>
            {!one.removed && <Button label={`Compare version ${one.version}`} pressed={shown?.version === one.version} onClick={() => void compare(one.version)} />}
          </li>
        ))}
      </ul>
      {problem && <ProblemBox problem={problem} />}
      {shown && <DifferenceTable list={shown.list} />}
    </section>
  );
}

/* ---- one configuration ---- */

/** "/servers/0/security/key" of a problem as the form names it. */
function faultOf(problem: Problem): FormFault | undefined {
  const [, part, index, ...rest] = (problem.pointer ?? "").split("/");
  if (part === undefined || problem.detail === undefined) return undefined;
  const names: Record<string, string> = { key: "secret", private_key: "secret", public_key: "publicKey", server_public_key: "serverKey", server_certificate: "serverKey" };
  const last = rest.at(-1) ?? "";
  const field = index === undefined ? part : `${part}.${index}.${names[last] ?? last}`;
  return { field: field === "delete" ? "deletes" : field, error: problem.detail };
}

function Form({ existing, onSaved, onRemoved }: {
  existing: BootstrapConfig | undefined; onSaved: (saved: BootstrapConfig) => void; onRemoved: () => void;
}) {
  const [draft, setDraft] = useState<BootstrapDraft>(() => (existing ? draftOf(existing.endpoint, existing.config) : emptyDraft()));
  const [fault, setFault] = useState<FormFault | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [saved, setSaved] = useState<number | undefined>(undefined);
  const form = useRef<HTMLFormElement>(null);
  const point = (wrong: FormFault | undefined): void => {
    setFault(wrong);
    if (wrong) requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };
  const save = async (): Promise<void> => {
    const built = documentOf(draft);
    if (!built.ok) {
      point(built);
      return;
    }
    setBusy(true);
    setProblem(undefined);
    try {
      const answer = await rest.putBootstrapConfig(draft.endpoint.trim(), built.body, existing?.version ?? 0);
      setSaved(answer.version);
      setDraft(draftOf(answer.endpoint, answer.config));
      onSaved(answer);
    } catch (error) {
      const read = Problem.from(error);
      setProblem(read);
      point(faultOf(read));
    }
    setBusy(false);
  };
  const remove = async (): Promise<void> => {
    setAsking(false);
    try {
      await rest.deleteBootstrapConfig(draft.endpoint, existing?.version ?? 0);
      onRemoved();
    } catch (error) {
      setProblem(Problem.from(error));
    }
  };
  return (
    <form ref={form} class="stack" noValidate onSubmit={(event) => {
      event.preventDefault();
      void save();
    }}>
      <BootstrapFields draft={draft} fault={fault} existing={existing !== undefined} onChange={(next) => {
        setDraft(next);
        setFault(undefined);
        setSaved(undefined);
      }} />
      {problem && <ProblemBox problem={problem} />}
      <div class="buttons">
        <Button label={existing ? "Store a new version" : "Store"} icon="check" kind="primary" submit busy={busy} />
        {existing && <Button label="Remove" icon="delete" kind="danger" onClick={() => setAsking(true)} />}
        <span class="muted" role="status">{saved !== undefined ? `Version ${saved} is stored` : ""}</span>
      </div>
      {asking && (
        <Confirm title={`Remove the configuration of ${draft.endpoint}?`} action="Remove" onDone={(yes) => { if (yes) void remove(); else setAsking(false); }}>
          <p>Devices keep what they were given; the next one that asks to be bootstrapped by it is refused.</p>
        </Confirm>
      )}
    </form>
  );
}

function OneConfig({ endpoint, onChanged }: { endpoint: string; onChanged: () => void }) {
  const [config, setConfig] = useState<BootstrapConfig | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const fresh = endpoint === NEW;
  const load = (): void => {
    if (fresh) return;
    rest.getBootstrapConfig(endpoint).then((found) => {
      setConfig(found);
      setProblem(undefined);
    }, (error: unknown) => setProblem(Problem.from(error)));
  };
  useEffect(load, [endpoint]);
  return (
    <section class="pane inspector" aria-label={fresh ? "A new configuration" : `Configuration of ${endpoint}`}>
      <header class="head">
        <div>
          <h2>{fresh ? "New configuration" : endpoint}</h2>
          {config && <span class="muted small">version {config.version}, changed <Ago at={config.changed} /></span>}
        </div>
        <a class="button quiet compact" href="#/bootstrap/configs" aria-label="Close the form" title="Close">×</a>
      </header>
      {problem && <ProblemBox problem={problem} onRetry={load} />}
      {!fresh && !config && !problem && <Skeleton rows={6} label="Loading the configuration" />}
      {(fresh || config) && (
        <Form key={fresh ? NEW : config?.endpoint} existing={config}
          onSaved={(saved) => {
            onChanged();
            if (fresh) location.hash = formatRoute({ page: "bootstrap", tab: "configs", endpoint: saved.endpoint });
            else setConfig(saved);
          }}
          onRemoved={() => {
            location.hash = formatRoute({ page: "bootstrap", tab: "configs", endpoint: undefined });
            onChanged();
          }} />
      )}
      {config && <Versions current={config} />}
    </section>
  );
}

/* ---- all configurations ---- */

function Configs({ endpoint }: { endpoint: string | undefined }) {
  const names = useNames(async (...question) => {
    const { configs, ...page } = await rest.listBootstrapConfigs(...question);
    return { ...page, items: configs };
  });
  return (
    <div class={`split${endpoint !== undefined ? " open" : ""}`}>
      <NameList names={names} label="Configurations" icon="bootstrap" empty="Nothing is said yet of what devices are given" noMatch="No configuration matches"
        linkTo={(name) => formatRoute({ page: "bootstrap", tab: "configs", endpoint: name })} current={endpoint} row={(item) => (
          <>
            <span class="name"><code>{item.endpoint}</code><span class="muted small block">version {item.version}</span></span>
            {item.pattern && <span class="tag">pattern</span>}
          </>
        )} />
      {endpoint !== undefined && <OneConfig key={endpoint} endpoint={endpoint} onChanged={() => void names.load()} />}
    </div>
  );
}

/* ---- runs ---- */

const RUN_MARKS = { running: "wait", finished: "live", failed: "error" } as const;
const RUN_TEXTS = { running: "under way", finished: "finished", failed: "failed" } as const;

function Timeline({ run }: { run: BootstrapRun }) {
  const total = Math.max(1, ...run.steps.map((step) => step.began_ms + step.took_ms));
  return (
    <ol class="timeline" aria-label={`Steps of bootstrap ${run.run}`}>
      {run.steps.map((step, index) => (
        <li key={index}>
          <span class="muted small number">{index + 1}/{Math.max(run.planned, run.steps.length)}</span>
          <span>{step.operation}</span>
          <code>{step.path ?? ""}</code>
          {step.code === null ? <span class="muted">no answer{run.state === "running" ? " yet" : ""}</span> : <CodeTag code={step.code} />}
          <span class="bar" aria-hidden="true">
            <span style={{ left: `${(99 * step.began_ms) / total}%`, width: `${Math.max(1, (100 * step.took_ms) / total)}%` }} />
          </span>
          <span class="muted small took">{step.took_ms} ms</span>
        </li>
      ))}
    </ol>
  );
}

/** How often it is asked whether a device still has a way to the bootstrap server. */
const WAY_MS = 5000;

/** What has not been settled by the newest bootstrap; and the next one, as long as the device has a way to the server. */
function Afterwards({ run }: { run: BootstrapRun }) {
  const [{ reachable, staged }, setNow] = useState<Pick<BootstrapRun, "reachable" | "staged">>(run);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  useEffect(() => {
    const abort = new AbortController();
    const look = (): void => {
      rest.lastBootstrapRun(run.endpoint, abort.signal).then((last) => { if (last) setNow(last); }, () => undefined);
    };
    look();
    const timer = setInterval(look, WAY_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [run.endpoint, run.run, run.state]);
  const begin = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await rest.rerunBootstrap(run.endpoint);
    } catch (error) {
      setProblem(Problem.from(error));
    }
    setBusy(false);
  };
  const why = run.state === "running" ? "A bootstrap is under way."
    : reachable ? undefined : "The device has given up its way to the bootstrap server. If it is registered here, it can be told on its own page.";
  return (
    <>
      {staged && (
        <p class="hint">The key that was handed out <Ago at={staged.since} /> is staged: it lets the device in, beside its former one, until it is known to have it.</p>
      )}
      <div class="buttons">
        <Button icon="bootstrap" label="Bootstrap again" disabled={why !== undefined} busy={busy} onClick={() => void begin()} />
        {why !== undefined && <span class="muted small">{why}</span>}
      </div>
      {problem && <ProblemBox problem={problem} />}
    </>
  );
}

function Run({ run, first, newest }: { run: BootstrapRun; first: boolean; newest: boolean }) {
  // Undefined until the reader has a say: the newest, and those under way, are open.
  const [chosen, setChosen] = useState<boolean | undefined>(undefined);
  const open = chosen ?? (first || run.state === "running");
  return (
    <details class="run" open={open} onToggle={(event) => {
      if (event.currentTarget.open !== open) setChosen(event.currentTarget.open);
    }}>
      <summary>
        <StateMark mark={RUN_MARKS[run.state]} />
        <span class="mono">{run.endpoint}</span>
        <span>{RUN_TEXTS[run.state]}</span>
        <span class="muted small">{run.steps.length} of {run.planned} steps, {Math.round(runMs(run, now.value))} ms</span>
        <span class="grow" />
        <time class="muted small" dateTime={run.began}>{formatTime(run.began)}</time>
      </summary>
      {open && <RunDetails run={run} newest={newest} />}
    </details>
  );
}

function RunDetails({ run, newest }: { run: BootstrapRun; newest: boolean }) {
  return (
    <>
      <dl class="facts">
        <div><dt>Device</dt><dd><a href={deviceLink(run.endpoint)}>{run.endpoint}</a></dd></div>
        <div><dt>From</dt><dd><code>{run.address}</code>, {SECURITY_TEXTS[run.security]}, {TRANSPORT_TEXTS[run.transport]}</dd></div>
        {run.lwm2m && <div><dt>LwM2M</dt><dd>{run.lwm2m}</dd></div>}
        <div><dt>Configuration</dt><dd>version {run.version}</dd></div>
        <div><dt>Begun by</dt><dd>{run.by === "server" ? "the bootstrap server" : "the device"}</dd></div>
      </dl>
      {run.why !== "" && <p class={run.state === "failed" ? "hint bad" : "hint"}>{run.why}</p>}
      <Timeline run={run} />
      {run.state === "failed" && run.found !== "" && <p class="small">What the device was left with: <code>{run.found}</code></p>}
      {newest && <Afterwards run={run} />}
    </>
  );
}

function Runs({ endpoint }: { endpoint: string | undefined }) {
  const text = useSignal(endpoint ?? "");
  useEffect(() => { void bootstrapRuns.load(); }, []);
  const wanted = text.value.trim().toLowerCase();
  const shown = bootstrapRuns.runs.value.filter((run) => run.endpoint.toLowerCase().includes(wanted));
  const refusals = bootstrapRuns.refusals.value.filter((one) => one.endpoint.toLowerCase().includes(wanted));
  const newest = new Map<string, number>();
  for (const run of shown) if (!newest.has(run.endpoint)) newest.set(run.endpoint, run.run);
  return (
    <div class="pane runs">
      <SearchBox label="Search by endpoint name" value={text.value} onInput={(value) => { text.value = value; }} />
      {bootstrapRuns.problem.value && <ProblemBox problem={bootstrapRuns.problem.value} onRetry={() => void bootstrapRuns.load()} />}
      {!bootstrapRuns.loaded.value && !bootstrapRuns.problem.value && <Skeleton rows={6} label="Loading the bootstraps" />}
      {refusals.length > 0 && (
        <ul class="lines" aria-label="Refused requests">
          {refusals.map((one) => (
            <li key={one.key}>
              <StateMark mark="error" /><span class="mono">{one.endpoint}</span><CodeTag code={one.code} /><span class="grow">{one.why}</span>
              <span class="muted small"><Ago at={one.time} /></span>
            </li>
          ))}
        </ul>
      )}
      {bootstrapRuns.loaded.value && shown.length === 0 && (
        <Empty icon="bootstrap" title={wanted === "" ? "No device has been bootstrapped yet" : "No bootstrap matches"}>
          <p>Each step appears here as the device answers it.</p>
        </Empty>
      )}
      {shown.map((run, index) => <Run key={run.run} run={run} first={index === 0} newest={newest.get(run.endpoint) === run.run} />)}
      {bootstrapRuns.next.value !== null && <div><Button label="Older ones" onClick={() => void bootstrapRuns.load(true)} /></div>}
    </div>
  );
}

export function BootstrapPage({ tab, endpoint }: { tab: BootstrapTab; endpoint: string | undefined }) {
  const none = serverInfo.value !== undefined && !serverInfo.value.bootstrap;
  if (none) {
    return (
      <div class="page models">
        <div class="page-head"><h1>Bootstrap</h1></div>
        <Empty icon="bootstrap" title="This dunlind is no bootstrap server"><p>Start it with --bootstrap-coaps, and it is.</p></Empty>
      </div>
    );
  }
  if (tab === "credentials") return <CredentialsPage endpoint={endpoint} keeper="bootstrap" head={<><h1>Bootstrap</h1><Tabs current={tab} /></>} />;
  return (
    <div class="page models bootstrap">
      <div class="page-head">
        <h1>Bootstrap</h1>
        <Tabs current={tab} />
        <span class="grow" />
        {tab === "configs"
          ? <a class="button primary" href={formatRoute({ page: "bootstrap", tab, endpoint: NEW })}>New configuration</a>
          : <Button icon="refresh" label="Reload the bootstraps" compact kind="quiet" onClick={() => void bootstrapRuns.load()} />}
      </div>
      {tab === "configs" ? <Configs endpoint={endpoint} /> : <Runs endpoint={endpoint} />}
    </div>
  );
}
