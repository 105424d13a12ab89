"""An incident as an alert of the Prometheus family: labels that stay the same, annotations beside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from botwatch.detect.rule import Severity
from botwatch.notify import render
from botwatch.notify.escape import plain
from botwatch.notify.note import Note, Purpose, Told

NEVER: Final = "0001-01-01T00:00:00Z"  # how Go writes that something has not ended
_OURS: Final = frozenset({"alertname", "severity"})


def of(told: Told, severity: Severity | None = None) -> dict[str, str]:
    """Whatever changes while an incident is open is no label: receivers tell alerts apart by them."""
    found = {"alertname": plain(told.rule), "severity": (severity or told.severity).value}
    for name, value in told.labels.items():
        key = re.sub(r"[^a-zA-Z0-9_]", "_", name)
        key = f"_{key}" if not key or key[0].isdigit() else key
        found[f"label_{key}" if key in _OURS else key] = plain(value)
    if told.mark:
        found["botwatch_drill"] = "true"
    return {name: value for name, value in found.items() if value}


def notes(told: Told, note: Note) -> dict[str, str]:
    found = {
        "summary": render.headline(told),
        "description": "; ".join(f"{name}: {value}" for name, value in render.facts(told, note.zone)),
        "runbook_url": told.runbook,
        "dashboard": told.links[0].url if told.links else "",
        "incident": told.incident,
    }
    return {name: value for name, value in found.items() if value}


def test_labels(note: Note) -> dict[str, str]:
    name = "BotwatchTest" if note.purpose is Purpose.TEST else "BotwatchTrouble"
    return {"alertname": name, "severity": Severity.INFO.value if note.purpose is Purpose.TEST else "warning"}


def fingerprint(labels: Mapping[str, str]) -> str:
    """Prometheus' own: 64-bit FNV-1a over the sorted labels."""
    found = 0xCBF29CE484222325
    for name, value in sorted(labels.items()):
        for byte in (*name.encode(), 0xFF, *value.encode(), 0xFF):
            found = (found ^ byte) * 0x100000001B3 & 0xFFFF_FFFF_FFFF_FFFF
    return f"{found:016x}"


def common(dicts: list[dict[str, str]]) -> dict[str, Any]:
    """What all have with the same value."""
    if not dicts:
        return {}
    return {key: value for key, value in dicts[0].items() if all(each.get(key) == value for each in dicts)}
