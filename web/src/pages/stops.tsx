// Conversations that are over: how many were done, and where the others stopped.

import { useQuery } from "@tanstack/react-query";
import { ask } from "../api/fetch";
import type { DropOff, DropOffItem } from "../api/types";
import { count, percent } from "../lib/format";
import { set } from "../lib/url";
import { addressOf } from "./conversations";
import { BotChoice, useParam } from "./filters";
import { Answer, Choice, Empty, Link, Panel, Said } from "./parts";
import { useRange } from "./range";
import { type Column, Table } from "./table";

const PATH = "/api/insights/dropoff";
const STOPS = [["", "Last action"], ["message", "Last message of the bot"]] as const;

export function Stops() {
  const range = useRange();
  const get = useParam();
  const params = { ...range.query, bot: get("bot"), stop: get("stop") || undefined, limit: 50 };
  const asked = useQuery({ queryKey: [PATH, params], queryFn: () => ask<DropOff>(PATH, params) });
  return (
    <Panel title="Where conversations stop" aside={<span className="quiet">{range.label}</span>}>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <BotChoice />
        <Choice label="At" value={get("stop")} options={STOPS} onChange={(value) => set({ stop: value })} />
      </form>
      <Answer of={asked}>
        {(found) => {
          if (!found.over) return <Empty>No conversation of this time is over yet.</Empty>;
          return (
            <>
              <p className="pad">
                {count(found.over)} conversations are over: {count(found.done)} were done ({percent((100 * found.done) / found.over)}), {count(found.left)} were left.
                {" "}<span className="quiet">What done means is said for each bot in the settings, as in <code>[bots.shop] done = "action:place_order"</code>.</span>
              </p>
              {found.items.length > 0 && <Table items={found.items} columns={found.stop === "action" ? [ACTION, ...COLUMNS] : COLUMNS} keyOf={(item) => item.step ?? ""} />}
            </>
          );
        }}
      </Answer>
    </Panel>
  );
}

const ID_CHARS = 14;
/** Three of them have to stand in a line; the whole of it is its title. */
const short = (id: string) => (id.length > ID_CHARS ? `${id.slice(0, ID_CHARS - 1)}…` : id);

const ACTION: Column<DropOffItem> = { name: "Last action", by: (item) => item.step, cell: (item) => (item.step === null ? <span className="quiet">none</span> : <Said text={item.step} />) };
const COLUMNS: Column<DropOffItem>[] = [
  { name: "The bot said last", cell: (item) => (item.said === null ? <span className="quiet">nothing</span> : <Said text={item.said} className="two-lines" />) },
  { name: "Conversations", number: true, by: (item) => item.sessions, cell: (item) => count(item.sessions) },
  { name: "Share", number: true, by: (item) => item.share, cell: (item) => percent(item.share), less: "middle" },
  { name: "The newest", cell: (item) => <>{item.examples.map(({ bot, session_id }, place) => <span key={session_id}>{place > 0 && ", "}<Link className="nowrap" to={addressOf({ id: session_id, bot })} title={session_id}><Said text={short(session_id)} /></Link></span>)}</>, less: "middle" },
];
