"""One conversation whole: what was said, what became of it, and the traces and logs behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from botwatch.api.masking import Eyes
from botwatch.api.pages import Page, moment
from botwatch.api.reads import logs, scope, traces
from botwatch.api.reads.values import NO_TRACE, attributes_of, known, known_trace, sql_map, sql_text, text_of
from botwatch.api.shapes_monitoring import Said, Session, SessionEvent, SessionFeedback, TurnItem
from botwatch.api.shapes_telemetry import LogItem
from botwatch.limits import SESSION_LOGS_MAX, SESSION_MESSAGES_MAX, SESSION_TRACES_MAX
from botwatch.nouns import Author, Direction, Outcome
from botwatch.store.client import Store

FEEDBACK: Final = "bot.feedback"

# Three tables in one question: what the engine does before it reads costs more than the reading.
_HAPPENED: Final = f"""
SELECT 'said' AS kind, toUnixTimestamp64Micro(at) AS us, toString(direction) AS word, author AS who,
    {sql_text("text")} AS text, message_id, reply_to, CAST(NULL, 'Nullable(Int64)') AS answered_us, trace_id,
    user_id, '' AS attributes
FROM messages WHERE {scope.in_hours("at")}
ORDER BY at DESC, direction DESC, message_id DESC LIMIT {SESSION_MESSAGES_MAX + 1}
UNION ALL
SELECT 'turn', toUnixTimestamp64Micro(asked), toString(outcome), answered_by, '',
    message_id, '', toUnixTimestamp64Micro(answered), trace_id, user_id, ''
FROM turns WHERE {scope.in_hours("asked")}
ORDER BY asked DESC, message_id DESC, settled DESC LIMIT 1 BY asked, message_id LIMIT {SESSION_MESSAGES_MAX}
UNION ALL
SELECT 'event', toUnixTimestamp64Micro(at), event, '', {sql_text("body")},
    message_id, '', NULL, trace_id, user_id, {sql_map("attributes")}
FROM events WHERE {scope.in_hours("at")} ORDER BY at DESC LIMIT {SESSION_MESSAGES_MAX}
{scope.SMALL}"""


@dataclass(frozen=True, slots=True)
class Happened:
    """One row of what happened in a session: a message, a turn or an event."""

    kind: str
    us: int
    word: str  # the direction, the outcome or the event
    who: str
    text: str
    message_id: str
    reply_to: str
    answered_us: int | None
    trace_id: bytes
    user: str
    attributes: str


async def read(store: Store, session_id: str, bot: str | None, now_ns: int, idle_s: int, eyes: Eyes) -> Session | None:
    """None when there is no such session."""
    found = await scope.scope_of(store, session_id, bot)
    if found is None:
        return None
    rows, of_spans = await asyncio.gather(store.fetch(_HAPPENED, found.params), scope.traces_of_spans(store, found))
    happened = sorted(
        (Happened(*row) for row in rows), key=lambda row: (row.us, row.word != Direction.IN, row.message_id)
    )
    said = [row for row in happened if row.kind == "said"]
    trace_ids = _trace_ids(said, of_spans)
    behind, written = await asyncio.gather(
        traces.summaries(store, trace_ids, found.reach, eyes, scope.SMALL), _logs(store, found, trace_ids, now_ns, eyes)
    )
    events = [row for row in happened if row.kind == "event"]
    return Session(
        session=found.totals.item(now_ns // 1_000 - idle_s * 1_000_000, eyes),
        other_bots=list(found.other_bots),
        transcript=[_said(row, eyes) for row in said[-SESSION_MESSAGES_MAX:]],
        transcript_truncated=len(said) > SESSION_MESSAGES_MAX,
        turns=[_turn(row) for row in happened if row.kind == "turn"],
        traces=behind,
        logs=written,
        feedback=[_feedback(row, eyes) for row in events if row.word == FEEDBACK],
        events=[_event(row, eyes) for row in events if row.word != FEEDBACK],
    )


async def _logs(store: Store, found: scope.Scope, trace_ids: Sequence[str], now_ns: int, eyes: Eyes) -> Page[LogItem]:
    wanted = logs.Filter(found.reach).of_session(found, trace_ids)
    return await logs.page(store, wanted, SESSION_LOGS_MAX, None, now_ns, eyes)


def _trace_ids(said: Sequence[Happened], of_spans: Sequence[str]) -> list[str]:
    """The newest, told by the spans and by the messages."""
    of_messages = (row.trace_id.hex() for row in reversed(said))
    found = dict.fromkeys((*of_spans, *(id for id in of_messages if id != NO_TRACE)))
    return list(found)[:SESSION_TRACES_MAX]


def _said(row: Happened, eyes: Eyes) -> Said:
    return Said(
        at=moment(row.us * 1_000),
        direction=Direction(row.word),
        author=Author(row.who),
        text=eyes.text(text_of(row.text), row.user),
        message_id=known(row.message_id),
        reply_to=known(row.reply_to),
        trace_id=known_trace(row.trace_id.hex()),
    )


def _turn(row: Happened) -> TurnItem:
    answered_us = row.answered_us
    return TurnItem(
        asked=moment(row.us * 1_000),
        answered=None if answered_us is None else moment(answered_us * 1_000),
        outcome=Outcome(row.word),
        answered_by=known(row.who),
        response_ms=None if answered_us is None else (answered_us - row.us) / 1e3,
        message_id=known(row.message_id),
        trace_id=known_trace(row.trace_id.hex()),
    )


def score_of(text: str) -> float | None:
    """A score is what a sender wrote: a number from −1 to 1, or nothing."""
    try:
        score = float(text)
    except ValueError:
        return None
    return score if -1 <= score <= 1 else None


def _feedback(row: Happened, eyes: Eyes) -> SessionFeedback:
    attributes = attributes_of(row.attributes)
    text = attributes.get("bot.feedback.text") or text_of(row.text)
    return SessionFeedback(
        at=moment(row.us * 1_000),
        score=score_of(str(attributes.get("bot.feedback.score", ""))),
        text=eyes.text(str(text), row.user),
        message_id=known(row.message_id),
    )


def _event(row: Happened, eyes: Eyes) -> SessionEvent:
    return SessionEvent(
        at=moment(row.us * 1_000),
        event=row.word,
        text=eyes.text(text_of(row.text), row.user),
        message_id=known(row.message_id),
        attributes=eyes.attributes(attributes_of(row.attributes), row.user),
    )
