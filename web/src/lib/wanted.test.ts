import { expect, test } from "vitest";
import { addressOf, rowsOf, USUAL_MEASURE, wantedOf } from "./wanted";

test("what is asked of the measures comes back from the address it was put into", () => {
  const wanted = { measure: "messages.count", by: ["bot", "channel"], where: ["bot=a&b", "channel=x\\|y"], as: "rate" };
  const address = addressOf(wanted, new URLSearchParams("period=7d&by=host&where=host=a&sort=-Last"));
  expect(wantedOf(new URLSearchParams(address))).toEqual(wanted);
  expect(new URLSearchParams(address).get("period")).toBe("7d");
  expect(new URLSearchParams(address).get("sort")).toBe("-Last");
});

test("an address that says nothing asks for the usual measure, and an empty condition is none", () => {
  expect(wantedOf(new URLSearchParams("by=,"))).toEqual({ measure: USUAL_MEASURE, by: [], where: [], as: "" });
  expect(addressOf(wantedOf(new URLSearchParams()))).toBe(`measure=${USUAL_MEASURE}`);
});

test("numbers that follow each other stand in one row", () => {
  const drawn = (...kinds: string[]) => rowsOf(kinds.map((kind) => ({ drawn: kind })));
  expect(drawn("number", "number", "lines", "number", "table", "table")).toEqual([[0, 1], [2], [3], [4], [5]]);
  expect(drawn("lines", "number")).toEqual([[0], [1]]);
  expect(rowsOf([{}, {}])).toEqual([[0], [1]]);
  expect(rowsOf([])).toEqual([]);
});
