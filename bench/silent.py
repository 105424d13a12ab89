"""How surely silent changes are found: drift over generated payload families, seeded.

    uv run python bench/silent.py [seed baseline drift quiet cost] [--changes 200] [--volumes 20,300,2000,20000] [--seed 1]

`drift`: each kind of change is put 200 times into families of documents after ten quiet days; it is found when
the place, or one around or inside it, is named within a day or 4,000 documents. `quiet`: weeks without a
change, also of sources in which much goes on and of sorts nobody thought of; what is found there is false, and counted once for each
moment at which something began. `cost`: what profiling adds to the processor time
of taking documents in. A source is looked at with at most 300 documents in five minutes, so that the
documents above that volume are not even generated.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import random
import statistics
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from families import FAMILIES, KINDS, Document, Make, Mutation, day, ticket
from families_unseen import UNSEEN
from families_wild import WILD
from shared import print_machine
from silent_baseline import baseline
from silent_cost import cost

from botwatch import limits
from botwatch.detect.drift.profile import Share
from botwatch.detect.drift.shape import Seen, Type, shape
from botwatch.detect.drift.source import TICK_S, Drift, Source
from botwatch.detect.drift.story import TOGETHER_NS, Sample, sentence, tell

DAY_S = 86_400
START_S = 1_700_006_400  # a midnight
LOOKED_AT_PER_HOUR = 3_600
QUIET_DAYS = 10
LOST_S = 1_800 + 7_200  # what is found again within is not over
STEP_S = 20  # as often as the server judges a source of which documents come


@dataclass
class Learned:
    source: Source
    until_s: int
    sample: list[Document]


def arrivals(r: random.Random, per_hour: float, from_s: float) -> Iterator[float]:
    """Times of documents, more of them by day."""
    at_s = from_s
    while True:
        at_s += r.expovariate(min(per_hour, LOOKED_AT_PER_HOUR) * (0.3 + 1.4 * day(int(at_s))) / 3_600)
        yield at_s


def learn(family: str, per_hour: float, seed: int) -> Learned:
    r, source, sample = random.Random(seed), Source(family), []
    # Enough to know a source by: more documents of the same would only take the bench longer.
    thin = min(per_hour, 300)
    for at_s in arrivals(r, thin, START_S):
        if at_s >= START_S + QUIET_DAYS * DAY_S:
            break
        document = FAMILIES[family](r, int(at_s))
        source.observe(int(at_s), shape(document))
        if len(sample) < 400:
            sample.append(document)
    return Learned(source, START_S + QUIET_DAYS * DAY_S, sample)


def mutations(learned: Learned, kind: str, r: random.Random) -> Iterator[Mutation]:
    """Places of the family's documents where such a change can happen, in random order, again and again."""
    counts: Counter[str] = Counter()
    seen: dict[str, Seen] = {}
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for document in learned.sample:
        here = {found.path: found for found in shape(document)}
        counts.update(here.keys())
        seen |= here
        for path, found in here.items():
            if found.value is not None:
                values[path][found.value] += 1
    places = [path for path, count in counts.items() if path and count >= 0.05 * len(learned.sample)]
    fits = [mutation for path in places for mutation in _at(kind, path, seen[path], values[path], learned)]
    while fits:
        yield from r.sample(fits, len(fits))


def _at(kind: str, path: str, seen: Seen, values: Counter[str], learned: Learned) -> Iterator[Mutation]:
    if kind == "appeared":
        if seen.type is Type.OBJECT:
            yield Mutation(kind, f"{path}.brand_new")
        return
    if path.endswith(("[]", "*")) or "*" in path:
        return
    fits = {
        **dict.fromkeys(("vanished", "rarer", "null"), seen.type is not Type.NULL),
        "empty": seen.type in (Type.STRING, Type.ARRAY, Type.OBJECT) and not seen.empty,
        **dict.fromkeys(("type", "nested"), seen.type in (Type.STRING, Type.NUMBER)),
    }
    if fits.get(kind):
        yield Mutation(kind, path)
    elif kind.startswith("value") and seen.type is Type.STRING and 1 < len(values) <= 12:
        if kind == "value_new":
            yield Mutation(kind, path)
        else:
            total = len(learned.sample)
            yield from (Mutation(kind, path, value) for value, n in values.items() if n >= 0.05 * total)


def found_after_s(learned: Learned, mutation: Mutation, per_hour: float, seed: int) -> tuple[float, Drift] | None:
    """How long it took until the change was named."""
    r, source = random.Random(seed), copy.deepcopy(learned.source)
    make, judged_s = FAMILIES[source.name], learned.until_s
    for number, at_s in enumerate(arrivals(r, per_hour, learned.until_s)):
        while at_s > judged_s + TICK_S:
            judged_s += TICK_S
            every = TICK_S if judged_s - learned.until_s <= 3_600 else 3_600
            if (judged_s - learned.until_s) % every == 0:
                for drift in source.judge(judged_s):
                    if names(drift, mutation):
                        return judged_s - learned.until_s, drift
        if at_s > learned.until_s + DAY_S or number > 4_000:
            return None
        document = mutation.apply(r, make(r, int(at_s)))
        if document is not None:
            source.observe(int(at_s), shape(document))
    return None


def names(drift: Drift, mutation: Mutation) -> bool:
    """The place itself, or one around or inside it; for the kind of a document, the kind."""
    path, place = drift.change.path, mutation.path
    return path in ("(kind)", place) or place.startswith(path) or path.startswith(place)


def drift(changes: int, volumes: list[int], seed: int) -> None:
    for volume in volumes:
        known = {family: learn(family, volume, seed) for family in FAMILIES}
        for kind in KINDS:
            r = random.Random(f"{seed} {kind}")
            streams = {family: mutations(learned, kind, r) for family, learned in known.items()}
            waits, missed = [], []
            for number in range(changes):
                family = list(FAMILIES)[number % len(FAMILIES)]
                mutation = next(streams[family], None)
                if mutation is None:
                    continue
                found = found_after_s(known[family], mutation, volume, seed + number)
                if found is None:
                    missed.append(f"{family} {mutation.path} {mutation.value}")
                else:
                    waits.append(found[0] / 60)
            of = len(waits) + len(missed)
            print(
                f"drift {volume:>6}/h {kind:<16} recall {len(waits) / max(of, 1):.3f} of {of}, "
                f"found after {statistics.median(waits) if waits else 0:.0f} min (median)",
                *(f"\n      missed: {text}" for text in missed[:12]),
                flush=True,
            )


def quiet(volumes: list[int], weeks: int, seed: int, only: list[str]) -> None:
    families = {name: make for name, make in (FAMILIES | WILD | UNSEEN).items() if not only or name in only}
    for volume in volumes:
        false = {name: _false(name, make, volume, weeks, seed) for name, make in families.items()}
        total = sum(map(len, false.values()))
        of_weeks = len(families) * (QUIET_DAYS / 7 + weeks)
        print(
            f"quiet {volume:>6}/h {total} false in {QUIET_DAYS} days and {weeks} weeks of {len(families)} sources, "
            f"{total / of_weeks:.2f} a source and week",
            *(f"\n      {name}: {text}" for name, found in false.items() for text in found),
            flush=True,
        )


def _false(family: str, make: Make, volume: int, weeks: int, seed: int) -> list[str]:
    """What would be told from the first document on, each event once: what began in the same minutes."""
    r, source, told, events = random.Random(seed), Source(family), list[str](), list[int]()
    live: dict[tuple[str, Share], int] = {}
    judged_s, recent, numbers = START_S, deque[Sample](maxlen=limits.DRIFT_DOCUMENTS_KEPT_MAX), itertools.count()
    for at_s in arrivals(r, min(volume, 2_000), START_S):
        if at_s >= START_S + (QUIET_DAYS + 7 * weeks) * DAY_S:
            break
        while at_s > judged_s + 2 * TICK_S:
            judged_s += 2 * TICK_S
            found = source.judge(judged_s)
            keys = {(one.variant, one.change.share) for one in found}
            new = {key for key in keys if judged_s - live.get(key, 0) > LOST_S}
            if new:
                causes = tell(found, list(recent), source)
                for cause in (one for one in causes if (one.drift.variant, one.drift.change.share) in new):
                    began_ns = cause.began_ns or (judged_s - cause.drift.window_s) * 10**9
                    if all(abs(began_ns - known) >= TOGETHER_NS for known in events):
                        events.append(began_ns)
                        at_h = (judged_s - START_S) / 3_600
                        told.append(f"+{at_h:.0f} h {cause.drift.variant}: {sentence(cause)}")
            live |= dict.fromkeys(keys, judged_s)
        seen = shape(make(r, int(at_s)))
        source.observe(int(at_s), seen)
        recent.append(Sample(next(numbers), int(at_s * 10**9), seen))
    return told


def seed_case(seed: int, pasts: int = 6, each: int = 20) -> None:
    """Billing tickets, 8 % of 300 an hour, carry `details.topic` and no `category` any more, from six o'clock on.

    They come by chance, 2.5 minutes apart on average: in one of fifty runs none comes in the first ten minutes, and nobody can
    tell. How long the first took is printed beside how long it took until it was told.
    """
    waits, ahead, needed, first = list[float](), list[float](), Counter[int](), Counter[str]()
    for number in range(pasts):
        known, judged_s, before = _until_six(seed + number)
        for stream in range(each):
            r, source = random.Random(f"{seed + number} {stream}"), copy.deepcopy(known)
            found = _moved_after_s(r, source, judged_s, before)
            ahead.append(found.first_s / 60)
            waits.append(found.told_s / 60)
            needed[found.documents] += 1
            first[found.sentence] += 1
    late = sum(wait >= 10 for wait in ahead)
    print(
        f"seed  found after {statistics.median(waits):.1f} min (median), {sorted(waits)[int(0.9 * len(waits))]:.1f} (9 of 10), "
        f"{max(waits):.1f} at most, of {len(waits)}; {sum(wait >= 10 for wait in waits)} after 10 min or more, and in {late} "
        "none came before",
        f"\n      the first came after {statistics.median(ahead):.1f} min (median), {max(ahead):.1f} at most; documents it took:",
        ", ".join(f"{count} in {runs}" for count, runs in sorted(needed.items())),
    )
    for text, count in first.most_common():
        print("     ", count, text)


@dataclass(frozen=True)
class Moved:
    """How long it took until the first such document came, and until it was told, and by how many."""

    first_s: float
    told_s: float
    documents: int
    sentence: str


def _until_six(seed: int) -> tuple[Source, int, list[Sample]]:
    """When the traffic is as it is on average: 300 an hour."""
    learned, r, samples = learn("ticket", 300, seed), random.Random(f"morning {seed}"), list[Sample]()
    six_s = learned.until_s + 6 * 3_600
    for at_s in arrivals(r, 300, learned.until_s):
        if at_s >= six_s:
            break
        seen = shape(ticket(r, int(at_s)))
        learned.source.observe(int(at_s), seen)
        samples.append(Sample(len(samples), int(at_s * 10**9), seen))
    learned.source.judge(six_s)
    return learned.source, six_s, samples


def _moved_after_s(r: random.Random, source: Source, six_s: int, before: list[Sample]) -> Moved:
    start_s = six_s + 300 * r.random()
    judged_s, samples, came = six_s + STEP_S * r.random(), list(before), list[float]()
    for at_s in arrivals(r, 300, six_s):
        while at_s > judged_s + STEP_S:
            judged_s += STEP_S
            drifts = source.judge(int(judged_s))
            if drifts:
                cause = tell(drifts, samples[-limits.DRIFT_DOCUMENTS_KEPT_MAX :], source)[0]
                text = sentence(cause).rpartition(",")[0]
                return Moved(came[0] - start_s if came else 0.0, judged_s - start_s, len(came), text)
        document = ticket(r, int(at_s))
        if at_s >= start_s and document["category"] == "billing":
            del document["category"]
            document["details"] = {"topic": "billing"}
            came.append(at_s)
        seen = shape(document)
        source.observe(int(at_s), seen)
        samples.append(Sample(len(samples), int(at_s * 10**9), seen))
    raise AssertionError  # documents come for ever


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["seed", "baseline", "drift", "quiet"])
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--volumes", default="20,300,2000,20000")
    parser.add_argument("--weeks", type=int, default=2)
    parser.add_argument("--families", default="", help="those to be quiet; none: all")
    parser.add_argument("--runs", type=int, default=2, help="months of baselines in which changes are made")
    parser.add_argument("--quick", action="store_true", help="of baselines one month and one change")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print_machine()
    volumes = [int(part) for part in options.volumes.split(",")]
    began = time.perf_counter()
    if "drift" in options.what:
        drift(options.changes, volumes, options.seed)
    if "seed" in options.what:
        seed_case(options.seed)
    if "baseline" in options.what:
        baseline(options.runs, options.seed, quick=options.quick)
    if "cost" in options.what:
        cost()
    if "quiet" in options.what:
        quiet(volumes, options.weeks, options.seed, options.families.split(",") if options.families else [])
    print(f"took {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
