"""A process whose files may not grow, as on a full disk; it prints what came of it.

Run by `test_full_disk.py` in a process of its own: the limit holds for all files of a process.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from botwatch.errors import TryAgain
from botwatch.nouns import Inbox, Receipt, Refusal, Signal
from botwatch.spool import Spool
from tests.spool.parcels import drain, names, open_spool, parcel


def let_files_grow(limit_bytes: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))


async def put(spool: Spool, *parcels: str) -> list[str]:
    results = await asyncio.gather(*(spool.put(parcel(name)) for name in parcels), return_exceptions=True)
    return [result.code if isinstance(result, TryAgain) else str(result) for result in results]


def tried(work: object) -> str:
    try:
        work()  # type: ignore[operator]
    except TryAgain as error:
        return error.code
    return "worked"


async def main(folder: Path) -> None:
    spool = open_spool(folder)
    found: dict[str, object] = {"before": await put(spool, "a", "b")}
    batch = spool.seal(Inbox.TRACES)
    assert batch is not None
    await spool.put(parcel("c"))

    let_files_grow((folder / "spool.db-wal").stat().st_size)
    found["full"] = await put(spool, "d", "e", "a")
    found["seal"] = tried(lambda: spool.seal(Inbox.TRACES))
    found["done"] = tried(lambda: spool.done(batch))
    found["note"] = tried(lambda: spool.meta_set("cursor", "1"))
    found["trouble"] = spool.trouble
    found["readable"] = [names(one) for one in spool.unfinished()]
    found["full counts"] = asdict(spool.intake()[Signal.TRACES])

    let_files_grow(resource.RLIM_INFINITY)
    for _ in range(6_000):
        if not spool.trouble:
            break
        await asyncio.sleep(0.01)
    found["recovered by itself"] = not spool.trouble

    let_files_grow((folder / "spool.db-wal").stat().st_size)
    spool.refuse(Signal.TRACES, Refusal.FULL, 3)
    found["full again"] = await put(spool, "d")
    let_files_grow(resource.RLIM_INFINITY)
    found["retried"] = await put(spool, "d", "e", "a")
    found["drained"] = drain(spool)
    found["counts"] = asdict(spool.intake()[Signal.TRACES])
    spool.close()
    found["receipts"] = [str(Receipt(duplicate)) for duplicate in (False, True)]
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
