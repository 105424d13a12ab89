"""The status in words: the block of five lines, and every text made safe for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

UNKNOWN: Final = "unknown"
RUNNING: Final = "running"
_RESOURCES: Final = (("CPU", "cpu_percent"), ("MEM", "memory_percent"), ("GPU", "gpu_percent"))


def block(status: Mapping[str, Any], at: datetime) -> list[str]:
    """Exactly what the API says; what it does not know is unknown here too."""
    sessions, messages, resources = status["sessions"], status["messages"], status["resources"]
    used = (f"{name}: {_share(resources[key])}" for name, key in _RESOURCES)
    return [
        f"[MONITOR] {at:%Y-%m-%d %H:%M:%S}",
        f"Sessions: {_number(sessions['active'])} active (peak: {_number(sessions['peak_today'])})",
        f"Messages: {_number(messages['today'])} today ({_number(messages['this_hour'])}/hour)",
        " | ".join(used),
        f"Services: {services(status['services'])}",
    ]


def services(states: Mapping[str, str]) -> str:
    if not states:
        return "none watched"
    running = sum(state == RUNNING for state in states.values())
    wrong = [f"{safe(name)} {safe(state)}" for name, state in sorted(states.items()) if state != RUNNING]
    return f"{running}/{len(states)} running" + (f" ({', '.join(wrong)})" if wrong else "")


def duration(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3_600 else f"{whole // 3_600} h {whole % 3_600 // 60} min"


def ago(at: str, now: datetime) -> str:
    seconds = max(0.0, (now - datetime.fromisoformat(at)).total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def safe(text: object) -> str:
    """One line that a terminal shows and does not obey."""
    return "".join(char if char.isprintable() else "\ufffd" for char in str(text))


def number(value: float | None) -> str:
    return _number(value)


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value}%"
