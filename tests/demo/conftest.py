"""A day of history, written once for all tests that only look at it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from botwatch.demo.history import history
from botwatch.settings import Settings
from botwatch.store.client import Store
from botwatch.store.migrate import migrate

NOW_NS = 1_763_600_000_123_456_789  # a Thursday in November 2025, 01:53 in Zurich
DAY_NS = 24 * 3_600 * 10**9
SETTINGS = Settings(time_zone="Europe/Zurich")


@dataclass(frozen=True)
class Past:
    store: Store
    took_s: float

    def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.store.read(sql, params)]

    def one(self, sql: str, **params: Any) -> Any:
        """The only value there is."""
        ((value,),) = self.rows(sql, **params)
        return value


@pytest.fixture(scope="session")
def new_store(_engine: Store, engine_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens a store with the schema, in a database of its own, that lives as long as the session."""
    opened: list[Store] = []

    def make() -> Store:
        store = Store.open("", data=engine_path, database=f"demo_{len(opened)}")
        opened.append(store)
        store.create()
        migrate(store)
        return store

    yield make
    for store in opened:
        store.close()
        _engine.command(f"DROP DATABASE {store.database}")


@pytest.fixture(scope="session")
def past(new_store: Callable[[], Store]) -> Past:
    store = new_store()
    began_s = time.perf_counter()
    assert history(store, NOW_NS, SETTINGS)
    took_s = time.perf_counter() - began_s
    print(f"history of a day: {took_s:.1f} s")
    return Past(store, took_s)
