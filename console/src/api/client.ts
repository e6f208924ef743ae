/* SPDX-License-Identifier: Apache-2.0 */
/* The REST calls, one function each. Every call resolves to the decoded body or throws a Problem. */
import { parseJson, stringifyJson, type JsonObject } from "./json";
import { Problem } from "./problem";
import type {
  BootstrapConfig, BootstrapConfigPage, BootstrapRun, BootstrapRunPage, BootstrapVersion, ClientDetail, ClientPage, Credential, CredentialBody, CredentialPage, DiscoverLink, Model, ModelSummary, Observation, OpResult, QueuedRequest, ReadResult, ServerInfo,
} from "./types";

export const BASE = "api/v1";

export interface DeviceOptions {
  /** Seconds that the server waits for the device; the server's default when undefined. */
  timeout?: number | undefined;
  /** Content format by name; chosen by the server when undefined. */
  format?: string | undefined;
}

/** The device sleeps: the request was put into its queue, which is no failure and no answer either. */
export class Queued extends Error {
  constructor(readonly request: QueuedRequest) {
    super(`queued as request ${request.id}`);
    this.name = "Queued";
  }
}

const ACCEPTED = 202;

type Query = Record<string, string | number | undefined>;

interface Extra {
  signal?: AbortSignal | undefined;
  headers?: Record<string, string>;
}

async function send(method: string, path: string, query: Query = {}, body?: string, type = "application/json",
  { signal, headers = {} }: Extra = {}): Promise<string> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const suffix = search.size > 0 ? `?${search}` : "";
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${BASE}/${path}${suffix}`, {
      method,
      cache: "no-store",
      headers: body === undefined ? headers : { "Content-Type": type, ...headers },
      ...(body === undefined ? {} : { body }),
      ...(signal ? { signal } : {}),
    });
    text = await response.text();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw Problem.from(error);
  }
  if (!response.ok) throw Problem.fromAnswer(response.status, text);
  if (response.status === ACCEPTED) throw new Queued(parseJson(text) as unknown as QueuedRequest);
  return text;
}

async function call<T>(method: string, path: string, query?: Query, body?: unknown, signal?: AbortSignal, headers: Record<string, string> = {}): Promise<T> {
  const text = await send(method, path, query, body === undefined ? undefined : stringifyJson(body), undefined, { signal, headers });
  try {
    return parseJson(text) as T;
  } catch (error) {
    throw Problem.from(error);
  }
}

const client = (ep: string): string => `clients/${encodeURIComponent(ep)}`;
const query = (options: DeviceOptions): Query => ({ timeout: options.timeout, format: options.format });

export const listClients = (q: string, after: string | null, limit: number, signal?: AbortSignal): Promise<ClientPage> =>
  call("GET", "clients", { limit, q, after: after ?? undefined }, undefined, signal);

export const getClient = (ep: string, signal?: AbortSignal): Promise<ClientDetail> =>
  call("GET", client(ep), undefined, undefined, signal);

export const readPath = (ep: string, path: string, options: DeviceOptions): Promise<ReadResult> =>
  call("GET", client(ep) + path, query(options));

export const discoverPath = (ep: string, path: string, options: DeviceOptions): Promise<OpResult & { links: DiscoverLink[] }> =>
  call("GET", client(ep) + path, { op: "discover", timeout: options.timeout });

export const writePath = (ep: string, path: string, mode: "replace" | "update", body: unknown, options: DeviceOptions): Promise<OpResult> =>
  call("PUT", client(ep) + path, { ...query(options), mode }, body);

export const executePath = (ep: string, path: string, args: { id: number; value?: string }[], options: DeviceOptions): Promise<OpResult> =>
  call("POST", client(ep) + path, { timeout: options.timeout }, args.length > 0 ? { args } : undefined);

export const createInstance = (ep: string, path: string, body: unknown, options: DeviceOptions): Promise<OpResult> =>
  call("POST", client(ep) + path, query(options), body);

export const deleteInstance = (ep: string, path: string, options: DeviceOptions): Promise<OpResult> =>
  call("DELETE", client(ep) + path, { timeout: options.timeout });

export const listObservations = (ep: string, signal?: AbortSignal): Promise<{ observations: Observation[] }> =>
  call("GET", `${client(ep)}/observations`, undefined, undefined, signal);

export const startObservation = (ep: string, path: string, options: DeviceOptions): Promise<ReadResult> =>
  call("PUT", `${client(ep)}/observations${path}`, query(options));

export const cancelObservation = (ep: string, path: string, options: DeviceOptions): Promise<OpResult> =>
  call("DELETE", `${client(ep)}/observations${path}`, { timeout: options.timeout });

export interface Attributes { pmin?: number | null; pmax?: number | null; gt?: number | null; lt?: number | null; st?: number | null;
  epmin?: number | null; epmax?: number | null }

export const writeAttributes = (ep: string, path: string, attributes: Attributes, options: DeviceOptions): Promise<OpResult> =>
  call("PUT", client(ep) + path, { op: "attributes", timeout: options.timeout }, attributes);

export const listRequests = (ep: string, signal?: AbortSignal): Promise<{ requests: QueuedRequest[] }> =>
  call("GET", "requests", { endpoint: ep, limit: 200 }, undefined, signal);

export const cancelRequest = (id: string): Promise<QueuedRequest> => call("DELETE", `requests/${encodeURIComponent(id)}`);

/** To which of the two servers a device proves itself. */
export type Keeper = "lwm2m" | "bootstrap";
const credentials = (keeper: Keeper): string => (keeper === "bootstrap" ? "bootstrap/credentials" : "credentials");
const credential = (keeper: Keeper, ep: string): string => `${credentials(keeper)}/${encodeURIComponent(ep)}`;

export const listCredentials = (keeper: Keeper, search: string, after: string | null, limit: number, signal?: AbortSignal): Promise<CredentialPage> =>
  call("GET", credentials(keeper), { limit, search, after: after ?? undefined }, undefined, signal);

export const putCredential = (keeper: Keeper, ep: string, body: CredentialBody): Promise<Credential> =>
  call("PUT", credential(keeper, ep), undefined, body);

export async function deleteCredential(keeper: Keeper, ep: string): Promise<void> {
  await send("DELETE", credential(keeper, ep));
}

const config = (ep: string): string => `bootstrap/configs/${encodeURIComponent(ep)}`;

export const listBootstrapConfigs = (search: string, after: string | null, limit: number, signal?: AbortSignal): Promise<BootstrapConfigPage> =>
  call("GET", "bootstrap/configs", { limit, search, after: after ?? undefined }, undefined, signal);

export const getBootstrapConfig = (ep: string, version?: number, signal?: AbortSignal): Promise<BootstrapConfig> =>
  call("GET", config(ep), { version }, undefined, signal);

export const listBootstrapVersions = (ep: string, signal?: AbortSignal): Promise<{ versions: BootstrapVersion[] }> =>
  call("GET", `${config(ep)}/versions`, undefined, undefined, signal);

/** `version`: the one that was edited; 0: there must be none yet. Another one there is a problem "version-conflict". */
const condition = (version: number): Record<string, string> => (version === 0 ? { "If-None-Match": "*" } : { "If-Match": `"${version}"` });

export const putBootstrapConfig = (ep: string, body: JsonObject, version: number): Promise<BootstrapConfig> =>
  call("PUT", config(ep), undefined, body, undefined, condition(version));

export async function deleteBootstrapConfig(ep: string, version: number): Promise<void> {
  await send("DELETE", config(ep), {}, undefined, undefined, { headers: condition(version) });
}

export const listBootstrapRuns = (before: number | null, limit: number, signal?: AbortSignal): Promise<BootstrapRunPage> =>
  call("GET", "bootstrap/runs", { limit, before: before ?? undefined }, undefined, signal);

/** The newest of an endpoint. */
export const lastBootstrapRun = async (endpoint: string, signal?: AbortSignal): Promise<BootstrapRun | undefined> =>
  (await call<BootstrapRunPage>("GET", "bootstrap/runs", { endpoint, limit: 1 }, undefined, signal)).runs[0];

/** The bootstrap server speaks first. */
export const rerunBootstrap = (ep: string): Promise<BootstrapRun> => call("POST", `bootstrap/runs/${encodeURIComponent(ep)}`);

/** Tells a device to bootstrap again. */
export const triggerBootstrap = (ep: string, options: DeviceOptions): Promise<OpResult> =>
  call("POST", `${client(ep)}/bootstrap`, { timeout: options.timeout });

export const listModels = (): Promise<{ models: ModelSummary[] }> => call("GET", "models");

export const getModel = (id: number, version: string | undefined): Promise<Model> =>
  call("GET", `models/${id}`, { version });

export async function uploadModel(xml: string): Promise<{ models: { id: number; version: string; name: string }[] }> {
  const text = await send("POST", "models", {}, xml, "application/xml");
  return parseJson(text) as unknown as { models: { id: number; version: string; name: string }[] };
}

export const getServer = (): Promise<ServerInfo> => call("GET", "server");

export const getMetrics = (): Promise<string> => send("GET", "metrics");
