"""The words for what can happen to an incident."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Step(StrEnum):
    """A change of an incident, as its row names it."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    WORSENED = "worsened"  # its severity rose
    NOTED = "noted"
    RESOLVED = "resolved"


RULE = "rule"  # who changed it, when no person did


def subject_of(labels: dict[str, str]) -> str:
    """Labels in the one form they are written in: sorted, with `\\`, `,` and `=` escaped."""
    return ",".join(f"{_plain(name)}={_plain(value)}" for name, value in sorted(labels.items()))


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
