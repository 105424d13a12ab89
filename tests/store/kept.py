"""Databases with the schema that go from test to test: emptying one takes a twentieth of making one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botwatch.store.client import Store
from botwatch.store.migrate import VERSIONS, migrate


@dataclass
class Databases:
    """Each is lent to one at a time. One whose tables are not the same any more is thrown away."""

    engine: Store
    path: Path
    _free: list[tuple[str, list[Any]]] = field(default_factory=list)

    @contextmanager
    def lent(self, *, with_schema: bool = True) -> Iterator[Store]:
        name = self._find() if with_schema else ""
        store = Store.open("", data=self.path, database=name or f"t_{uuid.uuid4().hex[:12]}")
        if not name:
            store.create()
        if with_schema and not name:
            migrate(store)
        tables = self._tables(store.database)
        yield store
        store.close()
        if with_schema:
            self._free.append((store.database, tables))
        else:
            self._drop(store.database)

    def close(self) -> None:
        for name, _ in self._free:
            self._drop(name)

    def _find(self) -> str:
        """One that is free, emptied."""
        while self._free:
            name, tables = self._free.pop()
            if self._tables(name) == tables:
                self._empty(name)
                return name
            self._drop(name)
        return ""

    def _tables(self, name: str) -> list[Any]:
        rows = self.engine.read(
            "SELECT name, uuid, metadata_modification_time FROM system.tables WHERE database = {name:String} "
            "ORDER BY name",
            {"name": name},
        )
        return list(rows)

    def _empty(self, name: str) -> None:
        rows = self.engine.read(
            "SELECT DISTINCT table FROM system.parts "
            "WHERE active AND database = {name:String} AND table != {own:String}",
            {"name": name, "own": VERSIONS},
        )
        for (table,) in rows:
            self.engine.command(f"TRUNCATE TABLE {name}.{table}")
        self.engine.command("SYSTEM START MERGES")

    def _drop(self, name: str) -> None:
        self.engine.command(f"DROP DATABASE {name}")
