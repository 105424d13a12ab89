"""One conversation whole: what was said, what became of it, and the traces and logs behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from botwatch.api.fresh import Fresh
from botwatch.api.masking import Eyes
from botwatch.api.pages import Page, moment
from botwatch.api.reads import logs, scope, session_rows, traces
from botwatch.api.reads.session_rows import EventRow, SaidRow, Talk, TurnRow
from botwatch.api.reads.values import NO_TRACE, attributes_of, known, known_trace, text_of
from botwatch.api.shapes_monitoring import Said, Session, SessionEvent, SessionFeedback, SessionItem, TurnItem
from botwatch.api.shapes_telemetry import LogItem, TraceItem
from botwatch.limits import SESSION_LOGS_MAX, SESSION_MESSAGES_MAX, SESSION_TRACES_MAX
from botwatch.nouns import Author, Direction, Outcome
from botwatch.store.client import Store

FEEDBACK: Final = "bot.feedback"
_SERVES_S: Final = 10.0


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
    (said, behind, written), became = await asyncio.gather(
        _said(store, found, now_ns, eyes), session_rows.outcomes(store, found)
    )
    return Session(
        session=item,
        other_bots=list(found.other_bots),
        transcript=[_message(row, eyes) for row in said[-SESSION_MESSAGES_MAX:]],
        transcript_truncated=len(said) > SESSION_MESSAGES_MAX,
        turns=[_turn(row) for row in became.turns],
        traces=behind,
        logs=written,
        feedback=[_feedback(row, eyes) for row in became.events if row.event == FEEDBACK],
        events=[_event(row, eyes) for row in became.events if row.event != FEEDBACK],
    )


async def _said(
    store: Store, found: scope.Scope, now_ns: int, eyes: Eyes
) -> tuple[list[SaidRow], list[TraceItem], Page[LogItem]]:
    """With the traces and logs behind it: a log record or a span may carry nothing but its trace."""
    talk = await session_rows.talk(store, found)
    ids = _trace_ids(talk)
    behind, written = await asyncio.gather(
        traces.summaries(store, ids, found.reach, eyes, scope.SMALL), _logs(store, found, ids, now_ns, eyes)
    )
    return talk.said, behind, written


async def _logs(store: Store, found: scope.Scope, trace_ids: Sequence[str], now_ns: int, eyes: Eyes) -> Page[LogItem]:
    wanted = logs.Filter(found.reach).of_session(found, trace_ids)
    return await logs.page(store, wanted, SESSION_LOGS_MAX, None, now_ns, eyes)


def _trace_ids(talk: Talk) -> list[str]:
    """The newest, told by the spans and by the messages."""
    of_messages = (row.trace_id.hex() for row in reversed(talk.said))
    found = dict.fromkeys((*talk.traces, *(id for id in of_messages if id != NO_TRACE)))
    return list(found)[:SESSION_TRACES_MAX]


def _message(row: SaidRow, eyes: Eyes) -> Said:
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
