"""When an incident opens and when it ends: pure, the same for the loop, a backtest and a test of a rule."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from botwatch.detect.finding import Call, Calls
from botwatch.detect.rule import TICK_S
from botwatch.incident.steps import Step


@dataclass(frozen=True, slots=True)
class Move:
    """A change of one subject's incident, asked for by the verdict of one judged tick."""

    row: int
    column: int
    step: Step


def moves(
    calls: Calls, *, first_end_s: int, live: Collection[int], resolved_s: Mapping[int, int], cooldown_s: int
) -> list[Move]:
    """What happens to each subject over the judged ticks, in the order of time.

    `first_end_s` is when the first of them ends, `live` the rows with an incident, `resolved_s` when the last
    one of a row ended. After it none opens until the cooldown has passed.
    """
    rows = {int(row) for row in np.flatnonzero((calls == Call.OPENS).any(axis=1))} | set(live)
    found = [
        move
        for row in sorted(rows)
        for move in _of_row(calls[row], row, first_end_s, row in live, resolved_s.get(row), cooldown_s)
    ]
    return sorted(found, key=lambda move: move.column)


def _of_row(
    calls: Calls, row: int, first_end_s: int, live: bool, resolved_s: int | None, cooldown_s: int
) -> Iterator[Move]:
    opens, ends = (np.flatnonzero(calls == call).tolist() for call in (Call.OPENS, Call.ENDS))
    column = 0
    while True:
        if live:
            at = bisect_left(ends, column)
            if at == len(ends):
                return
            column = ends[at]
            resolved_s = first_end_s + column * TICK_S
            yield Move(row, column, Step.RESOLVED)
        else:
            if resolved_s is not None:
                column = max(column, -(-(resolved_s + cooldown_s - first_end_s) // TICK_S))
            at = bisect_left(opens, column)
            if at == len(opens):
                return
            column = opens[at]
            yield Move(row, column, Step.OPENED)
        live = not live
        column += 1
