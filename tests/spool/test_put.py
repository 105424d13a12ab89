"""What `put` answers, and what is true by then."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from botwatch import limits
from botwatch.errors import TryAgain
from botwatch.nouns import Inbox, Receipt, Refusal, Signal
from botwatch.spool import Counts, Spool
from tests.spool.parcels import balanced, crash_image, drain, held, open_spool, parcel, put_together


async def test_a_parcel_is_on_disk_before_it_is_acknowledged(spool: Spool, tmp_path: Path) -> None:
    receipt = await spool.put(parcel("a"))
    image = open_spool(crash_image(tmp_path, tmp_path / "image"))
    assert not receipt.duplicate
    assert drain(image) == ["a"]
    image.close()


async def test_parcels_that_wait_together_are_committed_together_and_in_order(spool: Spool, tmp_path: Path) -> None:
    wal = tmp_path / "spool.db-wal"
    await spool.put(parcel("first"))
    before = wal.stat().st_size
    await put_together(spool, *(parcel(f"{n:03}") for n in range(100)))
    together = wal.stat().st_size - before
    # Each commit writes every page it touches: a hundred of them would write some 300 pages.
    assert together < 40 * 16 * limits.KIB
    assert drain(spool) == ["first", *(f"{n:03}" for n in range(100))]


async def test_a_retry_is_acknowledged_and_stored_once(spool: Spool) -> None:
    assert not (await spool.put(parcel("a", items=3))).duplicate
    assert (await spool.put(parcel("a", items=3))).duplicate
    assert drain(spool) == ["a"]
    assert spool.intake()[Signal.TRACES] == Counts(received=6, stored=3, duplicate=3)


async def test_a_retry_is_known_after_the_original_is_stored_and_after_a_restart(spool: Spool, tmp_path: Path) -> None:
    await spool.put(parcel("a"))
    drain(spool)
    assert (await spool.put(parcel("a"))).duplicate
    image = open_spool(crash_image(tmp_path, tmp_path / "image"))
    assert (await image.put(parcel("a"))).duplicate
    assert drain(image) == []
    image.close()


async def test_equal_parcels_in_one_commit_are_stored_once(spool: Spool) -> None:
    receipts = await asyncio.gather(*(spool.put(parcel("a", items=2)) for _ in range(20)))
    assert [receipt.duplicate for receipt in receipts] == [False, *([True] * 19)]
    assert drain(spool) == ["a"]
    assert spool.intake()[Signal.TRACES] == Counts(received=40, stored=2, duplicate=38)


async def test_a_retry_is_not_acknowledged_before_the_original_is_durable(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on = threading.Event(), threading.Event()
    commit = spool._book.commit

    def slow_commit(*args: object) -> object:
        began.set()
        go_on.wait()
        return commit(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(spool._book, "commit", slow_commit)
    original = asyncio.create_task(spool.put(parcel("a")))
    await asyncio.to_thread(began.wait)
    retry = asyncio.create_task(spool.put(parcel("a")))
    await asyncio.sleep(0.05)
    early = original.done() or retry.done()
    go_on.set()
    assert not early
    assert [await original, await retry] == [Receipt(duplicate=False), Receipt(duplicate=True)]


async def test_equal_bodies_without_times_of_their_own_are_two_facts(spool: Spool) -> None:
    for _ in range(2):
        assert not (await spool.put(parcel("a", dedup=False))).duplicate
    assert drain(spool) == ["a", "a"]


async def test_items_the_check_rejected_are_counted_with_their_parcel_once(spool: Spool) -> None:
    sent = parcel("a", items=5, rejected={Refusal.CLOCK: 2, Refusal.BAD_ID: 1})
    await spool.put(sent)
    assert spool.intake()[Signal.TRACES] == Counts(
        received=8, spooled=5, rejected={Refusal.CLOCK: 2, Refusal.BAD_ID: 1}
    )
    await spool.put(sent)
    assert spool.intake()[Signal.TRACES] == Counts(
        received=16, spooled=5, duplicate=8, rejected={Refusal.CLOCK: 2, Refusal.BAD_ID: 1}
    )


async def test_a_client_that_leaves_does_not_take_its_parcel_or_its_neighbours_along(spool: Spool) -> None:
    leaving = asyncio.create_task(spool.put(parcel("leaving")))
    staying = asyncio.create_task(spool.put(parcel("staying")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert not (await staying).duplicate
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await spool.put(parcel("leaving"))).duplicate
    assert drain(spool) == ["leaving", "staying"]


async def test_a_commit_that_fails_half_way_leaves_nothing_behind(spool: Spool) -> None:
    beyond_sqlite = parcel("bad", items=2**63)
    async with held(spool):
        spool._owner._tend_due_s = time.monotonic() + 3_600  # it would try to write, and find that it can
    results = await put_together(spool, parcel("a"), beyond_sqlite, parcel("b"))
    assert [type(result) for result in results] == [TryAgain] * 3
    assert spool.trouble == "OverflowError"
    assert spool.intake()[Signal.TRACES] == Counts()
    assert not (await spool.put(parcel("a"))).duplicate
    assert spool.trouble == ""
    assert drain(spool) == ["a"]


async def test_closing_commits_what_waits_and_takes_no_more(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    waiting = [asyncio.create_task(spool.put(parcel(str(n)))) for n in range(10)]
    await asyncio.sleep(0)
    await asyncio.to_thread(spool.close)
    assert [receipt.duplicate for receipt in await asyncio.gather(*waiting)] == [False] * 10
    with pytest.raises(TryAgain):
        await spool.put(parcel("late"))
    again = open_spool(tmp_path)
    assert sorted(drain(again), key=int) == [str(n) for n in range(10)]
    again.close()


def test_several_event_loops_may_put_at_once(spool: Spool) -> None:
    async def many(prefix: str) -> None:
        await asyncio.gather(*(spool.put(parcel(f"{prefix}{n}", inbox=Inbox.LOGS)) for n in range(50)))

    threads = [threading.Thread(target=lambda prefix=prefix: asyncio.run(many(prefix))) for prefix in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(drain(spool)) == sorted(f"{prefix}{n}" for prefix in "abc" for n in range(50))
    assert balanced(spool)
