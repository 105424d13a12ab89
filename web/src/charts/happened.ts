// What happened in the time that is shown: another version of a bot.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ask } from "../api/fetch";
import type { PageChangeItem } from "../api/types";
import type { Range } from "../lib/range";
import type { Happening } from "./chart";

const CHANGES = "/api/changes";
const SLOW_MS = 60_000;
const MOST = 100;

/** All charts of a time share the answer. Where one bot is looked at, only its own. */
export function useDeploys(query: Range["query"] | null, bot: string): readonly Happening[] | undefined {
  const found = useQuery({
    queryKey: [CHANGES, "deploys", query, bot],
    queryFn: () => ask<PageChangeItem>(CHANGES, { ...query, kind: "deploy", bot, limit: MOST }),
    placeholderData: keepPreviousData,
    staleTime: SLOW_MS,
    refetchInterval: query && "from" in query ? false : SLOW_MS,
    enabled: query !== null,
  }).data;
  return useMemo(() => found?.items.map(({ at, text }) => ({ at: Date.parse(at) / 1_000, text })), [found]);
}
