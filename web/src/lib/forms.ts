// What stands in a form: what was typed, made into what the API takes. What is empty is left out.

import type { FieldShape } from "../api/types";

export type Values = Readonly<Record<string, unknown>>;

const UNITS_S = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
export type Unit = keyof typeof UNITS_S;
export const UNITS: readonly (readonly [Unit, string])[] = [["s", "seconds"], ["m", "minutes"], ["h", "hours"], ["d", "days"]];

/** '15m' as 15 and m; also of a number of seconds, which some answers hold. */
export function durationOf(value: unknown): { amount: string; unit: Unit } | null {
  if (typeof value === "number" && value > 0) {
    const unit = (["d", "h", "m"] as const).find((one) => value % UNITS_S[one] === 0) ?? "s";
    return { amount: String(value / UNITS_S[unit]), unit };
  }
  const found = /^(\d+(?:\.\d+)?)([smhd])$/.exec(typeof value === "string" ? value : "");
  return found && Number(found[1]) > 0 ? { amount: found[1]!, unit: found[2] as Unit } : null;
}

const none = (value: unknown) => value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);

/** A group may be written in short, as its first field alone; several as one. */
export function groupOf(field: FieldShape, value: unknown): Values {
  if (typeof value === "string") return { [field.fields?.[0]?.name ?? ""]: value };
  return typeof value === "object" && value !== null ? (value as Values) : {};
}

export function groupsOf(field: FieldShape, value: unknown): Values[] {
  const several = Array.isArray(value) ? value : none(value) ? [] : [value];
  return several.map((one) => groupOf(field, one));
}

/** Without what is empty; what is not asked for stays as it was. */
export function filled(fields: readonly FieldShape[], values: Values): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const known = new Map(fields.map((field) => [field.name, field]));
  for (const [name, value] of Object.entries(values)) {
    const field = known.get(name);
    const told = field ? worded(field, value) : value;
    if (!none(told)) found[name] = told;
  }
  return found;
}

function worded(field: FieldShape, value: unknown): unknown {
  if (field.type === "group" && !none(value)) return filled(field.fields ?? [], groupOf(field, value));
  if (field.type === "groups") return groupsOf(field, value).map((one) => filled(field.fields ?? [], one));
  if (field.type === "pairs" && typeof value === "object" && value !== null && !Object.keys(value).length) return undefined;
  return value;
}

/** What is other than before; what was emptied is null, so that it becomes what it is without a word. */
export function changesOf(fields: readonly FieldShape[], before: Values, after: Values): Record<string, unknown> {
  const [was, is] = [filled(fields, before), filled(fields, after)];
  const names = new Set([...Object.keys(was), ...Object.keys(is)]);
  return Object.fromEntries([...names].filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name])).map((name) => [name, is[name] ?? null]));
}

/** What a form begins with, where only this much is said. */
export function defaultsOf(fields: readonly FieldShape[]): Record<string, unknown> {
  const needed = fields.filter(({ required }) => required);
  return Object.fromEntries(needed.flatMap((field) => {
    if (field.type === "group") return [[field.name, defaultsOf(field.fields ?? [])]];
    if (field.type === "groups") return [[field.name, [defaultsOf(field.fields ?? [])]]];
    return none(field.default) ? [] : [[field.name, field.default]];
  }));
}

/** One `name=value` a line. */
export function pairsOf(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return Object.fromEntries(lines.map((line) => {
    const at = line.indexOf("=");
    return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  }));
}

export const linesOfPairs = (value: unknown): string =>
  typeof value === "object" && value !== null ? Object.entries(value).map(([name, text]) => `${name}=${String(text)}`).join("\n") : "";
