// Which stretch of time is shown, chosen once for everything on the page.

import { type FormEvent, useRef } from "react";
import { moved, PERIODS, periodChanges, rangeOf, windowChanges } from "../lib/range";
import { fieldTime } from "../lib/time";
import { set, useView } from "../lib/url";

const nowS = () => Date.now() / 1_000;

export const useRange = () => rangeOf(useView().params);

export function RangeControl() {
  const range = useRange();
  const own = useRef<HTMLDialogElement>(null);
  const choose = (value: string) => (value === "own" ? own.current?.showModal() : set(periodChanges(value)));
  return (
    <div className="range" role="group" aria-label="Time">
      <button type="button" onClick={() => set(moved(range, nowS(), -0.5))} aria-label="Earlier" title="Earlier">◀</button>
      <select aria-label="Time" value={"period" in range.query ? range.query.period : "custom"} onChange={(event) => choose(event.target.value)}>
        {PERIODS.map(([value, label]) => <option key={value} value={value}>{label}</option>)}
        {range.custom && <option value="custom">{range.label}</option>}
        <option value="own">from … to …</option>
      </select>
      {range.custom && <button type="button" onClick={() => set(moved(range, nowS(), 0.5))} aria-label="Later" title="Later">▶</button>}
      <button type="button" onClick={() => set(moved(range, nowS(), 0, 2))} aria-label="Twice as much time" title="Twice as much time">−</button>
      {range.custom && <button type="button" onClick={() => set(periodChanges("24h"))} aria-label="Back to now" title="Back to now">now</button>}
      <dialog ref={own} aria-label="From … to …" onClick={(event) => event.target === own.current && own.current?.close()}>
        <Own close={() => own.current?.close()} key={range.label} />
      </dialog>
    </div>
  );
}

function Own({ close }: { close: () => void }) {
  const range = useRange();
  const to = "to" in range.query ? new Date(range.query.to) : new Date();
  const from = new Date(to.getTime() - range.seconds * 1_000);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const [first, last] = ["from", "to"].map((name) => Date.parse(String(given.get(name))) / 1_000) as [number, number];
    if (!(first < last)) return;
    set(windowChanges(first, last));
    close();
  };
  return (
    <form onSubmit={submit} className="own-range">
      <h2>From … to …</h2>
      <label>From <input type="datetime-local" name="from" required defaultValue={fieldTime(from)} /></label>
      <label>To <input type="datetime-local" name="to" required defaultValue={fieldTime(to)} /></label>
      <p className="quiet">In your own time zone, {Intl.DateTimeFormat().resolvedOptions().timeZone}.</p>
      <p className="buttons">
        <button type="submit" className="primary">Show</button>
        <button type="button" onClick={close}>Cancel</button>
      </p>
    </form>
  );
}
