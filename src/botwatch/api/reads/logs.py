"""Log records: searched, filtered, newest first, and counted by level over time.

The cursor is a time, a hash of the whole record, and how many records like it were shown: records of
one time stay in one order, and equal ones are neither skipped nor shown twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from botwatch.api.asking import Window
from botwatch.api.masking import Eyes
from botwatch.api.pages import Page, cursor_of, moment, parts_of
from botwatch.api.reads import scope as scopes
from botwatch.api.reads.slices import slices
from botwatch.api.reads.values import (
    attributes_of,
    attributes_reader,
    known,
    known_span,
    known_trace,
    sql_between,
    sql_inside,
    sql_map,
    sql_ns,
    sql_text,
    sql_traces,
    text_of,
)
from botwatch.api.shapes_telemetry import Histogram, LogItem
from botwatch.store.client import Params, Store

_TIE: Final = """bitShiftRight(cityHash64(
    bot, host, instance, severity, event, body, scope, trace_id, span_id, session_id, user_id, channel, correlation_id,
    attributes, resource), 1)"""
# What a record is made of; the first two tell its place.
COLUMNS: Final = (
    *(sql_ns("at"), _TIE, "level", "severity", "event", sql_text("body"), "bot", "host", "instance", "channel"),
    *("scope", "session_id", "user_id", "trace_id", "span_id", "correlation_id"),
    *(sql_map("attributes"), sql_text("resource")),
)
_COLUMNS: Final = f"{COLUMNS[0]} AS at_ns, {COLUMNS[1]} AS tie, {', '.join(COLUMNS[2:])}"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a record must have; what is None or empty is not asked for."""

    window: Window
    words: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    event: str | None = None
    bot: str | None = None
    host: str | None = None
    trace: str | None = None
    correlation: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    session: str | None = None
    traces: tuple[str, ...] = ()  # of the session: records with one of them belong to it

    @property
    def few(self) -> bool:
        """Whether only a handful of records can fit, wherever they are."""
        return any(name is not None for name in (self.session, self.trace, self.correlation))

    def of_session(self, scope: scopes.Scope, traces: Sequence[str]) -> Filter:
        return replace(
            self,
            window=self.window.within(scope.reach),
            bot=scope.totals.bot,
            session=scope.totals.session_id,
            traces=tuple(traces),
        )


async def page(store: Store, wanted: Filter, limit: int, cursor: str | None, now_ns: int, eyes: Eyes) -> Page[LogItem]:
    before = [int(part) for part in parts_of(cursor, int, int, int)] if cursor is not None else None
    where, params = conditions(wanted, eyes)
    rows: list[Sequence[Any]] = []
    for piece in slices(wanted.window, now_ns, before[0] if before else None, few=wanted.few):
        inside = " AND ".join([*where, sql_between("at", piece.from_ns, piece.to_ns)])
        upto, passed, more = _from_cursor(before, piece)
        sql = (
            f"SELECT {_COLUMNS} FROM logs {f'PREWHERE {inside} WHERE' if wanted.few else f'WHERE {inside} AND'} {upto} "
            f"ORDER BY at_ns DESC, tie DESC LIMIT {limit + 1 - len(rows)} {passed} {scopes.SMALL if wanted.few else ''}"
        )
        rows += (await store.fetch(sql, {**params, **more})).rows
        if len(rows) > limit:
            break
    read = attributes_reader()
    items = [item(row, eyes, read(row[17])) for row in rows[:limit]]
    return Page(items=items, next=_next(rows[:limit], before) if len(rows) > limit else None)


async def histogram(store: Store, wanted: Filter, buckets: int, now_ns: int, eyes: Eyes) -> Histogram:
    """Over the whole window; where it has no beginning, the last day of it."""
    where, params = conditions(wanted, eyes)
    upper_ns = min(wanted.window.to_ns, now_ns) if wanted.window.from_ns < now_ns else wanted.window.to_ns
    lower_ns = wanted.window.from_ns or max(0, upper_ns - 86_400_000_000_000)
    step_ns = max(1, -(-(upper_ns - lower_ns) // buckets))
    params |= {"lower": lower_ns, "upper": upper_ns, "step": step_ns}
    sql = (
        f"SELECT level, intDiv({sql_ns('at')} - {{lower:Int64}}, {{step:Int64}}) AS bucket, count() FROM logs "
        f"WHERE {' AND '.join([*where, sql_inside('at')])} GROUP BY level, bucket"
    )
    levels: dict[str, list[int]] = {}
    for level, bucket, count in await store.fetch(sql, params):
        levels.setdefault(level, [0] * buckets)[bucket] = count
    return Histogram(start=moment(lower_ns), step_seconds=step_ns / 1e9, levels=levels)


async def of_trace(store: Store, trace_id: str, window: Window, limit: int, eyes: Eyes) -> list[LogItem]:
    """In the order they were written."""
    where, params = conditions(Filter(window, trace=trace_id), eyes)
    sql = (
        f"SELECT {_COLUMNS} FROM logs WHERE {' AND '.join([*where, sql_inside('at')])} "
        "ORDER BY at_ns, tie LIMIT {limit:UInt32}"
    )
    rows = await store.fetch(sql, {**params, "lower": window.from_ns, "upper": window.to_ns, "limit": limit})
    read = attributes_reader()
    return [item(row, eyes, read(row[17])) for row in rows]


def _from_cursor(before: list[int] | None, piece: Window) -> tuple[str, str, Params]:
    """In the first piece from where the page before ended: a condition, and how many to pass over."""
    if before is None or piece.to_ns <= before[0]:
        return "1", "", {}
    at_ns, tie, shown = before
    upto = "(at_ns, tie) <= ({at_ns:Int64}, {tie:UInt64})"
    return upto, "OFFSET {shown:UInt32}", {"at_ns": at_ns, "tie": tie, "shown": shown}


def _next(shown: Sequence[Sequence[Any]], before: list[int] | None) -> str:
    at_ns, tie = shown[-1][:2]
    alike = sum(1 for row in shown if (row[0], row[1]) == (at_ns, tie))
    if before is not None and before[:2] == [at_ns, tie]:
        alike += before[2]
    return cursor_of(at_ns, tie, alike)


def conditions(wanted: Filter, eyes: Eyes) -> tuple[list[str], dict[str, Any]]:
    where: list[str] = []
    params: dict[str, Any] = {}
    for column, value in (
        ("event", wanted.event),
        ("bot", wanted.bot),
        ("host", wanted.host),
        ("correlation_id", wanted.correlation),
    ):
        if value is not None:
            params[column] = value
            where.append(f"{column} = {{{column}:String}}")
    if wanted.levels:
        params["levels"] = list(wanted.levels)
        where.append("level IN {levels:Array(String)}")
    if wanted.trace is not None:
        params["trace"] = wanted.trace
        where.append("trace_id = toFixedString(unhex({trace:String}), 16)")
    if wanted.session is not None:
        params["session"] = wanted.session
        its_own = "session_id = {session:String}"
        where.append(f"({its_own} OR {sql_traces(wanted.traces)})" if wanted.traces else its_own)
    for number, (name, value) in enumerate(wanted.attributes):
        params |= {f"name{number}": name, f"value{number}": value}
        where.append(f"attributes[{{name{number}:String}}] = {{value{number}:String}}")
    for number, word in enumerate(wanted.words):
        params[f"word{number}"] = word
        where.append(_has_word(word, f"{{word{number}:String}}", eyes))
    return where, params


def _has_word(word: str, parameter: str, eyes: Eyes) -> str:
    """Without case. Who may not see users does not find a text by the user's id in it."""
    position = "positionCaseInsensitive" if word.isascii() else "positionCaseInsensitiveUTF8"
    in_event = f"{position}(event, {parameter}) > 0"
    found = f"({position}(body, {parameter}) > 0 OR {in_event})"
    if eyes.users:
        return found
    return f"({found} AND ({position}(replaceAll(body, user_id, ''), {parameter}) > 0 OR {in_event}))"


def item(row: Sequence[Any], eyes: Eyes, resource: dict[str, Any]) -> LogItem:
    user = row[12]
    return LogItem(
        at=moment(row[0]),
        level=row[2],
        severity=row[3],
        event=row[4],
        text=eyes.text(text_of(row[5]), user),
        bot=row[6],
        host=row[7],
        instance=row[8],
        channel=row[9],
        scope=row[10],
        session_id=known(row[11]),
        user=eyes.user(user),
        trace_id=known_trace(row[13].hex()),
        span_id=known_span(row[14].hex()),
        correlation_id=known(row[15]),
        attributes=eyes.attributes(attributes_of(row[16]), user),
        resource=eyes.attributes(resource, user),
    )
