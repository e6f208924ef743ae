/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import type { BootstrapEvent, BootstrapRun, ServerEvent } from "../src/api/types";
import {
  addServer, differences, documentOf, draftOf, emptyDraft, newAccess, removeServer, renameServer, type BootstrapDraft, type ServerDraft,
} from "../src/model/bootstrap";
import { deviceCommand } from "../src/model/credential";
import { formatRoute, parseRoute } from "../src/model/route";
import { RunList, runMs } from "../src/model/runs";

const server = (change: Partial<ServerDraft>): BootstrapDraft => {
  const draft = emptyDraft("pump-1");
  return { ...draft, servers: draft.servers.map((one) => ({ ...one, ...change })) };
};
const bodyOf = (draft: BootstrapDraft): unknown => {
  const built = documentOf(draft);
  if (!built.ok) throw new Error(`${built.field}: ${built.error}`);
  return built.body;
};
const KEY = "000102030405060708090a0b0c0d0e0f";

describe("the document of a bootstrap configuration", () => {
  it("is an account with this server and a key of its own, unless more is said", () => {
    expect(bodyOf(emptyDraft("pump-*"))).toEqual({ servers: [{ ssid: 1, security: { mode: "psk", mint: true }, lifetime: 86400 }] });
  });

  it.each<[string, Partial<ServerDraft>, object]>([
    ["a given key", { mint: false, identity: " i ", secret: "00:01 02 03 04 05 06 0A" }, { security: { mode: "psk", identity: "i", key: "000102030405060a" } }],
    ["another server's key", { uri: "coaps://h:5684", identity: "i", secret: KEY }, { uri: "coaps://h:5684", security: { mode: "psk", identity: "i", key: KEY } }],
    ["a raw public key", { mode: "rpk", secret: "PEM" }, { security: { mode: "rpk", private_key: "PEM" } }],
    ["a certificate", { mode: "x509", certificate: "C", secret: "K", moreSecurity: { usage: 3 } }, { security: { mode: "x509", certificate: "C", private_key: "K", usage: 3 } }],
    ["EST", { mode: "est" }, { security: { mode: "est" } }],
    ["none", { mode: "nosec", uri: "coap://h" }, { uri: "coap://h", security: { mode: "nosec" } }],
    ["a key that the server keeps", { mint: false, identity: "i", stored: "psk" }, { security: { mode: "psk", identity: "i", key_bits: 0 } }],
    ["members that it has no field for", { more: '{"pmin": 5}', binding: "ut" }, { binding: "UT", pmin: 5 }],
  ])("has %s", (_, change, expected) => {
    expect(bodyOf(server(change))).toMatchObject({ servers: [expected] });
  });

  it.each<[string, BootstrapDraft, string]>([
    ["no endpoint", emptyDraft(" "), "endpoint"],
    ["no SSID", server({ ssid: "" }), "servers.0.ssid"],
    ["the bootstrap server's SSID", server({ ssid: "65535" }), "servers.0.ssid"],
    ["no lifetime", server({ lifetime: "0" }), "servers.0.lifetime"],
    ["no URI", server({ uri: "h:5684", identity: "i", secret: KEY }), "servers.0.uri"],
    ["a scheme without security", server({ uri: "coap://h", identity: "i", secret: KEY }), "servers.0.uri"],
    ["a scheme with security for none", server({ uri: "coaps://h", mode: "nosec" }), "servers.0.uri"],
    ["another server's minted key", server({ uri: "coaps://h" }), "servers.0.identity"],
    ["no key", server({ mint: false, identity: "i" }), "servers.0.secret"],
    ["a key kept for another mode", server({ mint: false, identity: "i", stored: "rpk" }), "servers.0.secret"],
    ["a short key", server({ mint: false, identity: "i", secret: "00010203040506" }), "servers.0.secret"],
    ["no digits", server({ mint: false, identity: "i", secret: "secret words" }), "servers.0.secret"],
    ["no private key", server({ mode: "rpk" }), "servers.0.secret"],
    ["no certificate", server({ mode: "x509", secret: "K" }), "servers.0.certificate"],
    ["another server without proof", server({ mode: "x509", uri: "coaps://h", certificate: "C", secret: "K" }), "servers.0.serverKey"],
    ["a binding that is none", server({ binding: "X" }), "servers.0.binding"],
    ["members that are no JSON", server({ more: "{" }), "servers.0.more"],
    ["values that are no object", { ...emptyDraft("e"), write: "[]" }, "write"],
    ["a path that is none", { ...emptyDraft("e"), deletes: "/1 3303" }, "deletes"],
    ["the Device Object deleted", { ...emptyDraft("e"), deletes: "/3" }, "deletes"],
    ["nothing to do", { ...emptyDraft("e"), servers: [] }, "servers"],
  ])("is refused: %s", (_, draft, field) => {
    const built = documentOf(draft);
    expect(built.ok).toBe(false);
    if (!built.ok) expect(built.field).toBe(field);
  });
});

describe("several servers", () => {
  const two = addServer(emptyDraft("e"));
  const [first, second] = two.servers as [ServerDraft, ServerDraft];

  it("have Short Server IDs of their own, one minted key, and access control", () => {
    expect([first.ssid, second.ssid, first.mint, second.mint]).toEqual(["1", "2", true, false]);
    expect(two.access).toMatchObject([{ object: "3", instance: "0", owner: "1", rights: { 1: 31, default: 1 } }]);
    const both = { ...two, servers: [first, { ...second, mint: true }] };
    expect(documentOf(both)).toMatchObject({ ok: false, field: "servers.1.mint" });
    expect(documentOf({ ...two, servers: [first, { ...second, ssid: "1", mode: "est" }] })).toMatchObject({ ok: false, field: "servers.1.ssid" });
    const est = { ...two, servers: [first, { ...second, mode: "est" as const }] };
    expect(documentOf(est)).toMatchObject({ ok: true, body: { access: [{ object: 3, instance: 0, owner: 1, rights: { 1: 31, default: 1 } }] } });
    expect(documentOf({ ...est, access: [] })).toMatchObject({ ok: false, field: "access" });
  });

  it("take their rights along when they are renamed, and leave none when they go", () => {
    const named = renameServer(two, first.key, "77");
    expect(named.access).toMatchObject([{ owner: "77", rights: { 77: 31, default: 1 } }]);
    const gone = removeServer(named, first.key);
    expect(gone.access).toEqual([{ ...named.access[0], owner: "2", rights: { default: 1 } }]);
  });

  it.each([["an Object without access control", { object: "2" }, "object"], ["no Object", {}, "object"], ["an owner that is none", { object: "3", owner: "9" }, "owner"]])(
    "refuse rows of %s", (_, change, field) => {
      const draft = { ...emptyDraft("e"), access: [{ ...newAccess(emptyDraft("e")), ...change }] };
      expect(documentOf(draft)).toMatchObject({ ok: false, field: `access.0.${field}` });
    });
});

describe("a document that is shown", () => {
  it("comes back as it was", () => {
    const document = {
      servers: [
        { ssid: 1, security: { mode: "psk", mint: true }, lifetime: 60, pmin: 1 },
        { ssid: 2, uri: "coaps://h", security: { mode: "psk", identity_hex: "ff", key_bits: 128 }, lifetime: 86400 },
      ],
      access: [{ object: 5, instance: "any", owner: 65535, rights: { default: 3 } }],
      delete: ["/1", "/0"], write: { "/3303/0/5701": "Cel" }, allow_insecure: true, verify: false,
    };
    const again = bodyOf(draftOf("e", document)) as { servers: { security: object }[] };
    expect(again).toMatchObject({ ...document, servers: [document.servers[0], { ...document.servers[1], security: { mode: "psk", identity_hex: "ff", key_bits: 0 } }] });
    expect(Object.keys(again).sort()).toEqual(Object.keys(document).sort());
  });

  it("is compared member by member", () => {
    expect(differences({ a: 1, b: [1, { c: "x" }] }, { b: [1, { c: "y" }], d: null })).toEqual([
      { at: "a", before: "1", after: undefined }, { at: "b[1].c", before: '"x"', after: '"y"' }, { at: "d", before: undefined, after: "null" },
    ]);
  });
});

describe("the list of bootstraps", () => {
  const base = { id: 1, endpoint: "e", address: "a", transport: "dtls", security: "psk", run: 7, version: 2, steps: 2 } as const;
  const at = (ms: number): string => new Date(ms).toISOString();
  const step = (number: number, ms: number): ServerEvent =>
    ({ ...base, type: "bootstrap-step", time: at(ms), step: number, operation: number === 2 ? "finish" : "delete", ...(number === 2 ? {} : { path: "/0" }), code: "2.02", took_ms: 5 }) as BootstrapEvent;

  it("follows a bootstrap from its beginning to its end", () => {
    const list = new RunList(() => Promise.reject(new Error("not asked")));
    list.apply({ ...base, type: "bootstrap-requested", by: "server", time: at(1000) });
    list.apply(step(1, 1010));
    list.apply(step(2, 1020));
    list.flush();
    expect(list.runs.value).toMatchObject([{ state: "running", by: "server", reachable: true, steps: [{ path: "/0" }, { operation: "finish" }] }]);
    list.apply({ ...base, type: "bootstrap-finished", time: at(1025) });
    list.flush();
    expect(list.runs.value).toMatchObject([{
      run: 7, state: "finished", planned: 2, ended: at(1025),
      steps: [{ operation: "delete", path: "/0", code: "2.02", began_ms: 5, took_ms: 5 }, { operation: "finish", began_ms: 15, took_ms: 5 }],
    }]);
    expect(runMs(list.runs.value[0] as BootstrapRun, 0)).toBe(25);
  });

  it("says what was wrong, and what the device has", () => {
    const list = new RunList(() => Promise.reject(new Error("not asked")));
    list.apply(step(1, 1010)); // of a run that it does not know
    list.apply({ ...base, type: "bootstrap-requested", by: "device", time: at(1000) });
    list.apply({ ...base, type: "bootstrap-failed", time: at(1100), why: "it left", found: "</0>" });
    list.apply({ id: 2, time: at(1), endpoint: "x", address: "a", transport: "udp", security: "nosec", type: "bootstrap-refused", code: "4.01", why: "no security" });
    list.apply({ ...base, run: 8, endpoint: "f", type: "bootstrap-requested", by: "device", time: at(1200) });
    expect(list.runs.value).toEqual([]); // many come at once: they are shown together
    list.flush();
    expect(list.runs.value).toMatchObject([{ run: 8, state: "running" }, { state: "failed", why: "it left", found: "</0>" }]);
    expect(list.refusals.value).toMatchObject([{ endpoint: "x", code: "4.01", why: "no security" }]);
  });

  it("loads page by page", async () => {
    const asked: (number | null)[] = [];
    const run = (number: number): BootstrapRun => ({ run: number, state: "finished", endpoint: "e", by: "device", reachable: false, address: "", transport: "udp", security: "nosec", lwm2m: "1.1",
      version: 1, began: at(0), ended: at(1), why: "", planned: 0, steps: [], found: "" });
    const list = new RunList((before) => {
      asked.push(before);
      return Promise.resolve(before === null ? { runs: [run(2)], next: 2 } : { runs: [run(1)], next: null });
    });
    await list.load();
    await list.load(true);
    expect([list.runs.value.map((one) => one.run), list.next.value, asked]).toEqual([[2, 1], null, [null, 2]]);
  });
});

describe("its routes and commands", () => {
  it.each(["configs", "credentials", "runs"] as const)("go there and back: %s", (tab) => {
    for (const endpoint of [undefined, "a/b*", "+"]) {
      const route = { page: "bootstrap" as const, tab, endpoint };
      expect(parseRoute(formatRoute(route))).toEqual(route);
    }
    expect(parseRoute("#/bootstrap")).toEqual({ page: "bootstrap", tab: "configs", endpoint: undefined });
  });
  it("say where the device is to go", () => {
    expect(deviceCommand("p", { mode: "psk", key: KEY }, "coaps://b", "bootstrap")).toContain("-e p --bootstrap coaps://b ");
  });
});
