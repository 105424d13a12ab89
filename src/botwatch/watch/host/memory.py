"""How much memory is in use, and what would be free if it were needed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from botwatch.watch.reading import Kind, Reading


class Memory:
    """`used` is what programs could not be given back at once, as `free` tells it; the states add up to all of it."""

    name = "memory"

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    def read(self, now_s: float) -> Sequence[Reading]:
        return [*_main(), *_swap(), *self._kills()]

    def _kills(self) -> Iterator[Reading]:
        with contextlib.suppress(OSError, ValueError):
            for line in (self._proc / "vmstat").read_text(encoding="ascii").splitlines():
                name, _, value = line.partition(" ")
                if name == "oom_kill":
                    yield Reading("system.memory.oom_kills", float(value), "{process}", kind=Kind.COUNTER)


def _main() -> Iterator[Reading]:
    memory = psutil.virtual_memory()
    used, free = memory.total - memory.available, min(memory.free, memory.available)
    states = {"used": used, "free": free, "cached": memory.total - used - free}
    for state, value in states.items():
        labels = {"system.memory.state": state}
        yield Reading("system.memory.usage", float(value), "By", labels)
        yield Reading("system.memory.utilization", value / memory.total, "1", labels)
    yield Reading("system.memory.limit", float(memory.total), "By")
    yield Reading("system.memory.available", float(memory.available), "By")


def _swap() -> Iterator[Reading]:
    swap = psutil.swap_memory()
    if swap.total:
        for state, value in (("used", swap.used), ("free", swap.free)):
            labels = {"system.paging.state": state}
            yield Reading("system.paging.usage", float(value), "By", labels)
            yield Reading("system.paging.utilization", value / swap.total, "1", labels)
