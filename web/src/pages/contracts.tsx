// What must follow what: how much of it was kept, and where it was not.

import { useQuery } from "@tanstack/react-query";
import { ask } from "../api/fetch";
import type { PageBreachShape, BreachShape, ContractShape, ContractsShape } from "../api/types";
import { count, percent } from "../lib/format";
import type { Level } from "../lib/levels";
import { set } from "../lib/url";
import { useChange } from "./changing";
import { useParam } from "./filters";
import { Answer, Delete, Empty, Link, Mark, Panel, Problem, Said, When } from "./parts";
import { useRange } from "./range";
import { NewRule } from "./ruleForm";
import { type Column, Table } from "./table";

const CONTRACTS = "/api/contracts";
const SLOW_MS = 30_000;
const STATES: Record<ContractShape["state"], readonly [Level, string]> = {
  off: ["unknown", "off"],
  broken: ["warning", "cannot be counted"],
  no_data: ["unknown", "nothing to keep yet"],
  few: ["unknown", "too few to say"],
  kept: ["ok", "kept"],
  breached: ["warning", "breached"],
};

const COLUMNS: Column<ContractShape>[] = [
  { name: "Contract", by: (item) => item.name, cell: (item) => <Link to={`/insights/contracts?contract=${encodeURIComponent(item.name)}`} sameTime><Said text={item.name} /></Link> },
  { name: "State", cell: (item) => <Mark level={STATES[item.state][0]}>{STATES[item.state][1]}</Mark> },
  { name: "When", cell: (item) => <Said text={item.when} />, less: "middle" },
  { name: "Then", cell: (item) => <Said text={`${item.then.join(" or ")}, within ${item.terms.map(({ within }) => within).join(" or ")}`} />, less: "middle" },
  { name: "Kept", number: true, by: (item) => item.rate, cell: (item) => percent(item.rate) },
  { name: "Breached", number: true, by: (item) => item.breached, cell: (item) => count(item.breached), less: "middle" },
  { name: "Late", number: true, by: (item) => item.late, cell: (item) => count(item.late), less: "wide" },
];

const BREACHES: Column<BreachShape>[] = [
  { name: "Of", cell: (item) => <><Said text={item.id} /> <span className="quiet"><Said text={[item.bot, item.channel].filter(Boolean).join(", ")} /></span></> },
  { name: "About", cell: (item) => <Said text={item.about} className="two-lines" />, less: "middle" },
  { name: "Was due", number: true, cell: (item) => <When at={item.due} /> },
  { name: "Followed", number: true, cell: (item) => (item.followed ? <>late, <When at={item.followed} /></> : <Mark level="warning">not at all</Mark>) },
  { name: "See", cell: (item) => <span className="links">{item.links.map(({ name, url }) => <Link key={url} to={url ?? "/"}>{name}</Link>)}</span> },
];

export function Contracts({ admin }: { admin: boolean }) {
  const range = useRange();
  const get = useParam();
  const chosen = get("contract");
  const asked = useQuery({ queryKey: [CONTRACTS, range.query], queryFn: () => ask<ContractsShape>(CONTRACTS, range.query), refetchInterval: SLOW_MS });
  return (
    <>
      {admin && get("new") && <NewRule only="contract" title="A new contract" done={({ rule }) => set({ new: "", contract: rule.name })} close={() => set({ new: "" })} />}
      <Panel title="Contracts" aside={<span className="links"><span className="quiet">{range.label}</span>{admin && <button type="button" onClick={() => set({ new: "contract" })}>Add a contract</button>}</span>}>
        <Answer of={asked}>
          {({ items }) => (items.length ? <Table items={items} columns={COLUMNS} keyOf={(item) => item.name} isChosen={(item) => item.name === chosen} /> : <Empty>There are none. A contract says what must follow what, and within which time.</Empty>)}
        </Answer>
      </Panel>
      {chosen && <Breaches key={chosen} of={chosen} admin={admin} source={asked.data?.items.find(({ name }) => name === chosen)?.source} />}
    </>
  );
}

/** A contract is a rule: what is changed, is changed there. */
function Breaches({ of, admin, source }: { of: string; admin: boolean; source: string | undefined }) {
  const { change, error, busy } = useChange(CONTRACTS, "/api/rules");
  const remove = () => void change(async () => {
    await ask(`/api/rules/${encodeURIComponent(of)}`, {}, undefined, "DELETE");
    set({ contract: "" }); // before the list is asked for again: of itself there is nothing more to ask
  });
  const range = useRange();
  const path = `${CONTRACTS}/${encodeURIComponent(of)}/breaches`;
  const asked = useQuery({ queryKey: [path, range.query], queryFn: () => ask<PageBreachShape>(path, range.query), refetchInterval: SLOW_MS, enabled: !busy }); // while it is deleted it may be gone
  return (
    <Panel title={<>Not kept: <Said text={of} /></>} aside={
        <span className="links">
          {source && source !== "turns" && <Link to={`/alerts/rules?rule=${encodeURIComponent(of)}`} className="button">{admin ? "Change" : "See its rule"}</Link>}
          {admin && source === "api" && <Delete what={of} busy={busy} run={remove} />}
          <Link to="/insights/contracts" sameTime className="button">✕ Close</Link>
        </span>
      }>
      {error && <Problem error={error} />}
      <Answer of={asked}>{({ items }) => (items.length ? <Table items={items} columns={BREACHES} keyOf={(_, place) => String(place)} /> : <Empty>Everything was kept in this time.</Empty>)}</Answer>
    </Panel>
  );
}
