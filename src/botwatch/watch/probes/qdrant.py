"""Qdrant: its readiness, and the figures it publishes for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Service, Status, amount, clean_version, figures
from botwatch.watch.probes.web import Sample, Web, check, samples, total

_TIMES: Final = "rest_responses_duration_seconds"
_AVERAGE: Final = "rest_responses_avg_duration_seconds"
_WANTED: Final = (
    *("app_info", "app_status_recovery_mode", "collections_total", "collections_vector_total"),
    *(f"{_TIMES}_sum", f"{_TIMES}_count", _AVERAGE),
)
_SEARCHES: Final = ("/points/search", "/points/query")


class Qdrant:
    def __init__(self, service: Service) -> None:
        token = service.token.get_secret_value() or service.target.password.get_secret_value()
        self._web = Web(service, headers={"api-key": token} if token else None, login=False)
        self._seen: tuple[float, float] | None = None  # seconds and searches the last time

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        ready = await self._web.fetch("/readyz")
        took_s = time.monotonic() - began_s
        fetched = await self._web.fetch("/metrics")
        check(fetched)
        found = list(samples(fetched.body, _WANTED))
        version = next((sample.labels.get("version", "") for sample in found if sample.name == "app_info"), None)
        if version is None:
            raise Trouble(Reason.ANSWER, "expected the figures of Qdrant, found something else")
        vectors, collections = total(found, "collections_vector_total"), total(found, "collections_total")
        reason = ""
        if ready.status >= 400:
            reason = f"it says that it is not ready (HTTP {ready.status}): shards are being recovered"
        elif total(found, "app_status_recovery_mode"):
            reason = "it runs in recovery mode, and serves no collection"
        return Finding(
            Status.DEGRADED if reason else Status.RUNNING,
            reason,
            version=clean_version(version),
            headline=f"{amount(vectors)} vectors" if vectors is not None else "",
            figures=figures(
                ("vectors", vectors, "{vector}"),
                ("collections", collections, "{collection}"),
                ("search.latency", self._search_s(found), "s"),
            ),
            latency_s=took_s,
        )

    def _search_s(self, found: Sequence[Sample]) -> float | None:
        """What a search took on average since we asked last; over all its life at first, or where there was none."""
        searches = [s for s in found if s.labels.get("endpoint", "").endswith(_SEARCHES)]
        spent_s, count = total(searches, f"{_TIMES}_sum"), total(searches, f"{_TIMES}_count")
        if spent_s is None or not count:  # before version 1.8 there was only the average
            averages = [sample.value for sample in searches if sample.name == _AVERAGE]
            return max(averages, default=None)
        before, self._seen = self._seen, (spent_s, count)
        if before is not None and count > before[1] and spent_s >= before[0]:
            return (spent_s - before[0]) / (count - before[1])
        return spent_s / count

    async def close(self) -> None:
        await self._web.close()
