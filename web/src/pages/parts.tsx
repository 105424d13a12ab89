// The few parts that every page is made of.

import { Fragment, type ReactNode, useEffect, useState } from "react";
import { type Params, queryOf, Refusal } from "../api/fetch";
import type { Level } from "../lib/levels";
import { coded, parted, pieces, plain } from "../lib/text";
import { absolute, ago, clock, useNow } from "../lib/time";
import { atSameTime } from "../lib/range";
import { stay, useView } from "../lib/url";

const COPIED_MS = 2_000;

/** What somebody wrote: kept apart from the text around it, with all that hides in it. */
export function Said({ text, className = "" }: { text: string; className?: string }) {
  return (
    <bdi dir="auto" className={`said ${className}`}>
      {pieces(text).map((piece, place) =>
        piece.hidden ? (
          <span key={place} className="hidden-character" title={`This character does not show: ${piece.hidden}`}>
            {piece.text}
          </span>
        ) : (
          <Parted key={place} text={piece.text} />
        ),
      )}
    </bdi>
  );
}

const Parted = ({ text }: { text: string }) => parted(text).map((part, place) => <Fragment key={place}>{place > 0 && <wbr />}{part}</Fragment>);

/** A sentence of the server's: the names in it are set as code, and shown as `Said` shows them. */
export function Words({ text }: { text: string }) {
  return <>{coded(text).map((part, place) => (part.code ? <code key={place}><Said text={part.text} /></code> : <Said key={place} text={part.text} />))}</>;
}

interface LinkProps {
  to: string;
  children: ReactNode;
  className?: string | undefined;
  title?: string;
  /** Whether what is shown there is of the time that is shown here. */
  sameTime?: boolean;
}

export function Link({ to, children, className, title, sameTime = false }: LinkProps) {
  const { params } = useView();
  return (
    <a href={sameTime ? atSameTime(to, params.toString()) : to} onClick={stay} className={className} title={title && plain(title)}>
      {children}
    </a>
  );
}

/** How long ago; the time itself on hover. */
export function When({ at }: { at: string }) {
  const now = useNow();
  const date = new Date(at);
  return (
    <time dateTime={at} title={absolute(date)}>
      {ago(date, now)}
    </time>
  );
}

const MARKS: Record<Level, string> = { ok: "●", warning: "▲", critical: "■", unknown: "○" };

/** A status: its shape and its words say it, the colour only helps. */
export function Mark({ level, children }: { level: Level; children: ReactNode }) {
  return (
    <span className={`mark ${level}`}>
      <span aria-hidden="true">{MARKS[level]}</span> {children}
    </span>
  );
}

export function Panel(props: { title: ReactNode; aside?: ReactNode; className?: string; children: ReactNode }) {
  return (
    <section className={`panel ${props.className ?? ""}`}>
      <header>
        <h2>{props.title}</h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: Error | null;
}

/** What was asked for, or why it is not there. What is old stays, for the mark above says of when it is. */
export function Answer<T>({ of, children }: { of: Asked<T>; children: (data: T) => ReactNode }) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error) return <Problem error={of.error} />;
  return <p className="quiet pad" role="status">Loading…</p>;
}

export function Problem({ error }: { error: Error }) {
  return (
    <div className="problem" role="alert">
      <Mark level="critical">{error.message}</Mark>
      {error instanceof Refusal && error.hint && <p className="quiet">{error.hint}</p>}
    </div>
  );
}

/** The same rows as a file. What one may not see is masked there too. */
export function Export({ of, params }: { of: string; params: Params }) {
  return (
    <span className="export quiet">
      Export{" "}
      {["csv", "json", "parquet"].map((format) => (
        <a key={format} href={`/api/export/${of}${queryOf({ ...params, format })}`} download>{format === "parquet" ? "Parquet" : format.toUpperCase()}</a>
      ))}
    </span>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <div className="empty">{children}</div>;
}

export function Snippet({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <div className="snippet">
      <pre>{text}</pre>
      <button type="button" onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}>
        {copied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}

export function Choice(props: { label: string; value: string; options: readonly (readonly [string, string])[]; onChange: (value: string) => void }) {
  const known = props.options.some(([value]) => value === props.value);
  return (
    <label className="field">
      <span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.onChange(event.target.value)}>
        {!known && <option value={props.value}>{plain(props.value)}</option>}
        {props.options.map(([value, label]) => (
          <option key={value} value={value}>
            {plain(label)}
          </option>
        ))}
      </select>
    </label>
  );
}

const TYPING_MS = 250;

/** `/` comes here. What is typed is asked for when one pauses. */
export function Search({ value, label, onChange }: { value: string; label: string; onChange: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value); // somebody went back, or cleared the filters
    setTyped(value);
  }
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), TYPING_MS);
    return () => clearTimeout(timer);
  });
  return (
    <label className="field search">
      <span>{label}</span>
      <input type="search" data-search value={typed} placeholder="/" maxLength={200} onChange={(event) => setTyped(event.target.value)} />
    </label>
  );
}

/** What one reads does not move under one's eyes. */
export const AsOf = ({ at }: { at: number }) => (at ? <span className="quiet">as of {clock(new Date(at))}, <kbd>R</kbd> asks again</span> : null);

export function More({ asked }: { asked: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }) {
  if (!asked.hasNextPage) return null;
  return (
    <p className="pager">
      <button type="button" disabled={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>Older</button>
    </p>
  );
}

const SURE_MS = 5_000;

/** What cannot be undone takes two clicks. */
export function Delete({ what, busy, run, word = "Delete" }: { what: string; busy: boolean; run: () => void; word?: string }) {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => setAsked(false), SURE_MS);
    return () => clearTimeout(timer);
  }, [asked]);
  return (
    <button type="button" disabled={busy} className={asked ? "sure" : ""} aria-label={`${word} ${plain(what)}${asked ? ", really" : ""}`} onClick={() => (asked ? run() : setAsked(true))}>
      {asked ? `${word}, really?` : word}
    </button>
  );
}
