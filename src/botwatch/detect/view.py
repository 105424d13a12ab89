"""What a detector may ask while it judges: ticks, windows over them, and what other rules say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from botwatch import limits
from botwatch.detect.finding import Flags, Floats, Verdicts
from botwatch.detect.past import Past, Pasts
from botwatch.detect.rule import Aggregation, Rule
from botwatch.detect.ticks import Need, Ticks
from botwatch.detect.windows import rolling, rolling_count, ticks_of
from botwatch.errors import CannotJudge

Series = Callable[[Need], Ticks]


class Detector(Protocol):
    """One kind of rule. All three are pure: the same rule and ticks give the same verdicts for ever."""

    def needs(self, rule: Rule) -> tuple[Need, ...]:
        """The series it reads, beside those of the rules it names."""
        ...

    def reach(self, rule: Rule) -> int:
        """How many ticks before a judged one it looks at."""
        ...

    def judge(self, rule: Rule, view: View, columns: int) -> Verdicts:
        """For the last so many ticks."""
        ...


class View:
    """The ticks up to one moment, for all rules that are judged at it: what several ask for is worked out once."""

    def __init__(
        self,
        series: Series,
        rules: Mapping[str, Rule],
        detectors: Mapping[str, Detector],
        past: Pasts | None = None,
    ) -> None:
        self._series = series
        self._past = past
        self._rules = rules
        self._detectors = detectors
        self._ticks: dict[Need, Ticks] = {}
        self._first: dict[Need, NDArray[np.int64]] = {}
        self._missed: dict[Need, bool] = {}
        self._windows: dict[tuple[Need, int, int, str], Floats] = {}
        self._young: dict[tuple[Need, int, int], Flags] = {}
        self._expected: dict[tuple[Need, int], Flags] = {}
        self._judging: list[str] = []

    def ticks(self, need: Need) -> Ticks:
        """All there are of it."""
        found = self._ticks.get(need)
        if found is None:
            found = self._ticks[need] = self._series(need)
        return found

    def past(self, need: Need) -> Past:
        """The hours before the judged ones. Raises `CannotJudge`."""
        if self._past is None:
            raise CannotJudge(f"{need.measure}: what is normal is not learned here")
        return self._past(need)

    def window(self, need: Need, columns: int, width: int, aggregation: Aggregation) -> Floats:
        """The aggregate of the window that ends with each of the last columns."""
        key = (need, columns, width, aggregation)
        found = self._windows.get(key)
        if found is None:
            values = self.ticks(need).values[:, -(columns + width - 1) :]
            found = self._windows[key] = rolling(values, width, aggregation)[:, -columns:]
        return found

    def lacking(self, need: Need, columns: int, width: int) -> Flags | None:
        """Where a tick of the window has no value because nobody watched; None where all were watched."""
        ticks = self.ticks(need)
        if need not in self._missed:
            self._missed[need] = bool(ticks.missed.any())
        if not self._missed[need]:
            return None
        reach = columns + width - 1
        unseen = ticks.missed[None, -reach:] & np.isnan(ticks.values[:, -reach:])
        return np.asarray(rolling_count(unseen, width)[:, -columns:] > 0, dtype=np.bool_)

    def young(self, need: Need, columns: int, width: int) -> Flags:
        """Where the subject had not been heard of yet when the window began."""
        key = (need, columns, width)
        found = self._young.get(key)
        if found is None:
            ticks = self.ticks(need)
            if need not in self._first:
                self._first[need] = ticks.first_heard(limits.RULE_TIMEFRAME_S_MAX)
            end = ticks.values.shape[1]
            begins = np.arange(end - columns, end) - width + 1
            found = self._young[key] = self._first[need][:, None] > begins[None, :]
        return found

    def expected(self, need: Need, columns: int) -> Flags:
        key = (need, columns)
        found = self._expected.get(key)
        if found is None:
            found = self._expected[key] = self.ticks(need).expected(columns)
        return found

    def judge(self, rule: Rule, columns: int) -> Verdicts:
        """What a rule says of the last so many ticks. Raises `CannotJudge`."""
        if rule.name in self._judging:
            raise CannotJudge(f"it names itself: {' > '.join((*self._judging, rule.name))}")
        if len(self._judging) > limits.RULE_DEPTH_MAX:
            raise CannotJudge(f"rules name rules more than {limits.RULE_DEPTH_MAX} deep")
        self._judging.append(rule.name)
        try:
            return detector_of(rule, self._detectors).judge(rule, self, columns)
        finally:
            self._judging.pop()

    def rule(self, name: str) -> Rule:
        found = self._rules.get(name)
        if found is None:
            raise CannotJudge(f"there is no rule called {name!r}", hint="add it, or take its name out of this rule")
        return found


def detector_of(rule: Rule, detectors: Mapping[str, Detector]) -> Detector:
    found = detectors.get(rule.kind)
    if found is None:
        raise CannotJudge(f"kind: rules of kind {rule.kind.value!r} are not judged here")
    return found


def hold_ticks(rule: Rule) -> int:
    """How many judgements before one must have been breaches too."""
    return ticks_of(rule.hold)
