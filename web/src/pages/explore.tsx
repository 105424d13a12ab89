// Logs and traces, found by what they say and carry.

import { useBots, useList } from "../api/queries";
import type { LogItem, LogPage, PageTraceItem, TraceItem } from "../api/types";
import { Chart } from "../charts/chart";
import { count, milliseconds } from "../lib/format";
import { absolute, clock } from "../lib/time";
import { set, useView } from "../lib/url";
import { LogLines } from "./logLines";
import { Answer, Choice, Empty, Link, Mark, Panel, Said, Search, When } from "./parts";

const PERIODS = ["15m", "1h", "6h", "24h", "7d", "30d"].map((one) => [one, `last ${one}`] as const);
const LEVELS = [["", "All levels"], ["warn error fatal", "Warnings and worse"], ["error fatal", "Errors"]] as const;
const WORSE = ["warn", "error", "fatal"];
const BUCKETS = 60;

export function Explore({ what }: { what: string }) {
  const traces = what === "traces";
  return (
    <>
      <nav className="segments" aria-label="What to explore">
        <Link to="/explore" className={traces ? "" : "current"}>Logs</Link>
        <Link to="/explore/traces" className={traces ? "current" : ""}>Traces</Link>
      </nav>
      {traces ? <Traces /> : <Logs />}
    </>
  );
}

function useFilters() {
  const { params } = useView();
  const bots = useBots().data?.items ?? [];
  const get = (name: string, otherwise = "") => params.get(name) ?? otherwise;
  const bot = <Choice label="Bot" value={get("bot")} options={[["", "All bots"], ...bots.map(({ name }) => [name, name] as const)]} onChange={(value) => set({ bot: value })} />;
  const period = <Choice label="Time" value={get("period", "24h")} options={PERIODS} onChange={(value) => set({ period: value === "24h" ? "" : value })} />;
  return { get, bot, period };
}

function Logs() {
  const { get, bot, period } = useFilters();
  const level = get("level").split(" ").filter(Boolean);
  const asked = useList<LogPage>("/api/logs", { q: get("q"), bot: get("bot"), level, period: get("period", "24h"), limit: 100, buckets: BUCKETS });
  return (
    <Panel title="Logs" aside={<AsOf at={asked.dataUpdatedAt} />}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        {period}
        {bot}
        <Choice label="Level" value={get("level")} options={LEVELS} onChange={(value) => set({ level: value })} />
        <Search label={'Search: words, or "a phrase"'} value={get("q")} onChange={(value) => set({ q: value }, true)} />
      </form>
      <Answer of={asked}>
        {({ pages }) => (
          <>
            <Histogram of={pages[0]?.histogram ?? null} />
            <LogLines items={pages.flatMap((page): LogItem[] => page.items)} withBot />
            <More asked={asked} />
          </>
        )}
      </Answer>
    </Panel>
  );
}

function Histogram({ of }: { of: LogPage["histogram"] | null }) {
  if (!of) return null;
  const from = Date.parse(of.start) / 1_000;
  const points = (levels: (readonly number[])[]) =>
    Array.from({ length: BUCKETS }, (_, place) => [from + place * of.step_seconds, levels.reduce((sum, counts) => sum + (counts[place] ?? 0), 0)] as const);
  const lines = [
    { label: "Records", points: points(Object.values(of.levels)) },
    { label: "Warnings and worse", points: points(WORSE.map((level) => of.levels[level] ?? [])), colour: "--critical" },
  ];
  const [all, bad] = lines.map((line) => count(line.points.reduce((sum, [, found]) => sum + found, 0)));
  return <Chart lines={lines} label={`${all} log records, ${bad} of them warnings or worse`} span={`${all} records`} format={count} height={100} bars />;
}

function Traces() {
  const { get, bot, period } = useFilters();
  const failed = get("failed");
  const asked = useList<PageTraceItem>("/api/traces", { bot: get("bot"), failed, min_ms: get("min_ms"), period: get("period", "24h"), limit: 50 });
  return (
    <Panel title="Traces" aside={<AsOf at={asked.dataUpdatedAt} />}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        {period}
        {bot}
        <Choice label="Outcome" value={failed} options={[["", "All"], ["true", "Failed"], ["false", "Not failed"]]} onChange={(value) => set({ failed: value })} />
        <Choice label="A span took" value={get("min_ms")} options={[["", "any time"], ["100", "100 ms or more"], ["1000", "1 s or more"], ["5000", "5 s or more"]]} onChange={(value) => set({ min_ms: value })} />
      </form>
      <Answer of={asked}>
        {({ pages }) => (
          <>
            <TraceTable items={pages.flatMap((page) => page.items)} />
            <More asked={asked} />
          </>
        )}
      </Answer>
    </Panel>
  );
}

function TraceTable({ items }: { items: readonly TraceItem[] }) {
  if (items.length === 0) return <Empty>No trace fits. Choose a longer time, or fewer filters.</Empty>;
  return (
    <table className="rows">
      <thead>
        <tr><th>Started</th><th>Name</th><th className="middle">Bot</th><th>Outcome</th><th className="number middle">Spans</th><th className="number">Took</th></tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.trace_id}>
            <td title={absolute(new Date(item.start))}><When at={item.start} /></td>
            <td><Link to={`/traces/${item.trace_id}`}><Said text={item.name} /></Link></td>
            <td className="middle"><Said text={item.bots.join(", ")} /></td>
            <td><Mark level={item.failed ? "critical" : "ok"}>{item.failed ? "failed" : "ok"}</Mark></td>
            <td className="number middle">{item.spans}</td>
            <td className="number">{milliseconds(item.duration_ms)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What one reads does not move under one's eyes. */
const AsOf = ({ at }: { at: number }) => (at ? <span className="quiet">as of {clock(new Date(at))}, <kbd>R</kbd> asks again</span> : null);

function More({ asked }: { asked: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }) {
  if (!asked.hasNextPage) return null;
  return (
    <p className="pager">
      <button type="button" disabled={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>Older</button>
    </p>
  );
}
