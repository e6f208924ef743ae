/* SPDX-License-Identifier: Apache-2.0 */
/* A list of the server in the order of endpoint names: searched there, and read a page at a time as it is scrolled. */
import { useSignal, type Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Problem } from "../api/problem";
import { Empty, ProblemBox, SearchBox, Skeleton } from "./bits";
import type { IconName } from "./icons";
import { VirtualList } from "./virtual";

const PAGE_SIZE = 200;

interface NamePage<T> {
  items: readonly T[];
  total: number;
  next: string | null;
}

interface Names<T> {
  /** All that has been read; undefined until the first page is there. */
  list: Signal<readonly T[] | undefined>;
  total: Signal<number>;
  next: Signal<string | null>;
  problem: Signal<Problem | undefined>;
  text: Signal<string>;
  /** The first page again, or the one behind a name. */
  load: (after?: string) => Promise<void>;
}

/** `read` asks for a page; a newer question ends the one before. */
export function useNames<T>(read: (search: string, after: string | null, limit: number, signal: AbortSignal) => Promise<NamePage<T>>): Names<T> {
  const list = useSignal<readonly T[] | undefined>(undefined);
  const total = useSignal(0);
  const next = useSignal<string | null>(null);
  const problem = useSignal<Problem | undefined>(undefined);
  const text = useSignal("");
  const abort = useRef<AbortController | undefined>(undefined);
  const load = async (after?: string): Promise<void> => {
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    try {
      const page = await read(text.value.trim(), after ?? null, PAGE_SIZE, mine.signal);
      list.value = after === undefined ? page.items : [...(list.value ?? []), ...page.items];
      total.value = page.total;
      next.value = page.next;
      problem.value = undefined;
    } catch (error) {
      if (abort.current === mine) problem.value = Problem.from(error);
    }
  };
  useEffect(() => {
    void load();
    return () => abort.current?.abort();
  }, []);
  return { list, total, next, problem, text, load };
}

interface NameListProps<T> {
  names: Names<T>;
  label: string; // "Credentials"
  icon: IconName;
  empty: string; // without a search
  noMatch: string;
  linkTo: (endpoint: string) => string;
  current: string | undefined; // whose details are shown
  row: (item: T) => ComponentChildren;
}

/** The pane with the search, and a link for each name. */
export function NameList<T extends { endpoint: string }>({ names, label, icon, empty, noMatch, linkTo, current, row }: NameListProps<T>) {
  const { list, next, problem, text, load } = names;
  return (
    <div class="pane model-list">
      <SearchBox label="Search by endpoint name" value={text.value} onInput={(value) => {
        text.value = value;
        void load();
      }} />
      {problem.value && <ProblemBox problem={problem.value} onRetry={() => void load()} />}
      {!list.value && !problem.value && <Skeleton rows={8} label={`Loading the ${label.toLowerCase()}`} />}
      {list.value && list.value.length === 0 && <Empty icon={icon} title={text.value === "" ? empty : noMatch} />}
      {list.value && list.value.length > 0 && (
        <VirtualList items={list.value} label={label} rowRem={3} keyOf={(item) => item.endpoint}
          onNearEnd={() => { if (next.value !== null) void load(next.value); }}
          render={(item, tabIndex) => (
            <a class="model-row" tabIndex={tabIndex} href={linkTo(item.endpoint)} aria-current={item.endpoint === current ? "page" : undefined}>
              {row(item)}
            </a>
          )} />
      )}
    </div>
  );
}
