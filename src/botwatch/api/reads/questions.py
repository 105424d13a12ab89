"""What users ask most often.

The engine counts equal phrases, texts without case, punctuation and figures; the most frequent of these are then put
together by what they mean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botwatch.api.asking import Window
from botwatch.api.meaning.grouping import grouped
from botwatch.api.reads.insights import TEXT_CHARS, sql_phrase
from botwatch.api.reads.values import sql_inside
from botwatch.api.shapes_insights import CommonQueries, CommonQuery, Variant
from botwatch.limits import QUESTION_VARIANTS_MAX, QUESTIONS_GROUPED_MAX
from botwatch.store.client import Store


@dataclass(frozen=True, slots=True)
class Phrase:
    """A row of the first answer; `all_times` is that of all phrases together."""

    text: str
    times: int
    sessions: int
    example: str
    answered: int
    settled: int
    all_times: int


async def common_queries(store: Store, window: Window, bot: str | None, limit: int) -> CommonQueries:
    params = {"lower": window.from_ns, "upper": window.to_ns, "bot": bot or "", "limit": QUESTIONS_GROUPED_MAX}
    phrases = [Phrase(*row) for row in (await store.fetch(_counted(bot), params)).rows]
    groups = await asyncio.to_thread(_groups, phrases)
    shown = sorted(groups, key=lambda group: (-sum(phrase.times for phrase in group), group[0].text))[:limit]
    sessions = await _sessions(store, shown, params, bot)
    looked_at = sum(phrase.times for phrase in phrases)
    return CommonQueries(
        items=[_query(group, sessions.get(place, group[0].sessions)) for place, group in enumerate(shown)],
        left_out=phrases[0].all_times - looked_at if phrases else 0,
    )


def _said(bot: str | None) -> str:
    of_bot = " AND bot = {bot:String}" if bot is not None else ""
    return f"FROM messages WHERE direction = 'in' AND author = 'user' AND {sql_inside('at')}{of_bot}"


def _counted(bot: str | None) -> str:
    """Equal texts first, then those that differ only in case, punctuation or figures."""
    of_bot = " AND bot = {bot:String}" if bot is not None else ""
    settled = f"SELECT cityHash64(bot, session_id, asked) FROM turns FINAL WHERE {sql_inside('asked')}{of_bot}"
    return (
        f"SELECT {sql_phrase('said')} AS phrase, sum(times) AS all_times, uniqMerge(sessions), argMax(said, times), "
        "sum(answered), sum(settled), sum(all_times) OVER () FROM ("
        f"SELECT toValidUTF8(leftUTF8(text, {TEXT_CHARS})) AS said, count() AS times, "
        "uniqState(bot, session_id) AS sessions, "
        f"countIf(cityHash64(bot, session_id, at) IN ({settled} AND outcome = 'answered')) AS answered, "
        f"countIf(cityHash64(bot, session_id, at) IN ({settled})) AS settled {_said(bot)} GROUP BY said"
        ") GROUP BY phrase HAVING phrase != '' ORDER BY all_times DESC, phrase LIMIT {limit:UInt32}"
    )


def _groups(phrases: Sequence[Phrase]) -> list[list[Phrase]]:
    return [[phrases[place] for place in places] for places in grouped([phrase.text for phrase in phrases])]


async def _sessions(
    store: Store, groups: Sequence[Sequence[Phrase]], params: dict[str, Any], bot: str | None
) -> dict[int, int]:
    """Of groups with several phrases: one conversation may hold more than one of them."""
    several = [(phrase.text, place) for place, group in enumerate(groups) if len(group) > 1 for phrase in group]
    if not several:
        return {}
    texts, places = zip(*several, strict=True)
    rows = await store.fetch(
        "SELECT transform(phrase, {texts:Array(String)}, {places:Array(UInt32)}, 0) AS place, uniqMerge(sessions) "
        f"FROM (SELECT {sql_phrase('said')} AS phrase, uniqState(bot, session_id) AS sessions FROM ("
        f"SELECT toValidUTF8(leftUTF8(text, {TEXT_CHARS})) AS said, bot, session_id {_said(bot)}) "
        "GROUP BY phrase HAVING phrase IN {texts:Array(String)}) GROUP BY place",
        params | {"texts": list(texts), "places": list(places)},
    )
    return dict(rows.rows)


def _query(group: Sequence[Phrase], sessions: int) -> CommonQuery:
    head = group[0]
    settled = sum(phrase.settled for phrase in group)
    return CommonQuery(
        phrase=head.text,
        count=sum(phrase.times for phrase in group),
        sessions=sessions,
        example=head.example,
        answered_share=100 * sum(phrase.answered for phrase in group) / settled if settled else None,
        phrases=len(group),
        variants=[
            Variant(phrase=phrase.text, count=phrase.times, example=phrase.example)
            for phrase in group[:QUESTION_VARIANTS_MAX]
        ],
    )
