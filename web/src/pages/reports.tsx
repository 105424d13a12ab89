// Own reports: put together from measures, read, shared, taken home, and sent by the clock.

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask, queryOf } from "../api/fetch";
import type { Me, ReceiptShape, Report, ReportData, ReportShape, ShareMade, ShareShape } from "../api/types";
import { useDeploys } from "../charts/happened";
import { UsualToggle } from "../charts/usual";
import { PERIODS } from "../lib/range";
import { absolute } from "../lib/time";
import { go, set, useView } from "../lib/url";
import { useChange } from "./changing";
import { Answer, Choice, Empty, Link, Mark, Panel, Problem, Said, Snippet, When } from "./parts";
import { REPORTS, useReports } from "./reportChoice";
import { ChangeReport, NewReport } from "./reportEdit";
import { ReportPanels } from "./reportPanels";
import { type Column, Table } from "./table";

const SLOW_MS = 30_000;
const addressOf = (id: number) => `/insights/reports/${id}`;

export function Reports({ rest, me }: { rest: readonly string[]; me: Me }) {
  const [id, what] = rest;
  const admin = me.role === "admin";
  if (id === undefined) return <List />;
  if (id === "new") return <NewReport admin={admin} />;
  return <One id={id} editing={what === "edit"} admin={admin} />;
}

const COLUMNS: Column<ReportShape>[] = [
  { name: "Report", by: ({ report }) => report.name, cell: ({ id, report }) => <Link to={addressOf(id)}><Said text={report.name} /></Link> },
  { name: "Of", by: ({ owner }) => owner, cell: ({ owner }) => <Said text={owner} />, less: "middle" },
  { name: "Panels", number: true, by: ({ report }) => report.panels?.length ?? 0, cell: ({ report }) => report.panels?.length ?? 0, less: "middle" },
  { name: "Sent", cell: (item) => <Sent of={item} /> },
  { name: "Changed", number: true, by: ({ changed }) => changed, cell: ({ changed }) => <When at={changed} />, less: "middle" },
];

function List() {
  const asked = useReports();
  return (
    <Panel title="Reports" aside={<Link to="/insights/reports/new" className="button">New report</Link>}>
      <Answer of={asked}>
        {({ items }) => (items.length ? <Table items={items} columns={COLUMNS} keyOf={({ id }) => String(id)} linked /> : <Empty>There are none yet. <Link to="/insights/reports/new">Put one together</Link>, or add a chart to one from <Link to="/explore/measures">Explore</Link>.</Empty>)}
      </Answer>
    </Panel>
  );
}

function Sent({ of: { report, problem } }: { of: ReportShape }) {
  if (problem) return <Mark level="critical"><Said text={problem} /></Mark>;
  return report.schedule ? <>{timesOf(report)}</> : <span className="quiet">by nobody</span>;
}

function timesOf({ schedule }: Report): string {
  if (!schedule) return "";
  const days = { mon: "Monday", tue: "Tuesday", wed: "Wednesday", thu: "Thursday", fri: "Friday", sat: "Saturday", sun: "Sunday" };
  const day = schedule.every === "week" ? `every ${days[schedule.weekday ?? "mon"]}` : schedule.every === "month" ? `on day ${schedule.day ?? 1} of every month` : "every day";
  return `${day} at ${(schedule.at ?? "08:00").slice(0, 5)}, ${schedule.zone}`;
}

function One({ id, editing, admin }: { id: string; editing: boolean; admin: boolean }) {
  const path = `${REPORTS}/${encodeURIComponent(id)}`;
  const asked = useQuery({ queryKey: [path], queryFn: () => ask<ReportShape>(path) });
  return <Answer of={asked}>{(found) => (editing ? <ChangeReport key={found.revision} of={found} admin={admin} /> : <Shown of={found} admin={admin} />)}</Answer>;
}

/** Without a time in the address it is the report's own. */
function useWindow(): Record<string, string> {
  const { params } = useView();
  const found = ["from", "to", "period"].map((name) => [name, params.get(name) ?? ""] as const);
  return Object.fromEntries(found.filter(([, value]) => value));
}

function Shown({ of, admin }: { of: ReportShape; admin: boolean }) {
  const window = useWindow();
  const path = `${REPORTS}/${of.id}/data`;
  const asked = useQuery({ queryKey: [path, of.revision, window], queryFn: () => ask<ReportData>(path, window), refetchInterval: window["from"] ? false : SLOW_MS });
  const { params } = useView();
  const around = { happened: useDeploys(allOf(asked.data), ""), usual: params.get("usual") === "1" };
  return (
    <>
      <About of={of} admin={admin} asOf={asked.data?.as_of} />
      <Answer of={asked}>
        {(found) => (found.panels.length ? <ReportPanels of={found} around={around} /> : <Panel title="No charts yet"><Empty>{of.may_change ? <Link to={`${addressOf(of.id)}/edit`}>Add one</Link> : "Its owner has not added any."}</Empty></Panel>)}
      </Answer>
    </>
  );
}

/** The time of all its panels together: some may have one of their own. */
function allOf(data: ReportData | undefined) {
  const answers = data?.answers ?? [];
  if (!answers.length) return null;
  const [from, to] = [answers.map((answer) => answer.from).sort()[0]!, answers.map((answer) => answer.to).sort().at(-1)!];
  return { from, to };
}

function About({ of, admin, asOf }: { of: ReportShape; admin: boolean; asOf: string | undefined }) {
  const { change, error, busy } = useChange(REPORTS);
  const [sharing, setSharing] = useState(false);
  const usual = useView().params.get("usual") === "1";
  const { report } = of;
  const duplicate = () =>
    void change(() => ask<ReportShape>(REPORTS, {}, { ...report, name: `Copy of ${report.name}`.slice(0, 120), schedule: null })).then((made) => made && go(`${addressOf(made.id)}/edit`));
  const remove = () => {
    // Away from it first: what is gone is not to be asked for again.
    if (confirm(`Delete the report "${report.name}"? Links to it will show nothing.`)) void change(() => ask(`${REPORTS}/${of.id}`, {}, undefined, "DELETE").then(() => go("/insights/reports")));
  };
  const words = asOf && <span className="quiet">as of {absolute(new Date(asOf))}</span>;
  return (
    <Panel title={<Said text={report.name} />} aside={words}>
      <div className="filters">
        <Time report={report} />
        <span className="links">
          <UsualToggle on={usual} toggle={() => set({ usual: usual ? "" : "1" }, true)} />
          {of.may_change && <Link to={`${addressOf(of.id)}/edit`} className="button">Edit</Link>}
          <button type="button" disabled={busy} onClick={duplicate}>Duplicate</button>
          <button type="button" aria-expanded={sharing} onClick={() => setSharing(!sharing)}>Share</button>
          <File of={of.id} kind="pdf" />
          <File of={of.id} kind="csv" />
          {of.may_change && <button type="button" disabled={busy} onClick={remove}>Delete</button>}
        </span>
      </div>
      {error && <Problem error={error} />}
      {sharing && <Share of={of} admin={admin} />}
      <p className="pad quiet">Put together by <Said text={of.owner} />, changed <When at={of.changed} /> by <Said text={of.changed_by} />.</p>
      {report.schedule && <Mailed of={of} admin={admin} />}
    </Panel>
  );
}

const File = ({ of, kind }: { of: number; kind: "pdf" | "csv" }) => <a className="button" href={`${REPORTS}/${of}/report.${kind}${queryOf(useWindow())}`} download>{kind.toUpperCase()}</a>;

function Time({ report }: { report: Report }) {
  const window = useWindow();
  const own = PERIODS.find(([period]) => period === report.period)?.[1] ?? `last ${report.period}`;
  const value = window["from"] ? "custom" : (window["period"] ?? "");
  const options = [["", `as it is saved: ${own}`], ...PERIODS, ...(window["from"] ? [["custom", "what was chosen in a chart"] as const] : [])] as const;
  return <Choice label="Time" value={value} options={options} onChange={(period) => set({ from: "", to: "", period })} />;
}

function Mailed({ of, admin }: { of: ReportShape; admin: boolean }) {
  const { change, error, busy } = useChange(`${REPORTS}/${of.id}`);
  const [sent, setSent] = useState<string | null>(null);
  const { schedule } = of.report;
  const send = () => void change(() => ask<ReceiptShape>(`${REPORTS}/${of.id}/send`, {}, {})).then((receipt) => receipt && setSent(receipt.id));
  return (
    <>
      <p className="pad">
        Sent {timesOf(of.report)} through <Said text={schedule!.channel} />{schedule!.to?.length ? <> to <Said text={schedule!.to.join(", ")} /></> : ""}, as {(schedule!.files ?? []).join(" and ").toUpperCase().replace(" AND ", " and ")}.
        {of.due && <> Next at {absolute(new Date(of.due)).slice(0, 16)}.</>}
      </p>
      <p className="pad links">
        {admin && <button type="button" disabled={busy} onClick={send}>Send now</button>}
        {(sent ?? of.delivery) && <Receipt of={(sent ?? of.delivery)!} />}
        {of.problem && <Mark level="critical"><Said text={of.problem} /></Mark>}
      </p>
      {error && <Problem error={error} />}
    </>
  );
}

const SOON_MS = 1_000;

function Receipt({ of }: { of: string }) {
  const path = `/api/deliveries/${of}`;
  const { data } = useQuery({ queryKey: [path], queryFn: () => ask<ReceiptShape>(path), refetchInterval: (query) => (query.state.data?.status === "waiting" ? SOON_MS : false) });
  if (!data) return null;
  const level = data.status === "delivered" ? "ok" : data.status === "failed" ? "critical" : "warning";
  return <span role="status"><Mark level={level}>{data.status} <When at={data.finished ?? data.created} /></Mark> <span className="quiet"><Said text={data.answer} /></span></span>;
}

function Share({ of, admin }: { of: ReportShape; admin: boolean }) {
  return (
    <div>
      <p className="pad">For whoever can sign in here:</p>
      <Snippet text={`${location.origin}${addressOf(of.id)}`} />
      {admin && <Links of={of.id} />}
    </div>
  );
}

/** Links that need no sign-in. */
function Links({ of }: { of: number }) {
  const path = `${REPORTS}/${of}/shares`;
  const asked = useQuery({ queryKey: [path], queryFn: () => ask<ShareShape[]>(path) });
  const { change, error, busy } = useChange(path);
  const [made, setMade] = useState<ShareMade | null>(null);
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    void change(() => ask<ShareMade>(path, {}, { label: given.get("label"), days: Number(given.get("days")) })).then(setMade);
  };
  const columns: Column<ShareShape>[] = [
    { name: "For", cell: ({ label }) => <Said text={label} /> },
    { name: "Made", cell: ({ created, created_by }) => <><When at={created} /> by <Said text={created_by} /></>, less: "middle" },
    { name: "Until", cell: ({ expires }) => absolute(new Date(expires)).slice(0, 16) },
    { name: "", number: true, cell: ({ id, label }) => <button type="button" disabled={busy} aria-label={`Revoke the link for ${label}`} onClick={() => void change(() => ask(`${path}/${id}`, {}, undefined, "DELETE"))}>Revoke</button> },
  ];
  return (
    <>
      <p className="pad">For somebody without a sign-in: a link that shows this report, and nothing else, to whoever has it.</p>
      {made && <><Snippet text={`${location.origin}/shared#${made.secret}`} /><p className="pad quiet">Copy it now: it is not shown again.</p></>}
      <form className="filters" onSubmit={add}>
        <label className="field"><span>For whom</span><input name="label" required maxLength={100} autoComplete="off" placeholder="the board" /></label>
        <label className="field"><span>For days</span><input name="days" type="number" required min={1} max={366} defaultValue={30} className="short" /></label>
        <button type="submit" disabled={busy}>Make a link</button>
      </form>
      {error && <Problem error={error} />}
      <Answer of={asked}>{(items) => (items.length ? <Table items={items} columns={columns} keyOf={({ id }) => String(id)} /> : null)}</Answer>
    </>
  );
}
