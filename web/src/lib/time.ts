// Times in the viewer's own zone.

import { useSyncExternalStore } from "react";

const TICK_MS = 5_000;
const pad = (value: number, width = 2) => String(value).padStart(width, "0");

/** '2 min ago'. A clock that is ahead of ours did not say something in the future. */
export function ago(at: Date, now: Date): string {
  const s = Math.max(0, (now.getTime() - at.getTime()) / 1_000);
  if (s < 10) return "just now";
  if (s < 60) return `${Math.floor(s / 10) * 10} sec ago`;
  if (s < 3_600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ago`;
  return `${Math.floor(s / 86_400)} d ago`;
}

export function absolute(at: Date): string {
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clock(at)}`;
}

export function clock(at: Date, withMs = false): string {
  const text = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  return withMs ? `${text}.${pad(at.getMilliseconds(), 3)}` : text;
}

export const minute = (at: Date) => clock(at).slice(0, 5);

/** Under a chart that reaches over so many seconds. */
export function axisTime(at: Date, spanS: number): string {
  if (spanS > 2.5 * 86_400) return absolute(at).slice(5, 10);
  return spanS < 600 ? clock(at) : minute(at);
}

/** Where a day stands under a chart, in seconds: under its own name, in whatever zone it was counted. */
export const dayStart = (day: string) => Date.parse(`${day}T00:00:00`) / 1_000;

/** As a form field for a moment takes it, in the viewer's zone. */
export const fieldTime = (at: Date) => absolute(at).slice(0, 16).replace(" ", "T");

let now = new Date();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function tick() {
  now = new Date();
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void) {
  if (listeners.size === 0) timer = setInterval(tick, TICK_MS);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

/** One clock for all that says 'ago', so that a page full of times ticks once. */
export const useNow = () => useSyncExternalStore(subscribe, () => now);
