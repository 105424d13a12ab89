"""Received = stored + spooled + duplicate + rejected, and through which instant all is stored."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from botwatch import limits
from botwatch.clock import SECOND_NS, ManualClock
from botwatch.nouns import Inbox, Refusal, Signal
from botwatch.spool import Backlog, Counts, Spool, Waiting
from botwatch.spool.standing import Ages
from tests.spool.parcels import NOW_NS, balanced, crash_image, drain, open_spool, parcel


async def test_each_signal_has_its_own_account(spool: Spool) -> None:
    await spool.put(parcel("a", inbox=Inbox.LOGS, items=2))
    await spool.put(parcel("b", inbox=Inbox.JSON_LOGS, items=3))
    await spool.put(parcel("c", inbox=Inbox.PAYLOADS, items=4))
    drain(spool, [Inbox.LOGS])
    spool.refuse(Signal.POINTS, Refusal.UNAUTHORISED, 7)
    assert {signal: counts for signal, counts in spool.intake().items() if counts.received} == {
        Signal.LOGS: Counts(received=5, stored=2, spooled=3),
        Signal.PAYLOADS: Counts(received=4, spooled=4),
        Signal.POINTS: Counts(received=7, rejected={Refusal.UNAUTHORISED: 7}),
    }
    assert balanced(spool)


async def test_a_refusal_is_seen_at_once_and_durable_with_the_next_commit(spool: Spool, tmp_path: Path) -> None:
    spool.refuse(Signal.TRACES, Refusal.INVALID, 1)
    spool.refuse(Signal.TRACES, Refusal.INVALID, 2)
    expected = Counts(received=3, rejected={Refusal.INVALID: 3})
    assert spool.intake()[Signal.TRACES] == expected
    await spool.put(parcel("a", inbox=Inbox.LOGS))
    image = open_spool(crash_image(tmp_path, tmp_path / "image"))
    assert image.intake()[Signal.TRACES] == spool.intake()[Signal.TRACES] == expected
    image.close()


async def test_a_refusal_becomes_durable_although_nothing_else_comes(spool: Spool, tmp_path: Path) -> None:
    spool.refuse(Signal.TRACES, Refusal.INVALID, 1)
    for n in range(1_200):
        image = open_spool(crash_image(tmp_path, tmp_path / f"image {n}"))
        durable = image.intake()[Signal.TRACES]
        image.close()
        if durable.received:
            break
        await asyncio.sleep(0.05)
    assert durable == Counts(received=1, rejected={Refusal.INVALID: 1})


def test_closing_keeps_refusals(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.refuse(Signal.TRACES, Refusal.TOO_LARGE, 1)
    spool.refuse(Signal.TRACES, Refusal.TOO_LARGE, 0)
    spool.close()
    again = open_spool(tmp_path)
    assert again.intake()[Signal.TRACES] == Counts(received=1, rejected={Refusal.TOO_LARGE: 1})
    again.close()


async def test_the_account_balances_at_every_moment_for_every_reader(spool: Spool) -> None:
    over = threading.Event()
    found: list[Counts] = []

    def read() -> None:
        while not over.is_set():
            found.extend(counts for counts in spool.intake().values() if counts.missing)

    def write() -> None:
        while not over.is_set():
            batch = spool.seal(Inbox.TRACES)
            if batch is not None:
                spool.done(batch, dead=[batch.parcels[0].id])

    threads = [threading.Thread(target=read), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    for n in range(30):
        spool.refuse(Signal.TRACES, Refusal.INVALID, 1)
        await asyncio.gather(*(spool.put(parcel(str((n * 7 + m) % 150), items=3)) for m in range(10)))
    over.set()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert found == []
    counts = spool.intake()[Signal.TRACES]
    assert (counts.received, counts.duplicate) == (30 + 30 * 10 * 3, (300 - 150) * 3)


async def test_everything_is_stored_through_now_when_the_spool_is_empty(spool: Spool, clock: ManualClock) -> None:
    assert spool.stored_through_ns(clock.now_ns()) == NOW_NS
    await spool.put(parcel("a"))
    drain(spool)
    clock.advance(3)
    assert spool.stored_through_ns(clock.now_ns()) == NOW_NS + 3 * SECOND_NS


async def test_stored_through_stays_at_the_oldest_parcel_until_its_batch_is_done(
    spool: Spool, clock: ManualClock, tmp_path: Path
) -> None:
    await spool.put(parcel("old"))
    batch = spool.seal(Inbox.TRACES)
    assert batch is not None
    clock.advance(10)
    await spool.put(parcel("new", inbox=Inbox.LOGS))
    clock.advance(10)
    assert spool.stored_through_ns(clock.now_ns()) == NOW_NS
    assert spool.backlog() == Backlog(parcels=2, size=6, unsealed=1, oldest_ns=NOW_NS)
    image = open_spool(crash_image(tmp_path, tmp_path / "image"), clock=clock)
    assert image.stored_through_ns(clock.now_ns()) == NOW_NS
    assert image.backlog() == spool.backlog()
    image.close()
    spool.done(batch)
    assert spool.stored_through_ns(clock.now_ns()) == NOW_NS + 10 * SECOND_NS
    drain(spool)
    assert spool.stored_through_ns(clock.now_ns()) == NOW_NS + 20 * SECOND_NS
    assert spool.backlog() == Backlog(parcels=0, size=0, unsealed=0, oldest_ns=None)


async def test_what_is_in_no_batch_yet_is_known_by_inbox_and_after_a_crash(
    spool: Spool, clock: ManualClock, tmp_path: Path
) -> None:
    await spool.put(parcel("sealed", items=2))
    await spool.put(parcel("log", inbox=Inbox.LOGS))
    batch = spool.seal(Inbox.TRACES)
    assert batch is not None
    await spool.put(parcel("left", items=3))
    for one in (spool, open_spool(crash_image(tmp_path, tmp_path / "image"), clock=clock)):
        assert one.waiting(Inbox.TRACES) == Waiting(parcels=1, items=3, size=4)
        assert one.waiting(Inbox.LOGS) == Waiting(parcels=1, items=1, size=3)
        assert one.waiting(Inbox.POINTS) == Waiting()
        drain(one)
        assert one.waiting(Inbox.TRACES) == one.waiting(Inbox.LOGS) == Waiting()
        if one is not spool:
            one.close()


async def test_what_waits_fills_a_batch_by_its_items_or_bytes_or_by_all_the_parcels_one_may_hold(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BATCH_PARCELS_MAX", 3)
    monkeypatch.setattr(limits, "BATCH_ITEMS_MAX", 10)
    monkeypatch.setattr(limits, "BATCH_BYTES_MAX", 100)
    for inbox, items, size, share in (
        (Inbox.TRACES, (1, 1), (1, 1), 0.2),
        (Inbox.LOGS, (1, 1, 1), (1, 1, 1), 1),
        (Inbox.POINTS, (5,), (1,), 0.5),
        (Inbox.PAYLOADS, (1, 1), (1, 49), 0.5),
    ):
        for n, (count, length) in enumerate(zip(items, size, strict=True)):
            await spool.put(parcel(f"{n}", inbox=inbox, items=count, size=length, dedup=False))
        assert spool.waiting(inbox).share == share
        batch = spool.seal(inbox)
        assert batch is not None
        assert batch.share == share


async def test_a_commit_under_way_holds_stored_through_back_and_loses_no_refusal(
    spool: Spool, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.refuse(Signal.TRACES, Refusal.INVALID, 1)
    began, go_on = threading.Event(), threading.Event()
    commit = spool._book.commit

    def slow_commit(*args: object) -> object:
        if args[0]:  # what it is told once a second has no parcels
            began.set()
            go_on.wait()
        return commit(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(spool._book, "commit", slow_commit)
    put = asyncio.create_task(spool.put(parcel("a")))
    await asyncio.to_thread(began.wait)
    clock.advance(5)
    spool.refuse(Signal.TRACES, Refusal.INVALID, 2)
    through_ns = spool.stored_through_ns(clock.now_ns())
    go_on.set()
    await put
    assert through_ns == NOW_NS
    assert spool.intake()[Signal.TRACES].rejected == {Refusal.INVALID: 3}
    assert spool.stored_through_ns(clock.now_ns()) == NOW_NS
    drain(spool)
    assert spool.stored_through_ns(clock.now_ns()) == NOW_NS + 5 * SECOND_NS


async def test_a_clock_set_back_is_the_oldest_there_is(spool: Spool, clock: ManualClock) -> None:
    await spool.put(parcel("a"))
    clock.advance(-100)
    await spool.put(parcel("b", inbox=Inbox.LOGS))
    clock.advance(200)
    assert spool.stored_through_ns(clock.now_ns()) == NOW_NS - 100 * SECOND_NS
    drain(spool, [Inbox.LOGS])
    assert spool.stored_through_ns(clock.now_ns()) == NOW_NS


def test_ages_take_memory_by_time_and_not_by_parcel() -> None:
    ages = Ages()
    times = [NOW_NS + n * SECOND_NS // 1_000 for n in range(10_000)]  # ten seconds
    for time_ns in times:
        ages.add(time_ns, 3)
    assert len(ages._steps) <= 101
    assert ages.oldest_ns() == NOW_NS
    for time_ns in times[:5_000]:
        ages.add(time_ns, -3)
    assert ages.oldest_ns() == NOW_NS + 5 * SECOND_NS
    for time_ns in times[5_000:]:
        ages.add(time_ns, -3)
    assert ages.oldest_ns() is None


def test_what_jobs_note_is_durable_and_bounded(spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert spool.meta_get("node") is None
    spool.meta_set("node", "n1")
    spool.meta_set("node", "n2")
    image = open_spool(crash_image(tmp_path, tmp_path / "image"))
    assert image.meta_get("node") == spool.meta_get("node") == "n2"
    image.close()
    with pytest.raises(ValueError, match="expected at most"):
        spool.meta_set("k", "v" * limits.SPOOL_META_CHARS_MAX)
    monkeypatch.setattr(limits, "SPOOL_META_KEYS_MAX", 1)
    with pytest.raises(ValueError, match="already"):
        spool.meta_set("another", "v")
    spool.meta_set("node", "n3")
    assert spool.meta_get("node") == "n3"
