"""Where to look for what belongs to one session: its bot, its time, its traces.

A log record or a span often carries only its trace; it belongs to the session all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botwatch.api.asking import Window
from botwatch.api.reads.sessions import COLUMNS
from botwatch.clock import SECOND_NS
from botwatch.limits import SESSION_TRACES_MAX, TRACE_SPREAD_S_MAX
from botwatch.store.client import Store

_OF_SESSION = "bot = {bot:String} AND session_id = {session:String}"
_OTHERS_MAX = 100


@dataclass(frozen=True, slots=True)
class Scope:
    """`row` has the columns of the list of sessions."""

    session_id: str
    bot: str
    first_us: int
    last_us: int
    row: Sequence[Any]
    other_bots: tuple[str, ...]

    @property
    def params(self) -> dict[str, Any]:
        return {"session": self.session_id, "bot": self.bot, "first_us": self.first_us, "last_us": self.last_us}

    @property
    def reach(self) -> Window:
        """The session's time with what a trace in it may stick out."""
        spread_ns = TRACE_SPREAD_S_MAX * SECOND_NS
        return Window(max(0, self.first_us * 1_000 - spread_ns), (self.last_us + 1) * 1_000 + spread_ns)


def within(column: str) -> str:
    """The rows of a session in a table ordered by bot and time, or by hour, bot and session."""
    return (
        f"{_OF_SESSION} AND {column} >= fromUnixTimestamp64Micro({{first_us:Int64}}, 'UTC') "
        f"AND {column} < fromUnixTimestamp64Micro({{last_us:Int64}} + 1, 'UTC')"
    )


def within_hours(column: str) -> str:
    return (
        f"{within(column)} AND toStartOfHour({column}) >= toStartOfHour(fromUnixTimestamp64Micro({{first_us:Int64}}, 'UTC')) "
        f"AND toStartOfHour({column}) <= toStartOfHour(fromUnixTimestamp64Micro({{last_us:Int64}}, 'UTC'))"
    )


async def scope_of(store: Store, session_id: str, bot: str | None, active_us: int) -> Scope | None:
    """None when there is no such session. Under several bots, the one that was seen last."""
    sql = (
        f"SELECT {COLUMNS} FROM sessions WHERE session_id = {{session:String}} GROUP BY session_id, bot "
        f"ORDER BY seen_us DESC, bot LIMIT {_OTHERS_MAX}"
    )
    rows = (await store.fetch(sql, {"session": session_id, "active_us": active_us})).rows
    row = next((row for row in rows if bot in (None, row[1])), None)
    if row is None:
        return None
    others = tuple(sorted(other[1] for other in rows if other[1] != row[1]))
    return Scope(session_id, row[1], row[5], row[6], row, others)


async def of_session(store: Store, session_id: str, bot: str | None) -> tuple[Scope, list[str]] | None:
    found = await scope_of(store, session_id, bot, 0)
    return None if found is None else (found, await trace_ids(store, found))


async def trace_ids(store: Store, scope: Scope) -> list[str]:
    """The newest traces of a session, in hexadecimal, told by its spans and by its messages."""
    sql = (
        "SELECT lower(hex(trace_id)) FROM ("
        f"SELECT trace_id, toUnixTimestamp64Micro(at) AS us FROM messages WHERE {within_hours('at')} "
        f"UNION ALL SELECT trace_id, toUnixTimestamp64Micro(start) AS us FROM spans WHERE {within('start')}"
        ") WHERE trace_id != toFixedString('', 16) GROUP BY trace_id ORDER BY max(us) DESC, trace_id "
        f"LIMIT {SESSION_TRACES_MAX}"
    )
    return [row[0] for row in await store.fetch(sql, scope.params)]
