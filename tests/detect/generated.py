"""Traffic made up for tests of baselines: seeded, one row a category, one column a tick."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from botwatch.detect.baseline import Baseline
from botwatch.detect.finding import NEVER_S, Call, Floats, Verdicts
from botwatch.detect.past import Past
from botwatch.detect.rule import TICK_S, Kind, Rule
from botwatch.detect.ticks import HOUR_S, Ticks
from botwatch.detect.view import View

DAY_S = 86_400
START_S = 1_800_316_800  # a midnight


def seasonal(days: int, peaks: Sequence[float], seed: int = 1) -> NDArray[np.int64]:
    """`peaks` an hour at two in the afternoon, a seventh of it at night, half of it at weekends."""
    at_s = np.arange(days * DAY_S // TICK_S) * TICK_S
    hours = at_s % DAY_S / HOUR_S
    shape = np.minimum(1.0, 0.15 + 1.1 * np.exp(-(((hours - 14) / 5) ** 2)))
    shape *= np.where((START_S + at_s) // DAY_S % 7 < 2, 0.5, 1.0)
    rate = np.array(peaks)[:, None] * TICK_S / HOUR_S * shape
    return np.random.default_rng(seed).poisson(rate)


def at(day: int, hour: float = 0.0) -> int:
    return START_S + day * DAY_S + int(hour * HOUR_S)


def column(at_s: int) -> int:
    return (at_s - START_S) // TICK_S


def past_of(rule: Rule, counts: NDArray[np.int64], subjects: tuple[tuple[str, ...], ...]) -> Past:
    hours = counts.shape[1] * TICK_S // HOUR_S
    told = counts[:, : hours * HOUR_S // TICK_S].reshape(len(counts), hours, -1).sum(axis=2).astype(np.float64)
    return Past(rule.labels, subjects, told, np.zeros(hours, dtype=np.bool_), START_S, counts=True)


def judged(rule: Rule, counts: NDArray[np.int64], from_s: int, to_s: int, past: Past | None = None) -> Verdicts:
    """All ticks that end after the one moment and until the other."""
    names = [f"c{row}" for row in range(len(counts))]
    subjects = tuple(("shop", name)[: len(rule.labels)] for name in names)
    low, high = column(from_s) - Baseline().reach(rule), column(to_s)
    values: Floats = counts[:, max(0, low) : high].astype(np.float64)
    ticks = Ticks(
        rule.labels, subjects, values, START_S + max(0, low) * TICK_S, True,
        np.full(len(subjects), NEVER_S), np.zeros(values.shape[1], dtype=np.bool_),
    )  # fmt: skip
    known = past or past_of(rule, counts, subjects)
    view = View(lambda _: ticks, {rule.name: rule}, {Kind.BASELINE: Baseline()}, lambda _: known)
    return view.judge(rule, (to_s - from_s) // TICK_S)


def openings(verdicts: Verdicts, from_s: int) -> list[tuple[str, int]]:
    """Who opens when, one after the other."""
    found = []
    for row, subject in enumerate(verdicts.subjects):
        live = False
        for place, call in enumerate(verdicts.calls[row].tolist()):
            if call == Call.OPENS and not live:
                found.append((subject[-1], from_s + (place + 1) * TICK_S))
            live = call == Call.OPENS or (live and call != Call.ENDS)
    return sorted(found, key=lambda one: one[1])
