/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers over time for the charts: bounded rings, one per endpoint and path, kept while the page
 * is open. */
import { signal } from "@preact/signals";

export const MAX_POINTS = 3600;
export const MAX_SERIES = 400;

export class Series {
  readonly version = signal(0);
  /** Whether it ever moved: a line that never does needs no chart. */
  readonly varies = signal(false);
  private times: number[] = [];
  private values: number[] = [];

  constructor(readonly path: string) {}

  get length(): number {
    return this.times.length;
  }

  get firstTime(): number | undefined {
    return this.times[0];
  }

  get lastValue(): number | undefined {
    return this.values[this.values.length - 1];
  }

  /** Adds a point; time in ms. A point that is not newer than the last one replaces it. */
  append(timeMs: number, value: number): void {
    const seconds = timeMs / 1000;
    const last = this.times[this.times.length - 1];
    if (this.lastValue !== undefined && this.lastValue !== value) this.varies.value = true;
    if (last !== undefined && seconds <= last) {
      this.values[this.values.length - 1] = value;
    } else {
      this.times.push(seconds);
      this.values.push(value);
      // Dropping a quarter at a time keeps the cost of a full ring low.
      if (this.times.length > MAX_POINTS) {
        this.times = this.times.slice(MAX_POINTS / 4);
        this.values = this.values.slice(MAX_POINTS / 4);
      }
    }
    this.version.value += 1;
  }

  /** Times in seconds and values, from the given time on, with one point before it so that the line enters from the edge. */
  window(fromSeconds: number): [number[], number[]] {
    let at = this.times.findIndex((time) => time >= fromSeconds);
    if (at < 0) at = this.times.length;
    at = Math.max(0, at - 1);
    return [this.times.slice(at), this.values.slice(at)];
  }
}

/** All series; the one touched longest ago goes when there are too many. */
export class SeriesStore {
  readonly version = signal(0);
  private readonly map = new Map<string, Series>();

  append(endpoint: string, path: string, timeMs: number, value: number): void {
    const key = `${endpoint}\n${path}`;
    let series = this.map.get(key);
    if (series) {
      this.map.delete(key);
      this.map.set(key, series);
    } else {
      series = new Series(path);
      this.map.set(key, series);
      const oldest = this.map.keys().next();
      if (this.map.size > MAX_SERIES && !oldest.done) this.map.delete(oldest.value);
      this.version.value += 1;
    }
    series.append(timeMs, value);
  }

  get(endpoint: string, path: string): Series | undefined {
    return this.map.get(`${endpoint}\n${path}`);
  }

  of(endpoint: string): Series[] {
    const prefix = `${endpoint}\n`;
    return [...this.map.entries()].filter(([key]) => key.startsWith(prefix)).map(([, series]) => series);
  }
}
