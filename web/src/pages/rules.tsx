// The rules: the important ones as a form, all of them as a list, and each to be changed with a look at what it
// would have done.

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { ask, LONG_MS } from "../api/fetch";
import { useCatalogue, useEvery } from "../api/queries";
import type { BacktestShape, ChannelShape, Rule, RuleItem, RulesPage, ServiceList, Severity } from "../api/types";
import { asks, lasting, lasts, LEVELS, slider, unitOf } from "../lib/alerts";
import { formatOf } from "../lib/format";
import { rangeOf } from "../lib/range";
import { set } from "../lib/url";
import { useChange } from "./changing";
import { useParam } from "./filters";
import { JudgedChart, RuleCharts, RULES, useJudged } from "./judged";
import { Answer, Delete, Empty, Link, Mark, Panel, Problem, Said, Search } from "./parts";
import { AllFields, NewRule, Tried, Would } from "./ruleForm";
import { type Column, Table } from "./table";

/** The ones people look for first, by the names they have before anybody changed a thing. */
const IMPORTANT = ["CPU usage high", "Memory usage high", "Disk usage high", "Response time critical", "Error rate high", "Bot does not answer", "Service is down"];
const PERIODS = ["6h", "24h", "7d"] as const;
const SEVERITIES: readonly Severity[] = ["critical", "warning", "info"];
const DRAG_MS = 150;
const DAY = rangeOf(new URLSearchParams({ period: "24h" }));

function useRules() {
  const every = useEvery();
  return useQuery({ queryKey: [RULES], queryFn: () => ask<RulesPage>(RULES, { limit: 500 }), refetchInterval: every });
}
/** In what a rule's measure is told. */
function useUnits(): (rule: Rule) => string | undefined {
  const measures = useCatalogue().data?.measures;
  return (rule) => measures?.find(({ name, aliases }) => name === rule.field || aliases.includes(rule.field ?? ""))?.unit;
}

export const useChannels = () => useQuery({ queryKey: ["/api/channels"], queryFn: () => ask<ChannelShape[]>("/api/channels") });

export function Rules({ admin }: { admin: boolean }) {
  const asked = useRules();
  const get = useParam();
  return (
    <Answer of={asked}>
      {(page) => {
        const chosen = page.items.find(({ rule }) => rule.name === get("rule"));
        if (chosen) return <Edit key={chosen.rule.name} item={chosen} admin={admin} />;
        return (
          <>
            {get("new") && admin && <NewRule key={get("new")} title="A rule of your own" begins={get("new")} done={({ rule }) => set({ new: "", rule: rule.name })} close={() => set({ new: "" })} />}
            <Important items={page.items} admin={admin} />
            <All page={page} admin={admin} words={get("q")} />
          </>
        );
      }}
    </Answer>
  );
}

// --- the important ones

function Important({ items, admin }: { items: readonly RuleItem[]; admin: boolean }) {
  const channels = useChannels().data ?? [];
  const shown = IMPORTANT.flatMap((name) => items.filter(({ rule }) => rule.name === name));
  const [changes, setChanges] = useState<Record<string, Partial<Rule>>>({});
  const { change, error, busy } = useChange(RULES);
  if (!shown.length) return null;
  const save = (event: FormEvent) => {
    event.preventDefault();
    void change(async () => {
      for (const [name, changed] of Object.entries(changes)) await ask(`${RULES}/${encodeURIComponent(name)}`, {}, changed, "PATCH");
      return true;
    }).then((done) => done && setChanges({}));
  };
  return (
    <Panel title="Alert settings" aside={<span className="quiet">The rest is in the list below</span>}>
      <form onSubmit={save}>
        <ul className="plain settings">
          {shown.map(({ rule }) => {
            const now = { ...rule, ...changes[rule.name] };
            const put = (part: Partial<Rule>) => setChanges({ ...changes, [rule.name]: { ...changes[rule.name], ...part } });
            return <Setting key={rule.name} rule={now} put={put} channels={channels} admin={admin} />;
          })}
        </ul>
        {error && <Problem error={error} />}
        <p className="pad links end-of">
          <button type="submit" className="primary" disabled={!admin || busy || !Object.keys(changes).length}>Save</button>
          {Object.keys(changes).length > 0 && <button type="button" onClick={() => setChanges({})}>Undo</button>}
          {!admin && <span className="quiet">Only an admin can change them.</span>}
        </p>
      </form>
    </Panel>
  );
}

interface SettingProps {
  rule: Rule;
  put: (part: Partial<Rule>) => void;
  channels: readonly ChannelShape[];
  admin: boolean;
}

function Setting({ rule, put, channels, admin }: SettingProps) {
  return (
    <li className={rule.field === "service.up" ? "whole" : undefined}>
      <fieldset disabled={!admin}>
        <legend>
          <label className="check"><input type="checkbox" checked={rule.enabled ?? true} onChange={(event) => put({ enabled: event.target.checked })} /> <b><Said text={rule.name} /></b></label>{" "}
          <Link to={`/alerts/rules?rule=${encodeURIComponent(rule.name)}`} className="quiet">more</Link>
        </legend>
        <div className="filters">
          {rule.field === "service.up" ? <Services rule={rule} put={put} /> : <><Threshold rule={rule} put={put} /><Minutes rule={rule} put={put} /></>}
          <Notify rule={rule} put={put} channels={channels} />
        </div>
      </fieldset>
    </li>
  );
}

type Part = Pick<SettingProps, "rule" | "put">;

/** A ratio is shown in percent, as people say it. */
function Threshold({ rule, put }: Part) {
  const unit = useCatalogue().data?.measures.find(({ name }) => name === rule.field)?.unit;
  const by = rule.per ? 100 : 1;
  return (
    <label className="field">
      <span>Threshold{rule.per || unit === "percent" ? ", %" : unit && unit !== "count" ? `, ${unit}` : ""}</span>
      <input
        type="number" step="any" required className="short" value={Number(((rule.value ?? 0) * by).toPrecision(6))}
        onChange={(event) => event.target.value !== "" && put({ value: Number(event.target.value) / by, recover: null })}
      />
    </label>
  );
}

function Minutes({ rule, put }: Part) {
  return (
    <label className="field">
      <span>For, minutes</span>
      <input type="number" min={0.5} step={0.5} required className="short" value={lasts(rule) / 60} onChange={(event) => Number(event.target.value) > 0 && put(lasting(rule, Math.round(Number(event.target.value) * 6) * 10))} />
    </label>
  );
}

function Notify({ rule, put, channels }: Omit<SettingProps, "admin">) {
  const chosen = rule.notify ?? [];
  const toggle = (name: string, on: boolean) => put({ notify: on ? [...chosen, name] : chosen.filter((one) => one !== name) });
  return (
    <div className="field" role="group" aria-label={`Who is told of ${rule.name}`}>
      <span>Notify</span>
      <span className="links">
        {channels.map(({ name }) => <label key={name} className="check"><input type="checkbox" checked={chosen.includes(name)} onChange={(event) => toggle(name, event.target.checked)} /> <Said text={name} /></label>)}
        {channels.length === 0 ? <Link to="/alerts/channels">Add a channel</Link> : chosen.length === 0 && <span className="quiet">as the routes say</span>}
      </span>
    </div>
  );
}

/** Which services it is about: all, unless some are chosen. */
function Services({ rule, put }: Part) {
  const asked = useQuery({ queryKey: ["/api/services"], queryFn: () => ask<ServiceList>("/api/services") });
  const names = asked.data?.items.map(({ name }) => name) ?? [];
  const only = rule.where?.find((one) => one.startsWith("service="))?.slice("service=".length).split("|");
  const others = rule.where?.filter((one) => !one.startsWith("service=")) ?? [];
  const toggle = (name: string, on: boolean) => {
    const chosen = names.filter((one) => (one === name ? on : (only ?? names).includes(one)));
    put({ where: chosen.length === names.length || !chosen.length ? others : [...others, `service=${chosen.join("|")}`] });
  };
  return (
    <div className="field" role="group" aria-label="Services">
      <span>Services</span>
      <span className="links">
        {names.map((name) => <label key={name} className="check"><input type="checkbox" checked={(only ?? names).includes(name)} onChange={(event) => toggle(name, event.target.checked)} /> <Said text={name} /></label>)}
        {names.length === 0 && <span className="quiet">none is watched yet</span>}
      </span>
    </div>
  );
}

// --- all of them

function All({ page, admin, words }: { page: RulesPage; admin: boolean; words: string }) {
  const measured = useUnits();
  const { change, error } = useChange(RULES);
  const toggle = (rule: Rule) => void change(() => ask(`${RULES}/${encodeURIComponent(rule.name)}`, {}, { enabled: !rule.enabled }, "PATCH"));
  const items = page.items.filter(({ rule }) => `${rule.name} ${rule.field}`.toLowerCase().includes(words.toLowerCase()));
  const columns: Column<RuleItem>[] = [
    { name: "Rule", by: ({ rule }) => rule.name, cell: ({ rule }) => <Link to={`/alerts/rules?rule=${encodeURIComponent(rule.name)}`}><Said text={rule.name} /></Link> },
    { name: "Severity", by: ({ rule }) => rule.severity ?? "", cell: ({ rule }) => <Mark level={LEVELS[rule.severity ?? "warning"]}>{rule.severity}</Mark>, less: "middle" },
    { name: "Asks", cell: ({ rule }) => <Said text={asks(rule, measured(rule))} />, less: "middle" },
    { name: "For each", cell: ({ rule }) => rule.by?.join(", "), less: "wide" },
    { name: "From", by: ({ source }) => source, cell: ({ source, replaces }) => <><span className="nowrap"><Said text={source} /></span>{replaces && <span className="quiet"> in place of {replaces}</span>}</>, less: "wide" },
    { name: "Open", number: true, by: ({ open_incidents }) => open_incidents, cell: ({ rule, open_incidents }) => (open_incidents ? <Link to={`/alerts?rule=${encodeURIComponent(rule.name)}`}>{open_incidents}</Link> : "–") },
    {
      name: "State", cell: (item) => {
        if (!item.judged) return <Mark level="warning"><span title={item.problems.map(({ message }) => message).join("; ")}>cannot be judged</span></Mark>;
        return admin ? <button type="button" aria-pressed={item.rule.enabled} aria-label={`${item.rule.name}: ${item.rule.enabled ? "on" : "off"}`} onClick={() => toggle(item.rule)}>{item.rule.enabled ? "on" : "off"}</button> : item.rule.enabled ? "on" : "off";
      },
    },
  ];
  return (
    <Panel
      title="All rules"
      aside={
        <span className="links">
          {page.problems.length > 0 && <Mark level="warning">{page.problems.length} {page.problems.length === 1 ? "problem" : "problems"}</Mark>}
          {admin && <button type="button" onClick={() => { set({ new: "threshold" }); window.scrollTo(0, 0); }}>Add a rule</button>}
        </span>
      }
    >
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <Search label="Search rules" value={words} onChange={(value) => set({ q: value }, true)} />
      </form>
      {error && <Problem error={error} />}
      {page.problems.map((problem, place) => <p key={place} className="pad"><Mark level="warning"><Said text={`${problem.source}${problem.line ? `, line ${problem.line}` : ""}: ${problem.rule} ${problem.field} ${problem.message}`} /></Mark></p>)}
      {items.length ? <Table items={items} columns={columns} keyOf={({ rule }) => rule.name} /> : <Empty>No rule fits.</Empty>}
    </Panel>
  );
}

// --- one of them

function Edit({ item, admin }: { item: RuleItem; admin: boolean }) {
  const [changed, setChanged] = useState<Partial<Rule>>({});
  const rule = { ...item.rule, ...changed };
  const put = (part: Partial<Rule>) => setChanged({ ...changed, ...part });
  const channels = useChannels().data ?? [];
  const measured = useUnits();
  const { change, error, busy } = useChange(RULES);
  const address = `${RULES}/${encodeURIComponent(rule.name)}`;
  const save = (event: FormEvent) => {
    event.preventDefault();
    void change(() => ask(address, {}, changed, "PATCH")).then((done) => done && setChanged({}));
  };
  const reset = () => void change(() => ask(address, {}, undefined, "DELETE")).then(() => set({ rule: "" }));
  const valued = rule.kind === "threshold" || rule.kind === "ratio";
  const minutes = valued || rule.kind === "absence";
  return (
    <>
      <Panel title={<Said text={rule.name} />} aside={<Link to="/alerts/rules" className="button">✕ Close</Link>}>
        <p className="pad"><Said text={asks(rule, measured(rule))} />{rule.by?.length ? <>, for each {rule.by.join(", ")}</> : null}{rule.where?.length ? <>, where <Said text={rule.where.join(" and ")} /></> : null}.</p>
        {item.problems.map(({ message }) => <p key={message} className="pad"><Mark level="warning"><Said text={message} /></Mark></p>)}
        <form onSubmit={save}>
          <fieldset disabled={!admin} className="bare">
            <div className="filters">
              <label className="check"><input type="checkbox" checked={rule.enabled ?? true} onChange={(event) => put({ enabled: event.target.checked })} /> on</label>
              {valued && <Threshold rule={rule} put={put} />}
              {minutes && <Minutes rule={rule} put={put} />}
              <label className="field"><span>Severity</span><select value={rule.severity} onChange={(event) => put({ severity: event.target.value as Severity })}>{SEVERITIES.map((one) => <option key={one}>{one}</option>)}</select></label>
              <Notify rule={rule} put={put} channels={channels} />
            </div>
            <div className="filters">
              <label className="field search"><span>What to do about it</span><input value={rule.message ?? ""} maxLength={1_000} onChange={(event) => put({ message: event.target.value })} /></label>
              <label className="field search"><span>Runbook, an address</span><input value={rule.runbook ?? ""} maxLength={1_000} onChange={(event) => put({ runbook: event.target.value })} /></label>
            </div>
            <details className="everything" open={!minutes}>
              <summary>Everything it says</summary>
              <AllFields item={item.rule} changed={changed} put={setChanged} />
            </details>
          </fieldset>
          {error && <Problem error={error} />}
          <p className="pad links">
            <button type="submit" className="primary" disabled={!admin || busy || !Object.keys(changed).length}>Save</button>
            {Object.keys(changed).length > 0 && <button type="button" onClick={() => setChanged({})}>Undo</button>}
            {admin && item.changed && (item.replaces ? <button type="button" onClick={reset}>{`Back to the one from ${item.replaces}`}</button> : <Delete what={rule.name} busy={busy} run={reset} />)}
            <span className="quiet">from <Said text={item.source} /></span>
          </p>
        </form>
      </Panel>
      {valued && rule.field ? <Preview rule={rule} put={put} /> : <Panel title="On what was"><RuleCharts rule={rule} range={DAY} /><Tried rule={rule} /></Panel>}
    </>
  );
}

/** What it would have done, judged anew while the threshold is dragged. */
function Preview({ rule, put }: Part) {
  const [period, setPeriod] = useState<(typeof PERIODS)[number]>("24h");
  const [asked, setAsked] = useState(rule);
  const text = JSON.stringify(rule);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(JSON.parse(text) as Rule), DRAG_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const would = useQuery({
    queryKey: [`${RULES}/backtest`, period, asked],
    queryFn: () => ask<BacktestShape>(`${RULES}/backtest`, {}, { rule: asked, period }, "POST", LONG_MS),
    placeholderData: (before) => before,
    staleTime: 60_000,
  });
  const range = rangeOf(new URLSearchParams({ period }));
  const judged = useJudged(rule, range);
  const highest = judged.lines.flatMap(({ points }) => points.map(([, value]) => value ?? 0)).reduce((a, b) => Math.max(a, b), 0);
  const bounds = slider(rule.value ?? 0, judged.lines.length ? highest : null);
  return (
    <Panel
      title="What it would have done"
      aside={<span className="links">{judged.toggle}<span className="segments" role="group" aria-label="Over how long">{PERIODS.map((one) => <button key={one} type="button" aria-pressed={one === period} onClick={() => setPeriod(one)}>{one}</button>)}</span></span>}
    >
      <label className="drag pad">
        <span className="quiet">Drag the threshold: {formatOf(unitOf(rule, judged.unit))(rule.value ?? 0)}</span>
        <input type="range" {...bounds} value={rule.value ?? 0} onChange={(event) => put({ value: Number(event.target.value), recover: null })} />
      </label>
      <JudgedChart rule={rule} of={judged} range={range} />
      <Answer of={would}>{(found) => <Would of={found} />}</Answer>
    </Panel>
  );
}
