/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where the page's state is wired together: stream, device list, log, sessions,
 * models, preferences and the current route. */
import { batch, effect, signal } from "@preact/signals";
import * as rest from "./api/client";
import { EventStream, type StreamState } from "./api/stream";
import { Problem } from "./api/problem";
import type { Model, ModelSummary, ServerEvent, ServerInfo } from "./api/types";
import { DeviceList } from "./model/devices";
import { EventLog } from "./model/log";
import { leavesOf } from "./model/nodes";
import { parseRoute, type Route } from "./model/route";
import { RunList } from "./model/runs";
import { SeriesStore } from "./model/series";
import { DeviceSession, valuesOf } from "./model/session";
import { isNumeric } from "./model/value";

/** Events become visible in batches, so that a busy server doesn't render the page to death. */
const FLUSH_MS = 120;
const MAX_SESSIONS = 8;

export const route = signal<Route>(parseRoute(location.hash));
export const streamState = signal<StreamState>({ kind: "connecting" });
export const now = signal(Date.now());
export const devices = new DeviceList(rest.listClients);
export const log = new EventLog();
export const series = new SeriesStore();
export const bootstrapRuns = new RunList(rest.listBootstrapRuns);

export type Theme = "system" | "light" | "dark";
function stored<T extends string>(key: string, fallback: T): T {
  try {
    return (localStorage.getItem(key) as T | null) ?? fallback;
  } catch {
    return fallback; // storage can be switched off
  }
}
function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Then the choice lasts as long as the page.
  }
}
export const theme = signal<Theme>(stored<Theme>("dunlin.theme", "system"));
export const readOnOpen = signal(stored("dunlin.readOnOpen", "yes") === "yes");

/** Where devices reach the server; undefined until it said so. */
export const serverInfo = signal<ServerInfo | undefined>(undefined);

export const models = signal<readonly ModelSummary[] | undefined>(undefined);
export const modelsProblem = signal<Problem | undefined>(undefined);
const modelCache = new Map<string, Promise<Model | undefined>>();

let modelList: Promise<void> | undefined;

/** Which of the server's models to use for an object: its version, else the newest there is. */
function chooseVersion(id: number, version: string | undefined): string | undefined {
  const versions = (models.value ?? []).filter((model) => model.id === id).map((model) => model.version);
  if (version !== undefined && versions.includes(version)) return version;
  return versions.sort((a, b) => Number(a) - Number(b)).at(-1);
}

/** The model of an object; undefined when the server has none. Cached, failures are not. */
export async function loadModel(id: number, version: string | undefined): Promise<Model | undefined> {
  modelList ??= loadModels();
  await modelList;
  const chosen = chooseVersion(id, version);
  if (chosen === undefined) return undefined;
  const key = `${id}/${chosen}`;
  let found = modelCache.get(key);
  if (!found) {
    found = rest.getModel(id, chosen).catch(() => {
      modelCache.delete(key);
      return undefined;
    });
    modelCache.set(key, found);
  }
  return found;
}

export async function loadModels(): Promise<void> {
  try {
    const list = await rest.listModels();
    batch(() => {
      models.value = list.models;
      modelsProblem.value = undefined;
    });
  } catch (error) {
    modelList = undefined;
    modelsProblem.value = Problem.from(error);
  }
}

/** After an upload: names and types of every open device may have changed. */
export async function modelsChanged(): Promise<void> {
  modelCache.clear();
  modelList = loadModels();
  await modelList;
  await Promise.all([...sessions.values()].map((session) => session.load()));
}

const sessions = new Map<string, DeviceSession>();

export function sessionOf(endpoint: string): DeviceSession {
  let session = sessions.get(endpoint);
  if (session) {
    sessions.delete(endpoint);
  } else {
    session = new DeviceSession(endpoint, {
      appendNumber: (path, timeMs, value) => series.append(endpoint, path, timeMs, value),
      model: loadModel,
      readOnOpen: () => readOnOpen.value,
    });
    void session.load();
  }
  sessions.set(endpoint, session);
  const oldest = sessions.keys().next();
  if (sessions.size > MAX_SESSIONS && !oldest.done) sessions.delete(oldest.value);
  return session;
}

function onEvent(event: ServerEvent): void {
  log.add(event, Date.now());
  devices.apply(event);
  bootstrapRuns.apply(event);
  if (event.type === "gap") return;
  const session = sessions.get(event.endpoint);
  if (session) session.apply(event);
  else for (const { path, node } of valuesOf(event)) {
    const at = Date.parse(event.time);
    for (const leaf of leavesOf(path, node)) {
      const value = isNumeric(leaf.type) ? Number(leaf.value) : Number.NaN;
      if (Number.isFinite(value)) series.append(event.endpoint, leaf.path, at, value);
    }
  }
}

let started = false;
function reload(): void {
  started = true;
  void devices.load();
  rest.getServer().then((info) => { serverInfo.value = info; }, () => undefined); // its own page tells when this fails
  if (bootstrapRuns.loaded.value) void bootstrapRuns.load();
  for (const session of sessions.values()) void session.load();
}

export const stream = new EventStream(`${rest.BASE}/events`, {
  onEvent: (event) => batch(() => onEvent(event)),
  onState: (state) => { streamState.value = state; },
  onReload: reload,
});

/** Starts everything; called once. */
export function start(): void {
  addEventListener("hashchange", () => { route.value = parseRoute(location.hash); });
  addEventListener("online", () => stream.retryNow());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) stream.retryNow();
  });
  setInterval(() => batch(() => {
    devices.flush();
    log.flush();
    bootstrapRuns.flush();
  }), FLUSH_MS);
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1000);
  effect(() => {
    store("dunlin.theme", theme.value);
    if (theme.value === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme.value;
  });
  effect(() => store("dunlin.readOnOpen", readOnOpen.value ? "yes" : "no"));
  stream.start();
  // The stream's opening loads the list; without a stream the list is still wanted.
  setTimeout(() => {
    if (!started) reload();
  }, 1500);
  modelList ??= loadModels();
}
