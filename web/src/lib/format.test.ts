import { expect, test } from "vitest";
import { count, milliseconds, percent, seconds } from "./format";

test("large numbers are short, small ones exact", () => {
  expect([0, 890, 9_999, 12_400, 999_960, 1_200_000, null].map(count)).toEqual(
    ["0", "890", "9,999", "12.4K", "1M", "1.2M", "–"],
  );
});

test("times take the unit that fits", () => {
  expect([0.25, 782, 999.6, 1_200, 61_000].map(milliseconds)).toEqual(["0.25 ms", "782 ms", "1 s", "1.2 s", "1 min 1 sec"]);
  expect([34, 154, 7_320, 90_000].map(seconds)).toEqual(["34 sec", "2 min 34 sec", "2 h 2 min", "1 d 1 h"]);
});

test("a share is whole only when it is", () => {
  expect([100, 99.9999, 99.5, 98.978, 70.25, 0.05, null].map(percent)).toEqual(["100 %", "99.99 %", "99.5 %", "98.98 %", "70.3 %", "0.05 %", "–"]);
});
