import { expect, test } from "vitest";
import type { SpanItem } from "../api/types";
import { rows } from "./waterfall";

const span = (id: string, parent: string | null, offset_ns: number, duration_ns: number) =>
  ({ span_id: id, parent_span_id: parent, offset_ns, duration_ns }) as SpanItem;
const told = (spans: SpanItem[]) => rows(spans, 100).map((row) => `${" ".repeat(row.depth)}${row.span.span_id}`);

test("children follow their parent in the order they began", () => {
  const spans = [span("a", null, 0, 100), span("b", "a", 5, 10), span("c", "b", 6, 2), span("d", "a", 20, 70)];
  expect(told(spans)).toEqual(["a", " b", "  c", " d"]);
});

test("a span whose parent never came is shown all the same", () => {
  expect(told([span("b", "gone", 5, 10), span("c", "b", 6, 2)])).toEqual(["b", " c"]);
});

test("a circle of parents ends, and hides nothing", () => {
  expect(told([span("a", "b", 0, 1), span("b", "a", 1, 1), span("c", "c", 2, 1)]).map((row) => row.trim())).toEqual(["a", "b", "c"]);
});

test("two spans of one id are both shown", () => {
  expect(rows([span("a", null, 0, 1), span("a", null, 1, 1)], 100)).toHaveLength(2);
});

test("a bar stays within the picture, whatever its clock said", () => {
  for (const row of rows([span("a", null, -50, 500), span("b", null, 99, 50), span("c", null, 400, 1)], 100)) {
    expect(row.left).toBeGreaterThanOrEqual(0);
    expect(row.left + row.width).toBeLessThanOrEqual(100);
  }
});

test("a deep trace is walked without the stack", () => {
  const spans = Array.from({ length: 20_000 }, (_, place) => span(`s${place}`, place ? `s${place - 1}` : null, place, 1));
  expect(rows(spans, 20_000)).toHaveLength(20_000);
});
