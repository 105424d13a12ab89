"""All or any of other rules at once, for subjects they have in common.

What counts of the other rules is whether they hold now, `for` included; whether they are enabled, in their cooldown
or have an incident open does not.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from botwatch.detect.finding import Call, Subject, Verdicts
from botwatch.detect.rule import Rule
from botwatch.detect.ticks import Need
from botwatch.detect.view import View, hold_ticks
from botwatch.detect.windows import rolling_all
from botwatch.errors import CannotJudge

_NO_ROWS: Final = int(Call.ENDS)


class Composite:
    def needs(self, rule: Rule) -> tuple[Need, ...]:
        return ()

    def reach(self, rule: Rule) -> int:
        return hold_ticks(rule)

    def judge(self, rule: Rule, view: View, columns: int) -> Verdicts:
        asked = columns + hold_ticks(rule)
        told = [view.judge(view.rule(name), asked) for name in rule.parts]
        labels = rule.labels
        subjects = _subjects(labels, told)
        each = np.stack([_of(verdicts, labels, subjects, asked) for verdicts in told])
        opens, ends = each == Call.OPENS, each == Call.ENDS
        breached = opens.all(axis=0) if rule.all else opens.any(axis=0)
        over = ends.any(axis=0) if rule.all else ends.all(axis=0)
        held = rolling_all(breached, hold_ticks(rule) + 1)
        calls = np.where(held, Call.OPENS, np.where(over, Call.ENDS, Call.STAYS)).astype(np.int8)
        none = np.zeros((len(subjects), columns), dtype=np.bool_)
        found = opens.sum(axis=0).astype(np.float64)
        return Verdicts(labels, subjects, calls[:, -columns:], found[:, -columns:], none, none)


def _subjects(labels: tuple[str, ...], told: list[Verdicts]) -> tuple[Subject, ...]:
    """Those of every rule that tells all the labels apart."""
    if not labels:
        return ((),)
    whole = [verdicts for verdicts in told if set(labels) <= set(verdicts.labels)]
    if not whole:
        raise CannotJudge(f"by: none of the rules it names is judged by {', '.join(labels)}")
    found = {
        tuple(subject[place] for place in (verdicts.labels.index(label) for label in labels))
        for verdicts in whole
        for subject in verdicts.subjects
    }
    return tuple(sorted(found))


def _of(verdicts: Verdicts, labels: tuple[str, ...], subjects: tuple[Subject, ...], columns: int) -> np.ndarray:
    """What a rule says of each subject. Of several that belong to it, the worst; a rule without its labels says
    the same of all."""
    common = [label for label in labels if label in verdicts.labels]
    ours = [labels.index(label) for label in common]
    theirs = [verdicts.labels.index(label) for label in common]
    rows: dict[Subject, list[int]] = {}
    for row, subject in enumerate(verdicts.subjects):
        rows.setdefault(tuple(subject[place] for place in theirs), []).append(row)
    calls = np.full((len(subjects), columns), _NO_ROWS, dtype=np.int8)
    for place, subject in enumerate(subjects):
        found = rows.get(tuple(subject[at] for at in ours))
        if found:
            calls[place] = verdicts.calls[found].max(axis=0)
    return calls
