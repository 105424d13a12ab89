import { expect, test } from "vitest";
import { arrange, crossings, type Edge, type Places } from "./arrange";

const edges = (text: string): Edge[] => text.split(" ").map((one) => one.split(">") as [string, string]);
const all = ({ left, right }: Places) => [...left, ...right].sort();

test("what can stand without a crossing does", () => {
  const lines = edges("a>w b>x c>y d>z a>x c>z");
  const found = arrange(["d", "b", "a", "c"], ["z", "y", "x", "w"], lines);
  expect(crossings(found, lines)).toBe(0);
  expect(all(found)).toEqual(["w", "x", "y", "z"]);
  expect(Math.abs(found.left.length - found.right.length)).toBeLessThanOrEqual(1);
});

test("of the lines of a believable fleet few cross", () => {
  const lines = edges(
    "assistant>anthropic assistant>openai assistant>vectors assistant>warehouse assistant>helpdesk booking>calendar-api booking>intent-service booking>mail-gateway booking>bookings-db booking>service-desk " +
      "orders>inventory-api orders>intent-service orders>mail-gateway orders>service-desk orders>carrier-api orders>orders-db orders>payments-api support>accounts-api support>intent-service support>search support>service-desk support>articles-db " +
      "triage>openai triage>chat-api triage>helpdesk-db",
  );
  const bots = ["assistant", "booking", "orders", "support", "triage"];
  const parts = [...new Set(lines.map(([, part]) => part))];
  const asTheyCame = { bots, left: parts.slice(0, Math.ceil(parts.length / 2)), right: parts.slice(Math.ceil(parts.length / 2)) };
  expect(crossings(asTheyCame, lines)).toBeGreaterThan(20);
  expect(crossings(arrange(bots, parts, lines), lines)).toBeLessThanOrEqual(5);
});

test("the same picture comes of the same lines in any order, and a bot may be called like a part", () => {
  const lines = edges("a>b b>a b>c a>c c>d");
  const found = arrange(["a", "b", "c"], ["a", "b", "c", "d", "alone"], lines);
  expect(arrange(["c", "a", "b"], ["alone", "d", "c", "b", "a"], [...lines].reverse())).toEqual(found);
  expect([found.left.at(-1), found.right.at(-1)]).toContain("alone");
  expect(arrange([], [], [])).toEqual({ bots: [], left: [], right: [] });
});
