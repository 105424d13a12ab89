// What the pages ask for, and how often.

import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { Range } from "../lib/range";
import { ask, Away, type Params, Refusal } from "./fetch";
import { JUDGING, STATUS, type Status, useLife } from "./live";
import type * as shapes from "./types";

const LIVE_MS = 5_000;
const SLOW_MS = 30_000;

/** What is `live` is asked for again when the stream says that something came; without a stream, every few seconds. */
function useAsked<T>(path: string, params: Params = {}, how: "live" | "pushed" | "slow" | "once" = "slow", enabled = true) {
  const { streaming } = useLife();
  const everyMs = how === "once" || (how === "pushed" && streaming) ? false : how === "slow" || streaming ? SLOW_MS : LIVE_MS;
  return useQuery({
    queryKey: [path, params],
    queryFn: () => ask<T>(path, params),
    refetchInterval: (query) => (mayPass(query.state.error) ? LIVE_MS : everyMs),
    placeholderData: keepPreviousData,
    meta: { live: how === "live" },
    enabled,
  });
}

/** How often what the stream tells of is asked for: seldom while there is a stream. */
export const useEvery = () => (useLife().streaming ? SLOW_MS : LIVE_MS);

/** How judging is doing, and how many incidents are open; the stream brings the second up to date. */
export function useJudging() {
  const every = useEvery();
  return useQuery({ queryKey: JUDGING, queryFn: () => ask<shapes.Judging>(JUDGING.join("/")), refetchInterval: every });
}

/** What will not be the same if one asks again: a server that is away, or busy with itself. */
const mayPass = (error: Error | null) => error instanceof Away || (error instanceof Refusal && error.status >= 500);

const one = (path: string, id: string) => `${path}/${encodeURIComponent(id)}`;

export const useMe = () =>
  useQuery({
    queryKey: ["me"],
    queryFn: () => ask<shapes.Me>("/api/auth/me"),
    staleTime: Infinity,
    refetchInterval: (query) => (query.state.error instanceof Away ? LIVE_MS : false),
  });
export const useStatus = () => useAsked<Status>(STATUS, {}, "pushed");
export const useHistory = (range: Range, params: Params, enabled = true) =>
  useAsked<shapes.History>("/api/monitoring/history", { ...range.query, ...params }, moves(range), enabled);
export const useCatalogue = () => useAsked<shapes.Catalogue>("/api/measures", { limit: 500 }, "once");
export const useValues = (measure: string, label: string, prefix = "") =>
  useAsked<shapes.LabelValues>(`/api/measures/${encodeURIComponent(measure)}/values`, { label, prefix, limit: 100 }, "once", Boolean(label));
export const useActions = (range: Range, params: Params) => useAsked<shapes.PageActionItem>("/api/actions", { ...range.query, ...params }, moves(range));
export const useDependencies = (range: Range, params: Params) =>
  useAsked<shapes.PageDependencyItem>("/api/dependencies", { ...range.query, ...params }, moves(range));
export const useModels = (range: Range, params: Params) => useAsked<shapes.PageModelItem>("/api/models", { ...range.query, ...params }, moves(range));
export const useSessions = (params: Params) => useAsked<shapes.SessionPage>("/api/monitoring/sessions", params, "live");
export const useHosts = () => useAsked<shapes.PageHostItem>("/api/hosts", { limit: 500 }, "live");
export const useServices = () => useAsked<shapes.ServiceList>("/api/services", {}, "live");
export const useService = (name: string, enabled: boolean) => useAsked<shapes.ServiceDetail>(one("/api/services", name), {}, "live", enabled);
export const useQueues = (params: Params) => useAsked<shapes.QueuePage>("/api/queues", params, "live");
export const useTrace = (id: string) => useAsked<shapes.Trace>(one("/api/traces", id), {}, "once");
export const useFault = (id: string) => useAsked<shapes.Fault>(one("/api/faults", id), {}, "slow");

/** What lies in the past changes no more. */
const moves = (range: Range) => (range.custom ? "once" : "slow");

/** Whoever waits for the first one sees it at once. */
export function useBots() {
  return useQuery({
    queryKey: ["bots"],
    queryFn: () => ask<shapes.PageBotItem>("/api/bots", { limit: 500 }),
    refetchInterval: (query) => (query.state.data?.items.length ? SLOW_MS : LIVE_MS),
  });
}

export function useSession(id: string, bot: string) {
  const { streaming } = useLife();
  return useQuery({
    queryKey: ["session", id, bot],
    queryFn: () => ask<shapes.Session>(one("/api/monitoring/sessions", id), { bot }),
    // What has ended changes no more.
    refetchInterval: (query) => (streaming || query.state.data?.session.state === "ended" ? SLOW_MS : LIVE_MS),
    meta: { live: true },
  });
}

/** Lists without an end: each page says where the next one begins. */
export const listOf = <T extends { next: string | null }>(path: string, params: Params) =>
  infiniteQueryOptions({
    queryKey: [path, "list", params],
    queryFn: ({ pageParam }) => ask<T>(path, { ...params, cursor: pageParam || undefined }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });

/** What is `live` moves by itself. */
export function useList<T extends { items: unknown[]; next: string | null }>(path: string, params: Params, live = false) {
  const every = useEvery();
  return useInfiniteQuery({
    ...listOf<T>(path, params),
    placeholderData: keepPreviousData,
    refetchInterval: live ? every : false,
  });
}
