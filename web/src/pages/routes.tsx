// Who hears of what: the routes in their order, the first that fits.

import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../api/fetch";
import type { FieldShape, Route, RoutesShape } from "../api/types";
import { filled, type Values } from "../lib/forms";
import { seconds } from "../lib/format";
import { useChange } from "./changing";
import { Fields, useForms } from "./form";
import { Answer, Delete, Empty, Panel, Problem, Said } from "./parts";
import { type Column, Table } from "./table";

const ROUTES = "/api/routes";
const NEW = -1;
const SOURCES: Record<string, string> = { default: "Every channel hears of what is critical or a warning.", settings: "They stand in the settings; what is saved here counts in their place.", api: "The first that fits decides." };

export function Routes({ admin }: { admin: boolean }) {
  const asked = useQuery({ queryKey: [ROUTES], queryFn: () => ask<RoutesShape>(ROUTES) });
  const fields = useForms()?.route;
  const { change, error, busy } = useChange(ROUTES);
  const [changing, setChanging] = useState<number | null>(null);
  const routes = asked.data?.routes ?? [];
  const put = (next: readonly object[]) => change(() => ask<RoutesShape>(ROUTES, {}, { routes: next }, "PUT"));
  const save = (place: number, route: object) => void put(place === NEW ? [...routes, route] : routes.map((one, at) => (at === place ? route : one))).then((done) => done && setChanging(null));
  const earlier = (place: number) => void put(routes.map((one, at) => (at === place - 1 ? routes[place]! : at === place ? routes[place - 1]! : one)));
  const columns: Column<Route>[] = [
    { name: "Route", cell: (item) => <Said text={item.name || `number ${routes.indexOf(item) + 1}`} /> },
    { name: "Fits", cell: (item) => <Said text={fits(item)} /> },
    { name: "Tells", cell: (item) => <><Said text={item.channels?.join(", ") || "nobody"} />{item.continue && <span className="quiet"> and asks the next</span>}</> },
    { name: "If nobody acknowledges", cell: (item) => <Said text={item.escalate?.map(({ after, channels }) => `after ${seconds(after)}: ${channels.join(", ")}`).join("; ") || "–"} />, less: "wide" },
    {
      name: "", number: true, cell: (item) => {
        const place = routes.indexOf(item);
        return admin && (
          <span className="links end">
            {place > 0 && <button type="button" disabled={busy} aria-label={`Route ${place + 1} earlier`} onClick={() => earlier(place)}>↑</button>}
            <button type="button" aria-label={`Change route ${place + 1}`} onClick={() => setChanging(place)}>Change</button>
            <Delete what={`route ${place + 1}`} busy={busy} run={() => void put(routes.filter((_, at) => at !== place))} />
          </span>
        );
      },
    },
  ];
  return (
    <>
      <Panel
        title="Who hears of what"
        aside={<span className="links"><span className="quiet">{SOURCES[asked.data?.source ?? ""] ?? ""}</span>{admin && asked.data && <button type="button" onClick={() => setChanging(NEW)}>Add a route</button>}</span>}
      >
        {error && <Problem error={error} />}
        <Answer of={asked}>
          {(found) => (found.routes.length ? <Table items={found.routes} columns={columns} keyOf={(_, place) => String(place)} /> : <Empty>No routes: every channel hears of what is critical or a warning, and of the rest in its daily digest where it takes one.</Empty>)}
        </Answer>
      </Panel>
      {changing !== null && fields && <RouteForm key={changing} fields={fields} of={changing === NEW ? {} : routes[changing] ?? {}} busy={busy} save={(route) => save(changing, route)} close={() => setChanging(null)} title={changing === NEW ? "A new route" : `Change route ${changing + 1}`} />}
    </>
  );
}

function fits(route: Route): string {
  const parts = [["severity", route.severities], ["rule", route.rules], ["bot", route.bots]] as const;
  const said = [...parts.flatMap(([name, some]) => (some?.length ? [`${name} ${some.join(" or ")}`] : [])), ...(route.where ?? [])];
  return said.join(", ") || "everything";
}

interface FormProps {
  fields: readonly FieldShape[];
  of: object;
  busy: boolean;
  title: string;
  save: (route: object) => void;
  close: () => void;
}

function RouteForm({ fields, of, busy, title, save, close }: FormProps) {
  const [values, setValues] = useState<Values>(of as Values);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save(filled(fields, values));
  };
  return (
    <Panel title={title} aside={<button type="button" onClick={close}>✕ Close</button>}>
      <form onSubmit={submit} className="made">
        <Fields fields={fields} values={values} put={setValues} />
        <p className="pad"><button type="submit" className="primary" disabled={busy}>Save</button></p>
      </form>
    </Panel>
  );
}
