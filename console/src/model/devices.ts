/* SPDX-License-Identifier: Apache-2.0 */
/* The list of devices: loaded page by page as the reader scrolls, kept true by events. A device that
 * leaves stays in its place, marked, until the list is loaded anew: rows don't jump under a hand. */
import { batch, signal } from "@preact/signals";
import { Problem } from "../api/problem";
import type { ClientInfo, ClientPage, ServerEvent } from "../api/types";

export const PAGE_SIZE = 200;

export type Presence = "registered" | "deregistered" | "expired";

export interface DeviceRow {
  endpoint: string;
  info: ClientInfo;
  presence: Presence;
  /** When we last heard of it, ms. */
  seenAt: number;
}

export type ListClients = (q: string, after: string | null, limit: number, signal?: AbortSignal) => Promise<ClientPage>;

export class DeviceList {
  readonly rows = signal<readonly DeviceRow[]>([]);
  readonly total = signal<number | undefined>(undefined);
  readonly query = signal("");
  readonly loading = signal(false);
  readonly more = signal(false);
  readonly error = signal<Problem | undefined>(undefined);
  private readonly byEndpoint = new Map<string, DeviceRow>();
  private order: string[] = [];
  private next: string | null = null;
  private abort: AbortController | undefined;
  private changed = false;

  constructor(private readonly list: ListClients) {}

  /** Loads the first page for the query, dropping what was there. */
  async load(query = this.query.value): Promise<void> {
    this.query.value = query;
    await this.fetchPage(null);
  }

  /** Loads the next page, if there is one and none is on its way. */
  async loadMore(): Promise<void> {
    if (this.next !== null && !this.loading.value) await this.fetchPage(this.next);
  }

  private async fetchPage(after: string | null): Promise<void> {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.loading.value = true;
    try {
      const page = await this.list(this.query.value, after, PAGE_SIZE, abort.signal);
      if (this.abort !== abort) return;
      batch(() => this.take(page, after === null));
    } catch (error) {
      if (this.abort === abort) this.error.value = Problem.from(error);
    } finally {
      if (this.abort === abort) this.loading.value = false;
    }
  }

  private take(page: ClientPage, first: boolean): void {
    if (first) {
      this.byEndpoint.clear();
      this.order = [];
    }
    for (const info of page.clients) this.upsert(info, false);
    this.next = page.next;
    this.more.value = page.next !== null;
    this.total.value = page.total;
    this.error.value = undefined;
    this.changed = true;
    this.flush();
  }

  private upsert(info: ClientInfo, front: boolean): void {
    if (!this.byEndpoint.has(info.endpoint)) {
      if (front) this.order.unshift(info.endpoint);
      else this.order.push(info.endpoint);
    }
    this.byEndpoint.set(info.endpoint, {
      endpoint: info.endpoint, info, presence: "registered", seenAt: Date.parse(info.updatedAt),
    });
    this.changed = true;
  }

  private matches(endpoint: string): boolean {
    return endpoint.toLowerCase().includes(this.query.value.toLowerCase());
  }

  /** Takes an event into account; the rows change at the next flush. */
  apply(event: ServerEvent): void {
    if (event.type === "gap") return;
    const row = this.byEndpoint.get(event.endpoint);
    switch (event.type) {
      case "registered":
        // A re-registration of a device beyond the loaded pages would be counted twice: total is
        // corrected by the next load, and only grows here for a name we show as gone or not at all.
        if (this.total.value !== undefined && (!row || row.presence !== "registered")) this.total.value += 1;
        if (row || this.matches(event.endpoint)) this.upsert(event.client, true);
        break;
      case "updated":
        if (row) this.upsert(event.client, false);
        break;
      case "deregistered":
      case "expired":
        if (event.type === "deregistered" && event.replaced) break;
        if (this.total.value !== undefined && this.total.value > 0) this.total.value -= 1;
        // A newer registration of the same name may already stand in the row.
        if (row && row.info.registrationId === event.registrationId) {
          this.byEndpoint.set(event.endpoint, { ...row, presence: event.type, seenAt: Date.parse(event.time) });
          this.changed = true;
        }
        break;
      case "presence":
        if (row && row.info.registrationId === event.registrationId) {
          this.byEndpoint.set(event.endpoint, { ...row, info: event.client });
          this.changed = true;
        }
        break;
      case "request":
        break;
      case "notification":
      case "send":
        if (row) {
          this.byEndpoint.set(event.endpoint, { ...row, seenAt: Date.parse(event.time) });
          this.changed = true;
        }
        break;
    }
  }

  get(endpoint: string): DeviceRow | undefined {
    return this.byEndpoint.get(endpoint);
  }

  /** Makes the changes since the last flush visible. */
  flush(): void {
    if (!this.changed) return;
    this.changed = false;
    this.rows.value = this.order.map((endpoint) => this.byEndpoint.get(endpoint) as DeviceRow);
  }
}
