"""Where rows come from: the ticks of one kind, and what every source has to offer.

A source makes a subquery. What it answers has the columns a measure's SQL is written in, one column for
each label that is wanted, and a moment. Whatever came from outside stands in it as a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, Protocol

from botwatch.measure.done import Talking
from botwatch.measure.query import TICK_S, Condition, Op, like
from botwatch.measure.window import Segment, Window


@dataclass(slots=True)
class Binder:
    """Collects parameters; answers how each is written in the statement."""

    values: dict[str, Any] = field(default_factory=dict)

    def __call__(self, value: Any, kind: str = "String") -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"

    def moment(self, at_s: int) -> str:
        return f"toDateTime({at_s:d}, 'UTC')"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a statement needs of its source. `narrow` is SQL that may leave out rows no measure counts."""

    window: Window
    where: tuple[Condition, ...]
    labels: tuple[str, ...]
    narrow: str
    talking: Talking = field(default_factory=Talking)


class Source(Protocol):
    """`labels` are those it knows; one that is `open` has any other label too, if its rows carry it."""

    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def joined(self) -> tuple[str, ...]:
        """Labels that are looked up elsewhere: the rows have a column for them only where it is wanted."""
        ...

    @property
    def open(self) -> bool: ...
    @property
    def grain_s(self) -> int: ...
    @property
    def moment(self) -> str:
        """SQL for the second a row belongs to."""
        ...

    def column(self, label: str, labels: Sequence[str]) -> str:
        """The column of the rows that holds a label, one of `labels`, which are all that are wanted."""
        ...

    def rows(self, wanted: Wanted, bind: Binder) -> str: ...


def holds(expression: str, condition: Condition, bind: Binder) -> str:
    """SQL for a condition on a text."""
    if condition.op is Op.LIKE:
        patterns = " OR ".join(f"{expression} LIKE {bind(like(value))}" for value in condition.values)
        return f"({patterns})"
    if len(condition.values) == 1:
        return f"{expression} {condition.op} {bind(condition.values[0])}"
    return f"{expression} {'IN' if condition.op is Op.IS else 'NOT IN'} {bind(list(condition.values), 'Array(String)')}"


def union(segments: Sequence[Segment], columns: str, conditions: Sequence[str]) -> str:
    """The rows of several tick tables, each within its own time.

    To plan a question costs more than to answer it from the rollup: a table that is read in two places is opened
    once, and which conditions are looked at first is said here, so that the engine need not find out.
    """
    together: dict[str, list[Segment]] = {}
    for segment in segments:
        together.setdefault(segment.table, []).append(segment)
    return " UNION ALL ".join(
        f"SELECT {columns} FROM {table} PREWHERE {' AND '.join((*conditions, *_during(pieces)))}"
        for table, pieces in together.items()
    )


def _during(pieces: Sequence[Segment]) -> Iterator[str]:
    """Within the pieces, which follow each other in time."""
    yield f"tick >= {pieces[0].start_s:d} AND tick < {pieces[-1].end_s:d}"
    yield from (f"(tick < {one.end_s:d} OR tick >= {other.start_s:d})" for one, other in pairwise(pieces))


class Ticked:
    """What sources over the tick tables have in common."""

    grain_s: ClassVar[int] = TICK_S
    moment: ClassVar[str] = "toUnixTimestamp(tick)"


@dataclass(frozen=True, slots=True)
class Ticks(Ticked):
    """The rollup rows of one kind of fact. `names` says which column each label stands in."""

    kind: str
    names: tuple[tuple[str, str], ...]
    open: ClassVar[bool] = False
    joined: ClassVar[tuple[str, ...]] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(label for label, _ in self.names)

    def column(self, label: str, labels: Sequence[str]) -> str:
        return dict(self.names)[label]

    def rows(self, wanted: Wanted, bind: Binder) -> str:
        columns = dict(self.names)
        conditions = [f"kind = '{self.kind}'"]
        conditions += [holds(columns[c.label], c, bind) for c in wanted.where]
        conditions += [wanted.narrow] if wanted.narrow else []
        return union(wanted.window.segments(), "*", conditions)


@dataclass(frozen=True, slots=True)
class Seen(Ticked):
    """Any sign of life of a bot: rows of every kind. What is told of machines and services has no bot."""

    labels: ClassVar[tuple[str, ...]] = ("bot", "host")
    open: ClassVar[bool] = False
    joined: ClassVar[tuple[str, ...]] = ()

    def column(self, label: str, labels: Sequence[str]) -> str:
        return label

    def rows(self, wanted: Wanted, bind: Binder) -> str:
        conditions = ["bot != ''", *(holds(c.label, c, bind) for c in wanted.where)]
        return union(wanted.window.segments(), "tick, bot, host, count", conditions)


def ticks(kind: str, **names: str) -> Ticks:
    """A kind of the rollup: `ticks("action", action="name")`. All rows have a bot, and most a host."""
    return Ticks(kind, (("bot", "bot"), ("host", "host"), *names.items()))


def without(source: Ticks, label: str) -> Ticks:
    return Ticks(source.kind, tuple(pair for pair in source.names if pair[0] != label))


ACTIONS = ticks("action", action="name")
REQUESTS = ticks("request", route="name")
DEPENDENCIES = ticks("dependency", dependency="name")
MODELS = ticks("model", model="name", provider="detail")
LOGS = ticks("log", event="name", level="detail")
MESSAGES = ticks("message", channel="channel", author="name", direction="detail")
TURNS = ticks("turn", channel="channel", author="name", outcome="detail")
CONTRACTS = without(ticks("contract", channel="channel", contract="name", outcome="detail"), "host")
PAYLOADS = without(ticks("payload", source="name"), "host")
SEEN = Seen()

# Where the values of a label are listed: the label of the table `names`.
NAMED: Mapping[str, str] = {
    "bot": "bot",
    "host": "host",
    "channel": "channel",
    "action": "action",
    "route": "request",
    "dependency": "dependency",
    "model": "model",
    "event": "log",
    "author": "message",
    "source": "payload",
    "contract": "contract",
}
