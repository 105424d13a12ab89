"""Every test of this room runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from botwatch import limits
from botwatch.clock import SECOND_NS, ManualClock
from botwatch.settings import Settings
from botwatch.state import Database, open_database
from tests.real.postgres import Postgres, running_postgres

NOW_NS = 1_800_000_000 * SECOND_NS


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine or a slow disk may keep one waiting longer than the people who use a server."""
    monkeypatch.setattr(limits, "STATE_BUSY_S_MAX", 60)
    monkeypatch.setattr(limits, "STATE_CONNECT_S_MAX", 60)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    if request.param == "sqlite":
        yield Settings(data=tmp_path / "data")
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        yield Settings(data=tmp_path / "data", state=url)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = open_database(settings)
    yield database
    database.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS)
