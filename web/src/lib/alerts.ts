// Rules and incidents, as people read and change them.

import type { Rule, Severity } from "../api/types";
import type { Level } from "./levels";

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };
/** How much of "for so many minutes" is the time frame itself; the rest is how long it must last. */
const FRAME_S_MAX = 120;

export const LEVELS: Record<Severity, Level> = { critical: "critical", warning: "warning", info: "unknown" };

export function secondsIn(duration: string | undefined): number {
  const found = /^(\d+)([smhd])$/.exec(duration ?? "");
  return found ? Number(found[1]) * UNITS[found[2]!]! : 0;
}

/** For how long a rule must be broken until somebody hears of it. */
export const lasts = (rule: Rule): number => secondsIn(rule.timeframe) + secondsIn(rule.for);

/** The time frame and the holding time of a rule that must last so long. A rule that only sums keeps its time frame. */
export function lasting(rule: Rule, seconds: number): Pick<Rule, "timeframe" | "for"> {
  const frame = Math.max(10, Math.min(seconds, secondsIn(rule.for) ? FRAME_S_MAX : seconds));
  return { timeframe: `${frame}s`, for: `${Math.max(0, seconds - frame)}s` };
}

/** What a rule asks, in a line. */
export function asks(rule: Rule): string {
  if (rule.kind === "composite") return `${rule.all?.length ? "all of" : "any of"} ${[...(rule.all ?? []), ...(rule.any ?? [])].join(", ")}`;
  const what = rule.per ? `${rule.field} / ${rule.per}` : rule.field;
  if (rule.kind === "absence") return `nothing comes of ${what} for ${rule.timeframe}`;
  const held = secondsIn(rule.for) ? ` for ${rule.for}` : "";
  return `${rule.aggregation ?? "avg"} of ${what} over ${rule.timeframe ?? "1m"} ${rule.operand === "equalOrLessThan" ? "≤" : "≥"} ${rule.value ?? 0}${held}`;
}

/** From 0 to a good deal beyond the threshold, in steps one can hit. */
export function slider(value: number, highest: number | null): { min: number; max: number; step: number } {
  const most = Math.max(Math.abs(value) * 2, (highest ?? 0) * 1.2, Number.MIN_VALUE);
  const step = 10 ** Math.floor(Math.log10(most / 50));
  return { min: 0, max: Math.ceil(most / step) * step, step };
}
