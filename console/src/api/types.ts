/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes that dunlind's REST interface and event stream carry (see docs of /api/v1/openapi.json). */
import type { Json } from "./json";

export type ValueType =
  | "string" | "integer" | "unsigned" | "float" | "boolean" | "opaque" | "time" | "objlnk" | "corelnk" | "none";

/** A resource value as JSON: bigint only for integers that a double can't hold. */
export type Value = string | number | bigint | boolean;

export interface ClientInfo {
  endpoint: string;
  registrationId: string;
  address: string;
  lwm2m: string;
  binding: string;
  queueMode: boolean;
  lifetime: number;
  registeredAt: string;
  updatedAt: string;
  expiresAt: string | null;
  state: string;
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

export interface Observation {
  path: string;
  contentFormat: number;
  since: string;
  state: "active" | "pending" | "lost";
  last: null | { receivedAt: string; code: string; contentFormat: number; node: Node };
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
  http: string;
  registrations: number;
}

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
    contentFormat: number | null; node: Node | null })
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
