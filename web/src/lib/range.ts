// The stretch of time one looks at. It stands in the address: `period=6h`, or `from=…&to=…`.

import { absolute } from "./time";
import { changed } from "./url";

export interface Range {
  /** As the API is asked for it. */
  query: { period: string } | { from: string; to: string };
  seconds: number;
  label: string;
  custom: boolean;
}

export const PERIODS = [
  ["15m", "last 15 minutes"],
  ["1h", "last hour"],
  ["3h", "last 3 hours"],
  ["6h", "last 6 hours"],
  ["12h", "last 12 hours"],
  ["24h", "last 24 hours"],
  ["2d", "last 2 days"],
  ["7d", "last 7 days"],
  ["30d", "last 30 days"],
] as const;
export const USUAL = "24h";
export const SECONDS_MIN = 60;
const UNITS: Record<string, number> = { m: 60, h: 3_600, d: 86_400 };
const STEPS = [10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];

export function rangeOf(params: URLSearchParams): Range {
  const [from, to] = [Date.parse(params.get("from") ?? ""), Date.parse(params.get("to") ?? "")];
  if (from < to) {
    return {
      query: { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      seconds: (to - from) / 1_000,
      label: between(new Date(from), new Date(to)),
      custom: true,
    };
  }
  const wanted = params.get("period") ?? "";
  const [period, label] = PERIODS.find(([one]) => one === wanted) ?? PERIODS.find(([one]) => one === USUAL)!;
  return { query: { period }, seconds: secondsOf(period), label, custom: false };
}

const secondsOf = (period: string) => Number.parseInt(period, 10) * UNITS[period.at(-1)!]!;

function between(from: Date, to: Date): string {
  const [first, last] = [absolute(from).slice(0, 16), absolute(to).slice(0, 16)];
  return first.slice(0, 10) === last.slice(0, 10) ? `${first} – ${last.slice(11)}` : `${first} – ${last}`;
}

/** What moves in the living picture is what was counted lately, whatever time one looks at. */
export const LATELY: Range = { query: { period: "5m" }, seconds: 300, label: "last 5 minutes", custom: false };

/** A step that gives about so many points, as the API takes it. */
export function stepOf(range: Range, points: number): string {
  return `${STEPS.find((step) => range.seconds / step <= points) ?? STEPS.at(-1)}s`;
}

/** What the address must say to show this window. */
export function windowChanges(fromS: number, toS: number): Record<string, string> {
  const middle = (fromS + toS) / 2;
  const half = Math.max(SECONDS_MIN, toS - fromS) / 2;
  const told = (seconds: number) => `${new Date(Math.round(seconds) * 1_000).toISOString().slice(0, 19)}Z`;
  return { from: told(middle - half), to: told(middle + half), period: "" };
}

export const periodChanges = (period: string) => ({ from: "", to: "", period: period === USUAL ? "" : period });

/** The window moved by its own lengths, or made longer around its middle. */
export function moved(range: Range, nowS: number, by: number, grow = 1): Record<string, string> {
  const end = "to" in range.query ? Date.parse(range.query.to) / 1_000 : nowS;
  const middle = end - range.seconds / 2 + by * range.seconds;
  const half = (range.seconds * grow) / 2;
  const to = Math.min(nowS, middle + half);
  return windowChanges(to - 2 * half, to);
}

/** Another page, at the same time. */
export function atSameTime(path: string, search: string): string {
  const params = new URLSearchParams(search);
  const kept = Object.fromEntries(["from", "to", "period"].map((name) => [name, params.get(name) ?? ""]));
  const [place, own = ""] = path.split("?") as [string, string?];
  return place + changed(own, kept);
}
