"""The reporter inside the server: what was seen goes through the same door as what anyone sends, without a key.

`report` may be called from any thread. The spool is the disk behind it; while that takes nothing, reports wait
here, within their bound, and the oldest go first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace

from botwatch import limits
from botwatch.clock import Clock
from botwatch.errors import BotwatchError, TryAgain
from botwatch.receive import otlp
from botwatch.receive.door import Door
from botwatch.watch import wire
from botwatch.watch.reading import Attributes, Happening, Reading
from botwatch.watch.waiting import Waiting

log = logging.getLogger(__name__)


class LocalReporter:
    """Implements `Reporter`. Nothing leaves before `run` does, and `run` ends by sending what is left."""

    def __init__(self, door: Door, observer: str, clock: Clock) -> None:
        self._door = door
        self._observer = observer
        self._clock = clock
        self._waiting = Waiting()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work = asyncio.Event()
        self._told: set[str] = set()

    @property
    def dropped(self) -> int:
        """Reports that are lost: they did not fit, or the door did not take them."""
        return self._waiting.dropped

    def report(
        self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
    ) -> None:
        try:
            report = wire.encode(self._observer, resource, readings, happenings, self._clock.now_ns())
        except Exception as error:
            self._lost(f"a report could not be written ({type(error).__name__})")
            return
        if report.size:
            self._waiting.add(report)
            self._wake()

    def _wake(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nothing is sent any more
                self._loop.call_soon_threadsafe(self._work.set)

    async def run(self, stop: asyncio.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._work.set()
        ended = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                work = asyncio.create_task(self._work.wait())
                await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
                work.cancel()
                self._work.clear()
                wait_s = await self._send()
                if wait_s is not None:
                    await asyncio.wait({ended}, timeout=wait_s)
                    self._work.set()
            await self._send()
        finally:
            ended.cancel()

    async def _send(self) -> int | None:
        """Send all that waits; how many seconds to leave the door alone before what is left is sent."""
        reports = self._waiting.take()
        try:
            await self._put(otlp.POINTS, b"".join(report.points for report in reports))
            reports = [replace(report, points=b"") for report in reports if report.logs]
            await self._put(otlp.LOGS, b"".join(report.logs for report in reports))
        except TryAgain as error:
            self._waiting.put_back(reports)
            return error.retry_after_s
        return None

    async def _put(self, signal: otlp.Otlp, body: bytes) -> None:
        if not body:
            return
        try:
            taken = await otlp.take(self._door, signal, body, as_json=False)
        except TryAgain:
            raise
        except BotwatchError as error:
            self._lost(f"what was seen was not taken ({error.code})")
            return
        if taken.rejected:
            self._lost(f"what was seen was taken in part: {taken.message}")

    def _lost(self, why: str) -> None:
        self._waiting.dropped += 1
        if why not in self._told and len(self._told) < limits.REPORT_TROUBLES_TOLD_MAX:
            self._told.add(why)
            log.warning(why)
