"""How the server stands, read from its rooms each time it is asked: readiness, self-metrics, and for the diagnosis."""

from __future__ import annotations

from collections.abc import Mapping

from botwatch.api.diagnosis.facts import Standing
from botwatch.clock import SECOND_NS, Clock
from botwatch.spool import Heard, Spool
from botwatch.store.writer import Writer


class House:
    """`ports` grows while the server opens its doors."""

    def __init__(self, spool: Spool, writer: Writer, heard: Heard, ports: Mapping[str, int], clock: Clock) -> None:
        self._spool = spool
        self._writer = writer
        self._heard = heard
        self._ports = ports
        self._clock = clock
        self._since_ns = clock.now_ns()
        self._began_s = clock.monotonic_s()

    def standing(self) -> Standing:
        health = self._writer.health
        return Standing(
            self._since_ns,
            dict(self._ports),
            self._heard.marks,
            health.replaying,
            health.away_since_ns,
            bool(self._spool.trouble),
            self._spool.backlog().oldest_ns,
            self._spool.crowded,
            away_why=health.last_error,
        )

    async def reasons(self) -> list[str]:
        health = self._writer.health
        found = []
        if health.replaying:
            found.append("it is replaying what an earlier run left in the spool")
        if health.away_since_ns is not None:
            found.append(f"nothing is stored: {health.last_error}")
        if self._spool.trouble:
            found.append("the spool cannot write to its disk")
        if self._spool.crowded:
            found.append("the disk is nearly full, so nothing new is taken in")
        return found

    def render(self) -> str:
        """Prometheus text, each family with its help."""
        backlog, health, now_ns = self._spool.backlog(), self._writer.health, self._clock.now_ns()
        oldest_s = (now_ns - backlog.oldest_ns) / SECOND_NS if backlog.oldest_ns else 0.0
        items: list[tuple[str, float]] = []
        for signal_name, counts in self._spool.intake().items():
            for what in ("received", "stored", "spooled", "duplicate"):
                items.append((f'signal="{signal_name}",what="{what}"', getattr(counts, what)))
            items += [(f'signal="{signal_name}",what="rejected",reason="{r}"', n) for r, n in counts.rejected.items()]
        families: list[tuple[str, str, list[tuple[str, float]]]] = [
            ("botwatch_intake_items", "Items by signal and by what became of them.", items),
            ("botwatch_spool_parcels", "Requests waiting for the engine.", [("", backlog.parcels)]),
            ("botwatch_spool_bytes", "Bytes waiting for the engine.", [("", backlog.size)]),
            ("botwatch_spool_oldest_seconds", "Age of the oldest request waiting.", [("", oldest_s)]),
            ("botwatch_store_batches", "Batches inserted since the start.", [("", health.batches)]),
            ("botwatch_store_up", "1 while the engine takes data.", [("", float(health.away_since_ns is None))]),
            ("botwatch_uptime_seconds", "Since the start.", [("", self._clock.monotonic_s() - self._began_s)]),
        ]
        lines = []
        for name, help_text, samples in families:
            lines += [f"# HELP {name} {help_text}", f"# TYPE {name} gauge"]
            lines += [
                f"{name}{{{labels_}}} {value:g}" if labels_ else f"{name} {value:g}" for labels_, value in samples
            ]
        return "\n".join(lines) + "\n"
