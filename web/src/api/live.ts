// The stream of what is new. Where there is none, the pages ask by themselves, as they do without it.

import type { Query, QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import type { Judging, ServiceList, Tick } from "./types";

export type Status = NonNullable<Tick["status"]>;
export const STATUS = "/api/monitoring/status";
const AGAIN_MS = [2_000, 4_000, 8_000] as const;
const SILENT_MS = 15_000; // a stream that says nothing for so long is none
const REFRESH_MS = 5_000;
const SPREAD_MS = 1_000; // many pages are told at once, and need not all ask at once
const KEPT_MS = 1_000; // for so long the server may answer from memory
export const JUDGING = ["/api/incidents", "judging"] as const;
const SERVICES = "/api/services";
// Where what changed is shown.
const OF_INCIDENTS = ["/api/incidents", "/api/rules", "/api/notices", "/api/deliveries", "/api/changes"];
const OF_SERVICES = [SERVICES, "/api/changes"];
const OF_RULES = ["/api/rules", "/api/contracts", "/api/changes"];
const OF_ALL = [...OF_INCIDENTS, ...OF_SERVICES, ...OF_RULES];

interface Life {
  streaming: boolean;
  /** Why there are no figures, in the server's words. */
  away: string | null;
}

let life: Life = { streaming: false, away: null };
const listeners = new Set<() => void>();

function become(next: Life) {
  if (next.streaming === life.streaming && next.away === life.away) return;
  life = next;
  listeners.forEach((listener) => listener());
}

export const useLife = () =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => life,
  );

/** Keeps what is shown fresh until it is told to stop. A page nobody sees is told nothing. */
export function listen(client: QueryClient): () => void {
  let stream: EventSource | null = null;
  let tries = 0;
  let asked = 0;
  let gap = false; // whether the stream was away, and who knows what it would have told
  let again: ReturnType<typeof setTimeout> | undefined;
  let silent: ReturnType<typeof setTimeout> | undefined;
  const soon = new Set<ReturnType<typeof setTimeout>>();

  function open() {
    stream = new EventSource("/api/live");
    stream.addEventListener("tick", (event) => hear(JSON.parse((event as MessageEvent<string>).data) as Tick));
    stream.addEventListener("missed", catchUp);
    stream.addEventListener("signed-out", () => void client.resetQueries({ queryKey: ["me"] }));
    stream.onerror = retry;
    watch();
  }

  function watch() {
    clearTimeout(silent);
    silent = setTimeout(retry, SILENT_MS);
  }

  function hear(tick: Tick) {
    tries = 0;
    watch();
    become({ streaming: true, away: tick.away });
    if (tick.status) client.setQueryData([STATUS, {}], tick.status);
    if (gap) catchUp();
    if (tick.changed.length && Date.now() - asked >= REFRESH_MS) {
      asked = Date.now();
      later(0, (query) => query.meta?.["live"] === true);
    }
    if (tick.open) client.setQueryData<Judging>(JUDGING, (before) => before && { ...before, open: tick.open! });
    if (tick.incidents.length) later(0, under(OF_INCIDENTS));
    if (tick.rules) later(0, under(OF_RULES));
    if (tick.services.length) {
      if (tick.status) client.setQueryData<ServiceList>([SERVICES, {}], (before) => before && coloured(before, tick.status!.services));
      later(KEPT_MS, under(OF_SERVICES));
    }
  }

  /** What was not heard is asked for. */
  function catchUp() {
    gap = false;
    asked = Date.now();
    later(KEPT_MS, (query) => query.meta?.["live"] === true || under(OF_ALL)(query));
  }

  function later(waitMs: number, predicate: (query: Query) => boolean) {
    const timer = setTimeout(() => {
      soon.delete(timer);
      void client.invalidateQueries({ predicate });
    }, waitMs + Math.random() * SPREAD_MS);
    soon.add(timer);
  }

  function close() {
    stream?.close();
    stream = null;
    [again, silent, ...soon].forEach(clearTimeout);
    soon.clear();
  }

  function retry() {
    close();
    gap = true;
    become({ streaming: false, away: null });
    const wait = AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]!;
    again = setTimeout(open, wait * (0.75 + Math.random() / 2));
  }

  function seen() {
    if (document.hidden) {
      close();
      become({ streaming: false, away: null });
    } else if (!stream) {
      clearTimeout(again);
      open();
    }
  }

  document.addEventListener("visibilitychange", seen);
  seen();
  return () => {
    document.removeEventListener("visibilitychange", seen);
    close();
    become({ streaming: false, away: null });
  };
}

const under = (paths: readonly string[]) => (query: Query) => paths.some((path) => String(query.queryKey[0]).startsWith(path));

/** The colour at once; all else about a service that changed is asked for. */
function coloured(list: ServiceList, statuses: Status["services"]): ServiceList {
  const items = list.items.map((item) => ({ ...item, status: (statuses[item.name] as typeof item.status | undefined) ?? item.status }));
  return { ...list, items, running: items.filter(({ status }) => status === "running").length };
}
