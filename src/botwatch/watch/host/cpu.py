"""How busy the processors are, and how many tasks want them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final

import psutil

from botwatch.watch.reading import Reading

# psutil's fields by OpenTelemetry's modes. Guests are in `user` already.
_MODES: Final[Mapping[str, tuple[str, ...]]] = {
    "user": ("user",),
    "nice": ("nice",),
    "system": ("system",),
    "interrupt": ("irq", "softirq"),
    "iowait": ("iowait",),
    "steal": ("steal",),
    "idle": ("idle",),
}
_LOADS: Final = ("1m", "5m", "15m")


class Cpu:
    """Shares are those of the time since the last reading: the first tells none."""

    name = "cpu"

    def __init__(self) -> None:
        self._before: dict[str, float] = {}

    def read(self, now_s: float) -> Sequence[Reading]:
        times = psutil.cpu_times()._asdict()
        spent = {mode: sum(times.get(field, 0.0) for field in fields) for mode, fields in _MODES.items()}
        found = [Reading("system.cpu.logical.count", float(psutil.cpu_count() or 1), "{cpu}")]
        found += [
            Reading(f"system.cpu.load_average.{over}", load, "{task}")
            for over, load in zip(_LOADS, os.getloadavg(), strict=True)
        ]
        shares = between(self._before, spent)
        self._before = spent
        found += [Reading("system.cpu.utilization", share, "1", {"cpu.mode": mode}) for mode, share in shares.items()]
        return found


def between(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """The share of each mode; nothing where no time has passed. A count that fell a little counts as none."""
    risen = {mode: max(value - before[mode], 0.0) for mode, value in after.items() if mode in before}
    total = sum(risen.values())
    return {mode: value / total for mode, value in risen.items()} if total > 0 else {}
