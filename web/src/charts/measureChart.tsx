// Measures of the catalogue as one chart: unit, bounds and words come from there.

import { useMemo } from "react";
import { useCatalogue } from "../api/queries";
import type { History } from "../api/types";
import { formatOf } from "../lib/format";
import { boundsOf } from "../lib/levels";
import { rangeOf } from "../lib/range";
import { linesOf, reachOf } from "../lib/series";
import { useView } from "../lib/url";
import { Chart, type Line } from "./chart";
import { useDeploys } from "./happened";
import type { Usual } from "./usual";

interface Props {
  of: History | undefined;
  /** What to call each measure. */
  measures: Readonly<Record<string, string>>;
  height: number;
  span: string;
  /** Whether it is of what happened within each step, and not of how it stood at its end. */
  counted?: boolean;
  bars?: boolean;
  /** At most so many lines, the greatest. */
  most?: number;
  /** What is usual, where it is to be shown. */
  usual?: Usual | undefined;
}

export function MeasureChart({ of, measures, height, span, counted = true, bars = false, most = 50, usual }: Props) {
  const catalogue = useCatalogue().data;
  const names = Object.keys(measures);
  const first = names[0]!;
  const told = names.map((name) => `${name} ${measures[name]}`).join("\n");
  const lines: Line[] = useMemo(
    () => (of ? Object.entries(measures).flatMap(([name, label]) => linesOf(of, name, label, counted)).slice(0, most) : []).map((line) => ({ ...line, band: usual?.bands.get(line.key) })),
    [of, told, counted, most, usual],
  );
  const { params } = useView();
  const deploys = useDeploys(rangeOf(params).query, params.get("bot") ?? "");
  const unit = of?.units[first] ?? catalogue?.metrics.find(({ name }) => `metric:${name}` === first)?.unit;
  const format = formatOf(unit);
  const words = lines.flatMap(({ label, points }) => {
    const values = points.map(([, value]) => value).filter((value) => value !== null);
    return values.length ? [`${label}: highest ${format(values.reduce((a, b) => Math.max(a, b)))}, last ${format(values.at(-1) ?? null)}`] : [];
  });
  if (!of || !words.length) return <p className="chart quiet" style={{ minHeight: of ? 0 : height }}>{of ? "Nothing in this time." : "Loading…"}</p>;
  const label = `${span}. ${words.slice(0, 10).join("; ")}${words.length > 10 ? `; and ${words.length - 10} more` : ""}`;
  return <Chart lines={lines} label={label} unit={unit} height={height} span={span} window={reachOf(of)} bars={bars} bounds={boundsOf(catalogue?.measures, first)} happened={deploys} note={usual?.note ?? ""} />;
}
