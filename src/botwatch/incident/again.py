"""Looks for the cause of young incidents again: what was not known when they opened often is minutes later.

Spans of a deploy come late, and two versions can only be told apart once both have done something. What is found then
replaces what was known, unless that was surer. People are not told again: the page and the API show the latest, and the
course of the incident says when it was found.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.detect.finding import Reason
from botwatch.detect.rule import Severity
from botwatch.errors import BotwatchError
from botwatch.incident.explain import Explainable, explain
from botwatch.incident.nouns import DRILL_LOST, OVERFLOW, Opening
from botwatch.incident.rows import ChangeRow, IncidentRow
from botwatch.incident.steps import RULE, Step
from botwatch.state import Database
from botwatch.state.lease import Lease

log = logging.getLogger(__name__)

LOOKS_AFTER_S: Final = (120, 600, 1_800)
_YOUNG_S: Final = 2 * LOOKS_AFTER_S[-1]  # after a pause of the process there is still one look
_EVERY_S: Final = 10.0

Explain = Callable[[Sequence[Opening]], Awaitable[Sequence[Opening]]]


class Again:
    """`run` until told to stop; of several nodes the one with the lease looks."""

    def __init__(self, database: Database, explain: Explain, lease: Lease, clock: Clock) -> None:
        self._database = database
        self._explain = explain
        self._lease = lease
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.run_once(self._clock.now_ns())
            except BotwatchError as error:
                log.warning("causes are not looked for again just now: %s", error.message)
            except Exception:
                log.exception("looking for causes again failed; it is tried again")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _EVERY_S)
        with suppress(BotwatchError):
            await self._lease.release()

    async def run_once(self, now_ns: int) -> int:
        """How many incidents were looked at."""
        if not await self._lease.hold():
            return 0
        due = await self._database.read(lambda session: _due(session, now_ns))
        if due:
            told = await self._explain(due)
            await self._database.write(lambda session: self._keep(session, told, now_ns))
        return len(due)

    def _keep(self, session: Session, told: Sequence[Opening], now_ns: int) -> None:
        self._lease.check(session)
        found = {one.id: one.found for one in told}
        query = sa.select(IncidentRow).where(IncidentRow.id.in_(found)).with_for_update()
        rows = list(session.scalars(query))
        news = explain(session, [Explainable(row, found[row.id], now_ns) for row in rows])
        session.add_all(
            ChangeRow(
                incident_id=row.id,
                at_ns=now_ns,
                what=Step.EXPLAINED,
                who=RULE,
                why=row.evidence["cause"] or "what was suspected is not the cause",
                value=row.last_value,
                told_ns=now_ns,  # nobody is told of it
            )
            for row in news
        )


def _due(session: Session, now_ns: int) -> list[Opening]:
    """Those of which a look is due, the newest first, as they would open now."""
    query = sa.select(IncidentRow).where(
        IncidentRow.started_ns > now_ns - _YOUNG_S * SECOND_NS, IncidentRow.rule.not_in((OVERFLOW, DRILL_LOST))
    )
    rows = session.scalars(query.order_by(IncidentRow.started_ns.desc(), IncidentRow.id))
    return [_opening(row, now_ns) for row in rows if _is_due(row, now_ns)][: limits.INCIDENTS_COMPARED_MAX]


def _is_due(row: IncidentRow, now_ns: int) -> bool:
    looked_ns = int(row.evidence.get("looked_ns", row.started_ns))
    return any(looked_ns < row.started_ns + after_s * SECOND_NS <= now_ns for after_s in LOOKS_AFTER_S)


def _opening(row: IncidentRow, now_ns: int) -> Opening:
    return Opening(
        row.id,
        row.rule,
        row.subject,
        row.labels,
        Severity(row.severity),
        Reason(row.reason),
        row.summary,
        row.trigger_value,
        row.began_ns,
        min(now_ns, row.resolved_ns or now_ns),
        row.snapshot,
    )
