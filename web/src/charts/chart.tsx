// The one place that draws: uPlot, in the colours of the theme, with one cursor over all charts of a page.
// Dragging over a chart shows what lies there; a double click shows more around it.

import { type CSSProperties, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { ThresholdsShape } from "../api/types";
import { plain } from "../lib/text";
import { usePrefs } from "../lib/prefs";
import { moved, rangeOf, windowChanges } from "../lib/range";
import type { Point } from "../lib/series";
import { absolute, axisTime } from "../lib/time";
import { set } from "../lib/url";

export interface Line {
  label: string;
  points: readonly Point[];
  /** A colour of the theme; default: the next of the series. */
  colour?: string;
}

interface Props {
  lines: readonly Line[];
  /** What the picture shows, for those who do not see it. */
  label: string;
  format: (value: number | null) => string;
  /** The same beside the axis. */
  axis?: (value: number | null) => string;
  height: number;
  /** How long it reaches, in words. */
  span: string;
  /** From when to when, in seconds, where it is more than what there is. */
  window?: readonly [number, number] | undefined;
  bars?: boolean;
  bounds?: ThresholdsShape | null;
}

type Tell = RefObject<(place: number | null) => void>;

const COLOURS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5"];
const DASHES = [[], [7, 3], [2, 3], [10, 3, 2, 3]];
const SHOWN_MAX = 15; // names under a chart; the others are drawn, and found in the table
const BRUSH_PX_MIN = 6;
const FONT = "11px system-ui, sans-serif";
const colourOf = (line: Line, place: number) => line.colour ?? COLOURS[place % COLOURS.length]!;

export function Chart({ lines, label, format, axis = format, height, span, window: shown, bars = false, bounds = null }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const tell: Tell = useRef(() => {});
  const reach = useRef(shown);
  reach.current = shown;
  const { dark } = usePrefs();
  const data = useMemo(() => joined(lines), [lines]);
  const drawn = lines.map((line, place) => `${colourOf(line, place)} ${line.label}`).join("\n");
  const [warning, critical] = [bounds?.warning, bounds?.critical];

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(options({ element, drawn: drawn ? drawn.split("\n") : [], height, bars, axis, tell, reach, warning, critical }), [[]], element);
    chart.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [drawn, height, bars, dark, axis, warning, critical]);
  useEffect(() => chart.current?.setData(data), [data, shown?.[0], shown?.[1], dark, drawn, height, bars, axis, warning, critical]);

  return (
    <figure className="chart">
      <div ref={host} role="img" aria-label={label} className="plot" />
      <Names lines={lines} data={data} format={format} span={span} tell={tell} />
    </figure>
  );
}

/** The names, and under the cursor the values: the chart itself need not be made anew for them. */
function Names({ lines, data, format, span, tell }: Pick<Props, "lines" | "format" | "span"> & { data: uPlot.AlignedData; tell: Tell }) {
  const [under, setUnder] = useState<number | null>(null);
  useEffect(() => {
    tell.current = setUnder;
  }, [tell]);
  const at = under === null ? undefined : data[0][under];
  return (
    <figcaption aria-hidden="true">
      <span>{at === undefined ? span : absolute(new Date(at * 1_000))}</span>
      {lines.slice(0, SHOWN_MAX).map((line, place) => (
        <span key={line.label} className={`key dash-${Math.floor(place / COLOURS.length) % DASHES.length}`} style={{ "--key": `var(${colourOf(line, place)})` } as CSSProperties}>
          {plain(line.label)} {at !== undefined && <b>{format(data[place + 1]?.[under ?? 0] ?? null)}</b>}
        </span>
      ))}
      {lines.length > SHOWN_MAX && <span>and {lines.length - SHOWN_MAX} more</span>}
    </figcaption>
  );
}

/** Lines of one step share their times; others are joined on them. */
function joined(lines: readonly Line[]): uPlot.AlignedData {
  const tables = lines.map((line) => [line.points.map(([at]) => at), line.points.map(([, value]) => value)] as uPlot.AlignedData);
  const [first, ...others] = tables;
  if (!first) return [[]];
  const alike = others.every(([times]) => times.length === first[0].length && times.every((at, place) => at === first[0][place]));
  return alike ? [first[0], ...tables.map((table) => table[1]!)] : uPlot.join(tables);
}

interface Drawing {
  element: HTMLElement;
  drawn: string[];
  height: number;
  bars: boolean;
  axis: Props["format"];
  tell: Tell;
  reach: RefObject<Props["window"]>;
  warning: number | undefined;
  critical: number | undefined;
}

function options({ element, drawn, height, bars, axis: written, tell, reach, warning, critical }: Drawing): uPlot.Options {
  const colour = (name: string) => {
    element.style.color = `var(${name})`;
    return getComputedStyle(element).color;
  };
  const [muted, line, surface] = [colour("--muted"), colour("--line"), colour("--surface")];
  const marks = [[warning, colour("--warning")], [critical, colour("--critical")]] as const;
  const axis = { stroke: muted, font: FONT, ticks: { show: false }, gap: 4 };
  return {
    width: element.clientWidth,
    height,
    padding: [6, 14, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "time", filters: { pub: (type) => type !== "mousedown" && type !== "mouseup" } }, drag: { x: true, y: false, setScale: false }, y: false, points: { size: 7, fill: surface }, bind: { dblclick: () => zoomOut } },
    scales: {
      x: { range: (_, min, max) => (reach.current ? [...reach.current] : [min, max]) },
      y: { range: (_, min, max) => [Math.min(0, min ?? 0) * 1.08, max > 0 ? max * 1.08 : min < 0 ? 0 : 1] },
    },
    axes: [
      { ...axis, size: 18, space: 64, grid: { show: false }, values: (made, splits) => splits.map((at) => axisTime(new Date(at * 1_000), (made.scales["x"]!.max ?? 0) - (made.scales["x"]!.min ?? 0))) },
      { ...axis, size: 56, space: 26, grid: { stroke: line, width: 1 }, values: (_, splits) => splits.map((value) => written(value)) },
    ],
    series: [
      {},
      ...drawn.map((one, place) => {
        const stroke = colour(one.slice(0, one.indexOf(" ")));
        return {
          stroke,
          width: 1.6,
          dash: DASHES[Math.floor(place / COLOURS.length) % DASHES.length]!,
          fill: drawn.length === 1 ? faint(stroke) : undefined,
          points: { show: !bars, filter: (made, series) => alone(made.data[series]!), size: 5, fill: stroke },
          ...(bars ? { paths: uPlot.paths.bars!({ size: [0.7, 24] }), fill: stroke } : {}),
        } satisfies uPlot.Series;
      }),
    ],
    hooks: {
      setCursor: [(made) => tell.current(made.cursor.left! >= 0 ? (made.cursor.idx ?? null) : null)],
      setSelect: [brushed],
      draw: [(made) => marks.forEach(([bound, stroke]) => bound !== undefined && mark(made, bound, stroke))],
    },
  };
}

/** A value between two gaps has no line to be seen by. */
function alone(values: ArrayLike<number | null | undefined>): number[] {
  const found = [];
  for (let place = 0; place < values.length; place++) {
    if (values[place] != null && values[place - 1] == null && values[place + 1] == null) found.push(place);
  }
  return found;
}

const zoomOut = () => {
  set(moved(rangeOf(new URLSearchParams(location.search)), Date.now() / 1_000, 0, 2));
  return null;
};

function brushed(made: uPlot) {
  const { left, width } = made.select;
  if (width < BRUSH_PX_MIN) return;
  const [from, to] = [made.posToVal(left, "x"), made.posToVal(left + width, "x")];
  made.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  set(windowChanges(from, to));
}

function mark(made: uPlot, bound: number, stroke: string) {
  const { min, max } = made.scales["y"]!;
  if (bound > (max ?? 0) || bound < (min ?? 0)) return;
  const y = Math.round(made.valToPos(bound, "y", true));
  made.ctx.save();
  made.ctx.strokeStyle = stroke;
  made.ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  made.ctx.beginPath();
  made.ctx.moveTo(made.bbox.left, y);
  made.ctx.lineTo(made.bbox.left + made.bbox.width, y);
  made.ctx.stroke();
  made.ctx.restore();
}

const faint = (colour: string) => colour.replace(/^rgb\((.*)\)$/, (_, parts: string) => `rgba(${parts}, 0.12)`);
