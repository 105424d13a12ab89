"""Of several nodes on one state database, only one does a job: it holds the job's lease.

Nobody compares clocks. The holder counts up a beat; whoever has watched that beat stand still for long enough, on
its own clock, takes the lease over. A holder that was asleep may not know yet that it lost the lease, so that
what it writes checks the lease in the same transaction.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from botwatch.clock import Clock
from botwatch.errors import LeaseLost
from botwatch.limits import LEASE_S
from botwatch.state.database import Database
from botwatch.state.rows import HOLDER_CHARS, LeaseRow


class Lease:
    """`holder` names the node and stays the same over its restarts, so that it goes on at once."""

    def __init__(self, database: Database, name: str, holder: str, clock: Clock) -> None:
        self._database = database
        self._name = name
        self._holder = holder[:HOLDER_CHARS]
        self._clock = clock
        self._seen: tuple[str, int] | None = None
        self._seen_s = 0.0
        self._beaten_s = self._tried_s = float("-inf")
        self.held = False

    async def hold(self) -> bool:
        """Take it, keep it, or see that another has it. May raise `StateAway`."""
        now_s = self._clock.monotonic_s()
        if self.held and now_s - self._beaten_s < LEASE_S / 3:
            return True
        if not self.held and now_s - self._tried_s < LEASE_S / 5:
            return False
        self._tried_s = now_s
        # A beat counts from before it was asked for, so that it is never thought younger than it is.
        try:
            self.held = await self._database.write(lambda session: self._try(session, now_s))
        except IntegrityError:  # another node made the first row in the same moment
            self.held = False
        if self.held:
            self._beaten_s = now_s
        return self.held

    def check(self, session: Session) -> None:
        """In the transaction of a write: raises `LeaseLost` unless the lease is still this node's."""
        query = sa.select(LeaseRow.holder).where(LeaseRow.name == self._name).with_for_update()
        if session.scalar(query) != self._holder:
            self.held = False
            raise LeaseLost("Another node does this now.")

    async def release(self) -> None:
        """Let another go on at once."""
        if self.held:
            self.held = False
            await self._database.write(self._release)

    def _try(self, session: Session, now_s: float) -> bool:
        row = session.get(LeaseRow, self._name, with_for_update=True)
        if row is None:
            session.add(LeaseRow(name=self._name, holder=self._holder, beat=1))
            return True
        if row.holder not in ("", self._holder) and not self._stands_still(row, now_s):
            return False
        row.holder = self._holder
        row.beat += 1
        return True

    def _stands_still(self, row: LeaseRow, now_s: float) -> bool:
        seen = (row.holder, row.beat)
        if seen != self._seen:
            self._seen, self._seen_s = seen, now_s
        return now_s - self._seen_s >= LEASE_S

    def _release(self, session: Session) -> None:
        mine = sa.and_(LeaseRow.name == self._name, LeaseRow.holder == self._holder)
        session.execute(sa.update(LeaseRow).where(mine).values(holder=""))
