"""What a report's panels show: each is a question to the measures, checked when it is saved, asked when it is read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from botwatch import limits
from botwatch.errors import BadRequest, BotwatchError, StoreError
from botwatch.measure import catalogue
from botwatch.measure.model import Direction, Measure, Thresholds
from botwatch.measure.names import Metric, Names
from botwatch.measure.query import DAY_S, METRIC, Query, near, parse_conditions, parse_duration_s, parse_labels
from botwatch.measure.reader import Measures, Series
from botwatch.reports.report import Drawn, Panel

STEPS_S: Final = (10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, DAY_S, 7 * DAY_S)
_LINE_POINTS: Final = 240
_BARS: Final = 60
_NEAR_METRICS: Final = 500  # names that one which was not found is compared to


@dataclass(frozen=True, slots=True)
class Window:
    """Seconds since 1970, its end outside."""

    start_s: int
    end_s: int

    @classmethod
    def until(cls, end_s: int, period: str) -> Window:
        return cls(max(0, end_s - parse_duration_s(period)), end_s)


@dataclass(frozen=True, slots=True)
class Answer:
    """A panel with its values: over time by `step_s`, or one of the whole window for each series.

    `series` are the greatest first, and in a table of what is bad when it is low, the least; `left_out` is how many
    more there are. `problem` says why there are none.
    """

    panel: Panel
    window: Window
    step_s: int | None
    unit: str = ""
    help: str = ""
    worse: Direction = Direction.NEITHER
    bounds: Thresholds | None = None
    series: tuple[Series, ...] = ()
    left_out: int = 0
    problem: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(note for series in self.series for note in series.notes))


def windows(panels: Sequence[Panel], period: str, end_s: int, wanted: Window | None = None) -> list[Window]:
    """Of each panel: its own, or the report's; `wanted` stands in place of all."""
    return [wanted or Window.until(end_s, panel.period or period) for panel in panels]


async def check(names: Names, panels: Sequence[Panel], known: Collection[Panel] = ()) -> None:
    """Raises `BadRequest` with what is meant, perhaps, for the first panel that cannot be asked.

    Those that were saved before are not looked at again: a metric that is heard of no more may stay.
    """
    fresh = [(number, panel) for number, panel in enumerate(panels, 1) if panel not in known]
    found = await names.metric(_metric_of(panel) for _, panel in fresh if _is_metric(panel))
    for number, panel in fresh:
        try:
            if _is_metric(panel) and _metric_of(panel) not in found:
                raise await _unknown(names, _metric_of(panel))
            measure = _measure(panel, found)
            if measure is not None:
                catalogue.check(_query(panel, Window(0, DAY_S)), measure)
        except BadRequest as error:
            raise BadRequest(f"panel {number}: {error.message}", hint=error.hint) from None


async def answers(measures: Measures, panels: Sequence[Panel], over: Sequence[Window]) -> list[Answer]:
    """Raises when the store is away; a panel that cannot be answered says so by itself."""
    metrics = await measures.names.metric(_metric_of(panel) for panel in panels if _is_metric(panel))
    asked: list[Query | BadRequest] = []
    for panel, window in zip(panels, over, strict=True):
        try:
            asked.append(_query(panel, window))
        except BadRequest as error:
            asked.append(error)
    told = iter(await measures.many([query for query in asked if isinstance(query, Query)]))
    return [
        _answer(panel, window, query if isinstance(query, BadRequest) else next(told), metrics)
        for panel, window, query in zip(panels, over, asked, strict=True)
    ]


def _answer(panel: Panel, window: Window, told: list[Series] | BotwatchError, metrics: dict[str, Metric]) -> Answer:
    if isinstance(told, StoreError):
        raise told
    step_s = _step_s(panel, window)
    if isinstance(told, BotwatchError):
        return Answer(panel, window, step_s, problem=told.message)
    measure = _measure(panel, metrics)
    if measure is None:
        return Answer(panel, window, step_s, problem="No such metric has come.")
    series = [_whole(one, window) for one in told] if _counts(panel, measure, metrics) else told
    series = sorted(series, key=_weight, reverse=panel.drawn.over_time or measure.direction is not Direction.LOW)
    most = limits.REPORT_SERIES_MAX
    return Answer(
        panel,
        window,
        series[0].step_s if series else step_s,
        measure.unit,
        measure.help,
        measure.direction,
        None if panel.aggregation else measure.colours or measure.thresholds,
        tuple(series[:most]),
        max(0, len(series) - most),
    )


def _query(panel: Panel, window: Window) -> Query:
    by, where = tuple(label for text in panel.by for label in parse_labels(text)), parse_conditions(panel.where)
    step_s = _step_s(panel, window)
    return Query(panel.measure, window.start_s, window.end_s, step_s, by, where, panel.aggregation)


def _step_s(panel: Panel, window: Window) -> int | None:
    if not panel.drawn.over_time:
        return None
    points = _BARS if panel.drawn is Drawn.BARS else _LINE_POINTS
    length_s = window.end_s - window.start_s
    return next((step_s for step_s in STEPS_S if length_s <= step_s * points), STEPS_S[-1])


def _counts(panel: Panel, measure: Measure, metrics: dict[str, Metric]) -> bool:
    """Whether its steps are of what happened in them: half a step's count looks like a fall."""
    if _is_metric(panel):
        return metrics[_metric_of(panel)].kind in ("delta", "cumulative") or panel.drawn is Drawn.BARS
    return catalogue.adds_up(measure) or panel.drawn is Drawn.BARS


def _whole(series: Series, window: Window) -> Series:
    """Without the steps at both ends that are not whole, unless there is no more than that."""
    if series.step_s is None:
        return series
    points = tuple(
        point for point in series.points if point[0] >= window.start_s and point[0] + series.step_s <= window.end_s
    )
    if not any(value for _, value in points):
        return series
    return Series(series.measure, series.labels, points, series.step_s, series.notes)


def _weight(series: Series) -> float:
    return sum(value or 0.0 for _, value in series.points)


def _measure(panel: Panel, metrics: dict[str, Metric]) -> Measure | None:
    if not _is_metric(panel):
        return catalogue.find(panel.measure)
    found = metrics.get(_metric_of(panel))
    return catalogue.metric(found.name, found.kind, found.unit, found.help, panel.aggregation) if found else None


async def _unknown(names: Names, metric: str) -> BadRequest:
    known = [found.name for found in await names.metrics(limit=_NEAR_METRICS)]
    return BadRequest(
        f"measure: no metric {metric[:64]!r} has come{near(metric, known)}", hint="/api/measures lists those that have"
    )


def _is_metric(panel: Panel) -> bool:
    return panel.measure.startswith(METRIC)


def _metric_of(panel: Panel) -> str:
    return panel.measure.removeprefix(METRIC)
