// Several measures side by side, each a way to look at it closer.

import type { History } from "../api/types";
import { Link } from "../pages/parts";
import { MeasureChart } from "./measureChart";

interface Props {
  of: History | undefined;
  charts: readonly { title: string; measures: Record<string, string> }[];
  span: string;
  most: number;
  by?: string;
  counted?: boolean;
  /** Four in a row, where there is room. */
  narrow?: boolean;
}

export function Charts({ of, charts, span, most, by = "", counted = true, narrow = false }: Props) {
  return (
    <div className={narrow ? "charts narrow" : "charts"}>
      {charts.map(({ title, measures }) => (
        <section key={title}>
          <h3><Link to={`/explore/measures?measure=${Object.keys(measures)[0]}${by && `&by=${by}`}`} sameTime>{title}</Link></h3>
          <MeasureChart of={of} measures={measures} height={150} span={span} most={most} counted={counted} />
        </section>
      ))}
    </div>
  );
}
