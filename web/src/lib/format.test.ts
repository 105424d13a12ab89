import { expect, test } from "vitest";
import { axisOf, count, milliseconds, percent, seconds, formatOf, stepsOf } from "./format";

test("large numbers are short, small ones exact", () => {
  expect([0, 890, 9_999, 12_400, 999_960, 1_200_000, null].map(count)).toEqual(
    ["0", "890", "9,999", "12.4K", "1M", "1.2M", "–"],
  );
});

test("times take the unit that fits", () => {
  expect([0.25, 782, 999.6, 1_200, 61_000].map(milliseconds)).toEqual(["0.25 ms", "782 ms", "1 s", "1.2 s", "1 min 1 sec"]);
  expect([34, 154, 300, 7_320, 90_000, 172_800].map(seconds)).toEqual(["34 sec", "2 min 34 sec", "5 min", "2 h 2 min", "1 d 1 h", "2 d"]);
});

test("a share is whole only when it is", () => {
  expect([100, 99.9999, 99.5, 98.978, 70.25, 0.05, null].map(percent)).toEqual(["100 %", "99.99 %", "99.5 %", "98.98 %", "70.3 %", "0.05 %", "–"]);
});

test("a unit of the catalogue has its form, and beside an axis a short one", () => {
  expect(["percent", "ms", "usd", "bytes", "kib", "count", undefined].map((unit) => formatOf(unit)(1536))).toEqual(["1536 %", "1.5 s", "$1,536", "1.5 KiB", "1.5 MiB", "1,536", "1,536"]);
  expect([0, 0.25, 90, 7_200, 200_000].map((value) => axisOf("seconds")(value))).toEqual(["0", "250 ms", "1:30 min", "2 h", "2.3 d"]);
  expect(formatOf("usd")(0.00123)).toBe("$0.0012");
});

test("an axis of time counts in what a clock counts in", () => {
  const told = stepsOf("ms")!.filter((step) => step >= 1_000).map((step) => axisOf("ms")(step));
  expect(told.filter((text) => text.includes("."))).toEqual([]);
  expect(stepsOf("ms")).toEqual([...stepsOf("ms")!].sort((a, b) => a - b));
  expect(stepsOf("bytes")).toBeUndefined();
});
