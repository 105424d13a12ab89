"""The ticks that rules are judged by, kept in memory and brought up to date by few questions.

Every tick the newest ones are read again, because data comes late, and now and then some more of them. A series
that cannot be read is told to the rules that need it and tried again later; the others go on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from botwatch import limits
from botwatch.detect.rule import TICK_S
from botwatch.detect.ticks import HOUR_S, Need, Ticks
from botwatch.errors import BadRequest, BotwatchError, CannotJudge, StoreAway
from botwatch.incident.asking import Ask, asks, counts, late_ticks, measure_of
from botwatch.incident.gaps import Gap, missed, without_rewound
from botwatch.incident.pasts import Pasts
from botwatch.incident.ring import Ring
from botwatch.measure.frames import Frame
from botwatch.measure.model import Empty
from botwatch.measure.query import Query
from botwatch.measure.reader import Framed

_CHUNK_TICKS: Final = 2_160  # six hours in one question, unless it answers too much
_CHUNK_TICKS_MIN: Final = 6
_ALIKE_TICKS: Final = 8


class Frames(Protocol):
    """What reading needs of the measures."""

    async def frames(self, queries: Sequence[Query]) -> list[Framed]: ...


class Desk:
    """`plan` says what is needed; `read` brings it up to a moment; `ticks` hands it out."""

    def __init__(self, measures: Frames, alive: Callable[[], Awaitable[object]], zone: str = "UTC") -> None:
        self.gaps: tuple[Gap, ...] = ()
        self.deadline_s = 60
        self._measures = measures
        self.pasts = Pasts(measures, zone)
        self._alive = alive  # raises `StoreAway` when the store does not answer at all
        self._rings: dict[Need, Ring] = {}
        self._asks: list[tuple[str, Ask]] = []
        self._late: dict[Need, int] = {}
        self._trouble: dict[Need, CannotJudge] = {}
        self._retry_s: dict[Need, int] = {}
        self._turn = 0
        self.statements_asked = 0

    def plan(self, needs: Mapping[Need, int], end_s: int, room_ticks: int) -> None:
        """Keep as many ticks of each series as are needed, and some room behind them."""
        self._trouble, self._retry_s, self._asks = {}, {}, []
        rings: dict[Need, Ring] = {}
        cells = 0
        for need, reach in needs.items():
            columns = reach + room_ticks
            old = self._rings.get(need)
            try:
                ring = old if old and old.columns >= columns else self._ring(need, columns, end_s)
                rows = max(8, ring.cells // ring.columns)
                if (cells := cells + rows * ring.columns) > limits.JUDGED_CELLS_MAX:
                    raise CannotJudge(
                        f"{need.measure}: its time frame over all its subjects does not fit into memory",
                        hint="take a shorter time frame, fewer labels in by, or narrow it with where",
                    )
            except CannotJudge as error:
                self._trouble[need] = error
                continue
            rings[need] = ring
        self._rings = rings
        self._asks = asks(rings)

    def _ring(self, need: Need, columns: int, end_s: int) -> Ring:
        measure = measure_of(need)
        self._late[need] = late_ticks(measure, self.deadline_s)
        zero = measure is not None and measure.empty is Empty.ZERO
        return Ring(need, columns, end_s, counts=counts(measure), zero_is_nothing=zero, fits=self._fits)

    def _fits(self, cells: int) -> bool:
        return cells + sum(ring.cells for ring in self._rings.values()) <= limits.JUDGED_CELLS_MAX

    def ticks(self, need: Need) -> Ticks:
        """Raises `CannotJudge` where it could not be read."""
        trouble = self._trouble.get(need)
        if trouble is not None:
            raise trouble
        ring = self._rings[need]
        start_s = ring.end_s - ring.columns * TICK_S
        return without_rewound(ring.ticks(missed(self.gaps, start_s, ring.end_s)), self.gaps)

    def crowded(self, needs: Iterable[Need]) -> str:
        """What of these is not judged, because there are too many; empty: all of it is."""
        for need in needs:
            if (ring := self._rings.get(need)) is not None and ring.crowded:
                return (
                    f"by: more subjects of {', '.join(need.by)} than there is room for; the {ring.subjects} that came "
                    "first are judged (judge fewer labels, or filter with where)"
                )
        return ""

    async def read(self, end_s: int) -> None:
        """Raises `StoreAway` when the store answers nothing."""
        self._turn += 1
        fresh, behind = self._wanted(end_s)
        for ring in self._rings.values():
            ring.advance(end_s)
        answers = await self._ask([ask.query(name, start, end_s, TICK_S) for name, ask, start in fresh])
        away = [answer for answer in answers if isinstance(answer, StoreAway)]
        if away and len(away) == len(answers):
            await self._alive()
        for (_, ask, _), answer in zip(fresh, answers, strict=True):
            self._take(ask, answer, end_s)
        for name, ask in behind:
            await self._catch_up(name, ask, end_s)
        await self.pasts.read(end_s, self.gaps)

    def _wanted(self, end_s: int) -> tuple[list[tuple[str, Ask, int]], list[tuple[str, Ask]]]:
        """What is read from where, and what is so far behind that it is read in pieces."""
        fresh: list[tuple[str, Ask, int]] = []
        behind: list[tuple[str, Ask]] = []
        for place, (name, ask) in enumerate(self._asks):
            if any(end_s < self._retry_s.get(need, 0) for need in ask.needs):
                continue
            read_s = min(self._rings[need].read_s for need in ask.needs)
            again = max(self._late[need] for need in ask.needs)
            if place % limits.JUDGED_READ_AGAIN_TICKS_MAX == self._turn % limits.JUDGED_READ_AGAIN_TICKS_MAX:
                again = max(again, limits.JUDGED_READ_AGAIN_TICKS_MAX)
            columns = max(self._rings[need].columns for need in ask.needs)
            ticks = min((end_s - min(read_s, end_s)) // TICK_S + again, columns)
            if not all(self._known(need) for need in ask.needs) or ticks > _CHUNK_TICKS:
                behind.append((name, ask))
            else:
                # Questions over one time are answered together: what is nearly as long is made as long.
                fresh.append((name, ask, max(0, end_s + ticks // -_ALIKE_TICKS * _ALIKE_TICKS * TICK_S)))
        return fresh, behind

    def _known(self, need: Need) -> bool:
        ring = self._rings[need]
        return ring.read_s > ring.end_s - ring.columns * TICK_S

    async def _ask(self, queries: Sequence[Query]) -> list[Framed]:
        self.statements_asked += len(queries)
        return await self._measures.frames(queries) if queries else []

    def _take(self, ask: Ask, answer: Framed, end_s: int) -> bool:
        if isinstance(answer, BotwatchError):
            for need in ask.needs:
                self._fail(need, answer, end_s)
            return False
        for need in ask.needs:
            if isinstance(answer, Frame):
                self._rings[need].put(answer, ask.of(need, answer.groups))
            self._rings[need].read_s = max(self._rings[need].read_s, end_s)
            self._trouble.pop(need, None)
            self._retry_s.pop(need, None)
        return True

    def _fail(self, need: Need, error: BotwatchError, end_s: int) -> None:
        self._trouble[need] = CannotJudge(error.message, hint=error.hint)
        self._retry_s[need] = end_s + limits.JUDGE_RETRY_S

    async def _catch_up(self, name: str, ask: Ask, end_s: int) -> None:
        """Read a whole ring, in pieces that become smaller where they hold too much."""
        first = [self._rings[need] for need in ask.needs]
        start_s = max(min(ring.read_s for ring in first), end_s - max(ring.columns for ring in first) * TICK_S)
        if not await self._hear(name, ask, start_s, end_s):
            return
        ticks = _CHUNK_TICKS
        while start_s < end_s:
            stop_s = min(end_s, start_s + ticks * TICK_S)
            answer = (await self._ask([ask.query(name, start_s, stop_s, TICK_S)]))[0]
            if isinstance(answer, BadRequest) and ticks > _CHUNK_TICKS_MIN:
                ticks = max(_CHUNK_TICKS_MIN, ticks // 4)
            elif not self._take(ask, answer, stop_s):
                if isinstance(answer, StoreAway):
                    await self._alive()
                return
            else:
                start_s = stop_s

    async def _hear(self, name: str, ask: Ask, start_s: int, end_s: int) -> bool:
        """Who was there within the day before: by the hour, as it is judged."""
        from_s = (start_s - limits.SUBJECT_EXPECTED_S) // HOUR_S * HOUR_S - HOUR_S
        answer = (await self._ask([ask.query(name, max(0, from_s), start_s, HOUR_S)]))[0]
        if isinstance(answer, BotwatchError):
            for need in ask.needs:
                self._fail(need, answer, end_s)
            if isinstance(answer, StoreAway):
                await self._alive()
            return False
        if isinstance(answer, Frame):
            for need in ask.needs:
                self._heard(need, ask.of(need, answer.groups), answer.window.grid.starts)
        return True

    def _heard(
        self, need: Need, groups: Iterable[tuple[tuple[str, ...], Sequence[float | None]]], starts: Sequence[int]
    ) -> None:
        measure = measure_of(need)
        nothing = (None, 0) if measure is not None and measure.empty is Empty.ZERO else (None,)
        for subject, values in groups:
            told = [start for start, value in zip(starts, values, strict=True) if value not in nothing]
            if told:
                self._rings[need].heard(subject, told[-1])
