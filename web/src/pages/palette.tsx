// Ctrl-K: whatever there is to go to or to do, found by typing a part of its name.

import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { plain } from "../lib/text";

export interface Command {
  name: string;
  kind: string;
  key?: string;
  run: () => void;
}

const SHOWN_MAX = 12;

export function Palette({ commands, close }: { commands: readonly Command[]; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [place, setPlace] = useState(0);
  useEffect(() => dialog.current?.showModal(), []);
  const found = matching(commands, typed).slice(0, SHOWN_MAX);
  const at = Math.min(place, found.length - 1);
  const run = (command: Command | undefined) => {
    if (!command) return;
    close();
    command.run();
  };
  const pressed = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) setPlace((at + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") run(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={dialog} className="palette" onClose={close} aria-label="Commands" onClick={(event) => event.target === dialog.current && close()}>
      <input
        type="text" role="combobox" aria-label="Go to, or do" aria-expanded="true" aria-controls="commands" aria-autocomplete="list"
        aria-activedescendant={at >= 0 ? `command-${at}` : undefined} placeholder="Go to, or do …" autoFocus value={typed} maxLength={100}
        onChange={(event) => { setTyped(event.target.value); setPlace(0); }} onKeyDown={pressed}
      />
      <ul id="commands" role="listbox" aria-label="Commands">
        {found.map((command, number) => (
          <li key={`${command.kind} ${command.name}`} id={`command-${number}`} role="option" aria-selected={number === at} onClick={() => run(command)}>
            <span>{plain(command.name)}</span> <span className="quiet">{command.kind}</span> {command.key && <kbd>{command.key}</kbd>}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="quiet pad" role="status">Nothing is called that.</p>}
    </dialog>
  );
}

/** All words must be in the name or its kind; where a name begins with what was typed, it comes first. */
export function matching(commands: readonly Command[], typed: string): Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = commands.filter(({ name, kind }) => words.every((word) => `${name} ${kind}`.toLowerCase().includes(word)));
  const first = (command: Command) => (words[0] && command.name.toLowerCase().startsWith(words[0]) ? 0 : 1);
  return fits.sort((a, b) => first(a) - first(b));
}
