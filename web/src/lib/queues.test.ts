import { expect, test } from "vitest";
import type { MeasureShape } from "../api/types";
import { headingOf } from "./queues";

const bounds = { "queue.stalled": { warning: 300, critical: 900 }, "queue.growing": { warning: 300, critical: 1800 } };
const measures = Object.entries(bounds).map(([name, thresholds]) => ({ name, thresholds, colours: null, worse: "high" }) as unknown as MeasureShape);
const heading = (stalled: number | null, growing: number | null, trend: Parameters<typeof headingOf>[0]["trend"], current = true) =>
  headingOf({ current, trend, stalled_seconds: stalled, growing_seconds: growing }, measures);

test("a queue is bad beyond the limit of its rule, and not before", () => {
  expect(heading(10, 0, "steady")).toEqual(["ok", "steady"]);
  expect(heading(300, 0, "steady")).toEqual(["ok", "steady"]);
  expect(heading(301, 400, "growing")).toEqual(["warning", "stalled for 5 min 1 sec"]);
  expect(heading(901, 0, "steady")[0]).toBe("critical");
  expect(heading(0, 20, "growing")).toEqual(["ok", "growing"]);
  expect(heading(0, 301, "growing")).toEqual(["warning", "growing"]);
  expect(heading(0, 2000, "growing")).toEqual(["critical", "growing"]);
});

test("what nobody tells is no fault, and what is no longer told is not known", () => {
  expect(heading(null, null, "draining")).toEqual(["ok", "draining"]);
  expect(heading(null, null, "unknown")).toEqual(["unknown", "not known"]);
  expect(heading(2000, 2000, "growing", false)).toEqual(["unknown", "not known"]);
  expect(headingOf({ current: true, trend: "steady", stalled_seconds: 5000, growing_seconds: 0 }, undefined)).toEqual(["ok", "steady"]);
});
