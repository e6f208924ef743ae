/* SPDX-License-Identifier: Apache-2.0 */
import { describe, expect, it } from "vitest";
import { parseJson, stringifyJson } from "../src/api/json";

describe("parseJson", () => {
  it("keeps 64-bit integers exact", () => {
    for (const text of ["9223372036854775807", "-9223372036854775808", "18446744073709551615", "9007199254740993"]) {
      expect(parseJson(text)).toBe(BigInt(text));
      expect(stringifyJson(parseJson(text))).toBe(text);
    }
    expect(parseJson('{"value":9007199254740991}')).toEqual({ value: 9007199254740991 });
    expect(parseJson("[9007199254740992]")).toEqual([9007199254740992n]);
  });

  it("reads the same as JSON.parse where nothing can be lost", () => {
    // The long number makes sure that it is our reader that reads.
    const long = "12345678901234567";
    const texts = [
      '{"a":[1,2.5,-3e2,true,false,null,"x"],"b":{}}', "[]", "{}", '"\\u0041\\n\\"\\\\\\/\\b\\f\\r\\t\\ud83d\\ude00é"', "  [ 1 , 2 ]\n", "-0.5", "0",
    ];
    for (const text of texts) {
      const [value] = parseJson(`[${text},${long}]`) as [unknown];
      expect(value, text).toEqual(JSON.parse(text));
    }
  });

  it("does not touch the prototype", () => {
    const value = parseJson('{"__proto__":{"polluted":1},"n":12345678901234567890}') as Record<string, unknown>;
    expect(Object.hasOwn(value, "__proto__")).toBe(true);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  const bad: [string, string][] = [
    ["empty", ""], ["trailing text", "1 2"], ["open object", '{"a":1'], ["open array", "[1,"], ["comma at the end", "[1,]"],
    ["no colon", '{"a" 1}'], ["name without quotes", "{a:1}"], ["open string", '"abc'], ["raw line feed in a string", '"a\nb"'],
    ["bad escape", '"\\x"'], ["short \\u", '"\\u12"'], ["leading zero", "01"], ["plus", "+1"], ["point without digits", "1."],
    ["unknown word", "nul"], ["too deep", "[".repeat(200) + "]".repeat(200)],
  ];
  it.each(bad)("refuses: %s", (_, text) => {
    // Beside a long number, so that our reader is used and not JSON.parse.
    expect(() => parseJson(`[12345678901234567890,${text}]`)).toThrow(SyntaxError);
    if (text.length < 100) expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});

describe("stringifyJson", () => {
  it("writes bigint as a number, leaves undefined out", () => {
    expect(stringifyJson({ a: 18446744073709551615n, b: undefined, c: [1n, "x", null], d: {} })).toBe('{"a":18446744073709551615,"c":[1,"x",null],"d":{}}');
  });
  it("indents", () => {
    expect(stringifyJson({ a: [1], b: "x" }, 2)).toBe(JSON.stringify({ a: [1], b: "x" }, null, 2));
  });
});
