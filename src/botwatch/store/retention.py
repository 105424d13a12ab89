"""What is old goes, and what is oldest goes first when the disk is nearly full.

Telemetry is dropped by partition, which costs nothing however much it holds. A partition is a day of
raw data or a month of rollups.
"""

from __future__ import annotations

import datetime as dt
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from botwatch.clock import SECOND_NS
from botwatch.settings import Settings
from botwatch.store.client import Store

log = logging.getLogger(__name__)

# Which setting decides how long a table's partitions stay.
KEPT: Final[Mapping[str, str]] = {
    "spans": "traces_days",
    "logs": "logs_days",
    "points": "points_days",
    "distributions": "points_days",
    "payloads": "payloads_days",
    "messages": "conversations_days",
    "events": "conversations_days",
    "turns": "conversations_days",
    "contract_outcomes": "conversations_days",
    "session_hours": "conversations_days",
    "sessions": "conversations_days",
    "session_steps": "conversations_days",
    "faults": "rollups_days",
    "runs": "rollups_days",
    "profiles": "rollups_days",
    "criticals": "rollups_days",
    "concurrency": "rollups_days",
    "services": "rollups_days",
    "service_changes": "rollups_days",
    "ticks_10s": "points_days",
    "ticks_5m": "rollups_days",
    "ticks_1h": "rollups_days",
}
# Never dropped to make room: they are small, and what is left could not be read without them.
_SMALL: Final = frozenset({"ticks_1h", "concurrency", "services", "service_changes"})


@dataclass(frozen=True, slots=True)
class Partition:
    table: str
    id: str  # what DROP PARTITION takes
    end: dt.date  # the first day after it
    bytes: int


@dataclass(frozen=True, slots=True)
class Dropped:
    partition: Partition
    reason: str  # "age" or "disk"


def partitions(store: Store) -> list[Partition]:
    """All partitions with a date, oldest first; of a cluster those of every node, each copy counted."""
    parts = f"clusterAllReplicas('{store.cluster}', system.parts)" if store.cluster else "system.parts"
    rows = store.read(
        f"SELECT table, partition, sum(bytes_on_disk) FROM {parts} "
        "WHERE active AND database = {database:String} GROUP BY table, partition",
        {"database": store.database},
    )
    found = []
    for table, partition, size in rows:
        name = table.removesuffix("_local")
        if name in KEPT:
            found.append(Partition(table, partition, _end(name, partition), int(size)))
    return sorted(found, key=lambda p: (p.end, p.table))


def _end(table: str, partition: str) -> dt.date:
    start = dt.date.fromisoformat(partition.strip("'"))
    if table in _MONTHLY:
        return (start.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    return start + dt.timedelta(days=1)


_MONTHLY: Final = frozenset(
    {
        "ticks_5m",
        "ticks_1h",
        "sessions",
        "session_steps",
        "concurrency",
        "faults",
        "runs",
        "profiles",
        "criticals",
        "services",
        "service_changes",
    }
)


def expired(found: Sequence[Partition], settings: Settings, today: dt.date) -> list[Partition]:
    """The partitions every row of which is older than its setting says."""
    return [
        p for p in found if p.end <= today - dt.timedelta(days=getattr(settings, KEPT[p.table.removesuffix("_local")]))
    ]


def surplus(found: Sequence[Partition], bytes_over: int) -> list[Partition]:
    """The oldest partitions that together hold `bytes_over`; the newest of each table stays."""
    newest = {p.table: p for p in found}
    chosen: list[Partition] = []
    for p in found:
        if bytes_over <= 0:
            break
        if p is newest[p.table] or p.table.removesuffix("_local") in _SMALL:
            continue
        chosen.append(p)
        bytes_over -= p.bytes
    return chosen


def bytes_over(store: Store, found: Sequence[Partition], settings: Settings) -> int:
    """How much has to go to come under the ceilings; 0 or less when nothing has to."""
    over = sum(p.bytes for p in found) - settings.disk_bytes_max if settings.disk_bytes_max else 0
    if store.embedded_path:
        disk = shutil.disk_usage(store.embedded_path)
        over = max(over, disk.used - disk.total * settings.disk_percent_max // 100)
    return over


def sweep(store: Store, settings: Settings, now_ns: int) -> list[Dropped]:
    """Drop what is too old, then what the disk has no room for. Tells each."""
    today = dt.datetime.fromtimestamp(now_ns / SECOND_NS, dt.UTC).date()  # as the days of the partitions
    found = partitions(store)
    old = expired(found, settings, today)
    dropped = [Dropped(p, "age") for p in old]
    rest = [p for p in found if p not in old]
    dropped += [Dropped(p, "disk") for p in surplus(rest, bytes_over(store, rest, settings))]
    for drop in dropped:
        p = drop.partition
        store.command(f"ALTER TABLE {p.table}{store.on_cluster} DROP PARTITION {_literal(p.id)}")
        log.warning(
            "telemetry dropped", extra={"table": p.table, "partition": p.id, "bytes": p.bytes, "reason": drop.reason}
        )
    return dropped


def _literal(partition: str) -> str:
    return "'" + partition.strip("'").replace("'", "") + "'"
