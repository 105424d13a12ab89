"""What the other rooms ask: the values of measures, over time or of a window, and what can be asked.

Every bucket of a series lies on the grid of its step; the first and the last hold only what lies in the
window. A count is 0 where the bot was seen and nothing happened, and None where the bot was not seen; every
other measure is None where there is nothing to compute it from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.errors import BadRequest, BotwatchError
from botwatch.measure import catalogue, frames
from botwatch.measure.compile import Leaf, Statement, compile_many
from botwatch.measure.done import Talking, definitions
from botwatch.measure.frames import Frame
from botwatch.measure.model import Labels, Measure
from botwatch.measure.names import Metric, Names
from botwatch.measure.plan import Answers, Plan, plan
from botwatch.measure.query import METRIC, Query
from botwatch.measure.sources_points import Points
from botwatch.measure.window import Kept, kept_since
from botwatch.settings import Settings
from botwatch.store.client import Rows, Store

_KEPT_ASKED_S: Final = 60
Point = tuple[int, float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one group over time. `notes` say in words what the values leave out."""

    measure: str
    labels: Labels
    points: tuple[Point, ...]
    step_s: int | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """The value of one group over the whole window."""

    labels: Labels
    value: float | None
    notes: tuple[str, ...] = ()


Answer = list[Series] | BotwatchError
Framed = Frame | BotwatchError | None
Planned = Plan | BotwatchError | None


class Measures:
    """Reads measures from a store. Days begin where the settings' time zone has them begin."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._zone = settings.time_zone
        self._clock = clock
        self._idle_s = settings.idle_minutes * 60
        self._done = definitions(settings)
        self._kept = Kept()
        self._kept_until_s = float("-inf")
        self.names = Names(store)

    @property
    def talking(self) -> Talking:
        """Which sessions are over as of now, and which are done."""
        return Talking(self._clock.now_ns() // SECOND_NS, self._idle_s, self._done)

    async def series(self, query: Query) -> list[Series]:
        """Over time, by the step that was asked for, or a longer one where only that is still kept."""
        if query.step_s is None:
            raise BadRequest("step: expected the length of a step for values over time")
        return await self._one(query)

    async def value(self, query: Query) -> list[Value]:
        """One value for each group, of the whole window."""
        answer = await self._one(replace(query, step_s=None))
        return [Value(series.labels, series.points[0][1], series.notes) for series in answer]

    async def label_values(
        self, label: str, *, measure: str = "", bot: str | None = None, prefix: str = "", limit: int = 100
    ) -> list[str]:
        """Values a label has had, the most recent first. With a measure, those of its own labels as well."""
        return await self.names.label_values(label, measure=measure, bot=bot, prefix=prefix, limit=limit)

    async def many(self, queries: Sequence[Query]) -> list[Answer]:
        """Several questions in as few statements as they allow; one that cannot be answered is told by its error.

        A question without a step is answered by series of one point. A metric that never came has no series.
        """
        plans, statements, answers = await self._asked(queries)
        return await asyncio.to_thread(_put_together, plans, statements, answers)

    async def frames(self, queries: Sequence[Query]) -> list[Framed]:
        """The same as `many` for who goes on computing: one frame for each question, None for a metric that never
        came. They are not cut to as many series as people look at."""
        plans, statements, answers = await self._asked(queries)
        return await asyncio.to_thread(_framed, plans, statements, answers)

    async def _asked(
        self, queries: Sequence[Query]
    ) -> tuple[list[Planned], list[Statement], list[Rows | BaseException]]:
        metrics = await self.names.metric(
            query.measure.removeprefix(METRIC) for query in queries if query.measure.startswith(METRIC)
        )
        kept = await self._what_is_kept()
        plans = [self._planned(query, metrics, kept) for query in queries]
        leaves = [leaf for found in plans if isinstance(found, Plan) for leaf in found.leaves()]
        statements = compile_many(await self._with_rows(leaves), self.talking)
        answers = await asyncio.gather(
            *(self._store.fetch(statement.sql, statement.params) for statement in statements), return_exceptions=True
        )
        return plans, statements, answers

    async def _with_rows(self, leaves: Sequence[Leaf]) -> list[Leaf]:
        """Without those of metrics nobody ever sent: to find nothing would cost as much as to find something."""
        wanted = {leaf: leaf.counted.source for leaf in leaves}
        fixed = {
            leaf: source.metrics for leaf, source in wanted.items() if isinstance(source, Points) and not source.open
        }
        came = await self.names.came(name for metrics in fixed.values() for name in metrics)
        return [leaf for leaf in leaves if leaf not in fixed or not came.isdisjoint(fixed[leaf])]

    async def _one(self, query: Query) -> list[Series]:
        answer = (await self.many([query]))[0]
        if isinstance(answer, BotwatchError):
            raise answer
        return answer

    def _planned(self, query: Query, metrics: Mapping[str, Metric], kept: Kept) -> Planned:
        try:
            measure = _measure(query, metrics)
            if measure is None:
                return None
            catalogue.check(query, measure)
            return plan(query, measure, kept, self._zone)
        except BadRequest as error:
            return error

    async def _what_is_kept(self) -> Kept:
        """Finer ticks go before coarser ones: from when on they are whole is looked up once a minute."""
        if self._clock.monotonic_s() >= self._kept_until_s:
            row = (
                await self._store.fetch(
                    "SELECT (SELECT toUnixTimestamp(min(tick)) FROM ticks_10s), "
                    "(SELECT toUnixTimestamp(min(tick)) FROM ticks_5m), "
                    "(SELECT toUnixTimestamp(min(tick)) FROM ticks_1h)"
                )
            ).first
            self._kept = kept_since(*(int(at or 0) for at in row or (0, 0, 0)))
            self._kept_until_s = self._clock.monotonic_s() + _KEPT_ASKED_S
        return self._kept


def _measure(query: Query, metrics: Mapping[str, Metric]) -> Measure | None:
    if not query.measure.startswith(METRIC):
        return catalogue.find(query.measure)
    found = metrics.get(query.measure.removeprefix(METRIC))
    return catalogue.metric(found.name, found.kind, found.unit, found.help, query.aggregation) if found else None


def _put_together(
    plans: Sequence[Planned], statements: Sequence[Statement], answers: Sequence[Rows | BaseException]
) -> list[Answer]:
    frame = _looked_up(statements, answers)
    return [_answer(found, frame) for found in plans]


def _framed(
    plans: Sequence[Planned], statements: Sequence[Statement], answers: Sequence[Rows | BaseException]
) -> list[Framed]:
    frame = _looked_up(statements, answers)

    def framed(found: Planned) -> Framed:
        try:
            return frames.shown(found.frame(frame)) if isinstance(found, Plan) else found
        except BotwatchError as error:
            return error

    return [framed(found) for found in plans]


def _looked_up(statements: Sequence[Statement], answers: Sequence[Rows | BaseException]) -> Answers:
    found = {
        leaf: (answer, *columns)
        for statement, answer in zip(statements, answers, strict=True)
        for leaf, columns in zip(statement.leaves, statement.columns, strict=True)
    }

    def frame(leaf: Leaf) -> Frame:
        if leaf not in found:
            return Frame(leaf.by, leaf.window)
        answer, column, counted = found[leaf]
        if isinstance(answer, BaseException):
            raise answer
        return frames.from_rows(answer.rows, column, counted, leaf.by, leaf.window)

    return frame


def _answer(found: Planned, answers: Answers) -> Answer:
    if found is None:
        return []
    if isinstance(found, BotwatchError):
        return found
    try:
        return _series(found, frames.shown(found.frame(answers)))
    except BotwatchError as error:
        return error


def _series(found: Plan, frame: Frame) -> list[Series]:
    step_s = frame.window.grid.step_s
    most = limits.MEASURE_VALUES_MAX if step_s is None else limits.MEASURE_SERIES_MAX
    if len(frame.groups) > most:
        raise BadRequest(
            f"by: {', '.join(found.by)} would give {len(frame.groups)} series, at most {most} are answered",
            hint="filter with where, or group by fewer labels",
        )
    starts = frame.window.grid.starts
    return [
        Series(
            found.measure.name,
            dict(zip(found.by, key, strict=True)),
            tuple(zip(starts, values, strict=True)),
            step_s,
            tuple(frame.notes),
        )
        for key, values in sorted(frame.groups.items())
        if any(value is not None for value in values) or frame.notes
    ]
