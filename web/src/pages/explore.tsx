// Logs and traces, found by what they say and carry.

import type { ReactNode } from "react";
import { useList } from "../api/queries";
import type { LogItem, LogPage, PageTraceItem, TraceItem } from "../api/types";
import { Chart, type Line } from "../charts/chart";
import { count, milliseconds } from "../lib/format";
import { absolute } from "../lib/time";
import { set } from "../lib/url";
import { Faults } from "./faults";
import { BotChoice, Chips, useFilters, useParam } from "./filters";
import { LogLines } from "./logLines";
import { MeasuresPage } from "./measures";
import { Answer, AsOf, Choice, Empty, Export, Link, Mark, More, Panel, Said, Search, When } from "./parts";
import { useRange } from "./range";

const LEVELS = [["", "All levels"], ["warn error fatal", "Warnings and worse"], ["error fatal", "Errors"]] as const;
const WORSE = ["warn", "error", "fatal"];
const BUCKETS = 60;
const PLACES = [["Logs", ""], ["Traces", "/traces"], ["Faults", "/faults"], ["Measures", "/measures"]] as const;
const LOG_FILTERS = ["event", "host", "session", "trace", "correlation"];
const TRACE_FILTERS = ["action", "dependency", "session", "correlation"];

export function Explore({ what }: { what: string }) {
  const pages: Record<string, ReactNode> = { logs: <Logs />, traces: <Traces />, faults: <Faults />, measures: <MeasuresPage /> };
  return (
    <>
      <nav className="segments" aria-label="What to explore">
        {PLACES.map(([name, place]) => <Link key={name} to={`/explore${place}`} sameTime className={name.toLowerCase() === what ? "current" : ""}>{name}</Link>)}
      </nav>
      {pages[what]}
    </>
  );
}

function Logs() {
  const get = useParam();
  const range = useRange();
  const level = get("level").split(" ").filter(Boolean);
  const params = { q: get("q"), bot: get("bot"), level, ...useFilters(LOG_FILTERS, true), ...range.query };
  const asked = useList<LogPage>("/api/logs", { ...params, limit: 100, buckets: BUCKETS });
  return (
    <Panel title="Logs" aside={<><AsOf at={asked.dataUpdatedAt} /><Export of="logs" params={params} /></>}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <BotChoice />
        <Choice label="Level" value={get("level")} options={LEVELS} onChange={(value) => set({ level: value })} />
        <Search label={'Search: words, or "a phrase"'} value={get("q")} onChange={(value) => set({ q: value }, true)} />
      </form>
      <Chips names={LOG_FILTERS} />
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
  const lines: Line[] = [
    { label: "Records", points: points(Object.values(of.levels)) },
    { label: "Warnings and worse", points: points(WORSE.map((level) => of.levels[level] ?? [])), colour: "--critical" },
  ];
  const [all, bad] = lines.map((line) => count(line.points.reduce((sum, [, found]) => sum + (found ?? 0), 0)));
  return <Chart lines={lines} label={`${all} log records, ${bad} of them warnings or worse`} span={`${all} records`} unit="count" height={100} window={[from, from + BUCKETS * of.step_seconds]} bars />;
}

function Traces() {
  const get = useParam();
  const range = useRange();
  const failed = get("failed");
  const params = { bot: get("bot"), failed, min_ms: get("min_ms"), ...useFilters(TRACE_FILTERS), ...range.query };
  const asked = useList<PageTraceItem>("/api/traces", { ...params, limit: 50 });
  return (
    <Panel title="Traces" aside={<><AsOf at={asked.dataUpdatedAt} /><Export of="traces" params={params} /></>}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <BotChoice />
        <Choice label="Outcome" value={failed} options={[["", "All"], ["true", "Failed"], ["false", "Not failed"]]} onChange={(value) => set({ failed: value })} />
        <Choice label="A span took" value={get("min_ms")} options={[["", "any time"], ["100", "100 ms or more"], ["1000", "1 s or more"], ["5000", "5 s or more"]]} onChange={(value) => set({ min_ms: value })} />
      </form>
      <Chips names={TRACE_FILTERS} />
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
