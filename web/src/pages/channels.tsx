// The ways to reach people: add one, try it, and see how its messages fare.

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../api/fetch";
import type { ChannelShape, KindShape, OptionShape, ReceiptShape, Route, RoutesShape } from "../api/types";
import { milliseconds } from "../lib/format";
import { useChange } from "./changing";
import { Empty, Mark, Panel, Problem, Said, When } from "./parts";
import { useChannels } from "./rules";
import { type Column, Table } from "./table";

const CHANNELS = "/api/channels";
const address = (name: string) => `${CHANNELS}/${encodeURIComponent(name)}`;

export function Channels({ admin }: { admin: boolean }) {
  const channels = useChannels();
  const { change, error, busy } = useChange(CHANNELS, "/api/deliveries");
  const [receipt, setReceipt] = useState<ReceiptShape | null>(null);
  const test = (name: string) => void change(() => ask<ReceiptShape>(`${address(name)}/test`, {}, {})).then(setReceipt);
  const toggle = (item: ChannelShape) => void change(() => ask(address(item.name), {}, { kind: item.kind, options: item.options, enabled: !item.enabled }, "PUT"));
  const remove = (name: string) => void change(() => ask(address(name), {}, undefined, "DELETE"));
  const columns: Column<ChannelShape>[] = [
    { name: "Channel", by: (item) => item.name, cell: (item) => <><Said text={item.name} /> <span className="quiet">{item.kind}</span></> },
    { name: "State", cell: (item) => <State of={item} /> },
    { name: "Last told", number: true, cell: (item) => (item.last_delivered ? <When at={item.last_delivered} /> : "never"), less: "middle" },
    { name: "Last answer", cell: (item) => <Said text={item.last_answer} className="two-lines" />, less: "wide" },
    {
      name: "", number: true, cell: (item) => admin && (
        <span className="links end">
          <button type="button" disabled={busy} aria-label={`Test ${item.name}`} onClick={() => test(item.name)}>Test</button>
          <button type="button" disabled={busy} aria-label={`Switch ${item.name} ${item.enabled ? "off" : "on"}`} onClick={() => toggle(item)}>{item.enabled ? "Switch off" : "Switch on"}</button>
          {item.source === "api" && <button type="button" disabled={busy} aria-label={`Delete ${item.name}`} onClick={() => remove(item.name)}>Delete</button>}
        </span>
      ),
    },
  ];
  return (
    <>
      <Panel title="Channels">
        {error && <Problem error={error} />}
        {receipt && <Receipt of={receipt} />}
        {channels.data?.length ? <Table items={channels.data} columns={columns} keyOf={(item) => item.name} /> : <Empty>Nobody can be told yet. Add a channel{admin ? " below" : ": an admin can"}, and send a test through it.</Empty>}
      </Panel>
      {admin && <NewChannel />}
      <Routes />
    </>
  );
}

function State({ of }: { of: ChannelShape }) {
  if (!of.enabled) return <Mark level="unknown">off</Mark>;
  if (of.waiting && of.waiting_since) return <Mark level="warning">{of.waiting} waiting, since <When at={of.waiting_since} /></Mark>;
  const failed = of.last_failed && (!of.last_delivered || of.last_failed > of.last_delivered);
  if (failed) return <Mark level="critical">failed <When at={of.last_failed!} /></Mark>;
  return of.last_delivered ? <Mark level="ok">works</Mark> : <Mark level="unknown">not tried yet</Mark>;
}

function Receipt({ of }: { of: ReceiptShape }) {
  const level = of.status === "delivered" ? "ok" : of.status === "failed" ? "critical" : "warning";
  return (
    <div className="pad" role="status">
      <Mark level={level}>Test through <Said text={of.channel} />: {of.status}</Mark> <Said text={of.answer} /> {of.latency_ms !== null && <span className="quiet">in {milliseconds(of.latency_ms)}</span>}
    </div>
  );
}

function NewChannel() {
  const kinds = useQuery({ queryKey: [`${CHANNELS}/kinds`], queryFn: () => ask<KindShape[]>(`${CHANNELS}/kinds`), staleTime: Infinity }).data ?? [];
  const [chosen, setChosen] = useState("");
  const { change, error, busy } = useChange(CHANNELS);
  const kind = kinds.find(({ name }) => name === chosen) ?? kinds[0];
  if (!kind) return null;
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const options = Object.fromEntries(kind.options.flatMap((option) => valueOf(option, given)));
    void change(() => ask(address(String(given.get("channel name"))), {}, { kind: kind.name, options }, "PUT")).then((done) => done && form.reset());
  };
  return (
    <Panel title="Add a channel">
      <form onSubmit={add} key={kind.name}>
        <div className="filters">
          <label className="field"><span>Kind</span><select value={kind.name} onChange={(event) => setChosen(event.target.value)}>{kinds.map(({ name }) => <option key={name}>{name}</option>)}</select></label>
          <label className="field"><span>Name</span><input name="channel name" required maxLength={100} defaultValue={kind.name} autoComplete="off" /></label>
        </div>
        <p className="pad quiet">{kind.help}</p>
        <div className="filters">{kind.options.map((option) => <Option key={option.name} of={option} />)}</div>
        {error && <Problem error={error} />}
        <p className="pad"><button type="submit" className="primary" disabled={busy}>Add</button></p>
      </form>
    </Panel>
  );
}

function Option({ of }: { of: OptionShape }) {
  if (typeof of.default === "boolean") return <label className="check" title={of.help}><input type="checkbox" name={of.name} defaultChecked={of.default} /> {of.name.replaceAll("_", " ")}</label>;
  const words = `${of.name.replaceAll("_", " ")}${of.required ? "" : ", if you like"}`;
  if (of.choices?.length) return <label className="field" title={of.help}><span>{words}</span><select name={of.name} defaultValue={String(of.default ?? "")}>{of.choices.map((one) => <option key={one}>{one}</option>)}</select></label>;
  return (
    <label className="field search" title={of.help}>
      <span>{words}</span>
      <input name={of.name} required={of.required} type={of.secret ? "password" : "text"} autoComplete="off" placeholder={of.default === null || of.default === undefined ? "" : String(of.default)} />
    </label>
  );
}

/** What was left empty is left out; several addresses are parted by commas. */
function valueOf(option: OptionShape, given: FormData): [string, unknown][] {
  const value = given.get(option.name);
  if (typeof option.default === "boolean") return [[option.name, value !== null]];
  if (value === null || value === "") return [];
  if (typeof option.default === "number") return [[option.name, Number(value)]];
  return [[option.name, Array.isArray(option.default) ? String(value).split(",").map((one) => one.trim()) : value]];
}

const SOURCES: Record<string, string> = { default: "Every channel hears of what is critical or a warning.", settings: "They stand in the settings.", api: "" };

function Routes() {
  const found = useQuery({ queryKey: ["/api/routes"], queryFn: () => ask<RoutesShape>("/api/routes") }).data;
  if (!found) return null;
  const columns: Column<Route>[] = [
    { name: "Severity", cell: (item) => item.severities?.join(", ") || "all" },
    { name: "Rules", cell: (item) => <Said text={item.rules?.join(", ") || "all"} />, less: "middle" },
    { name: "Bots", cell: (item) => <Said text={item.bots?.join(", ") || "all"} />, less: "middle" },
    { name: "Where", cell: (item) => <Said text={item.where?.join(" and ") || "anywhere"} />, less: "wide" },
    { name: "Channels", cell: (item) => <Said text={item.channels?.join(", ") || "all"} /> },
    { name: "If nobody acknowledges", cell: (item) => <Said text={item.escalate?.map(({ after, channels }) => `after ${after} s: ${channels.join(", ")}`).join("; ") || "–"} />, less: "wide" },
  ];
  return (
    <Panel title="Who hears of what" aside={<span className="quiet">{SOURCES[found.source] ?? ""}</span>}>
      {found.routes.length ? <Table items={found.routes} columns={columns} keyOf={(_, place) => String(place)} /> : <Empty>No routes: every channel hears of what is critical or a warning, and of the rest in its daily digest where it takes one.</Empty>}
    </Panel>
  );
}
