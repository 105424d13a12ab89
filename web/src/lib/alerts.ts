// Rules and incidents, as people read and change them.

import type { Rule, Severity } from "../api/types";
import { exactly, formOf } from "./format";
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

/** Of whom an incident is. A label without a value says nothing beside one that has one: not every queue has a group. */
export function subjectOf(labels: Readonly<Record<string, string>>): string {
  const known = Object.entries(labels).filter(([, value]) => value);
  return (known.length ? known : Object.keys(labels).map((name) => [name, "(none)"] as const)).map(([name, value]) => `${name} ${value}`).join(", ") || "everything";
}

/** The rules that one is made of. */
export const partsOf = (rule: Rule): readonly string[] => [...(rule.all ?? []), ...(rule.any ?? [])];

/** What its value is held against as it stands in a chart; null: it is held against something else. */
export const boundOf = (rule: Rule): number | null => (rule.kind === "threshold" || rule.kind === "ratio" ? (rule.value ?? 0) : null);

const SIDES: Record<string, string> = { low: "lower than", high: "higher than" };

/** Either is written in short, as a text, or as an object that says more. */
const happens = (one: unknown): string => (typeof one === "string" ? one : String((one as { what?: unknown } | null)?.what ?? "something"));

function promised(options: Readonly<Record<string, unknown>>): string {
  const then = Array.isArray(options["then"]) ? options["then"] : [options["then"]];
  return `after ${happens(options["when"])} comes ${then.map(happens).join(" or ")} within ${String(options["within"])}`;
}

/** In what its value is told: calls by calls are a share, tokens by messages are not. */
export const unitOf = (rule: Rule, measured: string | undefined): string | undefined => {
  if (rule.aggregation === "count") return undefined;
  return rule.per ? (Math.abs(rule.value ?? 0) <= 1 ? "share" : undefined) : measured;
};

/** What a rule asks, in a line; with the unit of its measure where that is known. */
export function asks(rule: Rule, measured?: string): string {
  if (rule.kind === "composite") return `${rule.all?.length ? "all of" : "any of"} ${partsOf(rule).join(", ")}`;
  if (rule.kind === "baseline") return `${rule.field} is ${SIDES[String(rule.options?.["side"])] ?? "not as"} usual at this hour of the week`;
  if (rule.kind === "contract") return `${promised(rule.options ?? {})}${rule.value === 1 ? "" : `, broken ${rule.value} times over ${rule.timeframe}`}`;
  const what = rule.per ? `${rule.field} / ${rule.per}` : rule.field;
  if (rule.kind === "absence") return `nothing comes of ${what} for ${rule.timeframe}`;
  const held = secondsIn(rule.for) ? ` for ${rule.for}` : "";
  return `${rule.aggregation ?? "avg"} of ${what} over ${rule.timeframe ?? "1m"} ${rule.operand === "equalOrLessThan" ? "≤" : "≥"} ${bound(rule, measured)}${held}`;
}

/** The number and its unit stay together. */
function bound(rule: Rule, measured: string | undefined): string {
  return (formOf(unitOf(rule, measured)) ?? exactly)(rule.value ?? 0).replaceAll(" ", "\u00a0");
}

/** From 0 to a good deal beyond the threshold, in steps one can hit. */
export function slider(value: number, highest: number | null): { min: number; max: number; step: number } {
  const most = Math.max(Math.abs(value) * 2, (highest ?? 0) * 1.2, Number.MIN_VALUE);
  const step = 10 ** Math.floor(Math.log10(most / 50));
  return { min: 0, max: Math.ceil(most / step) * step, step };
}
