"""Documents that are none, and documents that do not fit: one stream, the newest first.

The first are in the store as they came. The others are told by whoever checked them, a bot or the server, as events.
Equal ones of one moment are one item with its number of times, so that a page begins where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from botwatch.api.asking import Window
from botwatch.api.pages import Page, cursor_of, moment, parts_of
from botwatch.api.reads.values import known, known_trace, sql_hex, sql_inside, sql_ns, sql_text, text_of
from botwatch.api.shapes_drift import Flaw, InvalidShape
from botwatch.detect.drift.story import masked_text
from botwatch.store.client import Store

_CAME: Final = f"""
    SELECT {sql_ns("at")} AS at_ns, 'json' AS fault, source, bot, session_id AS session, {sql_hex("trace_id")} AS trace,
        '' AS path, 'not JSON' AS reason, document AS text, sender FROM payloads
    WHERE invalid AND {sql_inside("at")}"""
_TOLD: Final = f"""
    SELECT
        toUnixTimestamp64Nano(ifNull(
            parseDateTime64BestEffortOrNull(attributes['bot.payload.at'], 9, 'UTC'), at)) AS at_ns,
        attributes['bot.payload.fault'] AS fault, attributes['bot.payload.source'] AS source,
        bot, session_id AS session,
        if(attributes['bot.payload.trace'] != '', attributes['bot.payload.trace'], {sql_hex("trace_id")}) AS trace,
        attributes['bot.payload.path'] AS path, attributes['bot.payload.misfit'] AS reason,
        attributes['bot.payload.document'] AS text, '' AS sender FROM logs
    WHERE event = 'bot.payload.invalid' AND {sql_inside("at")}"""
_ALL: Final = "at_ns, fault, source, bot, session, trace, path, reason, text, sender"
_COLUMNS: Final = f"""
    at_ns, fault, {sql_text("source")}, {sql_text("bot")}, {sql_text("session")}, trace, {sql_text("path")},
    {sql_text("reason")}, {sql_text("text")}, {sql_text("sender")}, count() AS times,
    bitShiftRight(cityHash64({_ALL}), 1) AS tie"""


async def page(
    store: Store, window: Window, source: str | None, fault: Flaw | None, limit: int, cursor: str | None
) -> Page[InvalidShape]:
    params: dict[str, Any] = {"lower": window.from_ns, "upper": window.to_ns, "limit": limit + 1}
    where, having = ["source != ''"], ""
    if source is not None:
        params["source"] = source
        where.append("source = {source:String}")
    if fault is not None:
        params["fault"] = fault.value
        where.append("fault = {fault:String}")
    if cursor is not None:
        params["at"], params["tie"] = parts_of(cursor, int, int)
        having = "HAVING (at_ns, tie) < ({at:Int64}, {tie:UInt64})"
    sql = (
        f"SELECT {_COLUMNS} FROM ({_CAME} UNION ALL {_TOLD}) WHERE {' AND '.join(where)} GROUP BY {_ALL} {having} "
        "ORDER BY at_ns DESC, tie DESC LIMIT {limit:UInt32}"
    )
    rows = (await store.fetch(sql, params)).rows
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(items=[_item(row) for row in rows[:limit]], next=cursor_of(last[0], last[11]) if last else None)


def _item(row: Sequence[Any]) -> InvalidShape:
    fault = Flaw.JSON if row[1] == Flaw.JSON else Flaw.SCHEMA
    text = text_of(row[8])
    return InvalidShape(
        at=moment(row[0]),
        fault=fault,
        source=text_of(row[2]),
        bot=known(text_of(row[3])),
        session_id=known(text_of(row[4])),
        trace_id=known_trace(row[5]),
        path=text_of(row[6]),
        reason=text_of(row[7]),
        document=masked_text(text) if fault is Flaw.JSON else text,
        sender=known(text_of(row[9])),
        times=row[10],
    )
