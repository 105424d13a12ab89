"""The job that tells people: takes changes, lets them settle, sends, writes receipts; woken, not polled for.

Everything that must not be lost is in the state database before anything is sent, so this object may end at any
moment. It keeps in memory only what it is sending now and how each channel fares.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock
from botwatch.errors import LeaseLost, StateError
from botwatch.incident.rows import ChangeRow
from botwatch.notify import backoff, book, deliver, hooks, outbox, quiet
from botwatch.notify.channels.kind import Kind, Means, Options, Sent, Undelivered, cleaned
from botwatch.notify.deliver import Order, Outcome, Recorder
from botwatch.notify.note import Note
from botwatch.notify.outbox import OPEN, Frame
from botwatch.notify.route import Plan, Way
from botwatch.notify.rows import DeliveryRow, NoticeRow
from botwatch.notify.seal import seal
from botwatch.notify.targets import Targets
from botwatch.notify.wire import Http
from botwatch.settings import Settings
from botwatch.state import Database
from botwatch.state.lease import Lease

log = logging.getLogger(__name__)

_IDLE_S: Final = 1.0  # how often it looks by itself: for changes of other nodes
_CLOCK_BACK_NS: Final = 5 * SECOND_NS
_LOST_S: Final = 5.0  # before it tries again when the state database is away
_HOOK: Final = hooks.Hook()


@dataclass
class Lane:
    """How one channel fares. While it fails, one delivery at a time is tried, at growing intervals."""

    failures: int = 0
    pause_until_s: float = 0.0


@dataclass
class Copy:
    """What is set up, read anew when its stamp is another one."""

    stamp: str | None = None
    plan: Plan = field(default_factory=lambda: Plan({}))
    channels: dict[str, book.Channel] = field(default_factory=dict)


class Notifier:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        frame: Frame,
        *,
        hooks_in: Path | None = None,
        lease: Lease | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._hooks = (hooks_in or settings.hooks or settings.data / "hooks").absolute()
        self._lease = lease
        self.leading = lease is None
        self._wake = asyncio.Event()
        self._copy = Copy()
        self._lanes: dict[str, Lane] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._channel_of: dict[str, str] = {}
        self._outcomes: list[Outcome] = []
        self._seen: tuple[int, float] | None = None
        self._looked_s = float("-inf")
        self._recorder = Recorder()
        self._chance = random.Random()  # noqa: S311 — spreads retries, guards nothing
        self.means = Means(Http(Targets.of(settings.notify_networks)), Targets.of(settings.notify_networks), clock)
        self.set(settings, frame)

    def set(self, settings: Settings, frame: Frame) -> None:
        """Take on the settings; raises `SettingError` and changes nothing where they are not right."""
        base, targets = book.Base.of(settings), Targets.of(settings.notify_networks)
        self.settings, self.frame, self.base = settings, frame, base
        self.means.http.targets = targets
        self.means = Means(self.means.http, targets, self._clock)
        self._copy.stamp = None
        self.hint()

    def hint(self) -> None:
        """Something was written that is to be told. Safe only in the event loop's own thread."""
        self._wake.set()

    @property
    def failing(self) -> frozenset[str]:
        return frozenset(name for name, lane in self._lanes.items() if lane.failures)

    async def run(self, stop: asyncio.Event) -> None:
        """Until it is stopped; then what is being sent may end, and gets its receipt."""
        ender = asyncio.create_task(stop.wait())
        ender.add_done_callback(lambda _: self._wake.set())
        try:
            while not stop.is_set():
                wait_s = await self._guarded()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait_s)
        finally:
            ender.cancel()
            await self.close()

    async def close(self) -> None:
        if self._sending:
            await asyncio.wait(self._sending.values(), timeout=limits.DELIVERY_S_MAX + 1)
        for task in self._sending.values():
            task.cancel()
        await asyncio.gather(*self._sending.values(), return_exceptions=True)
        with suppress(StateError):
            await self._write_down()
            if self._lease is not None:
                await self._lease.release()
        await self.means.http.close()

    async def _guarded(self) -> float:
        self._wake.clear()
        try:
            if self._lease is not None:
                self.leading = await self._lease.hold()
            return await self.step() if self.leading else _IDLE_S
        except LeaseLost:
            self.leading = False
            return _IDLE_S
        except StateError as error:
            log.warning("notifications wait for the state database", extra={"reason": error.message})
        except Exception:
            log.exception("a pass of the notifier failed; it is tried again")
        return _LOST_S

    async def step(self) -> float:
        """One pass; the seconds after which there may be something to do again."""
        now_ns = self._clock.now_ns()
        await self._follow_clock(now_ns)
        stamp, more, next_ns = await self._database.read(
            lambda session: (book.stamp(session), *_ahead(session, now_ns))
        )
        await self._refresh(stamp, now_ns)
        if self._outcomes or more:
            await self._write_down(now_ns)
        await self._send(now_ns)
        if more:
            return 0.0
        soon_s = (next_ns - now_ns) / SECOND_NS if next_ns is not None else _IDLE_S
        return max(0.01, min(_IDLE_S, soon_s))

    async def _follow_clock(self, now_ns: int) -> None:
        """Where the clock was set back, what was due in a moment must not wait until that moment comes again."""
        now_s = self._clock.monotonic_s()
        seen, self._seen = self._seen, (now_ns, now_s)
        if seen is None:
            return
        back_ns = seen[0] - now_ns + round((now_s - seen[1]) * SECOND_NS)
        if back_ns > _CLOCK_BACK_NS:
            log.warning("the clock was set back", extra={"seconds": back_ns // SECOND_NS})
            await self._database.write(lambda session: _earlier(session, now_ns, back_ns))

    async def _refresh(self, stamp: str, now_ns: int) -> None:
        """Read anew what was changed; and once a second look which hooks there are."""
        known, now_s = self._copy, self._clock.monotonic_s()
        if stamp == known.stamp:
            if now_s - self._looked_s >= _IDLE_S:
                self._looked_s = now_s
                known.plan = Plan(self._ways(known.channels), known.plan.routes, known.plan.silences)
            return

        def read(session: Session) -> Copy:
            channels = book.channels(session, self.base)
            routes, silences = book.routes(session, self.base), quiet.live(session, now_ns)
            return Copy(book.stamp(session), Plan(self._ways(channels), routes, silences), channels)

        self._copy = await self._database.read(read)

    def _ways(self, channels: dict[str, book.Channel]) -> dict[str, Way]:
        found = {name: channel.way for name, channel in channels.items()}
        for file in hooks.find(self._hooks):
            name = f"{hooks.PREFIX}{file.name}"
            found[name] = Way(name, _HOOK.steps, groups=False, digests=False, hook=True)
        return found

    async def _write_down(self, now_ns: int | None = None) -> None:
        """Receipts, and with `now_ns` also what is new: one transaction for all of it."""
        outcomes, self._outcomes = self._outcomes, []
        plan, channels, failing, busy = self._copy.plan, self._copy.channels, self.failing, frozenset(self._sending)

        def work(session: Session) -> None:
            if self._lease is not None:
                self._lease.check(session)
            if outcomes:
                self._recorder.record(session, outcomes, channels, failing, self.frame)
            if now_ns is not None:
                outbox.take(session, plan, now_ns)
                session.flush()
                seal(session, plan, now_ns, self.frame, busy)

        try:
            await self._database.write(work)
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        for outcome in outcomes:
            self._sending.pop(outcome.order.id, None)
            self._channel_of.pop(outcome.order.id, None)

    async def _send(self, now_ns: int) -> None:
        """Start what may be sent."""
        now_s, busy, sending = self._clock.monotonic_s(), frozenset(self._sending), Counter(self._channel_of.values())

        def read(session: Session) -> list[Order]:
            found = []
            for name in deliver.channels_waiting(session):
                kind, lane = self._kind(name)[0], self._lanes.get(name, Lane())
                most = 1 if lane.failures or kind is None else kind.at_once_max
                free = most - sending[name]
                if free > 0 and lane.pause_until_s <= now_s:
                    keeps = kind is not None and kind.keeps
                    found += deliver.due(session, name, now_ns, busy, free, keeps=keeps)
            return found

        for order in await self._database.read(read):
            self._channel_of[order.id] = order.channel
            self._sending[order.id] = asyncio.create_task(self._one(order))

    async def _one(self, order: Order) -> None:
        began_s = self._clock.monotonic_s()
        answer, retryable, retry_after_s, sent = "", None, None, None
        try:
            sent = await self.send(order.channel, order.note)
            answer = sent.answer
        except Undelivered as error:
            answer, retryable, retry_after_s = error.answer, error.retryable, error.retry_after_s
        except Exception as error:
            log.exception("a channel failed in a way of its own", extra={"channel": order.channel})
            answer, retryable = f"unexpected {type(error).__name__}", True
        self._fared(order, retryable, retry_after_s)
        took_ms = (self._clock.monotonic_s() - began_s) * 1_000
        ref = dict(sent.ref) if sent else {}
        now_ns, chance = self._clock.now_ns(), self._chance.random()
        self._outcomes.append(Outcome(order, now_ns, took_ms, answer, retryable, retry_after_s, ref, chance))
        self._wake.set()

    def _fared(self, order: Order, retryable: bool | None, retry_after_s: float | None) -> None:
        lane = self._lanes.setdefault(order.channel, Lane())
        if not retryable:
            lane.failures = 0
            return
        lane.failures += 1
        wait_s = backoff.wait_s(lane.failures, self._chance.random(), retry_after_s)
        lane.pause_until_s = self._clock.monotonic_s() + wait_s
        told = {"channel": order.channel, "delivery": order.id, "after_s": round(wait_s, 1)}
        log.info("a delivery is tried again", extra=told)

    async def send(self, name: str, note: Note) -> Sent:
        """By the channel as it is set up now. Raises `Undelivered`."""
        kind, options = self._kind(name)
        if kind is None or options is None:
            raise Undelivered("the channel was removed or switched off", retryable=False)
        if note.files and not kind.attaches:
            raise Undelivered(f"a channel of the kind {kind.name} takes no files", retryable=False)
        try:
            async with asyncio.timeout(kind.total_s_max * 2):
                sent = await kind.send(options, note, self.means)
        except TimeoutError:
            raise Undelivered("no answer in time", retryable=True) from None
        return Sent(cleaned(sent.answer, options), sent.ref)

    def _kind(self, name: str) -> tuple[Kind[Any] | None, Options | None]:
        if name.startswith(hooks.PREFIX):
            path = self._hooks / hooks.EVENT / name.removeprefix(hooks.PREFIX)
            return _HOOK, hooks.HookOptions(path=path, seconds=self.settings.hook_seconds)
        channel = self._copy.channels.get(name)
        return (channel.does, channel.options) if channel and channel.enabled else (None, None)

    def forgetful(self) -> list[tuple[str, int]]:
        """The channels whose receiver forgets what is firing, and after how many seconds it must hear again."""
        found = self._copy.channels.values()
        return [(each.name, each.does.again_s) for each in found if each.enabled and each.does.again_s]


def _ahead(session: Session, now_ns: int) -> tuple[bool, int | None]:
    """Whether there is something to write now, and when the next notice is due."""
    untold = session.scalars(sa.select(ChangeRow.id).where(ChangeRow.told_ns.is_(None)).limit(1)).first() is not None
    next_ns = session.scalar(sa.select(sa.func.min(NoticeRow.due_ns)).where(NoticeRow.state.in_(OPEN)))
    return untold or (next_ns is not None and next_ns <= now_ns), next_ns


def _earlier(session: Session, now_ns: int, back_ns: int) -> None:
    for row, open_ in ((NoticeRow, NoticeRow.state.in_(OPEN)), (DeliveryRow, DeliveryRow.status == "waiting")):
        session.execute(sa.update(row).where(open_, row.due_ns > now_ns).values(due_ns=row.due_ns - back_ns))
