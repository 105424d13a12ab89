"""What would be told of documents in which nothing changes: all of it is false.

Counted as the server keeps it: a row for each place and share, which goes on, ends and begins again as there; an event for
each moment at which rows began; and, for comparison with what knows of no events, every place by itself, and anew whenever
it was not found for half an hour.
"""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from families import FAMILIES, Make
from families_services import SERVICES
from families_unseen import UNSEEN
from families_unseen_more import UNSEEN_MORE
from families_wild import WILD
from habits import DAY_S, QUIET_DAYS, START_S, arrivals

from botwatch import limits
from botwatch.detect.drift.profile import Share
from botwatch.detect.drift.shape import shape
from botwatch.detect.drift.source import Drift, Source
from botwatch.detect.drift.story import TOGETHER_NS, Cause, Sample, beginning, sentence, tell

OVER_S = 1_800
LOST_S = 7_200
REMEMBERED_S = 2 * DAY_S
PER_HOUR_MAX = 2_000  # more only takes longer

Key = tuple[str, Share]


@dataclass(slots=True)
class Row:
    began_ns: int
    last_s: int
    ended_s: int | None = None

    def goes_on(self, began_ns: int, now_s: int) -> bool:
        ended_s = self.ended_s or now_s
        lost = ended_s - self.last_s > OVER_S and now_s - ended_s < LOST_S
        return now_s - ended_s < REMEMBERED_S and (lost or abs(self.began_ns - began_ns) < TOGETHER_NS)


@dataclass(slots=True)
class Told:
    """`findings` counts places, `events` the moments at which they began."""

    findings: int = 0
    events: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rows: dict[Key, Row] = field(default_factory=dict)
    seen: dict[Key, int] = field(default_factory=dict)

    def keep_up(self, found: Sequence[Drift], source: Source, now_s: int) -> set[Key]:
        """Those of which nothing is going on."""
        keys = {(one.variant, one.change.share) for one in found}
        self.findings += sum(now_s - self.seen.get(key, 0) > OVER_S for key in keys)
        self.seen |= dict.fromkeys(keys, now_s)
        for key, row in self.rows.items():
            if row.ended_s is None and key in keys:
                row.last_s = now_s
            elif row.ended_s is None and (key in source.over or now_s - row.last_s > OVER_S):
                row.ended_s = now_s
        return {key for key in keys if key not in self.rows or self.rows[key].ended_s is not None}

    def add(self, cause: Cause, now_s: int) -> None:
        key = cause.drift.variant, cause.drift.change.share
        began_ns = beginning(cause, self.events) or (now_s - cause.drift.window_s) * 10**9
        row = self.rows.get(key)
        if row is not None and row.goes_on(began_ns, now_s):
            row.last_s, row.ended_s = now_s, None
            return
        self.rows[key] = Row(began_ns, now_s)
        if all(abs(began_ns - known_ns) >= TOGETHER_NS for known_ns in self.events):
            self.events.append(began_ns)
            self.texts.append(f"+{(now_s - START_S) / 3_600:.0f} h {cause.drift.variant}: {sentence(cause)}")


def quiet(volumes: list[int], weeks: int, seed: int, only: list[str], every_s: int) -> None:
    every = FAMILIES | WILD | SERVICES | UNSEEN | UNSEEN_MORE
    families = {name: make for name, make in every.items() if not only or name in only}
    each = QUIET_DAYS / 7 + weeks
    for volume in volumes:
        false: dict[str, Told] = {}
        for name, make in families.items():
            false[name] = found = told(name, make, volume, weeks, seed, every_s)
            for text in found.texts:
                print(f"      {name}: {text}", flush=True)
        total = sum(len(one.events) for one in false.values())
        most = max(false, key=lambda name: len(false[name].events))
        print(
            f"quiet {volume:>6}/h {total} false in {QUIET_DAYS} days and {weeks} weeks of {len(families)} sources, "
            f"{total / len(families) / each:.2f} a source and week, at most {len(false[most].events) / each:.2f} ({most}); "
            f"{sum(one.findings for one in false.values())} if each place counts, and each time",
            flush=True,
        )


def told(family: str, make: Make, volume: int, weeks: int, seed: int, every_s: int) -> Told:
    """What would be told from the first document on."""
    r, source, told = random.Random(seed), Source(family), Told()
    judged_s, recent, numbers = START_S, deque[Sample](maxlen=limits.DRIFT_DOCUMENTS_KEPT_MAX), itertools.count()
    for at_s in arrivals(r, min(volume, PER_HOUR_MAX), START_S):
        if at_s >= START_S + (QUIET_DAYS + 7 * weeks) * DAY_S:
            break
        while at_s > judged_s + every_s:
            judged_s += every_s
            found = source.judge(judged_s)
            new = told.keep_up(found, source, judged_s)
            for cause in tell(found, list(recent), source) if new else ():
                if (cause.drift.variant, cause.drift.change.share) in new:
                    told.add(cause, judged_s)
        seen = shape(make(r, int(at_s)))
        source.observe(int(at_s), seen)
        recent.append(Sample(next(numbers), int(at_s * 10**9), seen))
    return told
