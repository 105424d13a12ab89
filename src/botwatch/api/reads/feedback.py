"""What users thought, beside what it was about and how long that had taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from botwatch.api.asking import Window
from botwatch.api.masking import Eyes
from botwatch.api.pages import Page, cursor_of, moment, parts_of
from botwatch.api.reads.context import Line, Spot, Talk, around
from botwatch.api.reads.session import FEEDBACK, score_of
from botwatch.api.reads.slices import slices
from botwatch.api.reads.values import known_trace, sql_inside, sql_text, text_of
from botwatch.api.shapes_insights import FeedbackItem
from botwatch.store.client import Store

Answered = Mapping[tuple[str, str, int], float | None]


class Mood(StrEnum):
    GOOD = "good"
    BAD = "bad"


_TEXT: Final = sql_text("attributes['bot.feedback.text']")
_SCORE: Final = "toFloat64OrZero(attributes['bot.feedback.score'])"
_IN_MOOD: Final = {None: "", Mood.GOOD: f" AND {_SCORE} > 0", Mood.BAD: f" AND {_SCORE} < 0"}


@dataclass(frozen=True, slots=True)
class Wanted:
    window: Window
    bot: str | None
    mood: Mood | None


async def page(
    store: Store, wanted: Wanted, limit: int, cursor: str | None, now_ns: int, eyes: Eyes
) -> Page[FeedbackItem]:
    """Newest first."""
    before = [int(part) for part in parts_of(cursor, int, int)] if cursor is not None else None
    rows: list[Sequence[Any]] = []
    for piece in slices(wanted.window, now_ns, before[0] * 1_000 if before else None, few=True):
        params = {
            "lower": piece.from_ns,
            "upper": piece.to_ns,
            "bot": wanted.bot or "",
            "before_us": before[0] if before else 2**62,
            "before_tie": before[1] if before else 0,
            "limit": limit + 1 - len(rows),
        }
        rows += (await store.fetch(_given(wanted), params)).rows
        if len(rows) > limit:
            break
    shown = rows[:limit]
    talks = await around(store, [Spot(row[2], row[3], row[0]) for row in shown])
    found = [(row, *_about(row, talks.get((row[2], row[3]), ()))) for row in shown]
    waits = await _waits(store, [(row, question) for row, _, question in found if question])
    items = [_item(row, about, question, waits, eyes) for row, about, question in found]
    return Page(items=items, next=cursor_of(*shown[-1][:2]) if len(rows) > limit else None)


def _given(wanted: Wanted) -> str:
    of_bot = " AND bot = {bot:String}" if wanted.bot is not None else ""
    return (
        "SELECT toUnixTimestamp64Micro(at) AS us, "
        "bitShiftRight(cityHash64(bot, session_id, message_id, attributes, body), 1) AS tie, "
        "bot, session_id, channel, user_id, message_id, attributes['bot.feedback.score'], "
        f"{_TEXT}, {sql_text('body')}, trace_id "
        f"FROM events WHERE event = '{FEEDBACK}'{of_bot}{_IN_MOOD[wanted.mood]} AND {sql_inside('at')} "
        "AND (us, tie) < ({before_us:Int64}, {before_tie:UInt64}) "
        "ORDER BY us DESC, tie DESC LIMIT {limit:UInt32}"
    )


def _about(row: Sequence[Any], talk: Talk) -> tuple[Line | None, Line | None]:
    """The message that was judged, and what the user had asked before it."""
    at_us, message_id = row[0], row[6]
    named = next((line for line in talk if message_id and line.message_id == message_id), None)
    earlier = [line for line in talk if line.at_us <= at_us and not line.from_user]
    about = named or (earlier[-1] if earlier else None)
    asked = [line for line in talk if line.from_user and line.at_us <= (about.at_us if about else at_us)]
    return about, asked[-1] if asked else None


async def _waits(store: Store, asked: Sequence[tuple[Sequence[Any], Line]]) -> Answered:
    """How long each of these questions waited, in ms; None: it has no reply."""
    if not asked:
        return {}
    params = {
        "hours": sorted({line.at_us // 3_600_000_000 * 3_600 for _, line in asked}),
        "bots": sorted({row[2] for row, _ in asked}),
        "sessions": sorted({row[3] for row, _ in asked}),
    }
    rows = await store.fetch(
        "SELECT bot, session_id, toUnixTimestamp64Micro(asked) AS us, "
        "argMax(if(isNull(answered), -1, dateDiff('microsecond', asked, assumeNotNull(answered))), settled) FROM turns "
        "WHERE toStartOfHour(asked) IN (SELECT toDateTime(arrayJoin({hours:Array(UInt32)}), 'UTC')) "
        "AND bot IN {bots:Array(String)} AND session_id IN {sessions:Array(String)} GROUP BY bot, session_id, us",
        params,
    )
    return {(bot, session_id, us): wait_us / 1e3 if wait_us >= 0 else None for bot, session_id, us, wait_us in rows}


def _item(row: Sequence[Any], about: Line | None, question: Line | None, waits: Answered, eyes: Eyes) -> FeedbackItem:
    at_us, _, bot, session_id, channel, user, _, score, text, body, trace_id = row
    return FeedbackItem(
        at=moment(at_us * 1_000),
        bot=bot,
        session_id=session_id,
        channel=channel,
        user=eyes.user(user),
        score=score_of(score),
        text=eyes.text(text_of(text) or text_of(body), user),
        about=about.shape(eyes) if about else None,
        question=question.shape(eyes) if question else None,
        response_ms=waits.get((bot, session_id, question.at_us)) if question else None,
        trace_id=known_trace(trace_id.hex()) or (known_trace(about.trace_id) if about else None),
    )
