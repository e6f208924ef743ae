/* SPDX-License-Identifier: Apache-2.0 */
/* A live line chart of one series (uPlot on a canvas), with its last value in text and the last
 * values as a table for those who can't see a canvas. */
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { theme } from "../app-state";
import type { Series } from "../model/series";
import { formatClock, formatUnit } from "../model/value";
import { Segments } from "./bits";

const WINDOWS = [
  { value: "60", label: "1 min" }, { value: "300", label: "5 min" }, { value: "900", label: "15 min" }, { value: "3600", label: "1 h" },
] as const;
const LEAST_SECONDS = 20;
type Window = (typeof WINDOWS)[number]["value"];

function color(element: Element, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

/** Axis numbers that stay short. */
function tick(value: number): string {
  const magnitude = Math.abs(value);
  return magnitude !== 0 && (magnitude >= 1e6 || magnitude < 1e-3) ? value.toExponential(1) : String(Number(value.toPrecision(6)));
}

function options(element: HTMLElement, width: number, height: number, rem: number): uPlot.Options {
  const line = color(element, "--chart-line");
  const grid = { stroke: color(element, "--chart-grid"), width: 1 };
  const axis = {
    stroke: color(element, "--chart-text"), grid, ticks: { show: false },
    font: `${0.72 * rem}px ${getComputedStyle(element).fontFamily}`,
  };
  return {
    width, height,
    padding: [rem * 0.5, rem * 0.5, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false, setScale: false } },
    scales: {
      // A flat line in the middle looks calmer than one that fills the frame with noise.
      y: { range: (_, min, max) => (min === max
        ? [min - Math.max(1, Math.abs(min) * 0.05), max + Math.max(1, Math.abs(max) * 0.05)]
        : uPlot.rangeNum(min, max, 0.15, true)) },
    },
    axes: [
      { ...axis, space: rem * 5, size: rem * 1.7, values: (_, splits) => splits.map((s) => formatClock(new Date(s * 1000))) },
      { ...axis, space: rem * 2, size: rem * 3.4, values: (_, splits) => splits.map(tick) },
    ],
    series: [
      {},
      {
        stroke: line, width: 1.75, fill: color(element, "--chart-fill"), points: { size: 4, fill: line, show: (_, __, i0, i1) => i1 - i0 < 60 },
        ...(uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
      },
    ],
  };
}

export interface ChartProps {
  series: Series;
  name: string;
  unit: string;
  /** Link to the node, where the chart stands elsewhere than on the node's own page. */
  href?: string | undefined;
}

export function Chart({ series, name, unit, href }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const [span, setSpan] = useState<Window>("300");
  const [hover, setHover] = useState<{ at: number; value: number } | undefined>();
  void series.version.value;

  useEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    let plot: uPlot | undefined;
    const draw = (): void => {
      const to = Date.now() / 1000;
      // Until there is enough for the whole span the line uses the width that it has.
      const from = Math.max(to - Number(span), Math.min(series.firstTime ?? to, to - LEAST_SECONDS));
      plot?.batch(() => {
        plot?.setData(series.window(from), true);
        plot?.setScale("x", { min: from, max: to });
      });
    };
    const build = (): void => {
      plot?.destroy();
      const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
      const settings = options(element, element.clientWidth, rem * 9.5, rem);
      settings.hooks = {
        setCursor: [(self) => {
          const index = self.cursor.idx;
          const at = index == null ? undefined : self.data[0][index];
          const value = index == null ? undefined : self.data[1]?.[index];
          setHover(at === undefined || value == null ? undefined : { at, value });
        }],
      };
      plot = new uPlot(settings, series.window(0), element);
      draw();
    };
    build();
    const resized = new ResizeObserver(() => {
      if (plot && element.clientWidth !== plot.width) build();
    });
    resized.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", build);
    const stopTheme = theme.subscribe(() => requestAnimationFrame(build));
    const stopData = series.version.subscribe(draw);
    const moving = setInterval(draw, 1000);
    return () => {
      clearInterval(moving);
      stopData();
      stopTheme();
      dark.removeEventListener("change", build);
      resized.disconnect();
      plot?.destroy();
      plot = undefined;
    };
  }, [series, span]);

  const shown = hover?.value ?? series.lastValue;
  const label = formatUnit(unit);
  const [times, values] = series.window(0);
  return (
    <figure class="chart" data-path={series.path} data-points={series.length}>
      <figcaption>
        <span class="name">
          {href ? <a href={href}>{name}</a> : name} <code>{series.path}</code>
        </span>
        <span class="now">
          {hover && <span class="muted">{formatClock(new Date(hover.at * 1000))}</span>}
          <strong>{shown === undefined ? "–" : tick(shown)}</strong> {label}
        </span>
      </figcaption>
      <div class="plot" ref={host} role="img"
        aria-label={`${name}, ${series.length} values, last ${series.lastValue ?? "none"} ${label}`} />
      <div class="foot">
        <Segments label={`Time span of ${name} ${series.path}`} value={span} options={WINDOWS} onChange={setSpan} />
        <details>
          <summary>Values</summary>
          <div class="scroll" tabIndex={0} role="region" aria-label={`Values of ${name} ${series.path}`}>
            <table>
              <thead><tr><th scope="col">Time</th><th scope="col">Value{label && ` in ${label}`}</th></tr></thead>
              <tbody>
                {values.slice(-50).map((value, index) => {
                  const at = times[times.length - Math.min(50, values.length) + index] ?? 0;
                  return <tr key={at}><td><code>{formatClock(new Date(at * 1000), true)}</code></td><td><code>{value}</code></td></tr>;
                }).reverse()}
              </tbody>
            </table>
          </div>
        </details>
      </div>
    </figure>
  );
}
