"""The rows of one session: what was said and the traces that have a span of it, its turns and events.

What the engine does before it reads costs more than the reading: what leads on to traces and logs is one question, what
does not is another, asked meanwhile, and a table that cannot hold anything of the session is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from botwatch.api.reads import scope
from botwatch.api.reads.values import sql_map, sql_ns, sql_text, sql_us
from botwatch.limits import SESSION_MESSAGES_MAX
from botwatch.nouns import Direction
from botwatch.store.client import Store

# What is asked for together has the same columns; the first tells which it is.
_SAID: Final = (
    f"SELECT 1, {sql_us('at')}, toString(direction), toString(author), {sql_text('text')}, message_id, reply_to, "
    "trace_id, user_id FROM messages PREWHERE"
)
_SPANS: Final = f"SELECT 0, {sql_ns('start')}, '', '', '', '', '', trace_id, '' FROM spans PREWHERE"
_NEWEST: Final = f"ORDER BY at DESC, direction DESC, message_id DESC LIMIT {SESSION_MESSAGES_MAX + 1}"
_TURNS: Final = (
    f"SELECT 1, {sql_us('asked')}, {sql_us('answered')}, {sql_us('settled')}, toString(outcome), "
    "toString(answered_by), message_id, trace_id, '', '' FROM turns PREWHERE"
)
_NEWEST_TURNS: Final = (
    f"ORDER BY asked DESC, message_id DESC, settled DESC LIMIT 1 BY asked, message_id LIMIT {SESSION_MESSAGES_MAX}"
)
_EVENTS: Final = (
    f"SELECT 0, {sql_us('at')}, NULL, 0, toString(event), user_id, message_id, trace_id, {sql_text('body')}, "
    f"{sql_map('attributes')} FROM events PREWHERE"
)
# How many there are is not known before: more than are shown are asked for again, in their order.
_SOME_EVENTS: Final = f"LIMIT {SESSION_MESSAGES_MAX + 1}"
_NEWEST_EVENTS: Final = f"ORDER BY at DESC LIMIT {SESSION_MESSAGES_MAX}"


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


@dataclass(frozen=True, slots=True)
class Talk:
    """`said` are the newest, one more than are shown."""

    said: list[SaidRow]
    traces: list[str]  # of its spans, the newest first, in hexadecimal


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Each of `turns` is as it was settled last."""

    turns: list[TurnRow]
    events: list[EventRow]


async def talk(store: Store, found: scope.Scope) -> Talk:
    newest = _NEWEST if _long(found) else ""
    asked = [f"({_SAID} {found.in_hours('at')} {newest})"] if found.messages else []
    if found.spans and scope.few_spans(found):
        asked.append(f"({_SPANS} {found.within('start')})")
    said: list[SaidRow] = []
    spans: list[tuple[bytes, int]] = []
    for of_message, time, direction, author, text, message_id, reply_to, trace_id, user in await _fetch(
        store, found, asked
    ):
        if of_message:
            said.append(SaidRow(time, direction, author, text, message_id, reply_to, trace_id, user))
        else:
            spans.append((trace_id, time))
    return Talk(
        sorted(said, key=lambda row: (row.us, row.direction != Direction.IN, row.message_id)),
        scope.newest(spans) if scope.few_spans(found) else await scope.traces_of_spans(store, found),
    )


async def outcomes(store: Store, found: scope.Scope) -> Outcomes:
    its_events = f"{_EVENTS} {found.in_hours('at')}"
    newest = _NEWEST_TURNS if _long(found) else ""
    asked = [f"({_TURNS} {found.in_hours('asked')} {newest})"] if found.messages else []
    turns: list[TurnRow] = []
    events: list[EventRow] = []
    for of_turn, us, answered_us, settled_us, word, who, message_id, trace_id, text, attributes in await _fetch(
        store, found, [*asked, f"({its_events} {_SOME_EVENTS})"]
    ):
        if of_turn:
            turns.append(TurnRow(us, answered_us, word, who, message_id, trace_id, settled_us))
        else:
            events.append(EventRow(us, word, text, message_id, who, attributes))
    if len(events) > SESSION_MESSAGES_MAX:
        rows = await _fetch(store, found, [f"{its_events} {_NEWEST_EVENTS}"])
        events = [EventRow(row[1], row[4], row[8], row[6], row[5], row[9]) for row in rows]
    return Outcomes(_settled(turns), sorted(events, key=lambda row: (row.us, row.message_id)))


def _long(found: scope.Scope) -> bool:
    return found.messages > SESSION_MESSAGES_MAX


async def _fetch(store: Store, found: scope.Scope, asked: Sequence[str]) -> Sequence[tuple[Any, ...]]:
    if not asked:
        return ()
    return (await store.fetch(f"{' UNION ALL '.join(asked)} {scope.SMALL}", found.params)).rows


def _settled(rows: Sequence[TurnRow]) -> list[TurnRow]:
    turns: dict[tuple[int, str], TurnRow] = {}
    for row in sorted(rows, key=lambda row: (row.us, row.message_id, row.settled_us)):
        turns[row.us, row.message_id] = row
    return list(turns.values())[-SESSION_MESSAGES_MAX:]
