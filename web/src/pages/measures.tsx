// Any measure by any label: a chart that is its own address.

import { useCatalogue, useHistory } from "../api/queries";
import type { History, SeriesShape } from "../api/types";
import { MeasureChart } from "../charts/measureChart";
import { UsualToggle, useUsual } from "../charts/usual";
import { briefSeconds, formatOf } from "../lib/format";
import { stepOf } from "../lib/range";
import { is, labelOf, summary } from "../lib/series";
import { absolute } from "../lib/time";
import { go, set, useView } from "../lib/url";
import { addressOf, type Wanted, wantedOf } from "../lib/wanted";
import { Chooser } from "./chooser";
import { Answer, Empty, Export, Panel, Said } from "./parts";
import { useRange } from "./range";
import { AddToReport } from "./reportChoice";
import { type Column, Table } from "./table";

const POINTS = 300;
const LINES = 50;

export function MeasuresPage() {
  const range = useRange();
  const { params } = useView();
  const wanted = wantedOf(params);
  const show = (changed: Wanted) => go(`/explore/measures?${addressOf(changed, params)}`);
  const { measure, by, where, as } = wanted;
  const asked = { measure: [measure], by: by.join(","), where, aggregation: as };
  const history = useHistory(range, { ...asked, step: stepOf(range, POINTS) });
  const about = useCatalogue().data?.measures.find(({ name, aliases }) => name === measure || aliases.includes(measure));
  const shaded = params.get("usual") === "1";
  const { usual, error } = useUsual(shaded && !as && history.data ? { measure, by, where, from: history.data.from, to: history.data.to, stepS: history.data.step_seconds } : null);
  return (
    <Panel title={<Said text={measure} />} aside={<span className="links">{!as && <UsualToggle on={shaded} toggle={() => set({ usual: shaded ? "" : "1" }, true)} error={error} />}<AddToReport wanted={wanted} /><Export of="monitoring/history" params={{ ...range.query, ...asked, step: stepOf(range, POINTS) }} /></span>}>
      <Chooser wanted={wanted} onChange={show} />
      <Answer of={history}>
        {(found) => (
          <>
            <MeasureChart of={found} measures={{ [measure]: measure }} height={320} span={range.label} most={LINES} counted={about !== undefined && about.empty !== "null"} usual={usual} />
            <Notes of={found} />
            {found.series.length === 0 ? <Empty>Nothing in this time. Choose a longer one, or fewer conditions.</Empty> : <Values of={found} wanted={wanted} show={show} />}
          </>
        )}
      </Answer>
    </Panel>
  );
}

function Notes({ of }: { of: History }) {
  const notes = [...new Set(of.series.flatMap((series) => series.notes))];
  return notes.length ? <p className="pad quiet">{notes.join(" ")}</p> : null;
}

interface Of {
  wanted: Wanted;
  show: (wanted: Wanted) => void;
}

function Values({ of, wanted, show }: Of & { of: History }) {
  const format = formatOf(of.units[wanted.measure]);
  const rows = of.series.map((series) => ({ series, ...summary(series.points) }));
  type Row = (typeof rows)[number];
  const column = (name: string, by: (row: Row) => number | null, less?: "middle"): Column<Row> => ({ name, number: true, by, cell: (row) => format(by(row)), ...(less ? { less } : {}) });
  return (
    <>
      <Table
        items={rows}
        keyOf={({ series }) => JSON.stringify(series.labels)}
        columns={[
          { name: "Series", by: ({ series }) => labelOf(series), cell: ({ series }) => <Name of={series} wanted={wanted} show={show} /> },
          column("Last", ({ last }) => last),
          column("Mean of steps", ({ mean }) => mean, "middle"),
          column("Lowest", ({ low }) => low, "middle"),
          column("Highest", ({ high }) => high),
        ]}
      />
      <p className="pad quiet">{of.series.length} series, steps of {briefSeconds(of.step_seconds)}, from {absolute(new Date(of.from))} to {absolute(new Date(of.to))}.</p>
    </>
  );
}

/** A click looks at this one alone. */
function Name({ of, wanted, show }: Of & { of: SeriesShape }) {
  const pairs = Object.entries(of.labels);
  if (!pairs.length) return <Said text={wanted.measure} />;
  const alone = { ...wanted, by: [], where: [...wanted.where, ...pairs.map(([label, value]) => is(label, value))] };
  return (
    <button type="button" className="link" onClick={() => show(alone)}>
      <Said text={labelOf(of)} />
    </button>
  );
}
