// One incident: what, since when, the evidence, who did what, and who was told.

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { ask } from "../api/fetch";
import { useEvery } from "../api/queries";
import type { IncidentShape, NoticeShape, PageDriftShape, TouchedShape } from "../api/types";
import { Chart, type Reach } from "../charts/chart";
import { useDeploys } from "../charts/happened";
import { UsualToggle, useUsual } from "../charts/usual";
import { asks, lasts, LEVELS, secondsIn } from "../lib/alerts";
import { count, formatOf, percent, seconds } from "../lib/format";
import type { Level } from "../lib/levels";
import { rangeOf } from "../lib/range";
import { is } from "../lib/series";
import { absolute } from "../lib/time";
import type { Rule } from "../api/types";
import { useChange } from "./changing";
import { Changes } from "./insights";
import { Part, PartCharts } from "./judged";
import { Answer, Empty, Link, Mark, Panel, Problem, Said, When, Words } from "./parts";
import { Fixed } from "./reportPanels";
import { stateOf } from "./alerts";

export function Incident({ id, admin }: { id: string; admin: boolean }) {
  const every = useEvery();
  const asked = useQuery({ queryKey: ["/api/incidents", id], queryFn: () => ask<IncidentShape>(`/api/incidents/${encodeURIComponent(id)}`), refetchInterval: every, meta: { live: true } });
  return <Answer of={asked}>{(found) => <Whole of={found} admin={admin} />}</Answer>;
}

function Whole({ of, admin }: { of: IncidentShape; admin: boolean }) {
  const format = formatOf(of.unit);
  const rule = of.rule as unknown as Rule;
  const lasted = (Date.parse(of.endTime ?? new Date().toISOString()) - Date.parse(of.startTime)) / 1_000;
  return (
    <>
      <Panel title={<><Mark level={of.endTime ? "unknown" : LEVELS[of.severity]}>{of.severity}</Mark> <Said text={of.ruleName} /></>} aside={<Link to="/alerts" className="button">✕ Close</Link>}>
        <p className="pad summary"><Words text={of.summary} /></p>
        <dl className="facts pad">
          <div><dt>State</dt><dd>{stateOf(of)}{of.acknowledged_by && <>, taken by <Said text={of.acknowledged_by} /></>}</dd></div>
          {Object.entries(of.labels).map(([name, value]) => <div key={name}><dt>{name}</dt><dd><Said text={value || "(none)"} /></dd></div>)}
          <div><dt>Wrong since</dt><dd><When at={of.began} /></dd></div>
          <div><dt>Found</dt><dd><When at={of.startTime} /></dd></div>
          <div><dt>{of.endTime ? "Was open for" : "Open for"}</dt><dd>{seconds(lasted)}</dd></div>
          {rule.kind !== "composite" && !drifts(rule) && (
            <>
              <div><dt>Value then</dt><dd>{format(of.triggerValue)}</dd></div>
              <div><dt>Worst</dt><dd>{format(of.peak_value)}</dd></div>
              {!of.endTime && <div><dt>Now</dt><dd>{format(of.last_value)}</dd></div>}
            </>
          )}
        </dl>
        {admin && <Doing of={of} />}
      </Panel>
      <Documents of={of} />
      <div className="halves">
        <div className="stacked">
          <Panel title="Evidence" className="evidence">
            <Evidence of={of} />
            <p className="pad quiet">The rule, as it was then: {asks(rule, of.unit)}. <Link to={`/alerts/rules?rule=${encodeURIComponent(of.ruleName)}`}>See the rule</Link></p>
          </Panel>
          <Causes of={of} />
        </div>
        <div className="stacked">
          <Panel title="Where it leads">
            <ul className="plain links">
              {of.runbook && <li><Outward url={of.runbook}>Runbook</Outward></li>}
              {of.evidence.links.map(({ name, url }) => <li key={name + url}>{url.startsWith("/") ? <Link to={url}>{name}</Link> : <Outward url={url}>{name}</Outward>}</li>)}
            </ul>
          </Panel>
          <Panel title="What happened">
            <ol className="steps pad">
              {of.changes.map((change, place) => (
                <li key={place}>
                  <time dateTime={change.at} title={absolute(new Date(change.at))}>{absolute(new Date(change.at)).slice(11)}</time> <b>{change.what}</b>
                  {change.who !== "rule" && <> by <Said text={change.who} /></>} {change.why && <span className="quiet"><Words text={change.why} /></span>}
                </li>
              ))}
            </ol>
          </Panel>
          <Told id={of.id} />
        </div>
      </div>
    </>
  );
}

/** Of documents that changed a count of places says nothing; the documents do. */
const drifts = (rule: Rule) => rule.field === "payload.drift";

const SURE: Record<string, readonly [Level, string]> = {
  measured: ["critical", "measured"],
  likely: ["warning", "likely"],
  possible: ["unknown", "possible"],
  unlikely: ["ok", "unlikely"],
};

/** What it is about, and what else changed: the likeliest cause first. */
function Causes({ of }: { of: IncidentShape }) {
  const { related, looked, looked_at } = of.evidence;
  const began = Date.parse(of.began);
  if (!related.length && looked) return null;
  return (
    <Panel title="What changed in the same minutes">
      {!looked && <p className="pad quiet">The store did not answer in time when it opened, so deploys and calls were not looked at.</p>}
      <ol className="plain events">
        {related.map((one, place) => {
          const [level, word] = SURE[one.sure ?? ""] ?? ["unknown", "possible"];
          return (
            <li key={place}>
              <Mark level={one.about ? "warning" : level}>{one.about ? "itself" : word}</Mark>
              <span>
                <Link to={one.url}><Words text={one.text} /></Link>{" "}
                <span className="quiet">{one.sure === "likely" && one.chance !== null && `${percent(one.chance * 100)} likely to be this near by chance`}{one.measured && <Said text={one.measured} />}</span>
              </span>
              <span className="quiet">{awayOf(began, Date.parse(one.at))}</span>
            </li>
          );
        })}
      </ol>
      {looked_at && <p className="pad quiet">Looked for last <When at={looked_at} />; nobody is told again of what is found later.</p>}
    </Panel>
  );
}

function awayOf(began: number, at: number): string {
  const away = Math.round((began - at) / 1_000);
  return Math.abs(away) < 60 ? "at the same time" : `${seconds(Math.abs(away))} ${away > 0 ? "before" : "after"}`;
}

/** How much of what the bot did, and two of it. */
function Touched({ of: { noun, count: bad, of, sessions, examples } }: { of: TouchedShape }) {
  return (
    <div className="pad">
      <p>When it was looked at last it had touched {bad < of ? `${count(bad)} of ${count(of)} ${noun}` : `${count(of)} ${noun}, all of them`}{sessions > 0 && `, in ${count(sessions)} ${sessions === 1 ? "conversation" : "conversations"}`}. For example:</p>
      <ul className="plain">
        {examples.map(({ at, text, session, trace }) => (
          <li key={`${at} ${trace}`}>
            <When at={at} /> <Said text={text} className="quiet" /> <span className="links">
              {session && <Link to={`/conversations/${encodeURIComponent(session)}`}>Conversation</Link>}
              {trace && <Link to={`/traces/${trace}`}>Trace</Link>}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Of documents that changed: how sure, what it touched, and one of them before and after. */
function Documents({ of }: { of: IncidentShape }) {
  const source = of.labels["source"];
  const shown = drifts(of.rule as unknown as Rule) && source !== undefined;
  const asked = useQuery({ queryKey: ["/api/drift", "of", source], queryFn: () => ask<PageDriftShape>("/api/drift", { source, live: !of.endTime, limit: 20 }), enabled: shown });
  if (!shown) return null;
  return (
    <Panel title="The documents">
      <Answer of={asked}>{({ items }) => (items.length ? <Changes items={items} admin={false} /> : <Empty>They look again as they did.</Empty>)}</Answer>
    </Panel>
  );
}

/** Only what a browser opens safely is a link. */
function Outward({ url, children }: { url: string; children: string }) {
  return /^https?:\/\//i.test(url) ? <a href={url} target="_blank" rel="noreferrer noopener">{children}</a> : <><span>{children}: </span><Said text={url} /></>;
}

function Evidence({ of }: { of: IncidentShape }) {
  const { points, measure, last_heard } = of.evidence;
  const rule = of.rule as unknown as Rule;
  const value = rule.kind === "threshold" || rule.kind === "ratio" || rule.kind === "contract" ? (rule.value ?? null) : null;
  const [shaded, setShaded] = useState(false);
  const mayShade = !drifts(rule) && Boolean(measure) && !rule.per && rule.kind !== "composite" && points.length > 1;
  // A point stands at the end of the time it is about; so does the band.
  const lateS = secondsIn(rule.timeframe);
  const subject = Object.entries(of.labels).filter(([, value]) => value);
  const { usual, error } = useUsual(
    shaded && mayShade && lateS
      ? { measure, by: Object.keys(of.labels), where: [...(rule.where ?? []), ...subject.map(([name, value]) => is(name, value))], from: momentOf(points[0]![0] - lateS), to: momentOf(points.at(-1)![0]), stepS: lateS, lateS }
      : null,
  );
  const band = usual?.bands.values().next().value;
  const reach = useMemo(() => around(of, rule), [of, rule]);
  const lines = useMemo(() => [{ label: measure || of.ruleName, points, colour: "--critical", band }], [measure, of.ruleName, points, band]);
  const composite = rule.kind === "composite";
  // What was kept of a ratio is what stands above the line: the quotient itself is asked for.
  const ratio = Boolean(rule.per);
  const drawn = points.length > 0 && !composite && !ratio && !drifts(rule);
  const range = rangeOf(new URLSearchParams({ from: momentOf(reach[0]), to: momentOf(reach[1]) }));
  const deploys = useDeploys(drawn ? { from: momentOf(reach[0]), to: momentOf(reach[1]) } : null, of.labels["bot"] ?? "");
  return (
    <>
      {drawn && (
        <Fixed>
          <Chart
            lines={lines} note={usual?.note ?? ""} happened={deploys} window={reach}
            label={`${measure} around the moment`} unit={of.unit} height={180} span="around the moment"
            bounds={value === null ? null : { warning: value, critical: value }}
          />
        </Fixed>
      )}
      {ratio && <Part rule={rule} range={range} subject={of.labels} height={180} />}
      {mayShade && <p className="pad"><UsualToggle on={shaded} toggle={() => setShaded(!shaded)} error={error} /></p>}
      {Object.entries(last_heard).map(([name, at]) => <p key={name} className="pad">Last heard of the {name}: <When at={at} /></p>)}
      {of.evidence.touched && <Touched of={of.evidence.touched} />}
      {composite && <PartCharts rule={rule} range={range} subject={of.labels} />}
      {!drawn && !composite && !ratio && !drifts(rule) && Object.keys(last_heard).length === 0 && <Empty>There was nothing to draw.</Empty>}
    </>
  );
}

const LEAD_S = 1_800;
const TAIL_S = 300;

/** From well before it was wrong to a little after it was over, or after what is known of it. */
function around(of: IncidentShape, rule: Rule): Reach {
  const at = of.evidence.points.map(([second]) => second);
  const [began, found] = [Date.parse(of.began) / 1_000, Date.parse(of.startTime) / 1_000];
  // What was kept ends when it was found; what is asked for goes on.
  const over = of.endTime ? Date.parse(of.endTime) / 1_000 : rule.per || rule.kind === "composite" ? Math.floor(Date.now() / 60_000) * 60 - TAIL_S : found;
  return [Math.min(at[0] ?? began, began - Math.max(LEAD_S, (rule.per ? 6 : 2) * lasts(rule))), Math.max(at.at(-1) ?? over, over + TAIL_S)];
}

const momentOf = (atS: number) => new Date(atS * 1_000).toISOString();

function Doing({ of }: { of: IncidentShape }) {
  const { change, error, busy } = useChange("/api/incidents", "/api/silences");
  const [note, setNote] = useState("");
  const [until, setUntil] = useState<string | null>(null);
  const address = `/api/incidents/${of.id}`;
  const acknowledge = (event: FormEvent) => {
    event.preventDefault();
    void change(() => ask(`${address}/acknowledge`, {}, { note })).then((found) => found && setNote(""));
  };
  const say = () => void change(() => ask(`${address}/notes`, {}, { text: note })).then((found) => found && setNote(""));
  const silence = (hours: number) => {
    const [now, ends] = [new Date(), new Date(Date.now() + hours * 3_600_000).toISOString()];
    const escaped = (text: string) => text.replace(/[\\|]/g, (char) => `\\${char}`);
    const where = [`rule=${escaped(of.ruleName)}`, ...Object.entries(of.labels).filter(([, value]) => value).map(([name, value]) => `${name}=${escaped(value)}`)];
    void change(() => ask("/api/silences", {}, { where, starts: now.toISOString(), ends, comment: note })).then((found) => found && setUntil(ends));
  };
  return (
    <form className="filters" onSubmit={acknowledge}>
      <label className="field search"><span>Note</span><input value={note} maxLength={1_000} onChange={(event) => setNote(event.target.value)} /></label>
      {of.status === "open" && <button type="submit" className="primary" disabled={busy}>Acknowledge</button>}
      <button type="button" disabled={busy || !note.trim()} onClick={say}>Add note</button>
      {!of.endTime && [1, 8].map((hours) => <button key={hours} type="button" disabled={busy} onClick={() => silence(hours)}>Silence for {hours} h</button>)}
      {until && <span role="status">Silenced until {absolute(new Date(until))}. <Link to="/alerts/silences">Silences</Link></span>}
      {error && <Problem error={error} />}
    </form>
  );
}

function Told({ id }: { id: string }) {
  const every = useEvery();
  const asked = useQuery({ queryKey: ["/api/incidents", id, "notices"], queryFn: () => ask<NoticeShape[]>("/api/notices", { incident: id }), refetchInterval: every });
  return (
    <Panel title="Who was told" aside={<Link to={`/alerts/deliveries?incident=${id}`}>Receipts</Link>}>
      <Answer of={asked}>
        {(notices) =>
          notices.length ? (
            <ol className="steps pad">
              {notices.map((notice, place) => (
                <li key={place}>
                  <b>{notice.step}</b> to {notice.channel ? <Said text={notice.channel} /> : "nobody"}: {STATES[notice.state] ?? notice.state} <span className="quiet">({notice.reason.replace("_", " ")}{notice.detail && <>: <Said text={notice.detail} /></>})</span>
                </li>
              ))}
            </ol>
          ) : (
            <Empty>Nobody: there is no channel yet. <Link to="/alerts/channels">Add one</Link></Empty>
          )
        }
      </Answer>
    </Panel>
  );
}

const STATES: Record<string, string> = { settling: "about to be told", held: "held back", digest: "in the daily digest", sealed: "told", dropped: "not told" };
