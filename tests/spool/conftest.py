"""A spool of real files, closed after each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from botwatch.clock import ManualClock
from botwatch.spool import Spool
from tests.spool.parcels import NOW_NS, open_spool


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS)


@pytest.fixture
def spool(tmp_path: Path, clock: ManualClock) -> Iterator[Spool]:
    spool = open_spool(tmp_path, clock=clock)
    yield spool
    spool.close()
