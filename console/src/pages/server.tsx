/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says of itself: addresses, version, counters. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as rest from "../api/client";
import { Problem } from "../api/problem";
import type { ServerInfo } from "../api/types";
import { parseMetrics, type Metric } from "../model/metrics";
import { formatTime } from "../model/value";
import { Ago, Button, ProblemBox, SearchBox, Skeleton } from "../ui/bits";

const REFRESH_MS = 5000;

export function ServerPage() {
  const info = useSignal<ServerInfo | undefined>(undefined);
  const metrics = useSignal<readonly Metric[]>([]);
  const problem = useSignal<Problem | undefined>(undefined);
  const text = useSignal("");
  const load = async (): Promise<void> => {
    try {
      const [server, counters] = await Promise.all([rest.getServer(), rest.getMetrics()]);
      info.value = server;
      metrics.value = parseMetrics(counters);
      problem.value = undefined;
    } catch (error) {
      problem.value = Problem.from(error);
    }
  };
  useEffect(() => {
    void load();
    const timer = setInterval(() => {
      if (!document.hidden) void load();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const wanted = text.value.trim().toLowerCase();
  const shown = metrics.value.filter((metric) => `${metric.name} ${metric.labels}`.toLowerCase().includes(wanted));
  const server = info.value;
  return (
    <div class="page server">
      <div class="page-head">
        <h1>Server</h1>
        <span class="grow" />
        <Button icon="refresh" label="Reload" compact kind="quiet" onClick={() => void load()} />
      </div>
      {problem.value && <ProblemBox problem={problem.value} onRetry={() => void load()} />}
      {!server && !problem.value && <Skeleton rows={4} label="Loading" />}
      {server && (
        <dl class="tiles">
          <div><dt>Registrations</dt><dd class="num">{server.registrations}</dd></div>
          <div><dt>Up</dt><dd><Ago at={server.startedAt} suffix="" /></dd><dd class="muted small">since {formatTime(server.startedAt)}</dd></div>
          <div><dt>Version</dt><dd>{server.version}</dd></div>
          <div><dt>Devices reach it at</dt>{(server.addresses ?? server.coap).map((address) => <dd key={address}><code>{address}</code></dd>)}</div>
          <div><dt>HTTP</dt><dd><code>{server.http}</code></dd></div>
          <div><dt>Interface</dt><dd><a href="api/v1/openapi.json">openapi.json</a></dd></div>
        </dl>
      )}
      {metrics.value.length > 0 && (
        <section class="pane metrics" aria-labelledby="metrics-title">
          <div class="toolbar">
            <h2 class="pane-title" id="metrics-title">Metrics</h2>
            <SearchBox label="Filter metrics" value={text.value} onInput={(value) => { text.value = value; }} />
          </div>
          <div class="scroll" tabIndex={0} role="region" aria-label="Table of metrics">
            <table>
              <thead><tr><th scope="col">Name</th><th scope="col">Labels</th><th scope="col" class="right">Value</th><th scope="col">Meaning</th></tr></thead>
              <tbody>
                {shown.map((metric) => (
                  <tr key={`${metric.name}{${metric.labels}}`}>
                    <th scope="row"><code>{metric.name}</code></th><td><code class="muted">{metric.labels}</code></td>
                    <td class="right"><code>{metric.value}</code></td><td class="muted">{metric.help}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
    </div>
  );
}
