"""The one thread that touches the spool's file: it runs jobs in turn and commits parcels in groups.

A commit flushes the disk, which costs the same for one parcel as for many. So parcels that come
while a commit is under way, or too soon after one began, go together in the next.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, TypeVar

from botwatch import limits
from botwatch.errors import SpoolError, TryAgain
from botwatch.nouns import Parcel, Receipt

log = logging.getLogger(__name__)

T = TypeVar("T")

_COMMIT_EVERY_S: Final = 1 / limits.SPOOL_COMMITS_PER_SECOND_MAX
_TEND_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    parcel: Parcel
    receipt: asyncio.Future[Receipt]

    @property
    def size(self) -> int:
        return len(self.parcel.body)


class Owner:
    """`commit` makes a group durable and answers each parcel; `refuse` says what to tell a client
    when it could not; `tend` keeps house, once a second and before the end."""

    def __init__(
        self,
        commit: Callable[[Sequence[Parcel]], Sequence[Receipt]],
        refuse: Callable[[Exception], TryAgain],
        tend: Callable[[], None],
    ) -> None:
        self._commit = commit
        self._refuse = refuse
        self._tend = tend
        self._changed = threading.Condition()
        self._idle = False
        self._stopping = False
        self._jobs: deque[Callable[[], None]] = deque()
        self._waiting: deque[_Waiting] = deque()
        self._parcels = 0
        self._size = 0
        self._commit_due_s = 0.0
        self._tend_due_s = 0.0
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()

    # --- called by others

    def enqueue(self, parcel: Parcel, admit: Callable[[int, int], None]) -> asyncio.Future[Receipt]:
        """Called on an event loop. `admit` is told how many parcels and bytes wait already, those
        in the commit under way included, and raises when it takes no more."""
        waiting = _Waiting(parcel, asyncio.get_running_loop().create_future())
        with self._changed:
            if self._stopping:
                raise TryAgain("The server is shutting down.", retry_after_s=limits.SPOOL_RETRY_AFTER_S)
            admit(self._parcels, self._size)
            self._waiting.append(waiting)
            self._parcels += 1
            self._size += waiting.size
            if self._idle or self._is_full_group():
                self._changed.notify()
        return waiting.receipt

    def ask(self, job: Callable[[], T]) -> T:
        """Run something on the thread and wait for it; not from the thread itself."""
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(job())
            except BaseException as error:
                answer.set_exception(error)

        with self._changed:
            if self._stopping:
                raise SpoolError("The spool is closed.")
            self._jobs.append(run)
            self._changed.notify()
        return answer.result()

    def stop(self) -> None:
        """Commit what waits, run what was asked, end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    # --- the thread

    def _run(self) -> None:
        while True:
            jobs, group, stopping = self._next()
            for job in jobs:
                job()
            if group:
                self._commit_group(group)
            over = stopping and not group and not jobs
            if over or time.monotonic() >= self._tend_due_s:
                self._tend()
                self._tend_due_s = time.monotonic() + _TEND_EVERY_S
            if over:
                return

    def _next(self) -> tuple[Sequence[Callable[[], None]], Sequence[_Waiting], bool]:
        """Wait for something to do, at most until it is time to tend."""
        with self._changed:
            while not self._jobs and not self._stopping:
                now_s = time.monotonic()
                due_s = min(self._group_due_s(), self._tend_due_s)
                if now_s >= due_s:
                    break
                self._idle = not self._waiting
                self._changed.wait(due_s - now_s)
                self._idle = False
            jobs = list(self._jobs)
            self._jobs.clear()
            return jobs, self._take_group(), self._stopping

    def _is_full_group(self) -> bool:
        return len(self._waiting) >= limits.SPOOL_COMMIT_PARCELS_MAX or self._size >= limits.SPOOL_COMMIT_BYTES_MAX

    def _group_due_s(self) -> float:
        if not self._waiting:
            return math.inf
        return 0.0 if self._stopping or self._is_full_group() else self._commit_due_s

    def _take_group(self) -> Sequence[_Waiting]:
        now_s = time.monotonic()
        if now_s < self._group_due_s():
            return ()
        self._commit_due_s = now_s + _COMMIT_EVERY_S
        group: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < limits.SPOOL_COMMIT_PARCELS_MAX:
            size += self._waiting[0].size
            if group and size > limits.SPOOL_COMMIT_BYTES_MAX:
                break
            group.append(self._waiting.popleft())
        return group

    def _commit_group(self, group: Sequence[_Waiting]) -> None:
        answers: list[Receipt | TryAgain]
        try:
            answers = list(self._commit([waiting.parcel for waiting in group]))
        except Exception as error:
            answers = [self._refuse(error) for _ in group]
        with self._changed:
            self._parcels -= len(group)
            self._size -= sum(waiting.size for waiting in group)
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Receipt], Receipt | TryAgain]]] = {}
        for waiting, answer in zip(group, answers, strict=True):
            by_loop.setdefault(waiting.receipt.get_loop(), []).append((waiting.receipt, answer))
        for loop, receipts in by_loop.items():
            try:
                loop.call_soon_threadsafe(_answer, receipts)
            except RuntimeError:
                log.debug("an event loop ended before its requests were answered")


def _answer(receipts: Sequence[tuple[asyncio.Future[Receipt], Receipt | TryAgain]]) -> None:
    for receipt, answer in receipts:
        if receipt.done():
            continue  # the client left; its retry will be known
        if isinstance(answer, TryAgain):
            receipt.set_exception(answer)
        else:
            receipt.set_result(answer)
