"""Exceptions, grouped by what they are. Days are those the engine keeps them by, in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from botwatch.api.asking import Window
from botwatch.api.pages import Page, cursor_of, moment, parts_of
from botwatch.api.reads.values import known, known_trace, sql_hex, sql_time
from botwatch.api.shapes_telemetry import Fault, FaultDay, FaultItem
from botwatch.store.client import Store

_DAYS_SHOWN: Final = 400
_COLUMNS: Final = f"""
    leftPad(lower(hex(fault)), 16, '0') AS id, bot, toValidUTF8(any(type)) AS kind,
    toValidUTF8(argMax(message, last_seen)) AS newest, sum(count) AS times,
    toUnixTimestamp64Micro(min(first_seen)) AS first_us, toUnixTimestamp64Micro(max(last_seen)) AS last_us,
    arraySort(groupUniqArrayArray(20)(hosts)) AS machines, {sql_hex("argMax(trace_id, last_seen)")} AS trace,
    toValidUTF8(argMax(session_id, last_seen)) AS session"""


@dataclass(frozen=True, slots=True)
class Filter:
    window: Window
    bot: str | None = None
    words: tuple[str, ...] = ()


async def page(store: Store, wanted: Filter, limit: int, cursor: str | None) -> Page[FaultItem]:
    """The ones seen last first, counted over the whole days the window touches."""
    params: dict[str, Any] = {"lower": wanted.window.from_ns, "upper": wanted.window.to_ns, "limit": limit + 1}
    where = [f"day >= toDate({sql_time('lower')})", f"day <= toDate({sql_time('upper')})"]
    having = [f"max(last_seen) >= {sql_time('lower')}", f"min(first_seen) < {sql_time('upper')}"]
    if wanted.bot is not None:
        params["bot"] = wanted.bot
        where.append("bot = {bot:String}")
    for number, word in enumerate(wanted.words):
        params[f"word{number}"] = word
        having.append(f"positionCaseInsensitiveUTF8(concat(kind, ' ', newest), {{word{number}:String}}) > 0")
    if cursor is not None:
        last_us, id = parts_of(cursor, int, str)
        params |= {"last_us": last_us, "id": id}
        having.append("(last_us, id) < ({last_us:Int64}, {id:String})")
    sql = (
        f"SELECT {_COLUMNS} FROM faults WHERE {' AND '.join(where)} GROUP BY bot, fault HAVING {' AND '.join(having)} "
        "ORDER BY last_us DESC, id DESC LIMIT {limit:UInt32}"
    )
    rows = (await store.fetch(sql, params)).rows
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(items=[_item(row) for row in rows[:limit]], next=cursor_of(last[6], last[0]) if last else None)


async def read(store: Store, fault_id: str) -> Fault | None:
    """Over all the time it is kept; None when there is none of that id."""
    params = {"id": int(fault_id, 16)}
    whole = await store.fetch(
        f"SELECT {_COLUMNS}, toValidUTF8(argMax(stack, last_seen)) FROM faults WHERE fault = {{id:UInt64}} "
        "GROUP BY bot, fault LIMIT 1",
        params,
    )
    row = whole.first
    if row is None:
        return None
    days = await store.fetch(
        "SELECT toString(day), sum(count) FROM faults WHERE fault = {id:UInt64} AND bot = {bot:String} "
        f"GROUP BY day ORDER BY day DESC LIMIT {_DAYS_SHOWN}",
        {**params, "bot": row[1]},
    )
    shown = [FaultDay(day=day, count=count) for day, count in reversed(days.rows)]
    return Fault(**_item(row).model_dump(), stack=row[10], days=shown)


def _item(row: Sequence[Any]) -> FaultItem:
    id, bot, kind, message, count, first_us, last_us, hosts, trace_id, session_id = row[:10]
    return FaultItem(
        id=id,
        bot=bot,
        type=kind,
        message=message,
        count=count,
        first_seen=moment(first_us * 1_000),
        last_seen=moment(last_us * 1_000),
        hosts=hosts,
        trace_id=known_trace(trace_id),
        session_id=known(session_id),
    )
