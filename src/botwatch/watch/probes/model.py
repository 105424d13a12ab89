"""What a probe is told, and what it finds. One file of this folder knows one kind of service; `registry` lists them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from pydantic import SecretStr

from botwatch.limits import SERVICE_TEXT_CHARS_MAX, SERVICE_VERSION_CHARS_MAX
from botwatch.watch.asking import Reason, Target, Trouble

_NOTHING: Final = SecretStr("")


class Status(StrEnum):
    """Nothing is `running` that was not asked and did not say so."""

    RUNNING = "running"
    DEGRADED = "degraded"  # it answers, and something is wrong with it
    SEALED = "sealed"  # it answers, and serves nothing until somebody opens it
    STOPPED = "stopped"  # nobody answers, or it says that it cannot serve
    UNKNOWN = "unknown"  # something answers that we cannot judge, or nothing was asked yet


# How well it serves as a number, for measures and rules. What is unknown has none.
LEVEL: Final[Mapping[Status, int]] = {Status.STOPPED: 0, Status.SEALED: 1, Status.DEGRADED: 2, Status.RUNNING: 3}
UP: Final[Mapping[Status, int]] = {Status.STOPPED: 0, Status.SEALED: 0, Status.DEGRADED: 1, Status.RUNNING: 1}

_STATUS_OF: Final = {
    Reason.REFUSED: Status.STOPPED,
    Reason.UNREACHABLE: Status.STOPPED,
    Reason.TIMEOUT: Status.STOPPED,
    Reason.CLOSED: Status.STOPPED,
}


@dataclass(frozen=True, slots=True)
class Service:
    """What to ask, how, and how often. Its text never holds a secret.

    `source` is where it is configured: file, environment or api. Of the last `of` answers `fails` must be bad before a
    service that ran is told not to, and the last `fails` good before it is told to run again.
    """

    name: str
    kind: str
    target: Target = field(repr=False)
    source: str
    interval_s: float
    timeout_s: float
    fails: int
    of: int
    token: SecretStr = field(default=_NOTHING, repr=False)
    ca_file: str = ""
    expect_status: tuple[int, ...] = ()
    expect_text: str = ""
    expect_json: tuple[str, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    certificate_days: int = 14
    region: str = ""
    complete: str = ""

    @property
    def address(self) -> str:
        """Fit to be shown: paths and queries of an address may be secrets too."""
        port = f":{self.target.port}" if self.target.port else ""
        host = f"[{self.target.host}]" if ":" in self.target.host else self.target.host
        return f"{self.target.scheme}://{host}{port}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure; it becomes the metric `service.<kind>.<name>`."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer. `headline` is its key figure for people, `latency_s` how long the first question took where that is
    not all of it, `saturation` the share in use of what it has a bound for."""

    status: Status
    reason: str = ""
    version: str = ""
    headline: str = ""
    figures: tuple[Figure, ...] = ()
    latency_s: float | None = None
    saturation: float | None = None

    @classmethod
    def of(cls, trouble: Trouble) -> Finding:
        return cls(_STATUS_OF.get(trouble.reason, Status.UNKNOWN), trouble.message)


class Probe(Protocol):
    """Asks one service one cheap question that changes nothing. What goes wrong may be raised as it is."""

    async def ask(self) -> Finding: ...

    async def close(self) -> None: ...


class Pace:
    """How fast something that only grows does so, by the second, between one look and the next."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None

    def per_s(self, value: float, at_s: float) -> float | None:
        before, self._before = self._before, (value, at_s)
        if before is None or value < before[0] or at_s <= before[1]:
            return None
        return (value - before[0]) / (at_s - before[1])


def clean(text: object, chars_max: int = SERVICE_TEXT_CHARS_MAX) -> str:
    """Somebody else wrote it: one line that is shown and not obeyed."""
    kept = "".join(char for char in str(text)[: 4 * chars_max] if char.isprintable())
    return kept.strip()[:chars_max]


def clean_version(text: object) -> str:
    return clean(text, SERVICE_VERSION_CHARS_MAX) if isinstance(text, str) else ""


def number(value: object) -> float | None:
    """A finite number as it came in somebody's JSON or text; nothing where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def figures(*known: tuple[str, float | None, str]) -> tuple[Figure, ...]:
    """Those that are known."""
    return tuple(Figure(name, value, unit) for name, value, unit in known if value is not None)


def amount(value: float) -> str:
    """A count for people: 940, 12.4K, 1.2M."""
    for size, sign in ((1e9, "B"), (1e6, "M"), (1e4, "K")):
        if value >= size:
            return f"{value / (1e3 if sign == 'K' else size):.1f}{sign}"
    return f"{value:,.0f}"


def volume(value: float) -> str:
    """Bytes for people."""
    for size, sign in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if value >= size:
            return f"{value / size:.1f} {sign}"
    return f"{value:.0f} B"
