// Who talks to the bots, and since when.

import { useBots, useSessions } from "../api/queries";
import type { SessionItem, SessionState } from "../api/types";
import { exact, seconds } from "../lib/format";
import type { Level } from "../lib/levels";
import { lastPage, numbers } from "../lib/pager";
import { set, useView } from "../lib/url";
import { Why } from "./doctor";
import { Answer, Choice, Empty, Link, Mark, Panel, Said, Search, When } from "./parts";

const STATES: readonly (readonly [SessionState | "all", string])[] = [
  ["active", "Active"],
  ["idle", "Idle"],
  ["ended", "Ended"],
  ["all", "All"],
];
const SIZES = ["10", "25", "50", "100"];
const LEVELS: Record<SessionState, Level> = { active: "ok", idle: "unknown", ended: "unknown" };

/** The list as it was when one left it, to come back to. */
let left = "";
export const listAddress = () => `/conversations${left}`;

export function Conversations({ refresh }: { refresh: () => void }) {
  const { params } = useView();
  left = location.search;
  const get = (name: string, otherwise = "") => params.get(name) ?? otherwise;
  const [state, bot, channel, q] = [get("state", "active"), get("bot"), get("channel"), get("q")];
  const size = SIZES.includes(get("size")) ? get("size") : "10";
  const page = Math.max(1, Number.parseInt(get("page", "1"), 10) || 1);
  const asked = useSessions({ state, bot, channel, q, limit: size, page });
  const bots = useBots().data?.items ?? [];
  const channels = [...new Set(bots.flatMap((one) => one.channels))].sort();
  const filter = (changes: Record<string, string>, replace = false) => set({ ...changes, page: "" }, replace);
  const filtered = Boolean(bot || channel || q);
  const name = STATES.find(([value]) => value === state)?.[1] ?? "All";
  const total = asked.data?.total ?? null;

  return (
    <Panel
      title={<>{name} sessions{total !== null && ` (${exact(total)})`}</>}
      aside={<button type="button" onClick={refresh}>Refresh <kbd>R</kbd></button>}
    >
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <div className="segments" role="group" aria-label="State">
          {STATES.map(([value, label]) => (
            <button key={value} type="button" aria-pressed={state === value} onClick={() => filter({ state: value === "active" ? "" : value })}>
              {label}
            </button>
          ))}
        </div>
        <Choice label="Bot" value={bot} options={[["", "All bots"], ...bots.map(pair)]} onChange={(value) => filter({ bot: value })} />
        <Choice label="Channel" value={channel} options={[["", "All channels"], ...channels.map((one) => [one, one] as const)]} onChange={(value) => filter({ channel: value })} />
        <Search label="Search session or user" value={q} onChange={(value) => filter({ q: value }, true)} />
      </form>
      <Answer of={asked}>
        {(found) =>
          found.items.length === 0 ? (
            <>
            <Empty>
              {filtered ? (
                <>Nothing fits. <button type="button" onClick={() => filter({ bot: "", channel: "", q: "" })}>Clear the filters</button></>
              ) : state === "active" ? (
                <>Nobody is talking to a bot just now. <Link to="/conversations?state=all">See all conversations</Link></>
              ) : (
                "There are none yet: conversations come from messages that bots report."
              )}
            </Empty>
            {!filtered && <Why topic="no_data" />}
            {!channel && !q && <Why topic="no_conversations" bot={bot} />}
            </>
          ) : (
            <>
              <Table items={found.items} />
              {found.items.some(({ user }) => user === null) && <Why topic="unknown_users" bot={bot} />}
              <Pager page={page} last={lastPage(page, Number(size), found.total, found.next !== null)} size={size} />
            </>
          )
        }
      </Answer>
    </Panel>
  );
}

const pair = (bot: { name: string }) => [bot.name, bot.name] as const;

function Table({ items }: { items: readonly SessionItem[] }) {
  return (
    <table className="rows sessions">
      <thead>
        <tr>
          <th>ID</th><th>User</th><th className="middle">Bot</th><th>Channel</th><th>Started</th>
          <th className="number wide">Duration</th><th className="middle">State</th><th className="number">Messages</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={`${item.bot}\n${item.id}`}>
            <td className="id"><Link to={addressOf(item)} title={item.id}><Said text={item.id} /></Link></td>
            <td className="user">{item.user === null ? <span className="quiet">unknown</span> : <Said text={item.user} />}</td>
            <td className="middle"><Said text={item.bot} /></td>
            <td><Said text={item.channel} /></td>
            <td className="started"><When at={item.started} /></td>
            <td className="number wide">{seconds(item.duration_seconds)}</td>
            <td className="middle"><State of={item} /></td>
            <td className="number messages">{exact(item.messages)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export const addressOf = (item: { id: string; bot: string }) =>
  `/conversations/${encodeURIComponent(item.id)}?bot=${encodeURIComponent(item.bot)}`;

export function State({ of }: { of: SessionItem }) {
  if (of.handed_off && of.state !== "ended") return <Mark level="warning">handed off</Mark>;
  return <Mark level={LEVELS[of.state]}>{of.outcome === null ? of.state : <Said text={of.outcome} />}</Mark>;
}

function Pager({ page, last, size }: { page: number; last: number; size: string }) {
  const to = (number: number) => () => set({ page: number === 1 ? "" : String(number) });
  return (
    <nav className="pager" aria-label="Pages">
      <button type="button" disabled={page <= 1} onClick={to(page - 1)} aria-label="Page before">◀</button>
      {numbers(page, last).map((number, place) =>
        number === null ? (
          <span key={`gap ${place}`}>…</span>
        ) : (
          <button key={number} type="button" aria-current={number === page ? "page" : undefined} onClick={to(number)}>
            {number}
          </button>
        ),
      )}
      <button type="button" disabled={page >= last} onClick={to(page + 1)} aria-label="Next page">▶</button>
      <Choice label="On a page" value={size} options={SIZES.map((one) => [one, one] as const)} onChange={(value) => set({ size: value === "10" ? "" : value, page: "" })} />
    </nav>
  );
}
