import { expect, test } from "vitest";
import { asks, lasting, lasts, secondsIn, slider, subjectOf } from "./alerts";

test("durations are read as the API writes them", () => {
  expect(["30s", "2m", "1h", "7d", undefined, "x"].map(secondsIn)).toEqual([30, 120, 3_600, 604_800, 0, 0]);
});

test("for five minutes is a time frame and a time to hold, and reads as five minutes again", () => {
  const rule = { name: "CPU", timeframe: "2m", for: "3m" };
  const changed = { ...rule, ...lasting(rule, 600) };
  expect(changed).toEqual({ name: "CPU", timeframe: "120s", for: "480s" });
  expect(lasts(changed)).toBe(600);
});

test("a rule that does not hold keeps all its time in its time frame", () => {
  expect(lasting({ name: "Errors", timeframe: "1m" }, 300)).toEqual({ timeframe: "300s", for: "0s" });
});

test("whom an incident is of is said with the labels that say something", () => {
  expect(subjectOf({ broker: "jobs", queue: "mail", group: "" })).toBe("broker jobs, queue mail");
  expect(subjectOf({ channel: "" })).toBe("channel (none)");
  expect(subjectOf({})).toBe("everything");
});

test("what a rule asks is said in a line", () => {
  expect(asks({ name: "a", field: "cpu.usage", value: 80, timeframe: "2m", for: "3m" })).toBe("avg of cpu.usage over 2m ≥ 80 for 3m");
  expect(asks({ name: "a", field: "action.errors", per: "action.count", aggregation: "sum", operand: "equalOrLessThan", value: 0.1, timeframe: "5m", for: "0s" })).toBe("sum of action.errors / action.count over 5m ≤ 10\u00a0%");
  expect(asks({ name: "a", field: "response.time", value: 5_000, timeframe: "5m", for: "5m" }, "ms")).toBe("avg of response.time over 5m ≥ 5\u00a0s for 5m");
  expect(asks({ name: "a", field: "memory.time_left", aggregation: "last", operand: "equalOrLessThan", value: 86_400, timeframe: "5m" }, "seconds")).toBe("last of memory.time_left over 5m ≤ 1\u00a0d");
  expect(asks({ name: "a", field: "tokens", per: "messages", aggregation: "sum", value: 900, timeframe: "5m" }, "tokens")).toBe("sum of tokens / messages over 5m ≥ 900");
  expect(asks({ name: "a", field: "feedback.score", operand: "equalOrLessThan", value: -0.25, timeframe: "1h" }, "score")).toBe("avg of feedback.score over 1h ≤ -0.25");
  expect(asks({ name: "a", kind: "composite", all: ["b", "c"] })).toBe("all of b, c");
  expect(asks({ name: "a", kind: "baseline", field: "messages.in", options: { side: "low" } })).toBe("messages.in is lower than usual at this hour of the week");
  expect(asks({ name: "a", kind: "contract", value: 1, options: { when: "handoff", then: [{ what: "message human" }], within: "15m" } })).toBe("after handoff comes message human within 15m");
});

test("a slider reaches beyond the threshold and what was measured, in round steps", () => {
  const { min, max, step } = slider(80, 95);
  expect(min).toBe(0);
  expect(max).toBeGreaterThanOrEqual(160);
  expect(max / step).toBeLessThanOrEqual(1_000);
  expect(slider(0.05, null).step).toBeLessThan(0.01);
});
