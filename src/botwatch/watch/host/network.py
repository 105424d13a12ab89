"""What goes over the wires, and how many connections are open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import psutil

from botwatch import limits
from botwatch.watch.reading import Kind, Reading

# The ends of wires inside the machine: what goes over them is told by the interface it leaves through.
_INNER: Final = ("lo", "veth", "docker", "br-", "cali", "cni", "flannel", "virbr", "tap", "ifb", "dummy")


class Network:
    name = "network"

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    def read(self, now_s: float) -> Sequence[Reading]:
        return [*_wires(), *self._connections()]

    def _connections(self) -> Iterator[Reading]:
        """From the kernel's own counts: walking every socket costs more than all the rest."""
        known = {
            "established": self._counter("net/snmp", "Tcp:", "CurrEstab"),
            "time_wait": self._pair("net/sockstat", "TCP:", "tw"),
        }
        for state, value in known.items():
            if value is not None:
                labels = {"network.transport": "tcp", "network.connection.state": state}
                yield Reading("system.network.connection.count", value, "{connection}", labels)

    def _counter(self, file: str, head: str, name: str) -> float | None:
        """One figure of a file that has a line of names and, below it, one of figures."""
        rows = [line.split() for line in self._lines(file) if line.startswith(head)]
        if len(rows) != 2 or name not in rows[0]:
            return None
        return float(rows[1][rows[0].index(name)])

    def _pair(self, file: str, head: str, name: str) -> float | None:
        """One figure of a line of names, each with its figure behind it."""
        for line in self._lines(file):
            words = line.split()
            if words[:1] == [head] and name in words:
                return float(words[words.index(name) + 1])
        return None

    def _lines(self, file: str) -> list[str]:
        try:
            return (self._proc / file).read_text(encoding="ascii").splitlines()
        except OSError:
            return []


def _wires() -> Iterator[Reading]:
    told = psutil.net_io_counters(pernic=True, nowrap=True)
    outer = sorted(name for name in told if not name.startswith(_INNER))[: limits.HOST_INTERFACES_MAX]
    for name in outer:
        counts = told[name]
        for direction, carried, errors, dropped in (
            ("receive", counts.bytes_recv, counts.errin, counts.dropin),
            ("transmit", counts.bytes_sent, counts.errout, counts.dropout),
        ):
            labels = {"network.interface.name": name, "network.io.direction": direction}
            yield Reading("system.network.io", float(carried), "By", labels, Kind.COUNTER)
            yield Reading("system.network.errors", float(errors), "{error}", labels, Kind.COUNTER)
            yield Reading("system.network.packet.dropped", float(dropped), "{packet}", labels, Kind.COUNTER)
