// Log records, one line each; a line opens to all it carries.

import type { LogItem } from "../api/types";
import type { Level } from "../lib/levels";
import { absolute, clock } from "../lib/time";
import { Attributes } from "./attributes";
import { addressOf } from "./conversations";
import { Empty, Link, Mark, Said } from "./parts";

const LEVELS: Record<string, Level> = { warn: "warning", error: "critical", fatal: "critical" };

/** Messages may carry their text as an attribute: docs/conventions.md */
const textOf = (item: LogItem) => item.text || String(item.attributes["bot.message.text"] ?? "") || item.event || "(no text)";

export function LogLines({ items, withBot = false }: { items: readonly LogItem[]; withBot?: boolean }) {
  if (items.length === 0) return <Empty>No log record.</Empty>;
  return (
    <ol className="logs">
      {items.map((item, place) => (
        <li key={`${item.at} ${item.span_id ?? ""} ${place}`}>
          <details>
            <summary>
              <time dateTime={item.at} title={absolute(new Date(item.at))}>{clock(new Date(item.at), true)}</time>
              <Mark level={LEVELS[item.level] ?? "unknown"}>{item.level}</Mark>
              {withBot && <Said text={item.bot} className="quiet" />}
              <Said text={textOf(item)} className="line" />
            </summary>
            <div className="opened">
              <p>
                {item.trace_id && <Link to={`/traces/${item.trace_id}`}>trace</Link>}{" "}
                {item.session_id && <Link to={addressOf({ id: item.session_id, bot: item.bot })}>conversation</Link>}
              </p>
              <Attributes of={{ bot: item.bot, host: item.host, event: item.event }} />
              <Attributes of={item.attributes} title="Attributes" sought />
              <Attributes of={item.resource} title="Resource" />
            </div>
          </details>
        </li>
      ))}
    </ol>
  );
}
