"""Schemas are held against documents in a process: a busy machine has its time to start it and to hear from it."""

from __future__ import annotations

import pytest

from botwatch import limits
from botwatch.watch.payloads import checker


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCHEMA_CHECK_S_MAX", 60)
    monkeypatch.setattr(checker, "_SCHEMA_S", 60)
    monkeypatch.setattr(checker, "_START_S", 60)
