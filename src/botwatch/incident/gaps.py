"""Times nobody watched: the server was down, its machine asleep, or its clock set back.

What is lacking in such a time may have happened, so nothing is concluded from it. What a clock that was set back
wrote into ticks that were over already stands there twice, so that it does not count at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.detect.finding import Flags
from botwatch.detect.rule import TICK_S
from botwatch.detect.ticks import Ticks
from botwatch.incident.rows import GapRow


class Why(StrEnum):
    AWAY = "away"
    REWOUND = "rewound"


@dataclass(frozen=True, slots=True)
class Gap:
    """From the start of a tick to the end of one."""

    start_s: int
    end_s: int
    why: Why = Why.AWAY


def missed(gaps: Iterable[Gap], start_s: int, end_s: int) -> Flags:
    """One flag for each tick from `start_s` to `end_s`."""
    flags = np.zeros((end_s - start_s) // TICK_S, dtype=np.bool_)
    for gap in gaps:
        low, high = max(gap.start_s, start_s), min(gap.end_s, end_s)
        if low < high:
            flags[(low - start_s) // TICK_S : -(-(high - start_s) // TICK_S)] = True
    return flags


def without_rewound(ticks: Ticks, gaps: Iterable[Gap]) -> Ticks:
    """Ticks that were lived twice have no value."""
    twice = missed((gap for gap in gaps if gap.why is Why.REWOUND), ticks.first_s, ticks.end_s)
    if not twice.any():
        return ticks
    values = ticks.values.copy()
    values[:, twice] = np.nan
    return Ticks(ticks.labels, ticks.subjects, values, ticks.first_s, ticks.counts, ticks.heard_s, ticks.missed)


def read(session: Session) -> tuple[Gap, ...]:
    """The newest that are kept, in the order of their beginning."""
    rows = session.scalars(sa.select(GapRow).order_by(GapRow.start_s)).all()
    return tuple(Gap(row.start_s, row.end_s, Why(row.why)) for row in rows[-limits.UNWATCHED_KEPT_MAX :])


def write(session: Session, gap: Gap) -> None:
    session.add(GapRow(start_s=gap.start_s, end_s=gap.end_s, why=gap.why))
    kept = sa.select(GapRow.id).order_by(GapRow.id.desc()).limit(limits.UNWATCHED_KEPT_MAX)
    session.flush()
    session.execute(sa.delete(GapRow).where(GapRow.id.not_in(kept.scalar_subquery())))
