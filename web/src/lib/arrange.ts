// Who stands where in the picture, so that few lines cross: bots in the middle, what they call on both sides.

/** Of a bot and of what it calls, by their names. */
export type Edge = readonly [bot: string, part: string];

export interface Places {
  bots: readonly string[];
  left: readonly string[];
  right: readonly string[];
}

/** By number: in which row, below or above the middle, and of a part on which side. */
interface Standing {
  bot: number[];
  part: number[];
  side: number[];
}

type Line = readonly [bot: number, part: number];

const ROUNDS_MAX = 8;

/** What one bot calls stands near it, on either side; then two change places while that helps. Tried with each bot
 * first. The same for the same names and lines, in whatever order they came. */
export function arrange(bots: readonly string[], parts: readonly string[], edges: readonly Edge[]): Places {
  const [names, called] = [[...bots].sort(), [...parts].sort()];
  const lines = linesOf(names, called, edges);
  let [best, least] = [dealt(names.map((_, bot) => bot), called.length, lines), Infinity];
  for (let first = 0; first < Math.max(1, names.length) && least > 0; first++) {
    const tried = dealt(names.map((_, place) => (place + first) % names.length), called.length, lines);
    const found = settled(tried, lines);
    if (found < least) [best, least] = [tried, found];
  }
  const column = (side: number) => inOrder(called, best.part).filter((name) => best.side[called.indexOf(name)] === side);
  return { bots: inOrder(names, best.bot), left: column(0), right: column(1) };
}

/** Lines that cross, on both sides together. */
export function crossings(places: Places, edges: readonly Edge[]): number {
  const [names, called] = [[...places.bots], [...places.left, ...places.right]];
  const rows = [...centred(places.left.length), ...centred(places.right.length)];
  return crossing({ bot: centred(names.length), part: rows, side: called.map((name) => Number(!places.left.includes(name))) }, linesOf(names, called, edges));
}

function linesOf(names: readonly string[], called: readonly string[], edges: readonly Edge[]): Line[] {
  const known = new Map(edges.map(([bot, part]) => [`${bot}\n${part}`, [names.indexOf(bot), called.indexOf(part)] as const]));
  return [...known.values()].filter(([bot, part]) => bot >= 0 && part >= 0);
}

function crossing({ bot, part, side }: Standing, lines: readonly Line[]): number {
  let count = 0;
  for (let one = 0; one < lines.length; one++) {
    const [from, to] = lines[one]!;
    for (let other = one + 1; other < lines.length; other++) {
      const [start, end] = lines[other]!;
      if (side[to] === side[end] && (bot[from]! - bot[start]!) * (part[to]! - part[end]!) < 0) count++;
    }
  }
  return count;
}

/** The parts in the order of the bots that call them, one to the left, one to the right; who is not called stands last. */
function dealt(order: readonly number[], parts: number, lines: readonly Line[]): Standing {
  const rows = centred(order.length);
  const bot = order.map((_, name) => rows[order.indexOf(name)]!);
  const mean = Array.from({ length: parts }, (_, part) => middle(lines.filter(([, to]) => to === part).map(([from]) => bot[from]!)));
  const sorted = [...mean.keys()].sort((a, b) => (mean[a] === mean[b] ? a - b : mean[a]! - mean[b]!));
  const [left, right] = [centred(Math.ceil(parts / 2)), centred(Math.floor(parts / 2))];
  const [part, side] = [new Array<number>(parts), new Array<number>(parts)];
  sorted.forEach((one, place) => {
    side[one] = place % 2;
    part[one] = (place % 2 ? right : left)[Math.floor(place / 2)]!;
  });
  return { bot, part, side };
}

/** Any two bots, and any two parts, change places where fewer lines cross then. How many are left. */
function settled(standing: Standing, lines: readonly Line[]): number {
  const { bot, part, side } = standing;
  let least = crossing(standing, lines);
  const attempt = (swap: () => void) => {
    swap();
    const found = crossing(standing, lines);
    if (found < least) least = found;
    else swap();
  };
  for (let round = 0, before = Infinity; round < ROUNDS_MAX && least > 0 && least < before; round++) {
    before = least;
    eachPair(bot.length, (a, b) => attempt(() => exchange(bot, a, b)));
    eachPair(part.length, (a, b) => attempt(() => (exchange(part, a, b), exchange(side, a, b))));
  }
  return least;
}

function eachPair(length: number, what: (a: number, b: number) => void) {
  for (let a = 0; a < length; a++) for (let b = a + 1; b < length; b++) what(a, b);
}

function exchange(column: number[], a: number, b: number) {
  [column[a], column[b]] = [column[b]!, column[a]!];
}

const centred = (length: number) => Array.from({ length }, (_, place) => place - (length - 1) / 2);
const middle = (rows: readonly number[]) => (rows.length ? rows.reduce((sum, one) => sum + one, 0) / rows.length : Infinity);
const inOrder = (names: readonly string[], rows: readonly number[]) => [...names.keys()].sort((a, b) => rows[a]! - rows[b]!).map((place) => names[place]!);
