"""A measure against what is usual for it: at this hour of the week, at the level of the last hours.

What is counted is looked at over five minutes to three hours at once, so that a busy bot is judged within minutes and
a quiet one only when enough was to be expected; a night without messages is no silence. With `beside` each value of
the last label is judged against the others of its bot: when all of them fall together it is a holiday, or another
rule's matter. A share is judged by how many are bad of how many came, a mean by how far it is from the usual one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from botwatch.detect import band
from botwatch.detect.finding import Call, Calls, Flags, Floats, Subject, Verdicts
from botwatch.detect.normal import How, Normal, Of, groups_of, learn, others
from botwatch.detect.rule import TICK_S, Rule
from botwatch.detect.ticks import HOUR_S, Need, Ticks
from botwatch.detect.view import View, hold_ticks
from botwatch.detect.windows import rolling_all, ticks_of
from botwatch.errors import BadRequest, CannotJudge
from botwatch.measure import catalogue
from botwatch.measure.model import Counted, Direction, Empty, Measure, Unit
from botwatch.measure.query import DAY_S, METRIC
from botwatch.measure.sources import TURNS

WIDTHS: Final = tuple(seconds // TICK_S for seconds in (300, 900, 1_800, 3_600, 10_800))
_WIDEST: Final = WIDTHS[-1]
# There are twelve times as many chances to be wrong in five minutes as in an hour: each must be so much surer.
_OFTEN: Final = dict(zip(WIDTHS, (0.5, 0.3, 0.15, 0.0, -0.25), strict=True))
_HOUR_TICKS: Final = HOUR_S // TICK_S
_LATE: Final = 3  # ticks: what comes is often batched at its sender
_LATE_TURNS: Final = 12  # a turn is dated when it was asked, and known when it is answered
_TELLS: Final = 2.0  # a window in which the least change is so many deviations says whether it is over
_AGREES: Final = 0.6  # of how sure a long window must be, must the one that tells whether it is over be
_ALIKE: Final = 0.15  # so far may the others be from usual and still be as usual
_BESIDE: Final = 0.5  # of how sure it must be alone, must it then be beside them
_CELLS: Final = 400_000  # worked on at once


class Side(StrEnum):
    LOW = "low"
    HIGH = "high"
    BOTH = "both"


class Sensitivity(StrEnum):
    """How surprising it must be, in standard deviations."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def sure(self) -> float:
        return _SURE[self]


_SURE: Final = {Sensitivity.LOW: 5.8, Sensitivity.MEDIUM: 4.8, Sensitivity.HIGH: 3.6}


class Options(BaseModel):
    """Of a rule of kind baseline. `change` is the least share by which it must differ."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: Side | None = None  # where it is bad: as the measure says, else both
    sensitivity: Sensitivity = Sensitivity.MEDIUM
    change: Annotated[float, Field(gt=0, lt=1)] = 0.2
    expected_min: Annotated[float, Field(ge=1, le=1_000_000)] = 10.0
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rule of this kind comes to."""

    options: Options
    how: How
    side: Side
    late: int

    @property
    def low(self) -> bool:
        return self.side is not Side.HIGH

    @property
    def high(self) -> bool:
        return self.side is not Side.LOW


def options_of(rule: Rule) -> Options:
    try:
        return Options.model_validate(rule.options)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        place = ".".join(("options", *map(str, found["loc"])))
        names = ", ".join(Options.model_fields)
        raise CannotJudge(f"{place}: {found['msg']}", hint=f"options are {names}") from None


def plan_of(rule: Rule) -> Plan:
    """Raises `CannotJudge` where the options do not fit."""
    options, measure = options_of(rule), _measure(rule.field)
    counts = measure is not None and measure.empty in (Empty.SEEN, Empty.ZERO)
    share = measure is not None and measure.unit == Unit.PERCENT and bool(rule.guard)
    of = Of.COUNT if counts else Of.SHARE if share else Of.MEAN
    if options.beside and (of is not Of.COUNT or not rule.labels):
        raise CannotJudge("options.beside: only what is counted, by a label, can be judged beside others")
    worse = measure.direction if measure else Direction.NEITHER
    by_itself = {Direction.LOW: Side.LOW, Direction.HIGH: Side.HIGH}.get(worse, Side.BOTH)
    side = options.side or by_itself
    turns = measure is not None and isinstance(measure.how, Counted) and measure.how.source == TURNS
    how = How(of, options.change, options.beside, bad=side is not Side.LOW)
    if of is Of.SHARE:
        side = Side.HIGH  # of what is bad
    return Plan(options, how, side, _LATE_TURNS if turns else _LATE)


@lru_cache(maxsize=1_024)
def _measure(name: str) -> Measure | None:
    if name.startswith(METRIC):
        return None
    try:
        return catalogue.find(name)
    except BadRequest as error:
        raise CannotJudge(error.message, hint=error.hint) from None


@dataclass(frozen=True, slots=True)
class Band:
    """What was judged beside what: of the window of `span` ticks, for every subject and judged tick. Of a count
    `usual` is how many, of a share how many bad ones of `of`, of a mean the mean of `of` things."""

    came: Floats
    usual: Floats
    of: Floats
    span: NDArray[np.int32]


class Baseline:
    def needs(self, rule: Rule) -> tuple[Need, ...]:
        return tuple(Need(name, rule.labels, rule.where) for name in (rule.field, rule.guard) if name)

    def reach(self, rule: Rule) -> int:
        plan = plan_of(rule)
        return plan.late + hold_ticks(rule) + (_WIDEST if plan.how.of is Of.COUNT else ticks_of(rule.timeframe))

    def judge(self, rule: Rule, view: View, columns: int) -> Verdicts:
        plan, asked = plan_of(rule), columns + hold_ticks(rule)
        series = _Series.of(rule, plan, view, asked)
        rows = len(series.subjects)
        breached, over, usable = (np.zeros((rows, asked), dtype=np.bool_) for _ in range(3))
        found, expected = np.full((rows, asked), np.nan), np.full((rows, asked), np.nan)
        span = np.zeros((rows, asked), dtype=np.int32)
        for first, last, normal in series.days(asked):
            piece = np.s_[:, first:last]
            judged = _Piece(rule, plan, series, normal, first, last)
            breached[piece], over[piece], usable[piece], told = judged.verdict()
            found[piece], expected[piece], span[piece] = told.came, told.usual, told.span
        held = rolling_all(breached, hold_ticks(rule) + 1)
        calls: Calls = np.where(held, Call.OPENS, np.where(over | ~usable, Call.ENDS, Call.STAYS)).astype(np.int8)
        cut = np.s_[:, -columns:]
        none = np.zeros((rows, columns), dtype=np.bool_)
        return Verdicts(
            rule.labels, series.subjects, calls[cut], found[cut], none, ~usable[cut], expected[cut], span[cut]
        )


@dataclass(frozen=True, slots=True)
class _Series:
    """The ticks of the measure and of its guard for all subjects, added up so that any window is one difference."""

    subjects: tuple[Subject, ...]
    groups: NDArray[np.int64] | None
    sums: Floats
    sizes: Floats
    missed: Floats
    end_s: int
    plan: Plan
    view: View
    needs: tuple[Need, ...]

    @classmethod
    def of(cls, rule: Rule, plan: Plan, view: View, asked: int) -> _Series:
        width = _WIDEST if plan.how.of is Of.COUNT else ticks_of(rule.timeframe)
        needs = Baseline().needs(rule)
        ticks = view.ticks(needs[0])
        past = view.past(needs[0])
        subjects = tuple(sorted({*past.subjects, *ticks.subjects}))
        columns = asked + plan.late + width
        values = _placed(ticks, subjects, columns)
        size = (~np.isnan(values)).astype(np.float64)
        if len(needs) > 1:
            size = np.nan_to_num(_placed(view.ticks(needs[1]), subjects, columns))
            size = np.where(np.isnan(values), 0.0, size)
        weighed = np.nan_to_num(values) * (1.0 if plan.how.of is Of.COUNT else size)
        missed = np.ones(columns)
        missed[columns - len(ticks.missed[-columns:]) :] = ticks.missed[-columns:]
        groups = groups_of(subjects) if plan.how.beside else None
        return cls(
            subjects, groups, _summed(weighed), _summed(size), _summed(missed[None]), ticks.end_s, plan, view, needs
        )

    def days(self, asked: int) -> Iterator[tuple[int, int, Normal]]:
        """From column to column within one day, with what is normal on it."""
        most = max(_HOUR_TICKS, _CELLS // max(1, len(self.subjects)))
        first_s = self.end_s - (asked - 1) * TICK_S
        past, guard = self.view.past(self.needs[0]), None
        if len(self.needs) > 1:
            guard = self.view.past(self.needs[1])
        first = 0
        while first < asked:
            day_s = (first_s + first * TICK_S - 1) // DAY_S * DAY_S
            last = min(asked, first + most, (day_s + DAY_S - first_s) // TICK_S + 1)
            yield first, last, learn(past, guard, self.subjects, day_s, self.plan.how)
            first = last

    def window(self, sums: Floats, first: int, last: int, width: int) -> Floats:
        """What came in so many ticks, for these judged ticks."""
        end = sums.shape[1] - 1 - self.plan.late
        asked = end - (_WIDEST if self.plan.how.of is Of.COUNT else width)
        high = np.s_[end - asked + first + 1 : end - asked + last + 1]
        return sums[:, high] - sums[:, high.start - width : high.stop - width]


def _summed(values: Floats) -> Floats:
    return np.concatenate((np.zeros((len(values), 1)), np.cumsum(values, axis=1)), axis=1)


def _placed(ticks: Ticks, subjects: tuple[Subject, ...], columns: int) -> Floats:
    """In the order of the subjects; what is not held in front has no value."""
    found = np.full((len(subjects), columns), np.nan)
    place = {subject: row for row, subject in enumerate(subjects)}
    rows = [(place[subject], row) for row, subject in enumerate(ticks.subjects) if subject in place]
    if rows:
        told = ticks.values[[row for _, row in rows], -columns:]
        found[[at for at, _ in rows], columns - told.shape[1] :] = told
    return found


class _Piece:
    """Some judged ticks of one day."""

    def __init__(self, rule: Rule, plan: Plan, series: _Series, normal: Normal, first: int, last: int) -> None:
        self._rule = rule
        self._plan = plan
        self._series = series
        self._normal = normal
        self._first, self._last = first, last
        asked = (
            series.sums.shape[1] - 1 - plan.late - (_WIDEST if plan.how.of is Of.COUNT else ticks_of(rule.timeframe))
        )
        ends = series.end_s - (asked - 1 - np.arange(first, last, dtype=np.int64)) * TICK_S
        self._ends = ends - plan.late * TICK_S
        self._level = normal.level_at(ends)

    def verdict(self) -> tuple[Flags, Flags, Flags, Band]:
        usable = self._normal.judged & (np.nan_to_num(self._normal.usual).sum(axis=1) > 0)
        judged = {Of.COUNT: self._counts, Of.SHARE: self._shares, Of.MEAN: self._means}[self._plan.how.of]
        breached, over, told = judged()
        wide = np.broadcast_to(usable[:, None], breached.shape)
        return breached & wide, over, wide, told

    def expected(self, width: int) -> Floats:
        """Of a count how many, of anything else the mean, in the window of so many ticks that ends with each tick."""
        usual = self._level * self._normal.between(self._ends - width * TICK_S, self._ends)
        return usual * (width / _HOUR_TICKS) if self._plan.how.of is Of.COUNT else usual

    def window(self, sums: Floats, width: int) -> Floats:
        return self._series.window(sums, self._first, self._last, width)

    def _counts(self) -> tuple[Flags, Flags, Band]:
        plan, shape = self._plan, self._level.shape
        change = plan.options.change
        breached, over, settled, wrong = (np.zeros(shape, dtype=np.bool_) for _ in range(4))
        told = _nothing(shape)
        shown = _nothing(shape)
        for width in WIDTHS:
            sure = plan.options.sensitivity.sure + _OFTEN[width]
            came, usual = self.window(self._series.sums, width), self.expected(width)
            noise, swing = self._normal.noise[:, None], self._normal.swing[:, None]
            fewer, more, unsure, ratio = usual, usual, swing, usual
            if self._series.groups is not None:
                there = others(usual, self._series.groups)
                ratio = (others(came, self._series.groups) + 1) / (there + 1)
                fewer, more = usual * np.minimum(1.0, ratio), usual * np.maximum(1.0, ratio)
                unsure = swing + noise / np.maximum(there, 1e-3)  # of few others little can be said
            known = (self.window(self._series.missed, width) == 0) & (fewer >= plan.options.expected_min)
            low = known & plan.low & _lower(came, fewer, change)
            high = known & plan.high & _lower(more, came, change)
            for flags, compared in ((low, fewer), (high, more)):
                _only_surprising(flags, came, usual, noise, swing, sure)
                if self._series.groups is not None:
                    # Where the others are as usual they only have to agree; where they are not, they are the measure.
                    needed = np.where(np.abs(ratio - 1) < _ALIKE, sure * _BESIDE, sure)
                    _only_surprising(flags, came, compared, noise, unsure, needed)
            usual = np.where(high, more, fewer)
            # What a long window still shows may be over: then a shorter one does not agree.
            fresh = (low | high) & ~breached & (~settled | wrong)
            _put(told, fresh, came, usual, width)
            breached |= fresh
            # Whether it is over is told by the narrowest window in which such a change would show.
            tells = known & ~settled & ((change**2 * fewer >= _TELLS**2 * noise) | (width == _WIDEST))
            well = (came >= (1 - change / 2) * fewer) | (not plan.low)
            well &= (came * (1 - change / 2) <= more) | (not plan.high)
            over |= tells & well & ~breached
            for flags, compared in (
                (tells & plan.low & _lower(came, fewer, change), fewer),
                (tells & plan.high & _lower(more, came, change), more),
            ):
                _only_surprising(flags, came, compared, noise, unsure, sure * _AGREES)
                wrong |= flags
            _put(shown, tells, came, usual, width)
            settled |= tells
        _keep(shown, told, breached)
        return breached, over, _as_over(shown, ticks_of(self._rule.timeframe))

    def _shares(self) -> tuple[Flags, Flags, Band]:
        width, options = ticks_of(self._rule.timeframe), self._plan.options
        of, rate = self.window(self._series.sizes, width), self.window(self._series.sums, width) / 100
        bad = rate if self._plan.how.bad else of - rate
        usual = of * np.minimum(1.0, self.expected(width))
        noise, swing = self._normal.noise[:, None], self._normal.swing[:, None]
        known = (of >= max(1.0, self._rule.guard_min)) & (usual > 0)
        breached = known & (bad >= options.expected_min) & (bad * (1 - options.change) > usual)
        _only_surprising(breached, bad, usual, noise, swing, options.sensitivity.sure)
        over = known & (band.surprise(bad, np.maximum(usual, 1e-9), noise, swing) < 1)
        good = self._plan.how.bad
        whole = np.where(known, of, np.nan)
        found, expected = (100 * part / whole if good else 100 - 100 * part / whole for part in (bad, usual))
        return breached, over, Band(found, expected, of, np.full(of.shape, width, dtype=np.int32))

    def _means(self) -> tuple[Flags, Flags, Band]:
        width, options = ticks_of(self._rule.timeframe), self._plan.options
        of = self.window(self._series.sizes, width)
        usual = self.expected(width)
        known = (of >= max(1.0, self._rule.guard_min)) & (usual > 0)
        found = self.window(self._series.sums, width) / np.where(known, of, np.nan)
        noise, swing = self._normal.noise[:, None], self._normal.swing[:, None]
        with np.errstate(invalid="ignore"):
            strange = band.strangeness(found, usual, of, noise, swing)
            low = (found < (1 - options.change) * usual) & (strange < -options.sensitivity.sure)
            high = (found * (1 - options.change) > usual) & (strange > options.sensitivity.sure)
            well = (found >= (1 - options.change / 2) * usual) | (not self._plan.low)
            well &= (found * (1 - options.change / 2) <= usual) | (not self._plan.high)
        breached = known & ((low & self._plan.low) | (high & self._plan.high))
        return breached, known & well, Band(found, usual, of, np.full(of.shape, width, dtype=np.int32))


def _lower(less: Floats, than: Floats, change: float) -> Flags:
    return np.asarray(less < (1 - change) * than, dtype=np.bool_)


def _nothing(shape: tuple[int, ...]) -> Band:
    came, usual, of = (np.full(shape, np.nan) for _ in range(3))
    return Band(came, usual, of, np.zeros(shape, dtype=np.int32))


def _put(told: Band, where: Flags, came: Floats, usual: Floats, width: int) -> None:
    np.copyto(told.came, came, where=where)
    np.copyto(told.usual, usual, where=where)
    told.span[where] = width


def _keep(shown: Band, told: Band, where: Flags) -> None:
    """What is wrong is shown by the window that says so."""
    for name in ("came", "usual", "span"):
        np.copyto(getattr(shown, name), getattr(told, name), where=where)


def _as_over(shown: Band, width: int) -> Band:
    """Counts of windows of all lengths, as they would be over one length."""
    scale = width / np.maximum(shown.span, 1)
    return Band(shown.came * scale, shown.usual * scale, shown.of, shown.span)


def _only_surprising(
    flags: Flags, came: Floats, usual: Floats, noise: Floats, swing: Floats, sure: Floats | float
) -> None:
    """Most numbers are where they should be: the others are looked at more closely."""
    at = np.nonzero(flags)
    if not len(at[0]):
        return
    wide_noise, wide_swing = (np.broadcast_to(values, flags.shape)[at] for values in (noise, swing))
    found = np.broadcast_to(came, flags.shape)[at]
    needed = np.broadcast_to(np.asarray(sure), flags.shape)[at]
    flags[at] = np.abs(band.surprise(found, usual[at], wide_noise, wide_swing)) >= needed
