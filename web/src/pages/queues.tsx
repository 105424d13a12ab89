// What waits: as the brokers tell it, and as bots see it themselves.

import { useCatalogue, useHistory, useQueues } from "../api/queries";
import type { QueueItem, QueuePage } from "../api/types";
import { Charts } from "../charts/charts";
import { count, NONE, plainNumber, seconds } from "../lib/format";
import { boundsOf, levelOf } from "../lib/levels";
import { headingOf } from "../lib/queues";
import { stepOf } from "../lib/range";
import { is } from "../lib/series";
import { BotChoice, useParam } from "./filters";
import { Answer, Empty, Export, Link, Mark, Panel, Said, When } from "./parts";
import { useRange } from "./range";
import { type Column, Table } from "./table";

const CHARTS: { title: string; measures: Record<string, string> }[] = [
  { title: "Waiting", measures: { "queue.depth": "Waiting" } },
  { title: "Age of the oldest", measures: { "queue.age": "Age of the oldest" } },
];
const POINTS = 120;
const LINES = 8;
const BY = "queue,group,broker";  // two groups of a stream are two
const rate = (value: number | null, exact: boolean | null) => (value === null ? NONE : `${exact === false ? "≥ " : ""}${plainNumber(value)}/s`);

export function Queues() {
  const range = useRange();
  const bot = useParam()("bot");
  const asked = useQueues({ bot, limit: 500 });
  const history = useHistory(range, { measure: ["queue.depth", "queue.age"], by: BY, where: bot ? [is("bot", bot)] : [], step: stepOf(range, POINTS) });
  return (
    <>
      <Panel title="Queues" aside={<span className="quiet">{range.label}, the {LINES} deepest</span>}>
        <form className="filters" onSubmit={(event) => event.preventDefault()}><BotChoice /></form>
        <Charts of={history.data} charts={CHARTS} span={range.label} most={LINES} by={BY} counted={false} />
      </Panel>
      <Panel title="All queues" aside={<Export of="queues" params={{ bot }} />}>
        <Answer of={asked}>{(found) => <Found of={found} />}</Answer>
      </Panel>
    </>
  );
}

function Found({ of }: { of: QueuePage }) {
  const measures = useCatalogue().data?.measures;
  const columns: Column<QueueItem>[] = [
    { name: "Queue", by: (item) => item.queue, cell: (item) => <><Link to={`/explore/measures?measure=queue.depth&where=${encodeURIComponent(is("queue", item.queue))}`} sameTime><Said text={item.queue} /></Link> <span className="quiet"><Said text={[item.group, item.broker ?? item.bot].filter(Boolean).join(" · ")} /></span></> },
    { name: "Waiting", number: true, by: (item) => item.depth, cell: (item) => <Mark level={levelOf(item.depth, boundsOf(measures, "queue.depth"))}>{count(item.depth)}</Mark> },
    { name: "In work", number: true, by: (item) => item.pending, cell: (item) => count(item.pending), less: "wide" },
    {
      name: "Oldest", number: true, by: (item) => item.age_seconds,
      cell: (item) => <Mark level={levelOf(item.age_seconds, boundsOf(measures, "queue.age"))}>{item.age_exact === false && item.age_seconds !== null && "≥ "}{seconds(item.age_seconds)}</Mark>,
    },
    { name: "Consumers", number: true, by: (item) => item.consumers, cell: (item) => (item.unattended ? <Mark level="critical">none</Mark> : count(item.consumers)), less: "middle" },
    { name: "In", number: true, by: (item) => item.in_per_second, cell: (item) => rate(item.in_per_second, item.rates_exact), less: "wide" },
    { name: "Out", number: true, by: (item) => item.out_per_second, cell: (item) => rate(item.out_per_second, item.rates_exact), less: "wide" },
    {
      name: "Trend", by: (item) => item.trend, less: "middle",
      cell: (item) => {
        const [level, words] = headingOf(item, measures);
        return <Mark level={level}>{words}</Mark>;
      },
    },
    { name: "Empty in", number: true, by: (item) => item.time_to_drain_seconds, cell: (item) => seconds(item.time_to_drain_seconds), less: "wide" },
    { name: "Seen", number: true, by: (item) => item.seen, cell: (item) => (item.current ? <When at={item.seen} /> : <Mark level="unknown"><When at={item.seen} /></Mark>), less: "middle" },
  ];
  return (
    <>
      {of.brokers.filter((broker) => !broker.answers).map((broker) => (
        <p key={broker.name} className="pad"><Mark level="critical"><Said text={broker.name} /> does not answer</Mark> {broker.reason && <Said text={broker.reason} />}</p>
      ))}
      {of.items.length === 0 ? (
        <Empty>
          Nobody tells of a queue. Name a broker in <code>botwatch.toml</code> under <code>[queues.NAME]</code>, or have the bot report <code>bot.queue.depth</code> and <code>bot.queue.age</code>.
        </Empty>
      ) : (
        <Table items={of.items} columns={columns} keyOf={(item, place) => `${item.queue}\n${item.broker ?? ""}\n${item.group ?? ""}\n${item.bot ?? ""}\n${place}`} />
      )}
    </>
  );
}
