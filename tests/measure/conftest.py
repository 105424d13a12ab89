"""Stores with facts in them. What a module only reads, it writes once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from botwatch.store.client import Store
from botwatch.store.migrate import migrate
from tests.measure.facts import Facts, measures_of


@pytest.fixture(scope="module")
def facts(_engine: Store, engine_path: Path) -> Iterator[Facts]:
    """A database of the module's own."""
    database = f"m_{uuid.uuid4().hex[:12]}"
    store = Store.open("", data=engine_path, database=database)
    store.create()
    migrate(store)
    yield Facts(store, measures_of(store))
    store.close()
    _engine.command(f"DROP DATABASE {database}")
