import { expect, test } from "vitest";
import { matching } from "./palette";
import { sorted } from "./table";

const commands = ["Overview", "Actions", "response.time"].map((name) => ({ name, kind: name.includes(".") ? "measure" : "tab", run: () => {} }));

test("all words must be found, in the name or the kind, and what begins with them comes first", () => {
  expect(matching(commands, "").length).toBe(3);
  expect(matching(commands, "time meas").map(({ name }) => name)).toEqual(["response.time"]);
  expect(matching(commands, "A").map(({ name }) => name)).toEqual(["Actions", "Overview", "response.time"]);
  expect(matching(commands, "zzz")).toEqual([]);
});

test("what has no value is last, whichever way it is sorted", () => {
  expect(sorted([3, null, 10, 2], (one) => one, false)).toEqual([2, 3, 10, null]);
  expect(sorted([3, null, 10, 2], (one) => one, true)).toEqual([10, 3, 2, null]);
  expect(sorted(["b", "a"], (one) => one, false)).toEqual(["a", "b"]);
});
