"""A backtest says what the loop would have done, and says it fast enough to drag a threshold."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botwatch import limits
from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect.rule import Rule
from botwatch.errors import BadRequest, CannotJudge
from botwatch.incident.backtest import Backtester
from botwatch.incident.gaps import Gap
from botwatch.incident.notation import values_of
from botwatch.incident.recorded import Recorded, Series
from tests.timeline.story import START_S, Story

TICKS = 36
HOSTS = ("a", "b")
Told = set[tuple[str, int, int | None, str, float | None]]

values = st.lists(st.sampled_from([None, 0.0, 1.0, 3.0, 9.0]), min_size=TICKS, max_size=TICKS)
rules = st.fixed_dictionaries(
    {
        "field": st.sampled_from(["cpu.usage", "errors.count"]),
        "kind": st.sampled_from(["threshold", "threshold", "absence"]),
        "aggregation": st.sampled_from(["avg", "sum", "min", "max", "last", "count"]),
        "operand": st.sampled_from(["equalOrMoreThan", "equalOrLessThan"]),
        "value": st.sampled_from([0, 1, 2.5, 5]),
        "timeframe": st.sampled_from([10, 30, 50]),
        "for": st.sampled_from([0, 20]),
        "cooldown": st.sampled_from([0, 40]),
        "no_data": st.sampled_from(["keep", "ok", "open"]),
    }
)


@given(
    rule=rules,
    cpu=st.tuples(*(values for _ in HOSTS)),
    errors=st.tuples(*(values for _ in HOSTS)),
    lags=st.lists(st.sampled_from([0, 0, 25, 60]), min_size=TICKS, max_size=TICKS),
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_it_agrees_with_the_loop_on_every_transition(
    rule: dict[str, Any], cpu: tuple[list[Any], ...], errors: tuple[list[Any], ...], lags: list[int]
) -> None:
    import asyncio

    async def both() -> tuple[Told, Told]:
        with tempfile.TemporaryDirectory() as folder:
            story = Story(Path(folder))
            for host, busy, wrong in zip(HOSTS, cpu, errors, strict=True):
                seen = [None if one is None and other is None else 1.0 for one, other in zip(busy, wrong, strict=True)]
                story.store.series += [
                    Series("cpu.usage", {"host": host}, busy),
                    Series("errors.count", {"host": host}, wrong),
                    Series("bot.seen", {"host": host, "bot": "shop"}, seen),
                ]
            made = story.rule(name="R", **rule)
            for tick, lag_s in enumerate(lags):  # the loop judges one tick at a time, or several that waited
                story.stored.lag_s = lag_s
                await story.until(f"{10 * (tick + 1)}s")
            story.stored.lag_s = 0
            await story.until(f"{10 * TICKS}s")
            live = {
                (
                    i.subject,
                    i.started_ns // SECOND_NS,
                    i.resolved_ns and i.resolved_ns // SECOND_NS,
                    str(i.reason),
                    i.trigger_value,
                )
                for i in story.incidents()
            }
            story.close()
            test = await Backtester(story.store, story.clock).run(made, {}, START_S, START_S + 10 * TICKS)
            told = {
                (f"host={w.labels['host']}", w.opened_s, w.resolved_s, str(w.reason), w.value) for w in test.incidents
            }
            return live, told

    live, told = asyncio.run(both())
    assert live == told


def backtester(*series: Series, now_s: int = START_S + 7_200) -> Backtester:
    return Backtester(Recorded(START_S, list(series)), ManualClock(now_s * SECOND_NS))


def rule(**said: Any) -> Rule:
    return Rule.model_validate({"name": "R", "field": "cpu.usage", "value": 60, "timeframe": "1m", **said})


async def test_it_tells_how_long_and_how_often() -> None:
    series = Series("cpu.usage", {"host": "a"}, values_of("10x10m 90x10m 10x10m 90x10m 10x20m"))
    found = await backtester(series).run(rule(), {}, START_S, START_S + 3_600)
    assert [(one.opened_s - START_S, one.resolved_s and one.resolved_s - START_S) for one in found.incidents] == [
        (640, 1_230),
        (1_840, 2_430),
    ]
    assert (found.subjects, found.a_day, found.open_s) == (1, 48, 1_180)
    assert found.incidents[0].peak == 90


async def test_one_that_is_not_over_is_open_until_the_end() -> None:
    series = Series("cpu.usage", {"host": "a"}, values_of("10x10m 90x50m"))
    found = await backtester(series).run(rule(), {}, START_S, START_S + 3_600)
    assert [one.resolved_s for one in found.incidents] == [None]
    assert found.open_s == 3_600 - 640


async def test_a_time_nobody_watched_is_no_silence() -> None:
    series = Series("events.in", {"bot": "shop"}, values_of("1x10m _x10m 1x10m"))
    idle = rule(name="Idle", kind="absence", field="events.in", by="bot", timeframe="5m")
    watched = await backtester(series).run(idle, {}, START_S, START_S + 1_800)
    assert len(watched.incidents) == 1
    away = (Gap(START_S + 600, START_S + 1_200),)
    assert (await backtester(series).run(idle, {}, START_S, START_S + 1_800, away)).incidents == ()


async def test_many_subjects_are_judged_some_at_a_time_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [Series("cpu.usage", {"host": f"h{n}"}, values_of(f"10x{n + 6} 90x20 10x20")) for n in range(7)]
    whole = await backtester(*many).run(rule(), {}, START_S, START_S + 600)
    monkeypatch.setattr("botwatch.incident.backtest._CHUNK_CELLS", 130)
    assert (await backtester(*many).run(rule(), {}, START_S, START_S + 600)).incidents == whole.incidents
    assert len(whole.incidents) == 7


async def test_ticks_that_were_read_are_not_read_again() -> None:
    source = Recorded(START_S, [Series("cpu.usage", {"host": "a"}, values_of("10x1h 90x1h"))])
    asked = 0

    class Counting(Recorded):
        async def frames(self, queries: Any) -> Any:
            nonlocal asked
            asked += len(queries)
            return await source.frames(queries)

    tester = Backtester(Counting(START_S), ManualClock((START_S + 10 * 3_600) * SECOND_NS))
    first = await tester.run(rule(), {}, START_S + 600, START_S + 7_200)
    before = asked
    again = await tester.run(rule(value=95), {}, START_S + 600, START_S + 7_200)
    assert asked == before
    assert (len(first.incidents), len(again.incidents)) == (1, 0)


async def test_a_composite_is_tried_with_the_rules_it_names() -> None:
    part = rule(name="Part")
    series = Series("cpu.usage", {"host": "a"}, values_of("10x2m 90x2m 10x2m"))
    whole = Rule.model_validate({"name": "Whole", "all": ["Part"], "by": "host"})
    found = await backtester(series).run(whole, {"Part": part}, START_S, START_S + 360)
    assert [str(one.reason) for one in found.incidents] == ["combined"]
    with pytest.raises(CannotJudge, match="no rule called 'Part'"):
        await backtester(series).run(whole, {}, START_S, START_S + 360)


@pytest.mark.parametrize("length_s", [0, 5, (limits.BACKTEST_TICKS_MAX + 1) * 10])
async def test_a_period_has_a_length_and_a_bound(length_s: int) -> None:
    with pytest.raises(BadRequest, match="period"):
        await backtester().run(rule(), {}, START_S, START_S + length_s)
