// What was sent and what became of it; and which rules cry without being heard.

import { useQuery } from "@tanstack/react-query";
import { ask } from "../api/fetch";
import { useList } from "../api/queries";
import type { DeliveryShape, NoiseItem, NoiseShape, PageDeliveryShape } from "../api/types";
import { LEVELS } from "../lib/alerts";
import { milliseconds, seconds } from "../lib/format";
import type { Level } from "../lib/levels";
import { set } from "../lib/url";
import { useParam } from "./filters";
import { Answer, Choice, Empty, Link, Mark, More, Panel, Said, When } from "./parts";
import { useChannels } from "./rules";
import { type Column, Table } from "./table";

const STATES: Record<string, Level> = { delivered: "ok", waiting: "warning", failed: "critical", folded: "unknown" };

const RECEIPTS: Column<DeliveryShape>[] = [
  { name: "Message", cell: (item) => <><Mark level={LEVELS[item.severity]}>{item.purpose}</Mark> {item.incidents.length === 1 ? <Link to={`/incidents/${item.incidents[0]}`}><Said text={item.title} /></Link> : <Said text={item.title} />}</> },
  { name: "Channel", cell: (item) => <Said text={item.channel} /> },
  { name: "State", cell: (item) => <Mark level={STATES[item.status] ?? "unknown"}>{item.status}</Mark> },
  { name: "Tries", number: true, cell: (item) => item.attempts, less: "middle" },
  { name: "Took", number: true, cell: (item) => milliseconds(item.latency_ms), less: "middle" },
  { name: "Answer", cell: (item) => <Said text={item.answer} className="two-lines" />, less: "wide" },
  { name: "Made", number: true, cell: (item) => <When at={item.created} /> },
];

export function Deliveries() {
  const get = useParam();
  const channels = useChannels().data ?? [];
  const asked = useList<PageDeliveryShape>("/api/deliveries", { channel: get("channel"), status: get("status"), incident: get("incident"), limit: 100 }, true);
  return (
    <Panel title="Receipts">
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice label="Channel" value={get("channel")} options={[["", "All"], ...channels.map(({ name }) => [name, name] as const)]} onChange={(value) => set({ channel: value })} />
        <Choice label="State" value={get("status")} options={[["", "All"], ...Object.keys(STATES).map((one) => [one, one] as const)]} onChange={(value) => set({ status: value })} />
        {get("incident") && <button type="button" className="chip" onClick={() => set({ incident: "" })}>of one incident ✕</button>}
      </form>
      <Answer of={asked}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          return items.length ? <><Table items={items} columns={RECEIPTS} keyOf={(item) => item.id} /><More asked={asked} /></> : <Empty>Nothing was sent.</Empty>;
        }}
      </Answer>
    </Panel>
  );
}

const NOISE: Column<NoiseItem>[] = [
  { name: "Rule", by: (item) => item.rule, cell: (item) => <Link to={`/alerts/rules?rule=${encodeURIComponent(item.rule)}`}><Said text={item.rule} /></Link> },
  { name: "Judgement", cell: (item) => <><b>{item.verdict.replaceAll("_", " ")}</b> <span className="quiet">{item.advice}</span></> },
  { name: "Incidents", number: true, by: (item) => item.incidents, cell: (item) => item.incidents },
  { name: "Taken", number: true, by: (item) => item.acknowledged, cell: (item) => item.acknowledged, less: "middle" },
  { name: "Flapped", number: true, by: (item) => item.flapped, cell: (item) => item.flapped, less: "middle" },
  { name: "To find", number: true, by: (item) => item.seconds_to_detect, cell: (item) => seconds(item.seconds_to_detect), less: "wide" },
  { name: "To take", number: true, by: (item) => item.seconds_to_acknowledge, cell: (item) => seconds(item.seconds_to_acknowledge), less: "wide" },
  { name: "To end", number: true, by: (item) => item.seconds_to_resolve, cell: (item) => seconds(item.seconds_to_resolve), less: "wide" },
];

export function Noise() {
  const asked = useQuery({ queryKey: ["/api/rules/noise"], queryFn: () => ask<NoiseShape>("/api/rules/noise", { period: "30d" }) });
  return (
    <Panel title="Noise" aside={<span className="quiet">last 30 days</span>}>
      <Answer of={asked}>{({ rules }) => (rules.length ? <Heard of={rules} /> : <Empty>No rule has been judged yet.</Empty>)}</Answer>
    </Panel>
  );
}

/** What never fired is all alike, and said once. */
function Heard({ of }: { of: readonly NoiseItem[] }) {
  const [loud, silent] = [of.filter(({ verdict }) => verdict !== "silent"), of.filter(({ verdict }) => verdict === "silent")];
  return (
    <>
      {loud.length > 0 && <Table items={loud} columns={NOISE} keyOf={(item) => item.rule} />}
      {silent.length > 0 && (
        <details className="everything pad" open={loud.length === 0}>
          <summary>{silent.length === 1 ? "1 rule has" : `${silent.length} rules have`} not fired</summary>
          <p className="quiet">Open one: its preview shows whether it would have fired on what was.</p>
          <ul className="plain columns">{silent.map(({ rule }) => <li key={rule}><Link to={`/alerts/rules?rule=${encodeURIComponent(rule)}`}><Said text={rule} /></Link></li>)}</ul>
        </details>
      )}
    </>
  );
}
