// How everything is, at one glance.

import type { ReactNode } from "react";
import { useActions, useBots, useCatalogue, useDependencies, useHistory, useStatus } from "../api/queries";
import type { ActionItem, DependencyItem, History, MeasureShape, Status } from "../api/types";
import { Chart } from "../charts/chart";
import { count, exact, milliseconds, NONE, percent, seconds } from "../lib/format";
import { boundsOf, type Level, levelOf } from "../lib/levels";
import { whole } from "../lib/series";
import { Answer, Empty, Link, Mark, Panel, Said, When } from "./parts";
import { FirstRun } from "./firstRun";

const MEASURES = ["sessions.active", "messages.count", "response.time", "response.time.p95"] as const;
const LEVELS: Record<Level, string> = { ok: "Normal", warning: "Warning", critical: "Critical", unknown: "No data" };

export function Overview() {
  return useBots().data?.items.length === 0 ? <FirstRun /> : <Everything />;
}

function Everything() {
  const status = useStatus();
  const history = useHistory(MEASURES);
  const bots = useBots();
  const actions = useActions();
  const dependencies = useDependencies();
  const measures = useCatalogue().data?.measures;
  return (
    <div className="overview">
      <Answer of={status}>{(found) => <Cards status={found} history={history.data} measures={measures} />}</Answer>
      <div className="split">
        <Panel title="System resources">
          <Answer of={status}>{(found) => <Resources of={found.resources} measures={measures} />}</Answer>
        </Panel>
        <Panel title="Bots">
          <Answer of={bots}>
            {({ items }) => (
              <table>
                <thead>
                  <tr><th>Bot</th><th>Channels</th><th className="wide">Hosts</th><th className="number">Last heard</th></tr>
                </thead>
                <tbody>
                  {items.map((bot) => (
                    <tr key={bot.name}>
                      <td><Link to={`/conversations?bot=${encodeURIComponent(bot.name)}`}><Said text={bot.name} /></Link></td>
                      <td><Said text={bot.channels.join(", ") || NONE} /></td>
                      <td className="wide"><Said text={bot.hosts.join(", ") || NONE} /></td>
                      <td className="number"><When at={bot.last_seen} /></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </Answer>
        </Panel>
      </div>
      <div className="halves">
        <Work title="Actions" asked={actions} name="Action" measures={measures} />
        <Work title="Dependencies" asked={dependencies} name="Dependency" measures={measures} />
      </div>
    </div>
  );
}

function Cards({ status, history, measures }: { status: Status; history: History | undefined; measures: readonly MeasureShape[] | undefined }) {
  const { sessions, messages } = status;
  const answered = levelOf(messages.avg_response_ms, boundsOf(measures, "response.time"));
  return (
    <div className="cards">
      <Card
        title="Sessions"
        value={sessions.active === null ? NONE : exact(sessions.active)}
        caption={<Mark level={sessions.active === null ? "unknown" : "ok"}>Active</Mark>}
        facts={[["Peak today", count(sessions.peak_today)], ["Average duration", seconds(sessions.avg_duration_seconds)]]}
        chart={<Trend of={history} lines={{ "sessions.active": "Active sessions" }} format={count} />}
      />
      <Card
        title="Messages"
        value={count(messages.today)}
        exactly={messages.today}
        caption="Today"
        facts={[["This hour", count(messages.this_hour)]]}
        chart={<Trend of={history} lines={{ "messages.count": "Messages" }} format={count} counted />}
      />
      <Card
        title="Response"
        value={milliseconds(messages.avg_response_ms)}
        caption="Average"
        facts={[["Today", <Mark key="level" level={answered}>{LEVELS[answered]}</Mark>], ["p95 lately", milliseconds(latest(history, "response.time.p95"))]]}
        chart={<Trend of={history} lines={{ "response.time": "Average", "response.time.p95": "p95" }} format={milliseconds} counted />}
      />
    </div>
  );
}

/** Of the last quarter of an hour that had any. */
function latest(history: History | undefined, measure: string): number | null {
  const points = history?.series.find((series) => series.measure === measure)?.points ?? [];
  return points.findLast(([, value]) => value !== null)?.[1] ?? null;
}

interface CardProps {
  title: string;
  value: string;
  exactly?: number | null;
  caption: ReactNode;
  facts: readonly (readonly [string, ReactNode])[];
  chart: ReactNode;
}

function Card({ title, value, exactly, caption, facts, chart }: CardProps) {
  return (
    <section className="panel card">
      <h2>{title}</h2>
      <p className="figure" title={exactly == null ? undefined : exact(exactly)}>
        <strong>{value}</strong> <span>{caption}</span>
      </p>
      <dl className="facts">
        {facts.map(([name, fact]) => (
          <div key={name}><dt>{name}</dt><dd>{fact}</dd></div>
        ))}
      </dl>
      {chart}
    </section>
  );
}

interface TrendProps {
  of: History | undefined;
  /** What to call each measure. */
  lines: Record<string, string>;
  format: (value: number | null) => string;
  /** Of what happened within each step, and not of how it stood at its end. */
  counted?: boolean;
}

function Trend({ of, lines, format, counted = false }: TrendProps) {
  const found = Object.entries(lines).map(([measure, label]) => {
    const series = of?.series.find((one) => one.measure === measure);
    if (!of || !series) return { label, points: [] };
    const points = counted ? whole(series.points, series.step_seconds ?? of.step_seconds, of.from, of.to) : series.points;
    return { label, points };
  });
  const told = found.flatMap(({ label, points }) => {
    const values = points.map(([, value]) => value).filter((value) => value !== null);
    return values.length ? [`${label}: highest ${format(Math.max(...values))}, last ${format(values.at(-1) ?? null)}`] : [];
  });
  if (!told.length) return <p className="chart quiet">{of ? "No trend yet; it is drawn anew every half a minute." : "Loading…"}</p>;
  return <Chart lines={found} label={`Over 24 hours. ${told.join("; ")}`} format={format} height={120} span="24 hours" />;
}

const BARS = [
  ["CPU", "cpu_percent", "cpu.usage"],
  ["MEM", "memory_percent", "mem.usage"],
  ["GPU", "gpu_percent", "gpu.usage"],
  ["DISK", "disk_percent", "disk.usage"],
] as const;

function Resources({ of, measures }: { of: Status["resources"]; measures: readonly MeasureShape[] | undefined }) {
  const silent = BARS.filter(([, key]) => of[key] === null).map(([label]) => label);
  return (
    <>
      <dl className="bars">
        {BARS.map(([label, key, measure]) => {
          const level = levelOf(of[key], boundsOf(measures, measure));
          return (
            <div key={key}>
              <dt>{label}</dt>
              <dd>
                {of[key] === null ? (
                  <span className="bar none" />
                ) : (
                  <span className={`bar ${level}`} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={of[key]}>
                    <i style={{ width: `${of[key]}%` }} />
                  </span>
                )}
                <Mark level={level}>{of[key] === null ? "no data" : `${of[key]} %`}</Mark>
              </dd>
            </div>
          );
        })}
      </dl>
      {silent.length > 0 && (
        <p className="quiet pad">
          This version does not measure machines yet: {silent.join(", ")} will stand here when it does.
        </p>
      )}
    </>
  );
}

interface WorkProps {
  title: string;
  name: string;
  asked: { data: { items: (ActionItem | DependencyItem)[] } | undefined; error: Error | null };
  measures: readonly MeasureShape[] | undefined;
}

function Work({ title, name, asked, measures }: WorkProps) {
  const bounds = boundsOf(measures, "errors.rate");
  return (
    <Panel title={title} aside={<span className="quiet">24 hours, most frequent first</span>}>
      <Answer of={asked}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>Nothing yet: they come from the spans that bots send.</Empty>
          ) : (
            <table>
              <thead>
                <tr><th>{name}</th><th className="number">Calls</th><th className="number">Success</th><th className="number">p95</th><th className="number wide">Average</th></tr>
              </thead>
              <tbody>
                {items.map((item) => (
                  <tr key={`${item.bot}\n${item.name}`}>
                    <td><Said text={item.name} /> <span className="quiet"><Said text={item.bot} /></span></td>
                    <td className="number" title={exact(item.count)}>{count(item.count)}</td>
                    <td className="number"><Success item={item} bounds={bounds} /></td>
                    <td className="number">{milliseconds(item.latency_ms.p95)}</td>
                    <td className="number wide">{milliseconds(item.latency_ms.avg)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Answer>
    </Panel>
  );
}

function Success({ item, bounds }: { item: ActionItem | DependencyItem; bounds: ReturnType<typeof boundsOf> }) {
  const failed = "error_rate" in item ? item.error_rate : item.success_rate === null ? null : 100 - item.success_rate;
  return <Mark level={levelOf(failed, bounds)}>{failed === null ? NONE : percent(100 - failed)}</Mark>;
}
