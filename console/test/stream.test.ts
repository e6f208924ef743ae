/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import { SseParser } from "../src/api/sse";
import { EventStream, RETRY_MAX_MS, retryDelay, SILENCE_LIMIT_MS, type StreamPort, type StreamState } from "../src/api/stream";
import type { ServerEvent } from "../src/api/types";

describe("SseParser", () => {
  const TEXT = ": hello\n\nid: 7\nevent: updated\ndata: {\"a\":1}\n\ndata: one\r\ndata:two\r\n\r\nid\nevent: x\n\ndata: last\n\n";
  const WANTED = [
    { id: "7", event: "updated", data: '{"a":1}' }, { id: "7", event: "message", data: "one\ntwo" }, { id: "", event: "message", data: "last" },
  ];
  it("reads messages in pieces of any size", () => {
    for (let size = 1; size <= TEXT.length; size++) {
      const parser = new SseParser();
      const out = [];
      for (let at = 0; at < TEXT.length; at += size) out.push(...parser.push(TEXT.slice(at, at + size)));
      expect(out, `pieces of ${size}`).toEqual(WANTED);
    }
  });
  it("keeps an unfinished message back", () => {
    expect(new SseParser().push("data: x\n")).toEqual([]);
  });
});

/** A world with its own clock and a server whose connections the test holds. */
class World implements StreamPort {
  time = 0;
  requests: { headers: Record<string, string>; answer: (status: number) => Connection; fail: () => void; signal: AbortSignal }[] = [];
  private timers = new Map<number, { at: number; run: () => void }>();
  private next = 1;
  now = (): number => this.time;
  random = (): number => 1;
  setTimer = (run: () => void, ms: number): number => {
    this.timers.set(this.next, { at: this.time + ms, run });
    return this.next++;
  };
  clearTimer = (timer: unknown): void => { this.timers.delete(timer as number); };
  fetch = (_: string, init: RequestInit): Promise<Response> => new Promise((resolve, reject) => {
    init.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    this.requests.push({
      headers: init.headers as Record<string, string>,
      signal: init.signal as AbortSignal,
      fail: () => reject(new TypeError("network")),
      answer: (status) => {
        const connection = new Connection();
        resolve(new Response(connection.body, { status }));
        return connection;
      },
    });
  });
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.timers.entries()].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = due[1].at;
      due[1].run();
      await settle();
    }
    this.time = end;
  }
}
class Connection {
  private controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly body = new ReadableStream<Uint8Array>({ start: (controller) => { this.controller = controller; } });
  send(text: string): Promise<void> {
    this.controller.enqueue(new TextEncoder().encode(text));
    return settle();
  }
  close(): Promise<void> {
    this.controller.close();
    return settle();
  }
}
/** Lets promise chains run; streams need a few turns. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
}
function open(world: World) {
  const seen = { events: [] as ServerEvent[], states: [] as StreamState["kind"][], reloads: 0 };
  const stream = new EventStream("api/v1/events", {
    onEvent: (event) => seen.events.push(event), onState: (state) => seen.states.push(state.kind), onReload: () => { seen.reloads++; },
  }, world);
  stream.start();
  return { stream, seen };
}
const updated = (id: number): string => `id: ${id}\nevent: updated\ndata: {"id":${id},"type":"updated","endpoint":"a","changed":[]}\n\n`;

describe("EventStream", () => {
  it("opens without an id, asks for a load, delivers events", async () => {
    const world = new World();
    const { seen } = open(world);
    expect(world.requests[0]?.headers["Last-Event-ID"]).toBeUndefined();
    const connection = world.requests[0]?.answer(200);
    await settle();
    expect(seen.reloads).toBe(1);
    await connection?.send(updated(5));
    expect(seen.events).toMatchObject([{ type: "updated", id: 5 }]);
    expect(seen.states).toEqual(["connecting", "live"]);
  });

  it("resumes after the last id when the connection ends, without a reload", async () => {
    const world = new World();
    const { seen } = open(world);
    const connection = world.requests[0]?.answer(200);
    await settle();
    await connection?.send(updated(41) + updated(42));
    await connection?.close();
    expect(seen.states.at(-1)).toBe("waiting");
    await world.advance(1000);
    expect(world.requests[1]?.headers["Last-Event-ID"]).toBe("42");
    world.requests[1]?.answer(200);
    await settle();
    expect(seen.states.at(-1)).toBe("live");
    expect(seen.reloads).toBe(1);
  });

  it("reloads after a resume without an id, since events may have been missed", async () => {
    const world = new World();
    const { seen } = open(world);
    await world.requests[0]?.answer(200).close();
    await world.advance(1000);
    world.requests[1]?.answer(200);
    await settle();
    expect(seen.reloads).toBe(2);
  });

  it("reloads at a gap and goes on from its id", async () => {
    const world = new World();
    const { seen } = open(world);
    const connection = world.requests[0]?.answer(200);
    await settle();
    await connection?.send('id: 900\nevent: gap\ndata: {"lost":true}\n\n');
    expect(seen.reloads).toBe(2);
    expect(seen.events).toMatchObject([{ type: "gap", lost: true }]);
    await connection?.close();
    await world.advance(1000);
    expect(world.requests[1]?.headers["Last-Event-ID"]).toBe("900");
  });

  it("drops an id that the server refuses", async () => {
    const world = new World();
    const { seen } = open(world);
    const connection = world.requests[0]?.answer(200);
    await settle();
    await connection?.send(updated(5));
    await connection?.close();
    await world.advance(1000);
    await world.requests[1]?.answer(400).close();
    await world.advance(2000);
    expect(world.requests[2]?.headers["Last-Event-ID"]).toBeUndefined();
    world.requests[2]?.answer(200);
    await settle();
    expect(seen.reloads).toBe(2);
  });

  it("notices silence, but not while the server gives signs of life", async () => {
    const world = new World();
    const { seen } = open(world);
    const connection = world.requests[0]?.answer(200);
    await settle();
    for (let i = 0; i < 5; i++) {
      await world.advance(15_000);
      await connection?.send(": alive\n\n");
    }
    expect(seen.states).toEqual(["connecting", "live"]);
    await world.advance(SILENCE_LIMIT_MS);
    await settle();
    expect(world.requests[0]?.signal.aborted).toBe(true);
    expect(seen.states.slice(2)).toContain("waiting");
  });

  it("backs off while the server is away, and can be hurried", async () => {
    const world = new World();
    const { stream, seen } = open(world);
    for (const wanted of [500, 1000, 2000]) {
      world.requests.at(-1)?.fail();
      await settle();
      const count = world.requests.length;
      await world.advance(wanted - 1);
      expect(world.requests.length).toBe(count);
      await world.advance(1);
      expect(world.requests.length).toBe(count + 1);
    }
    world.requests.at(-1)?.fail();
    await settle();
    stream.retryNow();
    expect(world.requests.length).toBe(5);
    expect(seen.states.filter((state) => state === "waiting")).toHaveLength(4);
  });

  it("survives an unreadable event", async () => {
    const world = new World();
    const { seen } = open(world);
    const connection = world.requests[0]?.answer(200);
    await settle();
    await connection?.send("event: updated\ndata: {oops\n\n" + updated(6));
    expect(seen.events).toHaveLength(1);
  });

  it("stays stopped", async () => {
    const world = new World();
    const { stream, seen } = open(world);
    world.requests[0]?.answer(200);
    await settle();
    stream.stop();
    await settle();
    await world.advance(100_000);
    expect(world.requests).toHaveLength(1);
    expect(seen.states.at(-1)).toBe("stopped");
  });
});

it("bounds the delays", () => {
  expect(retryDelay(1, 1)).toBe(500);
  expect(retryDelay(1, 0)).toBe(250);
  expect(retryDelay(50, 1)).toBe(RETRY_MAX_MS);
});
