"""Where to look for what belongs to one session: its bot, its time, its traces.

A log record or a span often carries only its trace; it belongs to the session all the same.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from botwatch.api.asking import Window
from botwatch.api.reads.sessions import COLUMNS, Totals, micros
from botwatch.clock import SECOND_NS
from botwatch.limits import SESSION_TRACES_MAX, TRACE_SPREAD_S_MAX
from botwatch.store.client import Store

_OF_SESSION = "bot = {bot:String} AND session_id = {session:String}"
_OTHERS_MAX = 100
_HOUR_S = 3_600
_HOUR_US = _HOUR_S * 1_000_000
SMALL: Final = "SETTINGS max_threads = 1"  # a few rows by key: a second thread costs more than it gains


@dataclass(frozen=True, slots=True)
class Scope:
    totals: Totals
    first_us: int
    last_us: int
    other_bots: tuple[str, ...]

    @property
    def params(self) -> dict[str, Any]:
        return {
            "session": self.totals.session_id,
            "bot": self.totals.bot,
            "first_us": self.first_us,
            "last_us": self.last_us,
            "first_hour": self.first_us // _HOUR_US * _HOUR_S,
            "last_hour": self.last_us // _HOUR_US * _HOUR_S,
        }

    @property
    def reach(self) -> Window:
        """The session's time with what a trace in it may stick out."""
        spread_ns = TRACE_SPREAD_S_MAX * SECOND_NS
        return Window(max(0, self.first_us * 1_000 - spread_ns), (self.last_us + 1) * 1_000 + spread_ns)


def within(column: str) -> str:
    """The rows of a session in a table ordered by bot and time."""
    return (
        f"{_OF_SESSION} AND {column} >= fromUnixTimestamp64Micro({{first_us:Int64}}, 'UTC') "
        f"AND {column} < fromUnixTimestamp64Micro({{last_us:Int64}} + 1, 'UTC')"
    )


def in_hours(column: str) -> str:
    """The rows of a session in a table ordered by hour, bot and session."""
    hour = f"toStartOfHour({column})"
    return f"{hour} >= {{first_hour:DateTime('UTC')}} AND {hour} <= {{last_hour:DateTime('UTC')}} AND {_OF_SESSION}"


async def scope_of(store: Store, session_id: str, bot: str | None) -> Scope | None:
    """None when there is no such session. Under several bots, the one that was seen last."""
    sql = (
        f"SELECT {COLUMNS} FROM sessions WHERE session_id = {{session:String}} GROUP BY session_id, bot "
        f"ORDER BY max(last_seen) DESC, bot LIMIT {_OTHERS_MAX} {SMALL}"
    )
    rows = (await store.fetch(sql, {"session": session_id})).rows
    found = [Totals(*row) for row in rows]
    chosen = next((totals for totals in found if bot in (None, totals.bot)), None)
    if chosen is None:
        return None
    others = tuple(sorted(totals.bot for totals in found if totals is not chosen))
    return Scope(chosen, micros(chosen.first_seen), micros(chosen.last_seen), others)


async def of_session(store: Store, session_id: str, bot: str | None) -> tuple[Scope, list[str]] | None:
    found = await scope_of(store, session_id, bot)
    return None if found is None else (found, await trace_ids(store, found))


async def traces_of_spans(store: Store, scope: Scope) -> list[str]:
    """The newest traces that have a span of the session, in hexadecimal."""
    sql = (
        f"SELECT lower(hex(trace_id)) FROM spans WHERE {within('start')} GROUP BY trace_id "
        f"ORDER BY max(start) DESC, trace_id LIMIT {SESSION_TRACES_MAX} {SMALL}"
    )
    return [row[0] for row in await store.fetch(sql, scope.params)]


async def trace_ids(store: Store, scope: Scope) -> list[str]:
    """The newest traces of a session, told by its spans and by its messages."""
    sql = (
        f"SELECT lower(hex(trace_id)) FROM messages WHERE {in_hours('at')} AND trace_id != toFixedString('', 16) "
        f"GROUP BY trace_id ORDER BY max(at) DESC, trace_id LIMIT {SESSION_TRACES_MAX} {SMALL}"
    )
    of_spans, of_messages = await asyncio.gather(traces_of_spans(store, scope), store.fetch(sql, scope.params))
    return list(dict.fromkeys((*of_spans, *(row[0] for row in of_messages))))[:SESSION_TRACES_MAX]
