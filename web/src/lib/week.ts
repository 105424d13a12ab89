// The hours of the week, as a picture: what is usual at which hour, and which hours stand out week after week.

import type { Point } from "./series";

export const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
const HOURS = 24;
const RECURS_MIN = 2; // weeks in which an hour has to stand out
const STANDS_OUT = 2; // times what the hours around it have

export interface Cell {
  day: number;
  hour: number;
  /** The mean of the weeks; null: nothing is known of this hour. */
  mean: number | null;
  weeks: number;
}

/** Hourly points in local time, each hour of the week over all weeks there are. */
export function weekOf(points: readonly Point[]): Cell[] {
  const found = points.map(([at, value]) => ({ at: new Date(at * 1_000), value }));
  return DAYS.flatMap((_, day) =>
    Array.from({ length: HOURS }, (_, hour) => {
      const values = found.filter(({ at, value }) => value !== null && (at.getDay() + 6) % 7 === day && at.getHours() === hour).map(({ value }) => value!);
      return { day, hour, mean: values.length ? values.reduce((a, b) => a + b) / values.length : null, weeks: values.length };
    }),
  );
}

/** Hours that are well above those before and after them, in more than one week. */
export function spikes(cells: readonly Cell[], points: readonly Point[]): Cell[] {
  const byTime = new Map(points.map(([at, value]) => [at, value]));
  const stood = new Map<number, number>();
  for (const [at, value] of points) {
    const around = [byTime.get(at - 3_600), byTime.get(at + 3_600)].filter((one): one is number => typeof one === "number");
    if (value === null || around.length < 2 || value < 10 || value < STANDS_OUT * Math.max(...around, 1)) continue;
    const date = new Date(at * 1_000);
    const place = ((date.getDay() + 6) % 7) * HOURS + date.getHours();
    stood.set(place, (stood.get(place) ?? 0) + 1);
  }
  return cells.filter((_, place) => (stood.get(place) ?? 0) >= RECURS_MIN);
}
