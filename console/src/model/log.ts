/* SPDX-License-Identifier: Apache-2.0 */
/* The event log: the newest events, bounded; filter and pause are views on it. */
import { signal } from "@preact/signals";
import type { EventType, PathNode, ServerEvent } from "../api/types";
import { formatValue } from "./value";
import { leavesOf } from "./nodes";

export const MAX_EVENTS = 2000;
export const EVENT_TYPES: EventType[] = ["registered", "updated", "deregistered", "expired", "notification", "send", "presence", "request",
  "bootstrap-requested", "bootstrap-step", "bootstrap-repairing", "bootstrap-finished", "bootstrap-failed", "bootstrap-refused", "enrolled",
  "enrolment-refused", "gap"];

/** What an event is called, and its mark on the page. */
export const LABELS: Record<EventType, string> = {
  registered: "Registered", updated: "Updated", deregistered: "De-registered", expired: "Expired", notification: "Notification",
  send: "Send", presence: "Presence", request: "Request",
  "bootstrap-requested": "Bootstrap begun", "bootstrap-step": "Bootstrap step", "bootstrap-repairing": "Bootstrap again",
  "bootstrap-finished": "Bootstrapped", "bootstrap-failed": "Bootstrap failed", "bootstrap-refused": "Bootstrap refused", enrolled: "Enrolled",
  "enrolment-refused": "Not enrolled", gap: "Gap",
};
export const MARKS = {
  registered: "live", updated: "wait", deregistered: "gone", expired: "expired", notification: "asleep", send: "asleep", presence: "wait",
  request: "wait",
  "bootstrap-requested": "wait", "bootstrap-step": "asleep", "bootstrap-repairing": "expired", "bootstrap-finished": "live", "bootstrap-failed": "error",
  "bootstrap-refused": "error", enrolled: "live", "enrolment-refused": "error", gap: "error",
} as const satisfies Record<EventType, string>;

export interface LogEntry {
  key: number;
  /** Arrival in ms; the event's own time where it has one. */
  at: number;
  event: ServerEvent;
}

export interface LogFilter {
  types: ReadonlySet<EventType>;
  text: string;
}

export const endpointOf = (event: ServerEvent): string => ("endpoint" in event ? event.endpoint : "");

export class EventLog {
  /** Newest last. Replaced, never changed in place. */
  readonly entries = signal<readonly LogEntry[]>([]);
  readonly paused = signal(false);
  readonly missed = signal(0);
  private pending: LogEntry[] = [];
  private nextKey = 1;

  add(event: ServerEvent, nowMs: number): void {
    const at = event.time ? Date.parse(event.time) : Number.NaN;
    this.pending.push({ key: this.nextKey++, at: Number.isNaN(at) ? nowMs : at, event });
    if (this.pending.length > 2 * MAX_EVENTS) this.pending = this.pending.slice(-MAX_EVENTS);
  }

  /** Shows what came in since the last call; while paused it only counts. */
  flush(): void {
    if (this.paused.value) {
      this.missed.value = this.pending.length;
    } else if (this.pending.length > 0) {
      this.entries.value = [...this.entries.value, ...this.pending].slice(-MAX_EVENTS);
      this.pending = [];
      this.missed.value = 0;
    }
  }

  pause(on: boolean): void {
    this.paused.value = on;
    this.flush();
  }

  clear(): void {
    this.pending = [];
    this.missed.value = 0;
    this.entries.value = [];
  }
}

/** What a notification or a request is about; "" for all else. */
export function pathOf(event: ServerEvent): string {
  if (event.type === "request") return event.request.path;
  return event.type === "notification" && !event.paths ? event.path : "";
}

function summarizeNodes(nodes: readonly PathNode[]): string {
  const leaves = nodes.flatMap(({ path, node }) => leavesOf(path, node));
  const shown = leaves.slice(0, 3).map((leaf) => `${leaf.path} = ${formatValue(leaf.type, leaf.value)}`);
  return `${shown.join(", ")}${leaves.length > 3 ? `, … (${leaves.length} values)` : ""}`;
}

/** The entries that the filter lets through, newest first. */
export function filterLog(entries: readonly LogEntry[], filter: LogFilter): LogEntry[] {
  const wanted = filter.text.trim().toLowerCase();
  const out: LogEntry[] = [];
  for (let at = entries.length - 1; at >= 0; at--) {
    const entry = entries[at] as LogEntry;
    if (!filter.types.has(entry.event.type)) continue;
    const path = pathOf(entry.event);
    if (wanted === "" || endpointOf(entry.event).toLowerCase().includes(wanted) || path.startsWith(wanted)) out.push(entry);
  }
  return out;
}

/** One line on what an event says beyond its type and endpoint. */
export function summarize(event: ServerEvent): string {
  switch (event.type) {
    case "registered": return `${event.client.address} · LwM2M ${event.client.lwm2m} · lifetime ${event.client.lifetime} s`;
    case "updated": return event.changed.length > 0 ? `changed: ${event.changed.join(", ")}` : "lifetime renewed";
    case "deregistered": return event.replaced ? "replaced by a new registration" : "the device said goodbye";
    case "expired": return "no update came within the lifetime";
    case "gap": return "events were lost here; the page was loaded anew";
    case "send": return summarizeNodes(event.nodes);
    case "bootstrap-step": return `step ${event.step} of ${event.steps}: ${event.operation}${event.path ? ` ${event.path}` : ""} ${event.code ?? "not answered"}`;
    case "bootstrap-requested": return `${event.by === "server" ? "by the server, at" : "from"} ${event.address}, ${event.steps} steps of configuration version ${event.version}`;
    case "bootstrap-repairing": return event.why ?? "everything is written once more";
    case "bootstrap-finished": return "the device has taken its configuration";
    case "bootstrap-failed": case "bootstrap-refused": case "enrolled": case "enrolment-refused":
      return `${event.code ? `${event.code} ` : ""}${event.why ?? ""}`;
    case "presence": return event.presence === "unreachable" ? "does not answer" : event.presence;
    case "request": {
      const { id, operation, path, state, code, detail } = event.request;
      return `${id}: ${operation} ${path} ${state}${code ? ` ${code}` : ""}${detail ? `, ${detail}` : ""}`;
    }
    case "notification": {
      if (event.nodes) return summarizeNodes(event.nodes);
      // A notification may carry an error code instead of a value.
      if (!event.node) return `${event.path} ended with ${event.code}`;
      const leaves = leavesOf(event.path, event.node);
      const shown = leaves.slice(0, 3).map((leaf) =>
        `${leaves.length === 1 && leaf.path === event.path ? "" : `${leaf.path} = `}${formatValue(leaf.type, leaf.value)}`);
      return `${event.path} ${leaves.length > 1 ? "" : "= "}${shown.join(", ")}${leaves.length > 3 ? `, … (${leaves.length} values)` : ""}`;
    }
  }
}
