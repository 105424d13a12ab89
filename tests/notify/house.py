"""Incidents as the judge writes them, and one pass of the notifier at a time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect.rule import Rule, Severity
from botwatch.incident.rows import ChangeRow, IncidentRow
from botwatch.incident.steps import RULE, Status, Step, subject_of
from botwatch.notify import book
from botwatch.notify.notifier import Notifier
from botwatch.notify.outbox import Frame
from botwatch.notify.rows import DeliveryRow, NoticeRow
from botwatch.settings import Settings
from botwatch.state import Database

NOW_NS = 1_800_000_000 * SECOND_NS  # a Friday, 08:00 UTC
URL = "https://bots.example.com"
CPU: dict[str, Any] = {
    "name": "High CPU",
    "field": "cpu.usage",
    "operand": "equalOrMoreThan",
    "value": 85,
    "timeframe": "2m",
    "severity": "critical",
    "runbook": "https://runbooks.example.com/cpu",
}


def opened(
    session: Session,
    now_ns: int,
    rule: Mapping[str, Any] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    value: float | None = 93.25,
) -> str:
    """The rows of an opening; the id of the incident."""
    made = Rule.model_validate({**CPU, **(rule or {})})
    known = dict(labels if labels is not None else {"host": "web-1"})
    row = IncidentRow(
        id=secrets.token_hex(16),
        rule=made.name,
        subject=subject_of(known),
        labels=known,
        severity=made.severity.value,
        status=Status.OPEN,
        reason="breached",
        summary=f"{made.field} of {subject_of(known)} is {value}",
        trigger_value=value,
        peak_value=value,
        last_value=value,
        began_ns=now_ns - 120 * SECOND_NS,
        started_ns=now_ns,
        snapshot=made.model_dump(mode="json", by_alias=True),
        evidence={"unit": "percent"},
    )
    session.add(row)
    session.flush()
    changed(session, row.id, Step.OPENED, now_ns, why=row.summary)
    return row.id


def changed(session: Session, incident: str, step: Step, now_ns: int, who: str = RULE, why: str = "") -> None:
    row = session.get_one(IncidentRow, incident)
    if step is Step.RESOLVED:
        row.status, row.resolved_ns = Status.RESOLVED, now_ns
    elif step is Step.ACKNOWLEDGED:
        row.status, row.acknowledged_ns, row.acknowledged_by = Status.ACKNOWLEDGED, now_ns, who
    elif step is Step.WORSENED:
        row.severity = Severity.CRITICAL
    session.add(ChangeRow(incident_id=incident, at_ns=now_ns, what=step, who=who, why=why))


class House:
    def __init__(self, database: Database, settings: Settings, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        self.notifier = Notifier(database, clock, settings, Frame(URL, "UTC"))

    async def close(self) -> None:
        await self.notifier.close()

    def channel(self, name: str, kind: str, enabled: bool = True, **options: Any) -> None:
        now_ns = self.clock.now_ns()
        given = (name, kind, options, enabled)
        self.database.write_now(lambda s: book.put_channel(s, now_ns, "ann", self.notifier.base, given))

    def routes(self, *routes: Mapping[str, Any]) -> None:
        now_ns = self.clock.now_ns()
        self.database.write_now(lambda s: book.put_routes(s, now_ns, "ann", self.notifier.base, list(routes)))

    def open(self, rule: Mapping[str, Any] | None = None, **more: Any) -> str:
        now_ns = self.clock.now_ns()
        return self.database.write_now(lambda session: opened(session, now_ns, rule, **more))

    def change(self, incident: str, step: Step, who: str = RULE) -> None:
        now_ns = self.clock.now_ns()
        self.database.write_now(lambda session: changed(session, incident, step, now_ns, who))

    async def run(self, seconds: float = 0, step_s: float = 0.5) -> None:
        """Let so much time pass, and everything be sent that is due on the way."""
        left_s = seconds
        while True:
            await self.settle()
            if left_s <= 0:
                return
            self.clock.advance(min(step_s, left_s))
            left_s -= step_s

    async def settle(self) -> None:
        """Until a pass finds nothing to do at this moment."""
        while True:
            await self.notifier.step()
            if not self.notifier._sending:
                return
            while any(not task.done() for task in self.notifier._sending.values()):
                await asyncio.wait(self.notifier._sending.values(), timeout=1)

    def deliveries(self, **where: str) -> list[DeliveryRow]:
        query = sa.select(DeliveryRow).filter_by(**where).order_by(DeliveryRow.seq)
        return self.database.read_now(lambda session: list(session.scalars(query)))

    def notices(self, **where: str) -> list[NoticeRow]:
        query = sa.select(NoticeRow).filter_by(**where).order_by(NoticeRow.id)
        return self.database.read_now(lambda session: list(session.scalars(query)))
