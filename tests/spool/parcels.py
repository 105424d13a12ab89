"""Parcels to put, and what the tests of this room share."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from botwatch import limits
from botwatch.clock import SECOND_NS, Clock, ManualClock
from botwatch.nouns import Inbox, Parcel, Receipt, Refusal
from botwatch.spool import Batch, Spool

NOW_NS = 1_800_000_000 * SECOND_NS


def parcel(
    name: str,
    *,
    inbox: Inbox = Inbox.TRACES,
    items: int = 1,
    size: int = 0,
    dedup: bool = True,
    rejected: dict[Refusal, int] | None = None,
) -> Parcel:
    """A parcel known by its name, which its body begins with."""
    body = name.encode().ljust(size, b".")
    return Parcel(inbox, body, items, hashlib.sha256(name.encode()).digest()[:16], dedup, rejected or {})


def open_spool(
    folder: Path,
    *,
    clock: Clock | None = None,
    bytes_max: int = limits.GIB,
    disk_free_bytes_min: int = 0,
    keep_digests: int = 1_000,
) -> Spool:
    return Spool.open(
        folder / "spool.db",
        clock=clock or ManualClock(NOW_NS),
        bytes_max=bytes_max,
        disk_free_bytes_min=disk_free_bytes_min,
        keep_digests=keep_digests,
    )


def crash_image(folder: Path, to: Path) -> Path:
    """The files as a process killed this instant would leave them."""
    to.mkdir()
    for name in ("spool.db", "spool.db-wal"):
        if (folder / name).exists():
            shutil.copy(folder / name, to / name)
    return to


@asynccontextmanager
async def held(spool: Spool) -> AsyncIterator[None]:
    """Until the end of this, its thread does nothing: what is put meanwhile waits together."""
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go_on.wait()

    holding = asyncio.create_task(asyncio.to_thread(spool._owner.ask, hold))
    await asyncio.to_thread(begun.wait)
    try:
        yield
    finally:
        go_on.set()
        await holding


async def put_together(spool: Spool, *parcels: Parcel) -> list[Receipt | BaseException]:
    """All of them wait before the first is looked at; what each was answered."""
    async with held(spool):
        puts = [asyncio.create_task(spool.put(one)) for one in parcels]
        await asyncio.sleep(0)
    return await asyncio.gather(*puts, return_exceptions=True)


def names(batch: Batch | None) -> list[str]:
    assert batch is not None
    return [one.body.rstrip(b".").decode() for one in batch.parcels]


def drain(spool: Spool, inboxes: Sequence[Inbox] = tuple(Inbox)) -> list[str]:
    """Take everything out, what was sealed before first; the names in their order."""
    found = []
    for batch in spool.unfinished():
        found += names(batch)
        spool.done(batch)
    for inbox in inboxes:
        while (sealed := spool.seal(inbox)) is not None:
            found += names(sealed)
            spool.done(sealed)
    return found


def balanced(spool: Spool) -> bool:
    return not any(counts.missing for counts in spool.intake().values())
