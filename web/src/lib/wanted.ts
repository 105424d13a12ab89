// What is asked of the measures, as it stands in an address.

export interface Wanted {
  measure: string;
  by: readonly string[];
  where: readonly string[];
  as: string;
}

export const USUAL_MEASURE = "response.time.p95";
const NAMES = ["measure", "by", "where", "as"];

export function wantedOf(params: URLSearchParams): Wanted {
  const by = (params.get("by") ?? "").split(",").filter(Boolean);
  return { measure: params.get("measure") ?? USUAL_MEASURE, by, where: params.getAll("where"), as: params.get("as") ?? "" };
}

/** What the address says of other things is kept. */
export function addressOf({ measure, by, where, as }: Wanted, params = new URLSearchParams()): string {
  const said = new URLSearchParams({ measure });
  if (by.length) said.set("by", by.join(","));
  where.forEach((condition) => said.append("where", condition));
  if (as) said.set("as", as);
  for (const [name, value] of params) if (!NAMES.includes(name)) said.append(name, value);
  return said.toString();
}

/** Of panels, by their places: numbers that follow each other stand side by side, any other alone. */
export function rowsOf(panels: readonly { drawn?: string }[]): number[][] {
  const found: number[][] = [];
  panels.forEach(({ drawn }, place) => {
    const last = found.at(-1);
    if (drawn === "number" && last && panels[last[0]!]!.drawn === "number") last.push(place);
    else found.push([place]);
  });
  return found;
}
