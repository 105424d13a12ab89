import { expect, test } from "vitest";
import { whole } from "./series";

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
