// The living picture: who stands where, who calls whom, and how much moves between them.

import type { History, ServiceItem } from "../api/types";
import { arrange, type Edge } from "./arrange";
import type { Level } from "./levels";

export interface Part {
  name: string;
  level: Level;
  /** In words, for the colour is never alone. */
  says: string;
  /** Null: only called by bots, and not asked itself. */
  service: ServiceItem | null;
  x: number;
  y: number;
}

export interface Flow {
  bot: string;
  part: string;
  perSecond: number;
  failedShare: number;
}

export interface Bot {
  name: string;
  /** Whether anything was heard of it lately. */
  heard: boolean;
}

export interface Picture {
  bots: (Bot & { x: number; y: number })[];
  parts: Part[];
  flows: Flow[];
  height: number;
  /** How many parts there is no room for. */
  left: number;
}

export const WIDTH = 1_000;
export const [HALF, TALL] = [92, 25] as const; // half of a box
const [LEFT, MIDDLE, RIGHT] = [150, 500, 850];
const [ROW, TOP] = [74, 50];
const LEVELS: Record<ServiceItem["status"], Level> = { running: "ok", degraded: "warning", sealed: "warning", stopped: "critical", unknown: "unknown" };
const SAYS: Record<ServiceItem["status"], string> = { running: "running", degraded: "degraded", sealed: "sealed", stopped: "stopped", unknown: "not known" };

export const levelOfService = (status: ServiceItem["status"]) => LEVELS[status] ?? "unknown";
export const wordsOfService = (status: ServiceItem["status"]) => SAYS[status] ?? status;

/** A variable of the environment cannot have a hyphen in its name. */
const alike = (name: string) => name.toLowerCase().replaceAll("_", "-");

/** What bots call and what is watched are one thing where they have one name. `before`: lines that were seen, so that
 * what is seldom called does not move the others whenever it is. */
export function picture(bots: readonly Bot[], services: readonly ServiceItem[], calls: readonly Flow[], most: number, before: readonly Edge[] = []): Picture {
  const watched = new Map(services.map(({ name }) => [alike(name), name]));
  const flows = calls.map((flow) => ({ ...flow, part: watched.get(alike(flow.part)) ?? flow.part }));
  const busy = new Map<string, number>();
  for (const flow of flows) busy.set(flow.part, (busy.get(flow.part) ?? 0) + flow.perSecond);
  const others = [...busy.keys()].filter((name) => !watched.has(alike(name))).sort((a, b) => busy.get(b)! - busy.get(a)! || a.localeCompare(b));
  const all = [
    ...services.map((service) => ({ name: service.name, service, level: levelOfService(service.status), says: wordsOfService(service.status) })),
    ...others.map((name) => ({ name, service: null, level: "unknown" as Level, says: "not watched" })),
  ];
  const parts = all.slice(0, most);
  const rows = Math.max(bots.length, Math.ceil(parts.length / 2), 1);
  const height = 2 * TOP + (rows - 1) * ROW;
  const spread = (place: number, of: number) => (height - (of - 1) * ROW) / 2 + place * ROW;
  const places = arrange(bots.map(({ name }) => name), parts.map(({ name }) => name), [...flows.map(({ bot, part }) => [bot, part] as const), ...before]);
  const stand = (name: string) => {
    const side = places.left.includes(name) ? places.left : places.right;
    return { x: side === places.left ? LEFT : RIGHT, y: spread(side.indexOf(name), side.length) };
  };
  return {
    bots: bots.map((bot) => ({ ...bot, x: MIDDLE, y: spread(places.bots.indexOf(bot.name), bots.length) })),
    parts: parts.map((part) => ({ ...part, ...stand(part.name) })),
    flows: flows.filter((flow) => bots.some(({ name }) => name === flow.bot) && parts.some(({ name }) => name === flow.part)),
    height,
    left: all.length - parts.length,
  };
}

/** Calls by the second over the whole window, of each bot to each dependency. */
export function flowsOf(history: History): Flow[] {
  const seconds = (Date.parse(history.to) - Date.parse(history.from)) / 1_000;
  const found = new Map<string, Flow & { failed: number }>();
  for (const { measure, labels, points } of history.series) {
    const [bot, part] = [labels["bot"] ?? "", labels["dependency"] ?? ""];
    const total = points.reduce((sum, [, value]) => sum + (value ?? 0), 0);
    const flow = found.get(`${bot}\n${part}`) ?? { bot, part, perSecond: 0, failed: 0, failedShare: 0 };
    if (measure === "dependency.count") flow.perSecond = total / seconds;
    else flow.failed = total / seconds;
    found.set(`${bot}\n${part}`, flow);
  }
  return [...found.values()].map(({ failed, ...flow }) => ({ ...flow, failedShare: flow.perSecond ? Math.min(1, failed / flow.perSecond) : 0 }));
}

export interface Packets {
  count: number;
  /** Between one packet and its next round. */
  everyS: number;
  /** On the way. */
  takesS: number;
}

const TAKES_S = 3;
const PACKETS_MAX = 8;
const EVERY_S_MAX = 60;

/** One packet for each call, as long as one can tell them apart. Where nothing is called, nothing moves. */
export function packets(perSecond: number): Packets | null {
  if (!(perSecond > 0)) return null;
  const between = 1 / perSecond;
  if (between >= TAKES_S) return { count: 1, everyS: round(Math.min(EVERY_S_MAX, between)), takesS: TAKES_S };
  const count = Math.min(PACKETS_MAX, Math.max(1, Math.round(TAKES_S / between)));
  // Beyond what one can tell apart they are faster, so that more traffic always looks like more.
  const takes = Math.max(0.5, Math.min(TAKES_S, count * between));
  return { count, everyS: round(takes), takesS: round(takes) };
}

/** To two figures: what hardly changes need not be drawn anew. */
const round = (value: number) => Number(value.toPrecision(2));

/** From the edge of a bot to the edge of a part, bowed a little. */
export function path(bot: { x: number; y: number }, part: { x: number; y: number }): string {
  const side = Math.sign(part.x - bot.x);
  const [from, to] = [bot.x + side * HALF, part.x - side * HALF];
  const bend = (from + to) / 2;
  return `M${from} ${bot.y}C${bend} ${bot.y} ${bend} ${part.y} ${to} ${part.y}`;
}
