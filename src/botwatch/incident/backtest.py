"""What a rule would have done over stored history: the same judgement and the same state machine as the loop's.

The ticks that were read stay for a while, so that a threshold can be dragged and every step of it answered at once.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.detect import judge
from botwatch.detect.finding import NEVER_S, Floats, Reason, Subject
from botwatch.detect.past import Past, Pasts
from botwatch.detect.presence import MACHINES, PRESENCE
from botwatch.detect.rule import TICK_S, Kind, Rule
from botwatch.detect.ticks import HOUR_S, Need, Ticks
from botwatch.detect.view import Series, hold_ticks
from botwatch.errors import BadRequest, BotwatchError, CannotJudge
from botwatch.incident.asking import counts, measure_of, storable
from botwatch.incident.desk import Frames
from botwatch.incident.gaps import Gap, missed, without_rewound
from botwatch.incident.judging import Round, quiet_reach
from botwatch.incident.memory import Memory
from botwatch.incident.nouns import Opening, Resolving
from botwatch.incident.pasts import pasts_of
from botwatch.incident.ring import Spread
from botwatch.measure.frames import Frame
from botwatch.measure.model import Empty
from botwatch.measure.query import Query

_FRESH_S: Final = 30.0  # the newest ticks still change
_SETTLED_S: Final = 900
_TOGETHER: Final = 2  # questions at once: the loop and the pages need the store too
_CHUNK_CELLS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Would:
    """One incident that would have been. Times are seconds since 1970; `resolved_s` None: it would still be open."""

    labels: Mapping[str, str]
    opened_s: int
    resolved_s: int | None
    reason: Reason
    value: float | None
    peak: float | None

    def lasted_s(self, end_s: int) -> int:
        return (end_s if self.resolved_s is None else self.resolved_s) - self.opened_s


@dataclass(frozen=True, slots=True)
class Backtest:
    start_s: int
    end_s: int
    subjects: int
    incidents: tuple[Would, ...]
    notes: tuple[str, ...]

    @property
    def open_s(self) -> int:
        return sum(one.lasted_s(self.end_s) for one in self.incidents)

    @property
    def a_day(self) -> float:
        return len(self.incidents) * 86_400 / (self.end_s - self.start_s)


@dataclass(frozen=True, slots=True)
class _Block:
    """The ticks of one hour, or part of it, as they were read."""

    subjects: tuple[Subject, ...]
    values: Floats
    read_s: float
    coarse: bool


class Backtester:
    """`run` may raise `CannotJudge`, `BadRequest` and `StoreError`."""

    def __init__(self, measures: Frames, clock: Clock, zone: str = "UTC") -> None:
        self._measures = measures
        self._zone = zone
        self._clock = clock
        self._blocks: OrderedDict[tuple[Need, int, int], _Block] = OrderedDict()
        self._heard: OrderedDict[tuple[Need, int], dict[Subject, int]] = OrderedDict()
        self._cells = 0
        self._turns = asyncio.Semaphore(limits.BACKTESTS_MAX)

    async def run(
        self, rule: Rule, others: Mapping[str, Rule], start_s: int, end_s: int, gaps: Sequence[Gap] = ()
    ) -> Backtest:
        """From tick to tick; `others` are the rules a composite may name."""
        start_s, end_s = start_s // TICK_S * TICK_S, end_s // TICK_S * TICK_S
        if not 0 < (end_s - start_s) // TICK_S <= limits.BACKTEST_TICKS_MAX:
            days = limits.BACKTEST_TICKS_MAX * TICK_S // 86_400
            raise BadRequest(f"period: expected 10 seconds to {days} days, found {end_s - start_s} s")
        rules = {**others, rule.name: rule}
        needs = judge.needs(rule, rules)
        if reach := quiet_reach(rule):
            needs |= {need: max(reach, needs.get(need, 0)) for need in (PRESENCE, MACHINES)}
        async with self._turns:
            ticks: dict[Need, Ticks] = {}
            notes: list[str] = []
            for need, before in needs.items():
                read = await self._ticks(need, start_s - before * TICK_S, end_s, gaps, notes)
                ticks[need] = read
            before_s = start_s - hold_ticks(rule) * TICK_S + 1
            past = _past(await pasts_of(self._measures, judge.pasts(rule, rules), before_s, end_s, gaps, self._zone))
            noted = tuple(dict.fromkeys(notes))
            return await asyncio.to_thread(_judged, rule, rules, (ticks, past), start_s, end_s, noted)

    # --- reading

    async def _ticks(self, need: Need, start_s: int, end_s: int, gaps: Sequence[Gap], notes: list[str]) -> Ticks:
        start_s = max(0, start_s)
        heard = await self._heard_before(need, start_s)
        blocks = await self._read(need, start_s, end_s)
        subjects = tuple(sorted({*heard, *(subject for _, block in blocks for subject in block.subjects)}))
        columns = (end_s - start_s) // TICK_S
        if len(subjects) * columns > limits.BACKTEST_CELLS_MAX:
            raise BadRequest(
                f"{need.measure}: {len(subjects)} subjects over that time are too much at once",
                hint="take a shorter period, fewer labels in by, or narrow it with where",
            )
        place = {subject: row for row, subject in enumerate(subjects)}
        values = np.full((len(subjects), columns), np.nan)
        for at_s, block in blocks:
            low = (at_s - start_s) // TICK_S
            cut = max(0, -low)
            width = min(block.values.shape[1], columns - low)
            rows = [place[subject] for subject in block.subjects]
            values[rows, low + cut : low + width] = block.values[:, cut:width]
        if any(block.coarse for _, block in blocks):
            notes.append("the older part is no longer kept in ticks of 10 seconds: it was judged by longer ones")
        heard_s = np.array([heard.get(subject, NEVER_S) for subject in subjects], dtype=np.int64)
        counted = counts(measure_of(need))
        found = Ticks(need.by, subjects, values, start_s, counted, heard_s, missed(gaps, start_s, end_s))
        return without_rewound(found, gaps)

    async def _read(self, need: Need, start_s: int, end_s: int) -> list[tuple[int, _Block]]:
        wanted = [(at_s, min(at_s + HOUR_S, end_s)) for at_s in range(start_s // HOUR_S * HOUR_S, end_s, HOUR_S)]
        lacking = [place for place in wanted if self._kept(need, *place) is None]
        for start in range(0, len(lacking), _TOGETHER):
            await asyncio.gather(*(self._block(need, *place) for place in lacking[start : start + _TOGETHER]))
        found = [(at_s, self._kept(need, at_s, to_s, however_old=True)) for at_s, to_s in wanted]
        return [(at_s, block) for at_s, block in found if block is not None]

    def _kept(self, need: Need, from_s: int, to_s: int, *, however_old: bool = False) -> _Block | None:
        block = self._blocks.get((need, from_s, to_s))
        if block is None:
            return None
        newest = to_s > self._clock.now_ns() // SECOND_NS - _SETTLED_S
        if newest and not however_old and self._clock.monotonic_s() - block.read_s > _FRESH_S:
            return None
        self._blocks.move_to_end((need, from_s, to_s))
        return block

    async def _block(self, need: Need, from_s: int, to_s: int) -> None:
        frame = await self._frame(need, from_s, to_s, TICK_S)
        ticks = (to_s - from_s) // TICK_S
        subjects: tuple[Subject, ...] = ()
        values, coarse = np.full((0, ticks), np.nan), False
        if frame is not None and frame.groups:
            spread = Spread(frame, from_s, ticks, counts=counts(measure_of(need)))
            subjects = tuple(map(storable, frame.groups))
            values = np.stack([spread(told) for told in frame.groups.values()])
            coarse = (frame.window.grid.step_s or TICK_S) > 6 * TICK_S
            if _zero_is_nothing(need):
                values[values == 0] = np.nan
        self._keep((need, from_s, to_s), _Block(subjects, values, self._clock.monotonic_s(), coarse))

    def _keep(self, key: tuple[Need, int, int], block: _Block) -> None:
        old = self._blocks.pop(key, None)
        self._cells += block.values.size - (old.values.size if old else 0)
        self._blocks[key] = block
        while self._cells > limits.BACKTEST_CELLS_KEPT_MAX and len(self._blocks) > 1:
            _, dropped = self._blocks.popitem(last=False)
            self._cells -= dropped.values.size

    async def _heard_before(self, need: Need, start_s: int) -> dict[Subject, int]:
        """Who had a value within the day before: by the hour, as it is judged."""
        found = self._heard.get((need, start_s))
        if found is None:
            from_s = max(0, (start_s - limits.SUBJECT_EXPECTED_S) // HOUR_S * HOUR_S - HOUR_S)
            frame = await self._frame(need, from_s, start_s, HOUR_S) if from_s < start_s else None
            nothing = (None, 0) if _zero_is_nothing(need) else (None,)
            found = {}
            for subject, values in frame.groups.items() if frame else ():
                starts = frame.window.grid.starts if frame else ()
                told = [start for start, value in zip(starts, values, strict=True) if value not in nothing]
                if told:
                    found[storable(subject)] = told[-1]
            self._heard[need, start_s] = found
            while len(self._heard) > limits.ANSWERS_KEPT_MAX:
                self._heard.popitem(last=False)
        return found

    async def _frame(self, need: Need, from_s: int, to_s: int, step_s: int) -> Frame | None:
        answer = (await self._measures.frames([Query(need.measure, from_s, to_s, step_s, need.by, need.where)]))[0]
        if isinstance(answer, BotwatchError):
            raise answer
        return answer


def _zero_is_nothing(need: Need) -> bool:
    measure = measure_of(need)
    return measure is not None and measure.empty is Empty.ZERO


# --- judging


def _judged(
    rule: Rule,
    rules: Mapping[str, Rule],
    read: tuple[Mapping[Need, Ticks], Pasts],
    start_s: int,
    end_s: int,
    notes: tuple[str, ...],
) -> Backtest:
    ticks, past = read
    columns = (end_s - start_s) // TICK_S
    own = {need: ticks[need] for need in judge.needs(rule, rules)}
    subjects = {subject for read in own.values() for subject in read.subjects}
    would: list[Would] = []
    for part in _parts(rule, ticks, own, columns):
        found = Round(
            _series(part), rules, Memory(), past, end_s=end_s, columns=columns, room=limits.INCIDENTS_OPEN_MAX
        )
        outcome = found.judge([rule.name])
        if outcome.troubles:
            raise CannotJudge(outcome.troubles[rule.name])
        would += _would(outcome.changes)
        if outcome.left_out:
            notes = (*notes, f"more than {limits.INCIDENTS_OPEN_MAX} incidents: the others are not shown")
    would.sort(key=lambda one: (one.opened_s, sorted(one.labels.items())))
    return Backtest(start_s, end_s, len(subjects), tuple(would), notes)


def _parts(
    rule: Rule, ticks: Mapping[Need, Ticks], own: Mapping[Need, Ticks], columns: int
) -> Iterator[Mapping[Need, Ticks]]:
    """Some subjects at a time, so that memory does not grow with them. A composite needs all of them together,
    and a baseline sees them beside each other."""
    subjects = sorted({subject for read in own.values() for subject in read.subjects})
    some = max(1, _CHUNK_CELLS // max(1, columns))
    if rule.kind in (Kind.COMPOSITE, Kind.BASELINE) or len(subjects) <= some:
        yield ticks
        return
    for start in range(0, len(subjects), some):
        chosen = set(subjects[start : start + some])
        yield {need: _only(read, chosen) if need in own else read for need, read in ticks.items()}


def _only(ticks: Ticks, chosen: set[Subject]) -> Ticks:
    rows: NDArray[np.int64] = np.array(
        [row for row, subject in enumerate(ticks.subjects) if subject in chosen], dtype=np.int64
    )
    subjects = tuple(ticks.subjects[row] for row in rows)
    return Ticks(
        ticks.labels, subjects, ticks.values[rows], ticks.first_s, ticks.counts, ticks.heard_s[rows], ticks.missed
    )


def _series(ticks: Mapping[Need, Ticks]) -> Series:
    return lambda need: ticks[need]


def _past(learned: Mapping[Need, Past]) -> Pasts:
    return lambda need: learned[need]


def _would(changes: Iterable[object]) -> Iterator[Would]:
    opened: dict[str, Opening] = {}
    for change in changes:
        if isinstance(change, Opening):
            opened[change.id] = change
        elif isinstance(change, Resolving):
            yield _one(opened.pop(change.id), change)
    for opening in opened.values():
        yield _one(opening, None)


def _one(opening: Opening, ending: Resolving | None) -> Would:
    return Would(
        opening.labels,
        opening.started_ns // SECOND_NS,
        ending.at_ns // SECOND_NS if ending else None,
        opening.reason,
        opening.value,
        ending.peak if ending else opening.value,
    )
