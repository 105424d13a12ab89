"""Silence itself opens an incident, and the incident says whether it is the bot or its host that is silent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.timeline.story import Story

NO_EVENTS: dict[str, Any] = {
    "name": "No more incoming events", "field": "eventsIn.count", "aggregation": "sum",
    "operand": "equalOrLessThan", "value": 0, "timeframe": "10m",
}  # fmt: skip
SILENT = {"name": "Silent bot", "kind": "absence", "field": "bot.seen", "by": "bot", "timeframe": "5m"}


async def test_a_bot_that_sends_zeros_for_ten_minutes_is_idle(story: Story) -> None:
    story.rule(**NO_EVENTS)
    story.series("eventsIn.count", "2x2m 0x12m 1 0x1m", host="web-1")
    story.series("bot.seen", "1x16m", host="web-1", bot="shop")
    await story.until("15m")
    assert story.told == [
        "12:00 No more incoming events opened host=web-1: breached",
        "14:10 No more incoming events resolved host=web-1",
    ]


async def test_a_host_that_sends_nothing_at_all_for_ten_minutes_is_silent(story: Story) -> None:
    story.rule(**NO_EVENTS)
    story.series("eventsIn.count", "2x2m", host="web-1")
    story.series("eventsIn.count", "2x20m", host="web-2")
    story.series("bot.seen", "1x2m", host="web-1", bot="shop")
    story.series("bot.seen", "1x20m", host="web-2", bot="shop")
    await story.until("13m")
    assert story.told == ["12:00 No more incoming events opened host=web-1: silent_host"]
    evidence = story.incidents()[0].evidence
    assert evidence["last_heard_s"]["host"] == 1_800_000_000 + 110


@pytest.mark.parametrize(
    ("hosts", "reason"),
    [
        ({"web-1": "1x2m"}, "silent_host"),
        ({"web-1": "1x2m", "web-2": "1x2m"}, "silent_host"),
    ],
)
async def test_a_bot_all_of_whose_hosts_are_silent_died_with_them(
    story: Story, hosts: dict[str, str], reason: str
) -> None:
    story.rule(**SILENT)
    for host, values in hosts.items():
        story.series("bot.seen", values, bot="shop", host=host)
    await story.until("8m")
    assert story.told == [f"7:00 Silent bot opened bot=shop: {reason}"]


async def test_a_bot_that_is_silent_on_a_host_that_is_alive_died_alone(story: Story) -> None:
    story.rule(**SILENT)
    story.series("bot.seen", "1x2m _x6m 1x1m", bot="shop", host="web-1")
    story.series("bot.seen", "1x10m", bot="agent", host="web-1")
    await story.until("9m")
    assert story.told == ["7:00 Silent bot opened bot=shop: silent_bot", "8:10 Silent bot resolved bot=shop"]
    incident = story.incidents()[0]
    assert incident.summary == "bot.seen of bot shop: nothing at all came from the bot for 5 min; its host is alive"
    assert incident.evidence["last_heard_s"] == {"series": 1_800_000_110, "bot": 1_800_000_110}
    assert incident.began_ns == 1_800_000_120 * 10**9


async def test_a_time_in_which_nothing_was_taken_in_is_nobodys_silence(story: Story) -> None:
    story.rule(**SILENT)
    story.series("bot.seen", "1x4m _x10m 1x2m", bot="shop", host="web-1")
    await story.until("4m")
    story.stored.why_closed = "the disk is full"
    await story.until("14m")
    story.stored.why_closed = ""
    await story.until("16m")
    assert story.told == []


async def test_events_that_stop_while_the_bot_lives_are_told_apart_from_silence(story: Story) -> None:
    story.rule(name="A", kind="absence", field="events.in", by="bot", timeframe="2m")
    story.series("events.in", "1x2m 0x3m", bot="shop")
    story.series("bot.seen", "1x5m", bot="shop", host="web-1")
    await story.until("5m")
    assert story.told == ["4:00 A opened bot=shop: no_events"]


async def test_a_reading_that_stops_is_no_data(story: Story) -> None:
    story.rule(name="A", kind="absence", field="cpu.usage", timeframe="1m")
    story.series("cpu.usage", "5x2m", host="web-1")
    story.series("bot.seen", "1x5m", bot="shop", host="web-1")
    await story.until("4m")
    assert story.told == ["3:00 A opened host=web-1: no_data"]


async def test_who_never_came_is_not_silent(story: Story) -> None:
    story.rule(**SILENT)
    story.rule(**NO_EVENTS)
    await story.until("12m")
    assert story.told == []


@pytest.mark.parametrize(
    ("no_data", "told"),
    [
        ("keep", ["2:00"]),
        ("ok", ["2:00", "4:00"]),
        ("resolve", ["2:00", "4:00"]),
        ("open", ["2:00"]),
    ],
)
async def test_what_no_data_does_to_an_open_incident(story: Story, no_data: str, told: list[str]) -> None:
    story.rule(name="R", field="cpu.usage", value=60, timeframe="1m", no_data=no_data)
    story.series("cpu.usage", "10x1m 90x2m", host="web-1")
    await story.until("6m")
    assert [line.split()[0] for line in story.told] == ["1:40", *told[1:]]


async def test_no_data_opens_where_the_rule_says_so(story: Story) -> None:
    story.rule(name="R", field="cpu.usage", value=60, timeframe="1m", no_data="open")
    story.series("cpu.usage", "10x1m", host="web-1")
    await story.until("3m")
    assert story.told == ["2:00 R opened host=web-1: silent_host"]


async def test_a_host_that_is_gone_for_a_day_is_no_longer_expected(story: Story) -> None:
    story.rule(**NO_EVENTS)
    story.series("eventsIn.count", "2x2m", host="web-1")
    await story.until("13m")
    assert story.open == ["No more incoming events host=web-1"]
    story.clock.advance(24 * 3_600 - 13 * 60)
    await story.until("24h")
    story.judge.desk.gaps = ()  # the day is over in one step here, and somebody watched
    assert story.open == ["No more incoming events host=web-1"]
    story.clock.advance(3_600)
    await story.until("1501m")
    assert story.told[-1] == "1500:10 No more incoming events resolved host=web-1"
    assert story.changes_of(story.incidents()[0])[-1].why.startswith("nothing was heard of it for a day")


async def test_all_of_others_at_once(story: Story) -> None:
    story.rule(name="Slow", field="response.time", by="bot", value=2_000, timeframe="10s", enabled=False)
    story.rule(name="Busy", field="messages.in", aggregation="sum", by="bot", value=10, timeframe="10s", enabled=False)
    story.rule(name="Overloaded", all="Slow, Busy", by="bot")
    story.rule(name="Either", any=["Slow", "Busy"], by="bot")
    for bot, slow, busy in (("a", "10 3000x4 10", "0 0 50 50 0 0"), ("b", "10 3000x4 10", "0x6")):
        story.series("response.time", slow, bot=bot)
        story.series("messages.in", busy, bot=bot)
    await story.until("1m")
    assert story.told == [
        "0:20 Either opened bot=a: combined",
        "0:20 Either opened bot=b: combined",
        "0:30 Overloaded opened bot=a: combined",
        "0:50 Overloaded resolved bot=a",
        "1:00 Either resolved bot=a",
        "1:00 Either resolved bot=b",
    ]


async def test_a_guard_keeps_a_single_failure_from_being_a_rate(story: Story) -> None:
    story.rule(
        name="R", field="action.errors", per="action.count", aggregation="sum", by="bot", value=0.05,
        timeframe="1m", guard="action.count", guard_min=20, no_data="ok",
    )  # fmt: skip
    story.series("action.count", "0x1m 1 0x2m 10 10 10 10 0x2m", bot="shop")
    story.series("action.errors", "0x1m 1 0x2m 1 1 1 1 0x2m", bot="shop")
    await story.until("6m")
    assert story.told == ["3:30 R opened bot=shop: breached", "4:40 R resolved bot=shop"]
