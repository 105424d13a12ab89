// From a number to a judgement, with the thresholds of the measure catalogue.

import type { MeasureShape, ThresholdsShape } from "../api/types";

export type Level = "ok" | "warning" | "critical" | "unknown";

export function levelOf(value: number | null, bounds: ThresholdsShape | null, worse: MeasureShape["worse"] = "high"): Level {
  if (value === null) return "unknown";
  if (bounds === null || worse === "neither") return "ok";
  const beyond = (bound: number) => (worse === "high" ? value > bound : value < bound);
  return beyond(bounds.critical) ? "critical" : beyond(bounds.warning) ? "warning" : "ok";
}

/** A measure's own colours, or else the bounds it is alerted at. */
export function boundsOf(measures: readonly MeasureShape[] | undefined, name: string): ThresholdsShape | null {
  const found = measures?.find((measure) => measure.name === name);
  return found?.colours ?? found?.thresholds ?? null;
}
