"""When a change began: by documents where they go back so far, by what was counted where they do not."""

from __future__ import annotations

import copy
import random

import pytest

from botwatch.detect.drift.compare import Change, What
from botwatch.detect.drift.profile import Share, Stat
from botwatch.detect.drift.shape import shape
from botwatch.detect.drift.since import Begun, turning
from botwatch.detect.drift.source import HOUR_S, Drift, Source
from botwatch.detect.drift.story import Cause, Sample, beginning, sentence, tell
from tests.detect.drift.tickets import START_S, Document, stream

CHANGED_S = START_S + 60 * HOUR_S
LASTED_S = 4 * HOUR_S
MINUTE_NS = 60 * 10**9


def test_where_marks_turn_is_told_and_how_well_it_is_known() -> None:
    assert turning([False] * 50 + [True] * 5) == (50, 49, 50)
    assert turning([False, True] * 40) is None
    assert turning([]) is None
    faint = turning(([False] * 9 + [True]) * 8 + ([False] * 3 + [True]) * 12)
    assert faint is not None
    assert faint.first < faint.at < faint.last
    assert faint.first <= 80 <= faint.last


def test_what_comes_is_not_told_by_how_it_goes() -> None:
    marks = [True] * 30 + [False] * 30
    assert turning(marks) is None
    assert turning(marks, falls=True) == (30, 30, 30)


@pytest.fixture(scope="module")
def known() -> tuple[Source, list[Sample]]:
    """Of 300 tickets an hour a tenth has no words, and for four hours three tenths; an hour later."""
    r, source, samples = random.Random(1), Source("tickets"), list[Sample]()
    over_s = CHANGED_S + LASTED_S
    for at_s, document in stream(r, START_S, over_s + HOUR_S, 300):
        seen = shape(quiet(r, document, 0.3 if CHANGED_S <= at_s < over_s else 0.1))
        source.observe(at_s, seen)
        samples.append(Sample(len(samples), at_s * 10**9, seen))
    return source, samples


def quiet(r: random.Random, document: Document, share: float) -> Document:
    return document | {"text": ""} if r.random() < share else document


def change(source: Source) -> Drift:
    """What a look of six hours finds."""
    pieces = [profile.places["text"] for _, profile in source.pieces("(document)", CHANGED_S - HOUR_S)]
    empty, of = sum(place.empty for place in pieces), sum(place.filled for place in pieces)
    return Drift(
        "(document)", Change(What.MORE_EMPTY, Share("text", Stat.EMPTY), 1_500, 15_000, empty, of, 60.0), 6 * HOUR_S
    )


def test_a_faint_change_that_documents_do_not_go_back_to_is_told_by_the_hours(
    known: tuple[Source, list[Sample]],
) -> None:
    """All that is kept is of the last half hour, in which it was over."""
    source, samples = known
    cause = tell([change(source)], samples[-150:], source)[0]
    assert cause.begun is not None
    assert abs(cause.begun.at_ns // 10**9 - CHANGED_S) < HOUR_S / 2
    assert cause.begun.after_ns // 10**9 <= CHANGED_S <= cause.begun.until_ns // 10**9
    assert "gone" not in sentence(cause)
    shown = {seen.empty for number in cause.affected for seen in samples[number].shape if seen.path == "text"}
    assert shown == {1}


def test_documents_that_go_back_so_far_tell_it_better(known: tuple[Source, list[Sample]]) -> None:
    source, samples = known
    before = [sample for sample in samples if sample.at_ns // 10**9 >= CHANGED_S - HOUR_S]
    cause = tell([change(source)], before, source)[0]
    assert cause.begun is not None
    assert abs(cause.begun.at_ns // 10**9 - CHANGED_S) < HOUR_S / 6
    assert cause.begun.at_ns in {sample.at_ns for sample in before}


def test_without_anything_counted_the_documents_alone_tell(known: tuple[Source, list[Sample]]) -> None:
    source, samples = known
    late = [sample for sample in samples if CHANGED_S - HOUR_S <= sample.at_ns // 10**9 < CHANGED_S + HOUR_S]
    young = Source("tickets", kinds=copy.deepcopy(source.kinds))
    assert tell([change(source)], [], young)[0].begun is None
    assert tell([change(source)], late, young)[0].begun is not None


def test_a_change_began_with_the_nearest_it_may_have_begun_with() -> None:
    known_ns = [minutes * MINUTE_NS for minutes in (100, 160, 900)]
    drift = Drift("", Change(What.APPEARED, Share("new", Stat.PRESENT), 0.0, 900.0, 9.0, 20.0, 50.0), HOUR_S)

    def began(*minutes: int) -> int | None:
        begun = Begun(*(at * MINUTE_NS for at in minutes)) if minutes else None
        found = beginning(Cause(drift, "", begun, (), ()), known_ns)
        return None if found is None else found // MINUTE_NS

    assert began() is None
    assert began(130, 120, 150) == 130
    assert began(130, 120, 200) == 160
    assert began(120, 90, 200) == 100
    assert began(530, 0, 2_000) == 530, "what is known to half a day only belongs to nothing"
