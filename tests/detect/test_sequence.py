"""A change of any size and length is seen as soon as chance allows, and what is over is seen to be over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from botwatch.detect import sequence
from botwatch.detect.finding import Floats
from botwatch.detect.scatter import Scatter
from botwatch.detect.sequence import Asked, Found, Sums

REACH = 1_080
RATE = 300 / 360  # a tick
ASKED = Asked(
    low=True, high=False, change=0.2, often=0.1, expected_min=10, beside=False, shown=90
)  # fmt: skip


def scatter(rows: int, noise: float = 1.0, own: float = 0.0, common: float = 0.0, vouch: float = 0.0) -> Scatter:
    return Scatter(*(np.full(rows, value) for value in (noise, own, common, vouch)))


def judged(came: Floats, asked: Asked = ASKED, known: Scatter | None = None, others: Floats | None = None) -> Found:
    """All but the first ticks; `others` is how many times of what is usual they bring."""
    rows, usual = len(came), np.full(came.shape, RATE)
    beside = usual if others is None else usual * others
    sums = Sums(*(np.concatenate((np.zeros((rows, 1)), part.cumsum(axis=1)), axis=1) for part in (came, usual, beside)))
    day, usable = np.full(rows, RATE * 8_640), np.ones(rows, dtype=np.bool_)
    return sequence.judge(sums, known or scatter(rows), day, usable, asked, came.shape[1] - REACH)


def poisson(rows: int, *lengths: tuple[int, float]) -> Floats:
    """So many ticks at so many times the usual rate, one after the other, behind those that are looked back to."""
    random = np.random.default_rng(1)
    parts = [random.poisson(RATE * times, (rows, ticks)) for ticks, times in ((REACH, 1.0), *lengths)]
    return np.concatenate(parts, axis=1).astype(np.float64)


def first(found: Found) -> Floats:
    """In minutes; infinite where there is none."""
    return np.where(found.breached.any(axis=1), (found.breached.argmax(axis=1) + 1) / 6, np.inf)


class TestLines:
    @pytest.mark.parametrize("known", [scatter(1), scatter(1, 1.4, 0.001), scatter(1, 1.2, 0.0005, 0.01, 2.0)])
    @pytest.mark.parametrize("low", [True, False])
    def test_each_touches_the_border_of_chance(self, known: Scatter, low: bool) -> None:
        """Where it does, what came is as surprising as it has to be; beyond and before it is less so by that line."""
        for line, left in zip(
            sequence.lines(known, np.full(1, 7_200.0), ASKED, low=low), sequence.LEFT[:5], strict=True
        ):
            ratio = left if low else 1 / left
            (size,) = line.limit[:, 0] / np.abs(line.rise - ratio)[:, 0]

            def surprising(usual: float, came: float) -> float:
                deviance = came * np.log(came / usual) - came + usual
                shared = known.common / (1 + usual * known.vouch * known.common)
                return float((deviance / (known.noise + (known.own + shared) * usual))[0])

            (nats,) = line.nats[:, 0]
            assert surprising(size, ratio * size) == pytest.approx(nats)
            for other in (0.8, 1.25):  # along the line
                sign = -1 if low else 1
                came = line.rise[0, 0] * size * other + sign * line.limit[0, 0]
                assert came <= 0 or surprising(size * other, came) > nats

    def test_what_scatters_too_much_cannot_be_told(self) -> None:
        lines = sequence.lines(scatter(1, own=0.02), np.full(1, 7_200.0), ASKED, low=True)
        assert [bool(np.isfinite(line.limit[0, 0])) for line in lines] == [True, True, False, False, False]

    def test_only_changes_as_great_as_asked_for(self) -> None:
        assert len(sequence.lines(scatter(1), np.ones(1), replace(ASKED, change=0.95), low=True)) == 1


class TestLowest:
    @pytest.mark.parametrize("width", [1, 2, 7, 64, 199, 200])
    def test_it_is_the_lowest_of_so_many(self, width: int) -> None:
        values = np.random.default_rng(width).normal(size=(3, 200)).cumsum(axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(values, width, axis=1)
        np.testing.assert_array_equal(sequence.lowest(values, width), windows.min(axis=2))

    def test_where_it_is_since_any_moment(self) -> None:
        random = np.random.default_rng(1)
        values = random.normal(size=(5, 200)).cumsum(axis=1)
        rows, since = random.integers(0, 5, 300), random.integers(0, 150, 300)
        until = np.minimum(since + random.integers(0, 200, 300), 199)
        found = sequence.lowest_since(values, rows, since, until)
        expected = [s + values[r, s : u + 1].argmin() for r, s, u in zip(rows, since, until, strict=True)]
        assert found.tolist() == expected


class TestFound:
    def test_a_part_is_found_nearly_as_soon_as_by_whoever_knows_what_to_look_for(self) -> None:
        for left, minutes in ((0.7, 60), (0.5, 21), (0.2, 8), (0.0, 4.5)):
            took = first(judged(poisson(40, (720, left))))
            assert np.median(took) <= minutes

    def test_it_says_since_when(self) -> None:
        found = judged(poisson(40, (180, 1.0), (360, 0.4)))
        at = found.breached.argmax(axis=1)
        rows = np.arange(40)
        began = at - found.span[rows, at] + 1
        assert np.abs(np.median(began - 180)) <= 12
        assert (found.came[rows, at] < 0.8 * found.usual[rows, at]).all()

    def test_of_chance_alone_little_is_made_up(self) -> None:
        assert (
            judged(poisson(40, (8_640, 1.0))).breached.any(axis=1).sum() <= 1
        )  # 40 days, where three in 1,200 are due
        assert judged(poisson(40, (2_160, 0.95))).breached.any(axis=1).sum() <= 2  # less, but not by a fifth

    def test_more_than_usual_where_that_is_asked_for(self) -> None:
        high = replace(ASKED, low=False, high=True)
        assert np.median(first(judged(poisson(20, (720, 1.5)), high))) <= 30
        assert not judged(poisson(20, (720, 0.0)), high).breached.any()

    def test_what_is_back_is_over_and_does_not_come_again(self) -> None:
        found = judged(poisson(40, (360, 0.3), (1_080, 1.0)))
        assert found.breached[:, 300:360].all()
        over = 360 + np.argmax(found.over[:, 360:], axis=1)
        assert np.median(over - 360) <= 240
        assert not found.breached[:, 900:].any()
        assert found.over[:, 600:].mean() > 0.85

    def test_what_falls_again_is_found_again(self) -> None:
        found = judged(poisson(40, (360, 0.0), (360, 1.0), (720, 0.5)))
        again = np.where(found.breached[:, 720:].any(axis=1), found.breached[:, 720:].argmax(axis=1), 9_999)
        assert found.breached[:, 630:720].any(axis=1).sum() <= 4
        assert np.median(again) <= 21 * 6

    def test_what_nobody_watched_says_nothing(self) -> None:
        came, usual = poisson(2, (360, 1.0)), np.full((2, REACH + 360), RATE)
        came[:, -300:-100] = usual[:, -300:-100] = 0
        sums = Sums(*(np.concatenate((np.zeros((2, 1)), part.cumsum(axis=1)), axis=1) for part in (came, usual, usual)))
        found = sequence.judge(sums, scatter(2), np.full(2, 7_200.0), np.ones(2, dtype=np.bool_), ASKED, 360)
        assert not found.breached.any()


class TestBeside:
    ASKED = replace(ASKED, beside=True)
    KNOWN = scatter(40, common=0.001, vouch=2.0)

    def _judged(self, times: float, others: float) -> Found:
        random, came = np.random.default_rng(2), poisson(40, (720, times))
        theirs = (
            random.poisson(np.where(np.arange(came.shape[1]) < REACH, 1.0, others) * 2 * RATE, came.shape) / 2 / RATE
        )
        return judged(came, self.ASKED, self.KNOWN, theirs)

    def test_it_is_found_where_the_others_are_as_usual(self) -> None:
        assert np.median(first(self._judged(0.5, 1.0))) <= 24

    @pytest.mark.parametrize(("times", "others"), [(0.5, 0.5), (1.0, 2.0), (0.1, 0.1)])
    def test_where_all_fall_or_others_rise_it_is_none(self, times: float, others: float) -> None:
        assert self._judged(times, others).breached.any(axis=1).sum() <= 1

    def test_it_is_found_also_while_all_have_fallen(self) -> None:
        assert np.isfinite(first(self._judged(0.1, 0.5))).mean() > 0.9
