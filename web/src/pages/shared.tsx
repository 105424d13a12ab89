// A report that somebody has a link to, and nothing else. The secret stands behind the # and is sent in a header.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Away, Refusal, refusalOf } from "../api/fetch";
import type { ReportData } from "../api/types";
import { absolute } from "../lib/time";
import { Logo } from "./icons";
import { Answer, Problem, Said } from "./parts";
import { Fixed, ReportPanels } from "./reportPanels";

const PATH = "/api/shared/report";
const AGAIN_MS = 60_000;
const SECRET = typeof location === "undefined" ? "" : location.hash.slice(1);

async function fetched(path: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { authorization: `Bearer ${SECRET}` }, credentials: "omit" });
  } catch {
    throw new Away("The server does not answer.");
  }
  if (!response.ok) throw refusalOf(response.status, await response.text());
  return response;
}

export function Shared() {
  const asked = useQuery({
    queryKey: [PATH],
    queryFn: async () => (await fetched(PATH)).json() as Promise<ReportData>,
    refetchInterval: (query) => (query.state.error instanceof Refusal ? false : AGAIN_MS),
  });
  return (
    <div className="page shared">
      <header className="top">
        <Logo />
        <h1>{asked.data ? <Said text={asked.data.name} /> : "Report"}</h1>
        {asked.data && <span className="quiet">as of {absolute(new Date(asked.data.as_of))}</span>}
        {asked.data && <Files name={asked.data.name} />}
      </header>
      <main><Answer of={asked}>{(found) => <Fixed><ReportPanels of={found} /></Fixed>}</Answer></main>
    </div>
  );
}

function Files({ name }: { name: string }) {
  const [error, setError] = useState<Error | null>(null);
  const save = async (kind: string) => {
    setError(null);
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await (await fetched(`${PATH}.${kind}`)).blob());
      link.download = `${name}.${kind}`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (problem) {
      setError(problem as Error);
    }
  };
  return (
    <span className="links">
      <button type="button" className="file" onClick={() => void save("pdf")}>PDF</button>
      <button type="button" className="file" onClick={() => void save("csv")}>CSV</button>
      {error && <Problem error={error} />}
    </span>
  );
}
