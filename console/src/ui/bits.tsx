/* SPDX-License-Identifier: Apache-2.0 */
/* Small pieces that every page uses. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { now } from "../app-state";
import type { Problem } from "../api/problem";
import type { ClientInfo } from "../api/types";
import type { DeviceRow } from "../model/devices";
import { formatDuration, formatTime } from "../model/value";
import { Icon, type IconName } from "./icons";

interface ButtonProps {
  icon?: IconName;
  label: string;
  onClick?: () => void;
  kind?: "plain" | "primary" | "danger" | "quiet";
  /** Only the icon is shown; the label is its name and tool tip. */
  compact?: boolean;
  disabled?: boolean;
  busy?: boolean;
  pressed?: boolean;
  submit?: boolean;
  tabIndex?: number;
  title?: string;
}

export function Button(props: ButtonProps) {
  const { icon, label, kind = "plain", compact = false } = props;
  return (
    <button
      type={props.submit ? "submit" : "button"}
      class={`button ${kind}${compact ? " compact" : ""}${props.busy ? " busy" : ""}`}
      aria-label={compact ? label : undefined}
      title={props.title ?? (compact ? label : undefined)}
      aria-pressed={props.pressed}
      aria-busy={props.busy ? true : undefined}
      disabled={props.disabled}
      tabIndex={props.tabIndex}
      onClick={(event) => {
        event.stopPropagation();
        if (!props.busy) props.onClick?.();
      }}
    >
      {icon && <Icon name={icon} />}
      {!compact && <span>{label}</span>}
    </button>
  );
}

type Mark = "live" | "asleep" | "gone" | "expired" | "wait" | "error";

/** A state as a shape and a colour; the text beside it says it in words. */
export function StateMark({ mark }: { mark: Mark }) {
  return (
    <svg class={`state ${mark}`} viewBox="0 0 12 12" aria-hidden="true" focusable="false">
      {mark === "live" && <circle cx="6" cy="6" r="4.5" class="fill" />}
      {mark === "asleep" && <><circle cx="6" cy="6" r="4.5" /><path d="M6 1.5a4.5 4.5 0 0 0 0 9z" class="fill" /></>}
      {mark === "gone" && <circle cx="6" cy="6" r="4.2" />}
      {mark === "expired" && <path d="M6 1.5 11 10.5H1z" class="fill" />}
      {mark === "wait" && <path d="M6 1.5 10.5 6 6 10.5 1.5 6z" />}
      {mark === "error" && <path d="M2 2h8v8H2z" class="fill" />}
    </svg>
  );
}

export function markOf(presence: DeviceRow["presence"], info: ClientInfo): { mark: Mark; text: string } {
  if (presence === "deregistered") return { mark: "gone", text: "De-registered" };
  if (presence === "expired") return { mark: "expired", text: "Expired" };
  if (info.presence === "unreachable") return { mark: "error", text: "Registered, does not answer" };
  if (info.presence === "asleep") return { mark: "asleep", text: "Registered, asleep" };
  return { mark: "live", text: info.queueMode ? "Registered, awake" : "Registered" };
}

/** "12 s ago", kept up to date; the exact time is the tool tip. */
export function Ago({ at, suffix = " ago" }: { at: string | number; suffix?: string }) {
  const ms = typeof at === "number" ? at : Date.parse(at);
  const iso = new Date(ms).toISOString();
  const seconds = Math.max(0, (now.value - ms) / 1000);
  return <time dateTime={iso} title={formatTime(iso)}>{seconds < 2 ? "just now" : formatDuration(seconds) + suffix}</time>;
}

export function Remaining({ until }: { until: string | null }) {
  if (until === null) return <span>never expires</span>;
  const seconds = (Date.parse(until) - now.value) / 1000;
  return <time dateTime={until} title={formatTime(until)}>{seconds <= 0 ? "due" : `in ${formatDuration(seconds)}`}</time>;
}

export function ProblemBox({ problem, onRetry }: { problem: Problem; onRetry?: () => void }) {
  return (
    <div class="problem" role="alert">
      <Icon name="alert" />
      <div>
        <p class="title">
          {problem.title}
          {problem.coapCode && <code class="code bad">{problem.coapCode}</code>}
        </p>
        {problem.detail && <p>{problem.detail}</p>}
        {problem.pointer && <p class="muted">At <code>{problem.pointer}</code> of what was sent.</p>}
        {onRetry && <Button icon="refresh" label="Try again" onClick={onRetry} />}
      </div>
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <p class="title">{title}</p>
      {children}
    </div>
  );
}

/** Grey bars where rows will be. */
export function Skeleton({ rows, label }: { rows: number; label: string }) {
  return (
    <div class="skeleton" role="status">
      <span class="sr-only">{label}</span>
      {Array.from({ length: rows }, (_, index) => <div key={index} class="ghost" aria-hidden="true" />)}
    </div>
  );
}

export function SearchBox({ label, value, onInput }: { label: string; value: string; onInput: (text: string) => void }) {
  return (
    <label class="search">
      <Icon name="search" />
      <span class="sr-only">{label}</span>
      <input type="search" placeholder={label} value={value} autoComplete="off" spellcheck={false}
        onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}

/** A choice of few, as radio buttons that look like one control. */
export function Segments<T extends string>({ label, value, options, onChange }: {
  label: string; value: T; options: readonly { value: T; label: string }[]; onChange: (value: T) => void;
}) {
  const [name] = useState(() => `segments-${Math.random().toString(36).slice(2)}`);
  return (
    <fieldset class="segments">
      <legend class="sr-only">{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
