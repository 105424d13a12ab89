// What a viewer chose for this browser: the look, and whether the side bar is open.

import { useSyncExternalStore } from "react";

export type Theme = "auto" | "light" | "dark";
interface Prefs {
  theme: Theme;
  sidebar: boolean;
  /** Whether it is dark now, by choice or by the system. */
  dark: boolean;
  /** Whether nothing should move, as the system says. */
  still: boolean;
}

const KEY = "botwatch";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const listeners = new Set<() => void>();
let prefs: Prefs = kept();

function kept(): Prefs {
  let found: Partial<Prefs> | null = null;
  try {
    found = JSON.parse(localStorage.getItem(KEY) ?? "null") as Partial<Prefs> | null;
  } catch {
    // storage is switched off, or holds what is not ours: the defaults do
  }
  const theme = found?.theme === "light" || found?.theme === "dark" ? found.theme : "auto";
  return { theme, sidebar: found?.sidebar !== false, dark: isDark(theme), still: calm.matches };
}

function isDark(theme: Theme): boolean {
  return theme === "auto" ? system.matches : theme === "dark";
}

export function choose(change: Partial<Pick<Prefs, "theme" | "sidebar">>) {
  const next = { ...prefs, ...change };
  prefs = { ...next, dark: isDark(next.theme), still: calm.matches };
  try {
    localStorage.setItem(KEY, JSON.stringify({ theme: prefs.theme, sidebar: prefs.sidebar }));
  } catch {
    // it holds until the page is closed
  }
  show();
}

function show() {
  document.documentElement.dataset["theme"] = prefs.theme;
  listeners.forEach((listener) => listener());
}

system.addEventListener("change", () => choose({}));
calm.addEventListener("change", () => choose({}));
show();

export const usePrefs = () =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => prefs,
  );
