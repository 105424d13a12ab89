"""The deadline of each row in SQL: the same arithmetic as `detect.hours`, over the same stretches of time."""

from __future__ import annotations

from typing import Final

from botwatch import limits
from botwatch.detect.contract import Contract, Terms, What
from botwatch.detect.hours import US_PER_S, Calendar
from botwatch.measure.sources import Binder

NEVER: Final = f"toInt64({2**62})"
_FURTHEST_US: Final = limits.CONTRACT_DUE_DAYS_MAX * 86_400 * US_PER_S
_TIMES: Final = "Array(Int64)"


def due(contract: Contract, zone: str, low_us: int, high_us: int, bind: Binder) -> str:
    """An expression over `bot`, `channel`, `us` and `within_us`, for rows from `low_us` to `high_us`."""
    *special, anybody = contract.all_terms()
    said = contract.when.what is What.EXPECTED
    parts: list[str] = []
    for terms in special:
        parts += [_fits(terms, bind), _due(terms, terms.calendar(zone, low_us, high_us), bind, said=said)]
    rest = _due(anybody, anybody.calendar(zone, low_us, high_us), bind, said=said)
    return f"multiIf({', '.join((*parts, rest))})" if parts else rest


def _fits(terms: Terms, bind: Binder) -> str:
    asked = (("bot", terms.bot), ("channel", terms.channel))
    return " AND ".join(f"{column} = {bind(value)}" for column, value in asked if value is not None)


def _due(terms: Terms, calendar: Calendar | None, bind: Binder, *, said: bool) -> str:
    within = bind(terms.within_us, "Int64")
    if said:
        within = f"if(within_us > 0, within_us, {within})"
    if calendar is None:
        return f"(us + {within})"
    starts, ends, before, reached = (
        bind(list(times), _TIMES) for times in (calendar.starts, calendar.ends, calendar.before, calendar.reached)
    )
    # Each step is the only element of an array, so that it is written once and named.
    return (
        f"arrayMap(asked -> arrayMap(opened -> arrayMap(needed -> arrayMap(place -> "
        f"if(place = 0, asked + {_FURTHEST_US}, {starts}[place] + greatest(0, needed - {before}[place])), "
        f"[arrayFirstIndex(r -> r >= needed, {reached})])[1], "
        f"[if(opened = 0, 0, {before}[opened] + least(asked, {ends}[opened]) - {starts}[opened]) + {within}])[1], "
        f"[arrayLastIndex(s -> s <= asked, {starts})])[1], [us])[1]"
    )
