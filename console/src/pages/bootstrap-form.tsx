/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a bootstrap configuration: accounts with the fields that go with their mode, who may do what, what is deleted and written. */
import type { ComponentChildren } from "preact";
import {
  addServer, BOOTSTRAP_OWNER, newAccess, removeServer, renameServer, RIGHTS, type AccessDraft, type BootstrapDraft, type BootstrapMode, type ServerDraft,
} from "../model/bootstrap";
import { Button, Segments } from "../ui/bits";

export interface FormFault {
  field: string;
  error: string;
}

interface FieldProps {
  /** As the model names it: "servers.0.ssid". */
  at: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  fault: FormFault | undefined;
  hint?: string | undefined;
  rows?: number;
  readOnly?: boolean;
}

function Field({ at, label, value, onChange, fault, hint, rows, readOnly = false }: FieldProps) {
  const error = fault?.field === at ? fault.error : undefined;
  const id = `field-${at.replaceAll(".", "-")}`;
  const common = {
    class: "mono", value, readOnly, autoComplete: "off", spellcheck: false, "aria-label": label, "aria-invalid": error !== undefined,
    "aria-describedby": error || hint ? `${id}-hint` : undefined,
    onInput: (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value),
  };
  return (
    <label class="field">
      <span>{label}</span>
      {rows ? <textarea rows={rows} {...common} /> : <input type="text" {...common} />}
      {(error ?? hint) && <span class={error ? "hint bad" : "hint"} id={`${id}-hint`}>{error ?? hint}</span>}
    </label>
  );
}

function Check({ label, checked, onChange }: { label: ComponentChildren; checked: boolean; onChange: (on: boolean) => void }) {
  return <label class="check"><input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} /><span>{label}</span></label>;
}

const MODE_OPTIONS: { value: BootstrapMode; label: string }[] = [
  { value: "psk", label: "Pre-shared key" }, { value: "rpk", label: "Raw public key" }, { value: "x509", label: "Certificate" },
  { value: "est", label: "EST" }, { value: "nosec", label: "None" },
];

interface Part<T> {
  value: T;
  at: string;
  fault: FormFault | undefined;
  onChange: (value: T) => void;
}

const KEPT = "Kept by the server and not shown; empty leaves it as it is";

/** What goes with the mode, and nothing else. */
function SecurityFields({ value, at, fault, onChange, mayMint }: Part<ServerDraft> & { mayMint: boolean }) {
  const other = value.uri.trim() !== "";
  const kept = value.stored === value.mode ? KEPT : undefined;
  const field = (name: "identity" | "secret" | "publicKey" | "certificate" | "serverKey") =>
    ({ at: `${at}.${name}`, value: value[name], fault, onChange: (text: string) => onChange({ ...value, [name]: text }) });
  const theirs = (label: string) => (
    <Field label={label} rows={4} hint={other ? "PEM or hexadecimal digits" : "Empty: this server’s own"} {...field("serverKey")} />
  );
  switch (value.mode) {
    case "nosec": return null;
    case "psk": return (
      <>
        {!other && (mayMint || value.mint)
          && <Check label="Make a key for each device" checked={value.mint} onChange={(mint) => onChange({ ...value, mint })} />}
        {fault?.field === `${at}.mint` && <span class="hint bad" role="alert">{fault.error}</span>}
        {(other || !value.mint) && (
          <>
            <Field label="Identity" {...field("identity")} />
            <Field label="Key (hexadecimal)" hint={kept ?? "16 bytes or more"} {...field("secret")} />
          </>
        )}
      </>
    );
    case "rpk": return (
      <>
        <Field label="The device’s private key" rows={4} hint={kept ?? "PEM, or PKCS#8 as hexadecimal digits"} {...field("secret")} />
        <Field label="The device’s public key" rows={4} hint="Empty: that of the private key" {...field("publicKey")} />
        {theirs("The server’s public key")}
      </>
    );
    case "x509": return (
      <>
        <Field label="The device’s certificate (PEM)" rows={4} {...field("certificate")} />
        <Field label="Its private key" rows={4} hint={kept ?? "PEM, or PKCS#8 as hexadecimal digits"} {...field("secret")} />
        {theirs("The server’s certificate")}
      </>
    );
    case "est": return (
      <>
        <p class="muted small">The device makes its key, which never leaves it, and asks the bootstrap server for its certificate.</p>
        {theirs("The server’s certificate")}
      </>
    );
  }
}

function ServerFields({ draft, index, value, at, fault, onChange, onRename, onRemove }: Part<ServerDraft> & {
  draft: BootstrapDraft; index: number; onRename: (ssid: string) => void; onRemove: () => void;
}) {
  const mayMint = !draft.servers.some((one) => one.key !== value.key && one.uri.trim() === "" && one.mode === "psk" && one.mint);
  const field = (name: "uri" | "lifetime" | "binding" | "more") =>
    ({ at: `${at}.${name}`, value: value[name], fault, onChange: (text: string) => onChange({ ...value, [name]: text }) });
  return (
    <fieldset class="part">
      <legend>Server {index + 1}</legend>
      <div class="pair">
        <Field at={`${at}.ssid`} label="Short Server ID" value={value.ssid} fault={fault} onChange={onRename} />
        <Field label="Lifetime (seconds)" {...field("lifetime")} />
      </div>
      <Field label="URI" hint="Empty: this server" {...field("uri")} />
      <Segments label={`Security of server ${index + 1}`} value={value.mode} options={MODE_OPTIONS} onChange={(mode) => onChange({ ...value, mode, mint: mode === "psk" && mayMint })} />
      <SecurityFields value={value} at={at} fault={fault} onChange={onChange} mayMint={mayMint} />
      <Field label="Binding" hint="Empty: U or T, as the URI says" {...field("binding")} />
      <details open={value.more !== "" || fault?.field === `${at}.more`}>
        <summary>Further members</summary>
        <Field label={`Further members of server ${index + 1} (JSON)`} rows={4} hint="Such as pmin, pmax, registration, instances" {...field("more")} />
      </details>
      <div><Button icon="delete" label={`Remove server ${index + 1}`} onClick={onRemove} /></div>
    </fieldset>
  );
}

function AccessFields({ value, at, fault, onChange, index, ssids, onRemove }: Part<AccessDraft> & { index: number; ssids: string[]; onRemove: () => void }) {
  const set = (who: string, bit: number, on: boolean): void =>
    onChange({ ...value, rights: { ...value.rights, [who]: ((value.rights[who] ?? 0) & ~bit) | (on ? bit : 0) } });
  const error = fault?.field === `${at}.owner` ? fault.error : undefined;
  return (
    <fieldset class="part">
      <legend>Access {index + 1}</legend>
      <div class="pair">
        <Field at={`${at}.object`} label="Object" value={value.object} fault={fault} onChange={(object) => onChange({ ...value, object })} />
        <Field at={`${at}.instance`} label="Instance" hint="Empty: the Object itself" value={value.instance} fault={fault} onChange={(instance) => onChange({ ...value, instance })} />
      </div>
      <label class="field">
        <span>Owner</span>
        <select aria-label={`Owner of access ${index + 1}`} value={value.owner} onChange={(event) => onChange({ ...value, owner: event.currentTarget.value })}>
          {ssids.map((ssid) => <option key={ssid} value={ssid}>Server {ssid}</option>)}
          <option value={BOOTSTRAP_OWNER}>The bootstrap server alone</option>
        </select>
        {error && <span class="hint bad">{error}</span>}
      </label>
      {[...ssids, "default"].map((who) => (
        <fieldset key={who} class="rights">
          <legend>{who === "default" ? "All others" : `Server ${who}`}</legend>
          {RIGHTS.map(({ bit, label }) => <Check key={bit} label={label} checked={((value.rights[who] ?? 0) & bit) !== 0} onChange={(on) => set(who, bit, on)} />)}
        </fieldset>
      ))}
      <div><Button icon="delete" label={`Remove access ${index + 1}`} onClick={onRemove} /></div>
    </fieldset>
  );
}

const replaced = <T extends { key: number }>(list: readonly T[], value: T): T[] => list.map((one) => (one.key === value.key ? value : one));

export function BootstrapFields({ draft, fault, onChange, existing }: {
  draft: BootstrapDraft; fault: FormFault | undefined; onChange: (draft: BootstrapDraft) => void; existing: boolean;
}) {
  const ssids = [...new Set(draft.servers.map((server) => server.ssid).filter((ssid) => ssid !== ""))];
  const whole = fault && (fault.field === "servers" || fault.field === "access") ? fault.error : undefined;
  return (
    <>
      <Field at="endpoint" label="Endpoint name" hint="A name, or a pattern with * and ?" readOnly={existing} value={draft.endpoint} fault={fault}
        onChange={(endpoint) => onChange({ ...draft, endpoint })} />
      {draft.servers.map((server, index) => (
        <ServerFields key={server.key} draft={draft} index={index} value={server} at={`servers.${index}`} fault={fault}
          onChange={(value) => onChange({ ...draft, servers: replaced(draft.servers, value) })}
          onRename={(ssid) => onChange(renameServer(draft, server.key, ssid))}
          onRemove={() => onChange(removeServer(draft, server.key))} />
      ))}
      <div><Button icon="create" label="Add a server" onClick={() => onChange(addServer(draft))} /></div>
      {draft.access.map((row, index) => (
        <AccessFields key={row.key} index={index} value={row} at={`access.${index}`} fault={fault} ssids={ssids}
          onChange={(value) => onChange({ ...draft, access: replaced(draft.access, value) })}
          onRemove={() => onChange({ ...draft, access: draft.access.filter((one) => one.key !== row.key) })} />
      ))}
      <div><Button icon="create" label="Add a row of access control" onClick={() => onChange({ ...draft, access: [...draft.access, newAccess(draft)] })} /></div>
      {whole && <p class="hint bad" role="alert">{whole}</p>}
      <Field at="deletes" label="Deleted first" hint="Paths such as /1 /3303/0; empty: all accounts, and access control where it is written" value={draft.deletes} fault={fault}
        onChange={(deletes) => onChange({ ...draft, deletes })} />
      <Field at="write" label="Further values (JSON)" rows={4} hint={'By path: {"/3303/0": {"5701": "Cel"}}'} value={draft.write} fault={fault}
        onChange={(write) => onChange({ ...draft, write })} />
      <Check label="Devices may be bootstrapped without security, too" checked={draft.allowInsecure} onChange={(allowInsecure) => onChange({ ...draft, allowInsecure })} />
      <details open={draft.more !== "" || fault?.field === "more"}>
        <summary>Further members</summary>
        <Field at="more" label="Further members of the configuration (JSON)" rows={4} hint="Such as account, verify, write_objects, format" value={draft.more} fault={fault}
          onChange={(more) => onChange({ ...draft, more })} />
      </details>
    </>
  );
}
