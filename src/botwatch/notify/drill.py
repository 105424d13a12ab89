"""A drill: a made-up failure that goes the whole way a real one goes, and says how long each leg took.

    point over HTTP ▸ spool ▸ store ▸ rule ▸ incident ▸ delivery ▸ receipt ▸ over again

It is a metric of its own, of no bot and no host, so no figure of anybody changes. Its rule is there only as long as it
lasts. Every message of it says that it is a drill.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

import httpx
import sqlalchemy as sa
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import Clock
from botwatch.detect import rows
from botwatch.detect.book import RuleBook
from botwatch.detect.finding import Reason
from botwatch.detect.rule import Rule, Severity
from botwatch.errors import BadRequest, BotwatchError, Conflict
from botwatch.incident import ledger
from botwatch.incident.nouns import DRILL_LOST, Opening, Resolving
from botwatch.incident.rows import IncidentRow
from botwatch.notify.hooks import PREFIX
from botwatch.notify.note import Purpose
from botwatch.notify.rows import DeliveryRow, NoticeRow
from botwatch.notify.told import DRILL_LABELS, DRILL_RULE
from botwatch.state import Access, Database, keys

log = logging.getLogger(__name__)

METRIC: Final = "botwatch.drill"
_WHO: Final = "drill"
_LOOK_S: Final = 0.1
_KEEP_S: Final = 2.0  # how often the point is sent again, so that the first whole tick has it


class Stored(Protocol):
    def stored_through_ns(self, now_ns: int) -> int:
        """Everything received before this instant can be read."""
        ...


@dataclass(frozen=True, slots=True)
class Leg:
    """`took_s` since the leg before."""

    name: str
    took_s: float


@dataclass(slots=True)
class Report:
    """`problem` says where it stopped; empty: it came back."""

    began_ns: int
    legs: list[Leg] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    incident: str | None = None
    problem: str = ""


class Drill:
    """One at a time. `url` is where this server takes telemetry; `wake` is called when a rule was written."""

    def __init__(
        self,
        database: Database,
        access: Access,
        book: RuleBook,
        stored: Stored,
        clock: Clock,
        *,
        url: str,
        needs_key: bool,
    ) -> None:
        self._database = database
        self._access = access
        self._book = book
        self._stored = stored
        self._clock = clock
        self._url = url
        self._needs_key = needs_key
        self._running = asyncio.Lock()

    async def run(self, channels: tuple[str, ...] = ()) -> Report:
        """Through these channels; none: as the routes say for what is critical."""
        if self._running.locked():
            raise Conflict("A drill is going on.", hint="wait until it has ended")
        async with self._running:
            known = self._book.channels
            for name in channels:
                if known is not None and name not in known:
                    raise BadRequest(f"There is no channel {name!r}.", hint="see the list of channels")
            report = Report(self._clock.now_ns())
            self._last_s = self._clock.monotonic_s()
            sender: asyncio.Task[None] | None = None
            secret = await self._key()
            try:
                async with asyncio.timeout(limits.DRILL_S_MAX):
                    await self._set_rule(channels)
                    sender = asyncio.create_task(self._send(secret, report))
                    await self._follow(report, sender)
            except TimeoutError:
                report.problem = f"it did not come further than {_reached(report)} in {limits.DRILL_S_MAX} s"
            except BotwatchError as error:
                report.problem = error.message
            finally:
                await self._tidy(sender, secret)
            return report

    async def scheduled(self) -> Report:
        """A drill whose failure is an incident; the next one that comes back ends it."""
        report = await self.run()
        if report.problem:
            log.error("a drill did not come back", extra={"problem": report.problem})
        now_ns = self._clock.now_ns()
        await self._database.write(lambda session: _judge(session, report.problem, now_ns))
        return report

    async def _follow(self, report: Report, sender: asyncio.Task[None]) -> None:
        await self._until(report, "received", lambda _: bool(report.legs), sender)
        received_ns = self._clock.now_ns()
        await self._until(report, "stored", lambda _: self._is_stored(received_ns), sender)
        await self._until(report, "opened", lambda session: _opened(session, report), sender)
        await self._until(report, "told", lambda session: _told(session, report), sender)
        await self._until(report, "confirmed", lambda session: _confirmed(session, report, "opened"), sender)
        sender.cancel()
        await self._until(report, "resolved", lambda session: _over(session, report), None)
        await self._until(report, "end confirmed", lambda session: _confirmed(session, report, "resolved"), None)

    async def _until(
        self,
        report: Report,
        name: str,
        reached: Callable[[Session], bool],
        sender: asyncio.Task[None] | None,
    ) -> None:
        while not await self._database.read(reached):
            if sender is not None and sender.done():
                sender.result()
            await asyncio.sleep(_LOOK_S)
        if name != "received":
            self._reach(report, name)

    def _reach(self, report: Report, name: str) -> None:
        now_s = self._clock.monotonic_s()
        report.legs.append(Leg(name, round(now_s - self._last_s, 3)))
        self._last_s = now_s

    def _is_stored(self, received_ns: int) -> bool:
        return self._stored.stored_through_ns(self._clock.now_ns()) >= received_ns

    async def _key(self) -> str | None:
        if not self._needs_key:
            return None
        now_ns = self._clock.now_ns()
        _, secret = await self._access.change(lambda session: keys.add(session, now_ns, _WHO, f"drill {now_ns}"))
        return secret

    async def _set_rule(self, channels: tuple[str, ...]) -> None:
        rule = drill_rule(channels)
        now_ns = self._clock.now_ns()
        await self._database.write(lambda session: rows.put(session, now_ns, _WHO, rule))
        await asyncio.to_thread(self._book.reload)

    async def _send(self, secret: str | None, report: Report) -> None:
        """Again and again, as a real failure would be."""
        headers = {"content-type": "application/x-protobuf"}
        if secret is not None:
            headers["authorization"] = f"Bearer {secret}"
        async with httpx.AsyncClient(base_url=self._url, trust_env=False, timeout=10, verify=False) as client:  # noqa: S501
            while True:
                body = point(self._clock.now_ns())
                try:
                    answer = await client.post("/v1/metrics", content=body, headers=headers)
                except httpx.HTTPError as error:
                    raise Conflict(f"the receiver could not be asked ({type(error).__name__})") from None
                if answer.status_code != httpx.codes.OK:
                    raise Conflict(f"the receiver answered {answer.status_code}")
                if not report.legs:
                    self._reach(report, "received")
                await asyncio.sleep(_KEEP_S)

    async def _tidy(self, sender: asyncio.Task[None] | None, secret: str | None) -> None:
        if sender is not None:
            sender.cancel()
            with suppress(asyncio.CancelledError, BotwatchError):
                await sender
        now_ns = self._clock.now_ns()
        await self._database.write(lambda session: rows.delete(session, now_ns, _WHO, DRILL_RULE))
        await asyncio.to_thread(self._book.reload)
        if secret is not None:
            await self._access.change(lambda session: _revoke(session, now_ns, secret))


def drill_rule(channels: tuple[str, ...]) -> Rule:
    return Rule.model_validate(
        {
            "name": DRILL_RULE,
            "field": f"metric:{METRIC}",
            "aggregation": "last",
            "value": 1,
            "timeframe": "10s",
            "by": list(DRILL_LABELS),
            "severity": Severity.CRITICAL,
            "no_data": "resolve",
            "notify": list(channels),
            "message": "Somebody tries whether alerts arrive. There is nothing to do.",
        }
    )


def point(now_ns: int) -> bytes:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    observer = resource.resource.attributes.add(key="botwatch.observer")
    observer.value.string_value = _WHO
    metric = resource.scope_metrics.add().metrics.add(name=METRIC, description="A drill is going on.")
    found = metric.gauge.data_points.add(time_unix_nano=now_ns, as_double=1.0)
    for name, value in DRILL_LABELS.items():
        found.attributes.add(key=name).value.string_value = value
    return request.SerializeToString()


def _reached(report: Report) -> str:
    return report.legs[-1].name if report.legs else "its beginning"


def _opened(session: Session, report: Report) -> bool:
    query = sa.select(IncidentRow.id).where(IncidentRow.rule == DRILL_RULE, IncidentRow.started_ns >= report.began_ns)
    report.incident = session.scalars(query.order_by(IncidentRow.started_ns).limit(1)).first()
    return report.incident is not None


def _deliveries(session: Session, report: Report, step: str) -> list[tuple[str, str, str]]:
    """Channel, status and answer of those that tell this step; hooks are no way to reach people."""
    query = (
        sa.select(DeliveryRow.channel, DeliveryRow.status, DeliveryRow.answer)
        .join(NoticeRow, NoticeRow.delivery_id == DeliveryRow.id)
        .where(NoticeRow.incident_id == report.incident, NoticeRow.step == step)
        .where(DeliveryRow.purpose == Purpose.INCIDENT.value, ~DeliveryRow.channel.startswith(PREFIX))
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def _told(session: Session, report: Report) -> bool:
    found = _deliveries(session, report, "opened")
    if not found:
        query = sa.select(NoticeRow.reason, NoticeRow.detail).where(
            NoticeRow.incident_id == report.incident, NoticeRow.state.in_(("held", "dropped"))
        )
        if row := session.execute(query.limit(1)).first():
            raise Conflict(f"nobody is told: {row[0].replace('_', ' ')} {row[1]}".strip())
    report.channels = sorted({channel for channel, _, _ in found})
    return bool(found)


def _confirmed(session: Session, report: Report, step: str) -> bool:
    found = _deliveries(session, report, step)
    for channel, status, answer in found:
        if status == "failed":
            raise Conflict(f"the channel {channel} does not take it: {answer}")
    return bool(found) and all(status in ("delivered", "folded") for _, status, _ in found)


def _over(session: Session, report: Report) -> bool:
    row = session.get(IncidentRow, report.incident)
    return row is not None and row.resolved_ns is not None


def _revoke(session: Session, now_ns: int, secret: str) -> None:
    for key in keys.listed(session, count=limits.INGEST_KEYS_MAX):
        if secret.startswith(key.prefix) and key.label.startswith("drill "):
            keys.revoke(session, now_ns, _WHO, key.id)


def _judge(session: Session, problem: str, now_ns: int) -> None:
    query = sa.select(IncidentRow.id).where(IncidentRow.rule == DRILL_LOST, IncidentRow.resolved_ns.is_(None))
    open_ = session.scalars(query).first()
    if problem and open_ is None:
        summary = f"A scheduled drill did not come back: {problem}"
        ledger.open_(
            session,
            Opening(
                secrets.token_hex(16), DRILL_LOST, "", {}, Severity.CRITICAL, Reason.NO_DATA, summary, None,
                now_ns, now_ns, {"name": DRILL_LOST},
            ),
        )  # fmt: skip
    if not problem and open_ is not None:
        ledger.resolve(session, Resolving(open_, now_ns, Reason.RECOVERED, "a drill came back", None, None))
