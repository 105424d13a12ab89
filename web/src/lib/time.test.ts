import { expect, test } from "vitest";
import { absolute, ago, clock } from "./time";

const now = new Date(2024, 0, 15, 14, 32, 7, 45);
const before = (seconds: number) => new Date(now.getTime() - seconds * 1_000);

test("how long ago, in the unit people would say", () => {
  expect([3, 47, 120, 7_300, 200_000].map((s) => ago(before(s), now))).toEqual(
    ["just now", "40 sec ago", "2 min ago", "2 h ago", "2 d ago"],
  );
});

test("a sender whose clock is ahead spoke just now", () => {
  expect(ago(before(-90), now)).toBe("just now");
});

test("the absolute time is the viewer's, to the second", () => {
  expect(absolute(now)).toBe("2024-01-15 14:32:07");
  expect(clock(now, true)).toBe("14:32:07.045");
});
