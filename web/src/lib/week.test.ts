import { expect, test } from "vitest";
import { spikes, weekOf } from "./week";

const MONDAY = new Date(2024, 0, 1).getTime() / 1_000; // in the zone of whoever runs this
const at = (week: number, day: number, hour: number) => MONDAY + ((week * 7 + day) * 24 + hour) * 3_600;

test("each hour of the week is the mean of its weeks, and unknown where there was none", () => {
  const cells = weekOf([[at(0, 1, 9), 10], [at(1, 1, 9), 30], [at(0, 1, 10), null]]);
  expect(cells).toHaveLength(168);
  expect(cells[24 + 9]).toEqual({ day: 1, hour: 9, mean: 20, weeks: 2 });
  expect(cells[24 + 10]?.mean).toBeNull();
});

test("a spike that comes again in another week is named, one that came once is not", () => {
  const points = [0, 1].flatMap((week) => Array.from({ length: 168 }, (_, hour) => [at(week, 0, hour), hour === 100 ? 90 : hour === 40 && week === 0 ? 90 : 20] as const));
  expect(spikes(weekOf(points), points).map(({ day, hour }) => day * 24 + hour)).toEqual([100]);
});
