"""What the spool does not take, what it forgets, and what it gives back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from botwatch import limits
from botwatch.clock import ManualClock
from botwatch.errors import SpoolFull, TooLarge, TryAgain
from botwatch.nouns import Inbox, Receipt, Signal
from botwatch.spool import Counts, Spool
from botwatch.spool.space import Space
from tests.spool.parcels import NOW_NS, crash_image, drain, names, open_spool, parcel, put_together


async def test_a_full_spool_asks_to_wait_and_takes_in_again_when_it_empties(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, bytes_max=1_000)
    await spool.put(parcel("a", size=600))
    with pytest.raises(SpoolFull) as refused:
        await spool.put(parcel("b", size=401))
    assert (refused.value.status, refused.value.retry_after_s) == (429, limits.SPOOL_RETRY_AFTER_S)
    await spool.put(parcel("c", size=400))
    assert drain(spool) == ["a", "c"]
    assert not (await spool.put(parcel("b", size=401))).duplicate
    # Whoever answers the client counts a refusal: what was not taken is not counted here.
    assert spool.intake()[Signal.TRACES] == Counts(received=3, stored=2, spooled=1)
    spool.close()


async def test_fullness_survives_a_restart(spool: Spool, tmp_path: Path) -> None:
    await spool.put(parcel("a", size=600))
    image = open_spool(crash_image(tmp_path, tmp_path / "image"), bytes_max=1_000)
    with pytest.raises(SpoolFull):
        await image.put(parcel("b", size=401))
    image.close()


async def test_parcels_not_yet_committed_count_towards_fullness(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, bytes_max=1_000)
    results = await put_together(spool, *(parcel(str(n), size=300) for n in range(10)))
    assert [type(result) for result in results] == [Receipt] * 3 + [SpoolFull] * 7
    spool.close()


async def test_the_number_of_parcels_is_bounded_however_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SPOOL_PARCELS_MAX", 2)
    spool = open_spool(tmp_path)
    await spool.put(parcel("a"))
    await spool.put(parcel("b"))
    with pytest.raises(SpoolFull):
        await spool.put(parcel("c"))
    spool.close()


async def test_a_parcel_that_can_never_fit_is_not_asked_to_come_again(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, bytes_max=1_000)
    with pytest.raises(TooLarge, match="1001 bytes does not fit the spool of 1000 bytes"):
        await spool.put(parcel("a", size=1_001))
    spool.close()


@pytest.mark.parametrize(("limit", "value"), [("SPOOL_WAITING_PARCELS_MAX", 2), ("SPOOL_WAITING_BYTES_MAX", 250)])
async def test_what_waits_for_the_disk_in_memory_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(limits, limit, value)
    spool = open_spool(tmp_path)
    results = await put_together(spool, *(parcel(str(n), size=100) for n in range(5)))
    assert [type(result) for result in results] == [Receipt] * 2 + [TryAgain] * 3
    await spool.put(parcel("later", size=1_000 if limit == "SPOOL_WAITING_BYTES_MAX" else 1))
    spool.close()


async def test_nothing_is_taken_in_while_the_disk_is_nearly_full_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = open_spool(tmp_path, disk_free_bytes_min=2**62)
    with pytest.raises(TryAgain) as refused:
        await spool.put(parcel("a"))
    assert not isinstance(refused.value, SpoolFull)
    assert (refused.value.status, refused.value.retry_after_s) == (503, limits.SPOOL_RETRY_AFTER_S)
    assert spool.crowded
    with caplog.at_level("ERROR", "botwatch.spool"):
        spool.close()
    assert "the disk is nearly full" in caplog.text


def test_the_file_system_is_asked_at_most_once_a_second() -> None:
    free, asked = 10, 0

    def ask(folder: Path) -> int:
        nonlocal asked
        asked += 1
        if free < 0:
            raise OSError("the file system is away")
        return free

    clock = ManualClock(NOW_NS)
    space = Space(Path(), 100, clock, ask)
    assert [space.low() for _ in range(5)] == [True] * 5
    assert asked == 1
    free = 100
    clock.advance(0.9)
    assert space.low()
    clock.advance(0.1)
    assert not space.low()
    free = 99
    clock.advance(1)
    assert space.low()
    free = -1
    clock.advance(1)
    assert not space.low()


async def test_retries_are_recognised_among_the_newest_digests(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, keep_digests=5)
    for n in range(8):
        await spool.put(parcel(str(n)))
    assert [(await spool.put(parcel(str(n)))).duplicate for n in (7, 6, 5, 4, 3)] == [True] * 5
    assert not (await spool.put(parcel("2"))).duplicate  # forgotten, and now 3 is
    assert not (await spool.put(parcel("3"))).duplicate
    spool.close()


async def test_fewer_digests_than_before_keep_the_newest(spool: Spool, tmp_path: Path) -> None:
    for n in range(8):
        await spool.put(parcel(str(n)))
    image = open_spool(crash_image(tmp_path, tmp_path / "image"), keep_digests=3)
    assert [(await image.put(parcel(str(n)))).duplicate for n in (7, 6, 5, 4)] == [True, True, True, False]
    image.close()


async def test_the_file_is_reused_and_what_an_outage_added_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SPOOL_FREE_BYTES_MAX", 2 * limits.MIB)
    monkeypatch.setattr(limits, "SPOOL_LOG_BYTES_MAX", limits.MIB)
    spool = open_spool(tmp_path)
    file, log = tmp_path / "spool.db", tmp_path / "spool.db-wal"

    async def fill(count: int, name: str) -> None:
        for n in range(0, count, 10):
            await asyncio.gather(*(spool.put(parcel(f"{name}{n + m}", size=100_000)) for m in range(10)))

    await fill(200, "outage")
    high = file.stat().st_size
    assert high > 20_000_000 - limits.SPOOL_LOG_BYTES_MAX * 2
    drain(spool)
    for n in range(1_200):
        if file.stat().st_size < 4 * limits.MIB:
            break
        await spool.put(parcel(f"small {n}"))
        await asyncio.sleep(0.05)
    assert file.stat().st_size < 4 * limits.MIB
    low = 0
    for n in range(10):
        await fill(20, f"usual {n} ")
        drain(spool)
        low = max(low, file.stat().st_size)
    assert low < 8 * limits.MIB
    assert log.stat().st_size < 8 * limits.MIB
    spool.close()
    assert not log.exists()


async def test_large_groups_are_committed_in_several_transactions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SPOOL_COMMIT_PARCELS_MAX", 4)
    monkeypatch.setattr(limits, "SPOOL_COMMIT_BYTES_MAX", 250)
    spool = open_spool(tmp_path)
    groups: list[int] = []
    commit = spool._owner._commit

    def counted(parcels: object) -> object:
        groups.append(len(parcels))  # type: ignore[arg-type]
        return commit(parcels)  # type: ignore[arg-type]

    monkeypatch.setattr(spool._owner, "_commit", counted)
    large = [parcel(f"l{n}", size=100) for n in range(4)]
    await put_together(spool, *large, *(parcel(f"s{n}", inbox=Inbox.LOGS) for n in range(6)))
    assert groups == [2, 4, 4]
    assert names(spool.seal(Inbox.TRACES)) == ["l0", "l1", "l2", "l3"]
    spool.close()
