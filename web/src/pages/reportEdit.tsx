// Putting a report together: its charts with what they show at once, their order, and when it is sent.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ask } from "../api/fetch";
import type { Panel as PanelShape, Report, ReportData, ReportShape, Schedule } from "../api/types";
import { PERIODS } from "../lib/range";
import { go, useView } from "../lib/url";
import { type Wanted, wantedOf } from "../lib/wanted";
import { useChange } from "./changing";
import { Chooser } from "./chooser";
import { Choice, Link, Panel, Problem, Said } from "./parts";
import { REPORTS } from "./reportChoice";
import { Fixed, nameOf, PanelAnswer } from "./reportPanels";
import { useChannels } from "./rules";

const KINDS = [["lines", "lines"], ["bars", "bars"], ["number", "one number"], ["table", "table"]] as const;
const PANELS_MAX = 20;
const LONG = [["90d", "last 90 days"], ["365d", "last year"]] as const;
const TIMES = [...PERIODS, ...LONG];
const DAYS = [["mon", "Monday"], ["tue", "Tuesday"], ["wed", "Wednesday"], ["thu", "Thursday"], ["fri", "Friday"], ["sat", "Saturday"], ["sun", "Sunday"]] as const;

/** A panel with a name of its own, by which it keeps its place when others move. */
interface Item {
  key: number;
  panel: PanelShape;
}

let keys = 0;
const itemOf = (panel: PanelShape): Item => ({ key: (keys += 1), panel });
const panelOf = ({ measure, by, where, as }: Wanted): PanelShape => ({ measure, by: [...by], where: [...where], aggregation: as, drawn: "lines" });

/** What Explore sends along. */
function useSent(): PanelShape | null {
  const { params } = useView();
  return params.has("measure") ? panelOf(wantedOf(params)) : null;
}

export function NewReport({ admin }: { admin: boolean }) {
  const sent = useSent();
  const start: Report = { name: "", period: "24h", panels: [sent ?? panelOf(wantedOf(new URLSearchParams()))], schedule: null };
  return <Editor title="New report" start={start} admin={admin} save={(report) => ask<ReportShape>(REPORTS, {}, report)} back="/insights/reports" />;
}

export function ChangeReport({ of, admin }: { of: ReportShape; admin: boolean }) {
  const sent = useSent();
  const path = `${REPORTS}/${of.id}`;
  const start = sent ? { ...of.report, panels: [...(of.report.panels ?? []), sent] } : of.report;
  const save = (report: Report) => ask<ReportShape>(path, {}, { revision: of.revision, report }, "PUT");
  return <Editor title={<>Change: <Said text={of.report.name} /></>} start={start} admin={admin} save={save} back={`/insights/reports/${of.id}`} />;
}

interface Props {
  title: ReactNode;
  start: Report;
  admin: boolean;
  save: (report: Report) => Promise<ReportShape>;
  back: string;
}

function Editor({ title, start, admin, save, back }: Props) {
  const [name, setName] = useState(start.name);
  const [period, setPeriod] = useState(start.period ?? "24h");
  const [items, setItems] = useState(() => (start.panels ?? []).map(itemOf));
  const [schedule, setSchedule] = useState(start.schedule ?? null);
  const { change, error, busy } = useChange(REPORTS);
  const panels = items.map(({ panel }) => panel);
  const preview = usePreview(panels, period);
  const keep = () => void change(() => save({ name, period, panels, schedule })).then((kept) => kept && go(`/insights/reports/${kept.id}`));
  const move = (place: number, by: number) => {
    const moved = [...items];
    moved.splice(place + by, 0, ...moved.splice(place, 1));
    setItems(moved);
  };
  const put = (place: number, panel: PanelShape) => setItems(items.map((item, one) => (one === place ? { ...item, panel } : item)));
  return (
    <>
      <Panel title={title} aside={<Link to={back} className="button">✕ Close</Link>}>
        <form className="filters" id="report" onSubmit={(event) => { event.preventDefault(); keep(); }}>
          <label className="field search"><span>Name</span><input value={name} required maxLength={120} autoComplete="off" placeholder="The week of the shop" onChange={(event) => setName(event.target.value)} /></label>
          <Choice label="Time" value={period} options={TIMES} onChange={setPeriod} />
          <button type="submit" className="primary" disabled={busy}>Save</button>
        </form>
        {error && <Problem error={error} />}
        {preview.error && <Problem error={preview.error} />}
      </Panel>
      <ol className="stacked">
        {items.map(({ key, panel }, place) => (
          <li key={key}>
            <One
              panel={panel} onChange={(changed) => put(place, changed)} answer={preview.of(panel)}
              buttons={
                <>
                  <button type="button" disabled={place === 0} aria-label={`Move ${nameOf(panel)} up`} onClick={() => move(place, -1)}>▲</button>
                  <button type="button" disabled={place === items.length - 1} aria-label={`Move ${nameOf(panel)} down`} onClick={() => move(place, 1)}>▼</button>
                  <button type="button" aria-label={`Remove ${nameOf(panel)}`} onClick={() => setItems(items.filter((one) => one.key !== key))}>Remove</button>
                </>
              }
            />
          </li>
        ))}
      </ol>
      <p><button type="button" disabled={items.length >= PANELS_MAX} onClick={() => setItems([...items, itemOf(panelOf(wantedOf(new URLSearchParams())))])}>Add a chart</button></p>
      {admin && <Sending schedule={schedule} onChange={setSchedule} />}
    </>
  );
}

interface OneProps {
  panel: PanelShape;
  onChange: (panel: PanelShape) => void;
  answer: ReportData["answers"][number] | null;
  buttons: ReactNode;
}

function One({ panel, onChange, answer, buttons }: OneProps) {
  const wanted: Wanted = { measure: panel.measure, by: panel.by ?? [], where: panel.where ?? [], as: panel.aggregation ?? "" };
  return (
    <Panel title={<Said text={nameOf(panel)} />} aside={<span className="links">{buttons}</span>}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <label className="field search"><span>Title, if you like</span><input value={panel.title ?? ""} maxLength={120} autoComplete="off" placeholder={panel.measure} onChange={(event) => onChange({ ...panel, title: event.target.value })} /></label>
        <Choice label="Drawn as" value={panel.drawn ?? "lines"} options={KINDS} onChange={(drawn) => onChange({ ...panel, drawn: drawn as NonNullable<PanelShape["drawn"]> })} />
        <Choice label="Time" value={panel.period ?? ""} options={[["", "that of the report"], ...TIMES]} onChange={(own) => onChange({ ...panel, period: own || null })} />
      </form>
      <Chooser wanted={wanted} onChange={(changed) => onChange({ ...panel, measure: changed.measure, by: [...changed.by], where: [...changed.where], aggregation: changed.as })} />
      {answer ? <Fixed><PanelAnswer panel={panel} answer={answer} /></Fixed> : <p className="pad quiet">Looking …</p>}
    </Panel>
  );
}

/** What the panels show, asked again only when that changes: a title is the page's own. */
function usePreview(panels: readonly PanelShape[], period: string) {
  const asked = panels.map((panel) => ({ ...panel, title: "" }));
  const path = `${REPORTS}/preview`;
  const { data, error } = useQuery({
    queryKey: [path, period, asked],
    queryFn: async () => ({ asked, period, data: await ask<ReportData>(path, {}, { period, panels: asked }) }),
    enabled: panels.length > 0,
    placeholderData: keepPreviousData,
  });
  // While it is asked anew, what was answered before is shown where it still fits.
  const of = (panel: PanelShape) => {
    const wanted = JSON.stringify({ ...panel, title: "" });
    const place = data?.period === period ? data.asked.findIndex((one) => JSON.stringify(one) === wanted) : -1;
    return data?.data.answers[place] ?? null;
  };
  return { of, error };
}

// --- sending

function Sending({ schedule, onChange }: { schedule: Schedule | null; onChange: (schedule: Schedule | null) => void }) {
  const channels = (useChannels().data ?? []).filter(({ kind }) => kind === "email");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const start = (): Schedule => ({ every: "week", at: "08:00", weekday: "mon", day: 1, zone, channel: channels[0]?.name ?? "", to: [], files: ["pdf", "csv"] });
  if (!channels.length && !schedule) return <Panel title="Send it by mail"><p className="pad quiet">It can be sent by the clock once there is a channel of the kind email. <Link to="/alerts/channels">Add one</Link></p></Panel>;
  return (
    <Panel title="Send it by mail">
      <p className="pad"><label className="check"><input type="checkbox" checked={schedule !== null} onChange={(event) => onChange(event.target.checked ? start() : null)} /> by the clock, with its PDF and CSV</label></p>
      {schedule && <Times schedule={schedule} onChange={onChange} channels={channels.map(({ name }) => name)} />}
    </Panel>
  );
}

function Times({ schedule, onChange, channels }: { schedule: Schedule; onChange: (schedule: Schedule) => void; channels: readonly string[] }) {
  const [to, setTo] = useState((schedule.to ?? []).join(", "));
  const change = (part: Partial<Schedule>) => onChange({ ...schedule, ...part });
  const files = schedule.files ?? ["pdf", "csv"];
  const toggle = (kind: "pdf" | "csv", on: boolean) => change({ files: (["pdf", "csv"] as const).filter((one) => (one === kind ? on : files.includes(one))) });
  const addresses = (text: string) => {
    setTo(text);
    change({ to: text.split(/[\s,;]+/).filter(Boolean) });
  };
  return (
    <div className="filters">
      <Choice label="How often" value={schedule.every ?? "day"} options={[["day", "every day"], ["week", "every week"], ["month", "every month"]]} onChange={(every) => change({ every: every as NonNullable<Schedule["every"]> })} />
      {schedule.every === "week" && <Choice label="On" value={schedule.weekday ?? "mon"} options={DAYS} onChange={(weekday) => change({ weekday: weekday as NonNullable<Schedule["weekday"]> })} />}
      {schedule.every === "month" && <label className="field"><span>On day</span><input type="number" min={1} max={31} className="short" value={schedule.day ?? 1} onChange={(event) => change({ day: Number(event.target.value) })} /></label>}
      <label className="field"><span>At</span><input type="time" required value={(schedule.at ?? "08:00").slice(0, 5)} onChange={(event) => change({ at: event.target.value })} /></label>
      <label className="field"><span>In the time zone</span><input value={schedule.zone ?? ""} maxLength={64} autoComplete="off" onChange={(event) => change({ zone: event.target.value.trim() })} /></label>
      <Choice label="Through" value={schedule.channel} options={channels.map((name) => [name, name] as const)} onChange={(channel) => change({ channel })} />
      <label className="field search"><span>To, if not whom the channel reaches</span><input value={to} maxLength={4_000} autoComplete="off" placeholder="ann@example.com, board@example.com" onChange={(event) => addresses(event.target.value)} /></label>
      <label className="check"><input type="checkbox" checked={files.includes("pdf")} onChange={(event) => toggle("pdf", event.target.checked)} /> PDF</label>
      <label className="check"><input type="checkbox" checked={files.includes("csv")} onChange={(event) => toggle("csv", event.target.checked)} /> CSV</label>
    </div>
  );
}
