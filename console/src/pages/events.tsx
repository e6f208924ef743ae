/* SPDX-License-Identifier: Apache-2.0 */
/* The event log: everything the server tells, newest first, with filter, pause and the whole event. */
import { useComputed, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { log } from "../app-state";
import { stringifyJson } from "../api/json";
import type { EventType } from "../api/types";
import { endpointOf, EVENT_TYPES, filterLog, LABELS, MARKS, pathOf, summarize, type LogEntry } from "../model/log";
import { deviceLink } from "../model/route";
import { formatClock, formatTime } from "../model/value";
import { Button, Empty, SearchBox, StateMark } from "../ui/bits";
import { VirtualList } from "../ui/virtual";

function Details({ entry, onClose }: { entry: LogEntry; onClose: () => void }) {
  const endpoint = endpointOf(entry.event);
  const path = pathOf(entry.event);
  return (
    <section class="pane inspector" aria-label="Event">
      <header class="head">
        <div><h2>{LABELS[entry.event.type]}</h2><span class="muted">{formatTime(new Date(entry.at).toISOString())}</span></div>
        <Button icon="close" label="Close the event" compact kind="quiet" onClick={onClose} />
      </header>
      {endpoint && <p><a href={deviceLink(endpoint, path)}><code>{endpoint}{path && ` ${path}`}</code></a></p>}
      <pre tabIndex={0} role="region" aria-label="The event as JSON">{stringifyJson(entry.event, 2)}</pre>
    </section>
  );
}

export function EventsPage() {
  const types = useSignal<ReadonlySet<EventType>>(new Set(EVENT_TYPES));
  const text = useSignal("");
  const open = useSignal<LogEntry | undefined>(undefined);
  const list = useRef<HTMLDivElement>(null);
  const shown = useComputed(() => filterLog(log.entries.value, { types: types.value, text: text.value }));
  const toggle = (type: EventType): void => {
    const next = new Set(types.value);
    if (!next.delete(type)) next.add(type);
    types.value = next;
  };
  const paused = log.paused.value;
  return (
    <div class="page events">
      <div class="page-head">
        <h1>Events</h1>
        <span class="muted count" role="status">
          {paused ? `Paused, ${log.missed.value} more` : `${shown.value.length} of ${log.entries.value.length}`}
        </span>
        <span class="grow" />
        <Button icon={paused ? "execute" : "pause"} label={paused ? "Resume" : "Pause"} pressed={paused} onClick={() => log.pause(!paused)} />
        <Button icon="delete" label="Clear" onClick={() => log.clear()} />
      </div>
      <div class="filters">
        <SearchBox label="Filter by device or path" value={text.value} onInput={(value) => { text.value = value; }} />
        <fieldset class="chips">
          <legend class="sr-only">Kinds of events</legend>
          {EVENT_TYPES.map((type) => (
            <label key={type}>
              <input type="checkbox" checked={types.value.has(type)} onChange={() => toggle(type)} />
              <span><StateMark mark={MARKS[type]} />{LABELS[type]}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <div class={`split${open.value ? " open" : ""}`}>
        <div class="pane log" ref={list}>
          {shown.value.length === 0
            ? <Empty icon="events" title={log.entries.value.length > 0 ? "No event matches" : "No events yet"}>
              {log.entries.value.length === 0 && <p>Registrations, updates and notifications appear here as they come.</p>}
            </Empty>
            : (
              <VirtualList items={shown.value} label="Events" rowRem={2} keyOf={(entry) => entry.key}
                render={(entry, tabIndex) => (
                  <button type="button" class={`event ${entry.event.type}`} tabIndex={tabIndex} aria-pressed={open.value?.key === entry.key}
                    onClick={() => { open.value = entry; }}>
                    <time class="mono muted" dateTime={new Date(entry.at).toISOString()}>{formatClock(new Date(entry.at), true)}</time>
                    <StateMark mark={MARKS[entry.event.type]} />
                    <span class="type">{LABELS[entry.event.type]}</span>
                    <span class="mono endpoint">{endpointOf(entry.event)}</span>
                    <span class="summary">{summarize(entry.event)}</span>
                  </button>
                )} />
            )}
        </div>
        {open.value && <Details entry={open.value} onClose={() => { open.value = undefined; }} />}
      </div>
    </div>
  );
}
