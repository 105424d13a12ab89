// The panels of a report with their values: on the page, while it is put together, and behind a link.

import { type MouseEvent, type ReactNode, useMemo } from "react";
import type { AnswerShape, Panel as PanelShape, ReportData, SeriesShape } from "../api/types";
import { Chart, type Line } from "../charts/chart";
import { axisOf, formatOf } from "../lib/format";
import { levelOf } from "../lib/levels";
import { labelOf } from "../lib/series";
import { absolute } from "../lib/time";
import { rowsOf } from "../lib/wanted";
import { Mark, Said } from "./parts";
import { Table } from "./table";

const HEIGHT = 190;

export function ReportPanels({ of }: { of: ReportData }) {
  const one = (panel: PanelShape, place: number) => (
    <section key={place} className="panel">
      <header><h2><Said text={nameOf(panel)} /></h2></header>
      <About panel={panel} answer={of.answers[place]!} period={of.period} />
      <PanelAnswer panel={panel} answer={of.answers[place]!} />
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

export function PanelAnswer({ panel, answer }: Props) {
  return (
    <>
      {answer.problem ? <p className="pad"><Mark level="critical"><Said text={answer.problem} /></Mark></p> : !answer.series.length ? <p className="pad quiet">Nothing in this time.</p> : <Values panel={panel} answer={answer} />}
      {answer.notes.length > 0 && <p className="pad quiet">{answer.notes.join(" ")}</p>}
      {answer.left_out > 0 && <p className="pad quiet">{answer.left_out} others are left out.</p>}
    </>
  );
}

function aboutOf(panel: PanelShape): string {
  const as = panel.aggregation === "rate" ? "by the second" : panel.aggregation;
  return [panel.title ? panel.measure : "", panel.by?.length ? `by ${panel.by.join(", ")}` : "", as, ...(panel.where ?? [])].filter(Boolean).join(" · ");
}

function Values({ panel, answer }: Props) {
  if (panel.drawn === "number" && answer.series.length === 1) return <Figure of={answer} />;
  if (panel.drawn === "number" || panel.drawn === "table") return <Listed panel={panel} answer={answer} />;
  return <Drawing panel={panel} answer={answer} />;
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

function Drawing({ panel, answer }: Props) {
  const lines: Line[] = useMemo(() => answer.series.map((series) => ({ label: labelOf(series) || panel.measure, points: series.points })), [answer, panel.measure]);
  const format = formatOf(answer.unit);
  const window = [Date.parse(answer.from) / 1_000, Date.parse(answer.to) / 1_000] as const;
  const words = lines.slice(0, 10).map(({ label, points }) => {
    const values = points.map(([, value]) => value).filter((value) => value !== null);
    return `${label}: highest ${format(values.length ? Math.max(...values) : null)}, last ${format(values.at(-1) ?? null)}`;
  });
  return (
    <Chart
      lines={lines} label={`${nameOf(panel)}. ${words.join("; ")}`} format={format} axis={axisOf(answer.unit)} height={HEIGHT}
      span={`${absolute(new Date(answer.from)).slice(5, 16)} – ${absolute(new Date(answer.to)).slice(5, 16)}`} window={window} bars={panel.drawn === "bars"} bounds={answer.bounds}
    />
  );
}
