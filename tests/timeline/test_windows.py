"""Rules fire at the tick they should, and not one earlier; they end at theirs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.timeline.story import Story

HIGH_CPU = {
    "name": "High CPU Usage",
    "field": "cpu.usage",
    "aggregation": "avg",
    "operand": "equalOrMoreThan",
    "value": 60,
    "timeframe": "2m",
    "cooldown": "1m",
}


async def test_the_documented_rule_opens_and_ends_with_the_average_of_twelve_ticks(story: Story) -> None:
    story.rule(**HIGH_CPU)
    # Of twelve ticks, (12 - n) at 30 and n at 90 average 60 from n = 6 on.
    story.series("cpu.usage", "30x3m 90x3m 30x5m", host="web-1")
    await story.until("11m")
    # Back at 30, six ticks of 90 are still enough, five are not.
    assert story.told == [
        "4:00 High CPU Usage opened host=web-1: breached",
        "7:10 High CPU Usage resolved host=web-1",
    ]


async def test_each_host_has_its_own_incident(story: Story) -> None:
    story.rule(**HIGH_CPU)
    story.series("cpu.usage", "30x10m", host="web-1")
    story.series("cpu.usage", "30x1m 90x4m 10x5m", host="web-2")
    story.series("cpu.usage", "30x2m 90x8m", host="web-3")
    await story.until("10m")
    assert story.told == [
        "2:00 High CPU Usage opened host=web-2: breached",
        "3:00 High CPU Usage opened host=web-3: breached",
        "5:50 High CPU Usage resolved host=web-2",
    ]


async def test_ten_errors_in_the_last_minute(story: Story) -> None:
    story.rule(
        name="Errors",
        field="errors.count",
        aggregation="sum",
        operand="equalOrMoreThan",
        value=10,
        timeframe="1m",
    )
    story.series("errors.count", "0x1m 9 0 1 0x3m", host="web-1")
    await story.until("4m")
    # The tenth comes with the ninth tick; the nine fall out of the minute four ticks later.
    assert story.told == ["1:30 Errors opened host=web-1: breached", "2:10 Errors resolved host=web-1"]


async def test_nine_errors_in_the_last_minute_are_not_ten(story: Story) -> None:
    story.rule(name="Errors", field="errors.count", aggregation="sum", value=10, timeframe="1m")
    story.series("errors.count", "0x1m 9 0 0 0 0 0 9 0x2m", host="web-1")
    await story.until("4m")
    assert story.told == []


@pytest.mark.parametrize(
    ("aggregation", "value", "at"),
    [
        ("avg", 5, "1:20"),  # (1 + 2 + 6 + 11) / 4
        ("sum", 20, "1:20"),
        ("min", 2, "1:30"),  # when the 1 has left
        ("max", 6, "1:10"),
        ("last", 2, "1:00"),
        ("count", 4, "1:20"),  # when the tick without a value has left
    ],
)
async def test_each_aggregation_on_ticks_worked_out_by_hand(
    story: Story, aggregation: str, value: float, at: str
) -> None:
    story.rule(name="R", field="cpu.usage", aggregation=aggregation, value=value, timeframe="40s")
    story.series("cpu.usage", "0 0 0 _ 1 2 6 11 9 9x1m", host="h", at="0s")
    await story.until("2m")
    assert story.told[0] == f"{at} R opened host=h: breached"


async def test_of_someone_new_a_window_counts_once_it_is_whole(story: Story) -> None:
    story.rule(name="Average", field="cpu.usage", value=60, timeframe="1m")
    story.rule(name="Highest", field="cpu.usage", aggregation="max", value=60, timeframe="1m")
    story.rule(name="Idle", field="events.in", aggregation="sum", operand="equalOrLessThan", value=0, timeframe="1m")
    story.series("cpu.usage", "90x3m", host="new", at="1m")
    story.series("events.in", "0x3m", host="new", at="1m")
    await story.until("3m")
    assert story.told == [
        "1:10 Highest opened host=new: breached",
        "2:00 Average opened host=new: breached",
        "2:00 Idle opened host=new: breached",
    ]


@pytest.mark.parametrize(
    ("operand", "value", "fires"),
    [
        ("equalOrMoreThan", 50, True),
        ("equalOrMoreThan", 50.0001, False),
        ("equalOrLessThan", 50, True),
        ("equalOrLessThan", 49.9999, False),
    ],
)
async def test_operands_include_the_value(story: Story, operand: str, value: float, fires: bool) -> None:
    story.rule(name="R", field="cpu.usage", operand=operand, value=value, timeframe="10s")
    story.series("cpu.usage", "50x1m", host="h")
    await story.until("30s")
    assert bool(story.told) is fires


async def test_an_average_of_tenths_reaches_its_limit_although_halves_cannot_say_it(story: Story) -> None:
    story.rule(name="R", field="cpu.usage", value=0.7, timeframe="1m")
    story.series("cpu.usage", "0.7x2m", host="h")
    await story.until("90s")
    assert story.told == ["1:00 R opened host=h: breached"]


SYMPTOM: dict[str, Any] = {
    "name": "Errors", "field": "action.errors", "per": "action.count", "aggregation": "sum",
    "value": 0.05, "timeframe": "10s", "for": "5m", "by": "bot",
}  # fmt: skip


async def test_five_per_cent_for_five_minutes_fires_after_five_minutes(story: Story) -> None:
    story.rule(**SYMPTOM)
    story.series("action.count", "100x10m", bot="shop")
    story.series("action.errors", "1x1m 5x5m 5 1x2m", bot="shop")
    await story.until("9m")
    # First judged bad at 1:10, and bad at every judgement until 6:10.
    assert story.told == ["6:10 Errors opened bot=shop: breached", "6:20 Errors resolved bot=shop"]


async def test_five_per_cent_for_four_minutes_and_fifty_nine_does_not(story: Story) -> None:
    story.rule(**SYMPTOM)
    story.series("action.count", "100x10m", bot="shop")
    story.series("action.errors", "1x1m 5x5m 4 5x4m 1x2m", bot="shop")
    await story.until("12m")
    assert story.told == []


async def test_a_ratio_agrees_with_figures_worked_out_by_hand(story: Story) -> None:
    story.rule(
        name="Success", field="turns.answered", per="turns.count", aggregation="sum", operand="equalOrLessThan",
        value=0.9, timeframe="30s", by="bot",
    )  # fmt: skip
    story.series("turns.count", "10 10 10 10 20 0 0 0 0", bot="shop")
    story.series("turns.answered", "10 10 10 6 19 0 0 0 0", bot="shop")
    await story.until("90s")
    # 30/30, then 26/30 = 0.867, 35/40 = 0.875, 25/30 = 0.833, 19/20 = 0.95; then there is nothing to divide by.
    assert story.told == ["0:40 Success opened bot=shop: breached", "1:10 Success resolved bot=shop"]
    incident = story.incidents()[0]
    assert incident.trigger_value == pytest.approx(26 / 30)
    assert incident.peak_value == pytest.approx(25 / 30)


async def test_recover_ends_it_only_beyond_its_own_limit(story: Story) -> None:
    story.rule(name="R", field="cpu.usage", value=85, recover=75, timeframe="10s")
    story.series("cpu.usage", "50 85 84 76 75 74 80 85 50", host="h")
    await story.until("2m")
    assert story.told == [
        "0:20 R opened host=h: breached",
        "1:00 R resolved host=h",
        "1:20 R opened host=h: breached",
        "1:30 R resolved host=h",
    ]


async def test_cooldown_counts_from_the_end_of_the_same_rule_and_subject(story: Story) -> None:
    story.rule(name="R", field="cpu.usage", value=60, timeframe="10s", cooldown="1m")
    story.series("cpu.usage", "90 10 90x2m 10", host="a")
    story.series("cpu.usage", "10 10 90x2m 10", host="b")
    await story.until("3m")
    assert story.told == [
        "0:10 R opened host=a: breached",
        "0:20 R resolved host=a",
        "0:30 R opened host=b: breached",
        "1:20 R opened host=a: breached",
        "2:30 R resolved host=a",
        "2:30 R resolved host=b",
    ]


async def test_without_a_cooldown_it_opens_again_at_the_next_tick(story: Story) -> None:
    story.rule(name="R", field="cpu.usage", value=60, timeframe="10s")
    story.series("cpu.usage", "90 10 90 10", host="a")
    await story.until("1m")
    assert [line.split()[0] for line in story.told] == ["0:10", "0:20", "0:30", "0:40"]
