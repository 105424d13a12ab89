// What a line over time may honestly show.

export type Point = readonly [number, number | null];

/** Without the steps at both ends that are not whole: half a step's count looks like a fall. Where there is no more
 * than that, it is shown all the same. */
export function whole(points: readonly Point[], stepS: number, from: string, to: string): readonly Point[] {
  const [fromS, toS] = [Date.parse(from) / 1_000, Date.parse(to) / 1_000];
  const found = points.filter(([at]) => at >= fromS && at + stepS <= toS);
  return found.some(([, value]) => value) ? found : points;
}
