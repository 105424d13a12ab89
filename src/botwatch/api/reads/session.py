"""One conversation whole: what was said, what became of it, and the traces and logs behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from botwatch.api.masking import Eyes
from botwatch.api.pages import Page, moment
from botwatch.api.reads import logs, scope, traces
from botwatch.api.reads.values import NO_TRACE, attributes_of, known, known_trace, sql_text, sql_texts, text_of
from botwatch.api.shapes_monitoring import Said, Session, SessionEvent, SessionFeedback, SessionItem, TurnItem
from botwatch.api.shapes_telemetry import LogItem, TraceItem
from botwatch.limits import SESSION_LOGS_MAX, SESSION_MESSAGES_MAX, SESSION_TRACES_MAX
from botwatch.store.client import Store

Rows = Sequence[Sequence[Any]]
FEEDBACK: Final = "bot.feedback"

_SAID: Final = f"""
SELECT toUnixTimestamp64Micro(at), direction, author, toValidUTF8(text), message_id, reply_to, trace_id, user_id
FROM messages WHERE {scope.within_hours("at")}
ORDER BY at DESC, direction DESC, message_id DESC LIMIT {SESSION_MESSAGES_MAX + 1} {scope.SMALL}"""
_TURNS: Final = f"""
SELECT toUnixTimestamp64Micro(asked), toUnixTimestamp64Micro(answered), outcome, answered_by, message_id, trace_id
FROM turns WHERE {scope.within_hours("asked")}
ORDER BY asked DESC, message_id DESC, settled DESC LIMIT 1 BY asked, message_id
LIMIT {SESSION_MESSAGES_MAX} {scope.SMALL}"""
_EVENTS: Final = f"""
SELECT toUnixTimestamp64Micro(at), event, {sql_text("body")}, message_id, {sql_texts("attributes")}, user_id
FROM events WHERE {scope.within_hours("at")} ORDER BY at DESC LIMIT {SESSION_MESSAGES_MAX} {scope.SMALL}"""


async def read(store: Store, session_id: str, bot: str | None, now_ns: int, idle_s: int, eyes: Eyes) -> Session | None:
    """None when there is no such session."""
    found = await scope.scope_of(store, session_id, bot)
    if found is None:
        return None
    said, turns, events, of_spans = await asyncio.gather(
        store.fetch(_SAID, found.params),
        store.fetch(_TURNS, found.params),
        store.fetch(_EVENTS, found.params),
        scope.traces_of_spans(store, found),
    )
    trace_ids = _trace_ids(said.rows, of_spans)
    behind, written = await asyncio.gather(
        traces.summaries(store, trace_ids, found.reach, eyes), _logs(store, found, trace_ids, now_ns, eyes)
    )
    item = found.totals.item(now_ns // 1_000 - idle_s * 1_000_000, eyes)
    return _shape(item, found.other_bots, (said.rows, turns.rows, events.rows), behind, written, eyes)


async def _logs(store: Store, found: scope.Scope, trace_ids: Sequence[str], now_ns: int, eyes: Eyes) -> Page[LogItem]:
    wanted = logs.Filter(found.reach).of_session(found, trace_ids)
    return await logs.page(store, wanted, SESSION_LOGS_MAX, None, now_ns, eyes)


def _trace_ids(said: Rows, of_spans: Sequence[str]) -> list[str]:
    """The newest, told by the messages and by the spans."""
    of_messages = (row[6].hex() for row in said)
    found = dict.fromkeys((*of_spans, *(id for id in of_messages if id != NO_TRACE)))
    return list(found)[:SESSION_TRACES_MAX]


def _shape(
    item: SessionItem,
    other_bots: Sequence[str],
    read: tuple[Rows, Rows, Rows],
    behind: list[TraceItem],
    written: Page[LogItem],
    eyes: Eyes,
) -> Session:
    said, turns, events = read
    return Session(
        session=item,
        other_bots=list(other_bots),
        transcript=[_said(row, eyes) for row in reversed(said[:SESSION_MESSAGES_MAX])],
        transcript_truncated=len(said) > SESSION_MESSAGES_MAX,
        turns=[_turn(row) for row in reversed(turns)],
        traces=behind,
        logs=written,
        feedback=[_feedback(row, eyes) for row in reversed(events) if row[1] == FEEDBACK],
        events=[_event(row, eyes) for row in reversed(events) if row[1] != FEEDBACK],
    )


def _said(row: Sequence[Any], eyes: Eyes) -> Said:
    us, direction, author, text, message_id, reply_to, trace_id, user = row
    return Said(
        at=moment(us * 1_000),
        direction=direction,
        author=author,
        text=eyes.text(text, user),
        message_id=known(message_id),
        reply_to=known(reply_to),
        trace_id=known_trace(trace_id.hex()),
    )


def _turn(row: Sequence[Any]) -> TurnItem:
    asked_us, answered_us, outcome, answered_by, message_id, trace_id = row
    return TurnItem(
        asked=moment(asked_us * 1_000),
        answered=None if answered_us is None else moment(answered_us * 1_000),
        outcome=outcome,
        answered_by=known(answered_by),
        response_ms=None if answered_us is None else (answered_us - asked_us) / 1e3,
        message_id=known(message_id),
        trace_id=known_trace(trace_id.hex()),
    )


def score_of(text: str) -> float | None:
    """A score is what a sender wrote: a number from −1 to 1, or nothing."""
    try:
        score = float(text)
    except ValueError:
        return None
    return score if -1 <= score <= 1 else None


def _feedback(row: Sequence[Any], eyes: Eyes) -> SessionFeedback:
    us, _, body, message_id, attributes, user = row
    return SessionFeedback(
        at=moment(us * 1_000),
        score=score_of(attributes.get("bot.feedback.score", "")),
        text=eyes.text(text_of(attributes.get("bot.feedback.text", "") or body), user),
        message_id=known(message_id),
    )


def _event(row: Sequence[Any], eyes: Eyes) -> SessionEvent:
    us, event, body, message_id, attributes, user = row
    return SessionEvent(
        at=moment(us * 1_000),
        event=event,
        text=eyes.text(text_of(body), user),
        message_id=known(message_id),
        attributes=eyes.attributes(attributes_of(attributes), user),
    )
