"""Who sent what, and when it came: what the topic 'no data' looks at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from botwatch.api.diagnosis.facts import Arrivals, SeenBot, SeenHost, Standing
from botwatch.api.diagnosis.no_data import AHEAD_S, BOTS_TOLD_MAX, FORGOTTEN_S, STALE_S
from botwatch.clock import SECOND_NS
from botwatch.measure.query import TICK_S
from botwatch.nouns import Signal
from botwatch.store.client import Store

_BOTS_MAX: Final = 1_000
# What a bot that counts itself sends at every heartbeat; spans and logs are looked at beside it.
_BEATS: Final = "('process.uptime', 'process.memory.usage', 'bot.events')"


async def arrivals(
    store: Store,
    now_ns: int,
    standing: Standing,
    ever: Mapping[Signal, int],
    *,
    needs_key: bool,
    live_keys: int | None,
    watches_itself: bool,
) -> Arrivals:
    now_s = now_ns // SECOND_NS
    bots, hosts = await asyncio.gather(_bots(store, now_s), _hosts(store, now_s))
    return Arrivals(now_ns, standing, ever, needs_key, live_keys, watches_itself, bots, hosts)


async def _bots(store: Store, now_s: int) -> tuple[SeenBot, ...]:
    rows = await store.fetch(
        "SELECT name, toUnixTimestamp(max(last_seen)) AS last FROM names WHERE label = 'bot' AND name != '' "
        f"GROUP BY name ORDER BY last DESC LIMIT {_BOTS_MAX}"
    )
    # To the tick; its end is the latest it can have been.
    found = [SeenBot(name, int(last_s) + (TICK_S if int(last_s) + TICK_S <= now_s else 0)) for name, last_s in rows]
    odd = [bot for bot in found if not -AHEAD_S < now_s - bot.last_s < STALE_S and now_s - bot.last_s < FORGOTTEN_S]
    # Of those that are ahead and those that were heard last: a row of each shows when it came.
    beating = await _beating(store) if odd else frozenset()
    looked = await asyncio.gather(*(_received(store, bot) for bot in odd[: 2 * BOTS_TOLD_MAX]))
    known = {bot.name: replace(bot, beats=bot.name in beating) for bot in looked}
    return tuple(known.get(bot.name, bot) for bot in found)


async def _beating(store: Store) -> frozenset[str]:
    rows = await store.fetch(f"SELECT DISTINCT bot FROM names WHERE label = 'point' AND name IN {_BEATS}")
    return frozenset(row[0] for row in rows)


async def _received(store: Store, bot: SeenBot) -> SeenBot:
    """When the newest of a bot came: a few rows, by the time they say they are of."""
    within = (
        "{name} >= toDateTime64({{from_s:Int64}}, 9, 'UTC') AND {name} < toDateTime64({{to_s:Int64}}, 9, 'UTC') "
        "AND bot = {{bot:String}}"
    )
    sql = (
        "SELECT toUnixTimestamp(max(received)) FROM ("
        f"SELECT max(received) AS received FROM spans WHERE {within.format(name='start')} UNION ALL "
        f"SELECT max(received) FROM logs WHERE {within.format(name='at')} UNION ALL "
        f"SELECT max(received) FROM points WHERE metric IN {_BEATS} AND {within.format(name='at')})"
    )
    params = {"bot": bot.name, "from_s": bot.last_s - 3 * TICK_S, "to_s": bot.last_s + TICK_S}
    first = (await store.fetch(sql, params)).first
    received_s = int(first[0]) if first and first[0] else None
    return replace(bot, received_s=received_s)


async def _hosts(store: Store, now_s: int) -> tuple[SeenHost, ...]:
    """Machines that bots told of lately, and when their CPU was last told, by whomever."""
    told, measured = await asyncio.gather(
        store.fetch(
            "SELECT name, toUnixTimestamp(maxIf(last_seen, bot != '')) FROM names WHERE label = 'host' AND name != '' "
            "GROUP BY name HAVING maxIf(last_seen, bot != '') >= toDateTime({since:Int64}, 'UTC') "
            f"ORDER BY name LIMIT {_BOTS_MAX}",
            {"since": now_s - FORGOTTEN_S},
        ),
        store.fetch(
            "SELECT host, toUnixTimestamp(max(tick)) FROM ticks_1h WHERE kind = 'point' "
            "AND name IN ('system.cpu.utilization', 'system.cpu.time') AND host != '' "
            "AND tick >= toDateTime({since:Int64}, 'UTC') GROUP BY host",
            {"since": now_s - FORGOTTEN_S},
        ),
    )
    hours = {host: int(tick_s) for host, tick_s in measured}
    fine = await _measured(store, now_s)
    return tuple(
        SeenHost(name, int(bot_s) + TICK_S if bot_s else None, fine.get(name, hours.get(name))) for name, bot_s in told
    )


async def _measured(store: Store, now_s: int) -> dict[str, int]:
    rows = await store.fetch(
        "SELECT host, toUnixTimestamp(max(tick)) FROM ticks_10s WHERE kind = 'point' "
        "AND name IN ('system.cpu.utilization', 'system.cpu.time') AND host != '' "
        "AND tick >= toDateTime({since:Int64}, 'UTC') GROUP BY host",
        {"since": now_s - 3_600},
    )
    return {host: int(tick_s) + TICK_S for host, tick_s in rows}
