"""What is usual is learned from weeks; what falls out of it is found within minutes, and nothing is made up."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from botwatch.detect import band
from botwatch.detect.baseline import Baseline
from botwatch.detect.defaults_learned import LEARNED
from botwatch.detect.finding import NEVER_S, Call
from botwatch.detect.normal import learn
from botwatch.detect.past import Past
from botwatch.detect.plan import plan_of
from botwatch.detect.rule import Kind, Operand, Rule
from botwatch.detect.scatter import How, Of
from botwatch.detect.ticks import Ticks
from botwatch.detect.view import View
from botwatch.errors import CannotJudge
from tests.detect.generated import START_S, at, column, judged, openings, past_of, seasonal

RULES = {rule.name: rule for rule in LEARNED}
PART, WHOLE = RULES["Fewer messages in a channel"], RULES["Messages stop"]
PEAKS = (300, 360, 200)


def rule(field: str = "messages.in", by: str = "bot", **said: Any) -> Rule:
    return Rule.model_validate({"name": "r", "kind": "baseline", "field": field, "by": by, **said})


class TestCategory:
    def test_one_that_vanishes_is_found_within_minutes_and_stays_until_it_is_back(self) -> None:
        counts = seasonal(36, PEAKS)
        gone_s, back_s = at(34, 13), at(34, 15)
        counts[0, column(gone_s) : column(back_s)] = 0
        found = judged(PART, counts, at(34, 12), at(34, 17))
        ((subject, opened_s),) = openings(found, at(34, 12))
        assert subject == "c0"
        assert 120 <= opened_s - gone_s <= 420
        assert found.span is not None
        assert abs(found.span[0, (opened_s - at(34, 12)) // 10 - 1] * 10 - (opened_s - 30 - gone_s)) <= 60
        ends = np.flatnonzero(found.calls[0] == Call.ENDS) * 10 + at(34, 12)
        assert min(end - back_s for end in ends.tolist() if end > opened_s) <= 3_700

    @pytest.mark.parametrize(("left", "within_s"), [(0.5, 1_800), (0.7, 5_400)])
    def test_a_part_of_one_is_found_as_soon_as_chance_allows(self, left: float, within_s: int) -> None:
        counts = seasonal(36, PEAKS)
        part = slice(column(at(34, 13)), column(at(34, 16)))
        counts[0, part] = np.random.default_rng(2).binomial(counts[0, part], left)
        ((subject, opened_s),) = openings(judged(PART, counts, at(34, 12), at(34, 16)), at(34, 12))
        assert subject == "c0"
        assert 0 < opened_s - at(34, 13) <= within_s

    def test_what_one_of_them_brings_on_top_makes_the_others_no_fewer(self) -> None:
        counts = seasonal(36, PEAKS)
        counts[1, column(at(34, 13)) : column(at(34, 16))] += 3  # a thousand more an hour
        assert openings(judged(PART, counts, at(34, 12), at(34, 18)), 0) == []

    def test_one_that_has_been_gone_for_days_is_still_told(self) -> None:
        counts = seasonal(40, PEAKS)
        counts[0, column(at(36, 10)) :] = 0
        found = judged(PART, counts, at(39, 9), at(39, 18))
        assert {subject for subject, _ in openings(found, at(39, 9))} == {"c0"}
        assert (found.calls[0] != Call.ENDS).all()

    def test_where_all_of_them_stop_none_is_told_alone(self) -> None:
        counts = seasonal(36, PEAKS)
        counts[:, column(at(34, 13)) :] = 0
        assert openings(judged(PART, counts, at(34, 12), at(34, 16)), 0) == []

    def test_one_channel_alone_has_nothing_beside_it(self) -> None:
        counts = seasonal(36, PEAKS[:1])
        counts[:, column(at(34, 13)) :] = 0
        assert openings(judged(PART, counts, at(34, 12), at(34, 16)), 0) == []


class TestWhole:
    def test_messages_that_stop_are_found_within_minutes(self) -> None:
        counts = seasonal(36, (300,))
        counts[:, column(at(34, 13)) :] = 0
        ((_, opened_s),) = openings(judged(WHOLE, counts, at(34, 12), at(34, 15)), at(34, 12))
        assert opened_s - at(34, 13) <= 420

    def test_at_night_it_takes_as_long_as_there_is_little_to_expect(self) -> None:
        counts = seasonal(36, (300,))
        counts[:, column(at(34, 2)) : column(at(34, 6))] = 0
        ((_, opened_s),) = openings(judged(WHOLE, counts, at(34, 1), at(34, 6)), at(34, 1))
        assert 900 <= opened_s - at(34, 2) <= 3_600

    def test_of_three_an_hour_no_silence_is_made_up(self) -> None:
        counts = seasonal(40, (3,))
        assert openings(judged(WHOLE, counts, at(30), at(40)), 0) == []

    def test_a_holiday_is_no_silence(self) -> None:
        counts = seasonal(40, (300,))
        day = slice(column(at(34)), column(at(35)))
        counts[:, day] = np.random.default_rng(3).binomial(counts[:, day], 0.4)
        assert openings(judged(WHOLE, counts, at(33), at(37)), 0) == []


class TestTolerance:
    def test_eight_days_with_a_holiday_bring_no_false_incident(self) -> None:
        counts = seasonal(55, PEAKS, seed=5)
        holiday = slice(column(at(50)), column(at(51)))
        counts[:, holiday] = np.random.default_rng(3).binomial(counts[:, holiday], 0.5)
        assert openings(judged(PART, counts, at(47), at(55)), 0) == []

    def test_an_outage_in_the_past_is_not_learned(self) -> None:
        counts = seasonal(36, PEAKS)
        clean = past_of(PART, counts, (("shop", "c0"), ("shop", "c1"), ("shop", "c2")))
        counts[:, column(at(27, 9)) : column(at(27, 18))] = 0  # the same weekday, a week before
        broken = past_of(PART, counts, clean.subjects)
        how = How(Of.COUNT, 0.2)
        told, usual = (learn(one, None, one.subjects, at(34), how) for one in (broken, clean))
        hour = np.array([at(34, 13)]), np.array([at(34, 14)])
        there = told.mean(*hour) / usual.mean(*hour)
        assert np.abs(there - 1).max() < 0.12

    def test_a_change_of_level_is_followed_and_what_fell_out_of_the_band_is_not(self) -> None:
        counts = seasonal(40, PEAKS)
        counts[0, column(at(38)) :] *= 2
        counts[1, column(at(38)) :] = 0
        past = past_of(PART, counts, (("shop", "c0"), ("shop", "c1"), ("shop", "c2")))
        moved = learn(past, None, past.subjects, at(39), How(Of.COUNT, 0.95))
        level = moved.level[:, 12]
        assert level[0] > 1.8
        assert level[1] > 0.9
        assert abs(level[2] - 1) < 0.2

    def test_a_peak_that_comes_every_week_is_usual(self) -> None:
        counts = seasonal(36, (300,))
        for day in range(36):
            counts[:, column(at(day, 9)) : column(at(day, 10))] += np.random.default_rng(day).poisson(4, 360)
        high = rule(options={"side": "high"})
        assert openings(judged(high, counts, at(33), at(35)), 0) == []
        counts[:, column(at(34, 15)) : column(at(34, 16))] += 4
        ((_, opened_s),) = openings(judged(high, counts, at(33), at(35)), at(33))
        assert 0 <= opened_s - at(34, 15) <= 600

    def test_the_hour_of_the_week_is_that_of_the_clocks(self) -> None:
        """A shop that opens at nine, in a time zone whose clocks were put forward the day before."""
        spring = dt.datetime(2027, 3, 28, tzinfo=ZoneInfo("Europe/Zurich"))
        first_s = int((spring - dt.timedelta(days=36)).timestamp())
        hours = 40 * 24
        shown = [dt.datetime.fromtimestamp(first_s + hour * 3_600, spring.tzinfo).hour for hour in range(hours)]
        told = np.where((np.array(shown) >= 9) & (np.array(shown) < 18), 400.0, 4.0)[None]
        monday_s = (first_s + 37 * 86_400) // 86_400 * 86_400
        moments = (
            np.array([monday_s + hour * 3_600 for hour in (6, 7, 16)]),
            np.array([monday_s + hour * 3_600 for hour in (7, 8, 17)]),
        )
        pasts = (
            Past(("bot",), (("shop",),), told, np.zeros(hours, dtype=np.bool_), first_s, True, zone)
            for zone in ("Europe/Zurich", "UTC")
        )
        local, utc = (
            learn(past, None, past.subjects, monday_s, How(Of.COUNT, 0.2)).mean(*moments)[0] for past in pasts
        )
        assert local == pytest.approx([4, 400, 4], rel=0.1)  # eight, nine and six in the evening
        assert utc == pytest.approx([4, 4, 400], rel=0.1)


class TestLearning:
    @pytest.mark.parametrize(
        ("days", "told"),
        [(2, "learning, 2 of 14 days; nothing is judged before 3"), (3, "learning, 3 of 14 days"), (14, "")],
    )
    def test_how_much_is_known_is_said(self, days: int, told: str) -> None:
        past = past_of(WHOLE, seasonal(days, (300,)), (("shop",),))
        assert learn(past, None, past.subjects, at(days), How(Of.COUNT, 0.5)).learning(0) == told

    def test_before_three_days_nothing_is_judged_and_after_them_silence_is(self) -> None:
        counts = seasonal(6, (300,))
        stop = counts.copy()
        stop[:, column(at(2, 13)) :] = 0
        assert openings(judged(WHOLE, stop, at(2, 12), at(2, 16)), 0) == []
        stop = counts.copy()
        stop[:, column(at(5, 13)) :] = 0
        assert len(openings(judged(WHOLE, stop, at(5, 12), at(5, 16)), 0)) == 1

    def test_hours_nobody_watched_are_not_known(self) -> None:
        past = past_of(WHOLE, seasonal(20, (300,)), (("shop",),))
        unknown = past.unknown.copy()
        unknown[-24:] = True
        gap = Past(past.labels, past.subjects, past.values, unknown, past.first_s, counts=True)
        assert learn(gap, None, gap.subjects, at(20), How(Of.COUNT, 0.5)).days[0] == 19


def test_the_verdicts_are_those_of_the_stored_hours_alone_however_many_are_judged_at_once() -> None:
    counts = seasonal(37, PEAKS)
    counts[0, column(at(35, 13)) : column(at(35, 14))] = 0
    whole = judged(PART, counts, at(34, 20), at(36, 3))
    for hour in (21.0, 13.25, 13.5, 26.5):
        moment = at(34, hour) if hour < 24 and hour > 20 else at(35, hour - 24 if hour > 24 else hour)
        # Only the hours that have settled by then are known.
        known = counts[:, : column(moment)]
        past = past_of(PART, known, tuple(("shop", f"c{row}") for row in range(3)))
        settled = Past(past.labels, past.subjects, past.values[:, :-1], past.unknown[:-1], past.first_s, counts=True)
        alone = judged(PART, counts, moment - 10, moment, settled)
        place = (moment - at(34, 20)) // 10 - 1
        assert (alone.calls[:, -1] == whole.calls[:, place]).all()
        assert alone.expected is not None
        assert whole.expected is not None
        np.testing.assert_allclose(alone.expected[:, -1], whole.expected[:, place], rtol=1e-9)


class TestShareAndMean:
    def _judged(self, made: Rule, values: np.ndarray, sizes: np.ndarray, last: tuple[float, float]) -> list[int]:
        """Hours of values over sizes; the last half an hour brings these."""
        hours = len(values)
        subjects = (tuple(label[:1] for label in made.labels),)
        unknown = np.zeros(hours, dtype=np.bool_)
        pasts = {
            made.field: Past(made.labels, subjects, values[None], unknown, START_S, counts=False),
            made.guard: Past(made.labels, subjects, sizes[None], unknown, START_S, counts=True),
        }
        count = Baseline().reach(made) + 180
        tick = {made.field: np.full((1, count), values[-1]), made.guard: np.full((1, count), sizes[-1] / 360)}
        tick[made.field][:, -180:], tick[made.guard][:, -180:] = last
        heard, missed = np.full(1, NEVER_S), np.zeros(count, dtype=np.bool_)
        first_s = START_S + hours * 3_600 - count * 10
        ticks = {
            name: Ticks(made.labels, subjects, told, first_s, name == made.guard, heard, missed)
            for name, told in tick.items()
        }
        view = View(
            lambda need: ticks[need.measure], {made.name: made}, {Kind.BASELINE: Baseline()}, lambda n: pasts[n.measure]
        )
        return view.judge(made, 180).calls[0].tolist()  # type: ignore[no-any-return]

    def test_a_rate_of_success_that_falls(self) -> None:
        random, made = np.random.default_rng(1), RULES["Success rate below usual"]
        sizes = np.full(30 * 24 + 14, 360.0)
        values = 100 * random.binomial(360, 0.98, len(sizes)) / 360
        assert Call.OPENS in self._judged(made, values, sizes, (85.0, 1.0))
        assert Call.OPENS not in self._judged(made, values, sizes, (97.0, 1.0))
        assert Call.OPENS not in self._judged(made, values, sizes, (50.0, 0.01))  # too few to tell

    def test_a_response_time_that_rises(self) -> None:
        random, made = np.random.default_rng(1), RULES["Response time above usual"]
        sizes = np.full(30 * 24 + 14, 360.0)
        values = 1_000 * np.exp(random.normal(0, 0.08, len(sizes)))
        assert Call.OPENS in self._judged(made, values, sizes, (3_000.0, 1.0))
        assert Call.OPENS not in self._judged(made, values, sizes, (1_150.0, 1.0))


class TestRule:
    def test_what_it_leaves_out(self) -> None:
        low, high = rule("action.success_rate", "bot,action"), rule("response.time")
        assert (low.timeframe, low.operand, high.operand) == (900, Operand.AT_MOST, Operand.AT_LEAST)
        assert rule(options={"side": "low"}).operand is Operand.AT_MOST
        assert [plan_of(one).how.of for one in (low, rule("response.time"), rule())] == [Of.MEAN, Of.MEAN, Of.COUNT]
        assert plan_of(RULES["Success rate below usual"]).how == How(Of.SHARE, 0.2, bad=False)

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"side": "left"}, "options.side"),
            ({"change": 1.5}, "options.change"),
            ({"sense": 1}, "options.sense"),
        ],
    )
    def test_options_that_do_not_fit(self, options: dict[str, Any], told: str) -> None:
        with pytest.raises(CannotJudge, match=told):
            plan_of(rule(options=options))

    def test_only_what_is_counted_can_be_seen_beside_others(self) -> None:
        with pytest.raises(CannotJudge, match="beside"):
            plan_of(rule("response.time", options={"beside": True}))


class TestBand:
    def test_beyond_its_bounds_it_is_surprising_and_within_them_it_is_not(self) -> None:
        usual = np.array([0.5, 12.0, 75.0, 3_000.0])
        noise, swing = np.full(4, 1.3), np.full(4, 0.002)
        low, high = band.bounds(usual, noise, swing, 4.0)
        for found, inside in ((low * 0.98, False), (low * 1.02, True), (high * 1.02, False), (high * 0.98, True)):
            sure = np.abs(band.surprise(found, usual, noise, swing))
            assert ((sure <= 4.0) == inside)[found > 1].all()
        assert low[0] < 1e-6
        assert (np.diff(low / usual)[1:] > 0).all()

    def test_it_is_as_sure_as_chance_is_rare(self) -> None:
        # 12 are usual and none comes: once in 160,000 times, which is 4.4 standard deviations.
        one = np.ones(1)
        assert band.surprise(0 * one, 12 * one, one, 0 * one)[0] == pytest.approx(-4.4, abs=0.15)
        assert band.surprise(52 * one, 75 * one, one, 0 * one)[0] == pytest.approx(-2.7, abs=0.15)
