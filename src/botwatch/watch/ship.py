"""The reporter of the agent: OTLP over HTTP to a server that may be away, over a buffer on disk.

Every parcel is on disk before it is sent, and leaves it when the server has said that it took it. A parcel is sent
again with the same bytes, and the server knows them: so nothing is stored twice.
"""

from __future__ import annotations

import gzip
import logging
import random
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from botwatch import limits
from botwatch.clock import Clock
from botwatch.watch import wire
from botwatch.watch.buffer import Buffer
from botwatch.watch.post import Answer, Verdict
from botwatch.watch.reading import Attributes, Happening, Kind, Reading
from botwatch.watch.waiting import Waiting

log = logging.getLogger(__name__)

_DROPPED: Final = "botwatch.agent.dropped"


class Post(Protocol):
    def send(self, signal: str, body: bytes) -> Answer:
        """Never raises."""
        ...


class RemoteReporter:
    """Implements `Reporter`. One thread writes and sends; `close` writes what is left and sends what it can."""

    def __init__(self, post: Post, path: Path, observer: str, clock: Clock) -> None:
        self._post = post
        self._observer = observer
        self._clock = clock
        self._waiting = Waiting()
        self._buffer = Buffer.open(path)
        if self._buffer.warning:
            log.warning(self._buffer.warning)
        self._work = threading.Event()
        self._stop = threading.Event()
        self._not_before_s = 0.0
        self._failures = 0
        self._lost = 0
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="botwatch-ship", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Requests and reports that are lost: no room for them, or the server refused them."""
        return self._lost + self._waiting.dropped

    @property
    def backlog(self) -> int:
        """Requests on disk that the server has not taken yet."""
        return self._buffer.parcels

    def report(
        self, resource: Attributes, readings: Sequence[Reading] = (), happenings: Sequence[Happening] = ()
    ) -> None:
        if readings:
            readings = [*readings, Reading(_DROPPED, float(self.dropped), "{request}", kind=Kind.COUNTER)]
        try:
            report = wire.encode(self._observer, resource, readings, happenings, self._clock.now_ns())
        except Exception as error:
            self._lost += 1
            self._tell(f"a report could not be written ({type(error).__name__})")
            return
        if report.size:
            self._waiting.add(report)
            self._work.set()

    def close(self) -> None:
        """Within a few seconds, whatever the server does."""
        self._stop.set()
        self._work.set()
        self._thread.join(limits.AGENT_STOP_S_MAX)

    def _run(self) -> None:
        while not self._stop.is_set():
            wait_s = self._not_before_s - self._clock.monotonic_s() if self._buffer.parcels else None
            self._work.wait(None if wait_s is None else max(wait_s, 0.0))
            self._work.clear()
            self._round()
        self._round(ending=True)
        self._buffer.close()

    def _round(self, *, ending: bool = False) -> None:
        try:
            self._write()
            if self._clock.monotonic_s() >= self._not_before_s:
                self._drain(ending=ending)
        except Exception as error:
            self._tell(f"sending is tried again ({type(error).__name__})")
            self._wait(limits.AGENT_RETRY_S_MAX)

    def _write(self) -> None:
        """What waits in memory becomes one parcel a signal, on disk."""
        reports = self._waiting.take()
        for signal in ("metrics", "logs"):
            body = b"".join(report.points if signal == "metrics" else report.logs for report in reports)
            if not body:
                continue
            try:
                self._lost += self._buffer.add(signal, gzip.compress(body, 6, mtime=0))
            except sqlite3.Error as error:
                self._tell(f"the buffer cannot be written ({error.sqlite_errorname}): reports wait in memory")
                left = [r if signal == "metrics" else wire.Report(b"", r.logs) for r in reports]
                self._waiting.put_back([report for report in left if report.size])
                self._wait(limits.AGENT_RETRY_S_MAX)
                return

    def _drain(self, *, ending: bool) -> None:
        """Send the oldest first, until nothing is left or the server wants to be left alone."""
        while (ending or not self._stop.is_set()) and (parcel := self._buffer.oldest()):
            answer = self._post.send(parcel.signal, parcel.body)
            if answer.verdict is Verdict.AGAIN:
                self._away(answer)
                return
            if answer.verdict is Verdict.REFUSED:
                self._lost += 1
            if answer.why:
                self._tell(answer.why)
            elif self._failures:
                log.info("the server takes what is sent again")
                self._trouble = ""
            self._failures = 0
            self._buffer.done(parcel)
            if self._work.is_set():  # a long backlog must not keep what is new from the disk
                self._work.clear()
                self._write()

    def _away(self, answer: Answer) -> None:
        self._failures += 1
        self._tell(answer.why)
        doubled = limits.AGENT_RETRY_S_MIN * 2.0 ** min(self._failures - 1, 10)
        wait_s = min(doubled, limits.AGENT_RETRY_S_MAX) * random.uniform(0.75, 1.0)  # noqa: S311  spreads agents
        self._wait(max(wait_s, min(answer.retry_after_s, limits.AGENT_RETRY_AFTER_S_MAX)))

    def _wait(self, seconds: float) -> None:
        self._not_before_s = self._clock.monotonic_s() + seconds

    def _tell(self, why: str) -> None:
        """Each trouble once, until another takes its place."""
        if why != self._trouble:
            self._trouble = why
            log.warning(why)
