"""Keeps a flood of label values from becoming a flood of rollup rows.

Each kind of label of each bot may have so many values. When a bot brings more, the ones it had first
stay admitted and the rest is counted as '(other)' from then on: the view over `ticks` asks the two
tables that are written here. Nothing that was counted before is touched.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from botwatch import limits
from botwatch.store.client import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Crowd:
    label: str
    bot: str
    values: int


def crowds(store: Store, values_max: int = limits.LABEL_VALUES_PER_BOT_MAX) -> list[Crowd]:
    """Labels that have passed the bound and are not yet held."""
    rows = store.read(
        "SELECT label, bot, uniqExact(name) AS n FROM names "
        "WHERE (label, bot) NOT IN (SELECT label, bot FROM crowded_labels) "
        "GROUP BY label, bot HAVING n > {max:UInt64}",
        {"max": values_max},
    )
    found = [Crowd(*row) for row in rows]
    rows = store.read(
        "SELECT 'series', concat(bot, '\\0', metric) AS owner, uniqExact(series) AS n FROM series "
        "WHERE ('series', owner) NOT IN (SELECT label, bot FROM crowded_labels) "
        "GROUP BY owner HAVING n > {max:UInt64}",
        {"max": limits.SERIES_PER_METRIC_MAX},
    )
    return found + [Crowd(*row) for row in rows]


def hold(store: Store, crowd: Crowd, now_s: int, values_max: int = limits.LABEL_VALUES_PER_BOT_MAX) -> None:
    """Admit the values seen first, then close the label. In this order: a crash between leaves it open."""
    label, bot = _quoted(crowd.label), _quoted(crowd.bot)
    if crowd.label == "series":
        store.command(
            f"INSERT INTO admitted_names SELECT cityHash64('series', {bot}, toString(series)) FROM "
            f"(SELECT series, min(last_seen) AS seen FROM series WHERE concat(bot, '\\0', metric) = {bot} "
            f"GROUP BY series ORDER BY seen, series LIMIT {limits.SERIES_PER_METRIC_MAX})"
        )
    else:
        store.command(
            f"INSERT INTO admitted_names SELECT cityHash64({label}, {bot}, name) FROM "
            f"(SELECT name, min(first_seen) AS seen, sum(count) AS n FROM names WHERE label = {label} AND bot = {bot} "
            f"GROUP BY name ORDER BY seen, n DESC, name LIMIT {values_max})"
        )
    store.command(f"INSERT INTO crowded_labels SELECT {label}, {bot}, toDateTime({now_s}, 'UTC')")
    log.warning(
        "too many values of a label; new ones are counted as (other)",
        extra={"label": crowd.label, "of": crowd.bot.replace("\0", " "), "values": crowd.values},
    )


def guard(store: Store, now_s: int) -> list[Crowd]:
    """Hold every label that has become a crowd; what was found."""
    found = crowds(store)
    for crowd in found:
        hold(store, crowd, now_s)
    return found


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0") + "'"
