// While there is nothing else to do, what the other tabs ask first is asked for, one question after the other: whoever
// goes there sees it at once, and what is newer a moment later. A test holds the questions to what the pages ask.

import type { QueryClient } from "@tanstack/react-query";
import { LATELY, type Range, stepOf } from "../lib/range";
import { ask, type Params } from "./fetch";
import { listOf } from "./queries";

const SETTLED_MS = 1_500;
const HISTORY = "/api/monitoring/history";

const questions = (range: Range): [path: string, params: Params][] => [
  ["/api/monitoring/sessions", { state: "active", bot: "", channel: "", q: "", limit: "10", page: 1 }],
  ["/api/services", {}],
  ["/api/hosts", { limit: 500 }],
  [HISTORY, { ...LATELY.query, measure: ["dependency.count", "dependency.errors"], by: "bot,dependency", step: "60s" }],
  [HISTORY, { ...range.query, measure: ["cpu.usage", "mem.usage", "gpu.usage", "disk.usage"], by: "host", step: stepOf(range, 120) }],
  [HISTORY, { ...range.query, measure: ["action.count", "action.error_rate", "action.latency.p95"], by: "action", where: [], step: stepOf(range, 120) }],
  ["/api/actions", { ...range.query, bot: "", limit: 500 }],
];

const lists = (range: Range): [path: string, params: Params][] => [
  ["/api/incidents", { severity: "", rule: "", open: true, limit: 50 }],
  ["/api/logs", { q: "", bot: "", level: [], ...range.query, limit: 100, buckets: 60 }],
  ["/api/drift", { live: true, source: "", limit: 20 }],
  ["/api/payloads/invalid", { ...range.query, source: "", fault: "", limit: 20 }],
];

/** Once, and only what is not known yet; what cannot be asked is left to the page. Call what it gives to stop. */
export function askAhead(client: QueryClient, range: Range): () => void {
  let stopped = false;
  const kept = { staleTime: Infinity };
  const timer = setTimeout(async () => {
    for (const [path, params] of questions(range)) if (!stopped) await client.prefetchQuery({ queryKey: [path, params], queryFn: () => ask(path, params), ...kept });
    for (const [path, params] of lists(range)) if (!stopped) await client.prefetchInfiniteQuery({ ...listOf<{ next: string | null }>(path, params), ...kept });
    if (!stopped) await client.prefetchQuery({ queryKey: ["/api/payloads/sources"], queryFn: () => ask("/api/payloads/sources"), ...kept });
  }, SETTLED_MS);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
