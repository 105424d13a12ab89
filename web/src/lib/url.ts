// The address is the view: what is shown can be read from it, and sent to a colleague.

import { type MouseEvent, useSyncExternalStore } from "react";

export interface View {
  path: string;
  params: URLSearchParams;
}

/** The parts of a path, each as it was before it was put into an address. */
export function partsOf(path: string): string[] {
  return path.split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

/** Changed parameters in an address; an empty value leaves, the others keep their place. */
export function changed(search: string, changes: Record<string, string>): string {
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) value ? params.set(name, value) : params.delete(name);
  const text = params.toString();
  return text && `?${text}`;
}

let view: View = read();
const listeners = new Set<() => void>();

function read(): View {
  if (typeof location === "undefined") return { path: "/", params: new URLSearchParams() };
  return { path: location.pathname, params: new URLSearchParams(location.search) };
}

function renew() {
  view = read();
  listeners.forEach((listener) => listener());
}

if (typeof window !== "undefined") window.addEventListener("popstate", renew);

export function go(address: string, replace = false) {
  if (replace) history.replaceState(null, "", address);
  else if (address !== location.pathname + location.search) history.pushState(null, "", address);
  renew();
}

/** While one types, each letter is not a step to go back to. */
export const set = (changes: Record<string, string>, replace = false) =>
  go(location.pathname + changed(location.search, changes), replace);

export function useView(): View {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => view,
  );
}

/** For links: a plain click stays in the page, any other is the browser's. */
export function stay(event: MouseEvent<HTMLAnchorElement>) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const { pathname, search } = event.currentTarget;
  go(pathname + search);
  window.scrollTo(0, 0);
}
