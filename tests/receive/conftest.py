from __future__ import annotations

import pytest
from starlette.types import ASGIApp

from botwatch.receive.app import app as receivers
from tests.receive.parts import MemoryIntake, options


@pytest.fixture
def intake() -> MemoryIntake:
    return MemoryIntake()


@pytest.fixture
def app(intake: MemoryIntake) -> ASGIApp:
    return receivers(intake, None, options())
