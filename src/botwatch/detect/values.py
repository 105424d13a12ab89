"""From a value for every window to verdicts: what threshold and ratio share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from botwatch.detect.finding import Call, Calls, Flags, Floats, Verdicts
from botwatch.detect.rule import Aggregation, Kind, NoData, Operand, Rule
from botwatch.detect.ticks import Need, Ticks
from botwatch.detect.view import View, hold_ticks
from botwatch.detect.windows import holds, rolling_all, ticks_of

_ENDS, _STAYS, _OPENS = (np.int8(call) for call in (Call.ENDS, Call.STAYS, Call.OPENS))


@dataclass(frozen=True, slots=True)
class Windows:
    """One value for every subject and judged tick, NaN where its window has none.

    `partial` marks windows whose value is only what is known of it, because nobody watched all of it; `young` those
    that began before the subject was there.
    """

    ticks: Ticks
    found: Floats
    expected: Flags
    partial: Flags | None
    young: Flags | None = None


def verdicts(rule: Rule, windows: Windows, columns: int) -> Verdicts:
    """`windows` reach back by what `for` asks beyond the columns."""
    found, quiet = windows.found, np.zeros(windows.found.shape, dtype=np.bool_)
    empty = np.isnan(found)
    if windows.ticks.counts and _waits_for_something(rule):
        quiet = empty & windows.expected
        found = np.where(quiet, 0.0, found)
    breached = holds(rule.operand, found, rule.value)
    recovered = ~holds(rule.operand, found, rule.value if rule.recover is None else rule.recover)
    nothing = empty & ~quiet
    if nothing.any():
        breached = np.where(nothing, rule.no_data is NoData.OPEN, breached)
        recovered = np.where(nothing, rule.no_data in (NoData.OK, NoData.RESOLVE), recovered)
        quiet = quiet | (nothing & breached)
    if windows.young is not None and not _shown_by_a_part(rule):
        breached = breached & ~windows.young
    if windows.partial is not None:
        breached, recovered = _as_far_as_known(rule, windows.partial, empty, breached, recovered)
    return called(rule, windows, breached, recovered, found, quiet, columns)


def called(
    rule: Rule, windows: Windows, breached: Flags, recovered: Flags, found: Floats, quiet: Flags, columns: int
) -> Verdicts:
    """Breaches that have lasted long enough open; who is no longer expected ends."""
    gone = ~windows.expected
    held = rolling_all(breached & ~gone, hold_ticks(rule) + 1)[:, -columns:]
    ends = (recovered | gone)[:, -columns:]
    calls: Calls = np.where(held, _OPENS, np.where(ends, _ENDS, _STAYS))
    return Verdicts(
        windows.ticks.labels,
        windows.ticks.subjects,
        calls,
        found[:, -columns:],
        quiet[:, -columns:],
        gone[:, -columns:],
    )


def guarded(rule: Rule, view: View, columns: int, ticks: Ticks, found: Floats) -> Floats:
    """Without a value where the guard's measure did not sum up to enough."""
    if not rule.guard:
        return found
    need = Need(rule.guard, rule.labels, rule.where)
    width = ticks_of(rule.timeframe)
    counted = view.window(need, columns, width, Aggregation.SUM)
    enough = np.nan_to_num(aligned(counted, view.ticks(need), ticks)) >= rule.guard_min
    return np.where(enough, found, np.nan)


def aligned(values: Floats, of: Ticks, to: Ticks) -> Floats:
    """The rows in the order of another series' subjects; NaN for those it does not have."""
    if of.subjects == to.subjects:
        return values
    place = {subject: row for row, subject in enumerate(of.subjects)}
    rows = np.array([place.get(subject, -1) for subject in to.subjects], dtype=np.int64)
    if not len(values):
        return np.full((len(rows), values.shape[1]), np.nan)
    return np.where((rows >= 0)[:, None], values[np.maximum(rows, 0)], np.nan)


def _waits_for_something(rule: Rule) -> bool:
    """'No incoming events' also holds of one that sends nothing at all, unless the rule says otherwise."""
    return rule.operand is Operand.AT_MOST and rule.no_data in (NoData.KEEP, NoData.OPEN)


def _shown_by_a_part(rule: Rule) -> bool:
    """Whether part of a window is enough to know that all of it is a breach. Of someone who has just come an average
    of two minutes is known after two minutes; ten errors are ten errors."""
    if rule.kind is Kind.RATIO:
        return False
    high = (Aggregation.SUM, Aggregation.COUNT, Aggregation.MAX)
    sure = high if rule.operand is Operand.AT_LEAST else (Aggregation.MIN,)
    return rule.aggregation in (*sure, Aggregation.LAST)


def _as_far_as_known(
    rule: Rule, partial: Flags, empty: Flags, breached: Flags, recovered: Flags
) -> tuple[Flags, Flags]:
    """What nobody watched may have had a value: a sum is at least what is known of it, and nothing may be something."""
    unsure = partial & empty
    if rule.aggregation in (Aggregation.SUM, Aggregation.COUNT):
        low = rule.operand is Operand.AT_MOST
        return breached & ~(partial if low else unsure), recovered & ~(unsure if low else partial)
    return breached & ~unsure, recovered & ~unsure
