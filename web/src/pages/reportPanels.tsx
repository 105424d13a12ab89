// The panels of a report with their values: on the page, while it is put together, and behind a link.

import { type MouseEvent, type ReactNode, useMemo } from "react";
import type { AnswerShape, Panel as PanelShape, ReportData, SeriesShape } from "../api/types";
import { Chart, type Happening, type Line } from "../charts/chart";
import { useUsual } from "../charts/usual";
import { formatOf } from "../lib/format";
import { levelOf } from "../lib/levels";
import { keyOf, labelOf, reachOf } from "../lib/series";
import { absolute } from "../lib/time";
import { rowsOf } from "../lib/wanted";
import { Mark, Said } from "./parts";
import { Table } from "./table";

const HEIGHT = 190;

/** What stands around the lines where one is signed in: behind a link nothing more is asked than the report. */
export interface Around {
  happened: readonly Happening[] | undefined;
  usual: boolean;
}
const NOTHING: Around = { happened: undefined, usual: false };

export function ReportPanels({ of, around = NOTHING }: { of: ReportData; around?: Around }) {
  const one = (panel: PanelShape, place: number) => (
    <section key={place} className="panel">
      <header><h2><Said text={nameOf(panel)} /></h2></header>
      <About panel={panel} answer={of.answers[place]!} period={of.period} />
      <PanelAnswer panel={panel} answer={of.answers[place]!} around={around} />
    </section>
  );
  return (
    <div className="report">
      {rowsOf(of.panels).map((places) => {
        const shown = places.map((place) => one(of.panels[place]!, place));
        return of.panels[places[0]!]!.drawn === "number" ? <div key={places[0]} className="numbers">{shown}</div> : shown;
      })}
    </div>
  );
}

const hush = (event: MouseEvent) => event.stopPropagation();

/** Where the time of a chart is not to be chosen: neither a brush nor a double click reaches it. */
export const Fixed = ({ children }: { children: ReactNode }) => <div className="fixed" onMouseDownCapture={hush} onDoubleClickCapture={hush}>{children}</div>;

export const nameOf = (panel: PanelShape) => panel.title || panel.measure;

interface Props {
  panel: PanelShape;
  answer: AnswerShape;
}

function About({ panel, answer, period }: Props & { period: string }) {
  return (
    <p className="about quiet">
      <Said text={aboutOf(panel) || answer.help} />
      {answer.bounds && answer.worse !== "neither" && <> · warning {answer.worse === "low" ? "below" : "above"} {formatOf(answer.unit)(answer.bounds.warning)}</>}
      {panel.period && panel.period !== period && <> · {absolute(new Date(answer.from)).slice(0, 16)} – {absolute(new Date(answer.to)).slice(0, 16)}</>}
    </p>
  );
}

export function PanelAnswer({ panel, answer, around = NOTHING }: Props & { around?: Around }) {
  return (
    <>
      {answer.problem ? <p className="pad"><Mark level="critical"><Said text={answer.problem} /></Mark></p> : !answer.series.length ? <p className="pad quiet">Nothing in this time.</p> : <Values panel={panel} answer={answer} around={around} />}
      {answer.notes.length > 0 && <p className="pad quiet">{answer.notes.join(" ")}</p>}
      {answer.left_out > 0 && <p className="pad quiet">{answer.left_out} others are left out.</p>}
    </>
  );
}

function aboutOf(panel: PanelShape): string {
  const as = panel.aggregation === "rate" ? "by the second" : panel.aggregation;
  return [panel.title ? panel.measure : "", panel.by?.length ? `by ${panel.by.join(", ")}` : "", as, ...(panel.where ?? [])].filter(Boolean).join(" · ");
}

function Values({ panel, answer, around }: Props & { around: Around }) {
  if (panel.drawn === "number" && answer.series.length === 1) return <Figure of={answer} />;
  if (panel.drawn === "number" || panel.drawn === "table") return <Listed panel={panel} answer={answer} />;
  return <Drawing panel={panel} answer={answer} around={around} />;
}

const valueOf = (series: SeriesShape) => series.points[0]?.[1] ?? null;
const levelIn = (answer: AnswerShape, value: number | null) => (answer.bounds && answer.worse !== "neither" ? levelOf(value, answer.bounds, answer.worse) : null);

function Figure({ of }: { of: AnswerShape }) {
  const value = valueOf(of.series[0]!);
  const level = levelIn(of, value);
  return (
    <p className="figure pad">
      <strong>{formatOf(of.unit)(value)}</strong>
      {level && level !== "unknown" && <Mark level={level}>{level}</Mark>}
    </p>
  );
}

function Listed({ panel, answer }: Props) {
  const format = formatOf(answer.unit);
  return (
    <div className="scroll tall" tabIndex={0} role="region" aria-label={nameOf(panel)}>
      <Table
        items={answer.series} keyOf={(series) => JSON.stringify(series.labels)}
        columns={[
          { name: panel.by?.join(", ") || "Measure", cell: (series) => <Said text={labelOf(series) || panel.measure} /> },
          {
            name: "Value", number: true, cell: (series) => {
              const level = levelIn(answer, valueOf(series));
              const written = format(valueOf(series));
              return level === "warning" || level === "critical" ? <Mark level={level}>{written}</Mark> : written;
            },
          },
        ]}
      />
    </div>
  );
}

function Drawing({ panel, answer, around }: Props & { around: Around }) {
  // What is usual is known of a measure as it is, and not of what has been made of it.
  const shaded = around.usual && panel.drawn !== "bars" && !panel.aggregation && answer.step_seconds !== null;
  const { usual } = useUsual(shaded ? { measure: panel.measure, by: panel.by ?? [], where: panel.where ?? [], from: answer.from, to: answer.to, stepS: answer.step_seconds! } : null);
  const lines: Line[] = useMemo(
    () => answer.series.map((series) => ({ label: labelOf(series) || panel.measure, points: series.points, band: usual?.bands.get(keyOf(series.labels)) })),
    [answer, panel.measure, usual],
  );
  const format = formatOf(answer.unit);
  const words = lines.slice(0, 10).map(({ label, points }) => {
    const values = points.map(([, value]) => value).filter((value) => value !== null);
    return `${label}: highest ${format(values.length ? Math.max(...values) : null)}, last ${format(values.at(-1) ?? null)}`;
  });
  return (
    <Chart
      lines={lines} label={`${nameOf(panel)}. ${words.join("; ")}`} unit={answer.unit} height={HEIGHT}
      span={`${absolute(new Date(answer.from)).slice(5, 16)} – ${absolute(new Date(answer.to)).slice(5, 16)}`} window={reachOf(answer)} bars={panel.drawn === "bars"} bounds={answer.bounds} happened={around.happened} note={usual?.note ?? ""}
    />
  );
}
