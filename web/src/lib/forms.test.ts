import { expect, test } from "vitest";
import type { FieldShape } from "../api/types";
import { changesOf, defaultsOf, durationOf, filled, groupsOf, linesOfPairs, pairsOf } from "./forms";

const field = (name: string, more: Partial<FieldShape> = {}): FieldShape => ({ name, title: name, help: "", type: "text", ...more });
const WHAT = field("what", { required: true });
const THEN = field("then", { type: "groups", required: true, fields: [WHAT, field("where", { type: "pairs" })] });
const OPTIONS = field("options", { type: "group", required: true, fields: [THEN, field("within", { type: "duration", required: true, default: "15m" }), field("hours", { type: "group" })] });
const FIELDS = [field("name", { required: true }), field("by", { type: "words" }), OPTIONS];

test("a duration is a number and a unit, however it is told", () => {
  expect(durationOf("90s")).toEqual({ amount: "90", unit: "s" });
  expect(durationOf(900)).toEqual({ amount: "15", unit: "m" });
  expect(durationOf(45)).toEqual({ amount: "45", unit: "s" });
  expect([durationOf(""), durationOf("0s"), durationOf(undefined), durationOf("soon")]).toEqual([null, null, null, null]);
});

test("a group written in short is the same group", () => {
  expect(groupsOf(THEN, "handoff")).toEqual([{ what: "handoff" }]);
  expect(groupsOf(THEN, ["handoff", { what: "event x" }])).toEqual([{ what: "handoff" }, { what: "event x" }]);
  expect(groupsOf(THEN, undefined)).toEqual([]);
});

test("what is empty is left out, and what is not asked for stays", () => {
  const typed = { name: "a", by: [], other: 3, options: { then: [{ what: "handoff", where: {} }], within: "" } };
  expect(filled(FIELDS, typed)).toEqual({ name: "a", other: 3, options: { then: [{ what: "handoff" }] } });
});

test("only what is other is told, and what was emptied as null", () => {
  const before = { name: "a", by: ["bot"], options: { then: "handoff", within: "15m" } };
  expect(changesOf(FIELDS, before, { ...before, options: { within: "15m", then: [{ what: "handoff" }] } })).toEqual({ options: { within: "15m", then: [{ what: "handoff" }] } });
  expect(changesOf(FIELDS, before, { ...before, by: [] })).toEqual({ by: null });
  expect(changesOf(FIELDS, before, { ...before })).toEqual({});
});

test("a form begins with what is needed", () => {
  expect(defaultsOf(FIELDS)).toEqual({ options: { then: [{}], within: "15m" } });
});

test("pairs are lines, and a value may hold what parts them", () => {
  expect(pairsOf(" a = b=c \n\nd")).toEqual({ a: "b=c", d: "" });
  expect(linesOfPairs({ a: "b=c", d: "" })).toBe("a=b=c\nd=");
});
