/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses inside the page. They live behind "#", so any static file server can serve the console. */

export type BootstrapTab = "configs" | "credentials" | "runs";
const TABS: readonly string[] = ["configs", "credentials", "runs"] satisfies BootstrapTab[];

export type Route =
  | { page: "devices"; endpoint: string | undefined; path: string }
  | { page: "events" }
  | { page: "models"; id: number | undefined; version: string | undefined }
  | { page: "credentials"; endpoint: string | undefined }
  | { page: "bootstrap"; tab: BootstrapTab; endpoint: string | undefined }
  | { page: "server" };

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone "%" typed by hand
  }
}

export function parseRoute(hash: string): Route {
  const [page, ...rest] = hash.replace(/^#\/?/, "").split("/");
  switch (page) {
    case "events": return { page: "events" };
    case "server": return { page: "server" };
    case "credentials": return { page: "credentials", endpoint: rest[0] ? decode(rest[0]) : undefined };
    case "bootstrap": {
      const [tab = "", endpoint] = rest;
      return {
        page: "bootstrap", tab: TABS.includes(tab) ? tab as BootstrapTab : "configs", endpoint: endpoint ? decode(endpoint) : undefined,
      };
    }
    case "models": {
      const [id, version] = rest;
      return { page: "models", id: id && /^\d+$/.test(id) ? Number(id) : undefined, version: version ? decode(version) : undefined };
    }
    default: {
      const [endpoint, ...path] = rest;
      const valid = path.length <= 4 && path.every((part) => /^\d{1,5}$/.test(part));
      return {
        page: "devices",
        endpoint: page === "devices" && endpoint ? decode(endpoint) : undefined,
        path: valid && path.length > 0 ? `/${path.join("/")}` : "",
      };
    }
  }
}

export function formatRoute(route: Route): string {
  switch (route.page) {
    case "devices": return route.endpoint === undefined ? "#/devices" : `#/devices/${encodeURIComponent(route.endpoint)}${route.path}`;
    case "models": {
      const version = route.version === undefined ? "" : `/${encodeURIComponent(route.version)}`;
      return route.id === undefined ? "#/models" : `#/models/${route.id}${version}`;
    }
    case "credentials": return route.endpoint === undefined ? "#/credentials" : `#/credentials/${encodeURIComponent(route.endpoint)}`;
    case "bootstrap": return `#/bootstrap/${route.tab}${route.endpoint === undefined ? "" : `/${encodeURIComponent(route.endpoint)}`}`;
    default: return `#/${route.page}`;
  }
}

export const deviceLink = (endpoint: string, path = ""): string => formatRoute({ page: "devices", endpoint, path });
