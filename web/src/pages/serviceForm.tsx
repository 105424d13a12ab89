// A service to watch: described, asked once to see that it answers, and then watched.

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask, LONG_MS } from "../api/fetch";
import type { KindShape, ServiceItem, ServiceOptions } from "../api/types";
import { filled, type Values } from "../lib/forms";
import { milliseconds } from "../lib/format";
import { levelOfService, wordsOfService } from "../lib/picture";
import { useChange } from "./changing";
import { Fields, type Put, useForms } from "./form";
import { Choice, Mark, Panel, Problem, Said } from "./parts";

const SERVICES = "/api/services";
const BY_ADDRESS = ""; // the server tells the kind by the scheme, or by the name

interface FormProps {
  done: (name: string) => void;
  close: () => void;
}

export function NewService({ done, close }: FormProps) {
  const kinds = useForms()?.services;
  return kinds ? <ServiceForm kinds={kinds} title="A service to watch" begins={{ name: "", kind: "postgresql", values: {}, kept: [], address: "" }} made={done} close={close} /> : null;
}

export function ChangeService({ name, done, close }: FormProps & { name: string }) {
  const kinds = useForms()?.services;
  const path = `${SERVICES}/${encodeURIComponent(name)}/options`;
  const known = useQuery({ queryKey: [path], queryFn: () => ask<ServiceOptions>(path), staleTime: 0, gcTime: 0 });
  if (known.error) return <Problem error={known.error} />;
  if (!kinds || !known.data) return null;
  const { kind, ...values } = known.data.options as { kind?: string };
  return <ServiceForm kinds={kinds} title={`Change ${name}`} begins={{ name, kind: kind ?? BY_ADDRESS, values, kept: known.data.secrets, address: known.data.address }} made={done} close={close} old />;
}

interface Begins {
  name: string;
  kind: string;
  values: Values;
  /** The secrets that are set: they stay unless others are given. */
  kept: readonly string[];
  address: string;
}

interface Props {
  kinds: readonly KindShape[];
  title: string;
  begins: Begins;
  made: (name: string) => void;
  close: () => void;
  old?: boolean;
}

function ServiceForm({ kinds, title, begins, made, close, old = false }: Props) {
  const [name, setName] = useState(begins.name);
  const [chosen, setChosen] = useState(begins.kind);
  const [values, setValues] = useState(begins.values);
  const [found, setFound] = useState<ServiceItem | null>(null);
  const { change, error, busy } = useChange(SERVICES, "/api/monitoring/status");
  const kind = kinds.find((one) => one.name === chosen) ?? kinds.find((one) => one.name === "http")!;
  const said = name.trim() || chosen;
  const given = { ...filled(kind.options, Object.fromEntries(Object.entries(values).filter(([one]) => kind.options.some((field) => field.name === one)))), kind: chosen };
  const put: Put = (work) => {
    setValues(work);
    setFound(null);
  };
  const attempt = () => void change(() => ask<ServiceItem>(`${SERVICES}/try`, {}, { ...given, name: said }, "POST", LONG_MS)).then(setFound);
  const save = (event: FormEvent) => {
    event.preventDefault();
    const work = () => (old ? ask<ServiceItem>(`${SERVICES}/${encodeURIComponent(said)}`, {}, given, "PUT") : ask<ServiceItem>(SERVICES, {}, { ...given, name: said }));
    void change(work).then((item) => item && made(item.name));
  };
  return (
    <Panel title={title} aside={<button type="button" onClick={close}>✕ Close</button>}>
      <form onSubmit={save} className="made">
        <div className="filters">
          <Choice label="Kind" value={chosen} options={[...kinds.map((one) => [one.name, one.name] as const), [BY_ADDRESS, "known by its address"]]} onChange={(value) => { setChosen(value); setFound(null); }} />
          <label className="field"><span>Name</span><input value={name} disabled={old} placeholder={chosen || "postgresql"} required={!chosen} maxLength={64} pattern="[a-z0-9]([a-z0-9._\-]*[a-z0-9])?" title="small letters, digits, . _ and -" autoComplete="off" spellCheck={false} onChange={(event) => setName(event.target.value)} /></label>
          {begins.address && <p className="quiet kept">now asked at <Said text={begins.address} /></p>}
        </div>
        <Fields key={kind.name} fields={kind.options} values={values} put={put} kept={begins.kept} />
        {error && <Problem error={error} />}
        {found && <Answered of={found} />}
        <p className="pad links">
          <button type="submit" className="primary" disabled={busy}>{old ? "Save" : "Watch it"}</button>
          <button type="button" disabled={busy} onClick={(event) => event.currentTarget.form?.reportValidity() && attempt()}>Try it first</button>
          <span className="quiet">What is secret is kept, and never shown again.</span>
        </p>
      </form>
    </Panel>
  );
}

function Answered({ of }: { of: ServiceItem }) {
  return (
    <p className="pad" role="status">
      <Mark level={levelOfService(of.status)}>{wordsOfService(of.status)}</Mark> <span className="quiet">{of.kind}</span>{" "}
      {of.version && <>version <Said text={of.version} />, </>}
      {of.key_figure && <><Said text={of.key_figure} />, </>}
      {of.latency_ms !== null && <>answers in {milliseconds(of.latency_ms)}</>} {of.reason && <Said text={of.reason} />}
    </p>
  );
}
