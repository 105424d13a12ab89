// Which page numbers stand below a table: ◀ 1 2 3 4 5 … 25 ▶

/** `null` is a gap. The first and the last are always there, and five in a row around the current one. */
export function numbers(page: number, last: number): (number | null)[] {
  if (last <= 7) return Array.from({ length: last }, (_, place) => place + 1);
  const from = Math.max(1, Math.min(page - 2, last - 4));
  const row = Array.from({ length: 5 }, (_, place) => from + place);
  const head = from === 1 ? [] : from === 2 ? [1] : from === 3 ? [1, 2] : [1, null];
  const to = from + 4;
  const tail = to === last ? [] : to === last - 1 ? [last] : to === last - 2 ? [last - 1, last] : [null, last];
  return [...head, ...row, ...tail];
}

/** Where nobody counted all of them: one more than this page if there is one. */
export function lastPage(page: number, size: number, total: number | null, more: boolean): number {
  if (total !== null) return Math.max(1, Math.ceil(total / size));
  return more ? page + 1 : page;
}
