"""How many sessions are active now, and how many were at most."""

from __future__ import annotations

from typing import Final

from botwatch.store.client import Store

_NS_PER_US: Final = 1_000
_US_PER_S: Final = 1_000_000

_WITHIN: Final = """at > fromUnixTimestamp64Micro({since_us:Int64}, 'UTC')
            AND at <= fromUnixTimestamp64Micro({now_us:Int64}, 'UTC') AND session_id != ''"""


def _of_bot(bot: str | None) -> str:
    return "" if bot is None else " AND bot = {bot:String}"


def _active_sql(bot: str | None, channel: str | None) -> str:
    """The last message of each session, and its last end: a message at the same time comes before it."""
    return f"""
SELECT count()
FROM
(
    SELECT bot, session_id
    FROM
    (
        SELECT bot, session_id, at, false AS is_end, channel FROM messages WHERE {_WITHIN}{_of_bot(bot)}
        UNION ALL
        SELECT bot, session_id, at, true AS is_end, '' AS channel FROM events
        WHERE {_WITHIN}{_of_bot(bot)} AND event = 'bot.session.end'
    )
    GROUP BY bot, session_id
    HAVING countIf(NOT is_end) > 0 AND maxIf(at, NOT is_end) > maxIf(at, is_end)
        {"" if channel is None else "AND max(channel) = {channel:String}"}
)"""


async def active_now(
    store: Store, now_ns: int, idle_minutes: int, bot: str | None = None, channel: str | None = None
) -> int:
    """Sessions with a message in the last `idle_minutes` and no end after it, counted now."""
    now_us = now_ns // _NS_PER_US
    params = {
        "now_us": now_us,
        "since_us": now_us - idle_minutes * 60 * _US_PER_S,
        "bot": bot or "",
        "channel": channel or "",
    }
    rows = await store.fetch(_active_sql(bot, channel), params)
    return int(rows.first[0]) if rows.first else 0


_PEAK: Final = """
SELECT max(peak)
FROM
(
    SELECT argMax(peak, settled) AS peak
    FROM concurrency
    WHERE bot = {bot:String} AND channel = {channel:String}
        AND minute >= toStartOfMinute(fromUnixTimestamp64Micro({start_us:Int64}, 'UTC'))
        AND minute < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')
    GROUP BY minute
)"""


async def peak(
    store: Store,
    start_ns: int,
    end_ns: int,
    now_ns: int,
    idle_minutes: int,
    bot: str | None = None,
    channel: str | None = None,
) -> int:
    """The most sessions active at once in the minutes from `start_ns` to `end_ns`.

    Where that includes now, the sessions active now count too; what rose and fell again since the
    last run of the settler is in it after the next.
    """
    params = {
        "start_us": start_ns // _NS_PER_US,
        "end_us": end_ns // _NS_PER_US,
        "bot": bot or "",
        "channel": channel or "",
    }
    rows = await store.fetch(_PEAK, params)
    highest = int(rows.first[0] or 0) if rows.first else 0
    if start_ns <= now_ns <= end_ns:
        highest = max(highest, await active_now(store, now_ns, idle_minutes, bot, channel))
    return highest
