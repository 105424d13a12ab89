"""What is done to values after the engine has answered."""

from __future__ import annotations

import math

import pytest

from botwatch import limits
from botwatch.errors import BadRequest
from botwatch.measure import frames
from botwatch.measure.frames import UNKNOWN, Frame, Values
from botwatch.measure.model import Fold
from botwatch.measure.price import Price
from botwatch.measure.window import Kept, window

WINDOW = window(0, 30, 10, kept=Kept(), zone="UTC")


def frame(by: tuple[str, ...], groups: dict[tuple[str, ...], Values]) -> Frame:
    return Frame(by, WINDOW, groups)


def test_what_was_seen_and_not_counted_is_zero() -> None:
    counted = frame(("bot", "action"), {("shop", "greet"): [3, None, None]})
    seen = frame(("bot",), {("shop",): [1, 1, None], ("help",): [1, None, None]})
    assert frames.fill_seen(counted, seen).groups == {("shop", "greet"): [3, 0, None]}
    by_bot = frame(("bot",), {("shop",): [3, None, None]})
    assert frames.fill_seen(by_bot, seen).groups == {("shop",): [3, 0, None], ("help",): [0, None, None]}
    assert by_bot.groups == {("shop",): [3, None, None]}


def test_who_was_seen_somewhere_was_not_seen_nowhere() -> None:
    seen = frame(("bot", "host"), {("shop", "a"): [1, 1, 1], ("shop", ""): [1, 1, 1], ("cloud", ""): [1, 1, 1]})
    assert set(frames.fill_seen(frame(("bot", "host"), {}), seen).groups) == {("shop", "a"), ("cloud", "")}


def test_the_first_that_knows_anything_is_preferred_for_each_group() -> None:
    told = frame(("bot", "host"), {("a", "1"): [None, 2, None], ("b", "1"): [None, None, None]})
    counted = frame(("bot", "host"), {("a", "1"): [9, 9, 9], ("a", "2"): [9, 9, 9], ("b", "1"): [4, 5, 6]})
    assert frames.prefer([told, counted], ("bot",)).groups == {("a", "1"): [None, 2, None], ("b", "1"): [4, 5, 6]}


@pytest.mark.parametrize(
    ("how", "expected"), [(Fold.SUM, [3, 2, None]), (Fold.MEAN, [1.5, 2, None]), (Fold.MAX, [2, 2, None])]
)
def test_groups_nobody_asked_for_are_folded(how: Fold, expected: Values) -> None:
    apart = frame(("bot", "host"), {("a", "1"): [1, None, None], ("a", "2"): [2, 2, None]})
    assert frames.fold(apart, ("bot",), how).groups == {("a",): expected}
    assert frames.fold(apart, (), how).groups == {(): expected}


def test_a_cost_leaves_out_what_has_no_price_and_says_so() -> None:
    by = ("bot", "model", "provider")
    keys = [("shop", "good", "p"), ("shop", "odd", ""), ("help", "odd", "p")]
    calls = frame(by, {key: [1, 0, 2] for key in keys})
    tokens = frame(by, {key: [100, 0, 200] for key in keys})
    found = frames.cost(
        calls, tokens, tokens, lambda provider, model, _: Price(1, 0.5, 0.25) if model == "good" else None
    )
    assert found.groups[keys[0]] == [76, None, 152]
    by_bot = frames.fold(found, ("bot",), Fold.SUM)
    assert by_bot.groups[("shop",)] == [76, None, 152]
    assert math.isnan(by_bot.groups[("help",)][0] or 0)
    assert frames.shown(by_bot).groups[("help",)] == [None, None, None]
    assert by_bot.notes == [
        "no price is known for odd: it is left out",
        "no price is known for odd of p: it is left out",
    ]
    # A gap is filled, an unknown is not.
    seen = frame(("bot",), {("shop",): [1, 1, 1], ("help",): [1, 1, 1]})
    assert frames.shown(frames.fill_seen(by_bot, seen)).groups[("help",)] == [None, 0, None]


def test_finer_buckets_are_brought_together() -> None:
    """The first begins before the window does, and the last ends after it."""
    outer = window(10, 50, 30, kept=Kept(), zone="UTC")
    inner = window(10, 50, 10, kept=Kept(), zone="UTC")
    finer = Frame(("bot",), inner, {("a",): [1, 2, 4, None], ("b",): [None, UNKNOWN, None, UNKNOWN]}, ["told"])
    found = frames.rebucket(finer, outer)
    assert frames.shown(found).groups == {("a",): [3, 4], ("b",): [None, None]}
    assert math.isnan(found.groups[("b",)][0] or 0)
    assert found.notes == ["told"]


def test_notes_are_bounded() -> None:
    by = ("model", "provider")
    many = frame(by, {(f"m{i}", ""): [1, None, None] for i in range(50)})
    notes = frames.cost(many, many, many, lambda *_: None).notes
    assert len(notes) == limits.MEASURE_NOTES_MAX + 1
    assert notes[-1] == f"and for {50 - limits.MEASURE_NOTES_MAX} more models"


def test_unknown_stays_unknown_through_a_rate() -> None:
    rate = frames.by_the_second(frame((), {(): [20, None, UNKNOWN]}))
    assert frames.shown(rate).groups == {(): [2, None, None]}


def test_an_answer_that_is_too_large_is_refused() -> None:
    wide = window(0, 10_000 * 10, 10, kept=Kept(), zone="UTC")
    many = Frame(("bot",), wide)
    for i in range(limits.MEASURE_CELLS_MAX // 10_000):
        many.group((str(i),))
    with pytest.raises(BadRequest, match="too large"):
        many.group(("one more",))
    with pytest.raises(BadRequest, match="too large"):
        frames.from_rows([(0, 1.0, 1)] * (limits.MEASURE_ROWS_MAX + 1), 1, 2, (), WINDOW)
