/* SPDX-License-Identifier: Apache-2.0 */
/* The icons: strokes on a 16 × 16 grid, in the colour of the text around them. */

const PATHS = {
  read: "M8 2.5v8M4.8 7.5 8 10.7l3.2-3.2M3 13.5h10",
  write: "M10.7 2.8l2.5 2.5-7.4 7.4-3.2.7.7-3.2zM9.2 4.3l2.5 2.5",
  execute: "M4.5 2.8v10.4L13 8z",
  create: "M8 3v10M3 8h10",
  delete: "M2.8 4.3h10.4M6.3 4V2.5h3.4V4M4.2 4.5l.6 9h6.4l.6-9M6.7 7v4M9.3 7v4",
  observe: "M1.5 8S3.8 3.7 8 3.7 14.5 8 14.5 8 12.2 12.3 8 12.3 1.5 8 1.5 8zM8 9.9a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8z",
  discover: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3l3.7 3.7",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3l3.7 3.7",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  back: "M9.8 3 4.8 8l5 5",
  chevron: "M6 3.5 10.5 8 6 12.5",
  refresh: "M13.2 8a5.2 5.2 0 1 1-1.7-3.9M13.3 1.8v3h-3",
  pause: "M5 3v10M11 3v10",
  devices: "M2.5 3.5h11v7h-11zM5.5 13.5h5M8 10.5v3",
  events: "M1.5 8.5h3l2-5 3 9 2-5.5.8 1.5h2.2",
  models: "M8 1.8 13.8 5v6L8 14.2 2.2 11V5zM2.2 5 8 8.2 13.8 5M8 8.2v6",
  server: "M2.5 2.5h11v4.5h-11zM2.5 9h11v4.5h-11zM5 4.75h.01M5 11.25h.01",
  key: "M10.2 9.3a3.6 3.6 0 1 0-3.5-3.5L2 10.5V14h3v-2h2v-2zM11 5h.01",
  bootstrap: "M8 13.5V6M4.8 9 8 5.8 11.2 9M3 2.5h10",
  copy: "M5.5 5.5h8v8h-8zM3 10.5H2.5v-8h8V3",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.3v1.5M8 13.2v1.5M1.3 8h1.5M13.2 8h1.5M3.3 3.3l1 1M11.7 11.7l1 1M12.7 3.3l-1 1M4.3 11.7l-1 1",
  moon: "M13.5 9.6A5.7 5.7 0 0 1 6.4 2.5a5.7 5.7 0 1 0 7.1 7.1z",
  system: "M2 3h12v8H2zM5.5 13.5h5",
  upload: "M8 10.5v-8M4.8 5.7 8 2.5l3.2 3.2M3 13.5h10",
  alert: "M8 2 14.5 13.5h-13zM8 6.5v3M8 11.5v.1",
  check: "M3 8.5l3.3 3.3L13 4.8",
  options: "M2 4.5h5M10 4.5h4M2 11.5h3M8 11.5h6M8.5 4.5m-1.5 0a1.5 1.5 0 1 0 3 0 1.5 1.5 0 1 0-3 0M6.5 11.5m-1.5 0a1.5 1.5 0 1 0 3 0 1.5 1.5 0 1 0-3 0",
  unfold: "M4.5 6 8 2.5 11.5 6M4.5 10 8 13.5 11.5 10",
  fold: "M4.5 2.5 8 6l3.5-3.5M4.5 13.5 8 10l3.5 3.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: a dunlin, bill to the left. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path d="M1.5 10.6 9.5 9a5.6 5.6 0 0 1 10.1-1.9c.9 1.5 2.1 2.5 3.7 3.4 3.7 2.1 6.1 5.4 6.9 9.7-4.2-1.2-7-.8-9.3.8-2.8 1.9-7 2-9.8-.1-2.5-1.9-3.2-4.9-2-8.1l.6-1.6zM13.3 23h1.5l.5 6h-1.5zM17.7 22.8h1.5l.5 6.2h-1.5z" />
      <circle cx="14.5" cy="9.2" r="1.1" class="eye" />
    </svg>
  );
}
