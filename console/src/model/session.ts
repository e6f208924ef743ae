/* SPDX-License-Identifier: Apache-2.0 */
/* All that the page knows of one device, and the operations on it. Operations never throw: their
 * outcome lands in `outcomes` (the last one per path) and in `activity` (the recent ones). */
import { batch, computed, signal } from "@preact/signals";
import * as rest from "../api/client";
import { Problem } from "../api/problem";
import type { ClientDetail, ClientObject, DiscoverLink, Model, Node, Observation, PathNode, QueuedRequest, ServerEvent } from "../api/types";
import { notificationOnly } from "./attributes";
import { depthOf, instancesOf, isWithin, leavesOf, parentOf, splitPath } from "./nodes";
import { buildTree, findNode, type Presence, type Sample, type TreeNode } from "./tree";
import { isNumeric } from "./value";

export type Operation = "read" | "write" | "execute" | "create" | "delete" | "observe" | "cancel" | "discover" | "attributes" | "bootstrap";

export interface Outcome {
  key: number;
  operation: Operation;
  path: string;
  at: number;
  elapsedMs: number;
  /** The CoAP code of a success, or what went wrong. */
  code: string | undefined;
  problem: Problem | undefined;
  /** The request that waits in the device's queue instead of an answer. */
  queued: string | undefined;
}

/** The values that a notification or a Send carries. */
export function valuesOf(event: ServerEvent): PathNode[] {
  if (event.type === "send") return event.nodes;
  if (event.type !== "notification") return [];
  return event.nodes ?? (event.node ? [{ path: event.path, node: event.node }] : []);
}

/** What names an observation: its path, or all of its paths. */
export const keyOf = (item: Observation): string => item.paths?.join(" ") ?? item.path;

const MAX_ACTIVITY = 100;
/** Objects with more instances than this are not read or unfolded by themselves. */
const AUTO_INSTANCES = 12;
const AUTO_OBJECTS = 12;

export interface SessionHooks {
  appendNumber: (path: string, timeMs: number, value: number) => void;
  model: (id: number, version: string) => Promise<Model | undefined>;
  readOnOpen: () => boolean;
}

export class DeviceSession {
  readonly client = signal<ClientDetail | undefined>(undefined);
  readonly problem = signal<Problem | undefined>(undefined);
  readonly loading = signal(true);
  /** Undefined while registered, else how the registration ended. */
  readonly gone = signal<"deregistered" | "expired" | undefined>(undefined);
  readonly models = signal<ReadonlyMap<number, Model>>(new Map());
  readonly samples = signal<ReadonlyMap<string, Sample>>(new Map());
  readonly presence = signal<ReadonlyMap<string, Presence>>(new Map());
  readonly attributes = signal<ReadonlyMap<string, DiscoverLink["attributes"]>>(new Map());
  readonly observations = signal<ReadonlyMap<string, Observation>>(new Map());
  /** The device's queue, the newest first: what waits, and what ended lately. */
  readonly requests = signal<readonly QueuedRequest[]>([]);
  readonly expanded = signal<ReadonlySet<string>>(new Set());
  readonly showAbsent = signal(false);
  readonly pending = signal<ReadonlyMap<string, Operation>>(new Map());
  readonly outcomes = signal<ReadonlyMap<string, Outcome>>(new Map());
  readonly activity = signal<readonly Outcome[]>([]);
  readonly options = signal<rest.DeviceOptions>({});
  readonly tree = computed(() => buildTree({
    objects: this.client.value?.objects ?? [],
    models: this.models.value,
    samples: this.samples.value,
    presence: this.presence.value,
    showAbsent: this.showAbsent.value,
  }));

  private opened = false;
  private nextKey = 1;
  private loads = 0;

  constructor(readonly endpoint: string, private readonly hooks: SessionHooks) {}

  /** Fetches the registration, its models and observations; on the first time also reads the objects. */
  async load(): Promise<void> {
    const turn = ++this.loads;
    this.loading.value = true;
    try {
      const [client, watched, queue] = await Promise.all([
        rest.getClient(this.endpoint), rest.listObservations(this.endpoint), rest.listRequests(this.endpoint),
      ]);
      if (turn !== this.loads) return;
      batch(() => {
        this.client.value = client;
        this.problem.value = undefined;
        this.gone.value = undefined;
        this.requests.value = [...queue.requests].reverse();
        this.observations.value = new Map(watched.observations.map((item) => [keyOf(item), item]));
        for (const item of watched.observations) this.takeLast(item);
      });
      await this.loadModels(client.objects);
      if (!this.opened) this.open(client);
    } catch (error) {
      if (turn === this.loads) {
        this.problem.value = Problem.from(error);
        if (this.problem.value.slug === "unknown-endpoint") this.gone.value ??= "deregistered";
      }
    } finally {
      if (turn === this.loads) this.loading.value = false;
    }
  }

  private async loadModels(objects: readonly ClientObject[]): Promise<void> {
    const found = await Promise.all(objects.map((object) => this.hooks.model(object.id, object.version)));
    const models = new Map<number, Model>();
    for (const model of found) if (model) models.set(model.id, model);
    this.models.value = models;
  }

  /** What is unfolded, and read, when a device is opened for the first time. */
  private open(client: ClientDetail): void {
    this.opened = true;
    const shown = client.objects.filter((object) => object.instances.length > 0 && object.instances.length <= AUTO_INSTANCES)
      .slice(0, AUTO_OBJECTS);
    const expanded = new Set<string>();
    for (const object of shown) {
      expanded.add(`/${object.id}`);
      for (const id of object.instances) expanded.add(`/${object.id}/${id}`);
    }
    this.expanded.value = expanded;
    // A sleeping device would keep the requests waiting; it is read when the operator asks.
    if (this.hooks.readOnOpen() && !client.queueMode && client.presence === "awake") void this.readAll(shown.map((object) => `/${object.id}`));
  }

  /** Reads and discovers objects one after the other: a constrained device handles one request at a time. */
  async readAll(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      if (this.gone.value) return;
      await this.discover(path);
      await this.read(path);
    }
  }

  toggle(path: string, open?: boolean): void {
    const expanded = new Set(this.expanded.value);
    const wanted = open ?? !expanded.has(path);
    if (wanted) expanded.add(path);
    else expanded.delete(path);
    this.expanded.value = expanded;
  }

  expandAll(open: boolean): void {
    const paths = new Set<string>();
    const walk = (nodes: typeof this.tree.value): void => {
      for (const node of nodes) {
        if (node.children.length > 0) paths.add(node.path);
        walk(node.children);
      }
    };
    if (open) walk(this.tree.value);
    this.expanded.value = paths;
  }

  nodeAt(path: string): TreeNode | undefined {
    return findNode(this.tree.value, path);
  }

  /** The observation that covers a path: its own or that of a node above it. */
  observationOf(path: string): Observation | undefined {
    for (let at = path; at !== ""; at = parentOf(at)) {
      const found = this.observations.value.get(at);
      if (found) return found;
    }
    return undefined;
  }

  /** `main`: the operator has asked for it, and is shown the outcome at the path. */
  async read(path: string, main = true): Promise<Outcome> {
    return this.run("read", path, async () => {
      const result = await rest.readPath(this.endpoint, path, this.options.value);
      this.take(path, result.node, Date.parse(result.receivedAt), "read");
      return result.code;
    }, main);
  }

  async discover(path: string, main = true): Promise<Outcome> {
    return this.run("discover", path, async () => {
      const result = await rest.discoverPath(this.endpoint, path, this.options.value);
      this.takeLinks(path, result.links);
      return result.code;
    }, main);
  }

  async write(path: string, mode: "replace" | "update", body: unknown): Promise<Outcome> {
    const outcome = await this.run("write", path, async () =>
      (await rest.writePath(this.endpoint, path, mode, body, this.options.value)).code);
    // What the device made of it is what it now says. A resource that can't be read has nothing to say.
    if (!outcome.problem && outcome.queued === undefined && this.isReadable(path)) await this.read(path, false);
    return outcome;
  }

  async writeAttributes(path: string, attributes: rest.Attributes): Promise<Outcome> {
    const outcome = await this.run("attributes", path, async () =>
      (await rest.writeAttributes(this.endpoint, path, attributes, this.options.value)).code);
    if (!outcome.problem && outcome.queued === undefined && depthOf(path) <= 3) await this.discover(path, false);
    return outcome;
  }

  async takeBack(id: string): Promise<void> {
    try {
      this.takeRequest(await rest.cancelRequest(id));
    } catch {
      void this.loadRequests(); // it ended meanwhile: show how
    }
  }

  async execute(path: string, args: { id: number; value?: string }[]): Promise<Outcome> {
    return this.run("execute", path, async () => (await rest.executePath(this.endpoint, path, args, this.options.value)).code);
  }

  /** Tells the device to bootstrap again; it answers before it begins. */
  async bootstrap(): Promise<Outcome> {
    return this.run("bootstrap", "/1", async () => (await rest.triggerBootstrap(this.endpoint, this.options.value)).code);
  }

  async create(path: string, body: unknown): Promise<Outcome & { created?: string }> {
    let created: string | undefined;
    const outcome = await this.run("create", path, async () => {
      const result = await rest.createInstance(this.endpoint, path, body, this.options.value);
      created = result.path;
      this.changeInstances(created, true);
      return result.code;
    });
    if (created === undefined) return outcome;
    this.toggle(path, true);
    this.toggle(created, true);
    await this.read(created, false);
    return { ...outcome, created };
  }

  async remove(path: string): Promise<Outcome> {
    return this.run("delete", path, async () => {
      const result = await rest.deleteInstance(this.endpoint, path, this.options.value);
      this.changeInstances(path, false);
      return result.code;
    });
  }

  async observe(path: string): Promise<Outcome> {
    return this.run("observe", path, async () => {
      const result = await rest.startObservation(this.endpoint, path, this.options.value);
      const observations = new Map(this.observations.value);
      observations.set(path, {
        path, contentFormat: result.contentFormat, since: result.receivedAt, state: "active",
        last: { receivedAt: result.receivedAt, code: result.code, contentFormat: result.contentFormat, node: result.node },
      });
      this.observations.value = observations;
      this.take(path, result.node, Date.parse(result.receivedAt), "notified");
      return result.code;
    });
  }

  async cancel(path: string): Promise<Outcome> {
    const forget = (): void => {
      const observations = new Map(this.observations.value);
      observations.delete(path);
      this.observations.value = observations;
    };
    return this.run("cancel", path, async () => {
      try {
        const result = await rest.cancelObservation(this.endpoint, path, this.options.value);
        forget();
        return result.code;
      } catch (error) {
        if (error instanceof Problem && error.slug === "not-observed") forget();
        throw error;
      }
    });
  }

  /** Takes an event about this device into account. */
  apply(event: ServerEvent): void {
    switch (event.type) {
      case "notification": {
        const values = valuesOf(event);
        this.heard(event);
        for (const { path, node } of values) this.take(path, node, Date.parse(event.time), "notified");
        // Started by someone else, or ended by the device.
        if (values.length === 0 || !this.observations.value.has(event.paths?.join(" ") ?? event.path)) void this.loadObservations();
        break;
      }
      case "send":
        this.heard(event);
        for (const { path, node } of event.nodes) this.take(path, node, Date.parse(event.time), "notified");
        break;
      case "presence":
        if (this.client.value) this.client.value = { ...this.client.value, ...event.client };
        break;
      case "request":
        this.takeRequest(event.request);
        break;
      case "registered":
        void this.load();
        break;
      case "updated":
        if (event.changed.includes("objects")) void this.load();
        else if (this.client.value) this.client.value = { ...this.client.value, ...event.client };
        break;
      case "deregistered":
      case "expired":
        if (event.type === "deregistered" && event.replaced) break;
        if (this.client.value?.registrationId === event.registrationId) this.gone.value = event.type;
        break;
      default: // of its bootstraps, which have a page of their own, and gaps
        break;
    }
  }

  /** A message of the device's present registration. */
  private heard(event: { time: string; registrationId: string }): void {
    const client = this.client.value;
    if (client?.registrationId === event.registrationId) this.client.value = { ...client, lastSeen: event.time };
  }

  private async loadObservations(): Promise<void> {
    try {
      const watched = await rest.listObservations(this.endpoint);
      this.observations.value = new Map(watched.observations.map((item) => [keyOf(item), item]));
    } catch {
      // The next load of the page shows it; this was only to be quicker.
    }
  }

  private async loadRequests(): Promise<void> {
    try {
      this.requests.value = [...(await rest.listRequests(this.endpoint)).requests].reverse();
    } catch {
      // As above.
    }
  }

  /** Puts a request in its place in the list, or replaces what was known of it: its state is what counts here. What a read was
   * answered comes with the list when it is loaded. */
  private takeRequest(request: QueuedRequest): void {
    const known = this.requests.value.some((item) => item.id === request.id);
    this.requests.value = (known ? this.requests.value.map((item) => (item.id === request.id ? request : item)) : [request, ...this.requests.value])
      .slice(0, MAX_ACTIVITY);
  }

  private takeLast(item: Observation): void {
    const last = item.last;
    if (!last) return;
    for (const { path, node } of last.nodes ?? (last.node ? [{ path: item.path, node: last.node }] : [])) {
      this.take(path, node, Date.parse(last.receivedAt), "notified");
    }
  }

  private isReadable(path: string): boolean {
    const [object, , resource] = splitPath(path);
    if (resource === undefined) return true;
    const model = this.models.value.get(object ?? -1)?.resources.find((item) => item.id === resource);
    return model === undefined || model.operations.includes("R");
  }

  private async run(operation: Operation, path: string, work: () => Promise<string>, main = true): Promise<Outcome> {
    const started = performance.now();
    this.pending.value = new Map(this.pending.value).set(path, operation);
    let code: string | undefined;
    let problem: Problem | undefined;
    let queued: string | undefined;
    try {
      code = await work();
    } catch (error) {
      if (error instanceof rest.Queued) {
        queued = error.request.id;
        this.takeRequest(error.request);
      } else {
        problem = Problem.from(error);
      }
    }
    const outcome: Outcome = {
      key: this.nextKey++, operation, path, at: Date.now(), elapsedMs: performance.now() - started, code, problem, queued,
    };
    batch(() => {
      const pending = new Map(this.pending.value);
      pending.delete(path);
      this.pending.value = pending;
      if (main) this.outcomes.value = new Map(this.outcomes.value).set(path, outcome);
      this.activity.value = [outcome, ...this.activity.value].slice(0, MAX_ACTIVITY);
    });
    return outcome;
  }

  private changeInstances(path: string, present: boolean): void {
    const [object, instance] = splitPath(path);
    const client = this.client.value;
    if (!client || object === undefined || instance === undefined) return;
    const change = (ids: number[]): number[] => [...ids.filter((id) => id !== instance), ...(present ? [instance] : [])];
    this.client.value = {
      ...client,
      objects: client.objects.map((item) => (item.id === object ? { ...item, instances: change(item.instances) } : item)),
    };
    if (present) return;
    this.dropSamples((at) => isWithin(at, path));
    this.presence.value = new Map([...this.presence.value].filter(([at]) => at !== path));
    this.observations.value = new Map([...this.observations.value].filter(([at]) => !isWithin(at, path)));
  }

  private dropSamples(drop: (path: string) => boolean): void {
    this.samples.value = new Map([...this.samples.value].filter(([at]) => !drop(at)));
  }

  /** Stores a node; it says all there is at its path, so what was known below and isn't in it is gone. */
  private take(path: string, node: Node, at: number, source: Sample["source"]): void {
    const samples = new Map<string, Sample>();
    for (const [key, sample] of this.samples.value) if (!isWithin(key, path)) samples.set(key, sample);
    for (const leaf of leavesOf(path, node)) {
      samples.set(leaf.path, { ...leaf, at, source });
      if (isNumeric(leaf.type)) {
        const value = Number(leaf.value);
        if (Number.isFinite(value) && (source === "notified" || this.observationOf(leaf.path))) this.hooks.appendNumber(leaf.path, at, value);
      }
    }
    const presence = new Map(this.presence.value);
    for (const [instance, ids] of instancesOf(path, node) ?? []) {
      const known = presence.get(instance);
      presence.set(instance, known?.complete
        ? { ids: new Set([...known.ids, ...ids]), complete: true }
        : { ids: new Set(ids), complete: false });
    }
    batch(() => {
      this.samples.value = samples;
      this.presence.value = presence;
    });
  }

  private takeLinks(path: string, links: readonly DiscoverLink[]): void {
    const presence = new Map(this.presence.value);
    // Discover of an object lists its resources without their attributes, that of an instance leaves out resource
    // instances (Core 1.1.1 section 6.3.2): what is known of those holds as long as their resource is there.
    const told = (at: string): boolean => depthOf(path) >= 3 || depthOf(at) <= depthOf(path) + 1;
    const listed = new Set(links.map((link) => link.path));
    const holds = (at: string): boolean => !told(at) && listed.has(depthOf(at) > 3 ? parentOf(at) : at);
    const attributes = new Map([...this.attributes.value].filter(([at]) => !isWithin(at, path) || holds(at)));
    const fresh = new Map<string, Set<number>>();
    for (const link of links) {
      attributes.set(link.path, told(link.path) ? link.attributes : { ...notificationOnly(attributes.get(link.path)), ...link.attributes });
      const [object, instance, resource] = splitPath(link.path);
      if (instance === undefined) continue;
      const key = `/${object}/${instance}`;
      const ids = fresh.get(key) ?? new Set<number>();
      if (resource !== undefined) ids.add(resource);
      fresh.set(key, ids);
    }
    // Discover of a resource names that resource alone and says nothing about its neighbours.
    if (depthOf(path) <= 2) for (const [key, ids] of fresh) if (isWithin(key, path)) presence.set(key, { ids, complete: true });
    batch(() => {
      this.presence.value = presence;
      this.attributes.value = attributes;
    });
  }
}
