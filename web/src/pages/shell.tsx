// What stands around every page: the tabs, whether what one sees is live, and the keys.

import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { ask } from "../api/fetch";
import { useStatus } from "../api/queries";
import type { Me } from "../api/types";
import { useKeys } from "../lib/keys";
import { choose, type Theme, usePrefs } from "../lib/prefs";
import { clock, useNow } from "../lib/time";
import { go } from "../lib/url";
import { Icon, Logo } from "./icons";
import { Link, Said } from "./parts";

export interface Tab {
  key: string;
  name: string;
  path: string;
}

const STALE_MS = 20_000;
const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const THEMES: Record<Theme, string> = { auto: "as the system is", light: "light", dark: "dark" };

interface Props {
  tabs: readonly Tab[];
  current: Tab;
  me: Me;
  refresh: () => void;
  refreshing: boolean;
  children: ReactNode;
}

export function Shell({ tabs, current, me, refresh, refreshing, children }: Props) {
  const { sidebar, theme } = usePrefs();
  const client = useQueryClient();
  const [help, setHelp] = useState(false);
  const keys = useMemo(
    () => ({
      ...Object.fromEntries(tabs.map((tab) => [tab.key, () => go(tab.path)])),
      r: refresh,
      f: fullScreen,
      s: () => choose({ sidebar: !sidebar }),
      "?": () => setHelp(true),
      "/": () => document.querySelector<HTMLInputElement>("[data-search]")?.focus(),
    }),
    [tabs, refresh, sidebar],
  );
  useKeys(keys);
  useEffect(() => {
    document.title = `${current.name} – Botwatch`;
  }, [current]);
  const signOut = () => void ask("/api/auth/sign-out", {}, {}).finally(() => void client.resetQueries());

  return (
    <div className={`shell ${sidebar ? "" : "no-sidebar"}`}>
      <nav className="sidebar" aria-label="Tabs">
        <p className="brand"><Logo /> <span>Botwatch</span></p>
        {tabs.map((tab) => (
          <Link key={tab.key} to={tab.path} className={tab === current ? "tab current" : "tab"}>
            <kbd>{tab.key}</kbd> {tab.name}
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
          <button type="button" onClick={refresh} title="Refresh (R)" aria-label="Refresh" className={refreshing ? "busy" : ""}><Icon name="refresh" /></button>
          <button type="button" onClick={fullScreen} title="Full screen (F)" aria-label="Full screen" className="for-keys"><Icon name="screen" /></button>
          <button type="button" onClick={() => choose({ theme: NEXT[theme] })} title={`Look: ${THEMES[theme]}`} aria-label={`Look: ${THEMES[theme]}`}>
            <Icon name={theme} />
          </button>
          <button type="button" onClick={() => setHelp(true)} title="Keys (?)" aria-label="Keys" className="for-keys"><Icon name="help" /></button>
        </header>
        <Gone />
        <main>{children}</main>
      </div>
      {help && <Help tabs={tabs} close={() => setHelp(false)} />}
    </div>
  );
}

function useLife() {
  const { dataUpdatedAt, isError, failureReason } = useStatus();
  const now = useNow();
  const asOf = dataUpdatedAt ? new Date(dataUpdatedAt) : null;
  const live = !isError && asOf !== null && now.getTime() - dataUpdatedAt < STALE_MS;
  return { live, asOf, reason: failureReason };
}

function Live() {
  const { live, asOf } = useLife();
  return (
    <p className={`live ${live ? "on" : "off"}`}>
      <span aria-hidden="true">{live ? "●" : "■"}</span> <b role="status">{live ? "LIVE" : "NOT LIVE"}</b>
      {asOf && <> <span className="as-of">as of {clock(asOf)}</span></>}
    </p>
  );
}

function Gone() {
  const { live, asOf, reason } = useLife();
  if (live || !reason) return null;
  return (
    <div className="gone" role="alert">
      <b>{reason.message}</b> {asOf && `What you see is as it was at ${clock(asOf)}.`} It is asked again every five seconds.
    </div>
  );
}

function Help({ tabs, close }: { tabs: readonly Tab[]; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const rows = [
    ...tabs.map((tab) => [tab.key, tab.name] as const),
    ["R", "Refresh"],
    ["F", "Full screen"],
    ["S", "Show or hide the side bar"],
    ["/", "Search"],
    ["Esc", "Close"],
    ["?", "This list"],
  ] as const;
  return (
    <dialog ref={dialog} onClose={close} aria-label="Keys" onClick={(event) => event.target === dialog.current && close()}>
      <h2>Keys</h2>
      <dl className="keys">
        {rows.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}
      </dl>
      <button type="button" autoFocus onClick={close}>Close</button>
    </dialog>
  );
}

function fullScreen() {
  void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
}
