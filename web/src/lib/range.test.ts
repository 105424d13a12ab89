import { expect, test } from "vitest";
import { atSameTime, moved, periodChanges, rangeOf, stepOf, windowChanges } from "./range";

const of = (search: string) => rangeOf(new URLSearchParams(search));

test("a day unless the address says otherwise, or says nonsense", () => {
  for (const search of ["", "period=", "period=soon", "from=2024-01-01T00:00:00Z", "from=2024-01-02&to=2024-01-01", "from=a&to=b"]) {
    expect(of(search).query).toEqual({ period: "24h" });
  }
  expect(of("period=15m")).toMatchObject({ seconds: 900, custom: false });
});

test("a window of one's own is the same moment in every zone", () => {
  const found = of("from=2024-01-15T14:00:00Z&to=2024-01-15T15:30:00%2B01:00");
  expect(found.query).toEqual({ from: "2024-01-15T14:00:00.000Z", to: "2024-01-15T14:30:00.000Z" });
  expect(found).toMatchObject({ seconds: 1_800, custom: true });
});

test("steps are whole tens of seconds and about as many as wanted", () => {
  expect(["period=15m", "period=24h", "period=30d"].map((search) => stepOf(of(search), 100))).toEqual(["10s", "900s", "43200s"]);
});

test("a brush that is too fine shows a minute around it", () => {
  const made = windowChanges(1_000_000, 1_000_002);
  expect(of(new URLSearchParams(made).toString()).seconds).toBe(60);
});

test("one goes back by half, and never into the future", () => {
  const now = 1_700_000_000;
  const back = of(new URLSearchParams(moved(of("period=1h"), now, -0.5)).toString());
  expect(back.query).toEqual({ from: "2023-11-14T20:43:20.000Z", to: "2023-11-14T21:43:20.000Z" });
  const on = of(new URLSearchParams(moved(back, now, 5)).toString());
  expect("to" in on.query && Date.parse(on.query.to)).toBe(now * 1_000);
  expect(of(new URLSearchParams(moved(back, now, 0, 2)).toString()).seconds).toBe(7_200);
});

test("another page is shown at the same time", () => {
  expect(atSameTime("/actions?name=a", "?period=7d&q=x")).toBe("/actions?name=a&period=7d");
  expect(atSameTime("/", "")).toBe("/");
  expect(periodChanges("24h")).toEqual({ from: "", to: "", period: "" });
});
