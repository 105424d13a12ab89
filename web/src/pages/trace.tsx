// One trace: what happened inside, how long each part took, and what was written meanwhile.

import { useMemo } from "react";
import { useTrace } from "../api/queries";
import type { SpanItem, Trace } from "../api/types";
import { milliseconds } from "../lib/format";
import { absolute } from "../lib/time";
import { set, useView } from "../lib/url";
import { rows } from "../lib/waterfall";
import { Attributes } from "./attributes";
import { addressOf } from "./conversations";
import { LogLines } from "./logLines";
import { Answer, Link, Mark, Panel, Said } from "./parts";

const took = (ns: number) => milliseconds(ns / 1e6);

export function TracePage({ id }: { id: string }) {
  return <Answer of={useTrace(id)}>{(trace) => <Detail of={trace} />}</Answer>;
}

function Detail({ of }: { of: Trace }) {
  return (
    <>
      <Panel title={<>Trace: <Said text={of.name} /></>} aside={<span className="quiet">{absolute(new Date(of.start))}</span>}>
        <dl className="facts pad">
          <div><dt>Took</dt><dd>{took(of.duration_ns)}</dd></div>
          <div><dt>Spans</dt><dd>{of.spans.length}{of.truncated && ", and more that are not shown"}</dd></div>
          <div><dt>Outcome</dt><dd><Mark level={of.failed ? "critical" : "ok"}>{of.failed ? "failed" : "no failure"}</Mark></dd></div>
          {of.sessions.map((session) => (
            <div key={`${session.bot}\n${session.session_id}`}>
              <dt>Conversation</dt>
              <dd><Link to={addressOf({ id: session.session_id, bot: session.bot })}><Said text={session.session_id} /></Link></dd>
            </div>
          ))}
        </dl>
        <Waterfall of={of} />
      </Panel>
      {of.messages.length > 0 && (
        <Panel title="Messages">
          {of.messages.map((message, place) => (
            <p key={place} className="pad"><b>{message.author}</b> <Said text={message.text} className="message" /></p>
          ))}
        </Panel>
      )}
      <Panel title="Logs"><LogLines items={of.logs} withBot /></Panel>
    </>
  );
}

function Waterfall({ of }: { of: Trace }) {
  const chosen = useView().params.get("span");
  const found = useMemo(() => rows(of.spans, of.duration_ns), [of]);
  return (
    <ol className="waterfall" aria-label="Spans">
      <li className="scale" aria-hidden="true">
        <span /><span className="track">{[0, 25, 50, 75, 100].map((part) => <i key={part}>{took((of.duration_ns * part) / 100)}</i>)}</span><span />
      </li>
      {found.map(({ span, depth, left, width }, place) => (
        <li key={`${span.span_id} ${place}`}>
          <button type="button" aria-expanded={chosen === span.span_id} onClick={() => set({ span: chosen === span.span_id ? "" : span.span_id }, true)}>
            <span className="name" style={{ paddingInlineStart: `${depth * 14}px` }}>
              <Said text={span.name} /> <span className="quiet"><Said text={span.dependency ?? span.bot} /></span>
            </span>
            <span className="track">
              <span className={`span ${span.failure ? "critical" : kindOf(span)}`} style={{ left: `${left}%`, width: `${width}%` }} />
            </span>
            <span className="took">{span.failure && <Mark level="critical">{span.failure.replace("_", " ")}</Mark>} {took(span.duration_ns)}</span>
          </button>
          {chosen === span.span_id && <SpanDetail of={span} />}
        </li>
      ))}
    </ol>
  );
}

const kindOf = (span: SpanItem) => (span.model ? "model" : span.dependency ? "dependency" : "own");

function SpanDetail({ of }: { of: SpanItem }) {
  return (
    <div className="opened">
      {of.status_message && <p><Mark level="critical"><Said text={of.status_message} /></Mark></p>}
      <Attributes of={{ kind: of.kind, bot: of.bot, host: of.host, action: of.action, request: of.request, dependency: of.dependency, model: of.model, ...of.attributes }} />
      {of.events.map((event, place) => (
        <Attributes key={place} title={`Event ${event.name} after ${took(event.offset_ns)}`} of={event.attributes} />
      ))}
      <Attributes of={of.resource} title="Resource" />
    </div>
  );
}
