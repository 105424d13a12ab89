"""A process that receives and writes until it is killed. Run by `test_kill.py`.

Its clients send parcel after parcel and print each acknowledgement. Its engine is a file: one line
for an insert, with the token and what the insert held; a line is written whole or not at all.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import threading
import time
import zlib
from pathlib import Path

from botwatch.clock import SystemClock
from botwatch.nouns import Inbox
from botwatch.spool import Batch, Spool
from tests.spool.parcels import names, open_spool, parcel

ITEMS = 3
ENGINE_S = 0.003
INBOXES = (Inbox.TRACES, Inbox.LOGS, Inbox.POINTS)


def refused_by_engine(name: str) -> bool:
    return zlib.crc32(name.encode()) % 23 == 0


def insert(spool: Spool, batch: Batch, engine: int) -> None:
    found = names(batch)
    held = [name for name in found if not refused_by_engine(name)]
    os.write(engine, json.dumps({"token": batch.token("node"), "held": held, "all": found}).encode() + b"\n")
    time.sleep(ENGINE_S)  # so that some moments fall between the engine's yes and the spool's
    dead = [one.id for one, name in zip(batch.parcels, found, strict=True) if refused_by_engine(name)]
    spool.done(batch, dead=dead, reason="refused")


def write(spool: Spool, engine: int, over: threading.Event) -> None:
    for batch in spool.unfinished():
        insert(spool, batch, engine)
    while True:
        sealed = [batch for batch in map(spool.seal, INBOXES) if batch is not None]
        for batch in sealed:
            insert(spool, batch, engine)
        if not sealed:
            if over.is_set():
                return
            spool.wait_for_work(0.05)


async def send(spool: Spool, client: int, start: int) -> None:
    sizes = random.Random(client * 1_000_003 + start)
    number = start
    while True:
        name = f"{client}-{number}"
        inbox = INBOXES[client % len(INBOXES)]
        await spool.put(parcel(name, inbox=inbox, items=ITEMS, size=sizes.choice((50, 3_000, 40_000))))
        os.write(1, f"{client} {number}\n".encode())
        number += 1


async def main(folder: Path, starts: list[int]) -> None:
    spool = open_spool(folder, clock=SystemClock(), keep_digests=100_000)
    assert spool.warnings == []
    engine = os.open(folder / "engine", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    threading.Thread(target=write, args=(spool, engine, threading.Event()), daemon=True).start()
    await asyncio.gather(*(send(spool, client, start) for client, start in enumerate(starts)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
