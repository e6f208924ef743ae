/* SPDX-License-Identifier: Apache-2.0 */
/* The frame around the pages: navigation, the stream's state, the theme. */
import { useEffect, useRef } from "preact/hooks";
import { now, route, serverInfo, stream, streamState, theme, type Theme } from "../app-state";
import { formatRoute, type Route } from "../model/route";
import { Button, StateMark } from "../ui/bits";
import { Icon, Mark, type IconName } from "../ui/icons";
import { useMedia } from "../ui/media";
import { BootstrapPage } from "./bootstrap";
import { CredentialsPage } from "./credentials";
import { DevicePage } from "./device";
import { DevicesPane, Overview } from "./devices";
import { EventsPage } from "./events";
import { ModelsPage } from "./models";
import { ServerPage } from "./server";

const PAGES: { page: Route["page"]; label: string; icon: IconName; href: string }[] = [
  { page: "devices", label: "Devices", icon: "devices", href: "#/devices" },
  { page: "events", label: "Events", icon: "events", href: formatRoute({ page: "events" }) },
  { page: "models", label: "Models", icon: "models", href: "#/models" },
  { page: "credentials", label: "Credentials", icon: "key", href: "#/credentials" },
  { page: "bootstrap", label: "Bootstrap", icon: "bootstrap", href: "#/bootstrap/configs" },
  { page: "server", label: "Server", icon: "server", href: formatRoute({ page: "server" }) },
];

const THEMES: Record<Theme, { next: Theme; icon: IconName; label: string }> = {
  system: { next: "light", icon: "system", label: "Theme: as the system. Change to light" },
  light: { next: "dark", icon: "sun", label: "Theme: light. Change to dark" },
  dark: { next: "system", icon: "moon", label: "Theme: dark. Change to the system’s" },
};

function StreamBadge() {
  const state = streamState.value;
  const live = state.kind === "live";
  const text = live ? "Live" : state.kind === "connecting" ? "Connecting" : "Reconnecting";
  return (
    <span class={`badge stream ${live ? "live" : "wait"}`} role="status">
      <StateMark mark={live ? "live" : "wait"} /><span class="text">{text}</span>
    </span>
  );
}

/** Only after the second failed attempt: a short break needs no alarm. */
function ReconnectBanner() {
  const state = streamState.value;
  if (state.kind !== "waiting" || state.attempt < 2) return null;
  const seconds = Math.max(0, Math.ceil((state.until - now.value) / 1000));
  return (
    <div class="banner" role="status">
      <Icon name="alert" />
      <span>The server does not answer; what you see may be out of date. Next attempt in {seconds} s.</span>
      <Button label="Try now" onClick={() => stream.retryNow()} />
    </div>
  );
}

function titleOf(current: Route): string {
  if (current.page === "devices" && current.endpoint !== undefined) return `${current.endpoint}${current.path ? ` ${current.path}` : ""} · Dunlin`;
  return `${PAGES.find((item) => item.page === current.page)?.label ?? ""} · Dunlin`;
}

function Page({ current }: { current: Route }) {
  const narrow = useMedia("(max-width: 67.99rem)");
  switch (current.page) {
    case "events": return <EventsPage />;
    case "models": return <ModelsPage id={current.id} version={current.version} />;
    case "credentials": return <CredentialsPage endpoint={current.endpoint} keeper="lwm2m" head={<h1>Credentials</h1>} />;
    case "bootstrap": return <BootstrapPage tab={current.tab} endpoint={current.endpoint} />;
    case "server": return <ServerPage />;
    case "devices":
      return (
        <div class={`page home${current.endpoint === undefined ? "" : " open"}`}>
          {!(narrow && current.endpoint !== undefined) && <DevicesPane selected={current.endpoint} />}
          {current.endpoint !== undefined
            ? <DevicePage key={current.endpoint} endpoint={current.endpoint} path={current.path} />
            : !narrow && <Overview />}
        </div>
      );
  }
}

export function Shell() {
  const main = useRef<HTMLElement>(null);
  const current = route.value;
  const choice = THEMES[theme.value] ?? THEMES.system;
  useEffect(() => { document.title = titleOf(current); }, [current]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        main.current?.focus();
      }}>Skip to the content</a>
      <header class="bar">
        <a class="brand" href="#/devices" aria-label="Dunlin, all devices"><Mark /><span>Dunlin</span></a>
        <nav aria-label="Pages">
          {PAGES.filter((item) => item.page !== "bootstrap" || current.page === "bootstrap" || serverInfo.value?.bootstrap).map((item) => (
            <a key={item.page} href={item.href} aria-current={current.page === item.page ? "page" : undefined}>
              <Icon name={item.icon} /><span>{item.label}</span>
            </a>
          ))}
        </nav>
        <span class="grow" />
        <StreamBadge />
        <Button icon={choice.icon} label={choice.label} compact kind="quiet" onClick={() => { theme.value = choice.next; }} />
      </header>
      <ReconnectBanner />
      <main id="main" ref={main} tabIndex={-1}><Page current={current} /></main>
    </>
  );
}
