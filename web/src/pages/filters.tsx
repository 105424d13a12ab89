// What a list is narrowed by, as it stands in the address.

import { useBots } from "../api/queries";
import { set, useView } from "../lib/url";
import { Choice, Said } from "./parts";

export function BotChoice() {
  const bots = useBots().data?.items ?? [];
  const bot = useView().params.get("bot") ?? "";
  return <Choice label="Bot" value={bot} options={[["", "All bots"], ...bots.map(({ name }) => [name, name] as const)]} onChange={(value) => set({ bot: value, name: "" })} />;
}

export function useParam() {
  const { params } = useView();
  return (name: string, otherwise = "") => params.get(name) ?? otherwise;
}

/** What came here with a link and has no field of its own: shown, and taken away with a click. */
export function Chips({ names }: { names: readonly string[] }) {
  const { params } = useView();
  const found = [...params].filter(([name]) => names.includes(name) || name.startsWith("attr."));
  if (!found.length) return null;
  return (
    <p className="chips">
      {found.map(([name, value]) => (
        <button key={name} type="button" className="chip" aria-label={`Remove ${name}`} onClick={() => set({ [name]: "" })}>
          <Said text={name.replace(/^attr\./, "")} /> = <Said text={value} /> <span aria-hidden="true">✕</span>
        </button>
      ))}
    </p>
  );
}

/** Those of the address that a list takes, as it is asked for them. */
export function useFilters(names: readonly string[], withAttributes = false): Record<string, string> {
  const { params } = useView();
  return Object.fromEntries([...params].filter(([name]) => names.includes(name) || (withAttributes && name.startsWith("attr."))));
}
