"""What goes into one insert is decided once, and leaves the spool once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from botwatch import limits
from botwatch.clock import ManualClock
from botwatch.errors import SpoolError
from botwatch.nouns import Inbox, Parcel, Refusal, Signal
from botwatch.spool import Batch, Counts, Spool
from botwatch.spool.kept import Kept
from tests.spool.parcels import NOW_NS, balanced, crash_image, drain, names, open_spool, parcel


async def put_all(spool: Spool, *parcels: Parcel) -> None:
    await asyncio.gather(*(spool.put(one) for one in parcels))


def sealed(spool: Spool, inbox: Inbox = Inbox.TRACES) -> Batch:
    batch = spool.seal(inbox)
    assert batch is not None
    return batch


async def test_a_batch_holds_parcels_of_one_inbox_in_the_order_they_came(spool: Spool) -> None:
    await put_all(spool, parcel("t1"), parcel("l1", inbox=Inbox.LOGS), parcel("t2"), parcel("l2", inbox=Inbox.LOGS))
    assert names(spool.seal(Inbox.TRACES)) == ["t1", "t2"]
    assert names(spool.seal(Inbox.LOGS)) == ["l1", "l2"]
    assert spool.seal(Inbox.TRACES) is None
    assert spool.seal(Inbox.POINTS) is None


async def test_a_batch_knows_its_size_its_items_and_its_token(spool: Spool) -> None:
    await put_all(spool, parcel("a", items=2), parcel("bc", items=3))
    batch = sealed(spool)
    assert (batch.size, batch.items, batch.sealed_ns) == (3, 5, NOW_NS)
    assert batch.body() == b"abc"
    assert batch.token("node-1") == f"node-1:{batch.id}"


async def test_a_batch_is_bounded_by_parcels_and_by_bytes(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_PARCELS_MAX", 3)
    monkeypatch.setattr(limits, "BATCH_BYTES_MAX", 25)
    await put_all(spool, *(parcel(name, size=10) for name in "abcd"), *(parcel(name, size=2) for name in "efgh"))
    found = [names(sealed(spool)) for _ in range(3)]
    assert found == [["a", "b"], ["c", "d", "e"], ["f", "g", "h"]]


async def test_a_batch_is_bounded_by_items(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_ITEMS_MAX", 5)
    await put_all(spool, *(parcel(name, items=2) for name in "abc"), parcel("d", items=9), parcel("e"))
    assert [names(sealed(spool)) for _ in range(4)] == [["a", "b"], ["c"], ["d"], ["e"]]


async def test_a_parcel_larger_than_a_batch_is_a_batch_alone(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_BYTES_MAX", 25)
    await put_all(spool, parcel("a", size=10), parcel("large", size=100), parcel("b", size=10))
    assert [names(sealed(spool)) for _ in range(3)] == [["a"], ["large"], ["b"]]


async def test_after_a_crash_the_same_batches_come_back(spool: Spool, tmp_path: Path, clock: ManualClock) -> None:
    await put_all(spool, parcel("a"), parcel("b"))
    first = sealed(spool)
    clock.advance(5)
    await put_all(spool, parcel("c", inbox=Inbox.LOGS), parcel("d"))
    second = sealed(spool, Inbox.LOGS)
    image = open_spool(crash_image(tmp_path, tmp_path / "image"), clock=ManualClock(NOW_NS + 10**12))
    assert image.unfinished() == [first, second]
    assert [names(batch) for batch in image.unfinished()] == [["a", "b"], ["c"]]
    # What came later, and what was not sealed, goes into batches of its own.
    await image.put(parcel("e"))
    assert names(image.seal(Inbox.TRACES)) == ["d", "e"]
    assert [names(batch) for batch in image.unfinished()] == [["a", "b"], ["c"], ["d", "e"]]
    image.close()


async def test_a_batch_that_is_done_does_not_come_back(spool: Spool, tmp_path: Path) -> None:
    await put_all(spool, parcel("a", items=4))
    spool.done(sealed(spool))
    image = open_spool(crash_image(tmp_path, tmp_path / "image"))
    assert image.unfinished() == []
    assert drain(image) == []
    assert image.intake()[Signal.TRACES] == Counts(received=4, stored=4)
    image.close()


async def test_batches_may_be_done_in_any_order(spool: Spool, tmp_path: Path) -> None:
    batches = []
    for name in "abc":
        await spool.put(parcel(name))
        batches.append(sealed(spool))
    spool.done(batches[1])
    image = open_spool(crash_image(tmp_path, tmp_path / "image"))
    assert [names(batch) for batch in image.unfinished()] == [["a"], ["c"]]
    image.close()


async def test_done_takes_only_its_own_inbox_out_of_a_range(spool: Spool) -> None:
    await put_all(spool, parcel("t1"), parcel("l1", inbox=Inbox.LOGS), parcel("t2"))
    spool.done(sealed(spool))
    assert names(spool.seal(Inbox.LOGS)) == ["l1"]


async def test_a_token_is_never_given_twice(tmp_path: Path, clock: ManualClock) -> None:
    ids = []
    for n in range(3):
        spool = open_spool(tmp_path, clock=clock)
        await spool.put(parcel(f"restart {n}"))
        batch = sealed(spool)
        ids.append(batch.id)
        spool.done(batch)
        spool.close()
    clock.advance(60)
    (tmp_path / "spool.db").unlink()
    spool = open_spool(tmp_path, clock=clock)
    await spool.put(parcel("a new file"))
    ids.append(sealed(spool).id)
    spool.close()
    assert ids == sorted(set(ids))


async def test_a_batch_is_never_older_than_what_it_holds(tmp_path: Path) -> None:
    clock = ManualClock(NOW_NS)
    spool = open_spool(tmp_path, clock=clock)
    await spool.put(parcel("a"))
    clock.advance(-3_600)
    assert sealed(spool).sealed_ns == NOW_NS
    spool.close()


async def test_bodies_are_read_from_the_file_where_memory_does_not_hold_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SPOOL_KEPT_BYTES_MAX", 25)
    spool = open_spool(tmp_path)
    await put_all(spool, *(parcel(name, size=10) for name in "abcd"))
    batch = sealed(spool)
    assert names(batch) == ["a", "b", "c", "d"]
    assert names(batch) == ["a", "b", "c", "d"]  # memory has let go of them: the file has them all
    spool.done(batch)
    with pytest.raises(SpoolError, match="no longer in the spool"):
        batch.body()
    spool.close()


def test_memory_keeps_the_oldest_bodies_and_no_more_than_it_may() -> None:
    kept = Kept(25)
    kept.add([(1, b"1" * 10), (2, b"2" * 10), (3, b"3" * 10)])
    kept.add([(4, b"4" * 5)])
    assert sorted(kept.take([2, 3, 4])) == [2, 4]
    kept.add([(5, b"5" * 16), (6, b"6" * 15)])
    assert sorted(kept.take([1, 2, 5, 6])) == [1, 6]


async def test_what_the_engine_refused_is_kept_aside_and_counted(spool: Spool, tmp_path: Path) -> None:
    await put_all(spool, parcel("a", items=2), parcel("bad", items=3), parcel("c", items=4))
    batch = sealed(spool)
    spool.done(batch, dead=[batch.parcels[1].id], reason="code 27")
    assert spool.intake()[Signal.TRACES] == Counts(received=9, stored=6, rejected={Refusal.ENGINE: 3})
    image = open_spool(crash_image(tmp_path, tmp_path / "image"))
    (dead,) = image.dead()
    assert (dead.inbox, dead.items, dead.size, dead.dead_ns, dead.reason) == (Inbox.TRACES, 3, 3, NOW_NS, "code 27")
    assert image.dead_body(dead.id) == b"bad"
    assert (await image.put(parcel("bad"))).duplicate  # it was acknowledged: a retry changes nothing
    image.close()


async def test_of_the_dead_the_oldest_are_dropped_beyond_the_bounds(
    spool: Spool, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SPOOL_DEAD_BYTES_MAX", 35)

    async def kill(name: str) -> None:
        clock.advance(1)
        await spool.put(parcel(name, size=10))
        batch = sealed(spool)
        spool.done(batch, dead=[batch.parcels[0].id])

    for name in "abcde":
        await kill(name)
    assert [(spool.dead_body(dead.id) or b"")[:1] for dead in spool.dead()] == [b"c", b"d", b"e"]
    monkeypatch.setattr(limits, "SPOOL_DEAD_PARCELS_MAX", 2)
    await kill("f")
    assert [(spool.dead_body(dead.id) or b"")[:1] for dead in spool.dead()] == [b"e", b"f"]
    assert spool.dead_body(spool.dead()[0].id - 1) is None
    assert spool.intake()[Signal.TRACES].rejected == {Refusal.ENGINE: 6}


async def test_what_the_engine_refused_is_given_to_it_again_and_counted_once(
    spool: Spool, clock: ManualClock, tmp_path: Path
) -> None:
    await put_all(spool, parcel("a", items=2), parcel("bad", items=3), parcel("worse", items=5))
    batch = sealed(spool)
    spool.done(batch, dead=[one.id for one in batch.parcels[1:]], reason="code 27")
    clock.advance(60)
    assert spool.revive() == 2
    assert spool.stored_through_ns(clock.now_ns()) == clock.now_ns()
    assert spool.intake()[Signal.TRACES] == Counts(received=10, stored=2, spooled=8, rejected={})
    image = open_spool(crash_image(tmp_path, tmp_path / "image"))
    assert image.dead() == []
    assert balanced(image)
    again = sealed(image)
    assert names(again) == ["bad", "worse"]
    assert again.token("n") != batch.token("n")  # else the engine would take it for what it refused
    image.done(again, dead=[again.parcels[1].id], reason="code 27")
    assert image.intake()[Signal.TRACES] == Counts(received=10, stored=5, rejected={Refusal.ENGINE: 5})
    image.close()


async def test_only_so_much_is_given_again_as_the_spool_has_room_for(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_all(spool, *(parcel(name, size=10) for name in "abc"))
    batch = sealed(spool)
    spool.done(batch, dead=[one.id for one in batch.parcels])
    monkeypatch.setattr(spool, "_bytes_max", 25)
    assert spool.revive() == 2
    assert [(spool.dead_body(dead.id) or b"")[:1] for dead in spool.dead()] == [b"c"]


async def test_a_batch_cannot_be_done_twice_or_with_parcels_of_another(spool: Spool) -> None:
    await put_all(spool, parcel("a"), parcel("b", inbox=Inbox.LOGS))
    traces, logs = sealed(spool), sealed(spool, Inbox.LOGS)
    with pytest.raises(SpoolError, match="does not hold"):
        spool.done(traces, dead=[logs.parcels[0].id])
    spool.done(traces)
    with pytest.raises(SpoolError, match="not open"):
        spool.done(traces)
    assert spool.intake()[Signal.TRACES] == Counts(received=1, stored=1)
    assert balanced(spool)


async def test_a_waiting_writer_is_woken_by_work_and_by_wake(spool: Spool) -> None:
    writer = asyncio.create_task(asyncio.to_thread(spool.wait_for_work, 30))
    await spool.put(parcel("a"))
    assert await writer
    assert not spool.wait_for_work(0)
    writer = asyncio.create_task(asyncio.to_thread(spool.wait_for_work, 30))
    spool.wake()
    assert await writer


async def test_work_left_by_an_earlier_process_wakes_the_writer(spool: Spool, tmp_path: Path) -> None:
    await spool.put(parcel("a"))
    image = open_spool(crash_image(tmp_path, tmp_path / "image"))
    assert image.wait_for_work(0)
    image.close()
