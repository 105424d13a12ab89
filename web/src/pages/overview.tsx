// How everything is, at one glance.

import type { ReactNode } from "react";
import type { Status } from "../api/live";
import { useActions, useBots, useCatalogue, useDependencies, useHistory, useHosts, useStatus } from "../api/queries";
import type { ActionItem, DependencyItem, History, MeasureShape, ModelItem } from "../api/types";
import { MeasureChart } from "../charts/measureChart";
import { count, exact, milliseconds, NONE, percent, seconds } from "../lib/format";
import { boundsOf, type Level, levelOf } from "../lib/levels";
import { stepOf } from "../lib/range";
import { Why as Diagnosed } from "./doctor";
import { Answer, Empty, Link, Mark, Panel, Said, When } from "./parts";
import { FirstRun } from "./firstRun";
import { LastHour, OpenIncidents } from "./lately";
import { useRange } from "./range";

const MEASURES = ["sessions.active", "messages.count", "response.time", "response.time.p95"] as const;
const POINTS = 100; // as many as a card has room for
const ROWS = 12;
const WORSE: readonly Level[] = ["ok", "warning", "critical"];
const LEVELS: Record<Level, string> = { ok: "Normal", warning: "Warning", critical: "Critical", unknown: "No data" };

export function Overview() {
  return useBots().data?.items.length === 0 ? <FirstRun /> : <Everything />;
}

function Everything() {
  const status = useStatus();
  const range = useRange();
  const history = useHistory(range, { measure: MEASURES, step: stepOf(range, POINTS) });
  const bots = useBots();
  const actions = useActions(range, { limit: ROWS });
  const dependencies = useDependencies(range, { limit: ROWS });
  const measures = useCatalogue().data?.measures;
  return (
    <div className="overview">
      <Answer of={status}>{(found) => <Cards status={found} history={history.data} measures={measures} span={range.label} />}</Answer>
      <div className="halves">
        <OpenIncidents />
        <LastHour />
      </div>
      <div className="split">
        <Panel title="System resources">
          <Answer of={status}>{(found) => <Resources of={found.resources} measures={measures} />}</Answer>
          <Diagnosed topic="high_cpu" />
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
        <Work title="Actions" path="/actions" span={range.label} asked={actions} name="Action" measures={measures} />
        <Work title="Dependencies" path="/actions/dependencies" span={range.label} asked={dependencies} name="Dependency" measures={measures} />
      </div>
    </div>
  );
}

interface CardsProps {
  status: Status;
  history: History | undefined;
  measures: readonly MeasureShape[] | undefined;
  span: string;
}

function Cards({ status, history, measures, span }: CardsProps) {
  const { sessions, messages } = status;
  const answered = levelOf(messages.avg_response_ms, boundsOf(measures, "response.time"));
  return (
    <div className="cards">
      <Card
        title="Sessions" to="/conversations"
        value={sessions.active === null ? NONE : exact(sessions.active)}
        caption={<Mark level={sessions.active === null ? "unknown" : "ok"}>Active</Mark>}
        facts={[["Peak today", count(sessions.peak_today)], ["Average duration", seconds(sessions.avg_duration_seconds)]]}
        chart={<MeasureChart of={history} measures={{ "sessions.active": "Active sessions" }} counted={false} height={120} span={span} />}
      />
      <Card
        title="Messages" to="/explore/measures?measure=messages.count&by=bot"
        value={count(messages.today)}
        exactly={messages.today}
        caption="Today"
        facts={[["This hour", count(messages.this_hour)]]}
        chart={<MeasureChart of={history} measures={{ "messages.count": "Messages" }} height={120} span={span} />}
      />
      <Card
        title="Response" to="/explore/measures?measure=response.time&by=bot"
        value={milliseconds(messages.avg_response_ms)}
        caption="Average today"
        facts={[["State", <Mark key="level" level={answered}>{LEVELS[answered]}</Mark>], ["p95 lately", milliseconds(latest(history, "response.time.p95"))]]}
        chart={<MeasureChart of={history} measures={{ "response.time": "Average", "response.time.p95": "p95" }} height={120} span={span} />}
      />
    </div>
  );
}

/** Of the last step that had any. */
function latest(history: History | undefined, measure: string): number | null {
  const points = history?.series.find((series) => series.measure === measure)?.points ?? [];
  return points.findLast(([, value]) => value !== null)?.[1] ?? null;
}

interface CardProps {
  title: string;
  to: string;
  value: string;
  exactly?: number | null;
  caption: ReactNode;
  facts: readonly (readonly [string, ReactNode])[];
  chart: ReactNode;
}

function Card({ title, to, value, exactly, caption, facts, chart }: CardProps) {
  return (
    <section className="panel card">
      <h2><Link to={to} sameTime>{title}</Link></h2>
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

const BARS = [
  ["CPU", "cpu_percent", "cpu.usage", "cpu"],
  ["MEM", "memory_percent", "mem.usage", "memory"],
  ["GPU", "gpu_percent", "gpu.usage", "gpu"],
  ["DISK", "disk_percent", "disk.usage", "disk"],
] as const;

/** Over all machines, and the one that is in a worse way than they are together: an average hides it. */
function Resources({ of, measures }: { of: Status["resources"]; measures: readonly MeasureShape[] | undefined }) {
  const hosts = useHosts().data?.items.filter((host) => host.measured !== null) ?? [];
  const silent = BARS.filter(([, key]) => of[key] === null);
  const rows = BARS.map(([label, key, measure]) => {
    const bounds = boundsOf(measures, measure);
    const level = levelOf(of[key], bounds);
    const [most] = [...hosts].sort((one, other) => (other.resources[key] ?? 0) - (one.resources[key] ?? 0));
    const worse = most && WORSE.indexOf(levelOf(most.resources[key], bounds)) > WORSE.indexOf(level) ? most : null;
    return { label, key, measure, level, worse, worst: worse ? levelOf(worse.resources[key], bounds) : level };
  });
  return (
    <>
      <dl className="bars">
        {rows.map(({ label, key, measure, level, worse, worst }) => (
          <div key={key}>
            <dt><Link to={`/explore/measures?measure=${measure}&by=host`} sameTime>{label}</Link></dt>
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
            {worse && <dd className="worse"><Said text={worse.name} /> <Mark level={worst}>{worse.resources[key]} %</Mark></dd>}
          </div>
        ))}
      </dl>
      {rows.map(({ label, key, measure, worst }) => {
        const remedy = measures?.find((found) => found.name === measure)?.remedy;
        return remedy && WORSE.indexOf(worst) > 0 ? <p key={key} className="quiet pad">{label}: {remedy}</p> : null;
      })}
      {silent.length > 0 && <Why silent={silent} />}
    </>
  );
}

/** Why a bar is empty: nobody measures, or the agent says what it misses. */
function Why({ silent }: { silent: readonly (typeof BARS)[number][] }) {
  const hosts = useHosts().data?.items.filter((host) => host.measured !== null);
  if (!hosts) return null;
  if (hosts.length === 0)
    return (
      <p className="quiet pad">
        No machine is measured now. Start <code>botwatch agent</code> on it, or look at the setting <code>watch_host</code>.
      </p>
    );
  const reasons = silent.flatMap(([label, , , part]) => {
    const found = new Set(hosts.flatMap((host) => host.unknown[part] ?? []));
    return [...found].map((reason) => ({ label, reason }));
  });
  return reasons.map(({ label, reason }) => (
    <p key={`${label} ${reason}`} className="quiet pad">
      {label}: <Said text={reason} />
    </p>
  ));
}

interface WorkProps {
  title: string;
  name: string;
  path: string;
  span: string;
  asked: { data: { items: (ActionItem | DependencyItem)[] } | undefined; error: Error | null };
  measures: readonly MeasureShape[] | undefined;
}

function Work({ title, name, path, span, asked, measures }: WorkProps) {
  const bounds = boundsOf(measures, "errors.rate");
  return (
    <Panel title={<Link to={path} sameTime>{title}</Link>} aside={<span className="quiet">{span}, most frequent first</span>}>
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
                    <td><Link to={`${path}?bot=${encodeURIComponent(item.bot)}&name=${encodeURIComponent(item.name)}`} sameTime><Said text={item.name} /></Link> <span className="quiet"><Said text={item.bot} /></span></td>
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

export function Success({ item, bounds }: { item: ActionItem | DependencyItem | ModelItem; bounds: ReturnType<typeof boundsOf> }) {
  const failed = "error_rate" in item ? item.error_rate : item.success_rate === null ? null : 100 - item.success_rate;
  return <span className="aligned"><Mark level={levelOf(failed, bounds)}>{failed === null ? NONE : percent(100 - failed)}</Mark></span>;
}
