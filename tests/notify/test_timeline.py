"""What happens when, on a clock that is moved by hand: from a change to the receiver's socket."""

from __future__ import annotations

from typing import Any

import pytest

from botwatch.clock import SECOND_NS
from botwatch.incident.steps import Step
from botwatch.notify import quiet
from botwatch.notify.silence import Silence
from tests.notify.house import House
from tests.notify.receiver import Receiver, Reply
from tests.notify.test_receivers import Workspace


def said(receiver: Receiver) -> list[tuple[str, ...]]:
    """Of each message: the steps of the incidents in it."""
    return [tuple(each["step"] for each in got.json["incidents"]) for got in receiver.got]


@pytest.fixture
def hooked(house: House, receiver: Receiver) -> Receiver:
    house.channel("ops", "webhook", url=receiver.url)
    return receiver


async def test_an_opening_is_told_once_it_has_settled_and_its_end_is_told_too(house: House, hooked: Receiver) -> None:
    incident = house.open()
    await house.run(0.1, 0.1)
    assert hooked.got == []
    await house.run(0.15, 0.15)
    assert said(hooked) == [("opened",)]
    house.change(incident, Step.RESOLVED)
    await house.run(1)
    assert said(hooked) == [("opened",), ("resolved",)]
    assert [row.status for row in house.deliveries()] == ["delivered", "delivered"]


async def test_what_breaks_together_is_one_message_and_what_breaks_elsewhere_another(
    house: House, hooked: Receiver
) -> None:
    for number in range(30):
        house.open(labels={"host": f"web-{number}"})
    house.open({"name": "Slow"}, labels={"bot": "shop"})
    await house.run(1)
    assert sorted(map(len, said(hooked))) == [1, 10, 20]


async def test_one_that_joins_while_the_first_settles_comes_with_it(house: House, hooked: Receiver) -> None:
    house.routes({"channels": ["ops"], "settle": "30s"})
    house.open(labels={"host": "a"})
    await house.run(20, 5)
    house.open(labels={"host": "b"})
    await house.run(11, 1)
    assert said(hooked) == [("opened", "opened")]


async def test_opened_and_resolved_within_the_settling_time_is_one_message(house: House, hooked: Receiver) -> None:
    incident = house.open()
    await house.run(0)
    house.change(incident, Step.RESOLVED)
    await house.run(1)
    assert said(hooked) == [("resolved",)]
    assert "opened" in hooked.got[0].json["text"]


async def test_a_silence_holds_an_opening_back_until_it_ends(house: House, hooked: Receiver) -> None:
    silence = Silence.model_validate(
        {"where": ["host=web-1"], "starts": "2027-01-15T07:00:00Z", "ends": "2027-01-15T08:01:00Z"}
    )
    house.database.write_now(lambda session: quiet.add(session, house.clock.now_ns(), "ann", silence))
    house.open()
    house.open(labels={"host": "web-2"})
    await house.run(50, 5)
    assert [got.json["incidents"][0]["hostName"] for got in hooked.got] == ["web-2"]
    assert [(row.state, row.reason) for row in house.notices(state="held")] == [("held", "silenced")]
    await house.run(25, 5)
    assert [got.json["incidents"][0]["hostName"] for got in hooked.got] == ["web-2", "web-1"]


async def test_what_began_and_ended_in_a_silence_is_never_told_and_says_why(house: House, hooked: Receiver) -> None:
    silence = Silence.model_validate(
        {"where": ["rule~High*"], "starts": "2027-01-15T07:00:00Z", "ends": "2027-01-15T09:00:00Z"}
    )
    house.database.write_now(lambda session: quiet.add(session, house.clock.now_ns(), "ann", silence))
    incident = house.open()
    await house.run(5)
    house.change(incident, Step.RESOLVED)
    await house.run(20, 5)
    assert hooked.got == []
    assert [(row.step, row.state, row.reason) for row in house.notices()] == [
        ("opened", "dropped", "over"),
        ("resolved", "dropped", "untold"),
    ]


async def test_a_dead_host_mutes_what_runs_on_it(house: House, hooked: Receiver) -> None:
    below = {"name": "Slow action", "depends_on": ["Host down"]}
    house.open(below, labels={"host": "web-1", "action": "pay"})  # seen first, in the same breath
    host = house.open({"name": "Host down"}, labels={"host": "web-1"})
    house.open(below, labels={"host": "web-2", "action": "pay"})
    await house.run(2)
    told = sorted((each["ruleName"], each["hostName"]) for got in hooked.got for each in got.json["incidents"])
    assert told == [("Host down", "web-1"), ("Slow action", "web-2")]
    assert [row.detail for row in house.notices(state="held")] == ["rule Host down"]
    house.change(host, Step.RESOLVED)
    await house.run(11, 1)
    assert [each["ruleName"] for each in hooked.got[-1].json["incidents"]] == ["Slow action"]


async def test_nobody_acknowledges_and_it_escalates_step_by_step(house: House, receiver: Receiver) -> None:
    for name in ("ops", "boss", "ceo"):
        house.channel(name, "webhook", url=f"{receiver.url}/{name}")
    steps = [{"after": "10m", "channels": ["boss"]}, {"after": "30m", "channels": ["ceo"]}]
    house.routes({"channels": ["ops"], "escalate": steps})
    incident = house.open()
    await house.run(599, 30)
    assert [got.path for got in receiver.got] == ["/ops"]
    await house.run(2, 1)
    assert [(got.path, got.json["incidents"][0]["step"]) for got in receiver.got[1:]] == [("/boss", "escalated")]
    house.change(incident, Step.ACKNOWLEDGED, "ann")
    await house.run(1_300, 60)
    assert "/ceo" not in [got.path for got in receiver.got]
    assert [row.reason for row in house.notices(channel="ceo")] == ["answered"]
    house.change(incident, Step.RESOLVED)
    await house.run(2)
    ended = {got.path for got in receiver.got if got.json["incidents"][0]["step"] == "resolved"}
    assert ended == {"/ops", "/boss"}, "whoever was told hears of the end, and nobody else"


async def test_escalation_waits_for_the_end_of_a_silence_too(house: House, receiver: Receiver) -> None:
    for name in ("ops", "boss"):
        house.channel(name, "webhook", url=f"{receiver.url}/{name}")
    house.routes({"channels": ["ops"], "escalate": [{"after": "10m", "channels": ["boss"]}]})
    silence = Silence.model_validate(
        {"where": ["severity=critical"], "starts": "2027-01-15T07:00:00Z", "ends": "2027-01-15T08:12:00Z"}
    )
    house.database.write_now(lambda session: quiet.add(session, house.clock.now_ns(), "ann", silence))
    house.open()
    await house.run(740, 20)
    assert [got.path for got in receiver.got] == ["/ops"]
    await house.run(500, 20)
    assert [got.path for got in receiver.got] == ["/ops", "/boss"]


async def test_a_day_of_a_dead_receiver_loses_nothing_and_folds_what_is_stale(house: House, hooked: Receiver) -> None:
    house.routes({"channels": ["ops"], "group_by": "rule, host"})
    hooked.answer = lambda _: Reply(503)
    short = house.open(labels={"host": "short"})
    lasting = house.open(labels={"host": "lasting"})
    await house.run(600, 60)
    house.change(short, Step.RESOLVED)
    await house.run(85_800, 400)
    house.change(lasting, Step.ACKNOWLEDGED, "ann")
    tries = len(hooked.got)
    assert tries < 700, "a dead receiver is not hammered"
    hooked.answer = lambda _: Reply()
    hooked.got.clear()
    await house.run(900, 20)
    by_host: dict[str, list[Any]] = {}
    for got in hooked.got:
        for each in got.json["incidents"]:
            by_host.setdefault(each["hostName"], []).append((each["step"], each["late"]))
    assert by_host == {"short": [("resolved", True)], "lasting": [("acknowledged", True)]}
    assert "comes late" in hooked.got[0].json["text"]
    assert {row.status for row in house.deliveries()} == {"delivered", "folded"}


async def test_each_thread_arrives_in_order_although_its_first_message_fails(house: House, hooked: Receiver) -> None:
    refuse = {"left": 3}

    def answer(_: object) -> Reply:
        refuse["left"] -= 1
        return Reply(500) if refuse["left"] >= 0 else Reply()

    hooked.answer = answer
    incident = house.open()
    await house.run(0.6, 0.2)
    house.change(incident, Step.ACKNOWLEDGED, "ann")
    await house.run(60, 1)
    house.change(incident, Step.RESOLVED)
    await house.run(5)
    steps = [step for got in hooked.got[3:] for step in [got.json["incidents"][0]["step"]]]
    assert steps == ["acknowledged", "resolved"]
    assert "opened" in hooked.got[3].json["text"]


async def test_retry_after_is_honoured_by_seconds_and_by_date(house: House, hooked: Receiver) -> None:
    hooked.answer = lambda _: Reply(429, headers={"retry-after": "120"})
    house.open()
    await house.run(119, 1)
    assert len(hooked.got) == 1
    hooked.answer = lambda _: Reply(503, headers={"retry-after": "Fri, 15 Jan 2027 08:10:00 GMT"})
    await house.run(480, 1)
    assert len(hooked.got) == 2
    hooked.answer = lambda _: Reply()
    await house.run(5, 1)
    assert len(hooked.got) == 3


async def test_a_permanent_error_is_not_retried_and_is_told_on_another_channel(
    house: House, receiver: Receiver
) -> None:
    house.channel("broken", "webhook", url=f"{receiver.url}/broken")
    house.channel("other", "webhook", url=f"{receiver.url}/other")
    house.routes({"channels": ["broken"]})
    receiver.answer = lambda got: Reply(404, b"no such hook") if got.path == "/broken" else Reply()
    house.open()
    await house.run(30, 1)
    assert [got.path for got in receiver.got] == ["/broken", "/other"]
    trouble = receiver.got[1].json
    assert trouble["purpose"] == "trouble"
    assert "no such hook" in trouble["text"]
    assert [each["ruleName"] for each in trouble["incidents"]] == ["High CPU"], "the incident itself gets through"
    assert house.deliveries(channel="broken")[0].status == "failed"


async def test_a_receiver_dead_for_minutes_is_told_of_on_another_channel(house: House, receiver: Receiver) -> None:
    house.channel("dead", "webhook", url=f"{receiver.url}/dead")
    house.channel("other", "webhook", url=f"{receiver.url}/other")
    house.routes({"channels": ["dead"]})
    receiver.answer = lambda got: Reply(502) if got.path == "/dead" else Reply()
    house.open()
    await house.run(1_200, 20)
    assert [got.json["purpose"] for got in receiver.got if got.path == "/other"] == ["trouble"]
    assert house.deliveries(channel="dead")[0].status == "waiting"


async def test_trouble_that_fails_everywhere_ends(house: House, receiver: Receiver) -> None:
    for name in ("a", "b", "c"):
        house.channel(name, "webhook", url=f"{receiver.url}/{name}")
    receiver.answer = lambda _: Reply(410)
    house.routes({"channels": ["a"]})
    house.open()
    await house.run(30, 1)
    assert [got.path for got in receiver.got] == ["/a", "/b", "/c"]


async def test_info_waits_for_the_digest(house: House, hooked: Receiver) -> None:
    from botwatch.notify.regular import Regular

    async def healthy() -> list[str]:
        return []

    regular = Regular(house.notifier, house.database, house.clock, healthy)
    await regular.step()  # the first day has no day before it
    house.open({"severity": "info"})
    await house.run(3_600, 600)
    await regular.step()
    assert hooked.got == []
    house.clock.advance(86_400)
    await regular.step()
    await regular.step()
    await house.run(1)
    assert [(got.json["purpose"], len(got.json["incidents"])) for got in hooked.got] == [("digest", 1)]
    house.clock.advance(86_400)
    await regular.step()
    await house.run(1)
    assert len(hooked.got) == 1, "nothing happened: nothing is said"


async def test_what_a_switched_off_channel_still_had_to_say_goes_to_another(house: House, receiver: Receiver) -> None:
    house.channel("first", "webhook", url=f"{receiver.url}/first")
    house.channel("second", "webhook", url=f"{receiver.url}/second")
    house.routes({"channels": ["first"]})
    receiver.answer = lambda got: Reply(503) if got.path == "/first" else Reply()
    house.open()
    await house.run(5, 1)
    house.channel("first", "webhook", enabled=False, url=f"{receiver.url}/first")
    await house.run(30, 1)
    assert house.deliveries(channel="first")[0].answer == "the channel was removed or switched off"
    assert [got.path for got in receiver.got][-1] == "/second"


async def test_nobody_to_tell_is_written_down(house: House) -> None:
    house.open()
    await house.run(2)
    assert [(row.channel, row.state, row.reason) for row in house.notices()] == [("", "dropped", "no_channel")]


async def test_what_becomes_more_severe_escalates_as_its_new_severity_does(house: House, receiver: Receiver) -> None:
    for name in ("ops", "boss", "ceo"):
        house.channel(name, "webhook", url=f"{receiver.url}/{name}")
    house.routes(
        {"severities": ["warning"], "channels": "ops", "escalate": [{"after": "1h", "channels": "boss"}]},
        {"channels": "ops", "escalate": [{"after": "10m", "channels": "ceo"}]},
    )
    incident = house.open({"severity": "warning"})
    await house.run(600, 60)
    house.change(incident, Step.WORSENED)
    await house.run(700, 50)
    assert [got.path for got in receiver.got] == ["/ops", "/ops", "/ceo"]
    await house.run(3_600, 300)
    assert "/boss" not in [got.path for got in receiver.got]
    assert [row.reason for row in house.notices(channel="boss")] == ["anew"]


async def test_a_clock_that_is_set_back_delays_nothing(house: House, hooked: Receiver) -> None:
    hooked.answer = lambda _: Reply(503)
    house.open(labels={"host": "waits"})
    await house.run(2, 1)
    house.open(labels={"host": "settles"})
    await house.run(0)
    hooked.answer = lambda _: Reply()
    house.clock._now_ns -= 3_600 * SECOND_NS
    await house.run(10, 1)
    assert {row.status for row in house.deliveries()} <= {"delivered", "folded"}
    told = {each["hostName"] for got in hooked.got for each in got.json["incidents"]}
    assert told == {"waits", "settles"}


async def test_in_slack_each_incident_is_one_message_that_is_kept_up_to_date(house: House, receiver: Receiver) -> None:
    receiver.answer = workspace = Workspace()
    house.channel("chat", "slack", token="xoxb-1", channel="C1", api_url=receiver.url)
    first = house.open(labels={"host": "a"})
    house.open(labels={"host": "b"})
    await house.run(1)
    house.change(first, Step.ACKNOWLEDGED, "ann")
    await house.run(1)
    house.change(first, Step.RESOLVED)
    await house.run(1)
    assert [got.path for got in receiver.got].count("/chat.update") == 2
    texts = sorted(message["text"] for message in workspace.messages.values())
    assert texts == ["CRITICAL High CPU on host b", "resolved: High CPU on host a"]
