// What a line over time may honestly show.

import type { History, SeriesShape } from "../api/types";

export type Point = readonly [number, number | null];

/** From when to when one asked, in seconds. */
export const reachOf = ({ from, to }: { from: string; to: string }) => [Date.parse(from) / 1_000, Date.parse(to) / 1_000] as const;

/** Without the steps at both ends that are not whole: half a step's count looks like a fall. Where there is no more
 * than that, it is shown all the same. */
export function whole(points: readonly Point[], stepS: number, from: string, to: string): readonly Point[] {
  const [fromS, toS] = reachOf({ from, to });
  const found = points.filter(([at]) => at >= fromS && at + stepS <= toS);
  return found.some(([, value]) => value) ? found : points;
}

/** The series of a measure as lines, the greatest first; one without labels bears the name it is given. */
export function linesOf(history: History, measure: string, name: string, counted: boolean): { key: string; label: string; points: readonly Point[] }[] {
  return history.series
    .filter((series) => series.measure === measure)
    .sort((a, b) => weight(b) - weight(a))
    .map((series) => ({
      key: keyOf(series.labels),
      label: labelOf(series) || name,
      points: counted ? whole(series.points, series.step_seconds ?? history.step_seconds, history.from, history.to) : series.points,
    }));
}

/** One count by another, step by step: what a ratio is about. Of what never was there are none; by nothing is nothing. */
export function quotients(history: History, measure: string, per: string): History {
  const above = new Map(history.series.filter((series) => series.measure === measure).map((series) => [keyOf(series.labels), new Map(series.points)]));
  const series = history.series
    .filter((one) => one.measure === per)
    .map((one) => {
      const counted = above.get(keyOf(one.labels));
      return { ...one, measure, points: one.points.map(([at, by]): [number, number | null] => [at, over(counted ? (counted.get(at) ?? null) : 0, by)]) };
    });
  return { ...history, series, units: { ...history.units, [measure]: "share" } };
}

const over = (value: number | null, by: number | null) => (value === null || !by ? null : value / by);

/** A label without a value says nothing beside one that has one. */
export function labelOf(series: SeriesShape): string {
  const values = Object.values(series.labels);
  return (values.some(Boolean) ? values.filter(Boolean) : values.map(() => "(none)")).join(" · ");
}

/** The same for the same labels, in whatever order. */
export const keyOf = (labels: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

const weight = (series: SeriesShape) => series.points.reduce((sum, [, value]) => sum + (value ?? 0), 0);

export interface Summary {
  last: number | null;
  mean: number | null;
  low: number | null;
  high: number | null;
}

/** Of the steps that have a value. The mean is over the steps, not over what happened in them. */
export function summary(points: readonly Point[]): Summary {
  const values = points.map(([, value]) => value).filter((value) => value !== null);
  if (!values.length) return { last: null, mean: null, low: null, high: null };
  return {
    last: values.at(-1) ?? null,
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    low: values.reduce((a, b) => Math.min(a, b)),
    high: values.reduce((a, b) => Math.max(a, b)),
  };
}

/** `label=value` as the API takes it: what would part alternatives is part of the value. */
export const is = (label: string, value: string) => `${label}=${value.replace(/[\\|]/g, "\\$&")}`;
