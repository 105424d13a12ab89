// The one place where the pages ask the server.

import type { ErrorBody } from "./types";

const ANSWER_MS_MAX = 20_000;
/** For what goes through days of history. */
export const LONG_MS = 90_000;

export type Params = Record<string, string | number | boolean | readonly string[] | undefined>;

/** The server answered, and said no. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null,
  ) {
    super(message);
  }
}

/** The server did not answer, or something before it did. */
export class Away extends Error {}

export async function ask<T>(path: string, params: Params = {}, body?: unknown, method = body === undefined ? "GET" : "POST", waitMs = ANSWER_MS_MAX): Promise<T> {
  const query = queryOf(params);
  const init: RequestInit = { method, signal: AbortSignal.timeout(waitMs), headers: { accept: "application/json" } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, "content-type": "application/json" };
  }
  let response: Response;
  let text: string;
  try {
    response = await fetch(path + query, init);
    text = await response.text();
  } catch (problem) {
    throw new Away(problem instanceof DOMException && problem.name === "TimeoutError" ? `The server has not answered within ${waitMs / 1_000} s.` : "The server does not answer.");
  }
  if (response.ok) return (text ? JSON.parse(text) : null) as T;
  throw refusalOf(response.status, text);
}

/** Empty values are left out: no filter is another thing than a filter for nothing. */
export function queryOf(params: Params): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (Array.isArray(value)) value.forEach((one) => found.append(name, one));
    else if (value !== undefined && value !== "") found.set(name, String(value));
  }
  const text = found.toString();
  return text && `?${text}`;
}

export function refusalOf(status: number, text: string): Refusal | Away {
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    return new Refusal(status, error.code, error.message, error.hint);
  } catch {
    if (status >= 502 && status <= 504) return new Away(`What stands before the server answered with ${status}.`);
    return new Refusal(status, "unknown", `The answer was ${status}, and not in the server's own form.`, null);
  }
}
