/* SPDX-License-Identifier: Apache-2.0 */
/* A list of any length that renders only the rows in view. Rows have one height; one row at a time
 * is in the tab order and the arrow keys move through all of them. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

interface Props<T> {
  items: readonly T[];
  label: string;
  /** Height of a row in rem. */
  rowRem: number;
  keyOf: (item: T) => string | number;
  /** Renders a row; give tabIndex to its one focusable element. */
  render: (item: T, tabIndex: number) => ComponentChildren;
  /** Row that should be tabbable first, e.g. the selected one. */
  current?: number;
  /** Called when the last rows come into view. */
  onNearEnd?: () => void;
  footer?: ComponentChildren;
}

const OVERSCAN = 6;

export function VirtualList<T>(props: Props<T>) {
  const { items, rowRem } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800, row: rowRem * 16 });
  const [active, setActive] = useState(-1);
  const wanted = useRef(-1);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const measure = (): void => setView({
      top: element.scrollTop,
      height: element.clientHeight,
      row: rowRem * parseFloat(getComputedStyle(document.documentElement).fontSize),
    });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [rowRem]);

  const first = Math.max(0, Math.floor(view.top / view.row) - OVERSCAN);
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / view.row) + OVERSCAN);
  const tabbable = active >= 0 && active < items.length ? active : Math.max(0, props.current ?? 0);

  useEffect(() => {
    if (last >= items.length - OVERSCAN) props.onNearEnd?.();
  }, [last, items.length]);

  useLayoutEffect(() => {
    if (wanted.current < 0) return;
    const row = box.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] [tabindex]`);
    if (row) {
      wanted.current = -1;
      row.focus({ preventScroll: true });
    }
  });

  const move = (to: number): void => {
    const index = Math.min(items.length - 1, Math.max(0, to));
    const element = box.current;
    if (!element || items.length === 0) return;
    const top = index * view.row;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + view.row > element.scrollTop + view.height) element.scrollTop = top + view.row - view.height;
    wanted.current = index;
    setActive(index);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(view.height / view.row) - 1);
    const steps: Record<string, number> = {
      ArrowDown: tabbable + 1, ArrowUp: tabbable - 1, PageDown: tabbable + page, PageUp: tabbable - page,
      Home: 0, End: items.length - 1,
    };
    const to = steps[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move(to);
  };

  const onFocus = (event: FocusEvent): void => {
    const index = (event.target as HTMLElement).closest<HTMLElement>("[data-index]")?.dataset["index"];
    if (index !== undefined) setActive(Number(index));
  };

  return (
    <div class="virtual" ref={box} onKeyDown={onKeyDown} onFocusIn={onFocus} tabIndex={items.length === 0 ? 0 : -1}>
      <ul aria-label={props.label} style={{ height: `${items.length * view.row}px` }}>
        {items.slice(first, last).map((item, offset) => {
          const index = first + offset;
          return (
            <li key={props.keyOf(item)} data-index={index} aria-setsize={items.length} aria-posinset={index + 1}
              style={{ transform: `translateY(${index * view.row}px)`, height: `${view.row}px` }}>
              {props.render(item, index === tabbable ? 0 : -1)}
            </li>
          );
        })}
      </ul>
      {props.footer}
    </div>
  );
}
