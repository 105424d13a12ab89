"""What a finder answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Topic(StrEnum):
    NO_DATA = "no_data"
    NO_CONVERSATIONS = "no_conversations"
    UNKNOWN_USERS = "unknown_users"
    ALERTS = "alerts"
    HIGH_CPU = "high_cpu"


class Level(StrEnum):
    PROBLEM = "problem"
    NOTICE = "notice"  # it may be meant to be so


@dataclass(frozen=True, slots=True)
class Finding:
    """`found` is what was seen, `remedy` what to do; `evidence` are the figures behind it. `subject` names the bot,
    the host, the channel or the rule it is about, empty where it is the server as a whole."""

    code: str
    level: Level
    found: str
    remedy: str
    subject: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str | int | float | None] = field(default_factory=dict)


def problem(
    code: str, found: str, remedy: str, subject: Mapping[str, str] | None = None, **evidence: object
) -> Finding:
    return _finding(Level.PROBLEM, code, found, remedy, subject, evidence)


def notice(code: str, found: str, remedy: str, subject: Mapping[str, str] | None = None, **evidence: object) -> Finding:
    return _finding(Level.NOTICE, code, found, remedy, subject, evidence)


def _finding(
    level: Level, code: str, found: str, remedy: str, subject: Mapping[str, str] | None, evidence: Mapping[str, object]
) -> Finding:
    told = {
        name: value if isinstance(value, str | int | float) or value is None else str(value)
        for name, value in evidence.items()
    }
    return Finding(code, level, found, remedy, dict(subject or {}), told)


def ago(seconds: float) -> str:
    """A stretch of time as people say it."""
    for length_s, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.0f} {word}s"
    return f"{seconds:.0f} seconds"
