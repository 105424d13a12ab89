"""The way from the bot's threads to the network: a bounded queue, and one daemon thread that empties it.

`put` never waits. When the queue is full the oldest goes: were it the newest, a kept question would miss its
dropped answer and pass for an unanswered one. What goes is counted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from botwatch_sdk import _limits, _wire
from botwatch_sdk._counters import Counters, Reason
from botwatch_sdk._guard import describe, log, warn_once
from botwatch_sdk._wire import Answer, Sender, Verdict

T = TypeVar("T")

_LOST = {
    Verdict.REFUSED: Reason.REFUSED,
    Verdict.TOO_LARGE: Reason.TOO_LARGE,
    Verdict.UNENCODABLE: Reason.UNENCODABLE,
}


class Reach:
    """Whether the server can be reached, told once for all lanes when it changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._away: set[str] = set()

    def lost(self, lane: str, why: str) -> None:
        with self._lock:
            news = not self._away
            self._away.add(lane)
        if news:
            log.warning(
                "botwatch: the server cannot be reached (%s). The newest %d items of each kind are kept; trying again.",
                why,
                _limits.QUEUE_ITEMS_MAX,
            )

    def back(self, lane: str) -> None:
        with self._lock:
            news = self._away == {lane}
            self._away.discard(lane)
        if news:
            log.info("botwatch: the server is reached again")


class Lane(Generic[T]):
    """Every entry is an item and its weight in bytes."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], Sender[Sequence[T]]],
        counters: Counters,
        reach: Reach,
        stamp: Callable[[T], T] | None = None,
    ) -> None:
        self._name = name
        self._connect = connect
        self._counters = counters
        self._reach = reach
        self._stamp = stamp
        self._queue: deque[tuple[T, int]] = deque()
        self._bytes = 0
        # Re-entrant: a garbage collection in here may run a `__del__` that logs, and so puts.
        self._lock = threading.RLock()
        # A lock as a bell: ringing it takes no lock that the ringing thread could already hold.
        self._bell = threading.Lock()
        self._bell.acquire()
        self._rounds = threading.Condition(threading.Lock())
        self._begun = 0
        self._ended = 0
        self._sending = 0
        self._put_back_in = 0  # the last round in which something was put back
        self.lost = 0  # items the server did not take and will not be sent again
        self._over = False
        self._urgent = False
        self._closing = False
        self._away_pause_s = 0.0
        self._away_until_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"botwatch-{name}", daemon=True)
        self._thread.start()

    # --- the bot's side

    def put(self, item: T, text_bytes: int = 0) -> None:
        weight = _limits.ITEM_BYTES_BASE + text_bytes
        with self._lock:
            self._queue.append((item, weight))
            self._bytes = total = self._bytes + weight
            waiting = len(self._queue)
            if waiting > _limits.QUEUE_ITEMS_MAX or total > _limits.QUEUE_BYTES_MAX:
                self._shrink()
        if waiting == _limits.BATCH_ITEMS_MAX or total - weight <= _limits.BATCH_BYTES_MAX < total:
            self._ring()

    def flush(self, timeout_s: float) -> bool:
        return self.wait(self.urge(), time.monotonic() + timeout_s)

    def urge(self) -> tuple[int, int]:
        """Begin a round now; answers the number of the round that will have seen everything put so far, and how much
        was lost before: the round that is under way may hold some of it, too."""
        lost = self.lost
        with self._rounds:
            wanted = self._begun + 1
            self._urgent = True
        self._ring()
        return wanted, lost

    def wait(self, urged: tuple[int, int], deadline_s: float) -> bool:
        """True when that round has ended before `deadline_s` (monotonic) and nothing was lost since."""
        wanted, lost = urged
        with self._rounds:
            self._rounds.wait_for(lambda: self._ended >= wanted or self._over, max(deadline_s - time.monotonic(), 0.0))
            return self._ended >= wanted > self._put_back_in and self.lost == lost

    def end(self) -> None:
        """One last round, then the thread ends."""
        self._closing = True
        self._ring()

    def join(self, deadline_s: float) -> int:
        """How much is left unsent by then."""
        self._thread.join(max(deadline_s - time.monotonic(), 0.0))
        return self.waiting

    @property
    def waiting(self) -> int:
        return len(self._queue) + self._sending

    def _ring(self) -> None:
        with suppress(RuntimeError):  # it rings already
            self._bell.release()

    def _shrink(self) -> None:
        gone = 0
        while len(self._queue) > _limits.QUEUE_ITEMS_MAX or (self._bytes > _limits.QUEUE_BYTES_MAX and self._queue):
            self._bytes -= self._queue.popleft()[1]
            gone += 1
        self._lose(Reason.QUEUE_FULL, gone)

    def _lose(self, reason: Reason, items: int) -> None:
        with self._lock:
            self.lost += items
        self._counters.drop(reason, items)

    # --- the thread's side

    def _run(self) -> None:
        _wire.hush()
        sender: Sender[Sequence[T]] | None = None
        try:
            sender = self._connect()
            while not self._closing:
                self._bell.acquire(timeout=max(_limits.SEND_EVERY_S, self._away_pause_s))
                if self._may_send():
                    self._round(sender)
            self._round(sender)
        except Exception as error:
            warn_once("lane", "botwatch: nothing more is sent by this process: %s", describe(error))
        finally:
            with self._rounds:
                self._over = True
                self._rounds.notify_all()
            if sender is not None:
                sender.close()
            _wire.unhush()

    def _may_send(self) -> bool:
        """A bell rung by a full batch does not cut short the pause of a server that is away."""
        if self._urgent or self._closing or not self._away_pause_s:
            return True
        return time.monotonic() >= self._away_until_s

    def _round(self, sender: Sender[Sequence[T]]) -> None:
        with self._rounds:
            self._urgent = False
            self._begun += 1
        # No more than what was there when the round began: the rest makes a fuller batch of the next one.
        left = len(self._queue)
        try:
            while left > 0 and (batch := self._take(left)):
                left -= len(batch)
                if not self._deliver(sender, batch):
                    break
        finally:
            with self._rounds:
                self._ended = self._begun
                self._rounds.notify_all()

    def _take(self, items_max: int) -> list[tuple[T, int]]:
        batch: list[tuple[T, int]] = []
        total = 0
        with self._lock:
            while self._queue and len(batch) < min(items_max, _limits.BATCH_ITEMS_MAX):
                weight = self._queue[0][1]
                if batch and total + weight > _limits.BATCH_BYTES_MAX:
                    break
                batch.append(self._queue.popleft())
                total += weight
            self._bytes -= total
            self._sending = len(batch)
        return batch

    def _deliver(self, sender: Sender[Sequence[T]], batch: list[tuple[T, int]]) -> bool:
        """False when the server is away: what is not yet delivered is back in the queue."""
        parts = [batch]
        while parts:
            part = parts.pop()
            answer = self._send(sender, part)
            if answer.verdict is Verdict.AWAY:
                self._put_back([entry for rest in (part, *reversed(parts)) for entry in rest])
                self._pause(answer)
                return False
            if answer.verdict in (Verdict.TOO_LARGE, Verdict.UNENCODABLE) and len(part) > 1:
                half = len(part) // 2
                parts += [part[half:], part[:half]]  # one bad item must not take the others with it
            else:
                self._settle(answer, len(part))
        self._away_pause_s = 0.0
        self._reach.back(self._name)
        return True

    def _send(self, sender: Sender[Sequence[T]], part: Sequence[tuple[T, int]]) -> Answer:
        try:
            items = [entry[0] for entry in part]
            return sender.send(items if self._stamp is None else list(map(self._stamp, items)))
        except Exception as error:
            return Answer(Verdict.UNENCODABLE, why=type(error).__name__)

    def _settle(self, answer: Answer, items: int) -> None:
        self._sending = max(self._sending - items, 0)
        if answer.verdict is Verdict.SENT and not answer.rejected:
            return
        if answer.verdict is Verdict.SENT:
            self._lose(Reason.REFUSED, min(answer.rejected, items))
            return
        self._lose(_LOST[answer.verdict], items)
        what = answer.verdict.value
        warn_once(f"lost:{what}:{answer.why}", "botwatch: items were dropped: %s (%s)", what, answer.why)

    def _put_back(self, batch: Sequence[tuple[T, int]]) -> None:
        with self._lock:
            self._queue.extendleft(reversed(batch))
            self._bytes += sum(weight for _, weight in batch)
            self._sending = 0
            self._put_back_in = self._begun
            self._shrink()

    def _pause(self, answer: Answer) -> None:
        grown = max(_limits.SEND_EVERY_S, 2 * self._away_pause_s, answer.retry_after_s)
        self._away_pause_s = min(grown, _limits.AWAY_PAUSE_S_MAX)
        self._away_until_s = time.monotonic() + self._away_pause_s
        self._reach.lost(self._name, answer.why)
