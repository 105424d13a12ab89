"""What busy bots do: what the topic 'high CPU' looks at."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Final

from botwatch import turns
from botwatch.api.diagnosis.facts import Busy, BusyHost, Load, Repeated
from botwatch.api.diagnosis.high_cpu import CPU_PERCENT_MIN, HOST_PERCENT_MIN, LOOP_COUNT_MIN
from botwatch.clock import SECOND_NS
from botwatch.errors import BotwatchError
from botwatch.measure.query import Condition, Op, Query
from botwatch.measure.reader import Measures, Series
from botwatch.store.client import Store

_WINDOW_S: Final = 600
_LEAK_S: Final = 3_600
_LEAK_STEP_S: Final = 600
_BUSY_MAX: Final = 10
_REPEATED_MAX: Final = 5
_WITHIN: Final = (
    "bot = {bot:String} AND {column} >= toDateTime64({{since:Int64}}, {digits}, 'UTC') "
    "AND {column} < toDateTime64({{until:Int64}}, {digits}, 'UTC')"
)


async def load(store: Store, measures: Measures, now_ns: int, idle_minutes: int) -> Load:
    now_s = now_ns // SECOND_NS // 10 * 10
    start_s = now_s - _WINDOW_S
    of_processes, of_hosts = await measures.many(
        [
            Query("process.cpu", start_s, now_s, by=("bot", "host", "instance")),
            Query("cpu.usage", start_s, now_s, by=("host",)),
        ]
    )
    # Of several processes of a bot the busiest: the others may wait for what it does not do.
    percent: dict[str, float] = defaultdict(float)
    together: dict[str, float] = defaultdict(float)
    living: dict[str, set[str]] = defaultdict(set)
    for series, value in _told(of_processes):
        bot, host = series.labels["bot"], series.labels["host"]
        percent[bot] = max(percent[bot], value)
        together[host] += value
        living[host].add(bot)
    wanted = sorted((bot for bot, cpu in percent.items() if cpu >= CPU_PERCENT_MIN), key=lambda bot: -percent[bot])
    bots = await asyncio.gather(
        *(_busy(store, measures, bot, percent[bot], now_s, idle_minutes) for bot in wanted[:_BUSY_MAX])
    )
    hosts = [
        BusyHost(
            host,
            cpu,
            together.get(host),
            sum(await asyncio.gather(*(turns.active_now(store, now_ns, idle_minutes, bot) for bot in living[host]))),
        )
        for host, cpu in ((series.labels["host"], value) for series, value in _told(of_hosts))
        if cpu >= HOST_PERCENT_MIN and host
    ]
    return Load(tuple(bots), tuple(hosts), len(percent))


async def _busy(store: Store, measures: Measures, bot: str, cpu_percent: float, now_s: int, idle_minutes: int) -> Busy:
    params = {"bot": bot, "since": now_s - _WINDOW_S, "until": now_s + 10}
    of_bot = (Condition("bot", Op.IS, (bot,)),)
    sessions, said, repeated, models, memory = await asyncio.gather(
        turns.active_now(store, now_s * SECOND_NS, idle_minutes, bot),
        store.fetch(
            f"SELECT session_id, count() FROM messages WHERE {_within('at', 6)} AND direction = 'in' "
            "AND toStartOfHour(at) >= toStartOfHour(toDateTime({since:Int64}, 'UTC')) GROUP BY session_id",
            params,
        ),
        store.fetch(
            f"SELECT session_id, action, count() AS n FROM spans WHERE {_within('start', 9)} AND action != '' "
            f"GROUP BY session_id, action HAVING n >= {LOOP_COUNT_MIN} ORDER BY n DESC, action LIMIT {_REPEATED_MAX}",
            params,
        ),
        store.fetch(
            f"SELECT count(), arrayStringConcat(arraySort(groupUniqArray(5)(toString(model))), ', ') FROM spans "
            f"WHERE {_within('start', 9)} AND model != ''",
            params,
        ),
        measures.many([Query("process.memory", now_s - _LEAK_S, now_s, 60, where=of_bot)]),
    )
    messages = {session: int(count) for session, count in said}
    calls, names = models.first or (0, "")
    return Busy(
        bot,
        cpu_percent,
        sessions,
        sum(messages.values()),
        _WINDOW_S,
        tuple(Repeated(session, action, int(n), _said(messages, session)) for session, action, n in repeated),
        int(calls),
        str(names),
        _lows(memory[0], now_s),
    )


def _within(column: str, digits: int) -> str:
    return _WITHIN.replace("{column}", column).replace("{digits}", str(digits)).replace("{{", "{").replace("}}", "}")


def _said(messages: dict[str, int], session: str) -> int:
    """What happens outside of sessions is held against all that was said."""
    return messages.get(session, 0) if session else sum(messages.values())


def _told(answer: list[Series] | BotwatchError) -> list[tuple[Series, float]]:
    if isinstance(answer, BotwatchError):
        raise answer
    return [(series, value) for series in answer if (value := series.points[0][1]) is not None]


def _lows(answer: list[Series] | BotwatchError, now_s: int) -> tuple[float, ...]:
    """The least of each ten minutes of the last hour, as far as it was told."""
    if isinstance(answer, BotwatchError):
        raise answer
    lows: dict[int, float] = {}
    for series in answer:
        for at_s, value in series.points:
            if value is not None:
                place = (at_s - (now_s - _LEAK_S)) // _LEAK_STEP_S
                lows[place] = min(value, lows.get(place, value))
    return tuple(lows[place] for place in sorted(lows))
