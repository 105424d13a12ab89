import { expect, test } from "vitest";
import type { History, ServiceItem } from "../api/types";
import { flowsOf, levelOfService, packets, picture } from "./picture";

const bot = (name: string) => ({ name, heard: true });
const service = (name: string, status: ServiceItem["status"]) => ({ name, status }) as ServiceItem;
const series = (measure: string, bot: string, dependency: string, ...values: (number | null)[]) =>
  ({ measure, labels: { bot, dependency }, points: values.map((value, place) => [place * 60, value] as [number, number | null]), step_seconds: 60, notes: [] }) satisfies History["series"][number];

test("only what runs is green: a sealed vault is not", () => {
  expect((["running", "degraded", "sealed", "stopped", "unknown"] as const).map(levelOfService)).toEqual(["ok", "warning", "warning", "critical", "unknown"]);
  expect(levelOfService("of another version" as "running")).toBe("unknown");
});

test("what is watched and called under one name is one part, and what is only called is not judged", () => {
  const flows = [{ bot: "a", part: "Redis", perSecond: 1, failedShare: 0 }, { bot: "a", part: "openai", perSecond: 5, failedShare: 0 }];
  const found = picture([bot("a")], [service("redis", "running"), service("vault", "sealed")], flows, 10);
  expect(found.parts.map(({ name, level, says }) => [name, level, says])).toEqual([
    ["redis", "ok", "running"],
    ["vault", "warning", "sealed"],
    ["openai", "unknown", "not watched"],
  ]);
  expect(found.flows.map(({ part }) => part)).toEqual(["redis", "openai"]);
});

test("nothing lies over another, and all of it in the picture", () => {
  const names = Array.from({ length: 9 }, (_, place) => `s${place}`);
  const found = picture(["a", "b", "c"].map(bot), names.map((name) => service(name, "running")), [], 20);
  const places = [...found.bots, ...found.parts].map(({ x, y }) => `${x} ${y}`);
  expect(new Set(places).size).toBe(12);
  expect(found.parts.every(({ y }) => y >= 0 && y <= found.height)).toBe(true);
});

test("a flow to what is not shown is not drawn", () => {
  const flows = ["x", "y", "z"].map((part, place) => ({ bot: "a", part, perSecond: 3 - place, failedShare: 0 }));
  const found = picture([bot("a")], [], [...flows, { bot: "gone", part: "x", perSecond: 9, failedShare: 0 }], 2);
  expect(found.flows.map(({ bot, part }) => `${bot} ${part}`)).toEqual(["a x", "a y"]);
  expect(found.left).toBe(1);
});

test("traffic is calls by the second, and failures their share", () => {
  const found = flowsOf({
    from: "2024-01-01T00:00:00Z", to: "2024-01-01T00:05:00Z", step_seconds: 60, units: {},
    series: [series("dependency.count", "a", "x", 200, 100, null), series("dependency.errors", "a", "x", 30), series("dependency.count", "a", "y", 0)],
  });
  expect(found).toEqual([{ bot: "a", part: "x", perSecond: 1, failedShare: 0.1 }, { bot: "a", part: "y", perSecond: 0, failedShare: 0 }]);
});

test("packets move only where there is traffic, and more of it is more of them", () => {
  expect(packets(0)).toBeNull();
  expect(packets(Number.NaN)).toBeNull();
  expect(packets(0.1)).toEqual({ count: 1, everyS: 10, takesS: 3 });
  expect(packets(1)).toEqual({ count: 3, everyS: 3, takesS: 3 });
  const shown = [0.01, 0.1, 0.4, 0.7, 1, 3, 4, 10, 16].map((rate) => packets(rate)!);
  const rates = shown.map(({ count, everyS }) => count / everyS);
  expect([...rates].sort((a, b) => a - b)).toEqual(rates);
});
