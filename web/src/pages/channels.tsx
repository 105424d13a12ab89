// The ways to reach people: add one, try it, and see how its messages fare.

import { type FormEvent, useState } from "react";
import { ask } from "../api/fetch";
import type { ChannelShape, KindShape, ReceiptShape } from "../api/types";
import { filled, type Values } from "../lib/forms";
import { milliseconds } from "../lib/format";
import { useChange } from "./changing";
import { Why } from "./doctor";
import { Fields, useForms } from "./form";
import { Answer, Choice, Delete, Empty, Mark, Panel, Problem, Said, When } from "./parts";
import { Routes } from "./routes";
import { useChannels } from "./rules";
import { type Column, Table } from "./table";

const CHANNELS = "/api/channels";
const address = (name: string) => `${CHANNELS}/${encodeURIComponent(name)}`;

export function Channels({ admin }: { admin: boolean }) {
  const channels = useChannels();
  const { change, error, busy } = useChange(CHANNELS, "/api/deliveries");
  const [receipt, setReceipt] = useState<ReceiptShape | null>(null);
  const [changing, setChanging] = useState("");
  const [made, setMade] = useState(0);
  const kinds = useForms()?.channels;
  const changed = channels.data?.find(({ name }) => name === changing);
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
          {item.source === "api" && <>
            <button type="button" disabled={busy} aria-label={`Switch ${item.name} ${item.enabled ? "off" : "on"}`} onClick={() => toggle(item)}>{item.enabled ? "Switch off" : "Switch on"}</button>
            <button type="button" aria-label={`Change ${item.name}`} onClick={() => setChanging(item.name)}>Change</button><Delete what={item.name} busy={busy} run={() => remove(item.name)} />
          </>}
          {item.source !== "api" && <span className="quiet">from the settings</span>}
        </span>
      ),
    },
  ];
  return (
    <>
      <Panel title="Channels">
        {error && <Problem error={error} />}
        {receipt && <Receipt of={receipt} />}
        <Answer of={channels}>
          {(found) => (found.length ? <Table items={found} columns={columns} keyOf={(item) => item.name} /> : <Empty>Nobody can be told yet. Add a channel{admin ? " below" : ": an admin can"}, and send a test through it.</Empty>)}
        </Answer>
        <Why topic="alerts" />
      </Panel>
      {admin && kinds && (changed ? <ChannelForm key={changed.name} kinds={kinds} of={changed} done={() => setChanging("")} /> : <ChannelForm key={made} kinds={kinds} done={() => setMade(made + 1)} />)}
      <Routes admin={admin} />
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

interface FormProps {
  kinds: readonly KindShape[];
  /** The one that is changed; none: a new one. */
  of?: ChannelShape;
  done: () => void;
}

/** What is secret is not there to be shown: it stays unless something else is given. */
function ChannelForm({ kinds, of, done }: FormProps) {
  const [chosen, setChosen] = useState(of?.kind ?? kinds[0]!.name);
  const [name, setName] = useState(of?.name ?? "");
  const [values, setValues] = useState<Values>(of?.options ?? {});
  const { change, error, busy } = useChange(CHANNELS);
  const kind = kinds.find((one) => one.name === chosen) ?? kinds[0]!;
  const choose = (next: string) => {
    setChosen(next);
    setValues({});
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    const given = { kind: kind.name, options: filled(kind.options, values), enabled: of?.enabled ?? true };
    void change(() => ask(address(name.trim() || kind.name), {}, given, "PUT")).then((found) => found && done());
  };
  return (
    <Panel title={of ? <>Change <Said text={of.name} /></> : "Add a channel"} aside={of && <button type="button" onClick={done}>✕ Close</button>}>
      <form onSubmit={save} className="made">
        <div className="filters">
          {!of && <Choice label="Kind" value={kind.name} options={kinds.map((one) => [one.name, one.name] as const)} onChange={choose} />}
          {!of && <label className="field"><span>Name</span><input value={name} placeholder={kind.name} maxLength={100} autoComplete="off" onChange={(event) => setName(event.target.value)} /></label>}
          <p className="quiet kept">{kind.name} {kind.help}</p>
        </div>
        <Fields key={kind.name} fields={kind.options} values={values} put={setValues} kept={of?.secrets ?? []} />
        {error && <Problem error={error} />}
        <p className="pad"><button type="submit" className="primary" disabled={busy}>{of ? "Save" : "Add"}</button></p>
      </form>
    </Panel>
  );
}
