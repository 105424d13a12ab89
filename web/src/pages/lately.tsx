// What is wrong now, and what changed within the last hour.

import { useQuery } from "@tanstack/react-query";
import { ask } from "../api/fetch";
import { useServices } from "../api/queries";
import type { ChangeItem, PageChangeItem, PageIncidentItem } from "../api/types";
import { LEVELS } from "../lib/alerts";
import type { Level } from "../lib/levels";
import { useNow } from "../lib/time";
import { useOpenIncidents } from "./alerts";
import { Answer, Empty, Link, Mark, Panel, Said, When, Words } from "./parts";

const HOUR_MS = 3_600_000;
const SLOW_MS = 30_000;
const SHOWN = 6;
// Incidents and services are told by themselves, with how they ended.
const OTHERS: readonly ChangeItem["kind"][] = ["service", "deploy", "model", "dependency", "limit", "breaker", "document", "rule"];
const LOUD: readonly ChangeItem["kind"][] = ["limit", "breaker", "document"];

export function OpenIncidents() {
  const asked = useOpenIncidents();
  return (
    <Panel title="Open incidents" aside={<Link to="/alerts">All</Link>}>
      <Answer of={asked}>
        {({ items, next }) =>
          items.length ? (
            <ul className="plain events">
              {items.slice(0, SHOWN).map((item) => (
                <li key={item.id}>
                  <Mark level={LEVELS[item.severity]}>{item.severity}</Mark>
                  <span><Link to={`/incidents/${item.id}`}><Said text={item.ruleName} /></Link> <span className="quiet"><Said text={Object.values(item.labels).filter(Boolean).join(", ")} />{item.acknowledged_by && <>, taken by <Said text={item.acknowledged_by} /></>}</span></span>
                  <span className="quiet"><When at={item.startTime} /></span>
                </li>
              ))}
              {items.length > SHOWN && <li className="quiet">and {items.length - SHOWN}{next ? " or more" : ""} more</li>}
            </ul>
          ) : (
            <Empty>Nothing is wrong that a rule knows of.</Empty>
          )
        }
      </Answer>
    </Panel>
  );
}

interface Happened {
  key: string;
  at: string;
  level: Level;
  what: string;
  text: string;
  /** Of whom it is. */
  of?: string;
  to: string;
}

export function LastHour() {
  const now = useNow().getTime();
  const incidents = useQuery({ queryKey: ["/api/incidents", "hour"], queryFn: () => ask<PageIncidentItem>("/api/incidents", { period: "2h", limit: 100 }), refetchInterval: SLOW_MS });
  const changes = useQuery({ queryKey: ["/api/changes", "hour"], queryFn: () => ask<PageChangeItem>("/api/changes", { period: "1h", kind: OTHERS, limit: 50 }), refetchInterval: SLOW_MS });
  const services = useServices();
  const all = changes.data?.items ?? [];
  const changed = all.filter(({ kind }) => kind === "service"); // one that was only looked at for the first time is not among them
  const others = all.filter(({ kind }) => kind !== "service");
  const found: Happened[] = [
    ...(incidents.data?.items ?? []).flatMap(({ id, startTime, endTime, severity, ruleName, labels }) => {
      const one = { text: ruleName, of: Object.values(labels).filter(Boolean).join(", "), to: `/incidents/${id}` };
      return [
        { ...one, key: `o${id}`, at: startTime, level: LEVELS[severity], what: "opened" },
        ...(endTime ? [{ ...one, key: `r${id}`, at: endTime, level: "ok" as const, what: "over" }] : []),
      ];
    }),
    ...others.map(({ kind, at, text, url }, place) => ({ key: `c${place} ${at}`, at, level: LOUD.includes(kind) ? ("warning" as const) : ("unknown" as const), what: kind, text, to: url })),
    ...(services.data?.items ?? []).filter(({ name }) => changed.some(({ text }) => text.startsWith(`${name} is `))).flatMap(({ name, status, since }) => (since ? [{ key: `s${name}`, at: since, level: status === "running" ? ("ok" as const) : ("warning" as const), what: status, text: name, to: `/system?service=${encodeURIComponent(name)}` }] : [])),
  ]
    .filter(({ at }) => now - Date.parse(at) < HOUR_MS)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return (
    <Panel title="What changed in the last hour">
      <Answer of={incidents}>
        {() =>
          found.length ? (
            <ul className="plain events">
              {found.slice(0, SHOWN).map(({ key, at, level, what, text, of, to }) => (
                <li key={key}>
                  <Mark level={level}>{what}</Mark>
                  <span>{to ? <Link to={to}><Words text={text} /></Link> : <Words text={text} />} {of && <span className="quiet"><Said text={of} /></span>}</span>
                  <span className="quiet"><When at={at} /></span>
                </li>
              ))}
              {found.length > SHOWN && <li className="quiet">and {found.length - SHOWN} more</li>}
            </ul>
          ) : (
            <Empty>Nothing that is watched for: no incident, no service, no version of a bot, no document.</Empty>
          )
        }
      </Answer>
    </Panel>
  );
}
