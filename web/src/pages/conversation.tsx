// One conversation, with everything behind it.

import type { ReactNode } from "react";
import { useCatalogue, useSession } from "../api/queries";
import type { Session, TurnItem } from "../api/types";
import { milliseconds, seconds } from "../lib/format";
import { useKeys } from "../lib/keys";
import { boundsOf, type Level, levelOf } from "../lib/levels";
import { absolute, clock } from "../lib/time";
import { go } from "../lib/url";
import { addressOf, listAddress, State } from "./conversations";
import { LogLines } from "./logLines";
import { Answer, Empty, Link, Mark, Panel, Said } from "./parts";

const AUTHORS = { user: "User", bot: "Bot", agent: "Agent" } as const;
const TURNS: Record<TurnItem["outcome"], readonly [Level, string]> = {
  answered: ["ok", "answered"],
  handed_off: ["warning", "handed to a human"],
  failed: ["critical", "the bot could not answer"],
  unanswered: ["critical", "never answered"],
};
const KEYS = { Escape: () => go(listAddress()) };

export function Conversation({ id, bot }: { id: string; bot: string }) {
  const asked = useSession(id, bot);
  useKeys(KEYS);
  return (
    <Panel
      title={<>Session: <Said text={id} /></>}
      aside={<Link to={listAddress()} className="button" title="Back to the list (Esc)">✕ Close</Link>}
    >
      <Answer of={asked}>{(found) => <Detail of={found} />}</Answer>
    </Panel>
  );
}

function Detail({ of }: { of: Session }) {
  const { session } = of;
  return (
    <>
      <dl className="facts pad">
        <Fact name="User">{session.user === null ? "unknown" : <Said text={session.user} />}</Fact>
        <Fact name="Channel"><Said text={session.channel} /></Fact>
        <Fact name="Started">{absolute(new Date(session.started))}</Fact>
        <Fact name="Duration">{seconds(session.duration_seconds)}</Fact>
        <Fact name="Bot"><Said text={session.bot} /></Fact>
        <Fact name="Host"><Said text={session.host} /></Fact>
        <Fact name="State"><State of={session} /></Fact>
        <Fact name="Messages">{session.messages_in} in, {session.messages_out} out</Fact>
        {session.feedback && <Fact name="Feedback">{session.feedback.average.toFixed(1)} <span className="quiet">({session.feedback.count === 1 ? "said once" : `mean of ${session.feedback.count}`})</span></Fact>}
      </dl>
      {of.other_bots.length > 0 && (
        <p className="pad quiet">
          Other bots have a session of this id:{" "}
          {of.other_bots.map((bot) => <Link key={bot} to={addressOf({ id: session.id, bot })}><Said text={bot} /> </Link>)}
        </p>
      )}
      <div className="conversation">
        <section>
          <h3>Conversation</h3>
          <Transcript of={of} />
        </section>
        <section>
          <h3>Traces</h3>
          {of.traces.length === 0 ? (
            <Empty>No span carries this session. Give your spans <code>session.id</code>.</Empty>
          ) : (
            <table className="rows">
              <thead><tr><th>Time</th><th>Name</th><th className="number">Spans</th><th className="number">Took</th></tr></thead>
              <tbody>
                {of.traces.map((trace) => (
                  <tr key={trace.trace_id}>
                    <td title={absolute(new Date(trace.start))}>{clock(new Date(trace.start))}</td>
                    <td>
                      <Link to={`/traces/${trace.trace_id}`}><Said text={trace.name} /></Link>{" "}
                      {trace.failed && <Mark level="critical">failed</Mark>}
                    </td>
                    <td className="number">{trace.spans}</td>
                    <td className="number">{milliseconds(trace.duration_ms)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          {of.feedback.length > 0 && <h3>Feedback</h3>}
          {of.feedback.map((said, place) => (
            <p key={place} className="pad">
              {clock(new Date(said.at))} <b>{said.score ?? "–"}</b> <Said text={said.text} />
            </p>
          ))}
          <h3>Logs</h3>
          <LogLines items={of.logs.items} />
        </section>
      </div>
    </>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div><dt>{name}</dt><dd>{children}</dd></div>
);

/** Seldom do two messages share an id, and then also their turn. */
function Transcript({ of }: { of: Session }) {
  const turns = new Map(of.turns.filter((turn) => turn.message_id).map((turn) => [turn.message_id, turn]));
  if (of.transcript.length === 0) return <Empty>No message of it is kept here; whether texts are kept is a setting of the server.</Empty>;
  return (
    <ol className="transcript">
      {of.transcript_truncated && <li className="quiet">Earlier messages are left out.</li>}
      {of.transcript.map((message, place) => (
        <li key={place} className={message.author}>
          <time dateTime={message.at} title={absolute(new Date(message.at))}>{clock(new Date(message.at))}</time>
          <b>{AUTHORS[message.author]}</b>
          <div>
            {message.text ? <Said text={message.text} className="message" /> : <span className="quiet">(no text)</span>}
            <Under
              trace={message.trace_id === of.transcript[place - 1]?.trace_id ? null : message.trace_id}
              turn={message.direction === "in" ? turns.get(message.message_id) : undefined}
            />
          </div>
        </li>
      ))}
    </ol>
  );
}

function Under({ trace, turn }: { trace: string | null; turn: TurnItem | undefined }) {
  const measures = useCatalogue().data?.measures;
  if (!turn && !trace) return null;
  const [level, words] = turn ? TURNS[turn.outcome] : (["unknown", ""] as const);
  const slow = turn?.outcome === "answered" ? levelOf(turn.response_ms, boundsOf(measures, "response.time")) : "ok";
  return (
    <p className="under">
      {turn && (
        <Mark level={slow === "ok" || slow === "unknown" ? level : slow}>
          {words}{turn.response_ms !== null && ` in ${milliseconds(turn.response_ms)}`}{turn.answered_by === "agent" && " by a human"}
        </Mark>
      )}
      {trace && <Link to={`/traces/${trace}`}>trace</Link>}
    </p>
  );
}
