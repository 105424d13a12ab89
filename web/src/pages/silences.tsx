// Planned quiet: once, or again and again in the hours of some days.

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../api/fetch";
import type { PageSilenceShape, SilenceShape } from "../api/types";
import { absolute } from "../lib/time";
import { useChange } from "./changing";
import { Answer, Choice, Empty, Mark, Panel, Problem, Said } from "./parts";
import { type Column, Table } from "./table";

const SILENCES = "/api/silences";
const LENGTHS = [["1", "1 hour"], ["4", "4 hours"], ["24", "a day"], ["168", "a week"]] as const;

export function Silences({ admin }: { admin: boolean }) {
  const [over, setOver] = useState(false);
  const asked = useQuery({ queryKey: [SILENCES, over], queryFn: () => ask<PageSilenceShape>(SILENCES, { over, limit: 200 }), refetchInterval: 15_000 });
  const { change, error, busy } = useChange(SILENCES);
  const end = (id: number) => void change(() => ask(`${SILENCES}/${id}`, {}, undefined, "DELETE"));
  const columns: Column<SilenceShape>[] = [
    { name: "What", cell: ({ silence }) => <Said text={silence.where.join(" and ")} /> },
    { name: "State", cell: (item) => <Mark level={item.holds ? "warning" : "unknown"}>{item.holds ? "quiet now" : item.over && item.over <= new Date().toISOString() ? "over" : "planned"}</Mark> },
    { name: "When", cell: (item) => times(item), less: "middle" },
    { name: "Why", cell: ({ silence, created_by }) => <><Said text={silence.comment ?? ""} /> <span className="quiet">by <Said text={created_by} /></span></>, less: "middle" },
    { name: "", number: true, cell: (item) => admin && <button type="button" disabled={busy} onClick={() => end(item.id)} aria-label={`End silence ${item.id}`}>End</button> },
  ];
  return (
    <>
      {admin && <NewSilence />}
      <Panel title="Silences" aside={<label className="check"><input type="checkbox" checked={over} onChange={(event) => setOver(event.target.checked)} /> also those that are over</label>}>
        {error && <Problem error={error} />}
        <Answer of={asked}>{({ items }) => (items.length ? <Table items={items} columns={columns} keyOf={(item) => String(item.id)} /> : <Empty>Nothing is silenced: whatever opens is told.</Empty>)}</Answer>
      </Panel>
    </>
  );
}

function times({ silence }: SilenceShape): string {
  const span = `${absolute(new Date(silence.starts))} – ${silence.ends ? absolute(new Date(silence.ends)) : "without an end"}`;
  if (!silence.window) return span;
  const { from, until, days, zone } = silence.window;
  return `${from.slice(0, 5)}–${until.slice(0, 5)} ${zone ?? "UTC"}${days && days.length < 7 ? ` on ${days.join(", ")}` : " every day"}`;
}

function NewSilence() {
  const { change, error, busy } = useChange(SILENCES);
  const [hours, setHours] = useState("1");
  const [daily, setDaily] = useState(false);
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const starts = new Date();
    const where = String(given.get("where")).split(",").map((one) => one.trim()).filter(Boolean);
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const time = daily ? { window: { from: given.get("from"), until: given.get("until"), zone } } : { ends: new Date(starts.getTime() + Number(hours) * 3_600_000).toISOString() };
    void change(() => ask(SILENCES, {}, { where, starts: starts.toISOString(), comment: given.get("comment"), ...time })).then((done) => done && form.reset());
  };
  return (
    <Panel title="Be quiet about">
      <form onSubmit={add}>
        <div className="filters">
          <label className="field search"><span>Labels of the incidents, such as host=web-1, severity=warning</span><input name="where" required maxLength={500} autoComplete="off" placeholder="bot=shop" /></label>
          <label className="field search"><span>Why</span><input name="comment" maxLength={1_000} /></label>
        </div>
        <div className="filters">
          <Choice label="How often" value={daily ? "daily" : "once"} options={[["once", "Once, from now"], ["daily", "Every day"]]} onChange={(value) => setDaily(value === "daily")} />
          {daily ? (
            <>
              <label className="field"><span>From</span><input type="time" name="from" required defaultValue="02:00" /></label>
              <label className="field"><span>Until</span><input type="time" name="until" required defaultValue="04:00" /></label>
            </>
          ) : (
            <Choice label="For" value={hours} options={LENGTHS} onChange={setHours} />
          )}
          <button type="submit" className="primary" disabled={busy}>Silence</button>
        </div>
        {error && <Problem error={error} />}
      </form>
    </Panel>
  );
}
