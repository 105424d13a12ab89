// What bots do, what they call for it, what waits for them, and what their models cost.

import type { ReactNode } from "react";
import { useActions, useCatalogue, useDependencies, useHistory, useModels } from "../api/queries";
import type { ActionItem, DependencyItem, Latency, ModelItem } from "../api/types";
import { Charts } from "../charts/charts";
import { count, dollars, exact, milliseconds } from "../lib/format";
import { boundsOf } from "../lib/levels";
import { stepOf } from "../lib/range";
import { is } from "../lib/series";
import { set } from "../lib/url";
import { BotChoice, useParam } from "./filters";
import { Success } from "./overview";
import { Queues } from "./queues";
import { Answer, Empty, Export, Link, Panel, Said, When } from "./parts";
import { useRange } from "./range";
import { type Column, Table } from "./table";

type Item = ActionItem | DependencyItem | ModelItem;
interface Drawn {
  title: string;
  /** By name, where none is chosen. */
  all: Record<string, string>;
  /** Of the one that is chosen. */
  one: Record<string, string>;
}
interface Kind {
  path: string;
  title: string;
  name: string;
  /** The label of the measures, and what traces are found by. */
  label: "action" | "dependency" | "model";
  charts: readonly Drawn[];
}

const drawn = (title: string, all: string, one: Record<string, string>): Drawn => ({ title, all: { [all]: title }, one });
const tally = (kind: string): Drawn[] => [
  drawn("Calls", `${kind}.count`, { [`${kind}.count`]: "Calls", [`${kind}.errors`]: "Failed" }),
  drawn("Failed, in percent", `${kind}.error_rate`, { [`${kind}.error_rate`]: "Failed" }),
  drawn("Time taken", `${kind}.latency.p95`, { [`${kind}.latency.p50`]: "p50", [`${kind}.latency.p95`]: "p95", [`${kind}.latency.p99`]: "p99" }),
];
const only = (title: string, measure: string) => drawn(title, measure, { [measure]: title });
const KINDS: readonly Kind[] = [
  { path: "/actions", title: "Actions", name: "Action", label: "action", charts: tally("action") },
  {
    path: "/actions/dependencies", title: "Dependencies", name: "Dependency", label: "dependency",
    charts: [...tally("dependency"), only("Timed out", "dependency.timeouts"), only("Refused as too many (429)", "dependency.rate_limited")],
  },
  {
    path: "/actions/models", title: "Models", name: "Model", label: "model",
    charts: [...tally("model"), drawn("Tokens", "model.tokens", { "model.tokens.in": "read", "model.tokens.out": "written" }), only("Cost by list price", "model.cost")],
  },
];
const LINES = 8;
const POINTS = 120;

export function Actions({ what }: { what: string }) {
  const kind = KINDS.find(({ path }) => path === `/actions${what && `/${what}`}`);
  return (
    <>
      <nav className="segments" aria-label="What bots do">
        {KINDS.map(({ path, title }) => <Link key={path} to={path} sameTime className={kind?.path === path ? "current" : ""}>{title}</Link>)}
        <Link to="/actions/queues" sameTime className={kind ? "" : "current"}>Queues</Link>
      </nav>
      {kind ? <Work kind={kind} key={kind.path} /> : <Queues />}
    </>
  );
}

function Work({ kind }: { kind: Kind }) {
  const range = useRange();
  const get = useParam();
  const [bot, name] = [get("bot"), get("name")];
  const params = { bot, limit: 500 };
  const asked = { action: useActions, dependency: useDependencies, model: useModels }[kind.label](range, params);
  const charts = kind.charts.map(({ title, all, one }) => ({ title, measures: name ? one : all }));
  const where = [...(bot ? [is("bot", bot)] : []), ...(name ? [is(kind.label, name)] : [])];
  const history = useHistory(range, {
    measure: [...new Set(charts.flatMap(({ measures }) => Object.keys(measures)))], by: name ? "" : kind.label, where, step: stepOf(range, POINTS),
  });
  return (
    <>
      <Panel
        title={name ? <>{kind.name}: <Said text={name} /></> : kind.title}
        aside={name ? <Behind kind={kind} bot={bot} name={name} /> : <span className="quiet">{range.label}, the {LINES} greatest</span>}
      >
        <form className="filters" onSubmit={(event) => event.preventDefault()}><BotChoice /></form>
        <Charts of={history.data} charts={charts} span={range.label} most={LINES} by={name ? "" : kind.label} />
        {history.error && <Answer of={history}>{() => null}</Answer>}
      </Panel>
      <Panel title={`All ${kind.title.toLowerCase()}`} aside={<Export of={kind.title.toLowerCase()} params={{ ...range.query, bot }} />}>
        <Answer of={asked as { data: { items: Item[] } | undefined; error: Error | null }}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty>None in this time. They come from the spans that bots send: choose a longer time, or see <Link to="/explore/traces">the traces</Link>.</Empty>
            ) : (
              <div className="scroll">
                <Table items={items} columns={columnsOf(kind)} keyOf={(item) => `${item.bot}\n${item.name}\n${"provider" in item ? item.provider : ""}`} isChosen={(item) => item.name === name && item.bot === bot} />
              </div>
            )
          }
        </Answer>
      </Panel>
    </>
  );
}

/** From the number to what it was counted from. */
function Behind({ kind, bot, name }: { kind: Kind; bot: string; name: string }) {
  const of = (more: string) => `/explore/traces?${kind.label}=${encodeURIComponent(name)}${bot && `&bot=${encodeURIComponent(bot)}`}${more}`;
  return (
    <span className="links">
      {kind.label !== "model" && <Link to={of("")} sameTime>Traces</Link>}
      {kind.label !== "model" && <Link to={of("&failed=true")} sameTime>Failed traces</Link>}
      {bot && <Link to={`/explore?bot=${encodeURIComponent(bot)}&level=warn+error+fatal`} sameTime>Warnings in the logs</Link>}
      <button type="button" onClick={() => set({ name: "" })}>All {kind.title.toLowerCase()}</button>
    </span>
  );
}

function columnsOf(kind: Kind): Column<Item>[] {
  const time = (name: string, of: keyof Latency, less?: "middle" | "wide"): Column<Item> => ({
    name, number: true, by: (item) => item.latency_ms[of], cell: (item) => milliseconds(item.latency_ms[of]), ...(less ? { less } : {}),
  });
  const figure = (name: string, of: (item: Item) => number | null, less?: "middle" | "wide", format: (value: number | null) => ReactNode = count): Column<Item> => ({
    name, number: true, by: of, cell: (item) => <span title={of(item) === null ? undefined : exact(of(item)!)}>{format(of(item))}</span>, ...(less ? { less } : {}),
  });
  const more: Record<Kind["label"], Column<Item>[]> = {
    action: [],
    dependency: [
      figure("Timed out", (item) => ("timeouts" in item ? item.timeouts : null), "middle"),
      figure("429", (item) => ("rate_limited" in item ? item.rate_limited : null), "middle"),
    ],
    model: [
      figure("Read", (item) => ("tokens_in" in item ? item.tokens_in : null), "middle"),
      figure("Written", (item) => ("tokens_out" in item ? item.tokens_out : null), "middle"),
      figure("Cost", (item) => ("cost_usd" in item ? item.cost_usd : null), undefined, dollars),
    ],
  };
  return [
    { name: kind.name, by: (item) => item.name, cell: (item) => <Link to={`${kind.path}?bot=${encodeURIComponent(item.bot)}&name=${encodeURIComponent(item.name)}`} sameTime><Said text={item.name} /></Link> },
    { name: "Bot", by: (item) => item.bot, cell: (item) => <Said text={item.bot} />, less: "middle" },
    figure("Calls", (item) => item.count),
    { name: "Success", number: true, by: (item) => -item.errors / item.count, cell: (item) => <SuccessOf item={item} /> },
    ...more[kind.label],
    time("Average", "avg", "wide"),
    time("p50", "p50", "wide"),
    time("p95", "p95"),
    time("p99", "p99", "middle"),
    { name: "Last seen", number: true, by: (item) => item.last_seen ?? null, cell: (item) => (item.last_seen ? <When at={item.last_seen} /> : "–"), less: "wide" },
  ];
}

function SuccessOf({ item }: { item: Item }) {
  return <Success item={item} bounds={boundsOf(useCatalogue().data?.measures, "errors.rate")} />;
}
