"""Which kinds of documents there are: found by themselves, told apart, and bounded."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from botwatch import limits
from botwatch.detect.drift.kinds import REST, Kinds, choose
from botwatch.detect.drift.shape import shape
from botwatch.detect.drift.source import EVERY, HOUR_S, Source
from tests.detect.drift.tickets import START_S, Document, stream

PER_HOUR = 120
CHANGED_S = START_S + 60 * HOUR_S


def platform(r: random.Random) -> Document:
    """Three kinds, one of them rare, each with places of its own."""
    kind = r.choices(["message", "reaction", "join"], [80, 18, 2])[0]
    body: Document = {"type": kind, "user": f"U{r.randint(10**8, 10**9)}"}
    if kind == "message":
        return body | {"text": "hello", "channel": "C1", "thread": None if r.random() < 0.5 else "1.2"}
    return body | ({"item": {"id": 1}, "emoji": "+1"} if kind == "reaction" else {"team": {"id": 2}})


def carried(r: random.Random) -> Document:
    body: Document = {"update": r.randint(1, 10**6)}
    kind = r.choices(["message", "callback", "edited"], [8, 1, 1])[0]
    return body | {kind: {"id": 1, "data" if kind == "callback" else "text": "x"}}


@pytest.mark.parametrize(
    ("make", "kinds"),
    [
        (platform, Kinds(("type",))),
        (carried, Kinds((), ("callback", "edited", "message"))),
        (lambda r: {"a": r.choice("xyz"), "b": 1}, Kinds()),
    ],
)
def test_kinds_are_found_by_themselves(make: Callable[[random.Random], Document], kinds: Kinds) -> None:
    r = random.Random(8)
    assert choose([shape(make(r)) for _ in range(400)]) == kinds


def test_a_rare_kind_that_comes_more_often_is_not_a_change_of_the_others() -> None:
    source, r = Source("platform"), random.Random(9)
    for at_s, _ in stream(random.Random(1), START_S, CHANGED_S, PER_HOUR):
        source.observe(at_s, shape(platform(r)))
    for at_s, _ in stream(random.Random(2), CHANGED_S, CHANGED_S + 3 * HOUR_S, PER_HOUR):
        document = platform(r)
        source.observe(at_s, shape(document if r.random() < 0.9 else {"type": "join", "user": "U1", "team": {"id": 2}}))
    assert {drift.change.path for drift in source.judge(CHANGED_S + 3 * HOUR_S)} <= {"(kind)"}


def of_customers(r: random.Random) -> Document:
    """What each fills in is its own matter, and differs by what happened."""
    who, what = r.randint(0, 39), r.choice(["created", "moved", "ended"])
    own = {f"own_{number}": 1 for number in range(8) if (who * 7 + len(what)) >> number & 1}
    return {"who": who, "what": what, "text": "hello"} | own


def test_customers_are_no_kinds_where_there_would_be_too_many() -> None:
    r = random.Random(4)
    seen = [shape(of_customers(r)) for _ in range(limits.DRIFT_DOCUMENTS_KEPT_MAX)]
    kinds = choose(seen)
    assert len({kinds.of(each) for each in seen}) <= limits.DRIFT_VARIANTS_PER_SOURCE_MAX


def of_shops(r: random.Random, shops: int) -> Document:
    """Half of the shops give every parcel a reference of their own; what happened says little about places."""
    shop, what = r.randrange(shops), r.choices(["moved", "held", "delivered"], [8, 1, 1])[0]
    body: Document = {"shop": f"shop-{shop}", "what": what, "weight": 1}
    return body | ({"order": {"id": shop, "gift": False}} if shop % 2 else {}) | ({"why": 1} if what == "held" else {})


def test_who_sends_is_no_kind_where_many_send_the_same() -> None:
    r = random.Random(5)
    assert "shop" not in choose([shape(of_shops(r, 24)) for _ in range(2_000)]).fields
    assert "shop" in choose([shape(of_shops(r, 4)) for _ in range(2_000)]).fields, "two of four are not many"


def test_so_many_kinds_are_told_apart_and_those_that_stay_away_make_room() -> None:
    source = Source("events", kinds=Kinds(("id",)))
    for number in range(400):
        source.observe(START_S + number * 600, shape({"id": number, "text": "hello"}))
    assert len(told_apart(source)) == limits.DRIFT_VARIANTS_PER_SOURCE_MAX
    later_s = START_S + 30 * 24 * HOUR_S
    for number in range(10):
        source.observe(later_s + number * HOUR_S, shape({"id": 500 + number, "text": "hello"}))
        source.judge(later_s + number * HOUR_S + 600)
    assert {"505", "509"} <= told_apart(source)
    assert len(source.pasts) <= limits.DRIFT_VARIANTS_PER_SOURCE_MAX + 2


def told_apart(source: Source) -> set[str]:
    """All that were ever counted by themselves."""
    recent = {name for _, profiles in source.kept_since(0) for name in profiles}
    return (recent | source.pasts.keys()) - {EVERY, REST}
