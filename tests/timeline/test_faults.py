"""Restarts, clocks, sleep, a store that is away, rules that come and go: nothing opens falsely, nothing stays open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from botwatch import limits
from botwatch.incident.nouns import OVERFLOW, Opening
from tests.timeline.story import Story

IDLE = {
    "name": "Idle", "field": "eventsIn.count", "aggregation": "sum", "operand": "equalOrLessThan",
    "value": 0, "timeframe": "5m",
}  # fmt: skip
BUSY = {"name": "Busy", "field": "cpu.usage", "value": 60, "timeframe": "1m"}


async def test_a_restart_neither_opens_again_nor_loses_an_end(story: Story) -> None:
    story.rule(**BUSY)
    story.series("cpu.usage", "10x2m 90x3m 10x4m", host="web-1")
    whole = ["2:40 Busy opened host=web-1: breached", "5:30 Busy resolved host=web-1"]
    for seconds in range(150, 400, 10):
        await story.until(f"{seconds}s")
        story.restart()
    assert story.told == whole


async def test_what_happened_just_before_a_restart_is_judged_after_it(story: Story) -> None:
    story.rule(name="R", field="cpu.usage", value=60, timeframe="10s")
    story.series("cpu.usage", "10x2m 90 10x4m", host="web-1")
    await story.until("2m")
    story.restart()
    story.clock.advance(15)  # the tick at 2:00 is over and nobody has judged it
    await story.until("3m")
    assert story.told == ["2:10 R opened host=web-1: breached", "2:20 R resolved host=web-1"]


async def test_what_opens_and_ends_while_nobody_judges_is_explained_and_over(story: Story) -> None:
    """Of one incident there are two changes in one round then, and only its opening is explained."""

    async def explain(openings: Sequence[Opening]) -> list[Opening]:
        return [replace(opening, summary="a deploy") for opening in openings]

    story.rule(name="R", field="cpu.usage", value=60, timeframe="10s")
    story.series("cpu.usage", "10x2m 90 10x1m 90 10x4m", host="web-1")
    await story.until("2m")
    story.restart()
    story.judge.explain = explain
    story.sleep("2m")
    await story.until("5m")
    assert story.told == [
        "2:10 R opened host=web-1: breached",
        "2:20 R resolved host=web-1",
        "3:20 R opened host=web-1: breached",
        "3:30 R resolved host=web-1",
    ]
    assert {incident.summary for incident in story.incidents()} == {"a deploy"}


async def test_the_cooldown_survives_a_restart(story: Story) -> None:
    story.rule(name="R", field="cpu.usage", value=60, timeframe="10s", cooldown="2m")
    story.series("cpu.usage", "10 90 10 90x3m", host="web-1")
    await story.until("40s")
    story.restart()
    await story.until("3m")
    assert [line.split()[0] for line in story.told] == ["0:20", "0:30", "2:30"]


async def test_two_nodes_judge_once(story: Story) -> None:
    story.rule(**BUSY)
    story.series("cpu.usage", "10x2m 90x3m 10x4m", host="web-1")
    other = story._judge("other")
    for seconds in range(0, 500, 10):
        await story.until(f"{seconds}s")
        await other.run_once(story.clock.now_ns())
    assert story.told == ["2:40 Busy opened host=web-1: breached", "5:30 Busy resolved host=web-1"]
    assert not other.health.leading


async def test_a_node_takes_over_from_one_that_died(story: Story) -> None:
    story.rule(**BUSY)
    story.series("cpu.usage", "10x2m 90x3m 10x4m", host="web-1")
    await story.until("3m")
    story.restart("other")
    await story.until("7m")
    assert story.told == ["2:40 Busy opened host=web-1: breached", "5:30 Busy resolved host=web-1"]


async def test_a_suspended_machine_does_not_take_its_sleep_for_silence(story: Story) -> None:
    story.rule(**IDLE)
    story.series("eventsIn.count", "1x10m", host="web-1")
    story.series("eventsIn.count", "1x20m", host="web-1", at="70m")
    await story.until("10m")
    story.sleep("1h")
    await story.until("80m")
    assert story.told == []
    await story.until("96m")  # and real silence is seen again
    assert story.told == ["95:00 Idle opened host=web-1: silent_host"]


async def test_an_incident_that_ended_during_sleep_is_resolved_after_it(story: Story) -> None:
    story.rule(**BUSY)
    story.series("cpu.usage", "10x2m 90x8m", host="web-1")
    story.series("cpu.usage", "10x10m", host="web-1", at="70m")
    await story.until("10m")
    story.sleep("1h")
    await story.until("75m")
    assert story.told == ["2:40 Busy opened host=web-1: breached", "70:10 Busy resolved host=web-1"]


async def test_a_clock_set_back_an_hour_opens_nothing_and_misses_no_end(story: Story) -> None:
    story.rule(**BUSY)
    story.rule(name="Errors", field="errors.count", aggregation="sum", value=10, timeframe="1m")
    story.series("cpu.usage", "10x62m 90x2m 10x30m", host="web-1")
    # Nine a minute; after the clock is set back the same ticks hold them twice.
    story.series("errors.count", "9 0x50s " * 100, host="web-1")
    await story.until("63m")
    assert story.told == ["62:40 Busy opened host=web-1: breached"]
    story.set_back("1h")
    story.series("errors.count", "9 0x50s " * 60, host="web-1", at="3m")
    await story.until("60m")
    assert story.told == ["62:40 Busy opened host=web-1: breached"]
    assert "the clock was set back" in story.judge.health.paused
    await story.until("70m")
    assert story.told == ["62:40 Busy opened host=web-1: breached", "64:30 Busy resolved host=web-1"]
    assert story.judge.health.paused == ""


async def test_a_clock_set_ahead_an_hour_opens_nothing(story: Story) -> None:
    story.rule(**IDLE)
    story.rule(**BUSY)
    story.series("eventsIn.count", "1x70m", host="web-1")
    story.series("eventsIn.count", "1x10m", host="web-1", at="130m")
    await story.until("70m")
    story.clock._now_ns += 3_600 * 10**9
    await story.until("140m")
    assert story.told == []


async def test_while_the_store_is_away_nothing_ends_and_it_is_told(story: Story) -> None:
    story.rule(**BUSY)
    story.rule(**IDLE)
    story.series("cpu.usage", "10x2m 90x8m 10x10m", host="web-1")
    story.series("eventsIn.count", "1x20m", host="web-1")
    await story.until("5m")
    story.store.away = True
    await story.until("12m")
    assert story.told == ["2:40 Busy opened host=web-1: breached"]
    assert story.judge.health.paused == "the telemetry store does not answer"
    story.store.away = False
    await story.until("15m")
    # What it had missed is judged tick by tick.
    assert story.told == ["2:40 Busy opened host=web-1: breached", "10:30 Busy resolved host=web-1"]
    assert story.judge.health.paused == ""


async def test_what_is_not_stored_yet_is_not_taken_for_silence(story: Story) -> None:
    story.rule(**IDLE)
    story.series("eventsIn.count", "1x5m", host="web-1")
    await story.until("5m")
    story.stored.lag_s = 600
    await story.until("10m")
    assert story.told == []
    assert "not stored yet" in story.judge.health.paused
    story.series("eventsIn.count", "1x15m", host="web-1", at="5m")
    story.stored.lag_s = 0
    await story.until("12m")
    assert story.told == []


async def test_data_that_comes_late_corrects_the_ticks_it_belongs_to(story: Story) -> None:
    story.rule(name="R", field="errors.count", aggregation="sum", value=10, timeframe="2m")
    story.series("errors.count", "0x10m", host="web-1")
    await story.until("5m")
    story.series("errors.count", "10", host="web-1", at="270s")
    await story.until("8m")
    assert story.told == ["5:10 R opened host=web-1: breached", "6:40 R resolved host=web-1"]


async def test_a_rule_that_cannot_be_answered_is_told_and_the_others_go_on(story: Story) -> None:
    story.rule(**BUSY)
    story.rule(name="Heavy", field="action.count", value=1, by="bot")
    story.rule(name="Lost", all="Nowhere", by="bot")
    story.store.refused = frozenset({"action.count"})
    story.series("cpu.usage", "10x2m 90x3m", host="web-1")
    await story.until("4m")
    assert story.told == ["2:40 Busy opened host=web-1: breached"]
    assert story.judge.health.troubles == {
        "Heavy": "this series takes too long",
        "Lost": "there is no rule called 'Nowhere'",
    }
    story.store.refused = frozenset()
    await story.until("6m")
    assert set(story.judge.health.troubles) == {"Lost"}


async def test_an_incident_ends_with_its_rule(story: Story) -> None:
    story.rule(**BUSY)
    story.rule(name="Other", field="cpu.usage", value=50, timeframe="1m")
    story.series("cpu.usage", "10x1m 90x9m", host="web-1")
    await story.until("3m")
    story.book.drop("Busy")
    story.rule(name="Other", field="cpu.usage", value=50, timeframe="1m", enabled=False)
    await story.until("4m")
    whys = [story.changes_of(incident)[-1].why for incident in story.incidents()]
    assert sorted(whys) == ["the rule was removed", "the rule was switched off"]


async def test_a_rule_that_became_more_severe_worsens_its_incident(story: Story) -> None:
    story.rule(**BUSY)
    story.series("cpu.usage", "10x1m 90x9m", host="web-1")
    await story.until("3m")
    story.rule(**BUSY, severity="critical")
    await story.until("4m")
    incident = story.incidents()[0]
    assert (incident.severity, [change.what for change in story.changes_of(incident)]) == (
        "critical",
        ["opened", "worsened"],
    )


async def test_values_are_kept_up_to_date_without_a_change_for_each(story: Story) -> None:
    story.rule(name="R", field="cpu.usage", aggregation="last", value=60, timeframe="1m")
    story.series("cpu.usage", "10x1m 70x1m 95 80x5m", host="web-1")
    await story.until("5m")
    incident = story.incidents()[0]
    assert (incident.trigger_value, incident.peak_value, incident.last_value) == (70, 95, 80)
    assert len(story.changes_of(incident)) == 1


async def test_open_incidents_are_bounded_and_one_says_so(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INCIDENTS_OPEN_MAX", 3)
    story.rule(name="R", field="cpu.usage", value=60, timeframe="10s")
    for host in "abcde":
        story.series("cpu.usage", f"10 90x1m {'90x2m' if host > 'c' else '10x2m'}", host=host)
    await story.until("1m")
    assert sorted(story.open) == [*(f"R host={host}" for host in "abc"), f"{OVERFLOW} "]
    await story.until("2m")
    assert sorted(story.open) == ["R host=d", "R host=e"]


async def test_hostile_names_of_bots_stop_nobody(story: Story) -> None:
    story.rule(name="R", field="action.errors", aggregation="sum", value=1, timeframe="10s", by="bot,action")
    long = "x" * 3_000
    names = ["nul\0nul", long + "a", long + "b", "a,b=c\\", "<script>", "\ud800".encode("utf-8", "replace").decode()]
    for name in names:
        story.series("action.errors", "0 1 1 0 0", bot=name, action="pay")
    await story.until("1m")
    assert [line.split()[:3] for line in story.told] == [["0:20", "R", "opened"]] * len(names) + [
        ["0:40", "R", "resolved"]
    ] * len(names)
    assert len({incident.subject for incident in story.incidents()}) == len(names)
