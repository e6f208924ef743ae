/* SPDX-License-Identifier: Apache-2.0 */
/* Bootstraps of devices as they go on: a page of the server's list, and the events since. */
import { signal } from "@preact/signals";
import { Problem } from "../api/problem";
import type { BootstrapEvent, BootstrapRun, BootstrapRunPage, ServerEvent } from "../api/types";

export const MAX_RUNS = 500;
const MAX_REFUSALS = 20;
const MAX_PENDING = 20_000;
const PAGE_SIZE = 50;

type Load = (before: number | null, limit: number) => Promise<BootstrapRunPage>;
type RunEvent = Extract<BootstrapEvent, { run: number }>;

/** A request that was refused: there is no run of it. */
export interface Refusal {
  key: number;
  endpoint: string;
  time: string;
  address: string;
  code: string;
  why: string;
}

const isRun = (event: ServerEvent): event is RunEvent => event.type.startsWith("bootstrap-") && "run" in event;

/** The run as it is after an event about it. */
function advance(run: BootstrapRun, event: RunEvent): BootstrapRun {
  switch (event.type) {
    case "bootstrap-step": {
      const began = Math.max(0, Date.parse(event.time) - Date.parse(run.began) - event.took_ms);
      const step = { operation: event.operation, ...(event.path === undefined ? {} : { path: event.path }), code: event.code ?? null,
        began_ms: began, took_ms: event.took_ms, bytes: 0 };
      const steps = [...run.steps];
      const known = steps[event.step - 1];
      steps[event.step - 1] = known ? { ...known, ...step, bytes: known.bytes } : step;
      return { ...run, steps: steps.filter((one) => one !== undefined), planned: event.steps, found: event.found ?? run.found };
    }
    case "bootstrap-repairing": return { ...run, planned: event.steps, why: event.why ?? run.why };
    case "bootstrap-finished": return { ...run, state: "finished", ended: event.time, why: "" };
    case "bootstrap-failed": return { ...run, state: "failed", ended: event.time, why: event.why ?? "", found: event.found ?? run.found };
    default: return run;
  }
}

export class RunList {
  /** Newest first. */
  readonly runs = signal<readonly BootstrapRun[]>([]);
  readonly refusals = signal<readonly Refusal[]>([]);
  readonly next = signal<number | null>(null);
  readonly loaded = signal(false);
  readonly problem = signal<Problem | undefined>(undefined);
  private pending: ServerEvent[] = [];
  private loads = 0;
  private keys = 0;

  constructor(private readonly fetch: Load) {}

  async load(more = false): Promise<void> {
    const turn = ++this.loads;
    try {
      const page = await this.fetch(more ? this.next.value : null, PAGE_SIZE);
      if (turn !== this.loads) return;
      this.runs.value = (more ? [...this.runs.value, ...page.runs] : page.runs).slice(0, MAX_RUNS);
      this.next.value = this.runs.value.length < MAX_RUNS ? page.next : null;
      this.problem.value = undefined;
      this.loaded.value = true;
    } catch (error) {
      if (turn === this.loads) this.problem.value = Problem.from(error);
    }
  }

  /** Notes an event; flush shows it. */
  apply(event: ServerEvent): void {
    if (event.type !== "bootstrap-refused" && !isRun(event)) return;
    this.pending.push(event);
    if (this.pending.length > 2 * MAX_PENDING) this.pending = this.pending.slice(-MAX_PENDING);
  }

  /** Shows what came in since the last call: thousands of devices may bootstrap at once. */
  flush(): void {
    if (this.pending.length === 0) return;
    const events = this.pending;
    this.pending = [];
    const known = new Map(this.runs.value.map((run) => [run.run, run]));
    const fresh: number[] = [];
    const refused: Refusal[] = [];
    for (const event of events) {
      if (event.type === "bootstrap-refused") {
        const { endpoint, time, address, code, why } = event;
        refused.unshift({ key: ++this.keys, endpoint, time, address, code: code ?? "", why: why ?? "" });
      } else if (isRun(event)) {
        const run = known.get(event.run);
        if (run) {
          known.set(event.run, advance(run, event));
        } else if (event.type === "bootstrap-requested") {
          const { run: number, endpoint, by, address, transport, security, version, steps, time } = event;
          known.set(number, { run: number, state: "running", endpoint, by, reachable: true, address, transport, security, lwm2m: null, version, began: time, ended: null, why: "",
            planned: steps, steps: [], found: "" });
          fresh.unshift(number);
        }
      }
    }
    this.runs.value = [...fresh, ...this.runs.value.map((run) => run.run)].slice(0, MAX_RUNS)
      .map((number) => known.get(number)).filter((run): run is BootstrapRun => run !== undefined);
    if (refused.length > 0) this.refusals.value = [...refused, ...this.refusals.value].slice(0, MAX_REFUSALS);
  }
}

/** How long a run took, or has taken by now. */
export function runMs(run: BootstrapRun, nowMs: number): number {
  return Math.max(0, (run.ended === null ? nowMs : Date.parse(run.ended)) - Date.parse(run.began));
}
