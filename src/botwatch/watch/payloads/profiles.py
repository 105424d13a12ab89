"""Profiles in the store: hours as they were counted, for the page of a source and for the next start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import orjson

from botwatch.detect.drift.profile import Place, Profile
from botwatch.detect.drift.shape import Type
from botwatch.detect.drift.source import HOUR_S, Profiles
from botwatch.store.client import Rows, Store

_READ: Final = (
    "SELECT toUnixTimestamp(hour), variant, path, parent, types, empty, values, free, documents, loose "
    "FROM profiles FINAL WHERE source = {source:String} AND hour >= toDateTime({from:UInt32}, 'UTC') "
    "AND hour < toDateTime({to:UInt32}, 'UTC') ORDER BY hour"
)
_EVER_S: Final = 2**32 - 1
_LAST: Final = "SELECT toUnixTimestamp(max(hour)) FROM profiles WHERE source = {source:String} HAVING count() > 0"


def save(store: Store, source: str, hours: Iterable[tuple[int, Profiles]], now_ns: int) -> None:
    """Write hours anew; what was written of them before counts no more."""
    lines = [
        orjson.dumps(row) for hour_s, profiles in hours for row in _rows(source, hour_s, profiles, now_ns // 1_000_000)
    ]
    if lines:
        store.insert("profiles", b"\n".join(lines), fmt="JSONEachRow", settings={"date_time_input_format": "basic"})


def _rows(source: str, hour_s: int, profiles: Profiles, written_ms: int) -> Iterator[dict[str, object]]:
    for variant, profile in profiles.items():
        for path, place in profile.places.items():
            yield {
                "source": source,
                "variant": variant,
                "hour": hour_s,
                "path": path,
                "parent": place.parent,
                "types": {kind.value: int(count) for kind, count in place.types.items()},
                "empty": int(place.empty),
                "loose": int(place.loose),
                "values": {value: int(count) for value, count in (place.values or {}).items()},
                "free": place.values is None,
                "documents": profile.documents,
                "written": written_ms / 1e3,
            }


def load(store: Store, source: str, from_s: int) -> list[tuple[int, Profiles]]:
    """The hours of a source, oldest first."""
    return _hours(store.read(_READ, {"source": source, "from": max(from_s, 0), "to": _EVER_S}))


async def hours(store: Store, source: str, from_s: int, to_s: int) -> list[tuple[int, Profiles]]:
    """The same of a window, from the event loop."""
    return _hours(await store.fetch(_READ, {"source": source, "from": from_s - from_s % HOUR_S, "to": to_s}))


def _hours(rows: Rows) -> list[tuple[int, Profiles]]:
    found: dict[int, Profiles] = {}
    for hour_s, variant, path, parent, types, empty, values, free, documents, loose in rows:
        profile = found.setdefault(int(hour_s), {}).setdefault(variant, Profile(int(documents)))
        counts = {Type(kind): float(count) for kind, count in types.items()}
        kept = None if free else {value: float(count) for value, count in values.items()}
        profile.places[path] = Place(parent, counts, float(empty), kept, float(loose))
    return sorted(found.items())


def last_hour(store: Store, source: str) -> int | None:
    """The second its last hour began; None where nothing was kept."""
    row = store.read(_LAST, {"source": source}).first
    return None if row is None else int(row[0])
