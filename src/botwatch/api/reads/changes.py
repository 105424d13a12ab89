"""Limits that providers changed, and circuit breakers that opened and healed: newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from botwatch.api.asking import Window
from botwatch.api.pages import Page, cursor_of, moment, parts_of
from botwatch.api.reads.values import known, known_trace, sql_hex, sql_inside
from botwatch.api.shapes_dependencies import Change, DependencyChange
from botwatch.store.client import Store

_EVENTS: Final = {Change.LIMIT: "bot.dependency.limit_changed", Change.BREAKER: "bot.breaker"}
_LIMIT: Final = f"event = '{_EVENTS[Change.LIMIT]}'"


def _either(limit: str, breaker: str) -> str:
    return f"toValidUTF8(if({_LIMIT}, attributes['{limit}'], attributes['{breaker}']))"


_COLUMNS: Final = f"""
    toUnixTimestamp64Micro(at) AS at_us, cityHash64(bot, host, session_id, event, toString(attributes)) AS tie,
    toValidUTF8(toString(bot)) AS bot_, toValidUTF8(toString(host)) AS host_, {_LIMIT},
    {_either("bot.dependency.name", "bot.breaker.name")}, toValidUTF8(attributes['bot.dependency.limit.name']),
    {_either("bot.dependency.limit.before", "bot.breaker.before")},
    {_either("bot.dependency.limit.after", "bot.breaker.after")}, toValidUTF8(session_id), {sql_hex("trace_id")}"""


@dataclass(frozen=True, slots=True)
class Wanted:
    window: Window
    bot: str | None = None
    what: Change | None = None
    name: str | None = None


async def page(store: Store, wanted: Wanted, limit: int, cursor: str | None) -> Page[DependencyChange]:
    params: dict[str, Any] = {
        "lower": wanted.window.from_ns,
        "upper": wanted.window.to_ns,
        "limit": limit + 1,
        "events": [_EVENTS[wanted.what]] if wanted.what is not None else list(_EVENTS.values()),
    }
    where = [
        sql_inside("at"),
        "toStartOfHour(at) >= toStartOfHour(fromUnixTimestamp64Nano({lower:Int64}, 'UTC'))",
        "event IN {events:Array(String)}",
    ]
    if wanted.bot is not None:
        params["bot"] = wanted.bot
        where.append("bot = {bot:String}")
    if wanted.name is not None:
        params["name"] = wanted.name
        where.append("{name:String} IN (attributes['bot.dependency.name'], attributes['bot.breaker.name'])")
    if cursor is not None:
        params["at_us"], params["tie"] = parts_of(cursor, int, str)
        where.append("(at_us, tie) < ({at_us:Int64}, toUInt64({tie:String}))")
    rows = (
        await store.fetch(
            f"SELECT {_COLUMNS} FROM events WHERE {' AND '.join(where)} ORDER BY at_us DESC, tie DESC "
            "LIMIT {limit:UInt32}",
            params,
        )
    ).rows
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(items=[_item(row) for row in rows[:limit]], next=cursor_of(last[0], str(last[1])) if last else None)


def _item(row: Sequence[Any]) -> DependencyChange:
    at_us, _, bot, host, is_limit, name, limit, before, after, session, trace = row
    return DependencyChange(
        at=moment(at_us * 1_000),
        bot=bot,
        host=host,
        what=Change.LIMIT if is_limit else Change.BREAKER,
        name=name,
        limit=limit,
        before=_plain(before),
        after=_plain(after),
        session_id=known(session),
        trace_id=known_trace(trace),
    )


def _plain(value: str) -> str:
    """Numbers came as floats."""
    return value.removesuffix(".0")
