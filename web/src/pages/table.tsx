// A table of anything: sorted by its headings, the order in the address.

import type { ReactNode } from "react";
import { set, useView } from "../lib/url";

export interface Column<T> {
  name: string;
  cell: (item: T) => ReactNode;
  /** What it is sorted by; without it, it is not. */
  by?: (item: T) => number | string | null;
  number?: boolean;
  /** Left out where there is little room. */
  less?: "middle" | "wide";
}

interface Props<T> {
  items: readonly T[];
  columns: readonly Column<T>[];
  keyOf: (item: T, place: number) => string;
  /** Whether a row is wholly a link, by the first link in it. */
  linked?: boolean;
  isChosen?: (item: T) => boolean;
}

export function Table<T>({ items, columns, keyOf, linked = false, isChosen }: Props<T>) {
  const wanted = useView().params.get("sort") ?? "";
  const [name, down] = wanted.startsWith("-") ? [wanted.slice(1), true] : [wanted, false];
  const column = columns.find((one) => one.by && one.name === name);
  const shown = column?.by ? sorted(items, column.by, down) : items;
  return (
    <table className={linked ? "rows" : ""}>
      <thead>
        <tr>
          {columns.map((one) => (
            <th key={one.name} className={classOf(one)} aria-sort={one === column ? (down ? "descending" : "ascending") : undefined}>
              {one.by ? (
                <button type="button" className="heading" onClick={() => set({ sort: next(one, one === column, down) }, true)}>
                  {one.name} <span aria-hidden="true">{one === column ? (down ? "▼" : "▲") : ""}</span>
                </button>
              ) : (
                one.name
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {shown.map((item, place) => (
          <tr key={keyOf(item, place)} className={isChosen?.(item) ? "chosen" : undefined}>
            {columns.map((one) => <td key={one.name} className={classOf(one)}>{one.cell(item)}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const classOf = <T,>(column: Column<T>) => [column.number ? "number" : "", column.less ?? ""].filter(Boolean).join(" ") || undefined;

/** Numbers are looked at from the greatest, names from the first; a third click leaves the order alone. */
function next<T>(column: Column<T>, current: boolean, down: boolean): string {
  const first = column.number ? `-${column.name}` : column.name;
  const second = column.number ? column.name : `-${column.name}`;
  const now = down ? `-${column.name}` : column.name;
  return !current ? first : now === first ? second : "";
}

/** What has no value comes last either way. */
export function sorted<T>(items: readonly T[], by: (item: T) => number | string | null, down: boolean): T[] {
  return [...items].sort((a, b) => {
    const [x, y] = [by(a), by(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
    return down ? -order : order;
  });
}
