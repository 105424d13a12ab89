"""What judging knows of itself, and what one round did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from botwatch.incident.backtest import Backtester
from botwatch.incident.memory import Changed


@dataclass(slots=True)
class Health:
    """What the loop knows of itself. `paused` says in words why nothing is judged, `troubles` why a rule is not, and
    `crowded` why one is not of everybody."""

    leading: bool = False
    judged_s: int = 0  # the end of the newest tick that was judged
    paused: str = ""
    rules: int = 0
    series: int = 0
    left_out: int = 0
    round_ms: float = 0.0  # the last round, reading included
    troubles: Mapping[str, str] = field(default_factory=dict)
    crowded: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    ticks: int = 0
    changes: tuple[Changed, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the API shows of judging."""

    health: Health
    backtester: Backtester
