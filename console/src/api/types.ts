/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes that dunlind's REST interface and event stream carry (see docs of /api/v1/openapi.json). */
import type { Json, JsonObject } from "./json";

export type ValueType =
  | "string" | "integer" | "unsigned" | "float" | "boolean" | "opaque" | "time" | "objlnk" | "corelnk" | "none";

/** A resource value as JSON: bigint only for integers that a double can't hold. */
export type Value = string | number | bigint | boolean;

/** Whether a device can be asked now. */
export type Presence = "awake" | "asleep" | "unreachable";

export type Transport = "udp" | "dtls" | "tcp" | "tls";
/** How a device proved who it is. */
export type Security = "nosec" | "psk" | "rpk" | "x509";

export interface ClientInfo {
  endpoint: string;
  registrationId: string;
  address: string;
  transport: Transport;
  security: Security;
  lwm2m: string;
  binding: string;
  queueMode: boolean;
  lifetime: number;
  registeredAt: string;
  updatedAt: string;
  expiresAt: string | null;
  state: string;
  presence: Presence;
  lastSeen: string;
  /** Requests that wait for it. */
  queued: number;
}

export interface ClientObject {
  id: number;
  version: string;
  name?: string;
  instances: number[];
}

export interface ClientDetail extends ClientInfo {
  objects: ClientObject[];
  rootPath: string;
  contentFormats: number[];
  sms: string | null;
  links: string;
}

export interface ClientPage {
  clients: ClientInfo[];
  next: string | null;
  total: number;
}

export interface ResourceInstanceNode {
  id: number;
  type?: ValueType;
  value: Value;
}

export interface ResourceNode {
  id: number;
  name?: string;
  type?: ValueType;
  unit?: string;
  value?: Value;
  values?: ResourceInstanceNode[];
}

export interface InstanceNode {
  id: number;
  resources: ResourceNode[];
}

export interface ObjectNode {
  id: number;
  name?: string;
  version?: string;
  instances: InstanceNode[];
}

export type Node = ObjectNode | InstanceNode | ResourceNode;

export interface ReadResult {
  endpoint: string;
  path: string;
  code: string;
  contentFormat: number;
  receivedAt: string;
  node: Node;
}

export interface OpResult {
  endpoint: string;
  path: string;
  code: string;
}

export interface DiscoverLink {
  path: string;
  attributes: Record<string, string | null>;
}

/** A request in a device's durable queue. */
export interface QueuedRequest {
  id: string;
  endpoint: string;
  state: "waiting" | "delivering" | "answered" | "failed" | "expired" | "cancelled" | "unknown";
  operation: string;
  path: string;
  createdAt: string;
  expiresAt: string;
  endedAt: string | null;
  attempts: number;
  code?: string;
  detail?: string;
}

export interface PathNode {
  path: string;
  node: Node;
}

export interface Observation {
  path: string;
  /** Of an observation of several paths; then `path` is the root. */
  paths?: string[];
  contentFormat: number;
  since: string;
  state: "active" | "pending" | "lost";
  last: null | { receivedAt: string; code: string; contentFormat: number; node?: Node; nodes?: PathNode[] };
}

export interface ModelSummary {
  id: number;
  version: string;
  name: string;
  urn: string;
  multiple: boolean;
  mandatory: boolean;
  description: string;
}

export interface ModelResource {
  id: number;
  name: string;
  operations: "" | "R" | "W" | "RW" | "E";
  multiple: boolean;
  mandatory: boolean;
  type: ValueType;
  range: string;
  unit: string;
  description: string;
}

export interface Model extends ModelSummary {
  resources: ModelResource[];
}

export interface ServerInfo {
  version: string;
  startedAt: string;
  coap: string[];
  /** Where devices reach it by each transport, as URIs. */
  addresses?: string[];
  http: string;
  registrations: number;
  /** Null: this server is no bootstrap server. */
  bootstrap?: { addresses: string[]; configs: number } | null;
}

/** A device's credential, without its secret. */
/** What a bootstrap has handed out: it lets its device in, beside the current one, until the device is known to have it. */
export interface Staged {
  mode: "psk" | "rpk" | "x509";
  since: string;
}

export interface Credential {
  endpoint: string;
  pattern: boolean;
  mode: "psk" | "rpk" | "x509";
  state: "current" | "staged";
  identity?: string;
  identity_hex?: string;
  key_bits?: number;
  public_key?: string;
  public_key_sha256?: string;
  name?: string;
  fingerprint?: string;
  created: string;
  changed: string;
  staged?: Staged;
}

export interface CredentialPage {
  credentials: Credential[];
  next: string | null;
  total: number;
}

export interface CredentialBody {
  mode: Credential["mode"];
  identity?: string;
  key?: string;
  public_key?: string;
  name?: string;
  certificate?: string;
}

export interface BootstrapConfigHead {
  endpoint: string;
  pattern: boolean;
  version: number;
  created: string;
  changed: string;
}

export interface BootstrapConfigPage {
  configs: BootstrapConfigHead[];
  total: number;
  next: string | null;
}

/** As the server shows it: without secrets. What the form does not know it keeps. */
export type BootstrapDocument = JsonObject;

export interface BootstrapConfig extends BootstrapConfigHead {
  config: BootstrapDocument;
}

export interface BootstrapVersion {
  version: number;
  changed: string;
  removed: boolean;
}

export type BootstrapOperation = "discover" | "read" | "write" | "delete" | "finish";

export interface BootstrapStep {
  operation: BootstrapOperation;
  path?: string;
  /** Null: no answer (yet). */
  code: string | null;
  began_ms: number;
  took_ms: number;
  bytes: number;
}

export interface BootstrapRun {
  run: number;
  state: "running" | "finished" | "failed";
  endpoint: string;
  /** Who has begun it. */
  by: "device" | "server";
  /** The way by which the device came can be used now. */
  reachable: boolean;
  address: string;
  transport: Transport;
  security: Security;
  lwm2m: string | null;
  version: number;
  began: string;
  ended: string | null;
  why: string;
  planned: number;
  steps: BootstrapStep[];
  found: string;
  staged?: Staged;
}

export interface BootstrapRunPage {
  runs: BootstrapRun[];
  next: number | null;
}

interface BootstrapEventBase {
  id: number;
  time: string;
  endpoint: string;
  address: string;
  transport: Transport;
  security: Security;
  code?: string | null;
  why?: string;
  found?: string;
}
interface BootstrapRunEvent extends BootstrapEventBase {
  run: number;
  version: number;
  /** Planned. */
  steps: number;
}
export type BootstrapEvent =
  | (BootstrapEventBase & { type: "bootstrap-refused" | "enrolled" | "enrolment-refused" })
  | (BootstrapRunEvent & { type: "bootstrap-requested"; by: "device" | "server" })
  | (BootstrapRunEvent & { type: "bootstrap-repairing" | "bootstrap-finished" | "bootstrap-failed" })
  | (BootstrapRunEvent & { type: "bootstrap-step"; step: number; operation: BootstrapOperation; path?: string; took_ms: number });

interface EventBase {
  id: number;
  time: string;
  endpoint: string;
  registrationId: string;
}

export type ServerEvent =
  | (EventBase & { type: "registered"; client: ClientInfo })
  | (EventBase & { type: "updated"; client: ClientInfo; changed: string[] })
  | (EventBase & { type: "deregistered"; /** A new registration of the same name took its place. */ replaced?: boolean })
  | (EventBase & { type: "expired" })
  | (EventBase & { type: "notification"; path: string; code: string;
    /** Both null when the device ended the observation with an error. */
    contentFormat: number | null; node: Node | null;
    /** Of an observation of several paths, instead of `node`. */
    paths?: string[]; nodes?: PathNode[] | null })
  | (EventBase & { type: "send"; contentFormat: number; nodes: PathNode[] })
  | (EventBase & { type: "presence"; presence: Presence; client: ClientInfo })
  | (Omit<EventBase, "registrationId"> & { type: "request"; request: QueuedRequest })
  | BootstrapEvent
  | { type: "gap"; id: number; time?: string; lost: boolean };

export type EventType = ServerEvent["type"];

export interface ProblemBody {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  coapCode?: string;
  endpoint?: string;
  path?: string;
  pointer?: string;
  [extra: string]: Json | undefined;
}
