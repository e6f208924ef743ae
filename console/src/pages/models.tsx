/* SPDX-License-Identifier: Apache-2.0 */
/* The object models that the server knows, and the way to add more (DDF XML). */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import * as rest from "../api/client";
import { Problem } from "../api/problem";
import type { Model } from "../api/types";
import { loadModel, loadModels, models, modelsChanged, modelsProblem } from "../app-state";
import { formatRoute } from "../model/route";
import { formatUnit } from "../model/value";
import { Button, Empty, ProblemBox, SearchBox, Skeleton } from "../ui/bits";
import { Icon } from "../ui/icons";
import { VirtualList } from "../ui/virtual";

interface Uploaded {
  file: string;
  text: string;
  problem: Problem | undefined;
}

function Upload() {
  const results = useSignal<readonly Uploaded[]>([]);
  const busy = useSignal(false);
  const over = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  const send = async (files: Iterable<File>): Promise<void> => {
    busy.value = true;
    const out: Uploaded[] = [];
    for (const file of files) {
      try {
        const added = await rest.uploadModel(await file.text());
        out.push({ file: file.name, problem: undefined, text: added.models.map((m) => `${m.name} (${m.id}, version ${m.version})`).join(", ") });
      } catch (error) {
        out.push({ file: file.name, text: "", problem: Problem.from(error) });
      }
    }
    results.value = out;
    busy.value = false;
    if (input.current) input.current.value = "";
    if (out.some((item) => !item.problem)) await modelsChanged();
  };
  return (
    <div class="upload">
      <label class={`drop${over.value ? " over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          over.value = true;
        }}
        onDragLeave={() => { over.value = false; }}
        onDrop={(event) => {
          event.preventDefault();
          over.value = false;
          void send(event.dataTransfer?.files ?? []);
        }}>
        <input ref={input} type="file" multiple accept=".xml,application/xml,text/xml" disabled={busy.value}
          onChange={(event) => void send([...(event.currentTarget.files ?? [])])} />
        <Icon name="upload" />
        <span>{busy.value ? "Adding…" : "Add models: choose DDF XML files, or drop them here"}</span>
      </label>
      <div aria-live="polite">
        {results.value.map((item) => (item.problem
          ? <div key={item.file}><p class="small"><code>{item.file}</code></p><ProblemBox problem={item.problem} /></div>
          : <p key={item.file} class="outcome good"><Icon name="check" /> <code>{item.file}</code> added {item.text}</p>))}
      </div>
    </div>
  );
}

function ModelPanel({ id, version }: { id: number; version: string | undefined }) {
  const model = useSignal<Model | undefined | "loading">("loading");
  useEffect(() => {
    let current = true;
    model.value = "loading";
    void loadModel(id, version).then((found) => { if (current) model.value = found; });
    return () => { current = false; };
  }, [id, version]);
  const shown = model.value;
  return (
    <section class="pane inspector model" aria-label={`Model ${id}`}>
      <header class="head">
        <div>
          <h2>{shown && shown !== "loading" ? shown.name : `Object ${id}`}</h2>
          {shown && shown !== "loading" && <code class="path">{shown.urn}</code>}
        </div>
        <a class="button quiet compact" href="#/models" aria-label="Close the model" title="Close">×</a>
      </header>
      {shown === "loading" && <Skeleton rows={8} label="Loading the model" />}
      {shown === undefined && <Empty icon="models" title="The server has no such model" />}
      {shown && shown !== "loading" && (
        <>
          <dl class="facts">
            <div><dt>Id</dt><dd><code>{shown.id}</code></dd></div>
            <div><dt>Version</dt><dd><code>{shown.version}</code></dd></div>
            <div><dt>Instances</dt><dd>{shown.multiple ? "multiple" : "single"}</dd></div>
            <div><dt>Required</dt><dd>{shown.mandatory ? "mandatory" : "optional"}</dd></div>
          </dl>
          {shown.description && <p class="prose">{shown.description}</p>}
          <div class="scroll" tabIndex={0} role="region" aria-label="Resources of the model">
            <table>
              <thead><tr>
                <th scope="col">Id</th><th scope="col">Name</th><th scope="col">Operations</th><th scope="col">Type</th>
                <th scope="col">Range</th><th scope="col">Unit</th><th scope="col">Occurs</th>
              </tr></thead>
              <tbody>
                {shown.resources.map((item) => (
                  <tr key={item.id} title={item.description}>
                    <td><code>{item.id}</code></td><th scope="row">{item.name}</th><td><code>{item.operations || "–"}</code></td>
                    <td>{item.type === "none" ? "" : item.type}</td><td><code>{item.range}</code></td><td>{formatUnit(item.unit)}</td>
                    <td>{item.mandatory ? "mandatory" : "optional"}{item.multiple ? ", multiple" : ""}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}

export function ModelsPage({ id, version }: { id: number | undefined; version: string | undefined }) {
  const text = useSignal("");
  const wanted = text.value.trim().toLowerCase();
  const shown = (models.value ?? []).filter((model) =>
    wanted === "" || model.name.toLowerCase().includes(wanted) || String(model.id).startsWith(wanted) || model.urn.toLowerCase().includes(wanted));
  const problem = modelsProblem.value;
  return (
    <div class="page models">
      <div class="page-head">
        <h1>Models</h1>
        <span class="muted count" role="status">{models.value ? `${shown.length} of ${models.value.length}` : ""}</span>
        <span class="grow" />
        <Button icon="refresh" label="Reload the models" compact kind="quiet" onClick={() => void loadModels()} />
      </div>
      <div class={`split${id === undefined ? "" : " open"}`}>
        <div class="pane model-list">
          <Upload />
          <SearchBox label="Search models by name or id" value={text.value} onInput={(value) => { text.value = value; }} />
          {problem && <ProblemBox problem={problem} onRetry={() => void loadModels()} />}
          {!models.value && !problem && <Skeleton rows={8} label="Loading the models" />}
          {models.value && shown.length === 0 && <Empty icon="search" title="No model matches" />}
          {shown.length > 0 && (
            <VirtualList items={shown} label="Models" rowRem={2.25} keyOf={(model) => `${model.id}/${model.version}`}
              render={(model, tabIndex) => (
                <a class="model-row" tabIndex={tabIndex} href={formatRoute({ page: "models", id: model.id, version: model.version })}
                  aria-current={model.id === id && model.version === (version ?? model.version) ? "page" : undefined}>
                  <code>{model.id}</code><span class="name">{model.name}</span><span class="tag">v{model.version}</span>
                </a>
              )} />
          )}
        </div>
        {id !== undefined && <ModelPanel id={id} version={version} />}
      </div>
    </div>
  );
}
