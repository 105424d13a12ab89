"""The default rules over what bots call, what they store, and queues: what opens, for whom, and when it is over."""

from __future__ import annotations

from botwatch.detect.defaults import DEFAULTS
from tests.timeline.story import Story

BY_NAME = {rule.name: rule for rule in DEFAULTS}


def given(story: Story, *names: str) -> None:
    for name in names:
        story.book.put(BY_NAME[name])


async def test_a_breaker_that_opens_and_heals_is_no_incident_and_one_that_stays_open_is(story: Story) -> None:
    given(story, "Circuit breaker open")
    story.series("breaker.state", "0x3m 2x30s 1 0x3m 2x3m 1 2x3m 0x5m", bot="shop", breaker="crm")
    story.series("breaker.state", "0x20m", bot="shop", breaker="mail")
    await story.until("20m")
    opened, resolved = story.told
    assert opened == "8:10 Circuit breaker open opened bot=shop,breaker=crm: breached"
    assert resolved.startswith("14:")


async def test_a_breaker_nobody_tells_of_any_more_is_not_taken_for_closed(story: Story) -> None:
    given(story, "Circuit breaker open")
    story.series("breaker.state", "0x3m 2x5m _x20m", bot="shop", breaker="crm")
    await story.until("20m")
    assert story.open == ["Circuit breaker open bot=shop,breaker=crm"]


async def test_a_provider_that_refuses_one_call_in_ten_is_told_of_and_no_other(story: Story) -> None:
    given(story, "Rate limited", "Dependency times out")
    for name, refused in (("llm", "0x5m 2x5m 0x10m"), ("crm", "0x20m")):
        story.series("dependency.count", "20x20m", bot="shop", dependency=name)
        story.series("dependency.rate_limited", refused, bot="shop", dependency=name)
        story.series("dependency.timeouts", "0x20m", bot="shop", dependency=name)
    await story.until("20m")
    opened, resolved = story.told
    assert opened.endswith("Rate limited opened bot=shop,dependency=llm: breached")
    assert resolved.endswith("Rate limited resolved bot=shop,dependency=llm")


async def test_a_fifth_of_calls_that_time_out_is_told(story: Story) -> None:
    given(story, "Rate limited", "Dependency times out")
    story.series("dependency.count", "17x20m", bot="shop", dependency="profiles")  # about 100 a minute
    story.series("dependency.timeouts", "0x5m 3.4x5m 0x10m", bot="shop", dependency="profiles")
    story.series("dependency.count", "_x5m 1 _x30s 1 _x10m", bot="shop", dependency="rare")
    story.series("dependency.timeouts", "_x5m 1 _x30s 1 _x10m", bot="shop", dependency="rare")
    await story.until("20m")
    assert [line.split(" ", 1)[1] for line in story.told] == [
        "Dependency times out opened bot=shop,dependency=profiles: breached",
        "Dependency times out resolved bot=shop,dependency=profiles",
    ]


async def test_invalid_state_is_told_until_a_check_finds_it_in_order(story: Story) -> None:
    given(story, "Stored state invalid")
    story.series("state.invalid", "0x5m 1 0x10m", bot="shop", state="often")
    story.series("state.invalid", "0 _x5m 1 _x12m 0 _x1m", bot="shop", state="seldom")  # one check in a good while
    await story.until("20m")
    assert story.told == [
        "5:10 Stored state invalid opened bot=shop,state=often: breached",
        "5:20 Stored state invalid opened bot=shop,state=seldom: breached",
        "10:10 Stored state invalid resolved bot=shop,state=often",
        "17:30 Stored state invalid resolved bot=shop,state=seldom",
    ]


async def test_a_check_that_cannot_be_made_is_told_and_a_single_miss_is_not(story: Story) -> None:
    given(story, "Stored state not seen")
    minute = "{} _x50s "
    story.series("state.watched", "".join(minute.format(value) for value in "11101110001111"), bot="shop", state="s")
    await story.until("14m")
    assert story.told == [
        "9:10 Stored state not seen opened bot=shop,state=s: breached",
        "10:10 Stored state not seen resolved bot=shop,state=s",
    ]


async def test_two_groups_of_one_stream_are_two_subjects(story: Story) -> None:
    given(story, "Queue depth high", "Queue depth critical", "Queue stalled", "Queue stalled for long")
    for group, depth, stalled in (("shop", "900x10m", "0x10m"), ("audit", "0x10m", "0x2m 310x8m")):
        story.series("queue.depth", depth, broker="kafka", queue="orders", group=group)
        story.series("queue.stalled", stalled, broker="kafka", queue="orders", group=group)
    story.series("queue.depth", "900x10m", broker="jobs", queue="mail", group="")
    await story.until("10m")
    assert {line for line in story.open if "critical" in line or "stalled" in line} == {
        "Queue stalled broker=kafka,group=audit,queue=orders",
        "Queue depth critical broker=jobs,group=,queue=mail",
        "Queue depth critical broker=kafka,group=shop,queue=orders",
    }
    mail = next(incident for incident in story.incidents() if "queue=mail" in incident.subject)
    assert "of broker jobs, queue mail:" in mail.summary


async def test_a_broker_that_is_asked_by_the_minute_does_not_flap(story: Story) -> None:
    given(story, "Queue without consumers", "Service is degraded")
    looks = "5 _x50s 5 _x60s 5 _x40s 5 _x50s 5 _x60s 0 _x50s"  # a beat that wanders over the edges of ticks
    story.series("queue.unattended", looks, broker="sqs", queue="jobs", group="")
    story.series("service.status", "3 _x4m 2 _x4m 2 _x4m 3 _x4m", service="slow")
    await story.until("15m")
    assert [line.split(" ", 1)[1] for line in story.told] == [
        "Queue without consumers opened broker=sqs,group=,queue=jobs: breached",
        "Queue without consumers resolved broker=sqs,group=,queue=jobs",
        "Service is degraded opened service=slow: breached",
        "Service is degraded resolved service=slow",
    ]
