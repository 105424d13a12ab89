"""A house with incidents, a clock that is moved by hand, and receivers on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from botwatch.clock import ManualClock
from botwatch.settings import Settings
from botwatch.state import Database, open_database
from tests.notify.house import NOW_NS, House
from tests.notify.receiver import Receiver


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", notify_networks="127.0.0.0/8, ::1", time_zone="UTC")


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
