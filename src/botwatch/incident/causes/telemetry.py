"""Changes that the telemetry store knows of: versions, models, dependencies, limits, breakers, services.

Each is one function from a window to what changed in it, the newest if there are too many; `SOURCES` is where they
are registered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final
from urllib.parse import urlencode

from botwatch import limits
from botwatch.incident.causes.change import KNOWN_NS, Change, Kind, Window, places
from botwatch.incident.causes.deploys import CLOSELY_NS, Deploy, Stretch, deploys
from botwatch.store.client import Rows, Store

Source = Callable[[Store, Window], Awaitable[list[Change]]]

_MS: Final = 1_000_000

# Processes of a version, in the order they came, become stretches where none is alive for a while.
_STRETCHES: Final = """
SELECT toValidUTF8(toString(bot)), toValidUTF8(toString(environment)), toValidUTF8(version),
    toUnixTimestamp64Milli(min(began)) AS began_ms, toUnixTimestamp64Milli(max(ended)), toValidUTF8(max(revision)),
    arraySort(groupUniqArray(20)(toValidUTF8(toString(host)))), count()
FROM
(
    SELECT *, sum(fresh) OVER (PARTITION BY bot, environment, version ORDER BY began, ended, host, instance) AS stretch
    FROM
    (
        SELECT *, began > addMilliseconds(max(ended) OVER (PARTITION BY bot, environment, version
            ORDER BY began, ended, host, instance ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
            {closely_ms:Int64}) AS fresh
        FROM
        (
            SELECT bot, host, instance, version, environment, max(revision) AS revision,
                min(first_seen) AS began, max(last_seen) AS ended
            FROM runs
            WHERE version != '' AND observer = '' AND day >= toDate(toDateTime({since_s:Int64}, 'UTC'))
                AND first_seen < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
            GROUP BY bot, host, instance, version, environment
        )
    )
)
GROUP BY bot, environment, version, stretch
ORDER BY began_ms DESC
LIMIT {most:UInt32}"""

# Names a bot has now and did not have when it came: of one that is new itself, every name is.
_NEW_NAMES: Final = """
SELECT label, toValidUTF8(toString(names.bot)) AS owner, toValidUTF8(names.name) AS called,
    toUnixTimestamp(min(first_seen)) AS first_s
FROM names
WHERE label IN ('model', 'dependency') AND names.name != '(other)' AND names.bot != ''
GROUP BY label, owner, called
HAVING first_s >= {from_s:Int64} AND first_s < {to_s:Int64}
    AND first_s > (SELECT mapFromArrays(groupArray(known), groupArray(since)) FROM (
        SELECT name AS known, toUnixTimestamp(min(first_seen)) + 600 AS since FROM names
        WHERE label = 'bot' GROUP BY name))[owner]
ORDER BY first_s DESC
LIMIT {most:UInt32}"""

_CALLS: Final = """
SELECT event, toUnixTimestamp64Micro(at), toValidUTF8(toString(bot)), toValidUTF8(toString(host)),
    toValidUTF8(attributes['bot.dependency.name']), toValidUTF8(attributes['bot.dependency.limit.name']),
    toValidUTF8(attributes['bot.dependency.limit.before']), toValidUTF8(attributes['bot.dependency.limit.after']),
    toValidUTF8(attributes['bot.breaker.name']), toValidUTF8(attributes['bot.breaker.after'])
FROM events
WHERE event IN ('bot.dependency.limit_changed', 'bot.breaker')
    AND toStartOfHour(at) >= toStartOfHour(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC'))
    AND at >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') AND at < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
ORDER BY at DESC
LIMIT {most:UInt32}"""

_SERVICES: Final = """
SELECT toUnixTimestamp64Milli(at), toValidUTF8(service), toValidUTF8(toString(host)), toString(status),
    toString(before), toValidUTF8(version),
    lagInFrame(version) OVER (PARTITION BY service, host ORDER BY at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
FROM service_changes
WHERE at >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') AND at < fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
ORDER BY at DESC
LIMIT {most:UInt32}"""


async def changes(store: Store, window: Window) -> list[Change]:
    """Of all sources. May raise `StoreAway`."""
    found = await asyncio.gather(*(source(store, window) for source in SOURCES))
    return [change for some in found for change in some]


async def known_deploys(store: Store, window: Window) -> list[Deploy]:
    """Those that began within the window, in the order of time."""
    since_s = max(0, window.from_ns - KNOWN_NS) // 1_000_000_000
    rows = await _fetch(store, _STRETCHES, {"since_s": since_s, "to_ns": window.to_ns, "closely_ms": CLOSELY_NS // _MS})
    return [one for one in deploys(_stretches(rows)) if window.from_ns <= one.now.began_ns < window.to_ns]


def _stretches(rows: Rows) -> Iterable[Stretch]:
    for bot, environment, version, began_ms, ended_ms, revision, hosts, processes in rows:
        hosts_told = tuple(host for host in hosts if host)
        yield Stretch(bot, environment, version, began_ms * _MS, ended_ms * _MS, revision, hosts_told, processes)


async def _deploys(store: Store, window: Window) -> list[Change]:
    return [_deployed(one) for one in await known_deploys(store, window)]


def _deployed(found: Deploy) -> Change:
    now = found.now
    where = f" in {now.environment}" if now.environment else ""
    instead = f" instead of {found.before}" if found.before else ""
    return Change(
        Kind.DEPLOY,
        now.began_ns,
        f"{now.bot} {now.version}{where} was first seen{instead}",
        now.bot,
        frozenset({("bot", now.bot), *(("host", host) for host in now.hosts)}),
        f"/explore/traces?{urlencode({'bot': now.bot})}",
        usual=not found.before,
        detail=(
            ("version", now.version),
            ("before", found.before),
            ("environment", now.environment),
            ("revision", now.revision),
        ),
    )


async def _new_names(store: Store, window: Window) -> list[Change]:
    params = {"from_s": window.from_ns // 1_000_000_000, "to_s": -(-window.to_ns // 1_000_000_000)}
    found = []
    for label, bot, name, first_s in await _fetch(store, _NEW_NAMES, params):
        kind = Kind.MODEL if label == "model" else Kind.DEPENDENCY
        what = "the model" if kind is Kind.MODEL else "the dependency"
        link = f"/explore/traces?{urlencode({'bot': bot, **({} if label == 'model' else {label: name})})}"
        text = f"{bot} called {what} {name} for the first time"
        found.append(Change(kind, first_s * 1_000_000_000, text, bot, places(bot=bot, **{label: name}), link))
    return found


async def _calls(store: Store, window: Window) -> list[Change]:
    found = []
    for event, at_us, bot, host, dependency, limit, before, after, breaker, state in await _fetch(
        store, _CALLS, window.params()
    ):
        if event == "bot.breaker":
            kind, name, text = Kind.BREAKER, breaker, f"{bot}: the circuit breaker {breaker} is {_spaced(state)}"
        else:
            kind, name = Kind.LIMIT, dependency
            which = f"its limit {limit}" if limit else "its limit"
            text = f"{dependency} changed {which} for {bot} from {_plain(before)} to {_plain(after)}"
        link = f"/explore/traces?{urlencode({'bot': bot, 'dependency': name})}"
        where = places(bot=bot, host=host, dependency=name)
        found.append(Change(kind, at_us * 1_000, text, f"{bot} {name}", where, link))
    return found


async def _services(store: Store, window: Window) -> list[Change]:
    found = []
    for at_ms, service, host, status, before, version, version_before in await _fetch(
        store, _SERVICES, window.params()
    ):
        newer = f"; its version is {version}, it was {version_before}" if version_before not in ("", version) else ""
        if status == "running" and before in ("", "unknown") and not newer:
            continue  # it was looked at for the first time: nothing happened to it
        text = f"{service} is {_spaced(status)}" + (f", it was {_spaced(before)}" if before else "") + newer
        where = places(service=service, host=host)
        found.append(
            Change(Kind.SERVICE, at_ms * _MS, text, service, where, "/system", usual=before in ("", "unknown"))
        )
    return found


SOURCES: Final[tuple[Source, ...]] = (_deploys, _new_names, _calls, _services)


async def _fetch(store: Store, sql: str, params: dict[str, Any]) -> Rows:
    return await store.fetch(sql, {**params, "most": limits.CHANGES_READ_MAX})


def _plain(value: str) -> str:
    """Numbers came as floats."""
    return value.removesuffix(".0")


def _spaced(word: str) -> str:
    return word.replace("_", " ")
