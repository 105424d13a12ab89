"""The rows of one session: its messages, turns, events, and the traces that have a span of it.

What the engine does before it reads costs more than the reading: all of it is one question, and a table that cannot
hold anything of the session is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from botwatch.api.reads import scope
from botwatch.api.reads.values import sql_map, sql_ns, sql_text, sql_us
from botwatch.limits import SESSION_MESSAGES_MAX
from botwatch.nouns import Direction
from botwatch.store.client import Store

# Each kind of row has the same columns: its kind, two times and one that may be missing, its texts, trace and user.
_SAID: Final = (
    f"SELECT 'said', {sql_us('at')}, NULL, 0, toString(direction), toString(author), {sql_text('text')}, message_id, "
    f"reply_to, trace_id, user_id FROM messages PREWHERE {scope.in_hours('at')}"
)
_NEWEST: Final = f"ORDER BY at DESC, direction DESC, message_id DESC LIMIT {SESSION_MESSAGES_MAX + 1}"
_TURNS: Final = (
    f"SELECT 'turn', {sql_us('asked')}, {sql_us('answered')}, {sql_us('settled')}, toString(outcome), "
    f"toString(answered_by), '', message_id, '', trace_id, '' FROM turns PREWHERE {scope.in_hours('asked')}"
)
_NEWEST_TURNS: Final = (
    f"ORDER BY asked DESC, message_id DESC, settled DESC LIMIT 1 BY asked, message_id LIMIT {SESSION_MESSAGES_MAX}"
)
_EVENTS: Final = (
    f"SELECT 'event', {sql_us('at')}, NULL, 0, toString(event), '', {sql_text('body')}, message_id, "
    f"{sql_map('attributes')}, trace_id, user_id FROM events PREWHERE {scope.in_hours('at')}"
)
# How many there are is not known before: more than are shown are asked for again, in their order.
_SOME_EVENTS: Final = f"LIMIT {SESSION_MESSAGES_MAX + 1}"
_NEWEST_EVENTS: Final = f"ORDER BY at DESC LIMIT {SESSION_MESSAGES_MAX}"
_SPANS: Final = (
    f"SELECT 'span', 0, NULL, {sql_ns('start')}, '', '', '', '', '', trace_id, '' "
    f"FROM spans PREWHERE {scope.within('start')}"
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


@dataclass(frozen=True, slots=True)
class SessionRows:
    """`said` are the newest, one more than are shown; each of `turns` is as it was settled last."""

    said: list[SaidRow]
    turns: list[TurnRow]
    events: list[EventRow]
    traces: list[str]  # of its spans, the newest first, in hexadecimal


async def read(store: Store, found: scope.Scope) -> SessionRows:
    said: list[SaidRow] = []
    turns: list[TurnRow] = []
    events: list[EventRow] = []
    spans: list[tuple[bytes, int]] = []
    rows = await store.fetch(f"{' UNION ALL '.join(_asked(found))} {scope.SMALL}", found.params)
    for kind, us, maybe_us, time, word, who, text, message_id, more, trace_id, user in rows:
        match kind:
            case "said":
                said.append(SaidRow(us, word, who, text, message_id, more, trace_id, user))
            case "turn":
                turns.append(TurnRow(us, maybe_us, word, who, message_id, trace_id, time))
            case "event":
                events.append(EventRow(us, word, text, message_id, user, more))
            case _:
                spans.append((trace_id, time))
    if len(events) > SESSION_MESSAGES_MAX:
        newest = await store.fetch(f"{_EVENTS} {_NEWEST_EVENTS} {scope.SMALL}", found.params)
        events = [EventRow(row[1], row[4], row[6], row[7], row[10], row[8]) for row in newest]
    return SessionRows(
        sorted(said, key=lambda row: (row.us, row.direction != Direction.IN, row.message_id)),
        _settled(turns),
        sorted(events, key=lambda row: (row.us, row.message_id)),
        scope.newest(spans) if scope.few_spans(found) else await scope.traces_of_spans(store, found),
    )


def _asked(found: scope.Scope) -> Iterator[str]:
    long = found.messages > SESSION_MESSAGES_MAX
    if found.messages:
        yield f"({_SAID} {_NEWEST if long else ''})"
        yield f"({_TURNS} {_NEWEST_TURNS if long else ''})"
    yield f"({_EVENTS} {_SOME_EVENTS})"
    if found.spans and scope.few_spans(found):
        yield f"({_SPANS})"


def _settled(rows: Sequence[TurnRow]) -> list[TurnRow]:
    turns: dict[tuple[int, str], TurnRow] = {}
    for row in sorted(rows, key=lambda row: (row.us, row.message_id, row.settled_us)):
        turns[row.us, row.message_id] = row
    return list(turns.values())[-SESSION_MESSAGES_MAX:]
