// The one form: whatever the API describes as fields, it asks for. What is made in the pages is made with it.

import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type ReactNode, useId, useState } from "react";
import { ask } from "../api/fetch";
import { useBots, useCatalogue } from "../api/queries";
import type { ChannelShape, FieldShape, FormsShape, RulesPage } from "../api/types";
import { durationOf, groupOf, groupsOf, linesOfPairs, pairsOf, type Unit, UNITS, type Values } from "../lib/forms";
import { fieldTime } from "../lib/time";
import { plain } from "../lib/text";
import { Said } from "./parts";

const BOXES_MAX = 12; // more choices than that are typed

export const useForms = () => useQuery({ queryKey: ["/api/forms"], queryFn: () => ask<FormsShape>("/api/forms"), staleTime: Infinity }).data;

type Offer = (field: FieldShape) => readonly string[];

/** What can be offered where one types: the measures, labels, rules, channels and bots there are. */
function useOffers(values: Values): Offer {
  const catalogue = useCatalogue().data;
  const bots = useBots().data?.items ?? [];
  const rules = useQuery({ queryKey: ["/api/rules"], queryFn: () => ask<RulesPage>("/api/rules", { limit: 500 }), staleTime: 15_000 }).data?.items ?? [];
  const channels = useQuery({ queryKey: ["/api/channels"], queryFn: () => ask<ChannelShape[]>("/api/channels"), staleTime: 15_000 }).data ?? [];
  const measure = catalogue?.measures.find(({ name, aliases }) => name === values["field"] || aliases.includes(String(values["field"])));
  const labels = measure?.labels ?? ["bot", "host", "channel", "service", "rule", "severity"];
  return ({ suggest, choices }) => {
    switch (suggest) {
      case "measures": return [...(catalogue?.measures.map(({ name }) => name) ?? []), ...(catalogue?.metrics.map(({ name }) => `metric:${name}`) ?? [])];
      case "labels": return [...labels, "everything"];
      case "conditions": return labels.map((label) => `${label}=`);
      case "rules": return rules.map(({ rule }) => rule.name);
      case "channels": return channels.map(({ name }) => name);
      case "bots": return bots.map(({ name }) => name);
      case "zones": return Intl.supportedValuesOf("timeZone");
      default: return choices ?? [];
    }
  };
}

/** What was changed a moment ago may not be on the page yet: a change is of what is there then. */
export type Put = (change: (values: Values) => Values) => void;

interface FieldsProps {
  fields: readonly FieldShape[];
  values: Values;
  put: Put;
  /** What is kept and not shown, by name: it stays when nothing else is given. */
  kept?: readonly string[];
}

export function Fields(props: FieldsProps) {
  return <Several {...props} offer={useOffers(props.values)} />;
}

type Inner = FieldsProps & { offer: Offer };

function Several({ fields, values, put, kept = [], offer }: Inner) {
  const all = flat(fields, values, put);
  const one = ({ field, value, change }: Entry) => <Field key={field.name} field={field} value={value} change={change} put={(next) => change(() => next)} kept={kept.includes(field.name)} offer={offer} />;
  const seldom = all.filter(({ field }) => field.more);
  const told = seldom.some(({ value }) => value !== undefined && value !== null);
  return (
    <div className="fields">
      {all.filter(({ field }) => !field.more).map(one)}
      {seldom.length > 0 && (
        <details className="whole" open={told || undefined}>
          <summary>More</summary>
          <div className="fields">{seldom.map(one)}</div>
        </details>
      )}
    </div>
  );
}

interface Entry {
  field: FieldShape;
  value: unknown;
  change: Change;
}

type Change = (work: (value: unknown) => unknown) => void;

/** A group without a title is none for people: its fields stand among the others. */
function flat(fields: readonly FieldShape[], values: Values, put: Put): Entry[] {
  return fields.flatMap((field) => {
    const change: Change = (work) => put((now) => ({ ...now, [field.name]: work(now[field.name]) }));
    if (field.type === "group" && !field.title) return flat(field.fields ?? [], groupOf(field, values[field.name]), (work) => change((value) => work(groupOf(field, value))));
    return [{ field, value: values[field.name], change }];
  });
}

interface FieldProps {
  field: FieldShape;
  value: unknown;
  change: Change;
  put: (value: unknown) => void;
  kept: boolean;
  offer: Offer;
}

function Field(props: FieldProps) {
  const { field, value, put, offer } = props;
  if (field.type === "group") return <Group {...props} />;
  if (field.type === "groups") return <Groups {...props} />;
  if (field.type === "flag") return <Labelled field={field} box><input type="checkbox" checked={Boolean(value ?? field.default)} onChange={(event) => put(event.target.checked)} /></Labelled>;
  if (field.type === "words") {
    const [some, offered] = [wordsOf(value), offer(field)];
    const boxes = (field.choices?.length || field.suggest === "channels") && offered.length > 0 && offered.length <= BOXES_MAX && some.every((one) => offered.includes(one));
    return boxes ? <Boxes {...props} offered={offered} /> : <Words {...props} offered={offered} />;
  }
  return <Labelled field={field}>{(id) => <Input {...props} id={id} />}</Labelled>;
}

function Labelled({ field, box = false, children }: { field: FieldShape; box?: boolean; children: ReactNode | ((id: string) => ReactNode) }) {
  const id = useId();
  const help = field.help && <small id={`${id}-help`} className="quiet">{field.help}</small>;
  if (typeof children !== "function") return <div className={box ? "field box" : "field"}><label className="check">{children} {field.title}</label>{help}</div>;
  return (
    <div className={field.type === "pairs" ? "field whole" : "field"}>
      <label htmlFor={id}>{field.title}{field.required && <span aria-hidden="true" className="needed" title="needed"> *</span>}</label>
      {children(id)}
      {help}
    </div>
  );
}

function Input({ field, value, put, kept, offer, id }: FieldProps & { id: string }) {
  const offered = offer(field);
  const common = { id, required: Boolean(field.required) && !kept, ...(field.help ? { "aria-describedby": `${id}-help` } : {}) };
  const usual = (typeof field.default === "string" || typeof field.default === "number" ? String(field.default) : "") || field.example || "";
  switch (field.type) {
    case "choice":
      return (
        <select {...common} value={String(value ?? field.default ?? "")} onChange={(event) => put(event.target.value)}>
          {!field.required && (field.default === undefined || field.default === null) && <option value="">–</option>}
          {field.choices?.map((one) => <option key={one} value={one}>{WORDS[one] ?? one}</option>)}
        </select>
      );
    case "number":
    case "percent": {
      const by = field.type === "percent" ? 100 : 1;
      const shown = typeof value === "number" ? Number((value * by).toPrecision(12)) : "";
      const bound = (at: number | null | undefined) => (at === undefined || at === null ? {} : at * by);
      return (
        <span className="unit">
          <input
            {...common} type="number" step="any" value={shown} placeholder={typeof field.default === "number" ? String(field.default * by) : ""}
            {...(typeof bound(field.least) === "number" ? { min: bound(field.least) as number } : {})} {...(typeof bound(field.most) === "number" ? { max: bound(field.most) as number } : {})}
            onChange={(event) => put(event.target.value === "" ? undefined : Number(event.target.value) / by)}
          />
          {by === 100 && <span aria-hidden="true">%</span>}
        </span>
      );
    }
    case "duration":
      return <Duration common={common} value={value} usual={field.default} put={put} title={field.title} />;
    case "time":
      return <input {...common} type="time" value={clockOf(value)} onChange={(event) => put(event.target.value)} />;
    case "moment":
      return <input {...common} type="datetime-local" value={typeof value === "string" && value ? fieldTime(new Date(value)) : ""} onChange={(event) => put(event.target.value ? new Date(event.target.value).toISOString() : undefined)} />;
    case "pairs":
      return <Pairs common={common} value={value} usual={kept ? "kept; what you type stands in its place" : field.example || "name=value, one a line"} put={put} />;
    default:
      return (
        <>
          <input
            {...common} type={field.secret && !field.name.endsWith("url") ? "password" : "text"} value={typeof value === "string" ? value : value === undefined || value === null ? "" : String(value)}
            placeholder={kept ? "kept; empty: as it is" : plain(usual)} autoComplete={field.secret ? "new-password" : "off"} spellCheck={false} maxLength={4_000}
            {...(offered.length ? { list: `${id}-list` } : {})} onChange={(event) => put(event.target.value)}
          />
          {offered.length > 0 && <Offered id={`${id}-list`} words={offered} />}
        </>
      );
  }
}

/** What the API calls otherwise than people do. */
const WORDS: Record<string, string> = { equalOrMoreThan: "at least", equalOrLessThan: "at most", avg: "average", sum: "sum", min: "lowest", max: "highest", last: "last value", count: "number of values" };

const Offered = ({ id, words }: { id: string; words: readonly string[] }) => <datalist id={id}>{words.map((one) => <option key={one} value={plain(one)} />)}</datalist>;

const clockOf = (value: unknown): string => {
  if (typeof value === "number") return `${String(Math.floor(value / 60)).padStart(2, "0")}:${String(value % 60).padStart(2, "0")}`;
  return typeof value === "string" ? value.slice(0, 5).padStart(5, "0") : "";
};

interface Common {
  id: string;
  required: boolean;
  "aria-describedby"?: string;
}

function Duration({ common, value, usual, put, title }: { common: Common; value: unknown; usual: unknown; put: (value: unknown) => void; title: string }) {
  const said = durationOf(value);
  const otherwise = durationOf(usual);
  const [chosen, setChosen] = useState<Unit>(said?.unit ?? otherwise?.unit ?? "m");
  const unit = said?.unit ?? chosen;
  return (
    <span className="unit">
      <input {...common} type="number" min={0} step="any" value={said?.amount ?? ""} placeholder={otherwise && otherwise.unit === unit ? otherwise.amount : ""} onChange={(event) => put(Number(event.target.value) > 0 ? `${event.target.value}${unit}` : undefined)} />
      <select aria-label={`${title}: unit`} value={unit} onChange={(event) => { setChosen(event.target.value as Unit); if (said) put(`${said.amount}${event.target.value}`); }}>
        {UNITS.map(([name, words]) => <option key={name} value={name}>{words}</option>)}
      </select>
    </span>
  );
}

function Pairs({ common, value, usual, put }: { common: Common; value: unknown; usual: string; put: (value: unknown) => void }) {
  const [typed, setTyped] = useState(linesOfPairs(value));
  return <textarea {...common} rows={2} value={typed} placeholder={usual} spellCheck={false} onChange={(event) => { setTyped(event.target.value); put(pairsOf(event.target.value)); }} />;
}

const wordsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value.map(String) : typeof value === "string" && value ? value.split(",").map((one) => one.trim()) : []);

function Boxes({ field, value, change, offered }: FieldProps & { offered: readonly string[] }) {
  const chosen = (now: unknown) => wordsOf(now === undefined || now === null ? field.default : now);
  const some = chosen(value);
  const toggle = (one: string, on: boolean) => change((now) => offered.filter((other) => (other === one ? on : chosen(now).includes(other))));
  return (
    <div className="field whole" role="group" aria-label={field.title}>
      <span>{field.title}</span>
      <span className="links">
        {offered.map((one) => <label key={one} className="check"><input type="checkbox" checked={some.includes(one)} onChange={(event) => toggle(one, event.target.checked)} /> <Said text={one} /></label>)}
        {field.help && <small className="quiet">{field.help}</small>}
      </span>
    </div>
  );
}

const CHIP_MS = 250; // what one presses must not move away under the finger

/** Several texts: each becomes a chip with Enter, a comma, or when one goes on. What is typed counts at once. */
function Words({ field, value, change, offered }: FieldProps & { offered: readonly string[] }) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const parted = (text: string) => text.split(field.suggest === "conditions" ? "\n" : ",").map((one) => one.trim()).filter(Boolean);
  /** Without what is being typed, which stands last. */
  const chips = (all: string[]) => (all.slice(-parted(typed).length).join() === parted(typed).join() ? all.slice(0, all.length - parted(typed).length) : all);
  const some = typed ? chips(wordsOf(value)) : wordsOf(value);
  const type = (text: string) => {
    change((now) => [...new Set([...(typed ? chips(wordsOf(now)) : wordsOf(now)), ...parted(text)])]);
    setTyped(offered.includes(text) && !text.endsWith("=") ? "" : text);
  };
  const remove = (one: string) => change((now) => wordsOf(now).filter((other) => other !== one));
  const pressed = (event: KeyboardEvent<HTMLInputElement>) => {
    if ((event.key === "Enter" || event.key === ",") && typed.trim()) {
      event.preventDefault();
      setTyped("");
    } else if (event.key === "Backspace" && !typed && some.length) remove(some.at(-1)!);
  };
  const usual = wordsOf(field.default).join(", ") || field.example || "";
  return (
    <div className="field">
      <label htmlFor={id}>{field.title}{field.required && <span aria-hidden="true" className="needed" title="needed"> *</span>}</label>
      <span className="words">
        {some.map((one) => <button key={one} type="button" className="chip" aria-label={`Remove ${plain(one)}`} onClick={() => remove(one)}><Said text={one} /> <span aria-hidden="true">✕</span></button>)}
        <input
          id={id} value={typed} list={`${id}-list`} autoComplete="off" spellCheck={false} maxLength={1_000} placeholder={some.length ? "" : plain(usual)} required={Boolean(field.required) && !some.length}
          {...(field.help ? { "aria-describedby": `${id}-help` } : {})} onChange={(event) => type(event.target.value)} onKeyDown={pressed} onBlur={() => setTimeout(() => setTyped(""), CHIP_MS)}
        />
      </span>
      <Offered id={`${id}-list`} words={offered.filter((one) => !some.includes(one))} />
      {field.help && <small id={`${id}-help`} className="quiet">{field.help}</small>}
    </div>
  );
}

/** Some fields that belong together; where they need not be said, they come with a tick. */
function Group({ field, value, change, put, offer }: FieldProps) {
  const said = value !== undefined && value !== null;
  const inner = <Several fields={field.fields ?? []} values={groupOf(field, value)} put={(work) => change((now) => work(groupOf(field, now)))} offer={offer} />;
  if (field.required) return <fieldset className="group whole"><legend>{field.title}</legend>{inner}</fieldset>;
  return (
    <fieldset className="group whole">
      <legend><label className="check"><input type="checkbox" checked={said} onChange={(event) => put(event.target.checked ? {} : undefined)} /> {field.title}</label>{field.help && <small className="quiet"> {field.help}</small>}</legend>
      {said && inner}
    </fieldset>
  );
}

function Groups({ field, value, change, offer }: FieldProps) {
  const each = (work: (groups: Values[]) => Values[]) => change((now) => work(groupsOf(field, now)));
  const some = groupsOf(field, value);
  return (
    <fieldset className="group whole">
      <legend>{field.title}{field.help && <small className="quiet"> {field.help}</small>}</legend>
      {some.map((one, place) => (
        <div key={place} className="one-of">
          <Several fields={field.fields ?? []} values={one} put={(work) => each((groups) => groups.map((other, at) => (at === place ? work(other) : other)))} offer={offer} />
          {(!field.required || some.length > 1) && <button type="button" aria-label={`Remove number ${place + 1} of ${field.title}`} onClick={() => each((groups) => groups.filter((_, at) => at !== place))}>Remove</button>}
        </div>
      ))}
      <button type="button" onClick={() => each((groups) => [...groups, {}])}>{some.length ? "Another one" : "Add one"}</button>
    </fieldset>
  );
}
