// The one place that draws: uPlot, in the colours of the theme, with one cursor over all charts of a page.
// Dragging over a chart shows what lies there; a double click shows more around it.

import { type CSSProperties, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { ThresholdsShape } from "../api/types";
import { axisOf, formatOf, stepsOf } from "../lib/format";
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
  /** Between what is usual: shaded behind the line. */
  band?: Band | undefined;
}

export interface Band {
  at: readonly number[];
  low: readonly (number | null)[];
  high: readonly (number | null)[];
}

/** Something that happened, in seconds: a thin line from top to bottom, its words under the cursor. */
export interface Happening {
  at: number;
  text: string;
}

export type Reach = readonly [from: number, to: number];

interface Props {
  lines: readonly Line[];
  /** What the picture shows, for those who do not see it. */
  label: string;
  /** Of its values, as in the catalogue. */
  unit: string | undefined;
  height: number;
  /** How long it reaches, in words. */
  span: string;
  /** From when to when, in seconds: all that was asked for, also where nothing is. */
  window: Reach;
  bars?: boolean;
  /** Each value is of a day, or of several. */
  daily?: boolean;
  bounds?: ThresholdsShape | null;
  happened?: readonly Happening[] | undefined;
  /** What has to be known of what is drawn. */
  note?: string;
}

interface Under {
  place: number | null;
  happened: string;
}

type Tell = RefObject<(under: Under) => void>;
const NOTHING: Under = { place: null, happened: "" };
const NO_HAPPENINGS: readonly Happening[] = [];
const NEAR_PX = 7;

const COLOURS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5"];
const DASHES = [[], [7, 3], [2, 3], [10, 3, 2, 3]];
const DAYS = [1, 2, 7, 14, 28, 91, 364].map((days) => days * 86_400);
const SHOWN_MAX = 15; // names under a chart; the others are drawn, and found in the table
const BRUSH_PX_MIN = 6;
const FONT = "11px system-ui, sans-serif";
const colourOf = (line: Line, place: number) => line.colour ?? COLOURS[place % COLOURS.length]!;

export function Chart({ lines, label, unit, height, span, window: shown, bars = false, daily = false, bounds = null, happened = NO_HAPPENINGS, note = "" }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const tell: Tell = useRef(() => {});
  const reach = useRef(shown);
  reach.current = shown;
  const marks = useRef(happened);
  marks.current = happened;
  const { dark } = usePrefs();
  const data = useMemo(() => joined(lines), [lines]);
  const drawn = lines.map(colourOf).join(" ");
  const banded = lines.flatMap((line, place) => (line.band ? [place] : [])).join(" ");
  const [warning, critical] = [bounds?.warning, bounds?.critical];

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(options({ element, drawn: drawn ? drawn.split(" ") : [], height, banded: banded ? banded.split(" ").map(Number) : [], bars, daily, unit, tell, reach, marks, warning, critical }), [[]], element);
    chart.current = made;
    const observer = new ResizeObserver(() => element.clientWidth !== made.width && made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [drawn, banded, height, bars, daily, dark, unit, warning, critical]);
  useEffect(() => chart.current?.setData(data), [data, shown[0], shown[1], dark, drawn, banded, height, bars, daily, unit, warning, critical]);
  useEffect(() => chart.current?.redraw(false), [happened]);

  return (
    <figure className="chart">
      <div ref={host} role="img" aria-label={label} className="plot" />
      <Names lines={lines} data={data} unit={unit} daily={daily} span={span} note={note} tell={tell} />
    </figure>
  );
}

/** The names, and under the cursor the values: the chart itself need not be made anew for them. */
function Names({ lines, data, unit, daily, span, note, tell }: Pick<Props, "lines" | "unit" | "daily" | "span" | "note"> & { data: uPlot.AlignedData; tell: Tell }) {
  const [{ place: under, happened }, setUnder] = useState(NOTHING);
  useEffect(() => {
    tell.current = (next) => setUnder((before) => (before.place === next.place && before.happened === next.happened ? before : next));
  }, [tell]);
  const format = formatOf(unit);
  const at = under === null ? undefined : data[0][under];
  const behind = 2 * lines.filter(({ band }) => band).length;
  return (
    <figcaption aria-hidden="true">
      <span>{at === undefined ? span : absolute(new Date(at * 1_000)).slice(0, daily ? 10 : undefined)}</span>
      {lines.slice(0, SHOWN_MAX).map((line, place) => (
        <span key={line.label} className={`key dash-${Math.floor(place / COLOURS.length) % DASHES.length}`} style={{ "--key": `var(${colourOf(line, place)})` } as CSSProperties}>
          {plain(line.label)} {at !== undefined && <b>{format(data[behind + place + 1]?.[under ?? 0] ?? null)}</b>}
        </span>
      ))}
      {lines.length > SHOWN_MAX && <span>and {lines.length - SHOWN_MAX} more</span>}
      {happened && <span className="happened">▾ {plain(happened)}</span>}
      {note && <span>{note}</span>}
    </figcaption>
  );
}

/** Lines of one step share their times; others are joined on them. What is drawn behind comes first. */
function joined(lines: readonly Line[]): uPlot.AlignedData {
  const bands = lines.flatMap(({ band }) => (band ? [[band.at, band.low, band.high] as unknown as uPlot.AlignedData] : []));
  const tables = [...bands, ...lines.map((line) => [line.points.map(([at]) => at), line.points.map(([, value]) => value)] as uPlot.AlignedData)];
  const [first, ...others] = tables;
  if (!first) return [[]];
  const alike = others.every(([times]) => times.length === first[0].length && times.every((at, place) => at === first[0][place]));
  return alike ? [first[0], ...tables.flatMap(([, ...values]) => values)] : uPlot.join(tables);
}

interface Drawing {
  element: HTMLElement;
  /** The colours of the lines. */
  drawn: string[];
  height: number;
  bars: boolean;
  daily: boolean;
  unit: string | undefined;
  tell: Tell;
  reach: RefObject<Props["window"]>;
  marks: RefObject<readonly Happening[]>;
  /** The lines behind which a band is drawn. */
  banded: number[];
  warning: number | undefined;
  critical: number | undefined;
}

function options({ element, drawn, height, banded, bars, daily, unit, tell, reach, marks: happenings, warning, critical }: Drawing): uPlot.Options {
  // Each question lays out the whole page anew, and fifty lines have five colours.
  const known = new Map<string, string>();
  const colour = (name: string) => {
    if (!known.has(name)) {
      element.style.color = `var(${name})`;
      known.set(name, getComputedStyle(element).color);
    }
    return known.get(name)!;
  };
  const [muted, line, surface] = [colour("--muted"), colour("--line"), colour("--surface")];
  const marks = [[warning, colour("--warning")], [critical, colour("--critical")]] as const;
  const strokes = drawn.map(colour);
  // Where the cursor is, each line that is named has a point; neither the edges of a band nor the other lines need one.
  const pointOf = (_: uPlot, series: number) => {
    const place = series - 1 - 2 * banded.length;
    return place >= 0 && place < SHOWN_MAX ? document.createElement("div") : undefined;
  };
  const [written, steps] = [axisOf(unit), stepsOf(unit)];
  const axis = { stroke: muted, font: FONT, ticks: { show: false }, gap: 4 };
  return {
    width: element.clientWidth,
    height,
    padding: [6, 14, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "time", filters: { pub: (type) => type !== "mousedown" && type !== "mouseup" } }, drag: { x: true, y: false, setScale: false }, y: false, points: { size: 7, fill: surface, show: pointOf as uPlot.Cursor.Points.Show }, bind: { dblclick: () => zoomOut } },
    scales: {
      x: { range: () => [...reach.current] },
      y: { range: (_, min, max) => [Math.min(0, min ?? 0) * 1.08, max > 0 ? max * 1.08 : min < 0 ? 0 : 1] },
    },
    axes: [
      { ...axis, size: 20, gap: 6, space: 64, grid: { show: false }, ...(daily ? { incrs: DAYS } : {}), values: (made, splits) => splits.map((at) => axisTime(new Date(at * 1_000), daily ? Infinity : (made.scales["x"]!.max ?? 0) - (made.scales["x"]!.min ?? 0))) },
      { ...axis, size: 56, space: 26, grid: { stroke: line, width: 1 }, ...(steps ? { incrs: steps } : {}), values: (_, splits) => splits.map((value) => written(value)) },
    ],
    series: [
      {},
      ...banded.flatMap(() => [EDGE, EDGE]), // of each band the low one, then the high one
      ...strokes.map((stroke, place) => {
        return {
          stroke,
          // A hairline costs a twentieth of any other line, and of many lines one sees no more.
          width: drawn.length > SHOWN_MAX ? 1 : 1.6,
          // Dashes tell apart what is named below; to cut a line into them costs more than to draw it.
          dash: place < SHOWN_MAX ? DASHES[Math.floor(place / COLOURS.length) % DASHES.length]! : [],
          fill: drawn.length === 1 ? faint(stroke) : undefined,
          points: { show: !bars, filter: (made, series) => alone(made.data[series]!), size: 5, fill: stroke },
          ...(bars ? { paths: uPlot.paths.bars!({ size: [0.7, daily ? 60 : 24], align: 1 }), fill: stroke } : {}),
        } satisfies uPlot.Series;
      }),
    ],
    bands: banded.map((line, place) => ({ series: [2 * place + 2, 2 * place + 1], fill: faint(strokes[line]!, 0.2) })),
    hooks: {
      setCursor: [(made) => tell.current(made.cursor.left! >= 0 ? { place: made.cursor.idx ?? null, happened: near(made, happenings.current) } : NOTHING)],
      setSelect: [brushed],
      drawAxes: [(made) => happenings.current.forEach(({ at }) => stand(made, at, muted))],
      draw: [(made) => marks.forEach(([bound, stroke]) => bound !== undefined && mark(made, bound, stroke))],
    },
  };
}

const EDGE: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };

/** What happened where the cursor is, of several the nearest. */
function near(made: uPlot, happened: readonly Happening[]): string {
  const left = made.cursor.left!;
  const found = happened.map(({ at, text }) => ({ text, away: Math.abs(made.valToPos(at, "x") - left) })).filter(({ away }) => away <= NEAR_PX);
  return found.sort((a, b) => a.away - b.away)[0]?.text ?? "";
}

function stand(made: uPlot, at: number, stroke: string) {
  const { min, max } = made.scales["x"]!;
  if (at < (min ?? 0) || at > (max ?? 0)) return;
  const x = Math.round(made.valToPos(at, "x", true)) + 0.5;
  const size = 4 * devicePixelRatio;
  made.ctx.save();
  made.ctx.strokeStyle = made.ctx.fillStyle = stroke;
  made.ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  made.ctx.beginPath();
  made.ctx.moveTo(x, made.bbox.top);
  made.ctx.lineTo(x, made.bbox.top + made.bbox.height);
  made.ctx.stroke();
  made.ctx.beginPath();
  made.ctx.moveTo(x - size, made.bbox.top);
  made.ctx.lineTo(x + size, made.bbox.top);
  made.ctx.lineTo(x, made.bbox.top + 1.4 * size);
  made.ctx.fill();
  made.ctx.restore();
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

const faint = (colour: string, share = 0.12) => colour.replace(/^rgb\((.*)\)$/, (_, parts: string) => `rgba(${parts}, ${share})`);
