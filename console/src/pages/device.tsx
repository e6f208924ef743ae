/* SPDX-License-Identifier: Apache-2.0 */
/* The page of one device: head, object tree, inspector, and what moves live. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { sessionOf } from "../app-state";
import { comparePaths } from "../model/nodes";
import { deviceLink } from "../model/route";
import type { QueuedRequest } from "../api/types";
import { keyOf, type DeviceSession } from "../model/session";
import { labelOf } from "../model/tree";
import { Ago, Button, Empty, markOf, ProblemBox, Remaining, Segments, Skeleton, StateMark } from "../ui/bits";
import { Icon } from "../ui/icons";
import { useMedia } from "../ui/media";
import { SECURITY_TEXTS, TRANSPORT_TEXTS } from "../model/security";
import { CodeTag } from "../ui/value";
import { Charts, Inspector, OutcomeLine } from "./inspector";
import { ObjectTree } from "./tree";

function Head({ session, narrow }: { session: DeviceSession; narrow: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const client = session.client.value;
  useEffect(() => {
    if (narrow) heading.current?.focus({ preventScroll: true });
  }, [session]);
  const state = client ? markOf(session.gone.value ?? "registered", client) : undefined;
  return (
    <header class="device-head">
      <div class="title">
        {narrow && <a class="button quiet compact" href={deviceLinkList} aria-label="All devices" title="All devices"><Icon name="back" /></a>}
        <h1 ref={heading} tabIndex={-1}>{session.endpoint}</h1>
        {state && <span class={`badge ${state.mark}`}><StateMark mark={state.mark} />{state.text}</span>}
        <Button icon="refresh" label="Reload this page’s data" compact kind="quiet" busy={session.loading.value} onClick={() => void session.load()} />
        {client && !session.gone.value && <Button icon="bootstrap" label="Bootstrap again" compact kind="quiet" busy={session.pending.value.get("/1") === "bootstrap"}
          onClick={() => void session.bootstrap()} />}
      </div>
      <BootstrapOutcome session={session} />
      {client && (
        <dl class="facts">
          <div><dt>Address</dt><dd><code>{client.address}</code></dd></div>
          <div><dt>Security</dt><dd>{SECURITY_TEXTS[client.security]}, {TRANSPORT_TEXTS[client.transport]}</dd></div>
          <div><dt>LwM2M</dt><dd>{client.lwm2m}</dd></div>
          <div><dt>Binding</dt><dd>{client.binding}{client.queueMode ? ", queue mode" : ""}</dd></div>
          <div><dt>Lifetime</dt><dd>{client.lifetime} s</dd></div>
          {!session.gone.value && <div><dt>Expires</dt><dd><Remaining until={client.expiresAt} /></dd></div>}
          <div><dt>Registered</dt><dd><Ago at={client.registeredAt} /></dd></div>
          <div><dt>Updated</dt><dd><Ago at={client.updatedAt} /></dd></div>
          <div><dt>Heard</dt><dd><Ago at={client.lastSeen} /></dd></div>
        </dl>
      )}
    </header>
  );
}

/** What came of "Bootstrap again", until something else is done with the same Object. */
function BootstrapOutcome({ session }: { session: DeviceSession }) {
  const outcome = session.outcomes.value.get("/1");
  return outcome?.operation === "bootstrap" ? <OutcomeLine outcome={outcome} /> : null;
}

const deviceLinkList = "#/devices";

const REQUEST_MARKS = {
  waiting: "wait", delivering: "wait", answered: "live", failed: "error", expired: "expired", cancelled: "gone", unknown: "error",
} as const satisfies Record<QueuedRequest["state"], string>;
const SHOWN_REQUESTS = 30;

/** The device's queue: what waits for it, and what ended lately. */
function Requests({ session }: { session: DeviceSession }) {
  const requests = session.requests.value;
  if (requests.length === 0) return null;
  return (
    <>
      <h3>Queued requests</h3>
      <ul class="lines" aria-label="Queued requests">
        {requests.slice(0, SHOWN_REQUESTS).map((item) => {
          const waits = item.state === "waiting" || item.state === "delivering";
          return (
            <li key={item.id} title={item.detail}>
              <StateMark mark={REQUEST_MARKS[item.state]} />
              <span>{item.operation}</span>
              <code>{item.path}</code>
              <span class="grow">{item.state}{item.code && <> <CodeTag code={item.code} /></>}</span>
              <span class="muted small ago"><Ago at={item.endedAt ?? item.createdAt} /></span>
              {waits && <Button icon="close" label={`Take back request ${item.id}`} compact kind="quiet" onClick={() => void session.takeBack(item.id)} />}
            </li>
          );
        })}
      </ul>
    </>
  );
}

/** Charts, observations and recent operations of the whole device. */
function Live({ session, withCharts }: { session: DeviceSession; withCharts: boolean }) {
  const observations = [...session.observations.value.values()].sort((a, b) => comparePaths(a.path, b.path));
  const activity = session.activity.value;
  return (
    <section class="pane livepane" aria-label="Live">
      <h2 class="pane-title">Live</h2>
      {observations.length === 0 && (
        <Empty icon="observe" title="Nothing is observed">
          <p>Observe a resource, an instance or an object, and its numbers move here.</p>
        </Empty>
      )}
      {withCharts && <Charts session={session} path="" />}
      {observations.length > 0 && (
        <>
          <h3>Observations</h3>
          <ul class="lines" aria-label="Observations">
            {observations.map((item) => {
              const node = item.paths ? undefined : session.nodeAt(item.path);
              return (
                <li key={keyOf(item)}>
                  <StateMark mark={item.state === "active" ? "live" : item.state === "pending" ? "wait" : "expired"} />
                  {(item.paths ?? [item.path]).map((path) => <a key={path} href={deviceLink(session.endpoint, path)}><code>{path}</code></a>)}
                  <span class="grow">{node ? labelOf(session.tree.value, node) : ""}{item.state !== "active" && <span class="muted"> ({item.state})</span>}</span>
                  {!item.paths && <Button icon="close" label={`Stop observing ${item.path}`} compact kind="quiet" disabled={session.gone.value !== undefined}
                    onClick={() => void session.cancel(item.path)} />}
                </li>
              );
            })}
          </ul>
        </>
      )}
      <Requests session={session} />
      {activity.length > 0 && (
        <>
          <h3>Operations from this page</h3>
          <ul class="lines activity" aria-label="Operations from this page">
            {activity.slice(0, 30).map((item) => (
              <li key={item.key} title={item.problem ? `${item.problem.title}: ${item.problem.detail}` : undefined}>
                {item.problem ? <code class="code bad">{item.problem.coapCode ?? "failed"}</code>
                  : item.queued !== undefined ? <code class="code">queued</code> : <CodeTag code={item.code ?? ""} />}
                <span>{item.operation}</span>
                <a href={deviceLink(session.endpoint, item.path)}><code>{item.path}</code></a>
                <span class="grow" />
                <span class="muted small">{Math.round(item.elapsedMs)} ms</span>
                <span class="muted small ago"><Ago at={item.at} /></span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

export function DevicePage({ endpoint, path }: { endpoint: string; path: string }) {
  const session = sessionOf(endpoint);
  const narrow = useMedia("(max-width: 67.99rem)");
  const wall = useMedia("(min-width: 132rem)");
  const tab = useSignal<"objects" | "live">("objects");
  const client = session.client.value;
  const problem = session.problem.value;

  if (!client) {
    return (
      <div class="device">
        <Head session={session} narrow={narrow} />
        {problem ? <ProblemBox problem={problem} onRetry={() => void session.load()} /> : <Skeleton rows={12} label="Loading the device" />}
      </div>
    );
  }
  const inspector = path !== "" && <Inspector session={session} path={path} narrow={narrow} />;
  return (
    <div class="device">
      {!(narrow && path) && <Head session={session} narrow={narrow} />}
      {session.gone.value && (
        <p class="notice" role="status">
          <StateMark mark={session.gone.value === "expired" ? "expired" : "gone"} />
          This device is not registered any more. What is shown is the last that was known; it comes back to life when the device registers.
        </p>
      )}
      {problem && !session.gone.value && <ProblemBox problem={problem} onRetry={() => void session.load()} />}
      {narrow && !path && (
        <div class="tabs">
          <Segments label="Part of the page" value={tab.value} onChange={(value) => { tab.value = value; }}
            options={[{ value: "objects", label: "Objects" }, { value: "live", label: `Live (${session.observations.value.size})` }]} />
        </div>
      )}
      <div class={`columns${wall ? " wall" : ""}`}>
        {narrow
          ? inspector || (tab.value === "objects" ? <ObjectTree session={session} selected={path} /> : <Live session={session} withCharts />)
          : (
            <>
              <ObjectTree session={session} selected={path} />
              {inspector}
              {(wall || !inspector) && <Live session={session} withCharts />}
            </>
          )}
      </div>
    </div>
  );
}
