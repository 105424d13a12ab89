"""Which sessions have a user: what the topic 'unknown users' looks at."""

from __future__ import annotations

import asyncio
from typing import Final

from botwatch.api.diagnosis.facts import BotUsers, Users
from botwatch.clock import SECOND_NS
from botwatch.measure.query import DAY_S
from botwatch.store.client import Store

_ROWS_MAX: Final = 1_000
_BOTS_LOOKED_AT_MAX: Final = 50


async def users(store: Store, now_ns: int, *, shown: bool) -> Users:
    """Sessions with a message within a day. An id that begins with 'trace-' was made up of its trace."""
    since_s = now_ns // SECOND_NS - DAY_S
    rows = await store.fetch(
        "SELECT bot, channel, count(), countIf(user = ''), countIf(startsWith(session_id, 'trace-')) FROM ("
        "SELECT bot, session_id, max(channel) AS channel, max(user_id) AS user FROM session_hours "
        "WHERE hour >= toStartOfHour(toDateTime({since:Int64}, 'UTC')) GROUP BY bot, session_id "
        "HAVING sum(messages_in) > 0) "
        f"GROUP BY bot, channel ORDER BY bot, channel LIMIT {_ROWS_MAX}",
        {"since": since_s},
    )
    wanted = list(dict.fromkeys(bot for bot, _, _, unknown, _ in rows if unknown))[:_BOTS_LOOKED_AT_MAX]
    ours = dict(zip(wanted, await asyncio.gather(*(_by_our_sdk(store, bot, since_s) for bot in wanted)), strict=True))
    return Users(
        tuple(BotUsers(bot, channel, n, unknown, traced, ours.get(bot)) for bot, channel, n, unknown, traced in rows),
        shown,
    )


async def _by_our_sdk(store: Store, bot: str, since_s: int) -> bool | None:
    """Whether its newest messages come from botwatch-sdk; None where messages are read from model calls."""
    rows = await store.fetch(
        "SELECT position(toString(resource), '\"botwatch-sdk\"') > 0 FROM logs "
        "WHERE bot = {bot:String} AND at >= toDateTime64({since:Int64}, 9, 'UTC') AND event = 'bot.message' "
        "ORDER BY at DESC LIMIT 1",
        {"bot": bot, "since": since_s},
    )
    return bool(rows.first[0]) if rows.first else None
