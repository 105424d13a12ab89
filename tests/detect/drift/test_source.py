"""A source is followed for some days, then changed: what is found, when, and what is not."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

import pytest

from botwatch.detect.drift.compare import What, compare
from botwatch.detect.drift.kinds import ONLY
from botwatch.detect.drift.profile import Profile, Share, Stat
from botwatch.detect.drift.shape import ROOT, shape
from botwatch.detect.drift.source import HOUR_S, TICK_S, Drift, Source
from botwatch.detect.drift.story import Sample, sentence, tell
from tests.detect.drift.tickets import START_S, Document, Mutate, moved, nothing, stream

PER_HOUR = 120
CHANGED_S = START_S + 60 * HOUR_S


@pytest.fixture(scope="module")
def known() -> Source:
    """Two and a half days of tickets."""
    source = Source("tickets")
    for at_s, document in stream(random.Random(1), START_S, CHANGED_S, PER_HOUR):
        source.observe(at_s, shape(document))
    return source


def watched(
    known: Source, change: Mutate, hours: float, samples: list[Sample] | None = None
) -> tuple[Source, list[Drift], int]:
    """Follow it on with the change, until something is found; how many seconds that took."""
    source, judged_s = copy.deepcopy(known), CHANGED_S
    for at_s, document in stream(random.Random(2), CHANGED_S, CHANGED_S + hours * HOUR_S, PER_HOUR):
        while at_s >= judged_s + TICK_S:
            judged_s += TICK_S
            if drifts := source.judge(judged_s):
                return source, drifts, judged_s - CHANGED_S
        changed = change(document)
        if changed is not None:
            seen = shape(changed)
            source.observe(at_s, seen)
            if samples is not None:
                samples.append(Sample(len(samples), at_s * 10**9, seen))
    return source, [], judged_s - CHANGED_S


def set_to(key: str, value: object, share: float = 1.0) -> Mutate:
    r = random.Random(3)
    return lambda document: document | {key: value} if r.random() < share else document


def without(key: str, share: float = 1.0) -> Mutate:
    r = random.Random(3)
    return lambda document: {k: v for k, v in document.items() if k != key or r.random() >= share}


def rename(document: Document) -> Document:
    return document | {"customer": {"id": 1, "level": "free"}}


CHANGES: dict[str, tuple[Mutate, str, What, float]] = {
    "a new place": (set_to("origin", "web"), "origin", What.APPEARED, 1),
    "gone": (without("text"), "text", What.VANISHED, 1),
    "rarer": (without("text", 0.3), "text", What.RARER, 1),
    "null": (set_to("text", None, 0.2), "text", What.MORE_NULL, 1),
    "empty": (set_to("text", "", 0.2), "text", What.MORE_EMPTY, 1),
    "another type": (set_to("id", 7), "id", What.TYPE_CHANGED, 1),
    "nested": (set_to("category", {"name": "billing"}), "category", What.NESTED, 1),
    "inside an object": (rename, "customer.tier", What.VANISHED, 1),
    "a new value": (set_to("category", "unheard-of", 0.2), "category", What.VALUE_NEW, 3),
    "a value that vanishes": (
        lambda d: d if d["category"] != "technical" else None,
        "category",
        What.VALUE_COLLAPSED,
        3,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found_where_it_is(known: Source, name: str) -> None:
    change, path, what, hours = CHANGES[name]
    _, drifts, _ = watched(known, change, hours)
    found = {(drift.change.path, drift.change.what) for drift in drifts}
    also = {What.RARER} if what is What.VANISHED else {What.TYPE_CHANGED} if what is What.NESTED else set()
    assert (path, what) in found or any((path, other) in found for other in also), found


def test_nothing_is_found_where_nothing_changes(known: Source) -> None:
    source, judged_s = copy.deepcopy(known), CHANGED_S
    for at_s, document in stream(random.Random(4), CHANGED_S, CHANGED_S + 48 * HOUR_S, PER_HOUR):
        while at_s >= judged_s + 2 * TICK_S:
            judged_s += 2 * TICK_S
            assert source.judge(judged_s) == []
        source.observe(at_s, shape(nothing(document)))


def test_the_topic_that_moved_is_told_first_and_by_both_its_places(known: Source) -> None:
    """8 % of the tickets carry `details.topic` instead of `category`; nothing throws."""
    before = list(stream(random.Random(1), START_S, CHANGED_S, PER_HOUR))[-200:]
    samples = [Sample(number, at_s * 10**9, shape(document)) for number, (at_s, document) in enumerate(before)]
    source, drifts, after_s = watched(known, moved, 3, samples)
    causes = tell(drifts, samples, source)
    assert after_s <= 3_600
    assert causes[0].drift.change.path == "category"
    assert causes[0].moved_to == "details.topic"
    assert sentence(causes[0]).startswith("`category` is gone where `details.topic` has come")
    first = next(sample for sample in samples if any(seen.path == "details" for seen in sample.shape))
    assert [cause.begun.at_ns for cause in causes[:1] if cause.begun] == [first.at_ns]
    assert all(any(seen.path == "details" for seen in samples[number].shape) for number in causes[0].affected)


def test_it_stays_found_for_days_and_is_over_when_it_is_undone(known: Source) -> None:
    source, judged_s, found = copy.deepcopy(known), CHANGED_S, []
    undone_s = CHANGED_S + 40 * HOUR_S
    for at_s, document in stream(random.Random(5), CHANGED_S, CHANGED_S + 80 * HOUR_S, PER_HOUR):
        while at_s >= judged_s + HOUR_S:
            judged_s += HOUR_S
            found.append((judged_s, bool(source.judge(judged_s))))
        source.observe(at_s, shape(moved(document) if at_s < undone_s else document))
    assert all(bad for at_s, bad in found if CHANGED_S + 2 * HOUR_S < at_s <= undone_s)
    assert not any(bad for at_s, bad in found if at_s > undone_s + 2 * HOUR_S)
    learned = source.pasts[ONLY].courses["category"][Share("category", Stat.PRESENT)]
    assert learned.share > 0.9995  # the hours in which it was so are not how things are, none of them


def test_what_came_and_went_is_told_once_and_what_was_lost_is_told_each_time(known: Source) -> None:
    """A campaign of two hours brings a place and loses another; six hours later there is one more."""
    source, judged_s = copy.deepcopy(known), CHANGED_S
    told: dict[str, list[int]] = {"campaign": [], "text": []}
    for at_s, document in stream(random.Random(7), CHANGED_S, CHANGED_S + 10 * HOUR_S, PER_HOUR):
        while at_s >= judged_s + 2 * TICK_S:
            judged_s += 2 * TICK_S
            for drift in source.judge(judged_s):
                told[drift.change.path].append((judged_s - CHANGED_S) // HOUR_S)
        on = (at_s - CHANGED_S) // HOUR_S in (0, 1, 7, 8)
        changed = {key: value for key, value in document.items() if key != "text"} | {"campaign": "spring"}
        source.observe(at_s, shape(changed if on else document))
    assert set(told["campaign"]) <= {0, 1, 2}
    assert told["campaign"]
    assert {0, 1, 7, 8} <= set(told["text"]) <= {0, 1, 2, 7, 8, 9}


def test_a_failure_that_was_put_right_is_found_as_fast_when_it_comes_again(known: Source) -> None:
    source, judged_s, r = copy.deepcopy(known), CHANGED_S, random.Random(8)
    fails, waits = (0, 30), dict[int, float]()
    for at_s, document in stream(random.Random(7), CHANGED_S, CHANGED_S + 32 * HOUR_S, PER_HOUR):
        hour = (at_s - CHANGED_S) / HOUR_S
        since = next((start for start in fails if start <= hour < start + 2), None)
        while at_s >= judged_s + (TICK_S if since is not None else HOUR_S):
            judged_s += TICK_S if since is not None else HOUR_S
            if any(drift.change.path == "text" for drift in source.judge(judged_s)) and since is not None:
                waits.setdefault(since, (judged_s - CHANGED_S) / HOUR_S - since)
        source.observe(at_s, shape(document | {"text": None} if since is not None and r.random() < 0.3 else document))
    assert waits.keys() == set(fails)
    assert waits[30] <= waits[0] + 0.25


def test_a_change_that_is_just_large_enough_is_told_once(known: Source) -> None:
    """A sender of a fiftieth of all documents lacks a place from now on, and sends a little more and a little less."""
    past, now = known._before(ONLY, CHANGED_S), Profile()
    for number in range(4_000):
        document = {key: 1 for key in past.courses if "." not in key and "[" not in key and key != ROOT}
        now.add(shape(document if number % 60 else {key: 1 for key in document if key != "text"}))
    lacking = Share("text", Stat.PRESENT)
    first = {change.share for change in compare(past, now, 24 * HOUR_S, 24)}
    again = {change.share for change in compare(past, now, 24 * HOUR_S, 24, {lacking})}
    assert lacking not in first
    assert lacking in again


def test_words_that_all_change_at_once_go_on_being_told(known: Source) -> None:
    """That several came together does not show that they come now and then."""
    source, judged_s, told = copy.deepcopy(known), CHANGED_S, list[set[str]]()
    for at_s, document in stream(random.Random(9), CHANGED_S, CHANGED_S + 6 * HOUR_S, PER_HOUR):
        while at_s >= judged_s + HOUR_S:
            judged_s += HOUR_S
            told.append({drift.change.share.value for drift in source.judge(judged_s)})
        source.observe(at_s, shape(document | {"category": document["category"].upper()}))
    assert {"DELIVERY", "TECHNICAL", "OTHER"} <= told[-1]


def test_what_was_accepted_is_not_found_again_but_a_further_change_is(known: Source) -> None:
    change = without("text", 0.3)
    source, drifts, after_s = watched(known, change, 1)
    for drift in drifts:
        source.accept(drift.variant, drift.change, CHANGED_S + after_s)
    known_now = copy.deepcopy(source)
    judged_s, r = CHANGED_S + HOUR_S, random.Random(6)
    for at_s, document in stream(r, judged_s, judged_s + 12 * HOUR_S, PER_HOUR):
        while at_s >= judged_s + HOUR_S:
            judged_s += HOUR_S
            assert known_now.judge(judged_s) == []
        known_now.observe(at_s, shape(change(document) or {}))
    further: set[str] = set()
    for at_s, document in stream(r, judged_s, judged_s + 2 * HOUR_S, PER_HOUR):
        while at_s >= judged_s + TICK_S:
            judged_s += TICK_S
            further |= {drift.change.path for drift in known_now.judge(judged_s)}
        known_now.observe(at_s, shape({key: value for key, value in document.items() if key != "text"}))
    assert further == {"text"}


def test_a_source_is_not_judged_before_it_is_known() -> None:
    source = Source("young")
    for at_s, document in stream(random.Random(7), START_S, START_S + 2 * HOUR_S, PER_HOUR):
        source.observe(at_s, shape(document))
        assert source.judge(at_s) == []


def test_a_map_keyed_by_names_is_one_place_and_its_keys_are_no_drift() -> None:
    """People come and go; what each of them holds is the same, and what changes inside is found in one place."""
    people = ["anna", "ben", "carol", "dan", "eve", "finn", "gus", "hana", "ivan", "jo", "kim", "lea"]
    source, r = Source("desk"), random.Random(10)

    def desk(at_s: int, share: float = 1.0) -> Document:
        here = [name for place, name in enumerate(people) if (at_s // (8 * HOUR_S) + place) % 3]
        return {"team": {name: {"open": 1, **({"since": "x"} if r.random() < share else {})} for name in here}}

    judged_s = START_S
    for at_s, _ in stream(random.Random(1), START_S, CHANGED_S, PER_HOUR):
        if at_s >= judged_s + HOUR_S:
            judged_s += HOUR_S
            assert source.judge(judged_s) == []
        source.observe(at_s, shape(desk(at_s)))
    assert source.maps == {"team"}
    for at_s, _ in stream(random.Random(2), CHANGED_S, CHANGED_S + HOUR_S, PER_HOUR):
        source.observe(at_s, shape(desk(at_s, 0.8)))
    assert {drift.change.path for drift in source.judge(CHANGED_S + HOUR_S)} == {"team.*.since"}


def test_one_place_that_drifts_does_not_keep_the_others_from_being_learned(known: Source) -> None:
    source, judged_s = copy.deepcopy(known), CHANGED_S
    r, news = random.Random(11), set()
    for at_s, document in stream(random.Random(5), CHANGED_S, CHANGED_S + 60 * HOUR_S, PER_HOUR):
        while at_s >= judged_s + HOUR_S:
            judged_s += HOUR_S
            news |= {drift.change.path for drift in source.judge(judged_s)}
        extra = {"trial": 1} if at_s < CHANGED_S + 30 * HOUR_S and r.random() < 0.05 else {}
        source.observe(
            at_s, shape({**document, "brand_new": 1, **extra} | ({"text": None} if r.random() < 0.3 else {}))
        )
    assert news == {"brand_new", "text", "trial"}
    assert [drift.change.path for drift in source.judge(judged_s)] != []
    past = source._before("(document)", judged_s - HOUR_S)
    assert past.hours > 85
    assert "brand_new" not in past.courses


@pytest.mark.parametrize(
    ("before", "after"), [(["1.4.0", "1.4.1"], "1.5.0"), (["promo 12", "promo 13", "receipt"], "promo 14")]
)
def test_the_next_of_a_series_is_no_news(before: list[str], after: str) -> None:
    source, r, judged_s = Source("app"), random.Random(12), CHANGED_S
    for at_s, _ in stream(random.Random(1), START_S, CHANGED_S, PER_HOUR):
        source.observe(at_s, shape({"version": r.choice(before)}))
    for at_s, _ in stream(random.Random(2), CHANGED_S, CHANGED_S + 8 * HOUR_S, PER_HOUR):
        while at_s >= judged_s + HOUR_S:
            judged_s += HOUR_S
            assert source.judge(judged_s) == []
        source.observe(at_s, shape({"version": after if r.random() < 0.9 else before[0]}))


def test_where_values_come_now_and_then_a_third_is_no_news(known: Source) -> None:
    source, judged_s, told = copy.deepcopy(known), CHANGED_S, []
    names = ["ash", "birch", "cedar", "elm"]
    for at_s, document in stream(random.Random(13), CHANGED_S, CHANGED_S + 96 * HOUR_S, PER_HOUR):
        while at_s >= judged_s + HOUR_S:
            judged_s += HOUR_S
            told += [drift.change.share.value for drift in source.judge(judged_s)]
        day = (at_s - CHANGED_S) // (24 * HOUR_S)
        source.observe(at_s, shape(document | {"category": names[day]} if at_s % 3 == 0 else document))
    assert {"ash", "birch"} <= set(told)
    assert not {"cedar", "elm"} & set(told)


def test_the_loss_of_most_is_told_though_the_rest_is_more_frequent_for_it() -> None:
    """Of 80, 10 and 10 in a hundred, the 80 no longer come: the others did not take their place."""
    source, r, found = Source("chat"), random.Random(14), set()
    for at_s, _ in stream(random.Random(1), START_S, CHANGED_S, PER_HOUR):
        source.observe(at_s, shape({"kind": r.choices(["private", "group", "channel"], [8, 1, 1])[0], "id": at_s}))
    for at_s, _ in stream(random.Random(2), CHANGED_S, CHANGED_S + 2 * HOUR_S, PER_HOUR // 4):
        source.observe(at_s, shape({"kind": r.choice(["group", "channel"]), "id": at_s}))
        found |= {(drift.change.what, drift.change.share.value) for drift in source.judge(at_s)}
    assert (What.VALUE_COLLAPSED, "private") in found


def followed(source: Source, documents: Callable[[random.Random, int], Document], hours: float) -> set[tuple[str, str]]:
    """What is told of documents that go on in their own way for so long, 30 an hour, looked at every hour."""
    r, told, judged_s = random.Random(21), set(), START_S
    for number in range(int(hours * 30)):
        at_s = START_S + 120 * number
        if at_s >= judged_s + HOUR_S:
            judged_s = at_s
            told |= {(drift.change.path, drift.change.what.value) for drift in source.judge(at_s)}
        source.observe(at_s, shape(documents(r, at_s)))
    return told


def test_what_is_switched_on_and_off_for_half_days_is_no_news() -> None:
    """Documents of one stretch are alike: hundreds of them are one witness, not hundreds."""

    on = [random.Random(3_000 + stretch).random() < 0.45 for stretch in range(12)]

    def documents(r: random.Random, at_s: int) -> Document:
        tried = on[(at_s - START_S) // (9 * HOUR_S)] and r.random() < 0.6
        return {"id": at_s, **({"trial": r.choice(["a", "b"])} if tried else {})}

    assert followed(Source("shop"), documents, 4 * 24) == set()


def test_a_value_that_gives_way_every_few_days_is_told_once_at_most() -> None:
    names = ["mira", "theo", "sam", "lou", "ada", "kai"]

    def documents(r: random.Random, at_s: int) -> Document:
        return {"id": at_s, "on_duty": names[(at_s - START_S) // (50 * HOUR_S) % 6]}

    told = followed(Source("desk"), documents, 8 * 24)
    assert told <= {("on_duty", "value_new")}


def test_what_comes_in_several_kinds_at_once_is_told_of_one() -> None:
    r, source, told = random.Random(22), Source("events"), []
    for number in range(72 * 120):
        at_s = START_S + 30 * number
        kind = r.choice(["a", "b"])
        body: Document = {"type": kind, "id": number, **({"x": 1, "y": 2} if kind == "a" else {"z": 3, "w": 4})}
        source.observe(at_s, shape(body | ({"origin": "web"} if at_s >= CHANGED_S else {})))
        if at_s % HOUR_S == 0 and at_s > CHANGED_S:
            told.append([(drift.variant, drift.change.path) for drift in source.judge(at_s)])
    assert told[-1] == told[0]
    assert [path for _, path in told[0]] == ["origin"]


def test_what_came_and_went_in_several_kinds_is_not_told_of_the_rare_one_when_the_other_has_ended() -> None:
    source, told = Source("events"), set()
    for number in range(72 * 120):
        at_s = START_S + 30 * number
        kind = "b" if number % 12 == 0 else "a"
        body: Document = {"type": kind, "id": number, **({"x": 1, "y": 2} if kind == "a" else {"z": 3, "w": 4})}
        comes = (at_s - CHANGED_S) // HOUR_S in (0, 1)
        source.observe(at_s, shape(body | ({"origin": "web"} if comes else {})))
        if at_s % TICK_S == 0 and at_s > CHANGED_S:
            told |= {drift.variant for drift in source.judge(at_s)}
    assert told == {"a"}


def test_days_of_the_week_are_no_news_although_only_one_was_seen_at_first() -> None:
    names = ["Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday"]

    def documents(r: random.Random, at_s: int) -> Document:
        day = (at_s - START_S) // (24 * HOUR_S)
        return {"id": at_s, "weekday": names[day % 7], "import": r.choice(["web", "app"]) if day else "web"}

    assert followed(Source("shop"), documents, 5 * 24) == set()


def test_a_key_more_is_no_news_where_none_is_always_there_and_is_where_one_is() -> None:
    """Of trials one or the other runs; a third is one more of them. A field of the document itself is another thing."""

    def documents(r: random.Random, at_s: int) -> Document:
        third = at_s >= START_S + 60 * HOUR_S
        keys = ["red", "blue", *(["green"] if third else [])]
        return {"id": at_s, "trials": {r.choice(keys): "a"}, "order": {"total": 1, **({"tax": 2} if third else {})}}

    assert followed(Source("shop"), documents, 63) == {("order.tax", "appeared")}


def test_one_more_key_is_no_news_where_keys_come_one_after_the_other() -> None:
    """Whoever sends has a key of its own, and new ones come every day."""

    def documents(r: random.Random, at_s: int) -> Document:
        days = (at_s - START_S) // (24 * HOUR_S)
        key = f"key_{'abcdefg'[r.randrange(days + 1)]}"
        return {"id": at_s, "metadata": {key: "x", **({"note": "y"} if r.random() < 0.9 else {})}}

    assert len(followed(Source("shop"), documents, 5 * 24)) <= 2
