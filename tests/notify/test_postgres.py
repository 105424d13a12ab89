"""The outbox on a real PostgreSQL, where two nodes share one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from botwatch.clock import ManualClock
from botwatch.incident.steps import Step
from botwatch.settings import Settings
from tests.notify.house import NOW_NS, House
from tests.notify.receiver import Receiver, Reply
from tests.real.postgres import running_postgres


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with running_postgres() as server, server.database() as url:
        yield Settings(data=tmp_path, state=url, notify_networks="127.0.0.0/8", time_zone="UTC")


@pytest.fixture
async def other(house: House, settings: Settings) -> AsyncIterator[House]:
    """A second node that knows of no lease: the worst there can be."""
    made = House(house.database, settings, ManualClock(NOW_NS))
    yield made
    await made.close()


async def test_changes_are_taken_once_even_by_two_nodes_at_the_same_time(
    house: House, other: House, receiver: Receiver
) -> None:
    house.channel("ops", "webhook", url=receiver.url)
    house.routes({"channels": "ops", "group_by": "host", "settle": "0"})
    incidents = [house.open(labels={"host": f"h{number}"}) for number in range(40)]
    receiver.answer = lambda _: Reply(503)  # from the start: what a pass begins to send arrives when it likes
    await asyncio.gather(house.notifier.step(), other.notifier.step())
    assert len(house.notices()) == 40
    await house.run(5, 1)
    for incident in incidents[:5]:
        house.change(incident, Step.RESOLVED)
    receiver.answer = lambda _: Reply()
    await house.run(400, 20)
    assert {row.status for row in house.deliveries()} == {"delivered", "folded"}
    assert {row.state for row in house.notices()} == {"sealed"}
