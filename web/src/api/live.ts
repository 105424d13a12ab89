// The stream of what is new. Where there is none, the pages ask by themselves, as they do without it.

import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import type { Tick } from "./types";

export type Status = NonNullable<Tick["status"]>;
export const STATUS = "/api/monitoring/status";
const AGAIN_MS = [2_000, 4_000, 8_000] as const;
const SILENT_MS = 15_000; // a stream that says nothing for so long is none
const REFRESH_MS = 5_000;
const SPREAD_MS = 1_000; // many pages are told at once, and need not all ask at once

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
  let again: ReturnType<typeof setTimeout> | undefined;
  let silent: ReturnType<typeof setTimeout> | undefined;
  let soon: ReturnType<typeof setTimeout> | undefined;

  function open() {
    stream = new EventSource("/api/live");
    stream.addEventListener("tick", (event) => hear(JSON.parse((event as MessageEvent<string>).data) as Tick));
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
    if (tick.changed.length && Date.now() - asked >= REFRESH_MS) {
      asked = Date.now();
      soon = setTimeout(() => void client.invalidateQueries({ predicate: (query) => query.meta?.["live"] === true }), Math.random() * SPREAD_MS);
    }
  }

  function close() {
    stream?.close();
    stream = null;
    [again, silent, soon].forEach(clearTimeout);
  }

  function retry() {
    close();
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
