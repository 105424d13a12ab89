// What is usual for a measure at this hour of the week: the band that baseline rules judge by.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ask } from "../api/fetch";
import type { Baseline } from "../api/types";
import { keyOf } from "../lib/series";
import type { Band } from "./chart";

const BASELINE = "/api/baseline";
const BANDS = 3; // of more lines one would see no line

export interface Usual {
  /** By the labels of the line. */
  bands: ReadonlyMap<string, Band>;
  note: string;
}

interface Asked {
  measure: string;
  by: readonly string[];
  where: readonly string[];
  from: string;
  to: string;
  stepS: number;
  /** So many seconds later: where a value stands at the end of what it is about. */
  lateS?: number;
}

export function useUsual(asked: Asked | null): { usual: Usual | undefined; error: Error | null } {
  const params = asked && { measure: asked.measure, by: asked.by.join(",") || "everything", where: asked.where, from: asked.from, to: asked.to, step: `${asked.stepS}s`, limit: BANDS };
  const { data, error } = useQuery({
    queryKey: [BASELINE, params],
    queryFn: () => ask<Baseline>(BASELINE, params ?? {}),
    enabled: params !== null,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  const late = asked?.lateS ?? 0;
  const usual = useMemo(() => (data ? bandsOf(data, late) : undefined), [data, late]);
  return { usual: asked ? usual : undefined, error: asked ? error : null };
}

function bandsOf({ at, series, left_out }: Baseline, lateS: number): Usual {
  const times = at.map((one) => one + lateS);
  const known = series.filter(({ high }) => high.some((value) => value !== null));
  const learning = series.find(({ learning }) => learning.text)?.learning.text ?? "";
  const others = left_out && known.length ? `usual of the first ${known.length} lines` : "";
  const none = series.length === 0 || known.length === 0 ? "it is not known yet what is usual" : "";
  return {
    bands: new Map(known.map(({ labels, low, high }) => [keyOf(labels), { at: times, low, high }])),
    note: [none, learning, others].filter(Boolean).join("; "),
  };
}

export function UsualToggle({ on, toggle, error }: { on: boolean; toggle: () => void; error?: Error | null }) {
  return (
    <span className="links">
      <button type="button" aria-pressed={on} className="toggle" title="Shade what is usual at this hour of the week" onClick={toggle}>Usual</button>
      {on && error && <span className="quiet">{error.message}</span>}
    </span>
  );
}
