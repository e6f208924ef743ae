/* SPDX-License-Identifier: Apache-2.0 */
/* The event stream as a connection that mends itself: it resumes after the last id it saw, notices a
 * link that died silently (the server writes at least a comment every 15 s), and tells when events
 * were lost so that the caller reloads. EventSource can do neither of the last two. */
import { parseJson } from "./json";
import { SseParser, type SseMessage } from "./sse";
import type { ServerEvent } from "./types";

/** Two missed signs of life of the server and a margin. */
export const SILENCE_LIMIT_MS = 40_000;
export const RETRY_MIN_MS = 500;
export const RETRY_MAX_MS = 15_000;

export type StreamState =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "waiting"; attempt: number; until: number }
  | { kind: "stopped" };

export interface StreamHooks {
  onEvent: (event: ServerEvent) => void;
  onState: (state: StreamState) => void;
  /** The caller's picture may be stale: first connection, a gap, or a resume without an id. */
  onReload: () => void;
}

/** What the stream needs of its surroundings, so that tests can drive it. */
export interface StreamPort {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  now: () => number;
  setTimer: (run: () => void, ms: number) => unknown;
  clearTimer: (timer: unknown) => void;
  random: () => number;
}

export const browserPort: StreamPort = {
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now(),
  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  random: () => Math.random(),
};

/** Delay before the given attempt (1, 2, …): doubling, capped, with jitter so that many pages don't
 * come back in the same instant. */
export function retryDelay(attempt: number, random: number): number {
  const ceiling = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.round(ceiling * (0.5 + random / 2));
}

export class EventStream {
  private lastId: string | undefined;
  private attempt = 0;
  private timer: unknown;
  private watchdog: unknown;
  private abort: AbortController | undefined;
  private running = false;

  constructor(
    private readonly url: string,
    private readonly hooks: StreamHooks,
    private readonly port: StreamPort = browserPort,
  ) {}

  start(): void {
    if (this.running) return;
    this.running = true;
    void this.connect();
  }

  stop(): void {
    this.running = false;
    this.port.clearTimer(this.timer);
    this.port.clearTimer(this.watchdog);
    this.abort?.abort();
    this.hooks.onState({ kind: "stopped" });
  }

  /** Don't wait for the next attempt: the user asked, or the network came back. */
  retryNow(): void {
    if (!this.running || this.timer === undefined) return;
    this.port.clearTimer(this.timer);
    void this.connect();
  }

  private async connect(): Promise<void> {
    this.timer = undefined;
    const abort = new AbortController();
    this.abort = abort;
    this.hooks.onState({ kind: "connecting" });
    try {
      this.feedWatchdog(abort);
      const response = await this.port.fetch(this.url, {
        cache: "no-store",
        signal: abort.signal,
        headers: { Accept: "text/event-stream", ...(this.lastId === undefined ? {} : { "Last-Event-ID": this.lastId }) },
      });
      if (!response.ok || !response.body) {
        // An id that the server refuses would be refused for ever.
        if (response.status >= 400 && response.status < 500) this.lastId = undefined;
        await response.body?.cancel();
        throw new Error(`status ${response.status}`);
      }
      this.opened();
      await this.pump(response.body, abort);
    } catch {
      // Whatever the reason, the cure is the same: try again later.
    }
    this.port.clearTimer(this.watchdog);
    abort.abort();
    if (this.running && this.abort === abort) this.wait();
  }

  private opened(): void {
    this.attempt = 0;
    this.hooks.onState({ kind: "live" });
    if (this.lastId === undefined) this.hooks.onReload();
  }

  private async pump(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new SseParser();
    abort.signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
    for (;;) {
      const { value, done } = await reader.read();
      if (done || abort.signal.aborted) return;
      this.feedWatchdog(abort);
      for (const message of parser.push(decoder.decode(value, { stream: true }))) this.deliver(message);
    }
  }

  private deliver(message: SseMessage): void {
    let event: ServerEvent;
    try {
      event = parseJson(message.data) as unknown as ServerEvent;
    } catch {
      return; // one unreadable event must not end the stream
    }
    if (message.id !== undefined && message.id !== "") this.lastId = message.id;
    if (message.event === "gap") {
      this.hooks.onEvent({ ...event, type: "gap" } as ServerEvent);
      this.hooks.onReload();
    } else {
      this.hooks.onEvent({ ...event, type: message.event } as ServerEvent);
    }
  }

  private feedWatchdog(abort: AbortController): void {
    this.port.clearTimer(this.watchdog);
    this.watchdog = this.port.setTimer(() => abort.abort(), SILENCE_LIMIT_MS);
  }

  private wait(): void {
    this.attempt += 1;
    const delay = retryDelay(this.attempt, this.port.random());
    this.hooks.onState({ kind: "waiting", attempt: this.attempt, until: this.port.now() + delay });
    this.timer = this.port.setTimer(() => void this.connect(), delay);
  }
}
