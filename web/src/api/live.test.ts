import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listen } from "./live";

class Stream {
  static all: Stream[] = [];
  heard: Record<string, (event: { data: string }) => void> = {};
  onerror = () => {};
  constructor() {
    Stream.all.push(this);
  }
  addEventListener(name: string, listener: (event: { data: string }) => void) {
    this.heard[name] = listener;
  }
  close() {}
}

const TICK = { as_of: "", status: null, away: null, changed: [], incidents: [], open: null, services: [], rules: false };
const tick = (more = {}) => Stream.all.at(-1)!.heard["tick"]!({ data: JSON.stringify({ ...TICK, ...more }) });

let client: QueryClient;
let stop: () => void;
const stale = () => client.getQueryCache().getAll().filter((query) => query.state.isInvalidated).map((query) => query.queryKey[0]);

beforeEach(() => {
  Stream.all = [];
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Stream);
  vi.stubGlobal("document", { hidden: false, addEventListener() {}, removeEventListener() {} });
  client = new QueryClient();
  for (const path of ["/api/incidents", "/api/rules", "/api/services", "/api/logs"]) client.setQueryData([path], {});
  stop = listen(client);
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a tick asks anew only for what it names", async () => {
  tick({ rules: true });
  await vi.advanceTimersByTimeAsync(2_500);
  expect(stale()).toEqual(["/api/rules"]);
});

test("who is told to have missed ticks asks for all they could have told of, and for nothing else", async () => {
  tick();
  await vi.advanceTimersByTimeAsync(2_500);
  expect(stale()).toEqual([]);
  Stream.all[0]!.heard["missed"]!({ data: '{"ticks":3}' });
  await vi.advanceTimersByTimeAsync(2_500);
  expect(stale()).toEqual(["/api/incidents", "/api/rules", "/api/services"]);
});

test("a stream that was away is caught up with when it is back", async () => {
  tick();
  Stream.all[0]!.onerror();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(Stream.all).toHaveLength(2);
  expect(stale()).toEqual([]);
  tick();
  await vi.advanceTimersByTimeAsync(2_500);
  expect(stale()).toEqual(["/api/incidents", "/api/rules", "/api/services"]);
});
