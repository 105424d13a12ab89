// What documents and conversations show: drift, what users ask and are not understood in, who comes, and when.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ask } from "../api/fetch";
import { useList } from "../api/queries";
import type { CommonQueries, CommonQuery, CriticalShape, DriftShape, Engagement, FeedbackItem, InvalidShape, Me, Misunderstood, PageDriftShape, PageFeedbackItem, PageInvalidShape, PageMisunderstood, ProfileShape, SourceShape, Uttered } from "../api/types";
import { Chart } from "../charts/chart";
import { count, milliseconds, NONE, percent } from "../lib/format";
import { absolute, clock, dayStart } from "../lib/time";
import { set } from "../lib/url";
import { useChange } from "./changing";
import { Contracts } from "./contracts";
import { addressOf } from "./conversations";
import { BotChoice, useParam } from "./filters";
import { Answer, Choice, Empty, Link, Mark, More, Panel, Problem, Said, When, Words } from "./parts";
import { useRange } from "./range";
import { Reports } from "./reports";
import { Stops } from "./stops";
import { type Column, Table } from "./table";
import { Week } from "./week";

const PLACES = [["", "Drift"], ["contracts", "Contracts"], ["questions", "Questions"], ["misunderstood", "Misunderstood"], ["feedback", "Feedback"], ["stops", "Stops"], ["people", "People"], ["week", "Week"], ["reports", "Reports"]] as const;
export const INSIGHT_PLACES: readonly string[] = PLACES.map(([place]) => place);

export function Insights({ what, rest, me }: { what: string; rest: readonly string[]; me: Me }) {
  const admin = me.role === "admin";
  return (
    <>
      <nav className="segments" aria-label="Insights">
        {PLACES.map(([place, title]) => <Link key={place} to={`/insights${place && `/${place}`}`} sameTime className={place === what ? "current" : ""}>{title}</Link>)}
      </nav>
      {what === "" && <Drift admin={admin} />}
      {what === "contracts" && <Contracts admin={admin} />}
      {what === "questions" && <Questions />}
      {what === "misunderstood" && <NotUnderstood admin={admin} />}
      {what === "feedback" && <Feedback />}
      {what === "stops" && <Stops />}
      {what === "people" && <People />}
      {what === "week" && <Week />}
      {what === "reports" && <Reports rest={rest} me={me} />}
    </>
  );
}

// --- drift

const DRIFT = "/api/drift";

function Drift({ admin }: { admin: boolean }) {
  const get = useParam();
  const live = get("state", "live") === "live";
  const asked = useList<PageDriftShape>(DRIFT, { live, source: get("source"), limit: 20 });
  const sources = useQuery({ queryKey: ["/api/payloads/sources"], queryFn: () => ask<SourceShape[]>("/api/payloads/sources") });
  const names = sources.data?.map(({ source }) => source) ?? [];
  return (
    <>
      <Panel title="What changed in the documents that come in">
        <form className="filters" onSubmit={(event) => event.preventDefault()}>
          <Choice label="State" value={live ? "live" : "all"} options={[["live", "Going on"], ["all", "All"]]} onChange={(value) => set({ state: value === "live" ? "" : value })} />
          <Choice label="Source" value={get("source")} options={[["", "All"], ...names.map((name) => [name, name] as const)]} onChange={(value) => set({ source: value })} />
        </form>
        <Answer of={asked}>
          {({ pages }) => {
            const items = pages.flatMap((page) => page.items);
            if (!items.length) return <Empty>{names.length ? "Documents look as they always did." : "No source is known yet: its documents are looked at for some hours before they are compared."}</Empty>;
            return <><Changes items={items} admin={admin} /><More asked={asked} /></>;
          }}
        </Answer>
      </Panel>
      <Answer of={sources}>{(found) => (found.length ? <Sources items={found} /> : null)}</Answer>
      <Misfits source={get("source")} />
      {get("source") && <Profile source={get("source")} />}
    </>
  );
}

/** What began in the same minutes at one source is one event: the first of it that goes on, and the others folded. */
export function Changes({ items, admin }: { items: DriftShape[]; admin: boolean }) {
  const events = new Map<number, DriftShape[]>();
  for (const item of items) events.set(item.event, [...(events.get(item.event) ?? []), item]);
  const known = [...events.values()].map((some) => some.sort((a, b) => Number(Boolean(a.ended)) - Number(Boolean(b.ended)) || a.id - b.id));
  return <ul className="plain">{known.map(([first, ...others]) => <Changed key={first!.id} item={first!} others={others} admin={admin} />)}</ul>;
}

function Changed({ item, others = [], admin }: { item: DriftShape; others?: DriftShape[]; admin: boolean }) {
  const { change, error, busy } = useChange(DRIFT, "/api/payloads");
  const level = item.accepted || item.ended ? "unknown" : "warning";
  return (
    <li className="finding">
      <p><Mark level={level}>{item.accepted ? "accepted" : item.ended ? "over" : "going on"}</Mark> <b><Words text={item.sentence} /></b></p>
      <p className="quiet">
        In <Said text={item.source} />{item.variant !== "(document)" && item.variant && <>, of the kind <Said text={item.variant} /></>}. It began <When at={item.began} /> and was found <When at={item.found} />.
        {" "}{SHARE[item.what] ?? "Present"} in {item.before_of >= 1 && <>{percent(item.before * 100)} of {count(item.before_of)} documents before, </>}{percent(item.now * 100)} of {count(item.now_of)} now; {percent(item.sure * 100)} sure.
        {item.bots.length > 0 && <> Bots: <Said text={item.bots.join(", ")} />.</>}
      </p>
      <div className="halves even">
        <figure><figcaption className="quiet">A document before, masked</figcaption><pre className="document">{json(item.example_before)}</pre></figure>
        <figure><figcaption className="quiet">A document since, masked</figcaption><pre className="document">{json(item.example_after)}</pre></figure>
      </div>
      <p className="links">
        {item.sessions.slice(0, 3).map((id) => <Link key={id} to={`/conversations/${encodeURIComponent(id)}`}>Conversation <Said text={id} /></Link>)}
        {item.traces.slice(0, 3).map((id) => <Link key={id} to={`/traces/${id}`}>Trace {id.slice(0, 8)}</Link>)}
        {admin && !item.accepted && !item.ended && <button type="button" disabled={busy} onClick={() => void change(() => ask(`${DRIFT}/${item.id}/accept`, { event: others.length > 0 }, {}))}>This is the new normal</button>}
        {item.accepted_by && <span className="quiet">accepted by <Said text={item.accepted_by} /></span>}
      </p>
      {error && <Problem error={error} />}
      {others.length > 0 && (
        <details>
          <summary>{others.length === 1 ? "Another change" : `${others.length} other changes`} of the same minutes</summary>
          <ul className="plain">{others.map((other) => <Changed key={other.id} item={other} admin={admin} />)}</ul>
        </details>
      )}
    </li>
  );
}

// What the two shares of a change are shares of.
const SHARE: Record<string, string> = {
  more_null: "Null", more_empty: "Empty", type_changed: "Of this type", nested: "An object", value_collapsed: "This value", value_new: "This value",
  critical_null: "Null", critical_empty: "Empty", critical_type: "Of this type",
};

const json = (value: unknown) => (value === null || value === undefined ? "none was kept" : JSON.stringify(value, null, 2));

function Sources({ items }: { items: readonly SourceShape[] }) {
  const columns: Column<SourceShape>[] = [
    { name: "Source", by: (item) => item.source, cell: (item) => <Link to={`/insights?source=${encodeURIComponent(item.source)}`}><Said text={item.source} /></Link> },
    { name: "State", cell: (item) => (item.drifting ? <Mark level="warning">{item.drifting} {item.drifting === 1 ? "place" : "places"} changed</Mark> : item.learning_since ? <Mark level="ok">as always</Mark> : <Mark level="unknown">not known yet</Mark>) },
    { name: "Declared", cell: (item) => <Declared item={item} />, less: "middle" },
    { name: "Kinds told apart by", cell: (item) => <Said text={item.kinds_fields.join(", ") || (item.kinds_carried.length ? `which it carries: ${item.kinds_carried.join(", ")}` : "all are alike")} />, less: "middle" },
    { name: "Known since", number: true, cell: (item) => item.learning_since && <When at={item.learning_since} />, less: "middle" },
  ];
  return (
    <Panel title="Sources">
      {items.map((item) => item.schema_problem && <p key={item.source} className="pad"><Mark level="critical">broken</Mark> <Said text={item.schema_problem} /></p>)}
      <Table items={items} columns={columns} keyOf={(item) => item.source} />
    </Panel>
  );
}

function Declared({ item }: { item: SourceShape }) {
  return (
    <>
      {item.schema_file && (item.schema_problem ? <Mark level="critical">schema is broken</Mark> : <>schema <Said text={item.schema_file} /></>)}
      {!item.schema_file && !item.critical.length && NONE}
      {item.critical.length > 0 && <div>critical: <code><Said text={item.critical.join(", ")} /></code></div>}
    </>
  );
}

const FAULTS = [["", "All"], ["json", "No JSON"], ["schema", "Does not fit"]] as const;

// What was sent for a document and is none, and what does not fit what is expected of it.
function Misfits({ source }: { source: string }) {
  const range = useRange();
  const get = useParam();
  const asked = useList<PageInvalidShape>("/api/payloads/invalid", { ...range.query, source, fault: get("fault"), limit: 20 });
  const columns: Column<InvalidShape>[] = [
    { name: "When", cell: (item) => <>{item.session_id ? <Link to={`/conversations/${encodeURIComponent(item.session_id)}`}><When at={item.at} /></Link> : <When at={item.at} />}{item.times > 1 && <span className="quiet"> {count(item.times)} times</span>}</> },
    { name: "Source", cell: (item) => <Said text={item.source} /> },
    { name: "What is wrong", cell: (item) => <><Said text={item.reason} />{item.path && <> at <code><Said text={item.path} /></code></>}</> },
    { name: "From", cell: (item) => <Said text={item.bot ?? item.sender ?? ""} />, less: "middle" },
    { name: "What was sent, masked", cell: (item) => <code><Said text={item.document} className="two-lines" /></code>, less: "wide" },
  ];
  return (
    <Panel title="Documents that could not be read, or do not fit" aside={<span className="quiet">{range.label}</span>}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}><Choice label="Fault" value={get("fault")} options={FAULTS} onChange={(value) => set({ fault: value })} /></form>
      <Answer of={asked}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          return items.length ? <><Table items={items} columns={columns} keyOf={(_, place) => String(place)} /><More asked={asked} /></> : <Empty>Every document could be read, and fits as far as it was checked.</Empty>;
        }}
      </Answer>
    </Panel>
  );
}

function Profile({ source }: { source: string }) {
  const range = useRange();
  const path = `/api/payloads/sources/${encodeURIComponent(source)}/profile`;
  const asked = useQuery({ queryKey: [path, range.query], queryFn: () => ask<ProfileShape>(path, range.query) });
  const share = (value: number | null) => (value === null ? "–" : percent(value * 100));
  return (
    <Panel title={<>What its documents look like: <Said text={source} /></>} aside={<span className="quiet">{range.label}</span>}>
      <Answer of={asked}>
        {({ variants, critical }) => (
          <>
            {critical.length > 0 && <Table items={critical} columns={CRITICAL} keyOf={(item) => `${item.path} ${item.variant}`} />}
            {variants.map(({ variant, documents, partly, places }) => (
              <div key={variant} className="scroll">
                <h3><Said text={variant} /> <span className="quiet">{count(documents)} looked at{partly > 0 && <>, {count(partly)} of them in part</>}</span></h3>
                <Table
                  items={places.filter(({ path: place }) => place)} keyOf={(place) => place.path}
                  columns={[
                    { name: "Place", by: (place) => place.path, cell: (place) => <code><Said text={place.path} /></code> },
                    { name: "Present", number: true, by: (place) => place.present, cell: (place) => share(place.present) },
                    { name: "Null", number: true, by: (place) => place.null, cell: (place) => share(place.null) },
                    { name: "Empty", number: true, by: (place) => place.empty, cell: (place) => share(place.empty), less: "middle" },
                    { name: "Types", cell: (place) => Object.keys(place.types).join(", ") },
                    { name: "Values", cell: (place) => <Said text={place.values === null ? "many" : Object.entries(place.values).sort(([, a], [, b]) => b - a).slice(0, 6).map(([value, part]) => `${value} ${percent(part * 100)}`).join(", ")} />, less: "wide" },
                  ]}
                />
              </div>
            ))}
          </>
        )}
      </Answer>
    </Panel>
  );
}

const CRITICAL: Column<CriticalShape>[] = [
  { name: "Critical place", by: (item) => item.path, cell: (item) => <code><Said text={item.path} /></code> },
  { name: "Kind", by: (item) => item.variant, cell: (item) => <Said text={item.variant} /> },
  { name: "Documents, all", number: true, by: (item) => item.documents, cell: (item) => count(item.documents) },
  { name: "Missing", number: true, by: (item) => item.missing, cell: (item) => count(item.missing) },
  { name: "Null", number: true, by: (item) => item.null, cell: (item) => count(item.null) },
  { name: "Empty", number: true, by: (item) => item.empty, cell: (item) => count(item.empty) },
  { name: "Types", cell: (item) => Object.keys(item.types).join(", "), less: "middle" },
];

// --- what users say

function Questions() {
  const range = useRange();
  const get = useParam();
  const asked = useQuery({ queryKey: ["/api/insights/queries", range.query, get("bot")], queryFn: () => ask<CommonQueries>("/api/insights/queries", { ...range.query, bot: get("bot"), limit: 100 }) });
  const columns: Column<CommonQuery>[] = [
    { name: "What users write", cell: (item) => <Asked item={item} /> },
    { name: "Times", number: true, by: (item) => item.count, cell: (item) => count(item.count) },
    { name: "Conversations", number: true, by: (item) => item.sessions, cell: (item) => count(item.sessions), less: "middle" },
    { name: "Answered", number: true, by: (item) => item.answered_share, cell: (item) => percent(item.answered_share) },
  ];
  return (
    <Panel title="Most frequent questions" aside={<span className="quiet">{range.label}</span>}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}><BotChoice /></form>
      <Answer of={asked}>{({ items, left_out }) => (items.length ? (
        <>
          <p className="pad quiet">Put together by their words and what is known to mean the same; what only its sense tells stays apart.</p>
          <Table items={items} columns={columns} keyOf={(item) => item.phrase} />
          {left_out > 0 && <p className="pad quiet">{count(left_out)} messages with rare phrases are left out.</p>}
        </>
      ) : <Empty>Nobody wrote in this time.</Empty>)}</Answer>
    </Panel>
  );
}

function Asked({ item }: { item: CommonQuery }) {
  const others = item.variants.slice(1);
  return (
    <>
      <Said text={item.example} className="two-lines" />
      {others.length > 0 && (
        <details>
          <summary className="quiet">and {count(item.phrases - 1)} more of the same</summary>
          <ul>{others.map(({ phrase, example, count: times }) => <li key={phrase}><Said text={example} /> <span className="quiet">{count(times)}</span></li>)}</ul>
        </details>
      )}
    </>
  );
}

const REASONS = [["", "All"], ["failed", "Failed"], ["unanswered", "Unanswered"], ["handed_off", "Handed off"], ["repeated", "Said again"], ["fallback", "Fallback"], ["feedback", "Thumbs down"]] as const;

const TREATED = [["", "To be dealt with"], ["true", "Dealt with"]] as const;
const MISSED = "/api/insights/misunderstood";

function NotUnderstood({ admin }: { admin: boolean }) {
  const range = useRange();
  const get = useParam();
  const params = { ...range.query, bot: get("bot"), reason: get("reason"), treated: get("treated"), limit: 10 };
  const asked = useInfiniteQuery({
    queryKey: [MISSED, params], initialPageParam: "", getNextPageParam: (last: PageMisunderstood) => last.next,
    queryFn: ({ pageParam }) => ask<PageMisunderstood>(MISSED, { ...params, cursor: pageParam || undefined }),
  });
  return (
    <Panel title="What was not understood" aside={<span className="quiet">{range.label}</span>}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <BotChoice />
        <Choice label="Why" value={get("reason")} options={REASONS} onChange={(value) => set({ reason: value })} />
        <Choice label="State" value={get("treated")} options={TREATED} onChange={(value) => set({ treated: value })} />
      </form>
      <Answer of={asked}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (!items.length) return <Empty>Everything was understood, as far as it is known.</Empty>;
          return <><ul className="plain">{items.map((item) => <Missed key={`${item.session_id} ${item.at}`} item={item} admin={admin} />)}</ul><More asked={asked} /></>;
        }}
      </Answer>
    </Panel>
  );
}

function Missed({ item, admin }: { item: Misunderstood; admin: boolean }) {
  const { change, error, busy } = useChange(MISSED);
  const about = { bot: item.bot, phrase: item.phrase };
  const treat = () => void change(() => (item.treated ? ask(`${MISSED}/treated`, about, undefined, "DELETE") : ask(`${MISSED}/treated`, {}, about)));
  return (
    <li className="finding">
      <p>
        <Mark level="warning">{item.reasons.map((reason) => REASONS.find(([one]) => one === reason)?.[1] ?? reason).join(", ")}</Mark>{" "}
        <Link to={addressOf({ id: item.session_id, bot: item.bot })}>Conversation</Link> <span className="quiet"><Said text={item.bot} />, <When at={item.at} /></span>
      </p>
      <ol className="context">
        {item.before.map((one, place) => <Line key={`b${place}`} of={one} />)}
        <li className="it"><time dateTime={item.at}>{clock(new Date(item.at))}</time> <b>User</b> <Said text={item.text} /></li>
        {item.after.map((one, place) => <Line key={`a${place}`} of={one} />)}
      </ol>
      <p className="links">
        {admin && item.phrase && <button type="button" disabled={busy} onClick={treat}>{item.treated ? "Not dealt with after all" : "Mark as dealt with"}</button>}
        {item.treated_by && <span className="quiet">by <Said text={item.treated_by} /> <Said text={item.note} /></span>}
      </p>
      {error && <Problem error={error} />}
    </li>
  );
}

const Line = ({ of }: { of: Uttered }) => <li className="quiet"><time dateTime={of.at}>{clock(new Date(of.at))}</time> <b>{of.author === "user" ? "User" : of.author === "bot" ? "Bot" : "Agent"}</b> <Said text={of.text} /></li>;

function Feedback() {
  const get = useParam();
  const range = useRange();
  const asked = useList<PageFeedbackItem>("/api/insights/feedback", { ...range.query, bot: get("bot"), mood: get("mood"), limit: 50 });
  const columns: Column<FeedbackItem>[] = [
    { name: "Score", cell: (item) => <Mark level={item.score === null ? "unknown" : item.score < 0 ? "critical" : "ok"}>{item.score === null ? "none" : item.score < 0 ? "bad" : "good"}</Mark> },
    { name: "Said", cell: (item) => <Said text={item.text} className="two-lines" /> },
    { name: "About", cell: (item) => item.about && <Said text={item.about.text} className="two-lines" />, less: "middle" },
    { name: "Question", cell: (item) => item.question && <Said text={item.question.text} className="two-lines" />, less: "wide" },
    { name: "Reply took", number: true, cell: (item) => milliseconds(item.response_ms), less: "middle" },
    { name: "When", number: true, cell: (item) => <Link to={addressOf({ id: item.session_id, bot: item.bot })}><When at={item.at} /></Link> },
  ];
  return (
    <Panel title="Feedback" aside={<span className="quiet">{range.label}</span>}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <BotChoice />
        <Choice label="Mood" value={get("mood")} options={[["", "All"], ["good", "Good"], ["bad", "Bad"]]} onChange={(value) => set({ mood: value })} />
      </form>
      <Answer of={asked}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          return items.length ? <><Table items={items} columns={columns} keyOf={(_, place) => String(place)} /><More asked={asked} /></> : <Empty>Nobody said what they think. A bot tells with the event <code>bot.feedback</code>.</Empty>;
        }}
      </Answer>
    </Panel>
  );
}

// --- who comes, and when

const EVERY = [["day", "by day"], ["week", "by week"], ["month", "by month"]] as const;

function People() {
  const get = useParam();
  const every = get("every", "day");
  const asked = useQuery({ queryKey: ["/api/insights/engagement", every, get("bot")], queryFn: () => ask<Engagement>("/api/insights/engagement", { every, bot: get("bot") }) });
  return (
    <Panel title="Who comes">
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <BotChoice />
        <Choice label="Counted" value={every} options={EVERY} onChange={(value) => set({ every: value === "day" ? "" : value })} />
      </form>
      <Answer of={asked}>
        {({ items, known_since }) => {
          const starts = items.map(({ start }) => dayStart(start));
          const end = starts.at(-1)! + (starts.length > 1 ? starts.at(-1)! - starts.at(-2)! : 86_400);
          const points = (of: "users" | "new") => items.map((item) => [dayStart(item.start), item[of]] as const);
          if (!items.some(({ users }) => users)) return <Empty>No user is known in this time. Users are known by <code>user.id</code>.</Empty>;
          return (
            <>
              <Chart lines={[{ label: "wrote", points: points("users") }, { label: "for the first time", points: points("new") }]} label="Users who wrote, and new ones" unit="count" height={180} window={[dayStart(items[0]!.start), end]} span={EVERY.find(([one]) => one === every)?.[1] ?? ""} bars daily />
              {known_since && <p className="pad quiet">Whoever came before {absolute(new Date(known_since))} counts as new.</p>}
              <Table
                items={[...items].reverse()} keyOf={(item) => item.start}
                columns={[
                  { name: "From", cell: (item) => item.start },
                  { name: "Users", number: true, by: (item) => item.users, cell: (item) => count(item.users) },
                  { name: "New", number: true, by: (item) => item.new, cell: (item) => count(item.new) },
                  { name: "Came back", number: true, by: (item) => item.returning, cell: (item) => count(item.returning) },
                  { name: "Conversations", number: true, by: (item) => item.sessions, cell: (item) => count(item.sessions), less: "middle" },
                  { name: "Messages", number: true, by: (item) => item.messages, cell: (item) => count(item.messages), less: "middle" },
                ]}
              />
            </>
          );
        }}
      </Answer>
    </Panel>
  );
}
