/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts of bootstrap configurations: what the form holds, and the document that it makes. What the form has no field for goes through it
 * untouched, as JSON; what would leave a device without a way home is refused here before it is sent. */
import { parseJson, stringifyJson, type Json, type JsonObject } from "../api/json";

export type BootstrapMode = "psk" | "rpk" | "x509" | "est" | "nosec";
export const MODES: readonly BootstrapMode[] = ["psk", "rpk", "x509", "est", "nosec"];

export interface ServerDraft {
  key: number;
  ssid: string;
  /** Empty: this server. */
  uri: string;
  mode: BootstrapMode;
  /** psk of this server: made for each device. */
  mint: boolean;
  identity: string;
  secret: string;
  publicKey: string;
  certificate: string;
  /** Of another server: its public key or certificate. */
  serverKey: string;
  lifetime: string;
  binding: string;
  /** The server keeps a secret for this mode, which it does not show. */
  stored: BootstrapMode | undefined;
  /** Further members, as JSON. */
  more: string;
  moreSecurity: JsonObject;
}

export interface AccessDraft {
  key: number;
  object: string;
  /** Empty: the Object itself. */
  instance: string;
  owner: string;
  /** Bits by Short Server ID, or "default". */
  rights: Record<string, number>;
}

export interface BootstrapDraft {
  endpoint: string;
  servers: ServerDraft[];
  access: AccessDraft[];
  deletes: string;
  write: string;
  allowInsecure: boolean;
  more: string;
}

/** Where a fault is: "endpoint", "servers.0.ssid", "access.1.owner", "write" … */
export type BootstrapBuilt = { ok: true; body: JsonObject } | { ok: false; field: string; error: string };

export const RIGHTS: readonly { bit: number; label: string }[] = [
  { bit: 1, label: "read" }, { bit: 2, label: "write" }, { bit: 4, label: "execute" }, { bit: 8, label: "delete" }, { bit: 16, label: "create" },
];
/** Owner of what only a bootstrap server may change. */
export const BOOTSTRAP_OWNER = "65535";
const SSID_LAST = 65534;
const ID_LAST = 65534;
const SERVERS_MAX = 8;
const HEX = /^(?:[0-9a-fA-F]{2})+$/;
const PATH = /^\/(?:\d{1,5}(?:\/\d{1,5})?)?$/;

let keys = 0;
const nextKey = (): number => ++keys;

export const emptyServer = (ssid = "1"): ServerDraft => ({
  key: nextKey(), ssid, uri: "", mode: "psk", mint: true, identity: "", secret: "", publicKey: "", certificate: "", serverKey: "", lifetime: "86400",
  binding: "", stored: undefined, more: "", moreSecurity: {},
});

export const emptyDraft = (endpoint = ""): BootstrapDraft =>
  ({ endpoint, servers: [emptyServer()], access: [], deletes: "", write: "", allowInsecure: false, more: "" });

/** One more server. With a second one it has to be said who may do what: a row that can be changed. */
export function addServer(draft: BootstrapDraft): BootstrapDraft {
  const used = new Set(draft.servers.map((server) => server.ssid));
  let ssid = 1;
  while (used.has(String(ssid))) ssid += 1;
  const server = { ...emptyServer(String(ssid)), mint: !draft.servers.some((one) => one.uri === "" && one.mode === "psk" && one.mint) };
  const first = draft.servers[0]?.ssid ?? String(ssid);
  const access = draft.access.length > 0 || draft.servers.length === 0 ? draft.access
    : [{ key: nextKey(), object: "3", instance: "0", owner: first, rights: { [first]: 31, default: 1 } }];
  return { ...draft, servers: [...draft.servers, server], access };
}

/** Without a server there are no rights of it. */
export function removeServer(draft: BootstrapDraft, key: number): BootstrapDraft {
  const gone = draft.servers.find((server) => server.key === key);
  const servers = draft.servers.filter((server) => server.key !== key);
  const access = draft.access.map((row) => {
    const { [gone?.ssid ?? ""]: _, ...rights } = row.rights;
    return { ...row, rights, owner: row.owner === gone?.ssid ? servers[0]?.ssid ?? BOOTSTRAP_OWNER : row.owner };
  });
  return { ...draft, servers, access };
}

/** A Short Server ID is changed wherever it stands. */
export function renameServer(draft: BootstrapDraft, key: number, ssid: string): BootstrapDraft {
  const before = draft.servers.find((server) => server.key === key)?.ssid ?? "";
  const shared = draft.servers.some((server) => server.key !== key && server.ssid === before);
  const servers = draft.servers.map((server) => (server.key === key ? { ...server, ssid } : server));
  if (shared || draft.servers.some((server) => server.key !== key && server.ssid === ssid)) return { ...draft, servers };
  const access = draft.access.map((row) => {
    const { [before]: bits, ...rights } = row.rights;
    return { ...row, owner: row.owner === before ? ssid : row.owner, rights: bits === undefined ? row.rights : { ...rights, [ssid]: bits } };
  });
  return { ...draft, servers, access };
}

export const newAccess = (draft: BootstrapDraft): AccessDraft =>
  ({ key: nextKey(), object: "", instance: "0", owner: draft.servers[0]?.ssid ?? BOOTSTRAP_OWNER, rights: { default: 1 } });

/* ---- from a document ---- */

const isObject = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: Json | undefined): string => (typeof value === "string" ? value : typeof value === "number" ? String(value) : "");
const json = (value: JsonObject): string => (Object.keys(value).length === 0 ? "" : stringifyJson(value, 2));

function securityDraft(security: JsonObject, own: boolean): Partial<ServerDraft> {
  const { mode, mint, identity, key, key_bits, public_key, private_key, private_key_bits, certificate, server_public_key, server_certificate, ...rest } = security;
  const known = MODES.find((one) => one === mode) ?? "psk";
  const secret = key ?? private_key;
  const hidden = key_bits ?? private_key_bits;
  return {
    mode: known, identity: text(identity), secret: text(secret), publicKey: text(public_key), certificate: text(certificate),
    serverKey: text(server_public_key ?? server_certificate), stored: hidden === undefined ? undefined : known, moreSecurity: rest,
    mint: typeof mint === "boolean" ? mint : own && known === "psk" && identity === undefined && rest["identity_hex"] === undefined && hidden === undefined,
  };
}

function serverDraft(server: JsonObject): ServerDraft {
  const { ssid, uri, security, lifetime, binding, ...rest } = server;
  return {
    ...emptyServer(ssid === undefined ? "1" : text(ssid)), uri: text(uri), lifetime: lifetime === undefined ? "86400" : text(lifetime), binding: text(binding),
    more: json(rest), ...securityDraft(isObject(security) ? security : {}, uri === undefined),
  };
}

function accessDraft(row: JsonObject): AccessDraft {
  const rights: Record<string, number> = {};
  for (const [ssid, bits] of Object.entries(isObject(row["rights"]) ? row["rights"] : {})) rights[ssid] = Number(bits);
  const instance = row["instance"];
  return {
    key: nextKey(), object: text(row["object"]), instance: instance === "any" || instance === 65535 ? "" : text(instance), owner: text(row["owner"]), rights,
  };
}

const objects = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

export function draftOf(endpoint: string, document: JsonObject): BootstrapDraft {
  const { servers, access, delete: deletes, write, allow_insecure, ...rest } = document;
  return {
    endpoint, servers: objects(servers).map(serverDraft), access: objects(access).map(accessDraft),
    deletes: Array.isArray(deletes) ? deletes.map(text).join(" ") : "", write: isObject(write) ? json(write) : "",
    allowInsecure: allow_insecure === true, more: json(rest),
  };
}

/* ---- to a document ---- */

class Fault extends Error {
  constructor(readonly field: string, message: string) {
    super(message);
  }
}

function number(value: string, field: string, least: number, most: number, what: string): number {
  const trimmed = value.trim();
  const read = Number(trimmed);
  if (!/^\d{1,10}$/.test(trimmed) || read < least || read > most) throw new Fault(field, `${what} is a number from ${least} to ${most}.`);
  return read;
}

function object(value: string, field: string): JsonObject {
  if (value.trim() === "") return {};
  let read: Json;
  try {
    read = parseJson(value);
  } catch (error) {
    throw new Fault(field, error instanceof Error ? error.message : "This is not JSON.");
  }
  if (!isObject(read)) throw new Fault(field, "This is not a JSON object.");
  return read;
}

function needed(value: string, field: string, what: string): string {
  if (value.trim() === "") throw new Fault(field, what);
  return value.trim();
}

/** What was kept is not sent again: the server puts it in its place. */
function secretOf(server: ServerDraft, at: string, member: string, what: string): JsonObject {
  const given = server.secret.trim();
  if (given !== "") return { [member]: given };
  if (server.stored !== server.mode) throw new Fault(`${at}.secret`, what);
  return { [`${member}_bits`]: 0 };
}

function pskOf(server: ServerDraft, at: string): JsonObject {
  if (server.uri.trim() === "" && server.mint) return { mint: true };
  const identity: JsonObject = typeof server.moreSecurity["identity_hex"] === "string" && server.identity.trim() === ""
    ? {} : { identity: needed(server.identity, `${at}.identity`, "The identity of the pre-shared key is missing.") };
  const key = server.secret.replace(/[\s:]/g, "");
  if (key !== "" && !HEX.test(key)) throw new Fault(`${at}.secret`, "The key is pairs of hexadecimal digits.");
  if (key !== "" && (key.length < 16 || key.length > 128)) throw new Fault(`${at}.secret`, "From 8 to 64 bytes; 16 or more are good.");
  return { ...identity, ...secretOf({ ...server, secret: key.toLowerCase() }, at, "key", "The pre-shared key is missing.") };
}

function securityOf(server: ServerDraft, at: string): JsonObject {
  const other = server.uri.trim() !== "";
  const theirs = server.serverKey.trim();
  const own: JsonObject = {};
  switch (server.mode) {
    case "nosec": break;
    case "psk": Object.assign(own, pskOf(server, at)); break;
    case "rpk":
      Object.assign(own, server.publicKey.trim() === "" ? {} : { public_key: server.publicKey.trim() },
        secretOf(server, at, "private_key", "The device’s private key is missing."));
      break;
    case "x509":
      Object.assign(own, { certificate: needed(server.certificate, `${at}.certificate`, "The device’s certificate is missing.") },
        secretOf(server, at, "private_key", "The private key of the certificate is missing."));
      break;
    case "est": break;
  }
  const member = server.mode === "rpk" ? "server_public_key" : "server_certificate";
  if (server.mode === "rpk" || server.mode === "x509" || server.mode === "est") {
    if (other) needed(theirs, `${at}.serverKey`, "The device could not tell another server from an impostor: what proves that server is missing.");
    if (theirs !== "") own[member] = theirs;
  }
  const { identity_hex, matching, usage, sni, ...rest } = server.moreSecurity;
  if (server.mode === "psk" && identity_hex !== undefined && own["identity"] === undefined && own["mint"] === undefined) own["identity_hex"] = identity_hex;
  if (member in own || server.mode === "rpk" || server.mode === "x509" || server.mode === "est") {
    for (const [name, value] of Object.entries({ matching, usage, sni })) if (value !== undefined) own[name] = value;
  }
  return { mode: server.mode, ...own, ...rest };
}

function checkUri(server: ServerDraft, at: string): void {
  const uri = server.uri.trim();
  if (uri === "") return;
  const scheme = /^(coaps?(?:\+tcp)?):\/\/[^\s/]+/.exec(uri)?.[1];
  if (scheme === undefined) throw new Fault(`${at}.uri`, "A URI such as coaps://lwm2m.example:5684.");
  const secure = scheme.startsWith("coaps");
  if (secure === (server.mode === "nosec")) {
    throw new Fault(`${at}.uri`, secure ? "Without security the scheme is coap or coap+tcp." : "With security the scheme is coaps or coaps+tcp.");
  }
}

function serverOf(server: ServerDraft, at: string): JsonObject {
  const ssid = number(server.ssid, `${at}.ssid`, 1, SSID_LAST, "A Short Server ID");
  const lifetime = number(server.lifetime, `${at}.lifetime`, 1, 2147483647, "The lifetime");
  checkUri(server, at);
  const uri = server.uri.trim();
  const binding = server.binding.trim().toUpperCase();
  if (!/^[UTSN]{0,4}$/.test(binding)) throw new Fault(`${at}.binding`, "Letters of U, T, S and N.");
  return {
    ssid, ...(uri === "" ? {} : { uri }), security: securityOf(server, at), lifetime, ...(binding === "" ? {} : { binding }), ...object(server.more, `${at}.more`),
  };
}

function accessOf(row: AccessDraft, at: string, ssids: ReadonlySet<string>): JsonObject {
  const id = number(row.object, `${at}.object`, 1, ID_LAST, "An Object’s id");
  if (id === 2 || id === 21) throw new Fault(`${at}.object`, "Objects 0, 2 and 21 have no access control.");
  const instance = row.instance.trim() === "" ? "any" : number(row.instance, `${at}.instance`, 0, ID_LAST, "An instance’s id");
  if (row.owner !== BOOTSTRAP_OWNER && !ssids.has(row.owner)) throw new Fault(`${at}.owner`, "There is no server of this Short Server ID.");
  const rights: JsonObject = {};
  for (const [ssid, bits] of Object.entries(row.rights)) if (bits !== 0 && (ssid === "default" || ssids.has(ssid))) rights[ssid] = bits;
  return { object: id, instance, owner: Number(row.owner), ...(Object.keys(rights).length > 0 ? { rights } : {}) };
}

function checkTogether(draft: BootstrapDraft): void {
  const seen = new Set<number>();
  draft.servers.forEach((server, index) => {
    const ssid = Number(server.ssid);
    if (seen.has(ssid)) throw new Fault(`servers.${index}.ssid`, "Another server has this Short Server ID.");
    seen.add(ssid);
  });
  const minted = draft.servers.flatMap((server, index) => (server.uri.trim() === "" && server.mode === "psk" && server.mint ? [index] : []));
  if (minted[1] !== undefined) throw new Fault(`servers.${minted[1]}.mint`, "A device has one key that is made for this server.");
  if (draft.servers.length > SERVERS_MAX) throw new Fault("servers", `At most ${SERVERS_MAX} servers.`);
  if (draft.servers.length > 1 && draft.access.length === 0) throw new Fault("access", "With more than one server it must be said who may do what: add a row.");
  const places = new Set<string>();
  draft.access.forEach((row, index) => {
    const place = `${Number(row.object)}/${row.instance.trim()}`;
    if (places.has(place)) throw new Fault(`access.${index}.instance`, "This instance stands twice.");
    places.add(place);
  });
}

function deletesOf(draft: BootstrapDraft): JsonObject {
  const paths = draft.deletes.split(/[\s,]+/).filter((path) => path !== "");
  const bad = paths.find((path) => !PATH.test(path));
  if (bad !== undefined) throw new Fault("deletes", `${bad} is no path such as /1 or /3303/0.`);
  if (paths.some((path) => /^\/3(\/|$)/.test(path))) throw new Fault("deletes", "Object 3 cannot be deleted.");
  return paths.length === 0 ? {} : { delete: paths };
}

/** The document, or which field is wrong. */
export function documentOf(draft: BootstrapDraft): BootstrapBuilt {
  try {
    needed(draft.endpoint, "endpoint", "For which endpoint name?");
    const servers = draft.servers.map((server, index) => serverOf(server, `servers.${index}`));
    checkTogether(draft);
    const ssids = new Set(draft.servers.map((server) => String(Number(server.ssid))));
    const access = draft.access.map((row, index) => accessOf(row, `access.${index}`, ssids));
    const write = object(draft.write, "write");
    const body: JsonObject = {
      ...(servers.length > 0 ? { servers } : {}), ...(access.length > 0 ? { access } : {}), ...deletesOf(draft),
      ...(Object.keys(write).length > 0 ? { write } : {}), ...(draft.allowInsecure ? { allow_insecure: true } : {}), ...object(draft.more, "more"),
    };
    if (Object.keys(body).every((name) => name === "allow_insecure")) throw new Fault("servers", "There is nothing to be done: add a server.");
    return { ok: true, body };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, field: error.field, error: error.message };
    throw error;
  }
}

/* ---- differences ---- */

export interface Difference {
  at: string;
  /** Undefined: it was not there. */
  before: string | undefined;
  after: string | undefined;
}

function flatten(value: Json, at: string, into: Map<string, string>): void {
  if (Array.isArray(value)) value.forEach((item, index) => flatten(item, `${at}[${index}]`, into));
  else if (isObject(value)) for (const [name, item] of Object.entries(value)) flatten(item, at === "" ? name : `${at}.${name}`, into);
  else into.set(at, stringifyJson(value));
}

/** What is another in two versions, member by member. */
export function differences(before: JsonObject, after: JsonObject): Difference[] {
  const [old, fresh] = [new Map<string, string>(), new Map<string, string>()];
  flatten(before, "", old);
  flatten(after, "", fresh);
  return [...new Set([...old.keys(), ...fresh.keys()])].filter((at) => old.get(at) !== fresh.get(at)).sort()
    .map((at) => ({ at, before: old.get(at), after: fresh.get(at) }));
}
