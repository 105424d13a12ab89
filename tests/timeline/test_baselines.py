"""What is usual is learned from the days before, and said in the incident."""

from __future__ import annotations

import pytest

from botwatch.clock import SECOND_NS
from botwatch.detect.defaults import DEFAULTS
from botwatch.detect.rule import Rule
from botwatch.incident.backtest import Backtester
from botwatch.incident.recorded import Series
from tests.timeline.story import START_S, Story

DAY_S = 86_400
BY_NAME = {rule.name: rule for rule in DEFAULTS}


def given(story: Story, name: str) -> Rule:
    rule = BY_NAME[name]
    story.book.put(rule)
    return rule


async def test_messages_that_stop_are_told_within_minutes_with_what_was_usual(story: Story) -> None:
    rule = given(story, "Messages stop")
    story.series("messages.in", "1x4d 0x15m 1x20m", bot="shop", channel="web")
    story.sleep("4d")
    story.set_back("1m")
    await story.until("5790m")  # four days and half an hour
    opened, resolved = story.told
    assert opened.startswith("576")
    assert opened.endswith("Messages stop opened bot=shop: breached")
    assert resolved.endswith("Messages stop resolved bot=shop")
    incident = story.incidents()[0]
    assert incident.severity == "info"
    assert incident.began_ns == (START_S + 4 * DAY_S) * SECOND_NS
    usual = incident.evidence["usual"]
    assert usual["over_s"] == 10 * round(usual["expected"] / 0.1) / 10 == pytest.approx(250, abs=20)
    assert usual["came"] == 0
    assert incident.summary.startswith("messages.in of bot shop: ")
    assert "are usual at this time. Users usually write" in incident.summary
    # A backtest over the same ticks agrees to the second.
    end_s = START_S + 5_790 * 60
    test = await Backtester(story.store, story.clock).run(rule, {}, START_S + 4 * DAY_S - 60, end_s)
    assert [(one.opened_s * SECOND_NS, (one.resolved_s or 0) * SECOND_NS) for one in test.incidents] == [
        (incident.started_ns, incident.resolved_ns)
    ]
    assert test.incidents[0].value == incident.trigger_value


async def test_with_less_than_three_days_nothing_is_said(story: Story) -> None:
    given(story, "Messages stop")
    story.series("messages.in", "1x2d 0x30m", bot="shop", channel="web")
    story.sleep("2d")
    story.set_back("1m")
    await story.until("2900m")
    assert story.told == []


async def test_one_channel_that_falls_silent_is_told_and_not_all_of_them_at_once(story: Story) -> None:
    given(story, "Fewer messages in a channel")
    story.series("messages.in", "1x4d 0x20m 0x10m", bot="shop", channel="web")
    story.series("messages.in", "1x4d 1x20m 0x10m", bot="shop", channel="slack")
    story.series("messages.in", "1x4d 0x20m 0x10m", bot="help", channel="web")
    story.series("messages.in", "1x4d 0x20m 0x10m", bot="help", channel="slack")
    story.sleep("4d")
    story.set_back("1m")
    await story.until("5778m")
    assert story.open == ["Fewer messages in a channel bot=shop,channel=web"]
    assert "The bot's other channels are as usual" in story.incidents()[0].summary


async def test_a_bot_that_stops_answering_is_told_within_a_minute_of_the_first_deadline(story: Story) -> None:
    """All else is well: it is seen, its queue is empty. 300 messages an hour; a turn is told when it is settled."""
    stops, deadline, settles = 120, 6, 1  # ticks
    labels = {"bot": "shop", "channel": "web"}
    for name in ("Bot stopped answering", "Bot does not answer", "Bot is silent"):
        given(story, name)
    count, unanswered = [[0.0] * 200 for _ in range(2)]
    story.store.series += [
        Series("turns.count", labels, count),
        Series("turns.unanswered", labels, unanswered),
        Series("bot.seen", {"bot": "shop", "host": "web-1"}, [1.0] * 200),
    ]
    for tick in range(180):
        asked = tick if tick < stops else tick - deadline - settles
        if tick < stops or asked >= stops:
            count[asked] = float(asked % 6 != 5)
            unanswered[asked] = count[asked] if asked >= stops else 0.0
        await story.until(f"{10 * (tick + 1)}s")
    first, second = story.told
    assert first == "21:40 Bot stopped answering opened bot=shop,channel=web: breached"
    minutes, seconds = map(int, first.split(" ")[0].split(":"))
    assert 60 * minutes + seconds <= 10 * (stops + deadline) + 60
    assert "Bot does not answer opened" in second
