// What the pages ask for, and how often.

import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ask, Away, type Params, Refusal } from "./fetch";
import type * as shapes from "./types";

const LIVE_MS = 5_000;
const SLOW_MS = 30_000;

function useAsked<T>(path: string, params: Params = {}, everyMs: number | false = LIVE_MS, enabled = true) {
  return useQuery({
    queryKey: [path, params],
    queryFn: () => ask<T>(path, params),
    refetchInterval: (query) => (mayPass(query.state.error) ? LIVE_MS : everyMs),
    placeholderData: keepPreviousData,
    enabled,
  });
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
export const useStatus = () => useAsked<shapes.Status>("/api/monitoring/status");
export const useHistory = (measure: readonly string[]) => useAsked<shapes.History>("/api/monitoring/history", { measure, period: "24h", step: "15m" }, SLOW_MS);
export const useCatalogue = () => useAsked<shapes.Catalogue>("/api/measures", { limit: 1 }, false);
export const useActions = () => useAsked<shapes.PageActionItem>("/api/actions", { limit: 12 }, SLOW_MS);
export const useDependencies = () => useAsked<shapes.PageDependencyItem>("/api/dependencies", { limit: 12 }, SLOW_MS);
export const useSessions = (params: Params) => useAsked<shapes.SessionPage>("/api/monitoring/sessions", params);
export const useTrace = (id: string) => useAsked<shapes.Trace>(one("/api/traces", id), {}, false);

/** Whoever waits for the first one sees it at once. */
export function useBots() {
  return useQuery({
    queryKey: ["bots"],
    queryFn: () => ask<shapes.PageBotItem>("/api/bots", { limit: 500 }),
    refetchInterval: (query) => (query.state.data?.items.length ? SLOW_MS : LIVE_MS),
  });
}

export function useSession(id: string, bot: string) {
  return useQuery({
    queryKey: ["session", id, bot],
    queryFn: () => ask<shapes.Session>(one("/api/monitoring/sessions", id), { bot }),
    // What has ended changes no more.
    refetchInterval: (query) => (query.state.data?.session.state === "ended" ? SLOW_MS : LIVE_MS),
  });
}

/** Lists without an end: each page says where the next one begins. */
export function useList<T extends { items: unknown[]; next: string | null }>(path: string, params: Params) {
  return useInfiniteQuery({
    queryKey: [path, "list", params],
    queryFn: ({ pageParam }) => ask<T>(path, { ...params, cursor: pageParam || undefined }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  });
}
