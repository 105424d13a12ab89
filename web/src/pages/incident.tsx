// One incident: what, since when, the evidence, who did what, and who was told.

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../api/fetch";
import type { IncidentShape, NoticeShape } from "../api/types";
import { Chart } from "../charts/chart";
import { asks, LEVELS } from "../lib/alerts";
import { axisOf, formatOf, seconds } from "../lib/format";
import { absolute } from "../lib/time";
import type { Rule } from "../api/types";
import { useChange } from "./changing";
import { Answer, Empty, Link, Mark, Panel, Problem, Said, When } from "./parts";
import { stateOf } from "./alerts";

const LIVE_MS = 5_000;

export function Incident({ id, admin }: { id: string; admin: boolean }) {
  const asked = useQuery({ queryKey: ["/api/incidents", id], queryFn: () => ask<IncidentShape>(`/api/incidents/${encodeURIComponent(id)}`), refetchInterval: LIVE_MS });
  return <Answer of={asked}>{(found) => <Whole of={found} admin={admin} />}</Answer>;
}

function Whole({ of, admin }: { of: IncidentShape; admin: boolean }) {
  const format = formatOf(of.unit);
  const rule = of.rule as unknown as Rule;
  const lasted = (Date.parse(of.endTime ?? new Date().toISOString()) - Date.parse(of.startTime)) / 1_000;
  return (
    <>
      <Panel title={<><Mark level={of.endTime ? "unknown" : LEVELS[of.severity]}>{of.severity}</Mark> <Said text={of.ruleName} /></>} aside={<Link to="/alerts" className="button">✕ Close</Link>}>
        <p className="pad summary"><Said text={of.summary} /></p>
        <dl className="facts pad">
          <div><dt>State</dt><dd>{stateOf(of)}{of.acknowledged_by && <>, taken by <Said text={of.acknowledged_by} /></>}</dd></div>
          {Object.entries(of.labels).map(([name, value]) => <div key={name}><dt>{name}</dt><dd><Said text={value || "(none)"} /></dd></div>)}
          <div><dt>Wrong since</dt><dd><When at={of.began} /></dd></div>
          <div><dt>Found</dt><dd><When at={of.startTime} /></dd></div>
          <div><dt>{of.endTime ? "Lasted" : "Lasts for"}</dt><dd>{seconds(lasted)}</dd></div>
          <div><dt>Value then</dt><dd>{format(of.triggerValue)}</dd></div>
          <div><dt>Worst</dt><dd>{format(of.peak_value)}</dd></div>
          {!of.endTime && <div><dt>Now</dt><dd>{format(of.last_value)}</dd></div>}
        </dl>
        {admin && <Doing of={of} />}
      </Panel>
      <div className="halves">
        <Panel title="Evidence" className="evidence">
          <Evidence of={of} />
          <p className="pad quiet">The rule, as it was then: {asks(rule)}. <Link to={`/alerts/rules?rule=${encodeURIComponent(of.ruleName)}`}>See the rule</Link></p>
        </Panel>
        <Panel title="Where it leads">
          <ul className="plain pad">
            {of.runbook && <li><Outward url={of.runbook}>Runbook</Outward></li>}
            {of.evidence.links.map(({ name, url }) => <li key={name + url}>{url.startsWith("/") ? <Link to={url}>{name}</Link> : <Outward url={url}>{name}</Outward>}</li>)}
          </ul>
        </Panel>
        {of.evidence.related.length > 0 && (
          <Panel title="What else changed in the same minutes">
            <ul className="plain pad">
              {of.evidence.related.map((one, place) => <li key={place}><Link to={one.url}><Said text={one.text} /></Link> <span className="quiet"><When at={one.at} /></span></li>)}
            </ul>
          </Panel>
        )}
        <Panel title="What happened">
          <ol className="steps pad">
            {of.changes.map((change, place) => (
              <li key={place}>
                <time dateTime={change.at} title={absolute(new Date(change.at))}>{absolute(new Date(change.at)).slice(11)}</time> <b>{change.what}</b>
                {change.who !== "rule" && <> by <Said text={change.who} /></>} {change.why && <span className="quiet"><Said text={change.why} /></span>}
              </li>
            ))}
          </ol>
        </Panel>
        <Told id={of.id} />
      </div>
    </>
  );
}

/** Only what a browser opens safely is a link. */
function Outward({ url, children }: { url: string; children: string }) {
  return /^https?:\/\//i.test(url) ? <a href={url} target="_blank" rel="noreferrer noopener">{children}</a> : <><span>{children}: </span><Said text={url} /></>;
}

function Evidence({ of }: { of: IncidentShape }) {
  const { points, measure, last_heard } = of.evidence;
  const rule = of.rule as unknown as Rule;
  const value = rule.kind === "composite" || rule.kind === "absence" ? null : (rule.value ?? null);
  return (
    <>
      {points.length > 0 && (
        <Chart
          lines={[{ label: measure || of.ruleName, points, colour: "--critical" }]}
          label={`${measure} around the moment`} format={formatOf(of.unit)} axis={axisOf(of.unit)} height={180} span="around the moment"
          bounds={value === null || rule.per ? null : { warning: value, critical: value }}
        />
      )}
      {Object.entries(last_heard).map(([name, at]) => <p key={name} className="pad">Last heard of the {name}: <When at={at} /></p>)}
      {of.evidence.parts.length > 0 && <p className="pad">Made of the rules {of.evidence.parts.join(", ")}.</p>}
      {points.length === 0 && Object.keys(last_heard).length === 0 && <Empty>There was nothing to draw.</Empty>}
    </>
  );
}

function Doing({ of }: { of: IncidentShape }) {
  const { change, error, busy } = useChange("/api/incidents", "/api/silences");
  const [note, setNote] = useState("");
  const address = `/api/incidents/${of.id}`;
  const acknowledge = (event: FormEvent) => {
    event.preventDefault();
    void change(() => ask(`${address}/acknowledge`, {}, { note })).then((found) => found && setNote(""));
  };
  const say = () => void change(() => ask(`${address}/notes`, {}, { text: note })).then((found) => found && setNote(""));
  const silence = (hours: number) => {
    const now = Date.now();
    const escaped = (text: string) => text.replace(/[\\|]/g, (char) => `\\${char}`);
    const where = [`rule=${escaped(of.ruleName)}`, ...Object.entries(of.labels).filter(([, value]) => value).map(([name, value]) => `${name}=${escaped(value)}`)];
    void change(() => ask("/api/silences", {}, { where, starts: new Date(now).toISOString(), ends: new Date(now + hours * 3_600_000).toISOString(), comment: note }));
  };
  return (
    <form className="filters" onSubmit={acknowledge}>
      <label className="field search"><span>Note</span><input value={note} maxLength={1_000} onChange={(event) => setNote(event.target.value)} /></label>
      {of.status === "open" && <button type="submit" className="primary" disabled={busy}>Acknowledge</button>}
      <button type="button" disabled={busy || !note.trim()} onClick={say}>Add note</button>
      {!of.endTime && [1, 8].map((hours) => <button key={hours} type="button" disabled={busy} onClick={() => silence(hours)}>Silence for {hours} h</button>)}
      {error && <Problem error={error} />}
    </form>
  );
}

function Told({ id }: { id: string }) {
  const asked = useQuery({ queryKey: ["/api/incidents", id, "notices"], queryFn: () => ask<NoticeShape[]>("/api/notices", { incident: id }), refetchInterval: LIVE_MS });
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
