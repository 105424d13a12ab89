"""Which stored rows stand behind a measure of a bot, and what of them is bad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from botwatch.measure.sources import Binder

_SPAN_MS: Final = "duration_ns / 1e6"
_TIMED: Final = ("time", "latency", "latency_avg", "duration")


@dataclass(frozen=True, slots=True)
class Behind:
    """`of_times`: what is bad is how long they take, and not that they fail. `labels` are columns, too."""

    noun: str
    table: str
    moment: str
    condition: str
    bad: str
    ms: str
    named: str  # what one of them is called
    labels: tuple[str, ...]
    of_times: bool = False

    def conditions(self, labels: Mapping[str, str], from_ns: int, to_ns: int, bind: Binder) -> list[str]:
        narrow = [self.condition] if self.condition else []
        narrow += [f"{label} = {bind(labels[label])}" for label in ("bot", *self.labels) if labels.get(label)]
        return [
            *narrow,
            f"{self.moment} >= fromUnixTimestamp64Nano({bind(from_ns, 'Int64')}, 'UTC')",
            f"{self.moment} < fromUnixTimestamp64Nano({bind(to_ns, 'Int64')}, 'UTC')",
        ]


def _span(noun: str, column: str, *labels: str) -> Behind:
    condition = f"{column} != ''"
    return Behind(noun, "spans", "start", condition, "status = 'error'", _SPAN_MS, column, ("host", *labels))


_REPLY_MS: Final = "dateDiff('millisecond', asked, ifNull(answered, asked))"
_ALL: Final = {
    "action": _span("actions", "action", "action"),
    "requests": _span("requests", "request"),
    "dependency": _span("calls", "dependency", "dependency"),
    "model": _span("model calls", "model", "model"),
    "logs": Behind("log lines", "logs", "at", "", "severity >= 17", "0.", "body", ("host",)),
    "turns": Behind(
        "turns", "turns", "asked", "", "outcome IN ('unanswered', 'failed')", _REPLY_MS, "outcome", ("channel",)
    ),
    "contract": Behind(
        "promises", "contract_outcomes", "due", "", "outcome != 'kept'", "0.", "about", ("contract", "channel")
    ),
}
_SAME: Final = {
    "response": "turns",
    "messages": "turns",
    "actions": "action",
    "errors": "logs",
    "warnings": "logs",
    "tokens": "model",
    "cost": "model",
    "faults": "logs",
}


def behind(rule: Mapping[str, Any]) -> Behind | None:
    """Of the rule of an incident; None where no rows of a bot stand behind it."""
    if rule.get("kind") == "contract":
        return _ALL["contract"]
    first, *rest = str(rule.get("field") or "").split(".")
    found = _ALL.get(_SAME.get(first, first))
    if found is None:
        return None
    return replace(found, of_times=found.ms != "0." and any(word in _TIMED for word in rest))
