// The one place that draws: uPlot, in the colours of the theme, with one cursor over all charts of a page.

import { type CSSProperties, useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { usePrefs } from "../lib/prefs";
import { absolute, minute } from "../lib/time";

export interface Line {
  label: string;
  points: readonly (readonly [number, number | null])[];
  /** A colour of the theme; default: the next of the series. */
  colour?: string;
}

interface Props {
  lines: readonly Line[];
  /** What the picture shows, for those who do not see it. */
  label: string;
  format: (value: number | null) => string;
  height: number;
  /** How long it reaches, in words. */
  span: string;
  bars?: boolean;
}

const COLOURS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5"];
const colourOf = (line: Line, place: number) => line.colour ?? COLOURS[place % COLOURS.length]!;
const FONT = "11px system-ui, sans-serif";

export function Chart({ lines, label, format, height, span, bars = false }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const { dark } = usePrefs();
  const [under, setUnder] = useState<number | null>(null);
  const data = joined(lines);
  const drawn = lines.map((line, place) => `${colourOf(line, place)} ${line.label}`).join("\n");

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(options(element, drawn.split("\n"), height, bars, format, setUnder), [[]], element);
    chart.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [drawn, height, bars, dark, format]);
  useEffect(() => chart.current?.setData(data), [data, dark, drawn, height, bars, format]);

  const at = under === null ? undefined : data[0][under];
  return (
    <figure className="chart">
      <div ref={host} role="img" aria-label={label} />
      <figcaption aria-hidden="true">
        <span>{at === undefined ? span : absolute(new Date(at * 1_000)).slice(0, 16)}</span>
        {lines.map((line, place) => (
          <span key={line.label} className="key" style={{ "--key": `var(${colourOf(line, place)})` } as CSSProperties}>
            {line.label} {at !== undefined && <b>{format(data[place + 1]?.[under ?? 0] ?? null)}</b>}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

/** Lines of one step share their times; others are joined on them. */
function joined(lines: readonly Line[]): uPlot.AlignedData {
  const tables = lines.map((line) => [line.points.map(([at]) => at), line.points.map(([, value]) => value)] as uPlot.AlignedData);
  return tables.length === 1 ? tables[0]! : tables.length ? uPlot.join(tables) : [[]];
}

function options(
  element: HTMLElement,
  drawn: string[],
  height: number,
  bars: boolean,
  format: (value: number | null) => string,
  setUnder: (place: number | null) => void,
): uPlot.Options {
  const colour = (name: string) => {
    element.style.color = `var(${name})`;
    return getComputedStyle(element).color;
  };
  const [muted, line, surface] = [colour("--muted"), colour("--line"), colour("--surface")];
  const axis = { stroke: muted, font: FONT, ticks: { show: false }, gap: 4 };
  return {
    width: element.clientWidth,
    height,
    padding: [6, 14, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "time" }, drag: { x: false, y: false }, y: false, points: { size: 7, fill: surface } },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      { ...axis, size: 18, space: 64, grid: { show: false }, values: (_, splits) => splits.map((at) => minute(new Date(at * 1_000))) },
      { ...axis, size: 46, space: 26, grid: { stroke: line, width: 1 }, values: (_, splits) => splits.map((value) => format(value)) },
    ],
    series: [
      {},
      ...drawn.map((one) => {
        const stroke = colour(one.slice(0, one.indexOf(" ")));
        return {
          stroke,
          width: 1.6,
          fill: drawn.length === 1 ? faint(stroke) : undefined,
          points: { show: false },
          ...(bars ? { paths: uPlot.paths.bars!({ size: [0.7, 24] }), fill: stroke } : {}),
        } satisfies uPlot.Series;
      }),
    ],
    hooks: { setCursor: [(made) => setUnder(made.cursor.left! >= 0 ? (made.cursor.idx ?? null) : null)] },
  };
}

const faint = (colour: string) => colour.replace(/^rgb\((.*)\)$/, (_, parts: string) => `rgba(${parts}, 0.12)`);
