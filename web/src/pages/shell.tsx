// What stands around every page: the tabs, the time, whether what one sees is live, and the keys.

import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { askAhead } from "../api/ahead";
import { ask } from "../api/fetch";
import { listen, useLife } from "../api/live";
import { useBots, useCatalogue, useJudging, useStatus } from "../api/queries";
import type { Me } from "../api/types";
import { useKeys } from "../lib/keys";
import { choose, type Theme, usePrefs } from "../lib/prefs";
import { atSameTime, PERIODS, periodChanges, rangeOf } from "../lib/range";
import { clock, useNow } from "../lib/time";
import { go, set, useView } from "../lib/url";
import { Icon, Logo } from "./icons";
import { type Command, Palette } from "./palette";
import { Link, Said } from "./parts";
import { RangeControl } from "./range";

export interface Tab {
  key: string;
  name: string;
  path: string;
  /** Whether it shows a stretch of time that one can choose. */
  timed?: boolean;
}

const STALE_MS = 20_000;
const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const THEMES: Record<Theme, string> = { auto: "as the system is", light: "light", dark: "dark" };
// As people who know the suite look for them.
const APPS = [["Monitoring", "/"], ["Conversations", "/conversations"], ["Analytics", "/insights"], ["Alerts", "/alerts"], ["Explore", "/explore"], ["Settings", "/settings"]] as const;

interface Props {
  tabs: readonly Tab[];
  current: Tab;
  /** Whether one chooses here for what time it is shown. */
  timed: boolean;
  me: Me;
  refresh: () => void;
  refreshing: boolean;
  children: ReactNode;
}

const goTo = (path: string) => go(atSameTime(path, location.search));

export function Shell({ tabs, current, timed, me, refresh, refreshing, children }: Props) {
  const { sidebar, theme } = usePrefs();
  const { path } = useView();
  const client = useQueryClient();
  const [open, setOpen] = useState<"help" | "palette" | null>(null);
  const close = () => setOpen(null);
  const keys = useMemo(
    () => ({
      ...Object.fromEntries(tabs.filter((tab) => tab.key).map((tab) => [tab.key, () => goTo(tab.path)])),
      r: refresh,
      f: fullScreen,
      s: () => choose({ sidebar: !sidebar }),
      "?": () => setOpen("help"),
      "/": () => search(() => setOpen("palette")),
      "ctrl+k": () => setOpen("palette"),
    }),
    [tabs, refresh, sidebar],
  );
  useKeys(keys);
  useEffect(() => listen(client), [client]);
  useEffect(() => askAhead(client, rangeOf(new URLSearchParams(location.search))), [client]);
  useEffect(() => {
    document.title = `${current.name} – Botwatch`;
  }, [current]);
  useEffect(() => {
    // Where there is little room the tabs, and the places of one, are wider than the page.
    document.querySelectorAll(".tab.current, nav.segments > .current").forEach((one) => one.scrollIntoView({ block: "nearest", inline: "center" }));
  }, [path]);
  const signOut = () => void ask("/api/auth/sign-out", {}, {}).finally(() => void client.resetQueries());

  return (
    <div className={`shell ${sidebar ? "" : "no-sidebar"}`}>
      <nav className="sidebar" aria-label="Tabs">
        <p className="brand"><Logo /> <span>Botwatch</span></p>
        {tabs.filter((tab) => tab.key).map((tab) => (
          <Link key={tab.key} to={tab.path} sameTime className={tab === current ? "tab current" : "tab"}>
            <kbd>{tab.key}</kbd> {tab.name} {tab.path === "/alerts" && <OpenNow />}
          </Link>
        ))}
        <div className="foot">
          <span className="quiet who"><Said text={me.name} /> <small>{me.role}</small></span>
          <button type="button" onClick={signOut} aria-label="Sign out" title="Sign out"><Icon name="out" /></button>
        </div>
      </nav>
      <div className="page">
        <header className="top">
          <h1>{current.name}</h1>
          <Live />
          {timed && <RangeControl />}
          <button type="button" onClick={refresh} title="Refresh (R)" aria-label="Refresh" className={refreshing ? "busy" : ""}><Icon name="refresh" /></button>
          <button type="button" onClick={fullScreen} title="Full screen (F)" aria-label="Full screen" className="for-keys"><Icon name="screen" /></button>
          <button type="button" onClick={() => choose({ theme: NEXT[theme] })} title={`Look: ${THEMES[theme]}`} aria-label={`Look: ${THEMES[theme]}`}>
            <Icon name={theme} />
          </button>
          <button type="button" onClick={() => setOpen("help")} title="Keys (?)" aria-label="Keys" className="for-keys"><Icon name="help" /></button>
          <Apps />
        </header>
        <Gone />
        <main>{children}</main>
      </div>
      {open === "help" && <Help tabs={tabs} close={close} />}
      {open === "palette" && <Commands tabs={tabs} me={me} refresh={refresh} signOut={signOut} close={close} />}
    </div>
  );
}

function Apps() {
  return (
    <>
      <button type="button" popoverTarget="apps" aria-label="Apps" title="Apps"><Icon name="apps" /></button>
      <nav id="apps" popover="auto" aria-label="Apps" onClick={(event) => (event.currentTarget as HTMLElement).hidePopover()}>
        {APPS.map(([name, path]) => <Link key={name} to={path}>{name}</Link>)}
      </nav>
    </>
  );
}

/** How many incidents are open, wherever one is. */
function OpenNow() {
  const open = useJudging().data?.open;
  const [critical, warning] = [open?.critical ?? 0, open?.warning ?? 0];
  if (!critical && !warning) return null;
  const words = [critical && `${critical} critical`, warning && `${warning} warning`].filter(Boolean).join(", ");
  return <span className={`badge ${critical ? "critical" : "warning"}`} title={`Open: ${words}`}>{critical + warning}<span className="for-ears"> open: {words}</span></span>;
}

function useLiveness() {
  const { dataUpdatedAt, isError, failureReason } = useStatus();
  const { streaming, away } = useLife();
  const now = useNow();
  const asOf = dataUpdatedAt ? new Date(dataUpdatedAt) : null;
  const live = !isError && away === null && asOf !== null && now.getTime() - dataUpdatedAt < STALE_MS;
  return { live, streaming, asOf, reason: away ?? failureReason?.message };
}

function Live() {
  const { live, streaming, asOf, reason } = useLiveness();
  if (!asOf && !reason) return <p className="live"><span aria-hidden="true">○</span> <b role="status">asking</b></p>;
  const how = streaming ? "The server tells what is new." : "The server is asked every few seconds.";
  return (
    <p className={`live ${live ? "on" : "off"}`} title={live ? how : undefined}>
      <span aria-hidden="true">{live ? "●" : "■"}</span> <b role="status">{live ? "LIVE" : "NOT LIVE"}</b>
      {asOf && <> <span className="as-of">as of {clock(asOf)}</span></>}
    </p>
  );
}

function Gone() {
  const { live, asOf, reason } = useLiveness();
  if (live || !reason) return null;
  return (
    <div className="gone" role="alert">
      <b>{reason}</b> {asOf && `What you see is as it was at ${clock(asOf)}.`} It is asked again every few seconds.
    </div>
  );
}

function Help({ tabs, close }: { tabs: readonly Tab[]; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const rows = [
    ...tabs.filter((tab) => tab.key).map((tab) => [tab.key, tab.name] as const),
    ["R", "Refresh"],
    ["F", "Full screen"],
    ["S", "Show or hide the side bar"],
    ["/", "Search"],
    ["Ctrl K", "Go to anything, do anything"],
    ["Esc", "Close"],
    ["?", "This list"],
  ] as const;
  return (
    <dialog ref={dialog} onClose={close} aria-label="Keys" onClick={(event) => event.target === dialog.current && close()}>
      <h2>Keys</h2>
      <dl className="keys">
        {rows.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}
      </dl>
      <p className="quiet">Drag over a chart to look closer; a double click shows twice as much time.</p>
      <button type="button" autoFocus onClick={close}>Close</button>
    </dialog>
  );
}

function Commands({ tabs, me, refresh, signOut, close }: { tabs: readonly Tab[]; me: Me; refresh: () => void; signOut: () => void; close: () => void }) {
  const bots = useBots().data?.items ?? [];
  const measures = useCatalogue().data?.measures ?? [];
  const to = (kind: string, name: string, path: string, key?: string): Command => ({ kind, name, run: () => goTo(path), ...(key ? { key } : {}) });
  const commands: Command[] = [
    ...tabs.map((tab) => to("tab", tab.name, tab.path, tab.key)),
    to("explore", "Logs", "/explore"),
    to("explore", "Traces", "/explore/traces"),
    to("explore", "Faults", "/explore/faults"),
    to("explore", "Measures", "/explore/measures"),
    to("insights", "Reports", "/insights/reports"),
    ...(["Rules", "Channels", "Silences", "Deliveries", "Noise"] as const).map((name) => to("alerts", name === "Deliveries" ? "Receipts" : name, `/alerts/${name.toLowerCase()}`)),
    ...(["Contracts", "Questions", "Misunderstood", "Feedback", "Stops", "People", "Week"] as const).map((name) => to("insights", name, `/insights/${name.toLowerCase()}`)),
    ...(me.role === "admin" ? [to("make", "Add a rule", "/alerts/rules?new=threshold"), to("make", "Add a service to watch", "/system?new=service"), to("make", "Add a contract", "/insights/contracts?new=contract"), to("make", "Add a channel", "/alerts/channels"), to("make", "Be quiet: a silence", "/alerts/silences")] : []),
    { kind: "do", name: "Refresh", key: "R", run: refresh },
    { kind: "do", name: "Full screen", key: "F", run: fullScreen },
    ...(["light", "dark", "auto"] as const).map((theme) => ({ kind: "look", name: THEMES[theme], run: () => choose({ theme }) })),
    ...PERIODS.map(([period, label]) => ({ kind: "time", name: label, run: () => set(periodChanges(period)) })),
    ...bots.map(({ name }) => to("conversations of", name, `/conversations?bot=${encodeURIComponent(name)}`)),
    ...bots.map(({ name }) => to("actions of", name, `/actions?bot=${encodeURIComponent(name)}`)),
    ...measures.map(({ name }) => to("measure", name, `/explore/measures?measure=${encodeURIComponent(name)}`)),
    { kind: "do", name: "Sign out", run: signOut },
  ];
  return <Palette commands={commands} close={close} />;
}

/** The page's own search, or where it has none, the one for everything. */
function search(otherwise: () => void) {
  const field = document.querySelector<HTMLInputElement>("[data-search]");
  if (field) field.focus();
  else otherwise();
}

function fullScreen() {
  void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
}
