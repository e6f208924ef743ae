/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import { Problem } from "../src/api/problem";
import type { ClientInfo, ClientPage, ServerEvent } from "../src/api/types";
import { attributesBody } from "../src/model/attributes";
import { DeviceList } from "../src/model/devices";
import { EVENT_TYPES, EventLog, filterLog, MAX_EVENTS, summarize } from "../src/model/log";
import { parseMetrics } from "../src/model/metrics";
import { formatRoute, parseRoute, type Route } from "../src/model/route";
import { MAX_POINTS, MAX_SERIES, Series, SeriesStore } from "../src/model/series";

const info = (endpoint: string, registrationId = "r"): ClientInfo => ({
  endpoint, registrationId, address: "coap://[::1]:5", transport: "udp", security: "nosec", lwm2m: "1.1", binding: "U", queueMode: false, lifetime: 60,
  registeredAt: "2026-11-22T03:00:00.000Z", updatedAt: "2026-11-22T03:00:00.000Z", expiresAt: null, state: "registered",
  presence: "awake", lastSeen: "2026-11-22T03:00:00.000Z", queued: 0,
});
const event = (type: "registered" | "updated" | "deregistered" | "expired", endpoint: string, registrationId = "r"): ServerEvent =>
  ({ id: 1, time: "2026-11-22T03:00:01.000Z", endpoint, registrationId, type, client: info(endpoint, registrationId), changed: [] }) as ServerEvent;

/** A server with names and pages of two. */
function server(names: string[]) {
  const calls: string[] = [];
  const list = (q: string, after: string | null): Promise<ClientPage> => {
    calls.push(`${q}|${after ?? ""}`);
    const found = names.filter((name) => name.includes(q));
    const at = Number(after ?? 0);
    return Promise.resolve({ clients: found.slice(at, at + 2).map((name) => info(name)), next: at + 2 < found.length ? String(at + 2) : null, total: names.length });
  };
  return { calls, devices: new DeviceList(list) };
}
const shown = (devices: DeviceList): string[] => devices.rows.value.map((row) => `${row.endpoint}${row.presence === "registered" ? "" : ` ${row.presence}`}`);

describe("DeviceList", () => {
  it("loads page by page until the end", async () => {
    const { calls, devices } = server(["a", "b", "c"]);
    await devices.load();
    expect([shown(devices), devices.more.value, devices.total.value]).toEqual([["a", "b"], true, 3]);
    await devices.loadMore();
    await devices.loadMore();
    expect([shown(devices), devices.more.value]).toEqual([["a", "b", "c"], false]);
    expect(calls).toEqual(["|", "|2"]);
  });
  it("keeps a device that leaves in its place and greets a new one on top", async () => {
    const { devices } = server(["a", "b"]);
    await devices.load();
    devices.apply(event("expired", "a"));
    devices.apply(event("registered", "c", "r2"));
    devices.flush();
    expect(shown(devices)).toEqual(["c", "a expired", "b"]);
    expect(devices.total.value).toBe(2);
    devices.apply(event("registered", "a", "r3"));
    devices.flush();
    expect(shown(devices)).toEqual(["c", "a", "b"]);
  });
  it("does not let the end of an old registration mark the new one", async () => {
    const { devices } = server(["a"]);
    await devices.load();
    devices.apply(event("registered", "a", "new"));
    devices.apply(event("deregistered", "a", "r"));
    devices.apply({ ...event("deregistered", "a", "new"), replaced: true } as ServerEvent);
    devices.flush();
    expect(shown(devices)).toEqual(["a"]);
  });
  it("adds only what matches the search", async () => {
    const { devices } = server(["meter-1", "lamp"]);
    await devices.load("meter");
    devices.apply(event("registered", "lamp-2"));
    devices.apply(event("registered", "Meter-9"));
    devices.flush();
    expect(shown(devices)).toEqual(["Meter-9", "meter-1"]);
  });
  it("lets the last search win", async () => {
    const answers: ((page: ClientPage) => void)[] = [];
    const devices = new DeviceList(() => new Promise((resolve) => answers.push(resolve)));
    const first = devices.load("x");
    const second = devices.load("y");
    answers[1]?.({ clients: [info("y1")], next: null, total: 9 });
    answers[0]?.({ clients: [info("x1")], next: null, total: 9 });
    await Promise.all([first, second]);
    expect(shown(devices)).toEqual(["y1"]);
    expect(devices.loading.value).toBe(false);
  });
  it("shows why it can't load, and recovers", async () => {
    let broken = true;
    const devices = new DeviceList(() => (broken ? Promise.reject(new Problem(503, "Busy", "")) : Promise.resolve({ clients: [info("a")], next: null, total: 1 })));
    await devices.load();
    expect(devices.error.value?.title).toBe("Busy");
    broken = false;
    await devices.load();
    expect([devices.error.value, shown(devices)]).toEqual([undefined, ["a"]]);
  });
});

describe("DeviceList", () => {
  it("shows a device that fell asleep, not by an older registration's word", async () => {
    const { devices } = server(["a"]);
    await devices.load();
    const sleep = (registrationId: string): ServerEvent =>
      ({ id: 1, type: "presence", time: "2026-11-22T03:00:01.000Z", endpoint: "a", registrationId, presence: "asleep", client: { ...info("a"), presence: "asleep" } });
    devices.apply(sleep("older"));
    devices.flush();
    expect(devices.get("a")?.info.presence).toBe("awake");
    devices.apply(sleep("r"));
    devices.flush();
    expect(devices.get("a")?.info.presence).toBe("asleep");
  });
});

describe("attributes", () => {
  it("are sent as far as they were changed, emptied ones as null", () => {
    expect(attributesBody({ pmin: "5", st: "0.5" }, { pmin: "5", st: "", gt: "-2.5" })).toEqual({ ok: true, body: { st: null, gt: -2.5 } });
    expect(attributesBody({}, { pmax: "1.5" })).toMatchObject({ ok: false, error: expect.stringContaining("pmax") });
    expect(attributesBody({}, { gt: "x" })).toMatchObject({ ok: false, error: expect.stringContaining("gt") });
    expect(attributesBody({ pmin: "5" }, { pmin: "5" })).toMatchObject({ ok: false });
  });
});

describe("Problem", () => {
  it("takes a problem document apart", () => {
    const problem = Problem.fromAnswer(404, '{"type":"/problems/device-error","title":"T","detail":"D","coapCode":"4.04","pointer":"/value"}');
    expect(problem).toMatchObject({ status: 404, slug: "device-error", title: "T", detail: "D", coapCode: "4.04", pointer: "/value", message: "T: D" });
  });
  it("makes do with anything else", () => {
    expect(Problem.fromAnswer(502, "<html>").title).toContain("502");
    expect(Problem.fromAnswer(500, "[1]").title).toContain("500");
    expect(Problem.from(new TypeError("Failed to fetch")).slug).toBe("network");
    expect(Problem.from(new SyntaxError("x")).slug).toBe("unreadable");
  });
});

describe("EventLog", () => {
  const note: ServerEvent = { id: 9, type: "notification", time: "2026-11-22T03:00:01.000Z", endpoint: "Meter", registrationId: "r", path: "/3/0/9", code: "2.05", contentFormat: 112, node: { id: 9, type: "integer", value: 81 } };
  it("is bounded, pauses and goes on", () => {
    const log = new EventLog();
    for (let i = 0; i < MAX_EVENTS + 50; i++) log.add(event("updated", `d${i}`), 0);
    log.flush();
    expect(log.entries.value).toHaveLength(MAX_EVENTS);
    log.pause(true);
    log.add(note, 0);
    log.flush();
    expect([log.entries.value.at(-1)?.event.type, log.missed.value]).toEqual(["updated", 1]);
    log.pause(false);
    expect([log.entries.value.at(-1)?.event.type, log.missed.value]).toEqual(["notification", 0]);
    log.clear();
    expect(log.entries.value).toEqual([]);
  });
  it("is filtered by kind, name and path, newest first", () => {
    const log = new EventLog();
    log.add(event("registered", "lamp"), 0);
    log.add(note, 0);
    log.flush();
    const all = new Set(EVENT_TYPES);
    expect(filterLog(log.entries.value, { types: all, text: "" }).map((e) => e.event.type)).toEqual(["notification", "registered"]);
    expect(filterLog(log.entries.value, { types: all, text: "METER" })).toHaveLength(1);
    expect(filterLog(log.entries.value, { types: all, text: "/3/0" })).toHaveLength(1);
    expect(filterLog(log.entries.value, { types: new Set(["expired"]), text: "" })).toEqual([]);
  });
  it("says what happened in a line", () => {
    expect(summarize(note)).toBe("/3/0/9 = 81");
    expect(summarize({ ...note, node: null })).toBe("/3/0/9 ended with 2.05");
    expect(summarize({ ...event("updated", "x"), changed: ["lifetime"] } as ServerEvent)).toBe("changed: lifetime");
    const nodes = [{ path: "/3/0/9", node: { id: 9, type: "integer", value: 81 } }];
    expect(summarize({ ...note, type: "send", nodes } as ServerEvent)).toBe("/3/0/9 = 81");
    expect(summarize({ ...note, path: "/", node: null, paths: ["/3/0/9"], nodes } as ServerEvent)).toBe("/3/0/9 = 81");
    const request = { id: "4", operation: "read", path: "/3", state: "failed", detail: "no answer" };
    expect(summarize({ id: 1, type: "request", time: "", endpoint: "x", request } as ServerEvent)).toBe("4: read /3 failed, no answer");
    expect(summarize({ ...note, path: "/3/0", node: { id: 0, resources: [1, 2, 3, 4].map((id) => ({ id, value: id })) } })).toContain("(4 values)");
  });
});

describe("series", () => {
  it("are bounded and cut to a window with one point before it", () => {
    const series = new Series("/1");
    for (let i = 0; i < MAX_POINTS + 10; i++) series.append(i * 1000, i % 7);
    expect(series.length).toBeLessThanOrEqual(MAX_POINTS);
    expect(series.varies.value).toBe(true);
    expect(series.window(MAX_POINTS + 7)[0]).toEqual([MAX_POINTS + 6, MAX_POINTS + 7, MAX_POINTS + 8, MAX_POINTS + 9]);
    expect(series.window(1e9)[0]).toHaveLength(1);
  });
  it("replace a point of the same time, know when nothing moves", () => {
    const series = new Series("/1");
    series.append(1000, 5);
    series.append(1000, 5);
    expect([series.length, series.varies.value, series.lastValue, series.firstTime]).toEqual([1, false, 5, 1]);
  });
  it("drop the one untouched for longest", () => {
    const store = new SeriesStore();
    for (let i = 0; i <= MAX_SERIES; i++) {
      store.append("d", `/${i}`, 1, 1);
      store.append("d", "/0", 2, 2);
    }
    expect(store.get("d", "/0")).toBeDefined();
    expect(store.get("d", "/1")).toBeUndefined();
    expect(store.of("d")).toHaveLength(MAX_SERIES);
    expect(store.of("other")).toEqual([]);
  });
});

describe("routes", () => {
  const routes: [string, Route][] = [
    ["#/devices", { page: "devices", endpoint: undefined, path: "" }],
    ["#/devices/urn%3Aimei%3A1%2F2%20%25", { page: "devices", endpoint: "urn:imei:1/2 %", path: "" }],
    ["#/devices/a/3/0/9", { page: "devices", endpoint: "a", path: "/3/0/9" }],
    ["#/events", { page: "events" }],
    ["#/models/3/1.1", { page: "models", id: 3, version: "1.1" }],
    ["#/server", { page: "server" }],
  ];
  it.each(routes)("%s goes back and forth", (hash, route) => {
    expect(parseRoute(hash)).toEqual(route);
    expect(formatRoute(route)).toBe(hash);
  });
  it("take nonsense calmly", () => {
    expect(parseRoute("")).toEqual({ page: "devices", endpoint: undefined, path: "" });
    expect(parseRoute("#/nowhere/x")).toEqual({ page: "devices", endpoint: undefined, path: "" });
    expect(parseRoute("#/devices/a/x/y")).toEqual({ page: "devices", endpoint: "a", path: "" });
    expect(parseRoute("#/devices/100%")).toEqual({ page: "devices", endpoint: "100%", path: "" });
    expect(parseRoute("#/models/x")).toEqual({ page: "models", id: undefined, version: undefined });
  });
});

it("reads metrics", () => {
  const text = '# HELP a_total Things\n# TYPE a_total counter\na_total{x="1 2"} 5\n# TYPE h histogram\nh_bucket{le="+Inf"} 2\nh_sum 1.5e3\n\nbroken\n';
  expect(parseMetrics(text)).toEqual([
    { name: "a_total", labels: 'x="1 2"', value: "5", help: "Things", type: "counter" },
    { name: "h_bucket", labels: 'le="+Inf"', value: "2", help: "", type: "histogram" },
    { name: "h_sum", labels: "", value: "1.5e3", help: "", type: "histogram" },
  ]);
});
