// Any measure of the catalogue: by which labels, only where, and as what.

import { type ReactNode, useState } from "react";
import { useCatalogue, useValues } from "../api/queries";
import type { Catalogue, MeasureShape } from "../api/types";
import { formatOf } from "../lib/format";
import { is } from "../lib/series";
import type { Wanted } from "../lib/wanted";
import { Answer, Choice, Said } from "./parts";

const WAYS: Record<string, string> = { rate: "by the second" };
const DISTRIBUTION = ["count", "sum", "rate", "p50", "p90", "p95", "p99"];
const OF_METRICS: Record<string, readonly string[]> = { gauge: ["last", "min", "max", "count", "sum"], delta: ["rate"], cumulative: ["rate"] };

export function Chooser({ wanted, onChange }: { wanted: Wanted; onChange: (wanted: Wanted) => void }) {
  const catalogue = useCatalogue();
  const { measure, by, as } = wanted;
  const change = (part: Partial<Wanted>) => onChange({ ...wanted, ...part });
  return (
    <Answer of={catalogue}>
      {(known) => {
        const about = find(known, measure);
        return (
          <>
            <form className="filters" onSubmit={(event) => event.preventDefault()}>
              {/* Another measure has other labels. */}
              <Choice label="Measure" value={measure} options={namesOf(known)} onChange={(value) => onChange({ measure: value, by: [], where: [], as: "" })} />
              <Choice label="By" value="" options={[["", by.length ? by.join(", ") : "nothing: all together"], ...labelsOf(about, by)]} onChange={(value) => change({ by: [...by, value] })} />
              {about && about.ways.length > 0 && (
                <Choice label="As" value={as} options={[["", "as it is"], ...about.ways.map((way) => [way, WAYS[way] ?? way] as const)]} onChange={(value) => change({ as: value })} />
              )}
              <Narrow measure={measure} labels={about?.labels ?? []} add={(condition) => change({ where: [...wanted.where, condition] })} />
            </form>
            <Chosen wanted={wanted} change={change} />
            {about && <p className="pad quiet sentence">{about.help || "A metric as it came"}. <Bounds of={about} /></p>}
          </>
        );
      }}
    </Answer>
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

/** A label, then one of the values it has had. */
function Narrow({ measure, labels, add }: { measure: string; labels: readonly string[]; add: (condition: string) => void }) {
  const [label, setLabel] = useState("");
  const values = useValues(measure, label).data?.values ?? [];
  return (
    <>
      <Choice label="Only where" value={label} options={[["", "anything"], ...labels.map((one) => [one, one] as const)]} onChange={setLabel} />
      {label && (
        <Choice
          label="is" value="" options={[["", "choose …"], ...values.map((value) => [value, value || "(none)"] as const).filter(([value]) => value)]}
          onChange={(value) => { add(is(label, value)); setLabel(""); }}
        />
      )}
    </>
  );
}

function Chosen({ wanted: { by, where }, change }: { wanted: Wanted; change: (part: Partial<Wanted>) => void }) {
  if (!by.length && !where.length) return null;
  const chip = (text: string, words: ReactNode, remove: () => void) => (
    <button key={text} type="button" className="chip" aria-label={`Remove ${text}`} onClick={remove}>{words} <span aria-hidden="true">✕</span></button>
  );
  return (
    <p className="chips">
      {by.map((label) => chip(`by ${label}`, <>by <Said text={label} /></>, () => change({ by: by.filter((one) => one !== label) })))}
      {where.map((condition) => chip(condition, <Said text={condition} />, () => change({ where: where.filter((one) => one !== condition) })))}
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
