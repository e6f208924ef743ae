/* SPDX-License-Identifier: Apache-2.0 */
/* The form for the attributes by which a device decides when to notify. */
import { useState } from "preact/hooks";
import type { Attributes } from "../api/client";
import { attributesBody, ATTRIBUTES, type AttributeName } from "../model/attributes";
import type { TreeNode } from "../model/tree";
import { isNumeric } from "../model/value";
import { Button } from "../ui/bits";

/** One field for each attribute that makes sense there; an emptied one is taken away. */
export function AttributesForm({ node, known, busy, onSubmit }: {
  node: TreeNode; known: Record<string, string | null>; busy: boolean; onSubmit: (attributes: Attributes) => void;
}) {
  const [drafts, setDrafts] = useState<Partial<Record<AttributeName, string>>>({});
  const [error, setError] = useState("");
  const numeric = node.depth >= 3 && (node.type === undefined || isNumeric(node.type));
  const shown = ATTRIBUTES.filter((attribute) => !attribute.numeric || numeric);
  const submit = (event: Event): void => {
    event.preventDefault();
    const built = attributesBody(known, drafts);
    setError(built.ok ? "" : built.error);
    if (!built.ok) return;
    onSubmit(built.body);
    setDrafts({});
  };
  return (
    <form class="form" aria-label={`Attributes of ${node.path}`} onSubmit={submit} noValidate>
      {shown.map(({ name, label, unit }) => (
        <label class="field" key={name}>
          <span><code>{name}</code> {label}{unit && <span class="muted"> ({unit})</span>}</span>
          <input class="mono" type="text" inputMode="decimal" autoComplete="off" placeholder="not set"
            value={drafts[name] ?? known[name] ?? ""} onInput={(event) => setDrafts({ ...drafts, [name]: event.currentTarget.value })} />
        </label>
      ))}
      {error && <p class="hint bad" role="alert">{error}</p>}
      <div class="line wrap"><Button submit kind="primary" icon="write" label="Set attributes" busy={busy} /></div>
      <p class="muted small">“Discover” shows what is set now. Attributes belong to this server; the device keeps others’ apart.</p>
    </form>
  );
}
