// Doing something to what is on the page: it is sent, and what may have changed by it is asked for again. Until that is
// there nothing else can be done: a list that is sent whole would lose what was just put into it.

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

export function useChange(...paths: string[]) {
  const client = useQueryClient();
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const change = async <R,>(work: () => Promise<R>): Promise<R | null> => {
    setError(null);
    setBusy(true);
    try {
      return await work();
    } catch (problem) {
      setError(problem as Error);
      return null;
    } finally {
      await Promise.all(paths.map((path) => client.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith(path) })));
      setBusy(false);
    }
  };
  return { change, error, busy };
}
