// What is wrong, which rules say so, who is told, and what became of the messages.

import { useQuery } from "@tanstack/react-query";
import { ask } from "../api/fetch";
import { useEvery, useJudging, useList } from "../api/queries";
import type { IncidentItem, Judging, PageIncidentItem } from "../api/types";
import { formatOf } from "../lib/format";
import { LEVELS, subjectOf } from "../lib/alerts";
import { absolute } from "../lib/time";
import { set } from "../lib/url";
import { Channels } from "./channels";
import { Deliveries, Noise } from "./deliveries";
import { useParam } from "./filters";
import { Answer, Choice, Empty, Link, Mark, More, Panel, Said, When } from "./parts";
import { Rules } from "./rules";
import { Silences } from "./silences";
import { type Column, Table } from "./table";

const PLACES = [["", "Incidents"], ["rules", "Rules"], ["channels", "Channels"], ["silences", "Silences"], ["deliveries", "Receipts"], ["noise", "Noise"]] as const;
export const ALERT_PLACES: readonly string[] = PLACES.map(([place]) => place);
const INCIDENTS = "/api/incidents";

export function Alerts({ what, admin }: { what: string; admin: boolean }) {
  return (
    <>
      <nav className="segments" aria-label="Alerts">
        {PLACES.map(([place, title]) => <Link key={place} to={`/alerts${place && `/${place}`}`} className={place === what ? "current" : ""}>{title}</Link>)}
      </nav>
      {what === "" && <Incidents />}
      {what === "rules" && <Rules admin={admin} />}
      {what === "channels" && <Channels admin={admin} />}
      {what === "silences" && <Silences admin={admin} />}
      {what === "deliveries" && <Deliveries />}
      {what === "noise" && <Noise />}
    </>
  );
}

export function useOpenIncidents() {
  const every = useEvery();
  return useQuery({ queryKey: [INCIDENTS, "open"], queryFn: () => ask<PageIncidentItem>(INCIDENTS, { open: true, limit: 100 }), refetchInterval: every });
}

function Incidents() {
  const get = useParam();
  const state = get("state", "open");
  const params = { severity: get("severity"), rule: get("rule"), ...(state === "all" ? {} : { open: state === "open" }) };
  const asked = useList<PageIncidentItem>(INCIDENTS, { ...params, limit: 50 }, true);
  const judging = useJudging();
  return (
    <Panel title="Incidents" aside={<Judged of={judging.data} />}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice label="State" value={state} options={[["open", "Not over"], ["over", "Over"], ["all", "All"]]} onChange={(value) => set({ state: value === "open" ? "" : value })} />
        <Choice label="Severity" value={get("severity")} options={[["", "All"], ["critical", "Critical"], ["warning", "Warning"], ["info", "Info"]]} onChange={(value) => set({ severity: value })} />
        {get("rule") && <button type="button" className="chip" onClick={() => set({ rule: "" })}>rule = <Said text={get("rule")} /> ✕</button>}
      </form>
      <Answer of={asked}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (!items.length) return <Empty>{state === "open" ? "Nothing is wrong that a rule knows of." : "None."} <Link to="/alerts/rules">See the rules</Link></Empty>;
          return <><Table items={items} columns={COLUMNS} keyOf={(item) => item.id} linked /><More asked={asked} /></>;
        }}
      </Answer>
    </Panel>
  );
}

export const stateOf = (item: { status: string; endTime: string | null }) => (item.status === "resolved" ? "over" : item.status);

const COLUMNS: Column<IncidentItem>[] = [
  { name: "What", cell: (item) => <Link to={`/incidents/${item.id}`}><Mark level={item.endTime ? "unknown" : LEVELS[item.severity]}>{item.severity}</Mark> <Said text={item.ruleName} /></Link> },
  { name: "Of", cell: (item) => <Said text={subjectOf(item.labels)} /> },
  { name: "State", cell: (item) => <>{stateOf(item)}{item.acknowledged_by && !item.endTime && <> by <Said text={item.acknowledged_by} /></>}</>, less: "middle" },
  { name: "Value", number: true, cell: (item) => formatOf(item.unit)(item.peak_value ?? item.triggerValue), less: "middle" },
  { name: "Began", number: true, cell: (item) => <When at={item.startTime} /> },
  { name: "Over", number: true, cell: (item) => (item.endTime ? <When at={item.endTime} /> : "–"), less: "wide" },
];

/** Whether anybody judges at all is told, too: no incident says nothing where nothing is judged. */
function Judged({ of }: { of: Judging | undefined }) {
  if (!of) return null;
  const [troubles, crowded] = [Object.keys(of.troubles).length, Object.keys(of.crowded).length];
  return (
    <span className="links">
      {of.paused ? <Mark level="warning">judging waits: <Said text={of.paused} /></Mark> : of.judged ? <span className="quiet" title={absolute(new Date(of.judged))}>judged <When at={of.judged} /></span> : <span className="quiet">{of.leading ? "nothing judged yet" : "another node judges"}</span>}
      {troubles > 0 && <Link to="/alerts/rules"><Mark level="warning">{troubles} {troubles === 1 ? "rule" : "rules"} cannot be judged</Mark></Link>}
      {crowded > 0 && <Link to="/alerts/rules"><Mark level="warning">{crowded} {crowded === 1 ? "rule" : "rules"} not judged of everybody</Mark></Link>}
    </span>
  );
}
