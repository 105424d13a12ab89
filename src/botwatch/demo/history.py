"""A day that never was, written by the engine itself.

The world goes in as a few small tables; everything else is made from them by SQL, with a hash of the
seed for dice. What a client would have sent goes into the tables where the inboxes would have put it
(`spans`, `logs`, `number_points`), so that all rollups, messages, sessions and faults are made by the
same views as for real bots. Turns and concurrency are written before and after, as the settler would
find them: it runs meanwhile, and must have nothing to catch up with.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.demo import staging
from botwatch.demo.stories import stories
from botwatch.errors import SettingError
from botwatch.settings import Settings
from botwatch.store.client import Store
from botwatch.store.migrate import statements

SEED: Final = 8600
_DAY_NS: Final = 24 * 3_600 * SECOND_NS
_CREATES: Final = re.compile(r"^CREATE TABLE (demo_\w+)", re.MULTILINE)


def is_empty(store: Store) -> bool:
    """Whether nothing was ever received from a bot. What the server says of its own machine is there at once."""
    found = store.read("SELECT (SELECT count() FROM names WHERE label = 'bot') + (SELECT count() FROM messages)").first
    return found is not None and found[0] == 0


def history(store: Store, now_ns: int, settings: Settings, *, days: int = 1, seed: int = SEED) -> bool:
    """Write the days before `now_ns` into an empty store. False, and nothing written, when it is not empty."""
    if not 1 <= days <= limits.DEMO_DAYS_MAX:
        raise SettingError(f"days: expected 1 to {limits.DEMO_DAYS_MAX}, found {days}")
    if not is_empty(store):
        return False
    frame = staging.Frame(
        seed=seed,
        from_ns=now_ns - days * _DAY_NS,
        to_ns=now_ns,
        time_zone=settings.time_zone,
        deadline_s=settings.turn_deadline_seconds,
        idle_s=settings.idle_minutes * 60,
    )
    world, *rest = _steps()
    _drop(store, world, *rest)
    try:
        _run(store, world)
        for table, rows in staging.tables(frame, stories(now_ns, settings.time_zone)).items():
            store.insert(table, rows, fmt="JSONEachRow", settings={})
        for step in rest:
            _run(store, step)
    finally:
        _drop(store, world, *rest)
    return True


def _steps() -> list[str]:
    """The SQL in its order: the tables of the world, then what is made of them."""
    found = sorted((files("botwatch.demo") / "sql").iterdir(), key=lambda file: file.name)
    return [file.read_text(encoding="utf-8") for file in found]


def _run(store: Store, text: str) -> None:
    for statement in statements(text):
        store.command(statement)


def _drop(store: Store, *texts: str) -> None:
    for text in texts:
        for table in _CREATES.findall(text):
            store.command(f"DROP TABLE IF EXISTS {table}")
