"""A house with incidents, a clock that is moved by hand, and receivers on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from botwatch import limits
from botwatch.clock import ManualClock
from botwatch.notify import wire
from botwatch.notify.channels.kind import Kind
from botwatch.settings import Settings
from botwatch.state import Database, open_database
from tests.notify.house import NOW_NS, House
from tests.notify.receiver import Receiver


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery on a busy machine takes its time: given up and sent again, it would be told twice."""
    monkeypatch.setattr(limits, "DELIVERY_S_MAX", 60)
    monkeypatch.setattr(limits, "DELIVERY_CONNECT_S_MAX", 60)
    monkeypatch.setattr(Kind, "total_s_max", 60)
    monkeypatch.setattr(wire, "_IDLE_S", 60)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", notify_networks="127.0.0.0/8, ::1", time_zone="UTC", hook_seconds=60)


@pytest.fixture
def database(settings: Settings, with_state: Callable[[Path], None]) -> Iterator[Database]:
    with_state(settings.data)
    database = open_database(settings)
    yield database
    database.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS)


@pytest.fixture
async def house(database: Database, settings: Settings, clock: ManualClock) -> AsyncIterator[House]:
    house = House(database, settings, clock)
    yield house
    await house.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver
