import { expect, test } from "vitest";
import type { History } from "../api/types";
import { is, linesOf, quotients, reachOf, summary, whole } from "./series";

const at = (seconds: number) => new Date(seconds * 1_000).toISOString();

test("steps that are not whole are left out at both ends", () => {
  const points = [[0, 3], [60, 9], [120, 8], [180, 1]] as const;
  expect(whole(points, 60, at(20), at(200))).toEqual([[60, 9], [120, 8]]);
  expect(whole(points, 60, at(0), at(240))).toEqual(points);
});

test("what began just now is shown though its step is not over", () => {
  const points = [[0, null], [60, 0], [120, 5]] as const;
  expect(whole(points, 60, at(0), at(130))).toEqual(points);
});

const series = (labels: Record<string, string>, ...values: (number | null)[]) =>
  ({ measure: "m", labels, step_seconds: 60, points: values.map((value, place) => [place * 60, value] as [number, number | null]), notes: [] });
const history = (...all: ReturnType<typeof series>[]): History => ({ from: at(0), to: at(300), step_seconds: 60, units: {}, series: all });

test("lines come with the greatest first, each under its labels", () => {
  const found = linesOf(history(series({ bot: "a" }, 1, 2), series({ bot: "" }, null, null), series({ bot: "b", host: "h" }, 9, 1)), "m", "M", false);
  expect(found.map(({ label }) => label)).toEqual(["b · h", "a", "(none)"]);
  expect(linesOf(history(series({}, 1)), "m", "M", false)[0]?.label).toBe("M");
  expect(linesOf(history(series({}, 1)), "other", "M", false)).toEqual([]);
});

test("a summary is of what has a value", () => {
  expect(summary([[0, 4], [60, null], [120, 2]])).toEqual({ last: 2, mean: 3, low: 2, high: 4 });
  expect(summary([[0, null]])).toEqual({ last: null, mean: null, low: null, high: null });
});

test("a value with a bar in it is one value", () => {
  expect(is("action", "a|b\\c")).toBe("action=a\\|b\\\\c");
});

test("a ratio is one measure by another, of the same labels in the same step", () => {
  const per = [{ ...series({ bot: "a" }, 4, 0, null, 2), measure: "n" }, { ...series({ bot: "c" }, 3, 0), measure: "n" }];
  const found = quotients(history(series({ bot: "a" }, 1, 0, 1, null), series({ bot: "b" }, 1), ...per), "m", "n");
  expect(found.series.map(({ labels, points }) => [labels["bot"], points.map(([, value]) => value)])).toEqual([
    ["a", [0.25, null, null, null]],
    ["c", [0, null]],
  ]);
  expect(found.units).toEqual({ m: "share" });
});

test("a chart reaches over all that was asked for", () => {
  expect(reachOf(history())).toEqual([0, 300]);
});
