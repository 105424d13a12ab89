"""Who comes; and what texts must share to be the same question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from botwatch.api.asking import Window
from botwatch.api.pages import moment
from botwatch.api.reads.values import sql_time
from botwatch.api.shapes_insights import Engagement, EngagementItem, Every
from botwatch.store.client import Store

TEXT_CHARS: Final = 200  # of a message, as far as its phrase goes
_START: Final = {
    Every.DAY: "toDate({}, {{zone:String}})",
    Every.WEEK: "toStartOfWeek({}, 1, {{zone:String}})",
    Every.MONTH: "toStartOfMonth({}, {{zone:String}})",
}


def sql_words(text: str) -> str:
    """A text without case and punctuation."""
    return f"trimBoth(replaceRegexpAll(lowerUTF8({text}), '[^\\\\p{{L}}\\\\p{{M}}\\\\p{{N}}]+', ' '))"


def sql_phrase(text: str) -> str:
    """What texts must share to be the same question; their figures are different orders, dates, amounts."""
    return f"replaceRegexpAll({sql_words(text)}, '[0-9]+', '0')"


async def phrases_of(store: Store, texts: Sequence[str]) -> list[str]:
    if not texts:
        return []
    sql = f"SELECT arrayMap(t -> {sql_phrase('t')}, {{texts:Array(String)}})"
    row = (await store.fetch(sql, {"texts": [text[:TEXT_CHARS] for text in texts]})).first
    return list(row[0]) if row else []


async def engagement(store: Store, every: Every, window: Window, zone: ZoneInfo, bot: str | None) -> Engagement:
    """A user is new in the first of all the stretches they wrote in. An hour's row knows its first and
    its last message, so that a day that begins within the hour has both its users."""
    of = _START[every]
    first, last = of.format("assumeNotNull(first_message)"), of.format("assumeNotNull(last_message)")
    those = "messages_in > 0 AND isNotNull(first_message)" + (" AND bot = {bot:String}" if bot is not None else "")
    params: dict[str, Any] = {"zone": zone.key, "lower": window.from_ns, "upper": window.to_ns, "bot": bot or ""}
    shown = f"start >= {of.format(sql_time('lower'))} AND start < {sql_time('upper')}"
    users = await store.fetch(
        "SELECT start, count(), countIf(start = began) FROM ("
        f"SELECT min({first}) AS began, groupUniqArrayArray([{first}, {last}]) AS starts "
        f"FROM session_hours WHERE {those} AND user_id != '' GROUP BY user_id"
        f") ARRAY JOIN starts AS start WHERE {shown} GROUP BY start",
        params,
    )
    talks = await store.fetch(
        f"SELECT {first} AS start, uniqExact(bot, session_id), sum(messages_in) FROM session_hours "
        f"WHERE {those} AND hour >= toStartOfHour({sql_time('lower')} - INTERVAL 31 DAY) AND {shown} "
        "GROUP BY start ORDER BY start",
        params,
    )
    since = await store.fetch(
        f"SELECT toUnixTimestamp64Micro(min(first_message)) FROM session_hours WHERE {those}", params
    )
    known = {start: (count, new) for start, count, new in users}
    items = [_engaged(start, *known.get(start, (0, 0)), sessions, messages) for start, sessions, messages in talks]
    since_us = since.first[0] if since.first else None
    return Engagement(every=every, known_since=moment(since_us * 1_000) if since_us else None, items=items)


def _engaged(start: Any, users: int, new: int, sessions: int, messages: int) -> EngagementItem:
    return EngagementItem(
        start=start, users=users, new=new, returning=users - new, sessions=sessions, messages=messages
    )
