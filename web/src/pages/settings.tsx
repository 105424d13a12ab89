// Who may come in: one's own browsers and tokens, and for admins the people, the keys and what was changed.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { ask } from "../api/fetch";
import { useList } from "../api/queries";
import type { AuditShape, KeyMade, KeyShape, Me, SessionShape, TokenMade, TokenShape, UserShape } from "../api/types";
import { absolute } from "../lib/time";
import { Answer, Empty, Export, Mark, More, Panel, Problem, Said, Snippet, When } from "./parts";
import { type Column, Table } from "./table";

interface Listed<T> {
  items: T[];
  next: string | null;
}

export function SettingsPage({ me }: { me: Me }) {
  return (
    <div className="halves">
      <Browsers />
      <Tokens />
      {me.role === "admin" && <Keys />}
      {me.role === "admin" && <People me={me} />}
      {me.role === "admin" && <Audit />}
    </div>
  );
}

/** A list that is changed here: what is done to it is followed by asking for it again. */
function useChanged<T>(path: string) {
  const client = useQueryClient();
  const [error, setError] = useState<Error | null>(null);
  const asked = useQuery({ queryKey: [path, "changed"], queryFn: () => ask<Listed<T>>(path, { limit: 500 }) });
  const change = async <R,>(work: () => Promise<R>): Promise<R | null> => {
    try {
      setError(null);
      return await work();
    } catch (problem) {
      setError(problem as Error);
      return null;
    } finally {
      void client.invalidateQueries({ queryKey: [path] });
    }
  };
  return { asked, change, error };
}

const when = (at: string | null) => (at ? <When at={at} /> : "–");
const button = (label: string, about: string, work: () => void) => <button type="button" aria-label={`${label} ${about}`} onClick={work}>{label}</button>;

function Browsers() {
  const { asked, change, error } = useChanged<SessionShape>("/api/auth/sessions");
  const end = (id: number) => void change(() => ask(`/api/auth/sessions/${id}`, {}, undefined, "DELETE"));
  const columns: Column<SessionShape>[] = [
    { name: "User", cell: (item) => <>{item.user === null ? "by the link" : <Said text={item.user} />} {item.current && <Mark level="ok">this one</Mark>}</> },
    { name: "Role", cell: (item) => item.role, less: "middle" },
    { name: "Signed in", cell: (item) => when(item.created) },
    { name: "Last used", cell: (item) => when(item.last_used), less: "middle" },
    { name: "", number: true, cell: (item) => button("End", `session ${item.id}`, () => end(item.id)) },
  ];
  return <Changed title="Signed-in browsers" asked={asked} error={error} columns={columns} keyOf={(item) => String(item.id)} none="None: you came with a token." />;
}

function Tokens() {
  const { asked, change, error } = useChanged<TokenShape>("/api/tokens");
  const [made, setMade] = useState("");
  const add = (label: string) => change(() => ask<TokenMade>("/api/tokens", {}, { label })).then((found) => found && setMade(found.secret));
  const revoke = (id: number) => void change(() => ask(`/api/tokens/${id}`, {}, undefined, "DELETE"));
  const columns: Column<TokenShape>[] = [
    { name: "Label", cell: (item) => <Said text={item.label} /> },
    { name: "Role", cell: (item) => item.role },
    { name: "Last used", cell: (item) => when(item.last_used), less: "middle" },
    { name: "", number: true, cell: (item) => button("Revoke", `token ${item.label}`, () => revoke(item.id)) },
  ];
  return (
    <Changed title="API tokens" asked={asked} error={error} columns={columns} keyOf={(item) => String(item.id)} none="None yet. Programs, and the console, read with a token.">
      <Add label="Label of a new token" add={add} />
      <Secret made={made} what="BOTWATCH_TOKEN" />
    </Changed>
  );
}

function Keys() {
  const { asked, change, error } = useChanged<KeyShape>("/api/keys");
  const [made, setMade] = useState("");
  const add = (label: string) => change(() => ask<KeyMade>("/api/keys", {}, { label })).then((found) => found && setMade(found.secret));
  const revoke = (id: number) => void change(() => ask(`/api/keys/${id}`, {}, undefined, "DELETE"));
  const columns: Column<KeyShape>[] = [
    { name: "Label", cell: (item) => <Said text={item.label} /> },
    { name: "Begins", cell: (item) => <code>{item.prefix}</code>, less: "middle" },
    { name: "Last used", cell: (item) => when(item.last_used) },
    { name: "", number: true, cell: (item) => button("Revoke", `key ${item.label}`, () => revoke(item.id)) },
  ];
  return (
    <Changed title="Ingest keys" asked={asked} error={error} columns={columns} keyOf={(item) => String(item.id)} none="None yet. A key lets a bot send, and opens nothing else.">
      <Add label="Label of a new key" add={add} />
      <Secret made={made} what="OTEL_EXPORTER_OTLP_HEADERS" before="authorization=Bearer " />
    </Changed>
  );
}

function People({ me }: { me: Me }) {
  const { asked, change, error } = useChanged<UserShape>("/api/users");
  const patch = (name: string, what: object) => void change(() => ask(`/api/users/${encodeURIComponent(name)}`, {}, what, "PATCH"));
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = Object.fromEntries(new FormData(form));
    void change(() => ask("/api/users", {}, given)).then((found) => found && form.reset());
  };
  const columns: Column<UserShape>[] = [
    { name: "Name", cell: (item) => <Said text={item.name} /> },
    { name: "Role", cell: (item) => item.role },
    { name: "State", cell: (item) => <Mark level={item.disabled ? "unknown" : "ok"}>{item.disabled ? "disabled" : "may sign in"}</Mark> },
    {
      name: "", number: true,
      cell: (item) => item.name !== me.name && button(item.disabled ? "Enable" : "Disable", item.name, () => patch(item.name, { disabled: !item.disabled })),
    },
  ];
  return (
    <Changed title="People" asked={asked} error={error} columns={columns} keyOf={(item) => item.name} none="Nobody has a name and a password yet; the link of the server's terminal lets one in.">
      <form className="filters" onSubmit={add}>
        <label className="field"><span>Name</span><input name="name" required maxLength={64} autoComplete="off" /></label>
        <label className="field"><span>Password, 10 characters or more</span><input name="password" type="password" required minLength={10} maxLength={1_000} autoComplete="new-password" /></label>
        <label className="field"><span>Role</span><select name="role"><option value="monitor">monitor</option><option value="admin">admin</option></select></label>
        <button type="submit">Add</button>
      </form>
    </Changed>
  );
}

function Audit() {
  const asked = useList<Listed<AuditShape>>("/api/audit", { limit: 50 });
  const columns: Column<AuditShape>[] = [
    { name: "When", cell: (item) => <time dateTime={item.at}>{absolute(new Date(item.at))}</time> },
    { name: "Who", cell: (item) => <span className="nowrap"><Said text={item.who} /></span> },
    { name: "What", cell: (item) => <Said text={`${item.what} ${item.subject}`} /> },
    { name: "Detail", cell: (item) => <Said text={Object.entries(item.detail).map(([name, value]) => `${name}: ${String(value)}`).join(", ")} />, less: "middle" },
  ];
  return (
    <div className="whole">
      <Panel title="What was changed" aside={<Export of="audit" params={{}} />}>
        <Answer of={asked}>
          {({ pages }) => {
            const items = pages.flatMap((page) => page.items);
            return items.length ? <><Table items={items} columns={columns} keyOf={(item) => String(item.id)} /><More asked={asked} /></> : <Empty>Nothing yet.</Empty>;
          }}
        </Answer>
      </Panel>
    </div>
  );
}

interface ChangedProps<T> {
  title: string;
  asked: { data: Listed<T> | undefined; error: Error | null };
  error: Error | null;
  columns: readonly Column<T>[];
  keyOf: (item: T) => string;
  none: string;
  children?: ReactNode;
}

function Changed<T>({ title, asked, error, columns, keyOf, none, children }: ChangedProps<T>) {
  return (
    <Panel title={title}>
      {children}
      {error && <Problem error={error} />}
      <Answer of={asked}>
        {({ items }) => (items.length ? <Table items={items} columns={columns} keyOf={keyOf} /> : <Empty>{none}</Empty>)}
      </Answer>
    </Panel>
  );
}

function Add({ label, add }: { label: string; add: (label: string) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    add(String(new FormData(event.currentTarget).get("label")));
    event.currentTarget.reset();
  };
  return (
    <form className="filters" onSubmit={submit}>
      <label className="field search"><span>{label}</span><input name="label" required maxLength={128} autoComplete="off" /></label>
      <button type="submit">Make</button>
    </form>
  );
}

function Secret({ made, what, before = "" }: { made: string; what: string; before?: string }) {
  if (!made) return null;
  return <div role="status"><p className="pad">Shown this once:</p><Snippet text={`${what}="${before}${made}"`} /></div>;
}
