// Planned quiet: once, or again and again in the hours of some days.

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../api/fetch";
import type { FieldShape, PageSilenceShape, SilenceShape } from "../api/types";
import { filled, type Values } from "../lib/forms";
import { absolute } from "../lib/time";
import { useChange } from "./changing";
import { Fields, useForms } from "./form";
import { Answer, Empty, Mark, Panel, Problem, Said } from "./parts";
import { type Column, Table } from "./table";

const SILENCES = "/api/silences";
const LENGTHS = [[1, "1 hour"], [4, "4 hours"], [24, "a day"], [168, "a week"]] as const;

export function Silences({ admin }: { admin: boolean }) {
  const [over, setOver] = useState(false);
  const asked = useQuery({ queryKey: [SILENCES, over], queryFn: () => ask<PageSilenceShape>(SILENCES, { over, limit: 200 }), refetchInterval: 15_000 });
  const { change, error, busy } = useChange(SILENCES);
  const fields = useForms()?.silence;
  const [changing, setChanging] = useState<SilenceShape | null>(null);
  const [made, setMade] = useState(0);
  const end = (id: number) => void change(() => ask(`${SILENCES}/${id}`, {}, undefined, "DELETE"));
  const columns: Column<SilenceShape>[] = [
    { name: "What", cell: ({ silence }) => <Said text={silence.where.join(" and ")} /> },
    { name: "State", cell: (item) => <Mark level={item.holds ? "warning" : "unknown"}>{item.holds ? "quiet now" : isOver(item) ? "over" : "planned"}</Mark> },
    { name: "When", cell: (item) => times(item), less: "middle" },
    { name: "Why", cell: ({ silence, created_by }) => <><Said text={silence.comment ?? ""} /> <span className="quiet">by <Said text={created_by} /></span></>, less: "middle" },
    { name: "", number: true, cell: (item) => admin && !isOver(item) && (
      <span className="links end">
        <button type="button" aria-label={`Change silence ${item.id}`} onClick={() => setChanging(item)}>Change</button>
        <button type="button" disabled={busy} onClick={() => end(item.id)} aria-label={`End silence ${item.id}`}>End</button>
      </span>
    ) },
  ];
  return (
    <>
      {admin && fields && (changing ? <SilenceForm key={changing.id} fields={fields} of={changing} done={() => setChanging(null)} /> : <SilenceForm key={`new ${made}`} fields={fields} done={() => setMade(made + 1)} />)}
      <Panel title="Silences" aside={<label className="check"><input type="checkbox" checked={over} onChange={(event) => setOver(event.target.checked)} /> also those that are over</label>}>
        {error && <Problem error={error} />}
        <Answer of={asked}>{({ items }) => (items.length ? <Table items={items} columns={columns} keyOf={(item) => String(item.id)} /> : <Empty>Nothing is silenced: whatever opens is told.</Empty>)}</Answer>
      </Panel>
    </>
  );
}

const isOver = (item: SilenceShape) => Boolean(item.over && Date.parse(item.over) <= Date.now());

function times({ silence }: SilenceShape): string {
  const span = `${absolute(new Date(silence.starts))} – ${silence.ends ? absolute(new Date(silence.ends)) : "without an end"}`;
  if (!silence.window) return span;
  const { from, until, days, zone } = silence.window;
  return `${from.slice(0, 5)}–${until.slice(0, 5)} ${zone ?? "UTC"}${days && days.length < 7 ? ` on ${days.join(", ")}` : " every day"}`;
}

interface FormProps {
  fields: readonly FieldShape[];
  /** The one that is changed; none: a new one. */
  of?: SilenceShape;
  done: () => void;
}

const HOUR_MS = 3_600_000;

function SilenceForm({ fields, of, done }: FormProps) {
  const { change, error, busy } = useChange(SILENCES);
  const [values, setValues] = useState<Values>(() => ({ ...(of?.silence ?? beginning(1)) }));
  const save = (event: FormEvent) => {
    event.preventDefault();
    const given = { starts: new Date().toISOString(), ...filled(fields, values) };
    void change(() => (of ? ask(`${SILENCES}/${of.id}`, {}, given, "PUT") : ask(SILENCES, {}, given))).then((found) => found && done());
  };
  return (
    <Panel title={of ? `Change silence ${of.id}` : "Be quiet"} aside={of && <button type="button" onClick={done}>✕ Close</button>}>
      <form onSubmit={save} className="made">
        <Fields fields={fields} values={values} put={setValues} />
        {error && <Problem error={error} />}
        <p className="pad links">
          <button type="submit" className="primary" disabled={busy}>{of ? "Save" : "Silence"}</button>
          <span className="quiet">from now for</span>
          <span className="segments" role="group" aria-label="For how long, from now">
            {LENGTHS.map(([hours, words]) => <button key={hours} type="button" onClick={() => setValues({ ...values, ...beginning(hours) })}>{words}</button>)}
          </span>
          <span className="quiet">In your own time zone. In the hours of some days it recurs; then it needs no end.</span>
        </p>
      </form>
    </Panel>
  );
}

const beginning = (hours: number) => ({ starts: new Date().toISOString(), ends: new Date(Date.now() + hours * HOUR_MS).toISOString() });
