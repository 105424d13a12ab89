"""How few false alarms baselines give, and how soon they find what fell: generated traffic, seeded.

    uv run python bench/silent.py baseline            or: uv run python bench/silent_baseline.py [--runs 4] [--seed 1]

Five categories of one bot, 20 to 360 an hour at the busiest hour, follow the hour of the day; weekends have half,
every day has a level of its own (5 %), holidays have 40 to 60 % of everything, and messages come by chance (Poisson).
30 days are judged after six weeks of learning, tick by tick, by the very rules there are by default. Then parts of
one category are taken away at 300 an hour.

By chance alone 52 come in a quarter of an hour where 75 are usual about once in 250 quarters of an hour, and that is
what a category of 300 an hour that fell by 30 % brings: nobody who tells it within 15 minutes keeps quiet for a
month. `bound` prints how soon the best test there is could tell it, and `regular` what is found where a clock sends.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shared import print_machine

from botwatch.detect.baseline import Baseline
from botwatch.detect.defaults_learned import LEARNED
from botwatch.detect.finding import NEVER_S, Call
from botwatch.detect.past import DAYS, Past
from botwatch.detect.rule import TICK_S, Kind, Rule
from botwatch.detect.ticks import HOUR_S, Need, Ticks
from botwatch.detect.view import View
from botwatch.measure.query import DAY_S

START_S = 1_799_971_200  # a midnight
JUDGED_DAYS = 30
UNSEEN = 200  # the constants were chosen with seeds 1 to 8 and 101 to 116: figures are of others
CATEGORIES = {"order": 360, "billing": 300, "help": 200, "chat": 100, "rare": 20}
HOLIDAYS = (DAYS + 5, DAYS + 17)
RULES = {rule.name: rule for rule in LEARNED}
CATEGORY, WHOLE = RULES["Fewer messages in a channel"], RULES["Messages stop"]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Traffic:
    """What came of each category in each tick, and what was to be expected by whoever made it."""

    rate: NDArray[np.float64]
    counts: Counts

    @property
    def whole(self) -> Counts:
        return np.asarray(self.counts.sum(axis=0, keepdims=True), dtype=np.int64)


def traffic(seed: int, *, regular: bool = False) -> Traffic:
    random = np.random.default_rng(seed)
    days = DAYS + 1 + JUDGED_DAYS + 1
    at_s = np.arange(days * DAY_S // TICK_S) * TICK_S
    hours = at_s % DAY_S / HOUR_S
    shape = np.minimum(1.0, 0.15 + 1.1 * np.exp(-(((hours - 14) / 5) ** 2)))
    shape *= np.where((START_S + at_s) // DAY_S % 7 < 2, 0.5, 1.0)  # the first of 1970 was a Thursday
    level = np.exp(random.normal(0, 0.0 if regular else 0.05, days))
    for number, day in enumerate(HOLIDAYS):
        level[day] *= (0.5, 0.4, 0.6)[(seed + number) % 3]
    peaks = np.array(list(CATEGORIES.values()))[:, None]
    rate = peaks * TICK_S / HOUR_S * shape * np.repeat(level, DAY_S // TICK_S)
    if not regular:
        return Traffic(rate, random.poisson(rate))
    steady = np.floor(np.cumsum(rate, axis=1) + random.random((len(rate), 1)))
    return Traffic(rate, np.diff(steady, axis=1, prepend=0).astype(np.int64))


def opened(rule: Rule, counts: Counts, from_s: int, to_s: int) -> Iterator[tuple[str, int]]:
    """The subjects and moments at which the rule opens an incident, judged from tick to tick."""
    subjects = tuple(("shop", name) for name in CATEGORIES) if len(rule.labels) > 1 else (("shop",),)
    need = Need(rule.field, rule.labels, rule.where)
    hours = counts.shape[1] * TICK_S // HOUR_S
    by_hour = counts[:, : hours * HOUR_S // TICK_S].reshape(len(counts), hours, -1).sum(axis=2).astype(np.float64)
    past = Past(need.by, subjects, by_hour, np.zeros(hours, dtype=np.bool_), START_S, counts=True)
    low, high = (from_s - START_S) // TICK_S - Baseline().reach(rule), (to_s - START_S) // TICK_S
    ticks = Ticks(
        need.by,
        subjects,
        counts[:, low:high].astype(np.float64),
        START_S + low * TICK_S,
        True,
        np.full(len(subjects), NEVER_S),
        np.zeros(high - low, dtype=np.bool_),
    )
    view = View(lambda _: ticks, {rule.name: rule}, {Kind.BASELINE: Baseline()}, lambda _: past)
    verdicts = view.judge(rule, (to_s - from_s) // TICK_S)
    for row, subject in enumerate(verdicts.subjects):
        live, ended_s = False, 0
        for column, call in enumerate(verdicts.calls[row].tolist()):
            at_s = from_s + (column + 1) * TICK_S
            if call == Call.OPENS and not live and at_s >= ended_s + rule.cooldown:
                live = True
                yield subject[-1], at_s
            elif call == Call.ENDS and live:
                live, ended_s = False, at_s


def quiet(runs: int, seed: int) -> None:
    from_s = START_S + (DAYS + 1) * DAY_S
    counts_told: list[int] = []
    for number in range(seed, seed + runs):
        found = traffic(number)
        told = [
            f"{rule.name} {subject} on day {(at_s - from_s) / DAY_S:.1f}"
            for rule, counts in ((CATEGORY, found.counts), (WHOLE, found.whole))
            for subject, at_s in opened(rule, counts, from_s, from_s + JUDGED_DAYS * DAY_S)
        ]
        counts_told.append(len(told))
        print(
            f"baseline quiet  seed {number}: {len(told)} incidents in {JUDGED_DAYS} days  {'; '.join(told)}", flush=True
        )
    few = sum(count <= 2 for count in counts_told)
    print(
        f"baseline quiet  {few} of {runs} months with at most 2, {statistics.mean(counts_told):.1f} on average, {max(counts_told)} at most"
    )


def moments(found: Traffic, per_hour: float) -> Iterator[int]:
    """Moments of different days when that category has this rate."""
    row = list(CATEGORIES).index("billing")
    for day in range(DAYS + 2, DAYS + JUDGED_DAYS):
        at = slice((day * DAY_S + 9 * HOUR_S) // TICK_S, (day * DAY_S + 17 * HOUR_S) // TICK_S, 37)
        near = np.abs(found.rate[row, at] * HOUR_S / TICK_S / per_hour - 1)
        if near.min() < 0.04:
            yield START_S + day * DAY_S + 9 * HOUR_S + int(near.argmin()) * 37 * TICK_S


def drops(runs: int, seed: int, *, regular: bool = False) -> None:
    for lost in (0.3, 0.5, 1.0):
        waits: list[float] = []
        for number in range(seed, seed + runs):
            random, found = np.random.default_rng(number), traffic(number, regular=regular)
            row = list(CATEGORIES).index("billing")
            for at_s in moments(found, 290):
                counts, first = found.counts.copy(), (at_s - START_S) // TICK_S
                part = counts[row, first : first + 1_080]
                kept = np.diff(np.floor(np.cumsum(part) * (1 - lost)), prepend=0).astype(np.int64)
                counts[row, first : first + 1_080] = kept if regular else random.binomial(part, 1 - lost)
                told = [t for name, t in opened(CATEGORY, counts, at_s, at_s + 3 * HOUR_S) if name == "billing"]
                waits.append((told[0] - at_s) / 60 if told else math.inf)
        _print(f"{'regular' if regular else 'chance '} {lost:.0%} of 300/h lost", waits)


def flat(runs: int, seed: int) -> None:
    waits: list[float] = []
    for number in range(seed, seed + runs):
        found = traffic(number)
        for at_s in moments(found, 290):
            counts = found.whole
            counts[:, (at_s - START_S) // TICK_S :] = 0
            told = [t for _, t in opened(WHOLE, counts, at_s, at_s + HOUR_S)]
            waits.append((told[0] - at_s) / 60 if told else math.inf)
    _print("all messages stop", waits)


def bound() -> None:
    """The mean delay of the sequential test that knows both rates, told falsely once in so many days of one category."""
    for lost in (0.3, 0.5, 1.0):
        kept = 1 - lost
        an_hour = 300 * ((kept * math.log(kept) if kept else 0.0) - kept + 1)
        told = ", ".join(
            f"{60 * math.log(days * 24 * an_hour) / an_hour:.0f} min at one in {days} days" for days in (1, 30, 150)
        )
        print(f"baseline bound  {lost:.0%} of 300/h lost: {told}")


def _print(what: str, waits: list[float]) -> None:
    soon = sum(wait <= 15 for wait in waits) / max(1, len(waits))
    middle, most = (statistics.median(waits), sorted(waits)[int(0.9 * (len(waits) - 1))]) if waits else (0.0, 0.0)
    print(
        f"baseline found  {what}: {soon:.0%} within 15 min, {middle:.0f} min (median), {most:.0f} (9 of 10), "
        f"of {len(waits)}",
        flush=True,
    )


def baseline(runs: int, seed: int) -> None:
    seed += UNSEEN
    quiet(runs, seed)
    drops(runs, seed)
    drops(1, seed, regular=True)
    flat(1, seed)
    bound()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print_machine()
    baseline(options.runs, options.seed)


if __name__ == "__main__":
    main()
