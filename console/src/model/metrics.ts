/* SPDX-License-Identifier: Apache-2.0 */
/* Just enough of the Prometheus text format to show it as a table. */

export interface Metric {
  name: string;
  labels: string;
  value: string;
  help: string;
  type: string;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{.*\})?\s+(\S+)/;

export function parseMetrics(text: string): Metric[] {
  const help = new Map<string, string>();
  const types = new Map<string, string>();
  const out: Metric[] = [];
  for (const line of text.split("\n")) {
    const comment = /^#\s+(HELP|TYPE)\s+(\S+)\s+(.*)$/.exec(line);
    if (comment) {
      (comment[1] === "HELP" ? help : types).set(comment[2] ?? "", comment[3] ?? "");
      continue;
    }
    const found = line.startsWith("#") ? null : SAMPLE.exec(line);
    if (!found) continue;
    const name = found[1] ?? "";
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count|total)$/, "");
    out.push({
      name, labels: (found[2] ?? "").slice(1, -1), value: found[3] ?? "",
      help: help.get(family) ?? help.get(name) ?? "", type: types.get(family) ?? types.get(name) ?? "",
    });
  }
  return out;
}
