"""What is said by the clock: the daily digest, the heartbeat, and what is firing to receivers that forget."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import zoneinfo
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import Clock
from botwatch.errors import StateError
from botwatch.incident.rows import IncidentRow
from botwatch.incident.steps import Step
from botwatch.notify import deliver, outbox
from botwatch.notify.channels.kind import Undelivered
from botwatch.notify.drill import Drill
from botwatch.notify.note import Moment, Note, Purpose
from botwatch.notify.notifier import Notifier
from botwatch.notify.outbox import Frame
from botwatch.notify.rows import NoticeRow
from botwatch.notify.silence import moment
from botwatch.notify.targets import TargetRefused
from botwatch.notify.told import told_of
from botwatch.notify.wire import BadAddress, Unreached
from botwatch.state import Database, meta

log = logging.getLogger(__name__)

_LOOK_S: Final = 1.0
_SWEEP_S: Final = 3_600.0
_DIGEST: Final = "notify.digest"  # the day of the last one
_HTTP_FINE: Final = range(200, 300)


def digest_day(now_ns: int, at: str, zone: str, last: str | None) -> str | None:
    """The day whose digest is due: pure. None: not yet, or it was sent."""
    local = moment(now_ns).astimezone(zoneinfo.ZoneInfo(zone))
    hour, minute = map(int, at.split(":"))
    day = local.date() if local.time() >= dt.time(hour, minute) else local.date() - dt.timedelta(days=1)
    return None if last is not None and last >= day.isoformat() else day.isoformat()


class Regular:
    """`healthy` says why the heart must not beat: a heartbeat says that rules are judged and people are told."""

    def __init__(
        self,
        notifier: Notifier,
        database: Database,
        clock: Clock,
        healthy: Callable[[], Awaitable[list[str]]],
        drill: Drill | None = None,
    ) -> None:
        self._notifier = notifier
        self._database = database
        self._clock = clock
        self._healthy = healthy
        self._drill = drill
        self._drilling: asyncio.Task[object] | None = None
        self._due_s: dict[str, float] = {}
        self._silent = False

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if self._notifier.leading:
                await self._guarded()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_S)
        if self._drilling is not None:
            self._drilling.cancel()
            await asyncio.gather(self._drilling, return_exceptions=True)

    async def _guarded(self) -> None:
        try:
            await self.step()
        except StateError as error:
            log.warning("what is said by the clock waits for the state database", extra={"reason": error.message})
        except Exception:
            log.exception("a regular job of notifications failed; it is tried again")

    async def step(self) -> None:
        settings = self._notifier.settings
        if settings.heartbeat_url.get_secret_value() and self._is_due("heartbeat", settings.heartbeat_seconds):
            await self.beat()
        for name, again_s in self._notifier.forgetful():
            if self._is_due(f"again/{name}", again_s):
                await self.say_again(name)
        self._begin_drill(60 * settings.drill_minutes)
        if self._is_due("digest", 10):
            await self._digest()
        if self._is_due("sweep", _SWEEP_S):
            now_ns = self._clock.now_ns()
            await self._database.write(lambda session: deliver.sweep(session, now_ns))

    def _begin_drill(self, every_s: int) -> None:
        """It takes its time, so nothing waits for it. A server that just started has other things to do first."""
        if self._drill is None or not every_s:
            return
        self._due_s.setdefault("drill", self._clock.monotonic_s() + every_s)
        idle = self._drilling is None or self._drilling.done()
        if idle and self._is_due("drill", every_s):
            self._drilling = asyncio.create_task(self._drill.scheduled())

    def _is_due(self, what: str, every_s: float) -> bool:
        now_s = self._clock.monotonic_s()
        if self._due_s.get(what, now_s) > now_s:
            return False
        self._due_s[what] = now_s + every_s
        return True

    async def _digest(self) -> None:
        now_ns, frame, at = self._clock.now_ns(), self._notifier.frame, self._notifier.settings.digest_at

        def work(session: Session) -> int:
            day = digest_day(now_ns, at, frame.zone, meta.get(session, _DIGEST))
            if day is None:
                return 0
            first = meta.get(session, _DIGEST) is None  # a new house: there is no day before to tell of
            meta.put(session, _DIGEST, day)
            count = 0
            while not first and (more := outbox.digest(session, now_ns, frame)):
                count += more
            return count

        if await self._database.write(work):
            self._notifier.hint()

    async def say_again(self, channel: str) -> None:
        """What is firing and was told through this channel; a failure waits for the next time."""
        now_ns, frame = self._clock.now_ns(), self._notifier.frame
        for note in await self._database.read(lambda session: _firing(session, channel, now_ns, frame)):
            try:
                await self._notifier.send(channel, note)
            except Undelivered as error:
                log.warning("what is firing was not said again", extra={"channel": channel, "answer": error.answer})
                return

    async def beat(self) -> None:
        """Tell whoever watches us that we are well. Where we are not, saying nothing is the message."""
        reasons = await self._healthy()
        problem = "; ".join(reasons) or await self._beat()
        if problem and not self._silent:
            log.warning("the heartbeat is not heard", extra={"reason": problem})
        if not problem and self._silent:
            log.info("the heartbeat is heard again")
        self._silent = bool(problem)

    async def _beat(self) -> str:
        try:
            url = self._notifier.settings.heartbeat_url.get_secret_value()
            answer = await self._notifier.means.http.send("GET", url)
        except (TargetRefused, BadAddress, Unreached) as error:
            return f"heartbeat_url: {error}"
        except TimeoutError:
            return "heartbeat_url: no answer in time"
        return "" if answer.status in _HTTP_FINE else f"it answered {answer.status}"


def _firing(session: Session, channel: str, now_ns: int, frame: Frame) -> list[Note]:
    told = sa.select(NoticeRow.incident_id).where(NoticeRow.channel == channel, NoticeRow.state == "sealed")
    query = sa.select(IncidentRow).where(IncidentRow.resolved_ns.is_(None), IncidentRow.id.in_(told))
    found = []
    rows = list(session.scalars(query.order_by(IncidentRow.started_ns)))
    for start in range(0, len(rows), limits.ALERTMANAGER_ALERTS_MAX):
        part = rows[start : start + limits.ALERTMANAGER_ALERTS_MAX]
        items = tuple(
            told_of(row, [(Moment(step=Step.OPENED, at_ns=row.started_ns), "")], url=frame.url) for row in part
        )
        found.append(frame.note(channel, Purpose.INCIDENT, now_ns, told=items))
    return found
