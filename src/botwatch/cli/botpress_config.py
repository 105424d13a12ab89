"""What of a Botpress configuration has a counterpart here, and in words what has none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from botwatch.detect import botpress
from botwatch.detect.durations import duration_s, written
from botwatch.detect.rule import TICK_S, Aggregation, Rule
from botwatch.measure import catalogue
from botwatch.measure.query import METRIC

_DAY_S: Final = 86_400


def told(value: Any, rules: tuple[Rule, ...], rollups_days: int) -> Iterator[str]:
    """What becomes of its switches, intervals and periods."""
    path = botpress.place_of_rules(value)
    if not path:
        return
    around = path[:-1]
    monitoring = botpress.at(value, (*around[:-1], "monitoring")) if around else None
    alerting = botpress.at(value, around)
    if isinstance(monitoring, Mapping):
        yield from _monitoring(monitoring, rules, rollups_days)
    if isinstance(alerting, Mapping):
        yield from _alerting(alerting)
    if botpress.switched_off(value, path) and rules:
        yield "alerting or monitoring is switched off there: the rules are kept, disabled"


def _monitoring(block: Mapping[str, Any], rules: tuple[Rule, ...], rollups_days: int) -> Iterator[str]:
    every = block.get("collectionInterval")
    if every is not None and duration_s(every) != TICK_S:
        yield f"monitoring.collectionInterval {every}: ticks are of {TICK_S} s here; bots choose how often they send"
        counted = [rule.name for rule in rules if _counts_ticks(rule)]
        if counted:
            yield f"look at the values of {', '.join(counted[:10])}: there are more ticks here than there"
    kept = block.get("retentionPeriod")
    if kept is not None and (days := max(1, math.ceil(duration_s(kept) / _DAY_S))) != rollups_days:
        yield (
            f"monitoring.retentionPeriod {kept}: measures are kept for {rollups_days} days here; to keep them as long "
            f"as there, set rollups_days = {days}"
        )
    if "janitorInterval" in block:
        yield "monitoring.janitorInterval: nothing to set, what is too old goes by itself"


def _counts_ticks(rule: Rule) -> bool:
    """Whether its value grows with the number of ticks, whatever they hold."""
    if rule.aggregation is Aggregation.SUM:
        return not rule.field.startswith(METRIC) and not catalogue.adds_up(catalogue.find(rule.field))
    return rule.aggregation is Aggregation.COUNT


def _alerting(block: Mapping[str, Any]) -> Iterator[str]:
    every = block.get("watcherInterval")
    if every is not None and duration_s(every) != TICK_S:
        yield f"alerting.watcherInterval {every}: rules are judged every {written(TICK_S)} here"
    if block.get("retentionPeriod") is not None:
        yield f"alerting.retentionPeriod {block['retentionPeriod']}: nothing to set, resolved incidents are kept"
    if "janitorInterval" in block:
        yield "alerting.janitorInterval: nothing to set"


def environment(environ: Mapping[str, str]) -> Iterator[str]:
    """Two variables Botpress needed. The password in the address is never shown."""
    url = environ.get("REDIS_URL", "")
    if url:
        yield (
            f"REDIS_URL: Botwatch keeps nothing in Redis and reads no old metrics from it; a server that has this "
            f"variable watches the Redis at {_redis(url)} as the service redis"
        )
    if environ.get("CLUSTER_ENABLED", ""):
        yield "CLUSTER_ENABLED: nothing to set, every host that sends is seen, and several servers share one state"


def _redis(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port or 6379}"
    except ValueError:
        return "that address"
