/* SPDX-License-Identifier: Apache-2.0 */
import { webcrypto } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import type { Credential } from "../src/api/types";
import { credentialBody, describeCredential, deviceCommand, emptyCredential, generateKey, shellWord, type CredentialDraft } from "../src/model/credential";
import { formatRoute, parseRoute } from "../src/model/route";

const KEY = "000102030405060708090a0b0c0d0e0f";
const draft = (change: Partial<CredentialDraft>): CredentialDraft => ({ ...emptyCredential("pump-1"), ...change });

describe("the body of a credential", () => {
  it("is what the form says", () => {
    expect(credentialBody(draft({ key: KEY }))).toEqual({ ok: true, body: { mode: "psk", key: KEY } });
    expect(credentialBody(draft({ key: "00:01 02:03 04:05 06:0A", identity: " id " }))).toEqual({ ok: true, body: { mode: "psk", identity: "id", key: "000102030405060a" } });
    expect(credentialBody(draft({ mode: "rpk", publicKey: "PEM\n" }))).toEqual({ ok: true, body: { mode: "rpk", public_key: "PEM" } });
    expect(credentialBody(draft({ mode: "x509" }))).toEqual({ ok: true, body: { mode: "x509" } });
    expect(credentialBody(draft({ mode: "x509", name: "n", certificate: "c" }))).toEqual({ ok: true, body: { mode: "x509", name: "n", certificate: "c" } });
  });

  it.each([
    ["no endpoint", { endpoint: " ", key: KEY }, "endpoint"],
    ["no key", { key: "" }, "key"],
    ["half a digit pair", { key: `${KEY}0` }, "key"],
    ["no digits", { key: "secret word" }, "key"],
    ["a short key", { key: "00010203040506" }, "key"],
    ["a long key", { key: "00".repeat(65) }, "key"],
    ["a long identity", { key: KEY, identity: "ü".repeat(65) }, "identity"],
    ["a pattern without identity", { endpoint: "pump-*", key: KEY }, "identity"],
    ["a raw public key for a pattern", { endpoint: "pump-?", mode: "rpk" as const, publicKey: "x" }, "endpoint"],
    ["a raw public key that is missing", { mode: "rpk" as const }, "publicKey"],
  ])("is refused: %s", (_, change, field) => {
    const built = credentialBody(draft(change));
    expect(built.ok).toBe(false);
    if (!built.ok) expect(built.field).toBe(field);
  });
});

// Node 18 has no global of that name, as browsers do.
if (globalThis.crypto === undefined) {
  vi.stubGlobal("crypto", webcrypto);
}

describe("a generated key", () => {
  it("has 16 bytes, and is another one each time", () => {
    const [a, b] = [generateKey(), generateKey()];
    expect(a).toMatch(/^[0-9a-f]{32}$/);
    expect(b).not.toBe(a);
  });
});

describe("the device's side", () => {
  it("is a command that can be pasted", () => {
    expect(deviceCommand("pump 1", { mode: "psk", key: KEY }, "coaps://h:5684"))
      .toBe(`dunlin client -e 'pump 1' -u coaps://h:5684 --identity 'pump 1' --key hex:${KEY}`);
    expect(deviceCommand("p", { mode: "psk", identity: "i", key: KEY }, "coaps://h")).toContain("--identity i ");
    expect(shellWord("it's")).toBe("'it'\\''s'");
    expect(shellWord("")).toBe("''");
  });
});

describe("a credential in a line", () => {
  const base = { endpoint: "e", pattern: false, state: "current" as const, created: "", changed: "" };
  it.each<[Credential, string]>([
    [{ ...base, mode: "psk", identity: "i", key_bits: 128 }, "identity i, key of 128 bits"],
    [{ ...base, mode: "psk", identity_hex: "ff00", key_bits: 64 }, "identity hex ff00, key of 64 bits"],
    [{ ...base, mode: "rpk", public_key_sha256: "0123456789abcdef01" }, "public key 0123456789abcdef…"],
    [{ ...base, mode: "x509" }, "the certificate names the endpoint"],
    [{ ...base, mode: "x509", name: "n", fingerprint: "0123456789abcdef01" }, "name n, only certificate 0123456789abcdef…"],
  ])("%j", (credential, text) => expect(describeCredential(credential)).toBe(text));
});

describe("the route of a credential", () => {
  it.each(["pump/1", "+", "a*"])("goes there and back: %s", (endpoint) => {
    const route = { page: "credentials" as const, endpoint };
    expect(parseRoute(formatRoute(route))).toEqual(route);
  });
});
