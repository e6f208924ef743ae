/* SPDX-License-Identifier: Apache-2.0 */
/* JSON without loss: an integer that a double can't hold exactly becomes a bigint, both ways.
 * LwM2M integers have 64 bits; JSON.parse would round them silently. */

export type Json = null | boolean | number | bigint | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** Nesting beyond this is refused: no answer of the server comes near it. */
const MAX_DEPTH = 128;
/** A literal that JSON.parse could round has at least this many digits in a row (2^53 has 16). */
const RISKY_DIGITS = /\d{16}/;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const PLAIN_STRING = /"([^"\\\u0000-\u001f]*)"/y;
const WHITESPACE = /[ \t\n\r]*/y;
const ESCAPES: Record<string, string> = {
  '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t",
};

class Reader {
  private at = 0;
  constructor(private readonly text: string) {}

  document(): Json {
    const value = this.value(0);
    this.space();
    if (this.at !== this.text.length) this.fail("unexpected text after the value");
    return value;
  }

  private fail(what: string): never {
    throw new SyntaxError(`JSON: ${what} at position ${this.at}`);
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  private space(): void {
    this.match(WHITESPACE);
  }

  private peek(): string {
    return this.text[this.at] ?? "";
  }

  private literal<T extends Json>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail("unknown word");
    this.at += word.length;
    return value;
  }

  private value(depth: number): Json {
    if (depth > MAX_DEPTH) this.fail("nested too deeply");
    this.space();
    switch (this.peek()) {
      case "{": return this.object(depth);
      case "[": return this.array(depth);
      case '"': return this.string();
      case "t": return this.literal("true", true);
      case "f": return this.literal("false", false);
      case "n": return this.literal("null", null);
      case "": return this.fail("unexpected end");
      default: return this.number();
    }
  }

  private number(): number | bigint {
    const found = this.match(NUMBER);
    if (!found) this.fail("unexpected character");
    const number = Number(found[0]);
    const isInteger = found[1] === undefined && found[2] === undefined;
    return isInteger && !Number.isSafeInteger(number) ? BigInt(found[0]) : number;
  }

  private string(): string {
    const plain = this.match(PLAIN_STRING);
    if (plain) return plain[1] ?? "";
    let out = "";
    this.at += 1;
    for (;;) {
      const c = this.peek();
      if (c === "" || c < " ") this.fail("string not closed");
      this.at += 1;
      if (c === '"') return out;
      out += c === "\\" ? this.escape() : c;
    }
  }

  private escape(): string {
    const c = this.peek();
    this.at += 1;
    if (c === "u") {
      const hex = this.text.slice(this.at, this.at + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.fail("bad \\u escape");
      this.at += 4;
      return String.fromCharCode(parseInt(hex, 16));
    }
    return ESCAPES[c] ?? this.fail("bad escape");
  }

  private array(depth: number): Json[] {
    const out: Json[] = [];
    this.at += 1;
    this.space();
    if (this.peek() === "]") {
      this.at += 1;
      return out;
    }
    for (;;) {
      out.push(this.value(depth + 1));
      if (this.separator("]")) return out;
    }
  }

  private object(depth: number): JsonObject {
    const out: JsonObject = {};
    this.at += 1;
    this.space();
    if (this.peek() === "}") {
      this.at += 1;
      return out;
    }
    for (;;) {
      this.space();
      if (this.peek() !== '"') this.fail("a name in quotes is expected");
      const key = this.string();
      this.space();
      if (this.peek() !== ":") this.fail("':' is expected");
      this.at += 1;
      const value = this.value(depth + 1);
      // Assignment to "__proto__" would change the prototype, a definition does not.
      Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
      if (this.separator("}")) return out;
    }
  }

  /** Steps over "," or the closing character; true for the latter. */
  private separator(close: string): boolean {
    this.space();
    const c = this.peek();
    if (c !== "," && c !== close) this.fail(`',' or '${close}' is expected`);
    this.at += 1;
    return c === close;
  }
}

/** Parses JSON text; throws a SyntaxError. Integers outside ±(2^53-1) become bigint. */
export function parseJson(text: string): Json {
  return RISKY_DIGITS.test(text) ? new Reader(text).document() : (JSON.parse(text) as Json);
}

/** JSON text of a value; bigint is written as a plain integer, undefined members are left out. */
export function stringifyJson(value: unknown, indent = 0, level = 0): string {
  const open = indent > 0 ? `\n${" ".repeat(indent * (level + 1))}` : "";
  const close = indent > 0 ? `\n${" ".repeat(indent * level)}` : "";
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    const items = value.map((item) => stringifyJson(item ?? null, indent, level + 1));
    return `[${open}${items.join(`,${open}`)}${close}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (members.length === 0) return "{}";
    const colon = indent > 0 ? ": " : ":";
    const items = members.map(([key, member]) =>
      `${JSON.stringify(key)}${colon}${stringifyJson(member, indent, level + 1)}`);
    return `{${open}${items.join(`,${open}`)}${close}}`;
  }
  return JSON.stringify(value) ?? "null";
}
