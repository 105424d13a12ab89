// Any measure by any label: a chart that is its own address.

import { type ReactNode, useState } from "react";
import { useCatalogue, useHistory, useValues } from "../api/queries";
import type { Catalogue, History, MeasureShape, SeriesShape } from "../api/types";
import { MeasureChart } from "../charts/measureChart";
import { formatOf } from "../lib/format";
import { stepOf } from "../lib/range";
import { is, labelOf, summary } from "../lib/series";
import { absolute } from "../lib/time";
import { go, set, useView } from "../lib/url";
import { useParam } from "./filters";
import { Answer, Choice, Empty, Export, Panel, Said } from "./parts";
import { useRange } from "./range";
import { type Column, Table } from "./table";

const WAYS: Record<string, string> = { rate: "by the second" };
const DISTRIBUTION = ["count", "sum", "rate", "p50", "p90", "p95", "p99"];
const OF_METRICS: Record<string, readonly string[]> = { gauge: ["last", "min", "max", "count", "sum"], delta: ["rate"], cumulative: ["rate"] };
const USUAL = "response.time.p95";
const POINTS = 300;
const LINES = 50;

export function MeasuresPage() {
  const range = useRange();
  const { params } = useView();
  const catalogue = useCatalogue();
  const measure = useParam()("measure", USUAL);
  const by = (params.get("by") ?? "").split(",").filter(Boolean);
  const where = params.getAll("where");
  const as = params.get("as") ?? "";
  const asked = { measure: [measure], by: by.join(","), where, aggregation: as };
  const history = useHistory(range, { ...asked, step: stepOf(range, POINTS) });
  const about = catalogue.data && find(catalogue.data, measure);
  return (
    <Panel title={<Said text={measure} />} aside={<Export of="monitoring/history" params={{ ...range.query, ...asked, step: stepOf(range, POINTS) }} />}>
      <Answer of={catalogue}>
        {(known) => (
          <>
            <form className="filters" onSubmit={(event) => event.preventDefault()}>
              <Choice label="Measure" value={measure} options={namesOf(known)} onChange={(value) => go(`/explore/measures${keepTime(params, value)}`)} />
              <Choice label="By" value="" options={[["", by.length ? by.join(", ") : "nothing: all together"], ...labelsOf(about, by)]} onChange={(value) => set({ by: [...by, value].join(",") })} />
              {about && about.ways.length > 0 && (
                <Choice label="As" value={as} options={[["", "as it is"], ...about.ways.map((way) => [way, WAYS[way] ?? way] as const)]} onChange={(value) => set({ as: value })} />
              )}
              <Narrow measure={measure} labels={about?.labels ?? []} />
            </form>
            <Chosen by={by} where={where} />
            {about && <p className="pad quiet">{about.help || "A metric as it came"}. <Bounds of={about} /></p>}
          </>
        )}
      </Answer>
      <Answer of={history}>
        {(found) => (
          <>
            <MeasureChart of={found} measures={{ [measure]: measure }} height={320} span={range.label} most={LINES} counted={false} />
            <Notes of={found} />
            {found.series.length === 0 ? <Empty>Nothing in this time. Choose a longer one, or fewer conditions.</Empty> : <Values of={found} measure={measure} />}
          </>
        )}
      </Answer>
    </Panel>
  );
}

interface About {
  help: string;
  labels: readonly string[];
  measure?: MeasureShape;
  /** What else can be asked of it. */
  ways: readonly string[];
}

function find(catalogue: Catalogue, name: string): About | undefined {
  const measure = catalogue.measures.find((one) => one.name === name || one.aliases.includes(name));
  if (measure) return { help: measure.help, labels: measure.labels, measure, ways: measure.aggregations };
  const metric = catalogue.metrics.find((one) => `metric:${one.name}` === name);
  return metric && { help: metric.help, labels: ["bot", "host", ...metric.labels], ways: OF_METRICS[metric.kind] ?? DISTRIBUTION };
}

const namesOf = (catalogue: Catalogue) => [
  ...catalogue.measures.map(({ name }) => [name, name] as const),
  ...catalogue.metrics.map(({ name }) => [`metric:${name}`, `metric ${name}`] as const),
];

const labelsOf = (about: About | undefined, by: readonly string[]) =>
  (about?.labels ?? []).filter((label) => !by.includes(label)).map((label) => [label, by.length ? `and ${label}` : label] as const);

/** Another measure has other labels: only the time stays. */
function keepTime(params: URLSearchParams, measure: string): string {
  const kept = new URLSearchParams({ measure });
  for (const name of ["from", "to", "period"]) if (params.get(name)) kept.set(name, params.get(name)!);
  return `?${kept.toString()}`;
}

const again = (change: (params: URLSearchParams) => void) => {
  const params = new URLSearchParams(location.search);
  change(params);
  go(`${location.pathname}?${params.toString()}`);
};

/** A label, then one of the values it has had. */
function Narrow({ measure, labels }: { measure: string; labels: readonly string[] }) {
  const [label, setLabel] = useState("");
  const values = useValues(measure, label).data?.values ?? [];
  return (
    <>
      <Choice label="Only where" value={label} options={[["", "anything"], ...labels.map((one) => [one, one] as const)]} onChange={setLabel} />
      {label && (
        <Choice
          label="is" value="" options={[["", "choose …"], ...values.map((value) => [value, value || "(none)"] as const).filter(([value]) => value)]}
          onChange={(value) => { again((params) => params.append("where", is(label, value))); setLabel(""); }}
        />
      )}
    </>
  );
}

function Chosen({ by, where }: { by: readonly string[]; where: readonly string[] }) {
  if (!by.length && !where.length) return null;
  const chip = (text: string, words: ReactNode, remove: () => void) => (
    <button key={text} type="button" className="chip" aria-label={`Remove ${text}`} onClick={remove}>{words} <span aria-hidden="true">✕</span></button>
  );
  return (
    <p className="chips">
      {by.map((label) => chip(`by ${label}`, <>by <Said text={label} /></>, () => set({ by: by.filter((one) => one !== label).join(",") })))}
      {where.map((condition) => chip(condition, <Said text={condition} />, () => again((params) => params.delete("where", condition))))}
    </p>
  );
}

function Bounds({ of }: { of: About }) {
  const { measure } = of;
  const bounds = measure?.colours ?? measure?.thresholds;
  if (!measure || !bounds) return null;
  const format = formatOf(measure.unit);
  const side = measure.worse === "low" ? "below" : "above";
  return <>Warning {side} {format(bounds.warning)}, critical {side} {format(bounds.critical)}.</>;
}

function Notes({ of }: { of: History }) {
  const notes = [...new Set(of.series.flatMap((series) => series.notes))];
  return notes.length ? <p className="pad quiet">{notes.join(" ")}</p> : null;
}

function Values({ of, measure }: { of: History; measure: string }) {
  const format = formatOf(of.units[measure]);
  const rows = of.series.map((series) => ({ series, ...summary(series.points) }));
  type Row = (typeof rows)[number];
  const column = (name: string, by: (row: Row) => number | null): Column<Row> => ({ name, number: true, by, cell: (row) => format(by(row)) });
  return (
    <>
      <Table
        items={rows}
        keyOf={({ series }) => JSON.stringify(series.labels)}
        columns={[
          { name: "Series", by: ({ series }) => labelOf(series), cell: ({ series }) => <Name of={series} measure={measure} /> },
          column("Last", ({ last }) => last),
          column("Mean of steps", ({ mean }) => mean),
          column("Lowest", ({ low }) => low),
          column("Highest", ({ high }) => high),
        ]}
      />
      <p className="pad quiet">{of.series.length} series, steps of {of.step_seconds} s, from {absolute(new Date(of.from))} to {absolute(new Date(of.to))}.</p>
    </>
  );
}

/** A click looks at this one alone. */
function Name({ of, measure }: { of: SeriesShape; measure: string }) {
  const pairs = Object.entries(of.labels);
  if (!pairs.length) return <Said text={measure} />;
  return (
    <button
      type="button" className="link"
      onClick={() => again((params) => { params.delete("by"); pairs.forEach(([label, value]) => params.append("where", is(label, value))); })}
    >
      <Said text={labelOf(of)} />
    </button>
  );
}
