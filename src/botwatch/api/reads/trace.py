"""One trace whole: its spans as a waterfall, its logs, and the conversation it belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from pydantic import JsonValue

from botwatch.api.asking import Window
from botwatch.api.masking import Eyes
from botwatch.api.pages import moment
from botwatch.api.reads import logs
from botwatch.api.reads.values import (
    attributes_of,
    attributes_reader,
    known,
    known_span,
    list_of_attributes,
    sql_hex,
    sql_inside,
    sql_map,
    sql_ns,
    sql_text,
    sql_time,
)
from botwatch.api.shapes_telemetry import LogItem, SpanEvent, SpanItem, SpanLink, Trace, TraceMessage, TraceSession
from botwatch.clock import SECOND_NS
from botwatch.limits import SESSION_MESSAGES_MAX, TRACE_LOGS_MAX, TRACE_SPANS_MAX, TRACE_SPREAD_S_MAX
from botwatch.store.client import Store

_ALWAYS: Final = Window(0, 2**63 - 1)
_SPREAD_NS: Final = TRACE_SPREAD_S_MAX * SECOND_NS
_SPANS: Final = f"""
SELECT
    {sql_hex("span_id")}, {sql_hex("parent_span_id")}, toValidUTF8(name), kind, {sql_ns("start")} AS start_ns,
    duration_ns, status, toValidUTF8(status_message), failure, bot, host, instance, scope, action, request, dependency,
    model, tokens_in, tokens_out, toValidUTF8(session_id), toValidUTF8(user_id), channel, toValidUTF8(correlation_id),
    {sql_map("attributes")}, {sql_text("resource")},
    arrayMap(t -> toUnixTimestamp64Nano(t), events.at), arrayMap(n -> toValidUTF8(n), events.name),
    {sql_map("events.attributes")},
    arrayMap(t -> lower(hex(t)), links.trace_id), arrayMap(s -> lower(hex(s)), links.span_id)
FROM spans WHERE trace_id = toFixedString(unhex({{trace:String}}), 16)
ORDER BY start_ns, span_id LIMIT {{limit:UInt32}}"""
_MESSAGES: Final = f"""
SELECT toUnixTimestamp64Micro(at) AS us, bot, session_id, message_id, direction, author, toValidUTF8(text), user_id
FROM messages
WHERE trace_id = toFixedString(unhex({{trace:String}}), 16) AND {sql_inside("at")}
    AND toStartOfHour(at) >= toStartOfHour({sql_time("lower")})
    AND toStartOfHour(at) <= toStartOfHour({sql_time("upper")})
ORDER BY us, direction LIMIT {{limit:UInt32}}"""


async def read(store: Store, trace_id: str, eyes: Eyes) -> Trace | None:
    """None when nothing is known of it. One of which only logs were kept has no spans."""
    rows = (await store.fetch(_SPANS, {"trace": trace_id, "limit": TRACE_SPANS_MAX + 1})).rows
    truncated = len(rows) > TRACE_SPANS_MAX
    rows = rows[:TRACE_SPANS_MAX]
    around = _around(rows) if rows else _ALWAYS
    written = await logs.of_trace(store, trace_id, around, TRACE_LOGS_MAX, eyes)
    if not rows and not written:
        return None
    start_ns = rows[0][4] if rows else 0
    messages, spans = await asyncio.gather(
        _messages(store, trace_id, around if rows else _time_of(written), eyes),
        asyncio.to_thread(_spans, rows, start_ns, eyes),
    )
    first = next((span for span in spans if span.parent_span_id is None), spans[0] if spans else None)
    return Trace(
        trace_id=trace_id,
        name=first.name if first else "",
        start=moment(start_ns) if rows else written[0].at,
        duration_ns=max((span.offset_ns + span.duration_ns for span in spans), default=0),
        failed=any(span.status == "error" for span in spans),
        truncated=truncated,
        spans=spans,
        logs=written,
        sessions=_sessions(spans, written, messages),
        messages=messages,
    )


def _around(rows: Sequence[Sequence[Any]]) -> Window:
    """The time of the spans, with what belongs to them and was written a little apart."""
    end_ns = max(row[4] + min(row[5], 10**18) for row in rows)
    return Window(max(0, rows[0][4] - _SPREAD_NS), end_ns + _SPREAD_NS)


def _time_of(written: Sequence[LogItem]) -> Window:
    first, last = (round(item.at.timestamp()) * SECOND_NS for item in (written[0], written[-1]))
    return Window(max(0, first - _SPREAD_NS), last + _SPREAD_NS)


async def _messages(store: Store, trace_id: str, around: Window, eyes: Eyes) -> list[TraceMessage]:
    params = {"trace": trace_id, "lower": around.from_ns, "upper": around.to_ns, "limit": SESSION_MESSAGES_MAX}
    return [
        TraceMessage(
            at=moment(us * 1_000),
            bot=bot,
            session_id=session,
            message_id=known(id),
            direction=direction,
            author=author,
            text=eyes.text(text, user),
        )
        for us, bot, session, id, direction, author, text, user in await store.fetch(_MESSAGES, params)
    ]


def _spans(rows: Sequence[Sequence[Any]], start_ns: int, eyes: Eyes) -> list[SpanItem]:
    resources = attributes_reader()
    return [_span(row, start_ns, eyes, resources) for row in rows]


def _span(
    row: Sequence[Any], trace_start_ns: int, eyes: Eyes, resources: Callable[[str], dict[str, JsonValue]]
) -> SpanItem:
    start_ns, user = row[4], row[20]
    return SpanItem(
        span_id=row[0],
        parent_span_id=known_span(row[1]),
        name=row[2],
        kind=row[3],
        start=moment(start_ns),
        offset_ns=start_ns - trace_start_ns,
        duration_ns=row[5],
        status=row[6],
        status_message=eyes.text(row[7], user),
        failure=known(row[8]),
        bot=row[9],
        host=row[10],
        instance=row[11],
        scope=row[12],
        action=known(row[13]),
        request=known(row[14]),
        dependency=known(row[15]),
        model=known(row[16]),
        tokens_in=row[17],
        tokens_out=row[18],
        session_id=known(row[19]),
        user=eyes.user(user),
        channel=known(row[21]),
        correlation_id=known(row[22]),
        attributes=eyes.attributes(attributes_of(row[23]), user),
        resource=eyes.attributes(resources(row[24]), user),
        events=_events(row, trace_start_ns, eyes),
        links=[SpanLink(trace_id=trace, span_id=span) for trace, span in zip(row[28], row[29], strict=True)],
    )


def _events(row: Sequence[Any], trace_start_ns: int, eyes: Eyes) -> list[SpanEvent]:
    return [
        SpanEvent(
            at=moment(at_ns),
            offset_ns=at_ns - trace_start_ns,
            name=name,
            attributes=eyes.attributes(attributes, row[20]),
        )
        for at_ns, name, attributes in zip(row[25], row[26], list_of_attributes(row[27]), strict=True)
    ]


def _sessions(
    spans: Sequence[SpanItem], written: Sequence[LogItem], messages: Sequence[TraceMessage]
) -> list[TraceSession]:
    """Each conversation once, those of messages first: they have a session where nothing else names one."""
    named = [(message.bot, message.session_id) for message in messages]
    named += [(span.bot, span.session_id) for span in spans if span.session_id]
    named += [(record.bot, record.session_id) for record in written if record.session_id]
    return [TraceSession(bot=bot, session_id=session) for bot, session in dict.fromkeys(named) if session]
