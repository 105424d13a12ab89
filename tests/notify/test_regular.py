"""What is said by the clock, and that of two nodes only one speaks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from botwatch.clock import ManualClock
from botwatch.incident.steps import Step
from botwatch.notify.drill import Drill, Report
from botwatch.notify.notifier import Notifier
from botwatch.notify.outbox import Frame
from botwatch.notify.regular import Regular
from botwatch.settings import Settings
from botwatch.state import Database
from botwatch.state.lease import Lease
from tests.notify.house import House
from tests.notify.receiver import Receiver, Reply


class Well:
    def __init__(self) -> None:
        self.reasons: list[str] = []

    async def __call__(self) -> list[str]:
        return self.reasons


@pytest.fixture
def settings(tmp_path: Path, receiver: Receiver) -> Settings:
    return Settings.model_validate(
        {
            "data": tmp_path / "data",
            "notify_networks": "127.0.0.0/8",
            "time_zone": "UTC",
            "heartbeat_url": f"{receiver.url}/beat/secret",
            "heartbeat_seconds": 30,
        }
    )


async def test_the_heart_beats_while_all_is_well_and_is_silent_otherwise(
    house: House, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    well = Well()
    regular = Regular(house.notifier, house.database, house.clock, well)
    for _ in range(6):
        await regular.step()
        house.clock.advance(10)
    assert [got.path for got in receiver.got] == ["/beat/secret"] * 2
    well.reasons = ["judging waits"]
    house.clock.advance(60)
    await regular.step()
    assert len(receiver.got) == 2
    assert "judging waits" in [record.__dict__.get("reason") for record in caplog.records]
    well.reasons = []
    receiver.answer = lambda _: Reply(404)
    house.clock.advance(60)
    await regular.step()
    assert "secret" not in caplog.text


async def test_a_heartbeat_goes_to_no_address_of_the_inside(
    database: Database, settings: Settings, clock: ManualClock, receiver: Receiver
) -> None:
    notifier = Notifier(database, clock, settings.model_copy(update={"notify_networks": ""}), Frame())
    await Regular(notifier, database, clock, Well()).beat()
    await notifier.close()
    assert receiver.connections == 0


async def test_what_is_firing_is_said_again_to_a_receiver_that_forgets_until_it_ends(
    house: House, receiver: Receiver
) -> None:
    house.channel("am", "alertmanager", url=receiver.url)
    regular = Regular(house.notifier, house.database, house.clock, Well())
    first, second = house.open(labels={"host": "a"}), house.open(labels={"host": "b"})
    await house.run(1)
    assert len(receiver.got) == 1
    for _ in range(4):
        house.clock.advance(30)
        await regular.step()
    told = [got for got in receiver.got if got.path.endswith("alerts")]
    assert [len(got.json) for got in told] == [2, 2, 2]
    house.change(first, Step.RESOLVED)
    await house.run(1)
    house.clock.advance(60)
    await regular.step()
    last = [got for got in receiver.got if got.path.endswith("alerts")][-1].json
    assert [alert["labels"]["host"] for alert in last] == ["b"]
    assert second


async def test_of_two_nodes_only_one_tells_and_the_other_takes_over(
    database: Database, settings: Settings, clock: ManualClock, receiver: Receiver, house: House
) -> None:
    house.channel("ops", "webhook", url=receiver.url)
    nodes = [
        Notifier(database, clock, settings, Frame(), lease=Lease(database, "notify", name, clock))
        for name in ("a", "b")
    ]
    house.open()
    for _ in range(4):
        for node in nodes:
            await node._guarded()
            await asyncio.gather(*node._sending.values())
        clock.advance(1)
    assert [node.leading for node in nodes] == [True, False]
    assert len(receiver.got) == 1
    clock.advance(20)  # the first says nothing any more
    house.open(labels={"host": "later"})
    for _ in range(4):
        await nodes[1]._guarded()
        await asyncio.gather(*nodes[1]._sending.values())
        clock.advance(6)
    assert [got.json["incidents"][0]["hostName"] for got in receiver.got] == ["web-1", "later"]
    for node in nodes:
        await node.close()


class Lost(Drill):
    """A drill that stops where a test says."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self._database, self._clock = database, clock
        self.problem = "nobody is told"

    async def run(self, channels: tuple[str, ...] = ()) -> Report:
        return Report(self._clock.now_ns(), problem=self.problem)


async def test_a_scheduled_drill_that_does_not_come_back_is_an_incident_until_one_does(
    house: House, receiver: Receiver
) -> None:
    house.channel("ops", "webhook", url=receiver.url)
    house.notifier.settings = house.notifier.settings.model_copy(
        update={"drill_minutes": 10, "heartbeat_seconds": 9999}
    )
    drill = Lost(house.database, house.clock)
    regular = Regular(house.notifier, house.database, house.clock, Well(), drill)
    receiver.got.clear()

    async def minutes(count: int) -> None:
        for _ in range(count):
            house.clock.advance(60)
            await regular.step()
            if regular._drilling is not None:
                await regular._drilling
        await house.run(1)

    await minutes(25)
    told = [got.json for got in receiver.got if got.path == "/"]
    assert [body["incidents"][0]["ruleName"] for body in told] == ["A drill did not come back"]
    assert "nobody is told" in told[0]["text"]
    drill.problem = ""
    await minutes(10)
    told = [got.json for got in receiver.got if got.path == "/"]
    assert [body["incidents"][0]["step"] for body in told] == ["opened", "resolved"]
