// What must follow what: how much of it was kept, and where it was not.

import { useQuery } from "@tanstack/react-query";
import { ask } from "../api/fetch";
import type { PageBreachShape, BreachShape, ContractShape, ContractsShape } from "../api/types";
import { count, percent } from "../lib/format";
import type { Level } from "../lib/levels";
import { useParam } from "./filters";
import { Answer, Empty, Link, Mark, Panel, Said, When } from "./parts";
import { useRange } from "./range";
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
  { name: "Breached", number: true, by: (item) => item.breached, cell: (item) => count(item.breached) },
  { name: "Late", number: true, by: (item) => item.late, cell: (item) => count(item.late), less: "wide" },
];

const BREACHES: Column<BreachShape>[] = [
  { name: "Of", cell: (item) => <><Said text={item.id} /> <span className="quiet"><Said text={[item.bot, item.channel].filter(Boolean).join(", ")} /></span></> },
  { name: "About", cell: (item) => <Said text={item.about} className="two-lines" />, less: "middle" },
  { name: "Was due", number: true, cell: (item) => <When at={item.due} /> },
  { name: "Followed", number: true, cell: (item) => (item.followed ? <>late, <When at={item.followed} /></> : <Mark level="warning">not at all</Mark>) },
  { name: "See", cell: (item) => <span className="links">{item.links.map(({ name, url }) => <Link key={url} to={url ?? "/"}>{name}</Link>)}</span> },
];

export function Contracts() {
  const range = useRange();
  const chosen = useParam()("contract");
  const asked = useQuery({ queryKey: [CONTRACTS, range.query], queryFn: () => ask<ContractsShape>(CONTRACTS, range.query), refetchInterval: SLOW_MS });
  return (
    <>
      <Panel title="Contracts" aside={<span className="quiet">{range.label}</span>}>
        <Answer of={asked}>
          {({ items }) => (items.length ? <Table items={items} columns={COLUMNS} keyOf={(item) => item.name} isChosen={(item) => item.name === chosen} /> : <Empty>There are none. They are rules of the kind contract: <Link to="/alerts/rules">see the rules</Link></Empty>)}
        </Answer>
      </Panel>
      {chosen && <Breaches of={chosen} />}
    </>
  );
}

function Breaches({ of }: { of: string }) {
  const range = useRange();
  const path = `${CONTRACTS}/${encodeURIComponent(of)}/breaches`;
  const asked = useQuery({ queryKey: [path, range.query], queryFn: () => ask<PageBreachShape>(path, range.query), refetchInterval: SLOW_MS });
  return (
    <Panel title={<>Not kept: <Said text={of} /></>} aside={<Link to="/insights/contracts" sameTime className="button">✕ Close</Link>}>
      <Answer of={asked}>{({ items }) => (items.length ? <Table items={items} columns={BREACHES} keyOf={(_, place) => String(place)} /> : <Empty>Everything was kept in this time.</Empty>)}</Answer>
    </Panel>
  );
}
