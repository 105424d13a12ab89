"""The hours before, as baselines learn from them: read once, then an hour at a time.

The same hours come out whether the loop has kept them for weeks or a backtest has just read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

import numpy as np

from botwatch import limits
from botwatch.detect import past
from botwatch.detect.finding import Flags, Floats, Subject
from botwatch.detect.past import Past
from botwatch.detect.rule import TICK_S
from botwatch.detect.ticks import HOUR_S, Need
from botwatch.errors import BadRequest, BotwatchError, CannotJudge
from botwatch.incident.asking import counts, measure_of
from botwatch.incident.gaps import Gap, missed
from botwatch.measure.frames import Frame
from botwatch.measure.model import Empty
from botwatch.measure.query import DAY_S, Query
from botwatch.measure.reader import Framed

_CHUNK_HOURS: Final = (past.DAYS + 1) * 24
_CHUNK_HOURS_MIN: Final = 6
_AGAIN_HOURS: Final = 24  # read again with each new hour: what came late has come by then
_UNWATCHED_TICKS: Final = 60  # of an hour that then says nothing


class Frames(Protocol):
    async def frames(self, queries: Sequence[Query]) -> list[Framed]: ...


class Hours:
    """One value an hour of one series, from a beginning that moves on by whole days."""

    def __init__(self, need: Need, first_s: int) -> None:
        self.need = need
        self.first_s = first_s
        self.read_s = first_s
        self._told: dict[Subject, Floats] = {}

    def forget(self, first_s: int) -> None:
        cut = (first_s - self.first_s) // HOUR_S
        if cut > 0:
            told = {subject: values[cut:] for subject, values in self._told.items()}
            self._told = {subject: values for subject, values in told.items() if not np.isnan(values).all()}
            self.first_s, self.read_s = first_s, max(first_s, self.read_s)

    def put(self, frame: Frame | None, from_s: int, to_s: int) -> None:
        """Take what was read in place of what was there."""
        low, high = (from_s - self.first_s) // HOUR_S, (to_s - self.first_s) // HOUR_S
        for subject, values in self._told.items():
            self._told[subject] = _longer(values, high)
            self._told[subject][low:high] = np.nan
        measure = measure_of(self.need)
        nothing = measure is not None and measure.empty is Empty.ZERO  # then 0 is told of everybody
        for subject, points in frame.groups.items() if frame is not None else ():
            told = np.array(points, dtype=np.float64)[: high - low]
            told = np.where(told == 0, np.nan, told) if nothing else told
            if np.isnan(told).all():
                continue
            if subject not in self._told:
                if len(self._told) >= limits.RULE_SUBJECTS_MAX:
                    continue  # nor is it judged by what it is now, and that is told
                self._told[subject] = np.full(high, np.nan)
            self._told[subject][low : low + len(told)] = told
        self.read_s = max(self.read_s, to_s)

    @property
    def cells(self) -> int:
        return len(self._told) * max(0, (self.read_s - self.first_s) // HOUR_S)

    def past(self, gaps: Sequence[Gap], zone: str) -> Past:
        hours = (self.read_s - self.first_s) // HOUR_S
        told = {subject: values[:hours] for subject, values in self._told.items()}
        unknown = _unwatched(gaps, self.first_s, self.read_s)
        return past.past_of(self.need, counts(measure_of(self.need)), self.first_s, told, unknown, zone)


def _longer(values: Floats, hours: int) -> Floats:
    return np.concatenate((values, np.full(max(0, hours - len(values)), np.nan)))


def _unwatched(gaps: Sequence[Gap], first_s: int, end_s: int) -> Flags:
    flags = missed(gaps, first_s, end_s).reshape(-1, HOUR_S // TICK_S)
    return np.asarray(flags.sum(axis=1) > _UNWATCHED_TICKS, dtype=np.bool_)


class Pasts:
    """Those of the rules that are judged. `read` costs nothing until another hour has settled. An hour of the week is
    one on the clocks of `zone`."""

    def __init__(self, measures: Frames, zone: str) -> None:
        self._measures = measures
        self._zone = zone
        self._hours: dict[Need, Hours] = {}
        self._pasts: dict[Need, Past] = {}
        self._gaps: tuple[Gap, ...] = ()
        self._trouble: dict[Need, CannotJudge] = {}
        self._retry_s: dict[Need, int] = {}
        self._needs: tuple[Need, ...] = ()

    def plan(self, needs: Iterable[Need]) -> None:
        self._needs = tuple(dict.fromkeys(needs))
        self._hours = {need: hours for need, hours in self._hours.items() if need in self._needs}
        self._pasts, self._trouble, self._retry_s = {}, {}, {}

    def past(self, need: Need) -> Past:
        """Raises `CannotJudge` where it could not be read."""
        trouble = self._trouble.get(need)
        if trouble is not None:
            raise trouble
        found = self._pasts.get(need)
        if found is None:
            hours = self._hours.get(need)
            if hours is None:
                raise CannotJudge(f"{need.measure}: its past has not been read yet")
            found = self._pasts[need] = hours.past(self._gaps, self._zone)
        return found

    async def read(self, end_s: int, gaps: Sequence[Gap], since_s: int | None = None) -> None:
        """Up to what a tick that ends then is judged by, and back to what one is that ended at `since_s`."""
        until_s = past.settled_until_s(end_s)
        first_s = past.from_s(end_s if since_s is None else since_s) - (DAY_S if since_s is None else 0)
        first_s = max(0, first_s)
        if tuple(gaps) != self._gaps:
            self._gaps, self._pasts = tuple(gaps), {}
        for need in self._needs:
            self._hours.setdefault(need, Hours(need, first_s)).forget(first_s)
        due = [
            need for need in self._needs if self._hours[need].read_s < until_s and end_s >= self._retry_s.get(need, 0)
        ]
        for start_s, needs in self._together(due).items():
            await self._catch_up(needs, start_s, until_s, end_s)

    def _together(self, needs: Iterable[Need]) -> dict[int, list[Need]]:
        """Those that are read from the same hour on are asked for in one question."""
        found: dict[int, list[Need]] = {}
        for need in needs:
            hours = self._hours[need]
            found.setdefault(max(hours.first_s, hours.read_s - _AGAIN_HOURS * HOUR_S), []).append(need)
        return found

    async def _catch_up(self, needs: list[Need], start_s: int, until_s: int, end_s: int) -> None:
        step = _CHUNK_HOURS
        while needs and start_s < until_s:
            stop_s = min(until_s, start_s + step * HOUR_S)
            queries = [Query(need.measure, start_s, stop_s, HOUR_S, need.by, need.where) for need in needs]
            answers = await self._measures.frames(queries)
            if step > _CHUNK_HOURS_MIN and any(isinstance(answer, BadRequest) for answer in answers):
                step = max(_CHUNK_HOURS_MIN, step // 4)  # too much at once, perhaps
                continue
            needs = [
                need
                for need, answer in zip(needs, answers, strict=True)
                if self._taken(need, answer, (start_s, stop_s), end_s)
            ]
            start_s = stop_s

    def _taken(self, need: Need, answer: Framed, hours: tuple[int, int], end_s: int) -> bool:
        self._pasts.pop(need, None)
        try:
            if isinstance(answer, BotwatchError):
                raise CannotJudge(answer.message, hint=answer.hint)
            self._hours[need].put(answer, *hours)
            if sum(one.cells for one in self._hours.values()) > limits.PAST_CELLS_MAX:
                raise CannotJudge(
                    f"{need.measure}: the weeks before of all its subjects do not fit into memory",
                    hint="take fewer labels in by, or narrow it with where",
                )
        except CannotJudge as error:
            self._trouble[need], self._retry_s[need] = error, end_s + limits.JUDGE_RETRY_S
            return False
        self._trouble.pop(need, None)
        return True


async def pasts_of(
    measures: Frames, needs: Iterable[Need], since_s: int, end_s: int, gaps: Sequence[Gap], zone: str
) -> Mapping[Need, Past]:
    """For ticks that end after `since_s` and until `end_s`. Raises `CannotJudge`."""
    reader = Pasts(measures, zone)
    wanted = tuple(needs)
    reader.plan(wanted)
    await reader.read(end_s, gaps, since_s)
    return {need: reader.past(need) for need in wanted}
