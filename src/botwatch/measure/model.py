"""What a measure is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from botwatch.measure.sources import Source


class Unit(StrEnum):
    """What the number counts. A metric asked for by its name has the unit its sender gave it."""

    COUNT = "count"
    PERCENT = "percent"
    MS = "ms"
    SECONDS = "seconds"
    PER_SECOND = "per_second"
    BYTES = "bytes"
    KIB = "kib"
    TOKENS = "tokens"
    USD = "usd"
    SCORE = "score"  # -1 … 1


class Direction(StrEnum):
    """Which side is bad."""

    HIGH = "high"
    LOW = "low"
    NEITHER = "neither"


class Empty(StrEnum):
    """What a bucket without rows means."""

    NULL = "null"  # nothing is known
    SEEN = "zero where the bot was seen"  # and nothing is known where it was not
    COUNTED = "zero as far as sessions have been counted"
    ZERO = "zero"


class Fold(StrEnum):
    """How the values of several groups become one."""

    SUM = "sum"
    MEAN = "mean"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Below `warning` is normal, beyond `critical` is critical, between them and at either is a warning.

    Where low is bad it is the other way round.
    """

    warning: float
    critical: float


@dataclass(frozen=True, slots=True)
class Counted:
    """Computed by the engine from the rows of one source.

    `value` is SQL over merged states, in which `f[x]` is the aggregate `f` over the column `x` of the rows for
    which `only` holds, and `f[x | condition]` that of those among them for which the condition holds.
    """

    source: Source
    value: str
    only: str = ""


@dataclass(frozen=True, slots=True)
class Preferred:
    """The first of `parts` that has data, decided for each group of `apart`; then folded to what was asked."""

    parts: tuple[str, ...]
    apart: tuple[str, ...]
    fold: Fold


@dataclass(frozen=True, slots=True)
class Priced:
    """Calls and tokens of each model times its list price, then summed."""

    calls: str
    tokens_in: str
    tokens_out: str
    apart: tuple[str, ...] = ("model", "provider")


How = Counted | Preferred | Priced


@dataclass(frozen=True, slots=True)
class Measure:
    """One entry of the catalogue.

    `thresholds` are those of the default rules, `colours` those of a resource's bar where they differ. `remedy` is
    what to do about a bad value, in a few words. A measure that is not `public` is a part of another and is not asked
    for by name.
    """

    name: str
    unit: str
    help: str
    how: How
    empty: Empty = Empty.NULL
    aliases: tuple[str, ...] = ()
    direction: Direction = Direction.NEITHER
    thresholds: Thresholds | None = None
    colours: Thresholds | None = None
    remedy: str = ""
    public: bool = True


@dataclass(frozen=True, slots=True)
class Description:
    """A measure as people see it."""

    name: str
    unit: str
    help: str
    labels: tuple[str, ...]
    aliases: tuple[str, ...]
    direction: Direction
    thresholds: Thresholds | None
    colours: Thresholds | None
    empty: Empty
    aggregations: tuple[str, ...]
    remedy: str


Labels = Mapping[str, str]
