/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import { instanceBody, nextItemId, resourceBody, type ResourceDraft } from "../src/model/draft";

const draft = (more: Partial<ResourceDraft>): ResourceDraft => ({
  id: 1, name: "Thing", type: "integer", unit: "", range: "", multiple: false, mandatory: false, unmodelled: false, include: true,
  single: "1", items: [], ...more,
});

describe("bodies", () => {
  it("of resources", () => {
    expect(resourceBody(draft({ single: "18446744073709551615", type: "unsigned" }))).toEqual({ ok: true, body: { value: 18446744073709551615n } });
    expect(resourceBody(draft({ unmodelled: true, type: "time", single: "0" }))).toEqual({ ok: true, body: { type: "time", value: "1970-01-01T00:00:00Z" } });
    expect(resourceBody(draft({ multiple: true, items: [{ id: "3", draft: "7" }, { id: "0", draft: "8" }] })))
      .toEqual({ ok: true, body: { values: [{ id: 3, value: 7 }, { id: 0, value: 8 }] } });
    expect(resourceBody(draft({ multiple: true }))).toEqual({ ok: true, body: { values: [] } });
  });
  const bad: [string, Partial<ResourceDraft>][] = [
    ["a value that does not parse", { single: "x" }],
    ["one of several that does not parse", { multiple: true, items: [{ id: "0", draft: "x" }] }],
    ["an id that is none", { multiple: true, items: [{ id: "a", draft: "1" }] }],
    ["an id out of range", { multiple: true, items: [{ id: "65535", draft: "1" }] }],
    ["an id used twice", { multiple: true, items: [{ id: "1", draft: "1" }, { id: "01", draft: "2" }] }],
  ];
  it.each(bad)("are refused for %s, and say which", (_, more) => {
    expect(resourceBody(draft(more))).toMatchObject({ ok: false, error: expect.stringContaining("Thing") as string });
  });
  it("of instances", () => {
    const drafts = [draft({}), draft({ id: 2, include: false, single: "x" }), draft({ id: 3, type: "boolean", single: "true" })];
    expect(instanceBody(drafts, "")).toEqual({ ok: true, body: { resources: [{ id: 1, value: 1 }, { id: 3, value: true }] } });
    expect(instanceBody([], " 5 ")).toEqual({ ok: true, body: { id: 5, resources: [] } });
    expect(instanceBody([], "65535").ok).toBe(false);
    expect(instanceBody([draft({ single: "" })], "").ok).toBe(false);
  });
  it("offer the next free id", () => {
    expect(nextItemId([])).toBe("0");
    expect(nextItemId([{ id: "4", draft: "" }, { id: "x", draft: "" }])).toBe("5");
  });
});
