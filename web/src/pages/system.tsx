// What bots run on: the picture, the services, the machines.

import { useState } from "react";
import { ask } from "../api/fetch";
import { useBots, useCatalogue, useHistory, useHosts, useService, useServices } from "../api/queries";
import type { HostItem, ServiceItem } from "../api/types";
import { Charts } from "../charts/charts";
import { bytes, count, formOf, milliseconds, NONE, seconds } from "../lib/format";
import { boundsOf, levelOf } from "../lib/levels";
import { levelOfService, wordsOfService } from "../lib/picture";
import { LATELY, stepOf } from "../lib/range";
import { is } from "../lib/series";
import { plain } from "../lib/text";
import { absolute } from "../lib/time";
import { set } from "../lib/url";
import { useChange } from "./changing";
import { useParam } from "./filters";
import { Answer, Delete, Empty, Export, Link, Mark, Panel, Problem, Said, When } from "./parts";
import { LivingPicture } from "./picture";
import { useRange } from "./range";
import { ChangeService, NewService } from "./serviceForm";
import { type Column, Table } from "./table";

const RESOURCES: { title: string; measures: Record<string, string> }[] = [
  { title: "CPU", measures: { "cpu.usage": "CPU" } },
  { title: "Memory", measures: { "mem.usage": "Memory" } },
  { title: "GPU", measures: { "gpu.usage": "GPU" } },
  { title: "Disk", measures: { "disk.usage": "Disk" } },
];
const BEFORE: { title: string; measures: Record<string, string> }[] = [
  { title: "Answers in", measures: { "service.latency": "Answers in" } },
  { title: "Available", measures: { "service.availability": "Available" } },
];
const POINTS = 120;
const PARTS: Record<string, string> = { cpu: "CPU", gpu: "GPU" };

export function System({ admin }: { admin: boolean }) {
  const get = useParam();
  const chosen = get("service");
  return (
    <>
      {admin && get("new") && <NewService done={(name) => set({ new: "", service: name })} close={() => set({ new: "" })} />}
      <Living />
      {chosen && <OneService key={chosen} name={chosen} admin={admin} />}
      <ServiceHealth chosen={chosen} admin={admin} />
      <Resources />
      <Hosts />
    </>
  );
}

function Living() {
  const bots = useBots();
  const services = useServices();
  const traffic = useHistory(LATELY, { measure: ["dependency.count", "dependency.errors"], by: "bot,dependency", step: "60s" });
  return (
    <Panel title="The living picture" aside={<span className="quiet">{LATELY.label}: what moves are calls</span>}>
      <Answer of={bots}>
        {({ items }) => (
          <Answer of={services}>
            {(found) =>
              items.length + found.items.length === 0 ? (
                <Empty>Nothing to draw yet. <Link to="/">How the first bot sends</Link></Empty>
              ) : (
                <LivingPicture bots={items} services={found.items} traffic={traffic.data} />
              )
            }
          </Answer>
        )}
      </Answer>
      <p className="pad quiet legend">
        <Mark level="ok">running</Mark> <Mark level="warning">degraded or sealed</Mark> <Mark level="critical">stopped</Mark> <Mark level="unknown">not watched, or not known</Mark>
      </p>
    </Panel>
  );
}

const SERVICE_COLUMNS: Column<ServiceItem>[] = [
  { name: "Service", by: (item) => item.name, cell: (item) => <Link to={`/system?service=${encodeURIComponent(item.name)}`} sameTime><Said text={item.name} /></Link> },
  {
    name: "Status", by: (item) => item.status,
    cell: (item) => <><Mark level={levelOfService(item.status)}>{wordsOfService(item.status)}</Mark> {item.reason && <div className="quiet roomy"><Said text={item.reason} className="two-lines" /></div>}</>,
  },
  { name: "Version", by: (item) => item.version ?? null, cell: (item) => (item.version ? <span className="nowrap" title={plain(item.version)}><Said text={item.version.split(" ")[0] ?? ""} /></span> : NONE), less: "middle" },
  { name: "Key figure", cell: (item) => (item.key_figure ? <span className="roomy"><Said text={item.key_figure} /></span> : NONE), less: "middle" },
  { name: "Answers in", number: true, by: (item) => item.latency_ms, cell: (item) => milliseconds(item.latency_ms), less: "middle" },
  { name: "Since", number: true, by: (item) => item.since ?? null, cell: (item) => (item.since ? <When at={item.since} /> : NONE), less: "wide" },
  { name: "Checked", number: true, by: (item) => item.checked ?? null, cell: (item) => (item.checked ? <When at={item.checked} /> : "never"), less: "wide" },
];

function ServiceHealth({ chosen, admin }: { chosen: string; admin: boolean }) {
  const services = useServices();
  return (
    <Panel title="Service health" aside={
      <span className="links">
        {services.data && services.data.total > 0 && <span className="quiet">{services.data.running} of {services.data.total} running</span>}
        {admin && <button type="button" onClick={() => { set({ new: "service" }); window.scrollTo(0, 0); }}>Add a service</button>}
      </span>
    }>
      <Answer of={services}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>No service is watched. {admin ? "Add one here" : "An admin can add one here"}, or name it in <code>botwatch.toml</code> under <code>[services.NAME]</code> with its <code>url</code>.</Empty>
          ) : (
            <Table items={items} columns={SERVICE_COLUMNS} keyOf={(item) => `${item.name}\n${item.host}`} isChosen={(item) => item.name === chosen} />
          )
        }
      </Answer>
    </Panel>
  );
}

function OneService({ name, admin }: { name: string; admin: boolean }) {
  const [changing, setChanging] = useState(false);
  const { change, error, busy } = useChange("/api/services", "/api/monitoring/status");
  const address = `/api/services/${encodeURIComponent(name)}`;
  const look = () => void change(() => ask(`${address}/check`, {}, {}));
  const [going, setGoing] = useState(false); // the stream may say that it is gone before its own answer does
  const remove = () => {
    setGoing(true);
    void change(async () => {
      await ask(address, {}, undefined, "DELETE");
      set({ service: "" }); // before its list is asked for again: of itself there is nothing more to ask
    }).then((done) => done === null && setGoing(false));
  };
  const range = useRange();
  const asked = useService(name, !going);
  const history = useHistory(range, { measure: ["service.latency", "service.availability"], where: [is("service", name)], step: stepOf(range, POINTS) });
  if (changing) return <ChangeService name={name} done={() => setChanging(false)} close={() => setChanging(false)} />;
  const source = asked.data?.service.source;
  return (
    <Panel title={<>Service: <Said text={name} /></>} aside={
      <span className="links">
        {admin && source && <button type="button" disabled={busy} onClick={look}>Ask now</button>}
        {admin && source === "api" && <><button type="button" onClick={() => setChanging(true)}>Change</button><Delete what={name} busy={busy} run={remove} /></>}
        {source === "settings" && <span className="quiet">from the settings</span>}
        <button type="button" onClick={() => set({ service: "" })}>✕ Close</button>
      </span>
    }>
      {error && <Problem error={error} />}
      <Answer of={asked}>
        {({ service, changes }) => (
          <>
            <dl className="facts pad">
              <div><dt>Status</dt><dd><Mark level={levelOfService(service.status)}>{wordsOfService(service.status)}</Mark></dd></div>
              <div><dt>Address</dt><dd><Said text={service.address} /></dd></div>
              <div><dt>Asked from</dt><dd><Said text={service.host} /></dd></div>
              {service.figures.map((figure) => (
                <div key={figure.name}>
                  <dt><Link to={`/explore/measures?measure=${encodeURIComponent(figure.measure)}`} sameTime>{figure.name.replace(/[._]/g, " ")}</Link></dt>
                  <dd>{formOf(figure.unit)?.(figure.value) ?? `${count(figure.value)} ${figure.unit.replace(/^\{|\}$/g, "").replace(/^1$/, "")}`}</dd>
                </div>
              ))}
            </dl>
            {service.reason && <p className="pad"><Said text={service.reason} /></p>}
            <Charts of={history.data} charts={BEFORE} span={range.label} most={8} by="service" />
            <h3>How it was before</h3>
            {changes.length === 0 ? (
              <Empty>It has not changed in the time that is kept.</Empty>
            ) : (
              <ol className="plain-list">
                {changes.map((change) => (
                  <li key={change.at}>
                    <time dateTime={change.at}>{absolute(new Date(change.at))}</time> <Said text={`${change.before} → ${change.status}`} /> {change.reason && <span className="quiet"><Said text={change.reason} /></span>}
                  </li>
                ))}
              </ol>
            )}
          </>
        )}
      </Answer>
    </Panel>
  );
}

function Resources() {
  const range = useRange();
  const measures = RESOURCES.flatMap(({ measures: one }) => Object.keys(one));
  const history = useHistory(range, { measure: measures, by: "host", step: stepOf(range, POINTS) });
  return (
    <Panel title="Resource usage" aside={<Export of="measures" params={{ ...range.query, measure: measures, by: "host" }} />}>
      <Charts of={history.data} charts={RESOURCES} span={range.label} most={8} by="host" counted={false} narrow />
    </Panel>
  );
}

function Hosts() {
  const asked = useHosts();
  const measures = useCatalogue().data?.measures;
  const share = (name: string, of: keyof HostItem["resources"], measure: string, less?: "middle"): Column<HostItem> => ({
    name, number: true, by: (item) => item.resources[of], ...(less ? { less } : {}),
    cell: (item) => {
      const value = item.resources[of];
      return <Mark level={levelOf(value, boundsOf(measures, measure))}>{value === null ? NONE : `${value} %`}</Mark>;
    },
  });
  const columns: Column<HostItem>[] = [
    { name: "Host", by: (item) => item.name, cell: (item) => <><Link to={`/explore/measures?measure=cpu.usage&where=${encodeURIComponent(is("host", item.name))}`} sameTime><Said text={item.name} /></Link> {item.bots.length > 0 && <span className="quiet"><Said text={item.bots.join(", ")} /></span>}</> },
    share("CPU", "cpu_percent", "cpu.usage"),
    share("Memory", "memory_percent", "mem.usage"),
    share("GPU", "gpu_percent", "gpu.usage", "middle"),
    share("Disk", "disk_percent", "disk.usage"),
    { name: "Load", number: true, by: (item) => item.load[0] ?? null, cell: (item) => item.load.map((value) => value.toFixed(1)).join(" ") || NONE, less: "wide" },
    { name: "Free memory", number: true, by: (item) => item.memory_free_bytes, cell: (item) => bytes(item.memory_free_bytes), less: "wide" },
    { name: "Up", number: true, by: (item) => item.uptime_seconds, cell: (item) => seconds(item.uptime_seconds), less: "wide" },
    { name: "Measured", number: true, by: (item) => item.measured ?? null, cell: (item) => (item.measured ? <When at={item.measured} /> : "not lately"), less: "middle" },
  ];
  return (
    <Panel title="Hosts" aside={<Export of="hosts" params={{}} />}>
      <Answer of={asked}>
        {({ items }) => (
          <>
            {items.length === 0 ? <Empty>No bot has told its host yet.</Empty> : <Table items={items} columns={columns} keyOf={(item) => item.name} />}
            {items.some((item) => item.measured === null) && <p className="pad quiet">What is not measured has no agent yet: run <code>botwatch agent</code> on that machine.</p>}
            {items.filter((item) => Object.keys(item.unknown).length > 0).map((item) => (
              <p key={item.name} className="pad quiet"><Said text={item.name} />: <Said text={Object.entries(item.unknown).map(([part, why]) => `${PARTS[part] ?? part}: ${why}`).join("; ")} /></p>
            ))}
          </>
        )}
      </Answer>
    </Panel>
  );
}
