"""All measures, found by name; and any metric, made a measure by its kind.

`metric:<name>` is any metric bots or machines send. What can be asked of it depends on its kind:

    gauge          avg (unless told otherwise), last, min, max, count, and sum, the averages of its series added
    sum            total (unless told otherwise): what came to it; rate: that by the second
    distribution   avg (unless told otherwise), count, sum, rate, p50, p99.9 and any other quantile
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from botwatch.errors import BadRequest
from botwatch.measure.entries import (
    calls,
    contracts,
    conversations,
    incidents,
    machines,
    processes,
    queues,
    services,
    signals,
    work,
)
from botwatch.measure.entries.expressions import SUM_OF_MEANS, mean
from botwatch.measure.model import Counted, Description, Empty, Measure, Preferred, Priced
from botwatch.measure.query import METRIC, Query, near
from botwatch.measure.sources_buckets import KINDS, Buckets, bucket_quantile
from botwatch.measure.sources_points import Counters, Gauges, Summaries

MEASURES: Final = (
    *conversations.MEASURES,
    *contracts.MEASURES,
    *work.MEASURES,
    *calls.MEASURES,
    *signals.MEASURES,
    *processes.MEASURES,
    *machines.MEASURES,
    *incidents.MEASURES,
    *services.MEASURES,
    *queues.MEASURES,
)
RATE: Final = "rate"  # a count by the second
SUMMARY: Final = "summary"

_BY_NAME: Final = {name: measure for measure in MEASURES for name in (measure.name, *measure.aliases)}
_QUANTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)")
_GAUGE: Final = {
    "": mean(),
    "avg": mean(),
    "last": "tupleElement(max[last], 2)",
    "min": "min[low]",
    "max": "max[high]",
    "count": "sum[count]",
    "sum": SUM_OF_MEANS,
}
_SUM: Final = {"": "sum[risen]", "total": "sum[risen]", RATE: "sum[risen]"}
_SAMPLES: Final = "sum[risen | endsWith(name, '.count')]"
_DISTRIBUTION: Final = {
    "": mean("sum[risen | endsWith(name, '.sum')]", _SAMPLES),
    "avg": mean("sum[risen | endsWith(name, '.sum')]", _SAMPLES),
    "count": _SAMPLES,
    "sum": "sum[risen | endsWith(name, '.sum')]",
    RATE: _SAMPLES,
}


def find(name: str) -> Measure:
    """The measure of that name or alias, as somebody asked for it."""
    measure = _BY_NAME.get(name)
    if measure is None or not measure.public:
        public = [known for known, found in _BY_NAME.items() if found.public]
        raise BadRequest(
            f"measure: there is none called {name!r}{near(name, public)}",
            hint=f"/api/measures lists them all; a metric is asked for as {METRIC}<its name>",
        )
    return measure


def part(name: str) -> Measure:
    """A measure that another one names; also those that are only parts."""
    return _BY_NAME[name]


def metric(name: str, kind: str, unit: str, help_text: str, aggregation: str) -> Measure:
    """A metric of that name and kind as a measure."""
    how = _metric(name, kind, aggregation)
    return Measure(METRIC + name, unit, help_text, how)


def _metric(name: str, kind: str, aggregation: str) -> Counted:
    if kind == "gauge":
        return Counted(Gauges((name,), open=True), _chosen(_GAUGE, aggregation, "a gauge"))
    if kind in ("delta", "cumulative"):
        return Counted(Counters((name,), open=True), _chosen(_SUM, aggregation, "a sum"))
    found = _QUANTILE.fullmatch(aggregation)
    if found:
        q = round(float(found[1]) / 100, 6)
        if kind == SUMMARY:
            return Counted(Summaries((name,), open=True, quantile=q), "avg[held]")
        return Counted(Buckets((name,), open=True), bucket_quantile(q))
    counters = Counters((name,), open=True, parts=(".count", ".sum"), kinds=(*KINDS, SUMMARY))
    return Counted(counters, _chosen(_DISTRIBUTION, aggregation, "a distribution, which also has p50, p99 and so on"))


def _chosen(known: dict[str, str], aggregation: str, what: str) -> str:
    if aggregation not in known:
        names = ", ".join(filter(None, known))
        raise BadRequest(
            f"aggregation: expected one of {names} for {what}, found {aggregation!r}{near(aggregation, list(known))}"
        )
    return known[aggregation]


def parts(measure: Measure) -> tuple[str, ...]:
    """The names of the measures it is made of."""
    match measure.how:
        case Counted():
            return ()
        case Preferred(parts=names):
            return names
        case Priced() as priced:
            return (priced.calls, priced.tokens_in, priced.tokens_out)


def labels(measure: Measure) -> tuple[str, ...]:
    """What a measure can be grouped and filtered by."""
    if isinstance(measure.how, Counted):
        return measure.how.source.labels
    first, *rest = (labels(part(name)) for name in parts(measure))
    return tuple(label for label in first if all(label in others for others in rest))


def is_open(measure: Measure) -> bool:
    """Whether it takes labels beside those it knows."""
    return isinstance(measure.how, Counted) and measure.how.source.open


def adds_up(measure: Measure) -> bool:
    """Whether its values over two times add up to the value over both."""
    return measure.empty is Empty.SEEN


def check(query: Query, measure: Measure) -> None:
    """Refuse labels and aggregations the measure does not have."""
    known = labels(measure)
    asked = (*query.by, *(condition.label for condition in query.where))
    for label in asked:
        if label not in known and not is_open(measure):
            raise BadRequest(
                f"{measure.name} has no label {label!r}{near(label, known)}", hint=f"it has {', '.join(known)}"
            )
    if is_open(measure):
        return  # a metric's aggregation chose its SQL already
    allowed = (RATE,) if adds_up(measure) else ()
    if query.aggregation and query.aggregation not in allowed:
        raise BadRequest(
            f"aggregation: {measure.name} is computed one way only; found {query.aggregation!r}",
            hint=f"leave it out{' or ask for rate, which is by the second' if allowed else ''}",
        )


@cache
def describe() -> tuple[Description, ...]:
    """The catalogue as people see it."""
    return tuple(
        Description(
            measure.name,
            measure.unit,
            measure.help,
            labels(measure),
            measure.aliases,
            measure.direction,
            measure.thresholds,
            measure.colours,
            measure.empty,
            (RATE,) if adds_up(measure) else (),
            measure.remedy,
        )
        for measure in MEASURES
        if measure.public
    )
