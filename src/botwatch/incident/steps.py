"""The words for what can happen to an incident."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum

from botwatch import limits


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
    EXPLAINED = "explained"  # another cause is suspected than when it opened; nobody is told
    RESOLVED = "resolved"


RULE = "rule"  # who changed it, when no person did


def subject_said(labels: Mapping[str, str]) -> str:
    """For people. A label without a value says nothing beside one that has one: not every queue has a group."""
    known = {name: value for name, value in labels.items() if value} or dict.fromkeys(labels, "(none)")
    return ", ".join(f"{name} {value}" for name, value in known.items())


def subject_of(labels: dict[str, str]) -> str:
    """Labels in the one form they are written in: sorted, with `\\`, `,` and `=` escaped.

    One that is too long ends in a digest, so that two that begin alike stay two.
    """
    text = ",".join(f"{_plain(name)}={_plain(value)}" for name, value in sorted(labels.items()))

    if len(text) <= limits.SUBJECT_CHARS_MAX:
        return text
    mark = hashlib.blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()
    return f"{text[: limits.SUBJECT_CHARS_MAX - len(mark) - 1]}~{mark}"


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
