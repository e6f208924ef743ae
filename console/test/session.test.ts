/* SPDX-License-Identifier: Apache-2.0 */
/* A device's session against a scripted server. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ServerEvent } from "../src/api/types";
import { DeviceSession } from "../src/model/session";

interface Call { method: string; url: string; body: string | undefined }
const CLIENT = {
  endpoint: "a b/c", registrationId: "r1", address: "coap://[::1]:1", transport: "udp", security: "nosec", lwm2m: "1.1", binding: "U", queueMode: false, lifetime: 60,
  registeredAt: "2026-11-22T03:00:00.000Z", updatedAt: "2026-11-22T03:00:00.000Z", expiresAt: null, state: "registered",
  presence: "awake", lastSeen: "2026-11-22T03:00:00.000Z", queued: 0,
  objects: [{ id: 3303, version: "1.0", instances: [0] }], rootPath: "/", contentFormats: [112], sms: null, links: "",
};
const at = "2026-11-22T03:00:01.000Z";
const NODE = { id: 0, resources: [{ id: 5700, type: "float", value: 21.5 }, { id: 1, type: "unsigned", value: 5 }] };

/** Answers by "METHOD path"; what isn't scripted is a 404 problem. */
function server(answers: Record<string, unknown>) {
  const calls: Call[] = [];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    calls.push({ method: init.method ?? "", url, body: init.body as string | undefined });
    const key = `${init.method} ${url.replace("api/v1/clients/a%20b%2Fc", "").replace(/\?mode=.*/, "")}`;
    const answer = answers[key];
    if (answer instanceof Response) return Promise.resolve(answer);
    if (answer === undefined) {
      return Promise.resolve(new Response('{"type":"/problems/device-error","title":"No","detail":"not there","coapCode":"4.04"}', { status: 404 }));
    }
    return Promise.resolve(new Response(typeof answer === "string" ? answer : JSON.stringify(answer)));
  });
  return calls;
}
function open(readOnOpen = false) {
  const numbers: [string, number][] = [];
  const session = new DeviceSession("a b/c", {
    appendNumber: (path, _, value) => numbers.push([path, value]), model: () => Promise.resolve(undefined), readOnOpen: () => readOnOpen,
  });
  return { session, numbers };
}
const QUEUE = "GET api/v1/requests?endpoint=a+b%2Fc&limit=200";
const BASE = { "GET ": CLIENT, "GET /observations": { observations: [] }, [QUEUE]: { requests: [], next: null } };
const queued = (id: string, state = "waiting", more: object = {}) => ({
  id, endpoint: "a b/c", state, operation: "read", path: "/3/0", createdAt: at, expiresAt: at, endedAt: null, attempts: 0, ...more,
});
const read = (path: string, node: unknown) => ({ endpoint: "a b/c", path, code: "2.05", contentFormat: 112, receivedAt: at, node });
afterEach(() => vi.unstubAllGlobals());

describe("DeviceSession", () => {
  it("loads by the encoded name, unfolds, and reads only when asked to", async () => {
    const calls = server(BASE);
    const { session } = open();
    await session.load();
    expect(calls.map((call) => call.url)).toEqual(["api/v1/clients/a%20b%2Fc", "api/v1/clients/a%20b%2Fc/observations", QUEUE.slice(4)]);
    expect(session.expanded.value).toEqual(new Set(["/3303", "/3303/0"]));
    expect(session.loading.value).toBe(false);
  });

  it("discovers and reads when opened, one request after the other", async () => {
    const calls = server({
      ...BASE, "GET /3303?op=discover": { endpoint: "", path: "/3303", code: "2.05", links: [{ path: "/3303/0", attributes: {} }, { path: "/3303/0/5700", attributes: { pmin: "1" } }] },
      "GET /3303": read("/3303", { id: 3303, instances: [NODE] }),
    });
    const { session } = open(true);
    await session.load();
    await vi.waitFor(() => expect(session.samples.value.size).toBe(2));
    expect(calls.slice(3).map((call) => call.url.replace("api/v1/clients/a%20b%2Fc", ""))).toEqual(["/3303?op=discover", "/3303"]);
    expect(session.attributes.value.get("/3303/0/5700")).toEqual({ pmin: "1" });
    expect(session.nodeAt("/3303/0/5700")?.sample?.value).toBe(21.5);
  });

  it("keeps the outcome and the reason of what failed", async () => {
    server(BASE);
    const { session } = open();
    await session.load();
    const outcome = await session.read("/9/9/9");
    expect(outcome.problem).toMatchObject({ coapCode: "4.04", detail: "not there", slug: "device-error" });
    expect(session.outcomes.value.get("/9/9/9")).toBe(outcome);
    expect(session.pending.value.size).toBe(0);
  });

  it("writes 64 bits exactly and reads back", async () => {
    const calls = server({ ...BASE, "PUT /3303/0/1": { code: "2.04" }, "GET /3303/0/1": '{"path":"/3303/0/1","code":"2.05","contentFormat":112,"receivedAt":"2026-11-22T03:00:01.000Z","node":{"id":1,"type":"unsigned","value":18446744073709551615}}' });
    const { session } = open();
    await session.load();
    await session.write("/3303/0/1", "replace", { value: 18446744073709551615n });
    const put = calls.find((call) => call.method === "PUT");
    expect(put?.body).toBe('{"value":18446744073709551615}');
    expect(put?.url).toContain("mode=replace");
    expect(session.samples.value.get("/3303/0/1")?.value).toBe(18446744073709551615n);
  });

  it("observes, takes notifications, and forgets when cancelled", async () => {
    server({ ...BASE, "PUT /observations/3303/0": read("/3303/0", NODE), "DELETE /observations/3303/0": { code: "2.05" } });
    const { session, numbers } = open();
    await session.load();
    await session.observe("/3303/0");
    expect(session.observationOf("/3303/0/5700")?.path).toBe("/3303/0");
    session.apply({ id: 1, type: "notification", time: at, endpoint: "a b/c", registrationId: "r1", path: "/3303/0", code: "2.05", contentFormat: 112, node: { id: 0, resources: [{ id: 5700, type: "float", value: 22 }] } });
    expect(numbers).toEqual([["/3303/0/5700", 21.5], ["/3303/0/1", 5], ["/3303/0/5700", 22]]);
    // The notification told all of the instance: what is not in it is gone.
    expect([...session.samples.value.keys()]).toEqual(["/3303/0/5700"]);
    await session.cancel("/3303/0");
    expect(session.observationOf("/3303/0/5700")).toBeUndefined();
  });

  it("creates and deletes instances in the tree", async () => {
    server({ ...BASE, "POST /3303": { path: "/3303/4", code: "2.01" }, "GET /3303/4": read("/3303/4", { ...NODE, id: 4 }), "DELETE /3303/4": { code: "2.02" } });
    const { session } = open();
    await session.load();
    expect((await session.create("/3303", { resources: [] })).created).toBe("/3303/4");
    expect(session.nodeAt("/3303/4/5700")?.sample?.value).toBe(21.5);
    await session.remove("/3303/4");
    expect(session.nodeAt("/3303/4")).toBeUndefined();
    expect([...session.samples.value.keys()]).toEqual([]);
  });

  it("knows when the device goes, but not from an older registration's end", async () => {
    server(BASE);
    const { session } = open();
    await session.load();
    const end = (more: object): ServerEvent => ({ id: 1, type: "deregistered", time: at, endpoint: "a b/c", registrationId: "r1", ...more }) as ServerEvent;
    session.apply(end({ registrationId: "r0" }));
    session.apply(end({ replaced: true }));
    expect(session.gone.value).toBeUndefined();
    session.apply(end({ type: "expired" }));
    expect(session.gone.value).toBe("expired");
    await session.load();
    expect(session.gone.value).toBeUndefined();
  });

  it("says when a request waits for a sleeping device, and follows it", async () => {
    server({
      ...BASE, [QUEUE]: { requests: [queued("6", "answered", { code: "2.05" })], next: null },
      "GET /3/0": new Response(JSON.stringify(queued("7")), { status: 202 }), "DELETE api/v1/requests/7": queued("7", "cancelled"),
    });
    const { session } = open();
    await session.load();
    const outcome = await session.read("/3/0");
    expect([outcome.problem, outcome.queued]).toEqual([undefined, "7"]);
    const states = (): string[] => session.requests.value.map((item) => `${item.id} ${item.state}`);
    expect(states()).toEqual(["7 waiting", "6 answered"]);
    session.apply({ id: 1, type: "request", time: at, endpoint: "a b/c", request: queued("7", "delivering") } as ServerEvent);
    expect(states()).toEqual(["7 delivering", "6 answered"]);
    await session.takeBack("7");
    expect(states()).toEqual(["7 cancelled", "6 answered"]);
  });

  it("shows how a request ended that could not be taken back any more", async () => {
    server({ ...BASE, [QUEUE]: { requests: [queued("7", "answered", { code: "2.05" })], next: null } });
    const { session } = open();
    await session.load();
    session.apply({ id: 1, type: "request", time: at, endpoint: "a b/c", request: queued("7") } as ServerEvent);
    await session.takeBack("7");
    await vi.waitFor(() => expect(session.requests.value.map((item) => item.state)).toEqual(["answered"]));
  });

  it("takes what a device sends, several paths at once, and when it sleeps", async () => {
    server(BASE);
    const { session, numbers } = open();
    await session.load();
    const nodes = [{ path: "/3303/0/5700", node: { id: 5700, type: "float", value: 3 } }, { path: "/3303/0/1", node: { id: 1, type: "integer", value: 4 } }];
    session.apply({ id: 1, type: "send", time: at, endpoint: "a b/c", registrationId: "r1", contentFormat: 112, nodes } as ServerEvent);
    expect(numbers).toEqual([["/3303/0/5700", 3], ["/3303/0/1", 4]]);
    expect(session.client.value?.lastSeen).toBe(at);
    session.apply({ id: 2, type: "presence", time: at, endpoint: "a b/c", registrationId: "r1", presence: "asleep", client: { ...CLIENT, presence: "asleep" } } as unknown as ServerEvent);
    expect([session.client.value?.presence, session.client.value?.objects.length]).toEqual(["asleep", 1]);
  });

  it("sets attributes and shows what the device has now", async () => {
    const calls = server({ ...BASE, "PUT /3303/0/5700?op=attributes": { code: "2.04" },
      "GET /3303/0/5700?op=discover": { endpoint: "", path: "/3303/0/5700", code: "2.05", links: [{ path: "/3303/0/5700", attributes: { st: "0.5" } }] } });
    const { session } = open();
    await session.load();
    await session.writeAttributes("/3303/0/5700", { st: 0.5, pmin: null });
    expect(calls.find((call) => call.method === "PUT")?.body).toBe('{"st":0.5,"pmin":null}');
    expect(session.attributes.value.get("/3303/0/5700")).toEqual({ st: "0.5" });
  });

  describe("keeps the attributes that a Discover says nothing about", () => {
    const discovered = (path: string, links: [string, object][]) =>
      ({ endpoint: "", path, code: "2.05", links: links.map(([at, attributes]) => ({ path: at, attributes })) });
    const own = discovered("/3303/0/5700", [["/3303/0/5700", { dim: "1", st: "0.5" }], ["/3303/0/5700/0", { pmin: "2" }]]);
    const cases: [string, string, [string, object][], Record<string, object | undefined>][] = [
      ["an object, without those of its resources", "/3303", [["/3303", { ver: "1.1" }], ["/3303/0", {}], ["/3303/0/5700", { dim: "2" }]],
        { "/3303": { ver: "1.1" }, "/3303/0/5700": { dim: "2", st: "0.5" }, "/3303/0/5700/0": { pmin: "2" } }],
      ["an object whose resource is gone", "/3303", [["/3303", {}], ["/3303/0", {}]], { "/3303/0/5700": undefined, "/3303/0/5700/0": undefined }],
      ["an instance, with those of its resources", "/3303/0", [["/3303/0", { pmax: "9" }], ["/3303/0/5700", { dim: "1" }]],
        { "/3303/0": { pmax: "9" }, "/3303/0/5700": { dim: "1" }, "/3303/0/5700/0": { pmin: "2" } }],
      ["a resource, with all of it", "/3303/0/5700", [["/3303/0/5700", {}]], { "/3303/0/5700": {}, "/3303/0/5700/0": undefined }],
    ];
    it.each(cases)("%s", async (_, path, links, expected) => {
      const answers: Record<string, unknown> = { ...BASE, "GET /3303/0/5700?op=discover": own };
      server(answers);
      const { session } = open();
      await session.load();
      await session.discover("/3303/0/5700");
      answers[`GET ${path}?op=discover`] = discovered(path, links);
      await session.discover(path);
      for (const [at, attributes] of Object.entries(expected)) expect(session.attributes.value.get(at), at).toEqual(attributes);
    });
  });

  it("says when the endpoint is unknown", async () => {
    server({});
    const { session } = open();
    await session.load();
    expect(session.problem.value?.status).toBe(404);
    expect(session.client.value).toBeUndefined();
  });
});
