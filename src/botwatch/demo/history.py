"""A day that never was, written by the engine itself.

The world goes in as a few small tables; everything else is made from them by SQL, with a hash of the
seed for dice. What a client would have sent goes into the tables where the inboxes would have put it
(`spans`, `logs`, `number_points`), so that all rollups, messages, sessions and faults are made by the
same views as for real bots.
"""

from __future__ import annotations

import logging
from importlib.resources import files
from typing import Final

from botwatch.clock import SECOND_NS
from botwatch.demo import staging
from botwatch.demo.stories import stories
from botwatch.settings import Settings
from botwatch.store.client import Store
from botwatch.store.migrate import statements

log = logging.getLogger(__name__)

DAYS_MAX: Final = 31
SEED: Final = 8600
_DAY_NS: Final = 24 * 3_600 * SECOND_NS
# Turns come before what they are made of: the settler, which runs meanwhile, must find nothing to settle.
_STEPS: Final = (
    *("1_world", "2_sessions", "3_plan", "4_outcomes"),
    *("5_spans", "6_logs", "7_points", "8_concurrency"),
)
_STAGING: Final = (
    *("demo_world", "demo_minutes", "demo_bots", "demo_users", "demo_lives", "demo_scripts", "demo_steps", "demo_spans", "demo_faults", "demo_stories"),
    *("demo_sessions", "demo_turns", "demo_records", "demo_counts"),
)


def is_empty(store: Store) -> bool:
    """Whether nothing was ever received."""
    found = store.read("SELECT (SELECT count() FROM names) + (SELECT count() FROM messages)").first
    return found is not None and found[0] == 0


def history(store: Store, now_ns: int, settings: Settings, *, days: int = 1, seed: int = SEED) -> bool:
    """Write the days before `now_ns` into an empty store. False, and nothing written, when it is not empty."""
    if not 1 <= days <= DAYS_MAX:
        raise ValueError(f"days: expected 1 to {DAYS_MAX}, found {days}")
    if not is_empty(store):
        return False
    frame = staging.Frame(
        seed, now_ns - days * _DAY_NS, now_ns, settings.time_zone, settings.turn_deadline_seconds, settings.idle_minutes * 60
    )
    world = staging.tables(frame, stories(now_ns, settings.time_zone))
    _drop(store)
    try:
        for step in _STEPS:
            text = (files("botwatch.demo") / "sql" / f"{step}.sql").read_text(encoding="utf-8")
            for statement in statements(text):
                store.command(statement)
            for table, rows in world.items() if step == "1_world" else ():
                store.insert(table, rows, fmt="JSONEachRow", settings={})
    finally:
        _drop(store)
    return True


def _drop(store: Store) -> None:
    for table in _STAGING:
        store.command(f"DROP TABLE IF EXISTS {table}")
