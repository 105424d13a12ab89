"""What the other rooms ask: the values of measures, over time or of a window, and what can be asked.

Every bucket of a series lies on the grid of its step; the first and the last hold only what lies in the
window. A count is 0 where the bot was seen and nothing happened, and None where the bot was not seen; every
other measure is None where there is nothing to compute it from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from botwatch import limits
from botwatch.clock import Clock
from botwatch.errors import BadRequest, BotwatchError
from botwatch.measure import catalogue, frames
from botwatch.measure.compile import Leaf, Statement, compile_many
from botwatch.measure.frames import Frame
from botwatch.measure.model import Labels, Measure
from botwatch.measure.names import Names
from botwatch.measure.plan import Plan, plan
from botwatch.measure.query import DAY_S, METRIC, Query
from botwatch.measure.window import Kept
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


class Measures:
    """Reads measures from a store. Days begin where the settings' time zone has them begin."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._zone = settings.time_zone
        self._clock = clock
        self._kept = Kept()
        self._kept_until_s = float("-inf")
        self.names = Names(store)

    async def series(self, query: Query) -> list[Series]:
        """Over time, by the step that was asked for, or a longer one where only that is still kept."""
        if query.step_s is None:
            raise BadRequest("step: expected the length of a step for values over time")
        answer = (await self.many([query]))[0]
        if isinstance(answer, BotwatchError):
            raise answer
        return answer

    async def value(self, query: Query) -> list[Value]:
        """One value for each group."""
        answer = (await self.many([replace(query, step_s=None)]))[0]
        if isinstance(answer, BotwatchError):
            raise answer
        return [Value(series.labels, series.points[0][1], series.notes) for series in answer]

    async def many(self, queries: Sequence[Query]) -> list[Answer]:
        """Several questions in as few statements as they allow. One that fails is answered by its error."""
        kept = await self._what_is_kept()
        metrics = await self._metrics(queries)
        plans = [self._planned(query, metrics, kept) for query in queries]
        wanted = dict.fromkeys(leaf for found in plans if isinstance(found, Plan) for leaf in found.leaves())
        statements = compile_many(wanted)
        answers = await asyncio.gather(
            *(self._store.fetch(statement.sql, statement.params) for statement in statements), return_exceptions=True
        )
        return await asyncio.to_thread(_put_together, queries, plans, statements, answers)

    def _planned(self, query: Query, metrics: Mapping[str, Names.Metric], kept: Kept) -> Plan | BotwatchError | None:
        try:
            measure = _measure(query, metrics)
            if measure is None:
                return None
            catalogue.check(query, measure)
            return plan(query, measure, kept, self._zone)
        except BadRequest as error:
            return error
