"""What a rule of kind baseline asks for: its options, and what follows from its measure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from botwatch.detect.rule import Rule
from botwatch.detect.scatter import How, Of
from botwatch.errors import BadRequest, CannotJudge
from botwatch.measure import catalogue
from botwatch.measure.model import Counted, Direction, Empty, Measure, Unit
from botwatch.measure.query import METRIC
from botwatch.measure.sources import TURNS

_LATE: Final = 3  # ticks: what comes is often batched at its sender
_LATE_TURNS: Final = 12  # a turn is dated when it was asked, and known when it is answered


class Side(StrEnum):
    LOW = "low"
    HIGH = "high"
    BOTH = "both"


class Sensitivity(StrEnum):
    """How seldom it may be wrong by chance."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def sure(self) -> float:
        """In standard deviations, where one length of time is judged."""
        return _SURE[self]

    @property
    def often(self) -> float:
        """In a month, of all subjects of a rule together, where all lengths of time are."""
        return _OFTEN[self]


_SURE: Final = {Sensitivity.LOW: 5.8, Sensitivity.MEDIUM: 4.8, Sensitivity.HIGH: 3.6}
_OFTEN: Final = {Sensitivity.LOW: 0.05, Sensitivity.MEDIUM: 0.6, Sensitivity.HIGH: 6.0}


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

    @property
    def counts(self) -> bool:
        return self.how.of is Of.COUNT


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
