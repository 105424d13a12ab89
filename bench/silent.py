"""How surely silent changes are found: drift over generated payload families, seeded.

    uv run python bench/silent.py [seed baseline drift quiet cost] [--changes 200] [--volumes 20,300,2000,20000] [--seed 1]

`drift`: each kind of change is put 200 times into families of documents after ten quiet days; it is found when what happened is
named, at the place or at one around or inside it, within a day or 4,000 documents. `quiet`: weeks without a change, also of
sources in which much goes on and of sorts nobody thought of; what is found there is false, and counted once for each moment at
which something began. `--every` is how often is looked; the server looks each 20 seconds. `cost`: what profiling adds to the
processor time of taking documents in. A source is looked at with at most 300 documents in five minutes, so that the documents
above that volume are not even generated.
"""

from __future__ import annotations

import argparse
import copy
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from families import FAMILIES, KINDS, Document, Mutation, ticket
from habits import DAY_S, QUIET_DAYS, START_S, arrivals
from shared import print_machine
from silent_baseline import baseline
from silent_cost import cost
from silent_quiet import quiet

from botwatch import limits
from botwatch.detect.drift.compare import What
from botwatch.detect.drift.kinds import Kinds
from botwatch.detect.drift.shape import Seen, Type, inside, shape
from botwatch.detect.drift.source import KIND, TICK_S, Drift, Source
from botwatch.detect.drift.story import Sample, sentence, tell

STEP_S = 20  # as often as the server judges a source of which documents come


@dataclass
class Learned:
    source: Source
    until_s: int
    sample: list[Document]


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
    """How long it took until the change was named. What was said of the place already does not count."""
    r, source = random.Random(seed), copy.deepcopy(learned.source)
    make, judged_s = FAMILIES[source.name], learned.until_s
    before = {one.change.share for one in source.judge(judged_s)}
    for number, at_s in enumerate(arrivals(r, per_hour, learned.until_s)):
        while at_s > judged_s + TICK_S:
            judged_s += TICK_S
            every = TICK_S if judged_s - learned.until_s <= 3_600 else 3_600
            if (judged_s - learned.until_s) % every == 0:
                for drift in source.judge(judged_s):
                    if drift.change.share not in before and names(drift, mutation, source):
                        return judged_s - learned.until_s, drift
        if at_s > learned.until_s + DAY_S or number > 4_000:
            return None
        document = mutation.apply(r, make(r, int(at_s)))
        if document is not None:
            source.observe(int(at_s), shape(document))
    return None


LACKS = (What.VANISHED, What.RARER)
# What a change may be called. Where an object is empty or of another type, what was inside it is gone; what no longer says
# one of a few words has them no more.
CALLED = {
    "appeared": (What.APPEARED,),
    "vanished": LACKS,
    "rarer": LACKS,
    "null": (What.MORE_NULL,),
    "empty": (What.MORE_EMPTY, *LACKS),
    "type": (What.TYPE_CHANGED, What.VALUE_NEW),
    "nested": (What.NESTED, What.TYPE_CHANGED),
    "value_collapsed": (What.VALUE_COLLAPSED,),
    "value_new": (What.VALUE_NEW,),
}


def names(drift: Drift, mutation: Mutation, source: Source) -> bool:
    """The place itself, or one around or inside it, and what happened to it; where it says the kind of a document, the kind."""
    change, place = drift.change, mutation.path
    if change.path == KIND:
        return change.what in (What.VALUE_NEW, What.VALUE_COLLAPSED) and _is_of_kind(
            change.share.value, mutation, source
        )
    if change.what not in CALLED[mutation.kind] and not (mutation.kind == "empty" and change.share.value == ""):
        return False
    if mutation.kind.startswith("value"):
        return change.path == place and change.share.value in (mutation.value, "unheard-of")
    return bool(change.path) and (change.path in inside(place) or place in inside(change.path))


def _is_of_kind(kind: str, mutation: Mutation, source: Source) -> bool:
    """Whether a kind stands for the change: the place says the kind, the kind is called by the value, or by an object around."""
    kinds = source.kinds or Kinds()
    says = any(mutation.path in inside(path) for path in (*kinds.fields, *kinds.carried))
    return says or mutation.value in kind.split() or any(path in kind.split("+") for path in inside(mutation.path))


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
    parser.add_argument("--every", type=int, default=600, help="seconds between two looks of the quiet part")
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
        only = options.families.split(",") if options.families else []
        quiet(volumes, options.weeks, options.seed, only, options.every)
    print(f"took {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
