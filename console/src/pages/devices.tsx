/* SPDX-License-Identifier: Apache-2.0 */
/* The list of devices. */
import { useEffect, useRef } from "preact/hooks";
import { devices, log, serverInfo } from "../app-state";
import type { EventType } from "../api/types";
import { deviceLink } from "../model/route";
import type { DeviceRow } from "../model/devices";
import { endpointOf, LABELS, MARKS, summarize } from "../model/log";
import { Ago, Empty, markOf, ProblemBox, SearchBox, Skeleton, StateMark } from "../ui/bits";
import { VirtualList } from "../ui/virtual";

const LATEST = 12;
/** What comes too often to tell who came and went. */
const FREQUENT: ReadonlySet<EventType> = new Set(["notification", "send", "presence", "request"]);

/** An address that a device can use, as far as the page can tell. */
function deviceAddress(): string {
  const address = serverInfo.value?.coap[0] ?? "coap://HOST:5683";
  return address.replace(/\/\/(0\.0\.0\.0|\[::\])(?=:|$)/, `//${location.hostname}`);
}

/** What the middle of the page shows while no device is chosen: who came and went. */
export function Overview() {
  const latest = log.entries.value.filter((entry) => !FREQUENT.has(entry.event.type)).slice(-LATEST).reverse();
  const total = devices.total.value;
  return (
    <div class="device overview">
      <Empty icon="devices" title={total === undefined ? "Devices" : total === 1 ? "1 device is registered" : `${total} devices are registered`}>
        <p>Choose one to see its objects and values, and to work with it.</p>
      </Empty>
      {latest.length > 0 && (
        <section class="pane" aria-labelledby="latest-title">
          <h2 class="pane-title" id="latest-title">Latest</h2>
          <ul class="lines">
            {latest.map((entry) => (
              <li key={entry.key}>
                <StateMark mark={MARKS[entry.event.type]} />
                <span>{LABELS[entry.event.type]}</span>
                <a href={deviceLink(endpointOf(entry.event))}><code>{endpointOf(entry.event)}</code></a>
                <span class="grow muted small">{summarize(entry.event)}</span>
                <span class="muted small ago"><Ago at={entry.at} /></span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

const TYPING_MS = 200;

function Row({ row, selected, tabIndex }: { row: DeviceRow; selected: boolean; tabIndex: number }) {
  const state = markOf(row.presence, row.info);
  return (
    <a class={`device-row ${row.presence}`} href={deviceLink(row.endpoint)} tabIndex={tabIndex} aria-current={selected ? "page" : undefined}>
      <StateMark mark={state.mark} />
      <span class="names">
        <span class="endpoint">{row.endpoint}</span>
        <span class="muted small">
          <span class={row.presence === "registered" ? "sr-only" : ""}>{state.text} · </span>
          {row.info.address.replace(/^coaps?(\+tcp)?:\/\//, "")} · {row.info.lwm2m}
        </span>
      </span>
      <span class="muted small seen"><Ago at={row.seenAt} suffix="" /></span>
    </a>
  );
}

export function DevicesPane({ selected }: { selected: string | undefined }) {
  const rows = devices.rows.value;
  const total = devices.total.value;
  const problem = devices.error.value;
  const typing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(typing.current), []);
  const search = (text: string): void => {
    devices.query.value = text;
    clearTimeout(typing.current);
    typing.current = setTimeout(() => void devices.load(text.trim()), TYPING_MS);
  };
  const first = total === undefined && problem === undefined;
  return (
    <aside class="devices" aria-label="Devices">
      <div class="toolbar">
        {selected === undefined ? <h1 class="pane-title">Devices</h1> : <h2 class="pane-title">Devices</h2>}
        <span class="count muted" role="status">
          {total === undefined ? "" : devices.query.value ? `${rows.length}${devices.more.value ? "+" : ""} of ${total}` : `${total} registered`}
        </span>
      </div>
      <SearchBox label="Search devices" value={devices.query.value} onInput={search} />
      {problem && <ProblemBox problem={problem} onRetry={() => void devices.load()} />}
      {first && <Skeleton rows={8} label="Loading the devices" />}
      {!first && rows.length === 0 && !problem && (devices.query.value
        ? <Empty icon="search" title="No device matches"><p>No endpoint name contains “{devices.query.value}”.</p></Empty>
        : <Empty icon="devices" title="No device is registered yet">
          <p>Point a device at this server, or run one:</p>
          <p><code>dunlin client -e demo -u {deviceAddress()}</code></p>
        </Empty>)}
      {rows.length > 0 && (
        <VirtualList items={rows} label="Devices" rowRem={3.25} keyOf={(row) => row.endpoint}
          current={rows.findIndex((row) => row.endpoint === selected)}
          onNearEnd={() => void devices.loadMore()}
          render={(row, tabIndex) => <Row row={row} selected={row.endpoint === selected} tabIndex={tabIndex} />} />
      )}
    </aside>
  );
}
