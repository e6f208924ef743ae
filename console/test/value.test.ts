/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import type { ValueType } from "../src/api/types";
import { formatDuration, formatUnit, formatValue, fromBase64, fromHex, parseDraft, rangeWarning, toBase64, toDraft, toHex } from "../src/model/value";

const good: [ValueType, string, unknown][] = [
  ["integer", "42", 42], ["integer", " -7 ", -7], ["integer", "+5", 5],
  ["integer", "9223372036854775807", 9223372036854775807n], ["integer", "-9223372036854775808", -9223372036854775808n],
  ["integer", "9007199254740991", 9007199254740991], ["integer", "9007199254740993", 9007199254740993n],
  ["unsigned", "18446744073709551615", 18446744073709551615n], ["unsigned", "0", 0],
  ["float", "21.5", 21.5], ["float", "-1e-3", -0.001], ["float", ".5", 0.5], ["float", "nan", "NaN"], ["float", "-Infinity", "-Infinity"],
  ["boolean", "true", true], ["boolean", "false", false],
  ["string", "  kept as it is ", "  kept as it is "], ["string", "", ""], ["corelnk", "</3>", "</3>"],
  ["time", "2026-11-22T03:00:00Z", "2026-11-22T03:00:00Z"], ["time", "2026-11-22T04:00:00+01:00", "2026-11-22T03:00:00Z"],
  ["time", "0", "1970-01-01T00:00:00Z"], ["time", "1795316400", "2026-11-22T03:00:00Z"],
  ["objlnk", "3303:1", "3303:1"], ["objlnk", "65535:65535", "65535:65535"], ["objlnk", "03:00", "3:0"],
  ["opaque", "hex:00 ff:10", "AP8Q"], ["opaque", "hex:", ""], ["opaque", "base64:AP8Q", "AP8Q"], ["opaque", "text:hé", "aMOp"],
];
const bad: [ValueType, string][] = [
  ["integer", ""], ["integer", "1.5"], ["integer", "1e3"], ["integer", "9223372036854775808"], ["integer", "-9223372036854775809"], ["integer", "0x10"],
  ["unsigned", "-1"], ["unsigned", "18446744073709551616"],
  ["float", ""], ["float", "1,5"], ["float", "1e999"], ["float", "."], ["boolean", "yes"],
  ["time", ""], ["time", "yesterday"], ["objlnk", "3303"], ["objlnk", "65536:0"], ["objlnk", "3303:-1"],
  ["opaque", "hex:0"], ["opaque", "hex:zz"], ["opaque", "base64:AP8"], ["opaque", "base64:$$$$"], ["none", "1"],
];

describe("drafts", () => {
  it.each(good)("%s takes %s", (type, draft, value) => {
    expect(parseDraft(type, draft)).toEqual({ ok: true, value });
  });
  it.each(bad)("%s refuses %j", (type, draft) => {
    expect(parseDraft(type, draft).ok).toBe(false);
  });
  it("go back and forth", () => {
    const values: [ValueType, string | number | bigint | boolean][] = [
      ["integer", -9223372036854775808n], ["unsigned", 18446744073709551615n], ["float", 0.1], ["float", "NaN"], ["boolean", true],
      ["string", " a\nb "], ["time", "2026-11-22T03:00:00Z"], ["objlnk", "3:0"], ["opaque", "AP8Q"], ["opaque", toBase64(new Uint8Array(500).fill(7))],
    ];
    for (const [type, value] of values) expect(parseDraft(type, toDraft(type, value)), type).toEqual({ ok: true, value });
  });
});

describe("bytes", () => {
  it("convert", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    expect(fromHex(toHex(bytes))).toEqual(bytes);
    expect(fromHex("0xDEAD-beef")).toEqual(Uint8Array.of(0xde, 0xad, 0xbe, 0xef));
    expect(fromBase64("A")).toBeUndefined();
  });
});

describe("for people", () => {
  it("shows values", () => {
    expect(formatValue("integer", 18446744073709551615n)).toBe("18446744073709551615");
    expect(formatValue("float", 21.123456789)).toBe("21.12346");
    expect(formatValue("float", "NaN")).toBe("NaN");
    expect(formatValue("opaque", "AP8Q")).toBe("00 ff 10");
    expect(formatValue("opaque", "")).toBe("empty");
    expect(formatValue("boolean", false)).toBe("false");
    expect(formatUnit("Cel")).toBe("°C");
    expect(formatUnit("furlong")).toBe("furlong");
  });
  it("shows durations in one unit", () => {
    expect([0, 99, 300, 7200, 86_400 * 3].map(formatDuration)).toEqual(["0 s", "99 s", "5 min", "2 h", "3 d"]);
  });
  it("warns about the model's range, also for 64 bits", () => {
    expect(rangeWarning("0..100", 50)).toBeUndefined();
    expect(rangeWarning("0..100", 101)).toContain("0..100");
    expect(rangeWarning("1-65534", 0)).toContain("refuse");
    expect(rangeWarning("-5..5", 18446744073709551615n)).toBeDefined();
    expect(rangeWarning("0..255 bytes", 300)).toBeUndefined();
    expect(rangeWarning("", 1)).toBeUndefined();
  });
});
