"""Where to look for what belongs to one session: its bot, its time, its traces.

A log record or a span often carries only its trace; it belongs to the session all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from botwatch.api.asking import Window
from botwatch.api.reads.sessions import Totals, micros
from botwatch.api.reads.values import sql_ns
from botwatch.clock import SECOND_NS
from botwatch.limits import SESSION_TRACES_MAX, TRACE_SPREAD_S_MAX
from botwatch.store.client import Store

_OF_SESSION = "bot = {bot:String} AND session_id = {session:String}"
_BOTS_MAX = 100
_SPANS_HERE_MAX = 1_000  # up to so many are put in order here, which is less work than asking the engine to
_HOUR_S = 3_600
_HOUR_US = _HOUR_S * 1_000_000
# Columns of the table of sessions as `Totals` has them, and how rows of one session that were not merged yet add up.
_KEPT: Final = (
    *("session_id", "bot", "user_id", "channel", "host", "first_seen", "last_seen", "first_message", "last_message"),
    *("messages_in", "messages_out", "ended", "outcome", "handed_off", "feedback_count", "feedback_sum", "spans"),
)
_ADDED_UP: Final[tuple[Callable[[Iterable[Any]], Any], ...]] = (
    *(max, max, max, max, max, min, max, min, max),
    *(sum, sum, max, max, max, sum, sum, sum),
)
SMALL: Final = "SETTINGS max_threads = 1"  # a few rows by key: a second thread costs more than it gains


@dataclass(frozen=True, slots=True)
class Scope:
    totals: Totals
    first_us: int
    last_us: int
    spans: int  # that name the session
    other_bots: tuple[str, ...]

    @property
    def messages(self) -> int:
        return self.totals.messages_in + self.totals.messages_out

    @property
    def params(self) -> dict[str, Any]:
        return {"session": self.totals.session_id, "bot": self.totals.bot}

    def within(self, column: str) -> str:
        """Its rows in a table ordered by bot and time; `params` go with it."""
        return (
            f"{_OF_SESSION} AND {column} >= fromUnixTimestamp64Micro({self.first_us}, 'UTC') "
            f"AND {column} < fromUnixTimestamp64Micro({self.last_us + 1}, 'UTC')"
        )

    def in_hours(self, column: str) -> str:
        """Its rows in a table ordered by hour, bot and session; `params` go with it. Most sessions keep to one hour."""
        first_s, last_s = (us // _HOUR_US * _HOUR_S for us in (self.first_us, self.last_us))
        hour = f"toStartOfHour({column})"
        when = f"{hour} = {first_s}" if first_s == last_s else f"{hour} >= {first_s} AND {hour} <= {last_s}"
        return f"{when} AND {_OF_SESSION}"

    @property
    def reach(self) -> Window:
        """The session's time with what a trace in it may stick out."""
        spread_ns = TRACE_SPREAD_S_MAX * SECOND_NS
        return Window(max(0, self.first_us * 1_000 - spread_ns), (self.last_us + 1) * 1_000 + spread_ns)


async def scope_of(store: Store, session_id: str, bot: str | None) -> Scope | None:
    """None when there is no such session. Under several bots, the one that was seen last."""
    sql = f"SELECT {', '.join(_KEPT)} FROM sessions PREWHERE session_id = {{session:String}} {SMALL}"
    of_bots: dict[str, list[Sequence[Any]]] = {}
    for row in await store.fetch(sql, {"session": session_id}):
        of_bots.setdefault(row[1], []).append(row)
    found = sorted((_whole(rows) for rows in of_bots.values()), key=lambda scope: (-scope.last_us, scope.totals.bot))
    chosen = next((scope for scope in found[:_BOTS_MAX] if bot in (None, scope.totals.bot)), None)
    if chosen is None:
        return None
    others = sorted(scope.totals.bot for scope in found[:_BOTS_MAX] if scope is not chosen)
    return replace(chosen, other_bots=tuple(others))


def _whole(rows: Sequence[Sequence[Any]]) -> Scope:
    columns = ([value for value in column if value is not None] for column in zip(*rows, strict=True))
    summed: list[Any] = [how(column) if column else None for how, column in zip(_ADDED_UP, columns, strict=True)]
    *totals, spans = summed
    found = Totals(*totals)
    return Scope(found, micros(found.first_seen), micros(found.last_seen), spans, ())


async def of_session(store: Store, session_id: str, bot: str | None) -> tuple[Scope, list[str]] | None:
    found = await scope_of(store, session_id, bot)
    return None if found is None else (found, await trace_ids(store, found))


def few_spans(scope: Scope) -> bool:
    """Whether its spans are put in order here."""
    return scope.spans <= _SPANS_HERE_MAX


def newest(spans: Iterable[tuple[bytes, int]]) -> list[str]:
    """The newest traces of these spans, each a trace and its time, in hexadecimal."""
    last: dict[bytes, int] = {}
    for trace, start_ns in spans:
        last[trace] = max(start_ns, last.get(trace, 0))
    ordered = sorted(last, key=lambda trace: (-last[trace], trace))
    return [trace.hex() for trace in ordered[:SESSION_TRACES_MAX]]


async def traces_of_spans(store: Store, scope: Scope) -> list[str]:
    """The newest traces that have a span of the session, in hexadecimal."""
    if not scope.spans:
        return []
    if few_spans(scope):
        sql = f"SELECT trace_id, {sql_ns('start')} FROM spans PREWHERE {scope.within('start')} {SMALL}"
        return newest((trace, start_ns) for trace, start_ns in await store.fetch(sql, scope.params))
    sql = (
        f"SELECT lower(hex(trace_id)) FROM spans PREWHERE {scope.within('start')} GROUP BY trace_id "
        f"ORDER BY max(start) DESC, trace_id LIMIT {SESSION_TRACES_MAX} {SMALL}"
    )
    return [row[0] for row in await store.fetch(sql, scope.params)]


async def trace_ids(store: Store, scope: Scope) -> list[str]:
    """The newest traces of a session, told by its spans and by its messages."""
    sql = (
        f"SELECT lower(hex(trace_id)) FROM messages PREWHERE {scope.in_hours('at')} "
        "WHERE trace_id != toFixedString('', 16) "
        f"GROUP BY trace_id ORDER BY max(at) DESC, trace_id LIMIT {SESSION_TRACES_MAX} {SMALL}"
    )
    of_spans, of_messages = await asyncio.gather(traces_of_spans(store, scope), store.fetch(sql, scope.params))
    return list(dict.fromkeys((*of_spans, *(row[0] for row in of_messages))))[:SESSION_TRACES_MAX]
