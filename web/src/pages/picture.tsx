// The architecture as it lives: drawn from what was asked and counted, never from what one would wish.

import { type MouseEvent, useMemo, useRef } from "react";
import type { BotItem, History, ServiceItem } from "../api/types";
import { plainNumber } from "../lib/format";
import type { Edge } from "../lib/arrange";
import type { Level } from "../lib/levels";
import { type Flow, flowsOf, HALF, packets, type Part, path, picture, TALL, WIDTH } from "../lib/picture";
import { usePrefs } from "../lib/prefs";
import { plain } from "../lib/text";
import { go } from "../lib/url";
import { Link } from "./parts";

const PARTS_MAX = 20;
const BOTS_MAX = 8;
const NAME_CHARS = 18;
const VERSION_CHARS = 12;
const SHAPES: Record<Level, string> = { ok: "●", warning: "▲", critical: "■", unknown: "○" };
const FAILS = 0.05;
const HEARD_MS = 5 * 60_000;

interface Props {
  bots: readonly BotItem[];
  services: readonly ServiceItem[];
  traffic: History | undefined;
}

export function LivingPicture({ bots, services, traffic }: Props) {
  const { still } = usePrefs();
  const seen = useRef(new Map<string, Edge>());
  const found = useMemo(() => {
    const drawn = picture(heardOf(bots), services, traffic ? flowsOf(traffic) : [], PARTS_MAX, [...seen.current.values()]);
    for (const { bot, part } of drawn.flows) seen.current.set(`${bot}\n${part}`, [bot, part]);
    return drawn;
  }, [bots, services, traffic]);
  const left = found.left + Math.max(0, bots.length - BOTS_MAX);
  const partOf = new Map(found.parts.map((part) => [part.name, part]));
  const wrong = found.parts.filter(({ level }) => level === "critical" || level === "warning");
  const told = wrong.length ? wrong.map(({ name, says }) => `${plain(name)} is ${says}`).join(", ") : "no service is known to be unwell";
  return (
    <div className="scroll">
      <svg className="picture" viewBox={`0 0 ${WIDTH} ${found.height}`} role="group" aria-label={`${found.bots.length} bots and ${found.parts.length} services; ${told}`}>
        {found.flows.map((flow) => {
          const [from, to] = [found.bots.find(({ name }) => name === flow.bot), partOf.get(flow.part)];
          return from && to ? <Way key={`${flow.bot}\n${flow.part}`} flow={flow} line={path(from, to)} still={still} /> : null;
        })}
        {found.bots.map(({ name, heard, x, y }) => (
          <Node key={name} name={name} under={heard ? "bot" : "bot, not heard lately"} x={x} y={y} to={`/actions?bot=${encodeURIComponent(name)}`} className={heard ? "bot" : "bot unknown"} />
        ))}
        {found.parts.map((part) => <Service key={part.name} part={part} />)}
      </svg>
      {left > 0 && <p className="pad quiet">There is no room for {left} more, which are called less; <Link to="/actions/dependencies">all of them</Link></p>}
    </div>
  );
}

/** The ones heard last, in the order of their names. */
function heardOf(bots: readonly BotItem[]) {
  const last = (bot: BotItem) => Date.parse(bot.last_seen);
  const shown = [...bots].sort((a, b) => last(b) - last(a)).slice(0, BOTS_MAX);
  return shown.map((bot) => ({ name: bot.name, heard: Date.now() - last(bot) < HEARD_MS })).sort((a, b) => a.name.localeCompare(b.name));
}

/** Its first word: how it was packed has no room there. */
function versionOf({ service }: Part): string {
  const version = plain(service?.version?.split(/\s/)[0] ?? "");
  return version && ` · ${version.length > VERSION_CHARS ? `${version.slice(0, VERSION_CHARS - 1)}…` : version}`;
}

function Service({ part }: { part: Part }) {
  const to = part.service ? `/system?service=${encodeURIComponent(part.name)}` : `/actions/dependencies?name=${encodeURIComponent(part.name)}`;
  return <Node name={part.name} under={`${SHAPES[part.level]} ${part.says}${versionOf(part)}`} x={part.x} y={part.y} to={to} className={`service ${part.level}`} />;
}

interface NodeProps {
  name: string;
  under: string;
  x: number;
  y: number;
  to: string;
  className: string;
}

function Node({ name, under, x, y, to, className }: NodeProps) {
  const shown = plain(name);
  const open = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={to} onClick={open} className={className}>
      {shown.length > NAME_CHARS && <title>{shown}</title>}
      <rect className="pulse" x={x - HALF} y={y - TALL} width={2 * HALF} height={2 * TALL} rx="12" />
      <rect className="box" x={x - HALF} y={y - TALL} width={2 * HALF} height={2 * TALL} rx="12" />
      <text x={x} y={y - 3}>{shown.length > NAME_CHARS ? `${shown.slice(0, NAME_CHARS - 1)}…` : shown}</text>
      <text x={x} y={y + 15} className="under">{under}</text>
    </a>
  );
}

/** A line is thicker where more goes over it; what moves on it are calls. */
function Way({ flow, line, still }: { flow: Flow; line: string; still: boolean }) {
  const moving = packets(flow.perSecond);
  const failing = flow.failedShare >= FAILS;
  // As if they had been on their way before one looked, and not all set off together.
  const begin = (place: number) => `${-((place + chance(flow)) * (moving?.everyS ?? 1)) / (moving?.count ?? 1)}s`;
  const words = `${plain(flow.bot)} to ${plain(flow.part)}: ${plainNumber(flow.perSecond * 60)} calls a minute${flow.failedShare ? `, ${plainNumber(flow.failedShare * 100)} % of them failed` : ""}`;
  return (
    <g className={`way ${moving ? "" : "idle"} ${failing ? "failing" : ""}`}>
      <title>{words}</title>
      <path d={line} />
      {moving && !still &&
        Array.from({ length: moving.count }, (_, place) => (
          <circle key={`${place} of ${moving.count} every ${moving.everyS}`} r="4" className="packet" opacity="0">
            <animateMotion dur={`${moving.everyS}s`} begin={begin(place)} repeatCount="indefinite" path={line} calcMode="linear" keyPoints="0;1;1" keyTimes={`0;${share(moving.takesS, moving.everyS)};1`} />
            <animate attributeName="opacity" dur={`${moving.everyS}s`} begin={begin(place)} repeatCount="indefinite" calcMode="discrete" values="1;0" keyTimes={`0;${share(moving.takesS, moving.everyS)}`} />
          </circle>
        ))}
    </g>
  );
}

/** Between 0 and 1, and for the same two always the same. */
const chance = ({ bot, part }: Flow) => ([...`${bot} ${part}`].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 7) % 100) / 100;

/** Just below the whole: what is on its way all the time is never hidden. */
const share = (takes: number, every: number) => Math.min(0.999, takes / every);
