// The spans of a trace as a tree, each where it belongs in time.

import type { SpanItem } from "../api/types";

export interface Row {
  span: SpanItem;
  depth: number;
  /** In percent of the trace. */
  left: number;
  width: number;
}

const DEPTH_SHOWN_MAX = 24;

/** Parents before their children, in the order they began. A span whose parent never came stands at the root. */
export function rows(spans: readonly SpanItem[], durationNs: number): Row[] {
  const known = new Set(spans.map((span) => span.span_id));
  const under = new Map<string, SpanItem[]>();
  for (const span of spans) {
    const parent = span.parent_span_id !== null && known.has(span.parent_span_id) ? span.parent_span_id : "";
    const siblings = under.get(parent);
    if (siblings) siblings.push(span);
    else under.set(parent, [span]);
  }
  const found: Row[] = [];
  const seen = new Set<SpanItem>();
  const walk = (roots: readonly SpanItem[]) => {
    const waiting = roots.map((span) => ({ span, depth: 0 })).reverse();
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      if (seen.has(next.span)) continue;
      seen.add(next.span);
      found.push({ span: next.span, depth: Math.min(next.depth, DEPTH_SHOWN_MAX), ...place(next.span, durationNs) });
      const depth = next.depth + 1;
      for (const span of [...(under.get(next.span.span_id) ?? [])].reverse()) waiting.push({ span, depth });
    }
  };
  walk(under.get("") ?? []);
  walk(spans); // what hangs below itself is lost to no one
  return found;
}

function place(span: SpanItem, durationNs: number): { left: number; width: number } {
  const whole = Math.max(1, durationNs);
  const left = Math.min(100, Math.max(0, (span.offset_ns / whole) * 100));
  return { left, width: Math.min(100 - left, Math.max(0, (span.duration_ns / whole) * 100)) };
}
