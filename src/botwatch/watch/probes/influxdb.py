"""InfluxDB 1.x and 2.x: told apart by what they answer. The path of the address names a database or bucket."""

from __future__ import annotations

import re
import time
from typing import Any, Final
from urllib.parse import quote, unquote

from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Pace, Service, Status, clean_version, figures, number
from botwatch.watch.probes.web import Web, check, parsed, record, samples, total

_POINTS: Final = "storage_writer_ok_points_sum"
_SHUT: Final = (401, 403)
_NO_FIGURES: Final = "it does not accept the user, password or token: no figures"
_SPAN: Final = re.compile(r"(\d+)([hms])")
_SECONDS: Final = {"h": 3_600, "m": 60, "s": 1}


class InfluxDB:
    def __init__(self, service: Service) -> None:
        token = service.token.get_secret_value()
        self._web = Web(service, headers={"authorization": f"Token {token}"} if token else None, login=not token)
        self._asks_login = bool(token or service.target.user)
        self._place = unquote(service.target.path.strip("/"))
        self._points = Pace()

    async def ask(self) -> Finding:
        began_s = time.monotonic()
        ping = await self._web.fetch("/ping")
        took_s = time.monotonic() - began_s
        check(ping)
        version = clean_version(ping.headers.get("x-influxdb-version", "")).lstrip("v")
        if not version:
            raise Trouble(Reason.ANSWER, "expected the version of InfluxDB in its answer, found none")
        first = version.startswith("1.")
        status, reason = (Status.RUNNING, "") if first else await self._health()
        written, retention_s, refused = await (self._first(began_s) if first else self._second(began_s))
        if refused and self._asks_login:
            reason = reason or _NO_FIGURES
        return Finding(
            status,
            reason,
            version=version,
            headline=f"{written:,.0f} pts/sec" if written is not None else "",
            figures=figures(("points.rate", written, "{point}/s"), ("retention", retention_s, "s")),
            latency_s=took_s,
        )

    async def _health(self) -> tuple[Status, str]:
        fetched = await self._web.fetch("/health")
        if record(parsed(fetched.body)).get("status") == "pass":
            return Status.RUNNING, ""
        return Status.DEGRADED, "its own health check does not pass"

    async def _first(self, at_s: float) -> tuple[float | None, float | None, bool]:
        """Points by the second, the retention of the database, and whether it refused to say."""
        questions = "SHOW STATS FOR 'write'"
        if self._place:
            questions += f'; SHOW RETENTION POLICIES ON "{self._place.replace(chr(34), "")}"'
        fetched = await self._web.fetch(f"/query?q={quote(questions)}")
        if fetched.status in _SHUT:
            return None, None, True
        check(fetched)
        answers = record(parsed(fetched.body)).get("results")
        stats, policies = [*(_rows(answer) for answer in answers or []), [], []][:2]
        points = next((number(row.get("pointReq")) for row in stats if "pointReq" in row), None)
        written = self._points.per_s(points, at_s) if points is not None else None
        lasts = next((row.get("duration") for row in policies if row.get("default") is True), None)
        return written, _seconds(lasts), False

    async def _second(self, at_s: float) -> tuple[float | None, float | None, bool]:
        metrics = await self._web.fetch("/metrics")
        points = total(samples(metrics.body, (_POINTS,)), _POINTS) if metrics.status == 200 else None
        written = self._points.per_s(points, at_s) if points is not None else None
        if not self._place:
            return written, None, metrics.status in _SHUT
        fetched = await self._web.fetch(f"/api/v2/buckets?name={quote(self._place)}")
        if fetched.status != 200:
            return written, None, fetched.status in _SHUT
        buckets = record(parsed(fetched.body)).get("buckets") or []
        rules = [rule for bucket in buckets[:1] for rule in record(bucket).get("retentionRules") or []]
        lasts_s = next((number(record(rule).get("everySeconds")) for rule in rules), None)
        return written, lasts_s or None, False

    async def close(self) -> None:
        await self._web.close()


def _rows(answer: Any) -> list[dict[str, Any]]:
    """The rows of one statement, by their columns."""
    found = []
    for series in record(answer).get("series") or []:
        columns = record(series).get("columns") or []
        found += [dict(zip(columns, row, strict=False)) for row in record(series).get("values") or []]
    return found


def _seconds(text: object) -> float | None:
    """168h0m0s as a number; 0s is for ever, which is none."""
    if not isinstance(text, str):
        return None
    return float(sum(int(count) * _SECONDS[unit] for count, unit in _SPAN.findall(text))) or None
