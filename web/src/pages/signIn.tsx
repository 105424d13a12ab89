// The only page for who is not signed in.

import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ask } from "../api/fetch";
import type { Me } from "../api/types";
import { Problem } from "./parts";
import { Logo } from "./icons";

export function SignIn() {
  const client = useQueryClient();
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setBusy(true);
    try {
      client.setQueryData(["me"], await ask<Me>("/api/auth/sign-in", {}, { name: given.get("name"), password: given.get("password") }));
    } catch (problem) {
      setError(problem as Error);
      setBusy(false);
    }
  }

  return (
    <main className="sign-in">
      <form className="panel" onSubmit={(event) => void submit(event)}>
        <h1><Logo /> Botwatch</h1>
        <label>Name <input name="name" autoComplete="username" required autoFocus maxLength={200} /></label>
        <label>Password <input name="password" type="password" autoComplete="current-password" required maxLength={1_000} /></label>
        {error && <Problem error={error} />}
        <button type="submit" className="primary" disabled={busy}>Sign in</button>
        <p className="quiet">
          Or open the sign-in link that the server printed when it started; it works once. For a name and a password of your own, whoever runs
          the server says <code>botwatch user add</code>.
        </p>
      </form>
    </main>
  );
}
