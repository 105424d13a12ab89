// What a rule judges, drawn: its measure, of a ratio the quotient, of a composite each of its parts.

import { type ReactNode, useMemo, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { ask } from "../api/fetch";
import { useHistory } from "../api/queries";
import type { Rule, RulesPage } from "../api/types";
import { Chart, type Reach } from "../charts/chart";
import { useDeploys } from "../charts/happened";
import { type Usual, UsualToggle, useUsual } from "../charts/usual";
import { boundOf, partsOf, secondsIn } from "../lib/alerts";
import { type Range, stepOf } from "../lib/range";
import { is, linesOf, quotients, reachOf } from "../lib/series";
import { Link, Said } from "./parts";
import { Fixed } from "./reportPanels";

export const RULES = "/api/rules";
const POINTS = 240;
const LINES = 8;
const PARTS_MAX = 6; // of more one sees none

export interface Judged {
  lines: ReturnType<typeof linesOf>;
  unit: string | undefined;
  reach: Reach | null;
  usual: Usual | undefined;
  /** Null: of what it judges nobody knows what is usual. */
  toggle: ReactNode;
}

/** Over a time, and of one subject where one is given. */
export function useJudged(rule: Rule, range: Range, subject: Readonly<Record<string, string>> = {}): Judged {
  const [shaded, setShaded] = useState(false);
  const field = rule.field ?? "";
  const by = rule.by?.filter((one) => one !== "everything") ?? [];
  const own = by.filter((name) => subject[name]).map((name) => is(name, subject[name]!));
  const where = [...(rule.where ?? []), ...own];
  const history = useHistory(range, { measure: rule.per ? [field, rule.per] : [field], by: by.join(","), where, step: stepFor(rule, range) }, field !== "").data;
  const drawn = useMemo(() => (history && rule.per ? quotients(history, field, rule.per) : history), [history, field, rule.per]);
  const lines = useMemo(() => (drawn ? linesOf(drawn, field, field, !rule.per).slice(0, LINES) : []), [drawn, field, rule.per]);
  const mayShade = lines.length > 0 && !rule.per;
  const { usual, error } = useUsual(shaded && mayShade && drawn ? { measure: field, by, where, from: drawn.from, to: drawn.to, stepS: drawn.step_seconds } : null);
  return {
    lines, usual, unit: drawn?.units[field], reach: drawn ? reachOf(drawn) : null,
    toggle: mayShade ? <UsualToggle on={shaded} toggle={() => setShaded(!shaded)} error={error} /> : null,
  };
}

/** A ratio is of as much as the rule looks at: of less it would be another. */
const stepFor = (rule: Rule, range: Range) => (rule.per ? `${Math.max(Number.parseInt(stepOf(range, POINTS), 10), secondsIn(rule.timeframe))}s` : stepOf(range, POINTS));

interface DrawnProps {
  rule: Rule;
  of: Judged;
  range: Range;
  height?: number;
}

/** Where its time is not chosen by dragging over it: the page has its own. */
export function JudgedChart({ rule, of: { lines, unit, reach, usual }, range, height = 190 }: DrawnProps) {
  const bot = rule.where?.find((one) => one.startsWith("bot="))?.slice("bot=".length) ?? "";
  const deploys = useDeploys(range.query, bot.includes("|") ? "" : bot);
  const banded = useMemo(() => lines.map((line) => ({ ...line, band: usual?.bands.get(line.key) })), [lines, usual]);
  if (!reach || !lines.length) return <p className="pad quiet">{reach ? "Nothing of it in this time." : "Loading…"}</p>;
  const bound = boundOf(rule);
  return (
    <Fixed>
      <Chart
        lines={banded} label={`${rule.field}${rule.per ? ` by ${rule.per}` : ""}, ${range.label}`} unit={unit} height={height} span={range.label} window={reach}
        bounds={bound === null ? null : { warning: bound, critical: bound }} happened={deploys} note={usual?.note ?? ""}
      />
    </Fixed>
  );
}

/** What any rule judges, over a time. */
export function RuleCharts({ rule, range }: { rule: Rule; range: Range }) {
  if (rule.kind === "composite") return <PartCharts rule={rule} range={range} />;
  return rule.field ? <OwnChart rule={rule} range={range} /> : null;
}

function OwnChart({ rule, range }: { rule: Rule; range: Range }) {
  const judged = useJudged(rule, range);
  return <><JudgedChart rule={rule} of={judged} range={range} />{judged.toggle && <p className="pad">{judged.toggle}</p>}</>;
}

/** Of the rules a composite one is made of, what each of them judges. */
export function PartCharts({ rule, range, subject }: { rule: Rule; range: Range; subject?: Readonly<Record<string, string>> }) {
  const known = useQuery({ queryKey: [RULES], queryFn: () => ask<RulesPage>(RULES, { limit: 500 }) }).data?.items;
  if (!known) return <p className="pad quiet">Loading…</p>;
  const names = partsOf(rule);
  return (
    <div className="charts">
      {names.slice(0, PARTS_MAX).map((name) => {
        const part = known.find((one) => one.rule.name === name)?.rule;
        return (
          <section key={name}>
            <h3><Link to={`/alerts/rules?rule=${encodeURIComponent(name)}`}><Said text={name} /></Link></h3>
            {!part ? <p className="quiet">There is no rule of this name any more.</p> : part.field ? <Part rule={part} range={range} subject={subject} /> : <p className="quiet">It is made of others.</p>}
          </section>
        );
      })}
      {names.length > PARTS_MAX && <p className="quiet">and {names.length - PARTS_MAX} more</p>}
    </div>
  );
}

/** One rule's own, of one subject where one is given. */
export function Part({ rule, range, subject, height = 130 }: { rule: Rule; range: Range; subject: Readonly<Record<string, string>> | undefined; height?: number }) {
  return <JudgedChart rule={rule} of={useJudged(rule, range, subject)} range={range} height={height} />;
}
