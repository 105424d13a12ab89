// Exceptions, grouped by what they are.

import { useFault, useList } from "../api/queries";
import type { Fault, FaultItem, PageFaultItem } from "../api/types";
import { Chart } from "../charts/chart";
import { count, exact } from "../lib/format";
import { dayStart } from "../lib/time";
import { set } from "../lib/url";
import { addressOf } from "./conversations";
import { BotChoice, useParam } from "./filters";
import { Answer, AsOf, Empty, Export, Link, More, Panel, Said, Search, When } from "./parts";
import { useRange } from "./range";
import { type Column, Table } from "./table";

const COLUMNS: Column<FaultItem>[] = [
  { name: "Type", by: (item) => item.type, cell: (item) => <Link to={`/explore/faults/${item.id}`} sameTime><Said text={item.type || "(no type)"} /></Link> },
  { name: "Message", cell: (item) => <Said text={item.message} className="two-lines" /> },
  { name: "Bot", by: (item) => item.bot, cell: (item) => <Said text={item.bot} />, less: "middle" },
  { name: "Times", number: true, by: (item) => item.count, cell: (item) => <span title={exact(item.count)}>{count(item.count)}</span> },
  { name: "First", number: true, by: (item) => item.first_seen, cell: (item) => <When at={item.first_seen} />, less: "wide" },
  { name: "Last", number: true, by: (item) => item.last_seen, cell: (item) => <When at={item.last_seen} /> },
];

export function Faults() {
  const range = useRange();
  const get = useParam();
  const params = { ...range.query, bot: get("bot"), q: get("q") };
  const asked = useList<PageFaultItem>("/api/faults", { ...params, limit: 100 });
  return (
    <Panel title="Faults" aside={<><AsOf at={asked.dataUpdatedAt} /><Export of="faults" params={params} /></>}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <BotChoice />
        <Search label="Search type or message" value={get("q")} onChange={(value) => set({ q: value }, true)} />
      </form>
      <Answer of={asked}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (!items.length) return <Empty>No exception fits. They come from spans and logs that carry <code>exception.type</code>.</Empty>;
          return (
            <>
              <Table items={items} columns={COLUMNS} keyOf={(item) => `${item.bot}\n${item.id}`} linked />
              <More asked={asked} />
            </>
          );
        }}
      </Answer>
    </Panel>
  );
}

export function FaultPage({ id }: { id: string }) {
  return <Answer of={useFault(id)}>{(fault) => <Detail of={fault} />}</Answer>;
}

function Detail({ of }: { of: Fault }) {
  const days = of.days.map(({ day, count: times }) => [dayStart(day), times] as const);
  return (
    <Panel title={<>Fault: <Said text={of.type || "(no type)"} /></>} aside={<Link to="/explore/faults" sameTime className="button">✕ Close</Link>}>
      <p className="pad"><Said text={of.message} className="message" /></p>
      <dl className="facts pad">
        <div><dt>Bot</dt><dd><Said text={of.bot} /></dd></div>
        <div><dt>Times</dt><dd>{exact(of.count)}</dd></div>
        <div><dt>First seen</dt><dd><When at={of.first_seen} /></dd></div>
        <div><dt>Last seen</dt><dd><When at={of.last_seen} /></dd></div>
        <div><dt>Hosts</dt><dd><Said text={of.hosts.join(", ") || "–"} /></dd></div>
      </dl>
      <p className="pad links">
        {of.trace_id && <Link to={`/traces/${of.trace_id}`}>Trace of the newest</Link>}
        {of.session_id && <Link to={addressOf({ id: of.session_id, bot: of.bot })}>Conversation of the newest</Link>}
        <Link to={`/explore?bot=${encodeURIComponent(of.bot)}&q=${encodeURIComponent(of.type)}`} sameTime>In the logs</Link>
      </p>
      {days.length > 1 && <Chart lines={[{ label: "Times a day", points: days, colour: "--critical" }]} label={`${exact(of.count)} times on ${days.length} days`} unit="count" height={120} window={[days[0]![0], days.at(-1)![0] + 86_400]} span="by day, in UTC" bars daily />}
      <h3>Where</h3>
      {of.stack ? <pre className="stack"><Said text={of.stack} className="message" /></pre> : <Empty>It came without a stack trace.</Empty>}
    </Panel>
  );
}
