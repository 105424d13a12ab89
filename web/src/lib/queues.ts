// Where a queue is heading, in a level and in words.

import type { MeasureShape, QueueItem } from "../api/types";
import { seconds } from "./format";
import { boundsOf, type Level, levelOf } from "./levels";

const TRENDS: Record<QueueItem["trend"], readonly [Level, string]> = {
  growing: ["ok", "growing"], draining: ["ok", "draining"], steady: ["ok", "steady"], empty: ["ok", "empty"], unknown: ["unknown", "not known"],
};

type Heading = Pick<QueueItem, "current" | "trend" | "stalled_seconds" | "growing_seconds">;

/** Bad is what the rules call so: a queue that has stood still, or grown, for a second is none of it. */
export function headingOf(item: Heading, measures: readonly MeasureShape[] | undefined): readonly [Level, string] {
  if (!item.current) return TRENDS.unknown;
  const level = (value: number | null, measure: string) => (value === null ? "ok" : levelOf(value, boundsOf(measures, measure)));
  const stalled = level(item.stalled_seconds, "queue.stalled");
  if (stalled !== "ok") return [stalled, `stalled for ${seconds(item.stalled_seconds)}`];
  return item.trend === "growing" ? [level(item.growing_seconds, "queue.growing"), TRENDS.growing[1]] : TRENDS[item.trend];
}
