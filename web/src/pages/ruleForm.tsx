// A rule of any kind: made, tried on what was, changed.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useMemo, useState } from "react";
import { ask, LONG_MS } from "../api/fetch";
import type { BacktestShape, KindShape, Rule, RuleItem, RulesPage, TrialShape } from "../api/types";
import { subjectOf } from "../lib/alerts";
import { changesOf, defaultsOf, filled, type Values } from "../lib/forms";
import { percent, seconds } from "../lib/format";
import { absolute } from "../lib/time";
import { useChange } from "./changing";
import { Fields, type Put, useForms } from "./form";
import { Answer, Choice, Link, Mark, Panel, Problem, Said, When } from "./parts";

const RULES = "/api/rules";
export const TRY_PERIODS = ["6h", "24h", "7d"] as const;
export type TryPeriod = (typeof TRY_PERIODS)[number];
const TYPING_MS = 600;
const NEVER_SEEN = "options: nothing can be judged"; // the event, action or field it names

/** The form that fits a rule there is; drift is a threshold, too, and is asked for as one. */
export const formOf = (kinds: readonly KindShape[], rule: Rule) => kinds.find(({ name }) => name === (rule.kind ?? "threshold"));

interface NewProps {
  /** Only this kind; else one chooses. */
  only?: string;
  title: string;
  begins?: string;
  done: (made: RuleItem) => void;
  close?: () => void;
}

export function NewRule({ only, title, begins = "threshold", done, close }: NewProps) {
  const kinds = useForms()?.rules;
  const [chosen, setChosen] = useState(only ?? begins);
  const kind = kinds?.find(({ name }) => name === chosen) ?? kinds?.[0];
  if (!kinds || !kind) return null;
  const choice = !only && <Choice label="What it judges" value={kind.name} options={kinds.map(({ name, help }) => [name, `${name}: ${help}`] as const)} onChange={setChosen} />;
  return <Making key={kind.name} kind={kind} title={title} done={done} close={close} choice={choice} />;
}

interface MakingProps {
  kind: KindShape;
  title: string;
  done: NewProps["done"];
  close: NewProps["close"];
  choice: ReactNode;
}

function Making({ kind, title, done, close, choice }: MakingProps) {
  const [values, setValues] = useState<Values>(() => defaultsOf(kind.options));
  const [trying, setTrying] = useState(false);
  const client = useQueryClient();
  const { change, error, busy } = useChange(RULES, "/api/contracts");
  const rule = { ...kind.given, ...filled(kind.options, values) } as unknown as Rule;
  const isContract = kind.name === "contract";
  const save = (unseen: boolean) => void change(() => ask<RuleItem>(RULES, { unseen: unseen || undefined }, rule)).then((made) => {
    if (!made) return;
    client.setQueryData<RulesPage>([RULES], (before) => before && { ...before, items: [...before.items, made] });
    done(made);
  });
  /** A contract is looked at on what has happened before it is saved. */
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (isContract && !trying) setTrying(true);
    else save(false);
  };
  return (
    <Panel title={title} aside={close ? <button type="button" onClick={close}>✕ Close</button> : <span className="quiet">rules may also come from files</span>}>
      <form onSubmit={add} className="made">
        {choice && <div className="filters">{choice}</div>}
        <Fields fields={kind.options} values={values} put={setValues} />
        {error && <Problem error={error} />}
        <p className="pad links">
          <button type="submit" className="primary" disabled={busy}>{isContract && !trying ? "Try it first" : "Add"}</button>
          {isContract && error?.message.startsWith(NEVER_SEEN) && <button type="button" disabled={busy} onClick={() => save(true)}>Add it all the same</button>}
          {!isContract && <button type="button" aria-pressed={trying} onClick={(event) => (trying || event.currentTarget.form?.reportValidity()) && setTrying(!trying)}>Try it first</button>}
        </p>
      </form>
      {trying && <Tried rule={rule} />}
    </Panel>
  );
}

const ELSEWHERE: readonly string[] = ["name", "severity", "notify", "message", "runbook"]; // asked for above

/** All else that a rule says, to be changed: what is changed is handed on, nothing is saved here. */
export function AllFields({ item, changed, put }: { item: Rule; changed: Values; put: Put }) {
  const kinds = useForms()?.rules;
  const fields = (kinds && formOf(kinds, item)?.options.filter(({ name }) => !ELSEWHERE.includes(name))) ?? [];
  const before: Values = useMemo(() => ({ ...item }), [item]);
  if (!fields.length) return null;
  return <Fields fields={fields} values={{ ...before, ...changed }} put={(work) => put((now) => changesOf(fields, before, work({ ...before, ...now })))} />;
}

/** What it would have done, over what is stored: of a contract what was kept, of any other the incidents. */
export function Tried({ rule, children }: { rule: Rule; children?: ReactNode }) {
  const [period, setPeriod] = useState<TryPeriod>(rule.kind === "contract" ? "7d" : "24h");
  const asked = usePaused(rule);
  return (
    <div className="tried">
      <p className="pad links">
        <b>What it would have done</b>
        <span className="segments" role="group" aria-label="Over how long">{TRY_PERIODS.map((one) => <button key={one} type="button" aria-pressed={one === period} onClick={() => setPeriod(one)}>{one}</button>)}</span>
      </p>
      {children}
      {asked.kind === "contract" && <ContractTried rule={asked} period={period} />}
      <RuleTried rule={asked} period={period} />
    </div>
  );
}

/** While one types, nothing is asked. */
function usePaused(rule: Rule): Rule {
  const [asked, setAsked] = useState(rule);
  const text = JSON.stringify(rule);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(JSON.parse(text) as Rule), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return asked;
}

function RuleTried({ rule, period }: { rule: Rule; period: TryPeriod }) {
  const would = useQuery({ queryKey: [`${RULES}/backtest`, period, rule], queryFn: () => ask<BacktestShape>(`${RULES}/backtest`, {}, { rule, period }, "POST", LONG_MS), placeholderData: (before) => before, staleTime: 60_000 });
  return <Answer of={would}>{(found) => <Would of={found} />}</Answer>;
}

const TOLD = 10;

export function Would({ of }: { of: BacktestShape }) {
  return (
    <div className="pad" aria-live="polite">
      <p><b>{of.incidents}</b> {of.incidents === 1 ? "incident" : "incidents"} of {of.subjects} judged, {of.incidents_a_day} a day, open for {seconds(of.open_seconds)} together.</p>
      {of.notes.map((note) => <p key={note} className="quiet">{note}</p>)}
      {of.items.length > 0 && (
        <ol className="steps">
          {of.items.slice(0, TOLD).map((item, place) => (
            <li key={place}>
              <time dateTime={item.startTime}>{absolute(new Date(item.startTime)).slice(0, 16)}</time> for {seconds(item.seconds)} <Said text={subjectOf(item.labels)} />
            </li>
          ))}
          {of.incidents > TOLD && <li className="quiet">and {of.incidents - TOLD} more</li>}
        </ol>
      )}
    </div>
  );
}

function ContractTried({ rule, period }: { rule: Rule; period: TryPeriod }) {
  const trial = useQuery({ queryKey: ["/api/contracts/check", period, rule], queryFn: () => ask<TrialShape>("/api/contracts/check", {}, { rule, period }, "POST", LONG_MS), placeholderData: (before) => before, staleTime: 60_000 });
  return <Answer of={trial}>{(found) => <Trial of={found} />}</Answer>;
}

function Trial({ of }: { of: TrialShape }) {
  const known = of.kept + of.breached;
  return (
    <div className="pad" aria-live="polite">
      <p>
        {known ? <><b>{percent(of.rate)}</b> kept: {of.kept} of {known}. Not kept {of.breached}{of.late > 0 && `, of them ${of.late} late`}.</> : <>Nothing had to follow in this time.</>}
        {of.open > 0 && ` ${of.open} not due yet.`}
      </p>
      {of.warnings?.map((warning) => <p key={warning}><Mark level="warning">note</Mark> <Said text={warning} /></p>)}
      {of.examples.length > 0 && (
        <ol className="steps">
          {of.examples.slice(0, TOLD).map((one, place) => (
            <li key={place}>
              <Mark level="warning">{one.followed ? "late" : "not at all"}</Mark> <Said text={[one.bot, one.channel, one.id].filter(Boolean).join(", ")} />, due <When at={one.due} />{" "}
              {one.links.map(({ name, url }) => <Link key={url} to={url ?? "/"}>{name}</Link>)}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
