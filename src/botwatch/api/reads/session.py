"""One conversation whole: what was said, what became of it, and the traces and logs behind it.

What the engine does before it reads costs more than the reading: each question here is as small as it can be, few
rows are put in order here, and a table that cannot hold anything of the session is not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from botwatch.api.fresh import Fresh
from botwatch.api.masking import Eyes
from botwatch.api.pages import Page, moment
from botwatch.api.reads import logs, scope, traces
from botwatch.api.reads.values import NO_TRACE, attributes_of, known, known_trace, sql_map, sql_text, sql_us, text_of
from botwatch.api.shapes_monitoring import Said, Session, SessionEvent, SessionFeedback, SessionItem, TurnItem
from botwatch.api.shapes_telemetry import LogItem
from botwatch.limits import SESSION_LOGS_MAX, SESSION_MESSAGES_MAX, SESSION_TRACES_MAX
from botwatch.nouns import Author, Direction, Outcome
from botwatch.store.client import Store

FEEDBACK: Final = "bot.feedback"
_SERVES_S: Final = 10.0
_SAID: Final = (
    f"SELECT {sql_us('at')}, toString(direction), author, {sql_text('text')}, message_id, reply_to, trace_id, user_id "
    f"FROM messages PREWHERE {scope.in_hours('at')}"
)
_NEWEST: Final = f"ORDER BY at DESC, direction DESC, message_id DESC LIMIT {SESSION_MESSAGES_MAX + 1}"
_TURNS: Final = (
    f"SELECT {sql_us('asked')}, {sql_us('answered')}, toString(outcome), answered_by, message_id, trace_id, "
    f"{sql_us('settled')} FROM turns PREWHERE {scope.in_hours('asked')}"
)
_NEWEST_TURNS: Final = (
    f"ORDER BY asked DESC, message_id DESC, settled DESC LIMIT 1 BY asked, message_id LIMIT {SESSION_MESSAGES_MAX}"
)
_EVENTS: Final = (
    f"SELECT {sql_us('at')}, event, {sql_text('body')}, message_id, user_id, {sql_map('attributes')} "
    f"FROM events PREWHERE {scope.in_hours('at')} ORDER BY at DESC LIMIT {SESSION_MESSAGES_MAX} {scope.SMALL}"
)


@dataclass(frozen=True, slots=True)
class SaidRow:
    us: int
    direction: str
    author: str
    text: str
    message_id: str
    reply_to: str
    trace_id: bytes
    user: str


@dataclass(frozen=True, slots=True)
class TurnRow:
    us: int
    answered_us: int | None
    outcome: str
    answered_by: str
    message_id: str
    trace_id: bytes
    settled_us: int


@dataclass(frozen=True, slots=True)
class EventRow:
    us: int
    event: str
    text: str
    message_id: str
    user: str
    attributes: str


async def read(
    store: Store, fresh: Fresh, session_id: str, bot: str | None, now_ns: int, idle_s: int, eyes: Eyes
) -> Session | None:
    """None when there is no such session.

    While nothing new is counted of it, what was read of it serves for some seconds more: those who keep
    it open cost one look at its totals.
    """
    found = await scope.scope_of(store, session_id, bot)
    if found is None:
        return None
    item = found.totals.item(now_ns // 1_000 - idle_s * 1_000_000, eyes)
    whole = await fresh.get((found, eyes), _SERVES_S, lambda: _whole(store, found, item, now_ns, eyes))
    return whole.model_copy(update={"session": item})


async def _whole(store: Store, found: scope.Scope, item: SessionItem, now_ns: int, eyes: Eyes) -> Session:
    said, turns, events, of_spans = await asyncio.gather(
        _said_in(store, found), _turns_in(store, found), _events_in(store, found), scope.traces_of_spans(store, found)
    )
    trace_ids = _trace_ids(said, of_spans)
    behind, written = await asyncio.gather(
        traces.summaries(store, trace_ids, found.reach, eyes, scope.SMALL), _logs(store, found, trace_ids, now_ns, eyes)
    )
    return Session(
        session=item,
        other_bots=list(found.other_bots),
        transcript=[_said(row, eyes) for row in said[-SESSION_MESSAGES_MAX:]],
        transcript_truncated=len(said) > SESSION_MESSAGES_MAX,
        turns=[_turn(row) for row in turns],
        traces=behind,
        logs=written,
        feedback=[_feedback(row, eyes) for row in events if row.event == FEEDBACK],
        events=[_event(row, eyes) for row in events if row.event != FEEDBACK],
    )


async def _said_in(store: Store, found: scope.Scope) -> list[SaidRow]:
    """The newest, one more than are shown."""
    if not found.messages:
        return []
    newest = _NEWEST if found.messages > SESSION_MESSAGES_MAX else ""
    rows = await store.fetch(f"{_SAID} {newest} {scope.SMALL}", found.params)
    return sorted(
        (SaidRow(*row) for row in rows), key=lambda row: (row.us, row.direction != Direction.IN, row.message_id)
    )


async def _turns_in(store: Store, found: scope.Scope) -> list[TurnRow]:
    """The newest, each as it was settled last."""
    if not found.messages:
        return []
    newest = _NEWEST_TURNS if found.messages > SESSION_MESSAGES_MAX else ""
    rows = await store.fetch(f"{_TURNS} {newest} {scope.SMALL}", found.params)
    turns: dict[tuple[int, str], TurnRow] = {}
    for row in sorted((TurnRow(*row) for row in rows), key=lambda row: (row.us, row.message_id, row.settled_us)):
        turns[row.us, row.message_id] = row
    return list(turns.values())[-SESSION_MESSAGES_MAX:]


async def _events_in(store: Store, found: scope.Scope) -> list[EventRow]:
    rows = await store.fetch(_EVENTS, found.params)
    return sorted((EventRow(*row) for row in rows), key=lambda row: (row.us, row.message_id))


async def _logs(store: Store, found: scope.Scope, trace_ids: Sequence[str], now_ns: int, eyes: Eyes) -> Page[LogItem]:
    wanted = logs.Filter(found.reach).of_session(found, trace_ids)
    return await logs.page(store, wanted, SESSION_LOGS_MAX, None, now_ns, eyes)


def _trace_ids(said: Sequence[SaidRow], of_spans: Sequence[str]) -> list[str]:
    """The newest, told by the spans and by the messages."""
    of_messages = (row.trace_id.hex() for row in reversed(said))
    found = dict.fromkeys((*of_spans, *(id for id in of_messages if id != NO_TRACE)))
    return list(found)[:SESSION_TRACES_MAX]


def _said(row: SaidRow, eyes: Eyes) -> Said:
    return Said(
        at=moment(row.us * 1_000),
        direction=Direction(row.direction),
        author=Author(row.author),
        text=eyes.text(text_of(row.text), row.user),
        message_id=known(row.message_id),
        reply_to=known(row.reply_to),
        trace_id=known_trace(row.trace_id.hex()),
    )


def _turn(row: TurnRow) -> TurnItem:
    answered_us = row.answered_us
    return TurnItem(
        asked=moment(row.us * 1_000),
        answered=None if answered_us is None else moment(answered_us * 1_000),
        outcome=Outcome(row.outcome),
        answered_by=known(row.answered_by),
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


def _feedback(row: EventRow, eyes: Eyes) -> SessionFeedback:
    attributes = attributes_of(row.attributes)
    text = attributes.get("bot.feedback.text") or text_of(row.text)
    return SessionFeedback(
        at=moment(row.us * 1_000),
        score=score_of(str(attributes.get("bot.feedback.score", ""))),
        text=eyes.text(str(text), row.user),
        message_id=known(row.message_id),
    )


def _event(row: EventRow, eyes: Eyes) -> SessionEvent:
    return SessionEvent(
        at=moment(row.us * 1_000),
        event=row.event,
        text=eyes.text(text_of(row.text), row.user),
        message_id=known(row.message_id),
        attributes=eyes.attributes(attributes_of(row.attributes), row.user),
    )
