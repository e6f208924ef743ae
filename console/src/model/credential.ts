/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts of device credentials: what may be asked of the server, and what the device has to be given. */
import type { Credential, CredentialBody } from "../api/types";

export type CredentialMode = Credential["mode"];

export interface CredentialDraft {
  endpoint: string;
  mode: CredentialMode;
  /** PSK; empty: the endpoint name. */
  identity: string;
  key: string;
  publicKey: string;
  name: string;
  certificate: string;
}

export type CredentialBuilt = { ok: true; body: CredentialBody } | { ok: false; field: keyof CredentialDraft; error: string };

const KEY_BYTES = 16;
const KEY_MIN_BYTES = 8;
const KEY_MAX_BYTES = 64;
const IDENTITY_MAX_BYTES = 128;
const HEX = /^(?:[0-9a-fA-F]{2})+$/;

export const emptyCredential = (endpoint = ""): CredentialDraft =>
  ({ endpoint, mode: "psk", identity: "", key: "", publicKey: "", name: "", certificate: "" });

export const isPattern = (endpoint: string): boolean => /[*?]/.test(endpoint);

/** A key from the browser's generator for secrets, as hexadecimal digits. */
export function generateKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const fault = (field: keyof CredentialDraft, error: string): CredentialBuilt => ({ ok: false, field, error });

function pskBody(draft: CredentialDraft): CredentialBuilt {
  const identity = draft.identity.trim();
  const key = draft.key.replace(/[\s:]/g, "");
  if (identity === "" && isPattern(draft.endpoint)) return fault("identity", "A pattern has no name of its own: give the identity that its devices share.");
  if (new TextEncoder().encode(identity).length > IDENTITY_MAX_BYTES) return fault("identity", `At most ${IDENTITY_MAX_BYTES} bytes.`);
  if (!HEX.test(key)) return fault("key", "The key is pairs of hexadecimal digits.");
  const bytes = key.length / 2;
  if (bytes < KEY_MIN_BYTES || bytes > KEY_MAX_BYTES) return fault("key", `From ${KEY_MIN_BYTES} to ${KEY_MAX_BYTES} bytes; 16 or more are good.`);
  return { ok: true, body: { mode: "psk", ...(identity === "" ? {} : { identity }), key: key.toLowerCase() } };
}

/** The body of a PUT, or which field is wrong. */
export function credentialBody(draft: CredentialDraft): CredentialBuilt {
  if (draft.endpoint.trim() === "") return fault("endpoint", "For which endpoint name?");
  switch (draft.mode) {
    case "psk": return pskBody(draft);
    case "rpk": {
      if (isPattern(draft.endpoint)) return fault("endpoint", "A raw public key is of one device: it can’t stand for a pattern.");
      const key = draft.publicKey.trim();
      return key === "" ? fault("publicKey", "The device’s public key is missing.") : { ok: true, body: { mode: "rpk", public_key: key } };
    }
    case "x509": {
      const name = draft.name.trim();
      const certificate = draft.certificate.trim();
      return { ok: true, body: { mode: "x509", ...(name === "" ? {} : { name }), ...(certificate === "" ? {} : { certificate }) } };
    }
  }
}

/** A word for a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** How `dunlin client` would use a pre-shared key that was just made: the only time it is shown. */
export function deviceCommand(endpoint: string, body: CredentialBody, server: string, keeper: "lwm2m" | "bootstrap" = "lwm2m"): string {
  const identity = body.identity ?? endpoint;
  return ["dunlin client", "-e", shellWord(endpoint), keeper === "bootstrap" ? "--bootstrap" : "-u", shellWord(server), "--identity", shellWord(identity), "--key", `hex:${body.key ?? ""}`].join(" ");
}

/** What a credential shows of itself, in a line. */
export function describeCredential(credential: Credential): string {
  switch (credential.mode) {
    case "psk": return `identity ${credential.identity ?? `hex ${credential.identity_hex ?? ""}`}, key of ${credential.key_bits ?? 0} bits`;
    case "rpk": return `public key ${(credential.public_key_sha256 ?? "").slice(0, 16)}…`;
    case "x509":
      return [credential.name ? `name ${credential.name}` : "the certificate names the endpoint",
        credential.fingerprint ? `only certificate ${credential.fingerprint.slice(0, 16)}…` : ""].filter(Boolean).join(", ");
  }
}
