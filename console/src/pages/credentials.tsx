/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of devices: which there are, and the form that makes, replaces and removes them. A secret goes in, and never comes out. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import * as rest from "../api/client";
import { Problem } from "../api/problem";
import type { Credential } from "../api/types";
import { serverInfo } from "../app-state";
import {
  credentialBody, describeCredential, deviceCommand, emptyCredential, generateKey, isPattern, type CredentialDraft, type CredentialMode,
} from "../model/credential";
import { formatRoute } from "../model/route";
import { SECURITY_TEXTS } from "../model/security";
import { Ago, Button, ProblemBox, Segments } from "../ui/bits";
import { Confirm } from "../ui/dialog";
import { NameList, useNames } from "../ui/names";

const NEW = "+"; // no endpoint is asked for by this name: its route is "#/credentials/%2B"
const MODES: { value: CredentialMode; label: string }[] = [
  { value: "psk", label: "Pre-shared key" }, { value: "rpk", label: "Raw public key" }, { value: "x509", label: "Certificate" },
];

interface FieldProps {
  id: keyof CredentialDraft;
  label: string;
  hint?: string;
  rows?: number;
  draft: CredentialDraft;
  fault: { field: keyof CredentialDraft; error: string } | undefined;
  onChange: (draft: CredentialDraft) => void;
  readOnly?: boolean;
}

function Field({ id, label, hint, rows, draft, fault, onChange, readOnly = false }: FieldProps) {
  const error = fault?.field === id ? fault.error : undefined;
  const common = {
    class: "mono", "aria-label": label, value: draft[id], readOnly, autoComplete: "off", spellcheck: false,
    "aria-invalid": error !== undefined, "aria-describedby": error ? `${id}-error` : hint ? `${id}-hint` : undefined,
    onInput: (event: { currentTarget: { value: string } }) => onChange({ ...draft, [id]: event.currentTarget.value }),
  };
  return (
    <label class="field">
      <span>{label}</span>
      {rows ? <textarea rows={rows} {...common} /> : <input type="text" {...common} />}
      {hint && !error && <span class="hint" id={`${id}-hint`}>{hint}</span>}
      {error && <span class="hint bad" id={`${id}-error`}>{error}</span>}
    </label>
  );
}

function secureAddress(keeper: rest.Keeper): string {
  const addresses = (keeper === "bootstrap" ? serverInfo.value?.bootstrap?.addresses : serverInfo.value?.addresses) ?? [];
  return addresses.find((address) => address.startsWith("coaps://")) ?? addresses.find((address) => address.startsWith("coaps+tcp://")) ?? "coaps://SERVER:5684";
}

/** Shown once, after a key was stored. */
function DeviceSide({ command }: { command: string }) {
  const copied = useSignal(false);
  return (
    <section class="once" aria-labelledby="once-title">
      <h3 id="once-title">For the device, shown this once</h3>
      <pre class="prose" tabIndex={0}><code>{command}</code></pre>
      <Button icon="copy" label={copied.value ? "Copied" : "Copy"} onClick={() => {
        void navigator.clipboard?.writeText(command).then(() => { copied.value = true; });
      }} />
    </section>
  );
}

function Form({ keeper, existing, onSaved, onRemoved }: {
  keeper: rest.Keeper; existing: Credential | undefined; onSaved: (credential: Credential) => void; onRemoved: (endpoint: string) => void;
}) {
  const [draft, setDraft] = useState<CredentialDraft>(() => ({
    ...emptyCredential(existing?.endpoint), mode: existing?.mode ?? "psk", identity: existing?.identity ?? "",
    publicKey: existing?.public_key ?? "", name: existing?.name ?? "",
  }));
  const [fault, setFault] = useState<FieldProps["fault"]>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [command, setCommand] = useState<string | undefined>(undefined);
  const form = useRef<HTMLFormElement>(null);
  const change = (next: CredentialDraft): void => {
    setDraft(next);
    setFault(undefined);
  };
  const save = async (): Promise<void> => {
    const built = credentialBody(draft);
    if (!built.ok) {
      setFault(built);
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setBusy(true);
    setProblem(undefined);
    try {
      const endpoint = draft.endpoint.trim();
      const saved = await rest.putCredential(keeper, endpoint, built.body);
      setCommand(built.body.mode === "psk" && !isPattern(endpoint) ? deviceCommand(endpoint, built.body, secureAddress(keeper), keeper) : undefined);
      setDraft({ ...draft, key: "" });
      onSaved(saved);
    } catch (error) {
      setProblem(Problem.from(error));
    }
    setBusy(false);
  };
  const remove = async (): Promise<void> => {
    setAsking(false);
    try {
      await rest.deleteCredential(keeper, draft.endpoint);
      onRemoved(draft.endpoint);
    } catch (error) {
      setProblem(Problem.from(error));
    }
  };
  const field = { draft, fault, onChange: change };
  return (
    <form ref={form} class="stack" noValidate onSubmit={(event) => {
      event.preventDefault();
      void save();
    }}>
      <Field id="endpoint" label="Endpoint name" hint="A name, or a pattern with * and ?" readOnly={existing !== undefined} {...field} />
      <Segments label="Kind of credential" value={draft.mode} options={MODES} onChange={(mode) => change({ ...draft, mode })} />
      {draft.mode === "psk" && (
        <>
          <Field id="identity" label="Identity" hint="Empty: the endpoint name" {...field} />
          <Field id="key" label="Key (hexadecimal)" hint={existing?.mode === "psk" ? "The stored key is not shown; this one takes its place" : "16 bytes or more"} {...field} />
          <div><Button icon="refresh" label="Generate a key" onClick={() => change({ ...draft, key: generateKey() })} /></div>
        </>
      )}
      {draft.mode === "rpk" && <Field id="publicKey" label="The device’s public key" rows={5} hint="PEM, or the SubjectPublicKeyInfo as hexadecimal digits" {...field} />}
      {draft.mode === "x509" && (
        <>
          <Field id="name" label="Name in the certificate" hint="Empty: the endpoint name itself" {...field} />
          <Field id="certificate" label="Only this certificate (PEM)" rows={5} hint="Empty: any that a trusted authority has issued" {...field} />
        </>
      )}
      {problem && <ProblemBox problem={problem} />}
      <div class="buttons">
        <Button label={existing ? "Replace" : "Store"} icon="check" kind="primary" submit busy={busy} />
        {existing && <Button label="Remove" icon="delete" kind="danger" onClick={() => setAsking(true)} />}
      </div>
      {command && <DeviceSide command={command} />}
      {asking && (
        <Confirm title={`Remove the credential of ${draft.endpoint}?`} action="Remove" onDone={(yes) => { if (yes) void remove(); else setAsking(false); }}>
          <p>Its sessions end, and the device can’t come back until it has another one.</p>
        </Confirm>
      )}
    </form>
  );
}

const linkTo = (keeper: rest.Keeper, endpoint: string | undefined): string =>
  formatRoute(keeper === "bootstrap" ? { page: "bootstrap", tab: "credentials", endpoint } : { page: "credentials", endpoint });

/** Of devices towards the LwM2M server, or towards the bootstrap server; `head` names the page. */
export function CredentialsPage({ endpoint, keeper, head }: { endpoint: string | undefined; keeper: rest.Keeper; head: ComponentChildren }) {
  const names = useNames(async (...question) => {
    const { credentials, ...page } = await rest.listCredentials(keeper, ...question);
    return { ...page, items: credentials };
  });
  const existing = endpoint === undefined || endpoint === NEW ? undefined : names.list.value?.find((item) => item.endpoint === endpoint);
  const open = endpoint === NEW || existing !== undefined;
  return (
    <div class="page models credentials">
      <div class="page-head">
        {head}
        <span class="muted count" role="status">{names.list.value ? `${names.total.value}` : ""}</span>
        <span class="grow" />
        <a class="button primary" href={linkTo(keeper, NEW)}>New credential</a>
        <Button icon="refresh" label="Reload the credentials" compact kind="quiet" onClick={() => void names.load()} />
      </div>
      <div class={`split${open ? " open" : ""}`}>
        <NameList names={names} label="Credentials" icon="key" empty="No device has a credential yet" noMatch="No credential matches"
          linkTo={(name) => linkTo(keeper, name)} current={endpoint} row={(item) => (
            <>
              <span class="name"><code>{item.endpoint}</code><span class="muted small block">{describeCredential(item)}</span></span>
              {item.staged && <span class="tag">one staged</span>}
              <span class="tag">{SECURITY_TEXTS[item.mode]}</span>
            </>
          )} />
        {open && (
          <section class="pane inspector" aria-label={existing ? `Credential of ${existing.endpoint}` : "A new credential"}>
            <header class="head">
              <div>
                <h2>{existing ? existing.endpoint : "New credential"}</h2>
                {existing && <span class="muted small">changed <Ago at={existing.changed} /></span>}
              </div>
              <a class="button quiet compact" href={linkTo(keeper, undefined)} aria-label="Close the form" title="Close">×</a>
            </header>
            {existing?.staged && (
              <p class="hint">
                A bootstrap has handed out another one, {SECURITY_TEXTS[existing.staged.mode]}, <Ago at={existing.staged.since} />.
                Both hold until the device is known to have it. To store another credential here ends it.
              </p>
            )}
            <Form key={existing ? existing.endpoint : NEW} keeper={keeper} existing={existing}
              onSaved={() => void names.load()}
              onRemoved={() => {
                location.hash = linkTo(keeper, undefined);
                void names.load();
              }} />
          </section>
        )}
      </div>
    </div>
  );
}
