// Keys that work wherever one is, except where one types.

import { useEffect } from "react";

export type Keys = Record<string, () => void>;

export function useKeys(keys: Keys) {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const typing = target.matches("input:not([type=checkbox]), textarea, select") || target.isContentEditable;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && keys["ctrl+k"]) {
        event.preventDefault();
        return keys["ctrl+k"]();
      }
      if (event.key === "Escape" && typing) return target.blur();
      if (document.querySelector("dialog[open]")) return; // what is open has its own keys
      if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
      const work = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!work) return;
      event.preventDefault();
      work();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [keys]);
}
