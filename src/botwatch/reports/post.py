"""Sends reports by the clock, each once for each time it is due.

That it was sent and when it is due next is written in the transaction that puts its mail into the outbox: after a
crash there is either both or neither. From there it goes the way of all messages, with retries and a receipt. A
server that was off when a report was due sends the latest one late, and not those before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.errors import BadRequest, BotwatchError, StateError
from botwatch.measure.query import near
from botwatch.measure.reader import Measures
from botwatch.notify import outbox
from botwatch.notify.book import Channel
from botwatch.notify.note import File, Link, Note, Purpose
from botwatch.notify.notifier import Notifier
from botwatch.notify.outbox import Frame
from botwatch.reports import book, due, words
from botwatch.reports.book import Kept
from botwatch.reports.make import MEDIA, Maker, Read, file_name
from botwatch.reports.report import Schedule
from botwatch.reports.rows import ReportRow
from botwatch.state import Database
from botwatch.state.lease import Lease

log = logging.getLogger(__name__)

_LOOK_S: Final = 5.0
_AGAIN_S: Final = 60.0  # after one that could not be made
_UNKNOWN: Final = "it could not be made; the server's log says why"


def check_channel(schedule: Schedule, channels: Mapping[str, Channel]) -> None:
    """Only mail takes files."""
    mail = [name for name, channel in channels.items() if channel.does.attaches]
    if schedule.channel in mail:
        return
    there = f"there are {', '.join(mail)}" if mail else "add one first"
    raise BadRequest(
        f"schedule: expected the name of a channel that sends mail, found {schedule.channel!r}"
        f"{near(schedule.channel, mail)}",
        hint=there,
    )


@dataclass(frozen=True, slots=True)
class Letter:
    """What makes a mail of a report."""

    measures: Measures
    maker: Maker
    frame: Frame
    font: Path | None = None

    async def write(self, kept: Kept, schedule: Schedule, end_ns: int, now_ns: int) -> Note:
        report, end_s = kept.report, end_ns // SECOND_NS
        read = Read(report, end_s, now_ns // SECOND_NS, schedule.clock)
        made = await self.maker.files(self.measures, read, schedule.files, self.font)
        most = limits.REPORT_FILE_BYTES_MAX
        files = tuple(
            File(name=file_name(read, kind), media_type=MEDIA[kind], body=body)
            for kind, body in made.items()
            if len(body) <= most
        )
        left_out = [kind.upper() for kind, body in made.items() if len(body) > most]
        text = f"{report.name}, {words.length(report.period)}: {words.window(read.title.window, read.zone)}."
        if left_out:
            text += f" The {' and the '.join(left_out)} would be too large for a mail, and can be had from the page."
        url = f"{self.frame.url}/insights/reports/{kept.id}" if self.frame.url else ""
        links = (Link(name="Open it in Botwatch", url=url),) if url else ()
        return self.frame.note(
            schedule.channel,
            Purpose.REPORT,
            now_ns,
            subject=report.name,
            text=text,
            to=schedule.to,
            links=links,
            files=files,
        )


class Post:
    """`notifier` says how messages point back here, and is told that there is something to send."""

    def __init__(self, database: Database, measures: Measures, notifier: Notifier, clock: Clock, lease: Lease) -> None:
        self._database = database
        self._measures = measures
        self._notifier = notifier
        self._clock = clock
        self._lease = lease
        self._maker = Maker()
        self._not_before_s: dict[int, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._guarded()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_S)
        with suppress(StateError):
            await self._lease.release()

    async def _guarded(self) -> None:
        try:
            await self.step()
        except StateError as error:
            log.warning("reports wait for the state database", extra={"reason": error.message})
        except Exception:
            log.exception("sending reports failed; it is tried again")

    async def step(self) -> None:
        """Send what is due. A moment after its time, so that what came until then is counted."""
        if not await self._lease.hold():
            return
        until_ns = self._clock.now_ns() - limits.REPORT_SETTLE_S * SECOND_NS
        for kept in await self._database.read(lambda session: list(book.waiting(session, until_ns))):
            schedule = kept.report.schedule
            if schedule is not None and self._not_before_s.get(kept.id, 0.0) <= self._clock.monotonic_s():
                await self._one(kept, schedule, until_ns)

    async def _one(self, kept: Kept, schedule: Schedule, until_ns: int) -> None:
        settings, at_ns = self._notifier.settings, due.last_ns(schedule, until_ns)
        letter = Letter(self._measures, self._maker, self._notifier.frame, settings.report_font)
        try:
            note = await letter.write(kept, schedule, at_ns, self._clock.now_ns())
        except BotwatchError as error:
            await self._failed(kept, error.message)
            return
        except Exception:
            log.exception("a report could not be made", extra={"report": kept.id})
            await self._failed(kept, _UNKNOWN)
            return

        def work(session: Session) -> None:
            self._lease.check(session)
            row = session.get(ReportRow, kept.id, with_for_update=True)
            if row is None or (row.due_ns, row.revision) != (kept.due_ns, kept.revision):
                return  # it was changed meanwhile: the next look finds what holds now
            row.delivery_id = outbox.add(session, note).id
            row.sent_ns, row.problem = at_ns, ""
            row.due_ns = due.next_ns(schedule, until_ns)

        await self._database.write(work)
        self._not_before_s.pop(kept.id, None)
        self._notifier.hint()

    async def _failed(self, kept: Kept, why: str) -> None:
        """It stays due. The page says why it does not come."""
        log.warning("a report is tried again", extra={"report": kept.id, "reason": why})
        self._not_before_s[kept.id] = self._clock.monotonic_s() + _AGAIN_S
        problem = why[: limits.DELIVERY_ANSWER_CHARS_MAX]

        def work(session: Session) -> None:
            row = session.get(ReportRow, kept.id)
            if row is not None and row.problem != problem:
                row.problem = problem

        await self._database.write(work)
