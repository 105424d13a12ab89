import { expect, test } from "vitest";
import { levelOf } from "./levels";

test("beyond a bound is worse, at it is not yet", () => {
  const cpu = { warning: 80, critical: 95 };
  expect([79, 80, 81, 95, 96, null].map((value) => levelOf(value, cpu))).toEqual(
    ["ok", "ok", "warning", "warning", "critical", "unknown"],
  );
});

test("where low is bad, it is the other way round", () => {
  const success = { warning: 99, critical: 95 };
  expect([99.5, 98, 90].map((value) => levelOf(value, success, "low"))).toEqual(["ok", "warning", "critical"]);
});

test("no data is not well, and no bound is not bad", () => {
  expect(levelOf(null, null)).toBe("unknown");
  expect(levelOf(100, null)).toBe("ok");
});
