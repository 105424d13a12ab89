// Doing something to what is on the page: it is sent, and what may have changed by it is asked for again.

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
      setBusy(false);
      for (const path of paths) void client.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith(path) });
    }
  };
  return { change, error, busy };
}
