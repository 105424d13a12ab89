"""The process is really killed, at moments nobody chose, and nothing is lost or counted twice."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from botwatch.clock import SystemClock
from botwatch.nouns import Refusal, Signal
from botwatch.spool import Spool
from tests.spool.killed import INBOXES, ITEMS, refused_by_engine, write
from tests.spool.parcels import balanced, open_spool

ROOT = Path(__file__).parents[2]
CLIENTS = 9
KILLS = 15


def life_and_death(folder: Path, starts: list[int], moment: random.Random) -> list[tuple[int, int]]:
    """Run the process and kill it; what it had acknowledged."""
    command = [sys.executable, "-m", "tests.spool.killed", str(folder), json.dumps(starts)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines: list[str] = []
    assert process.stdout is not None
    assert process.stderr is not None
    reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()))
    if moment.random() < 0.8:  # else also while it starts
        lines.append(process.stdout.readline())
    reader.start()
    time.sleep(moment.uniform(0, 0.35))
    process.kill()
    process.wait()
    reader.join()
    told = process.stderr.read()
    assert process.returncode == -9, told
    process.stdout.close()
    process.stderr.close()
    return [(int(client), int(number)) for client, number in map(str.split, lines)]


def engine_holds(folder: Path) -> Counter[str]:
    """What an engine holds that takes each token once."""
    inserts: dict[str, dict[str, list[str]]] = {}
    for line in (folder / "engine").read_text().splitlines():
        insert = json.loads(line)
        assert inserts.setdefault(insert["token"], insert) == insert, "a token came back with other parcels"
    return Counter(name for insert in inserts.values() for name in insert["held"])


def check(spool: Spool, folder: Path, starts: list[int]) -> None:
    held = engine_holds(folder)
    dead = Counter((spool.dead_body(one.id) or b"").rstrip(b".").decode() for one in spool.dead())
    kept = held + dead
    assert [name for name, times in kept.items() if times != 1] == []
    assert all(map(refused_by_engine, dead))
    acknowledged = {f"{client}-{number}" for client, start in enumerate(starts) for number in range(start)}
    assert acknowledged - set(kept) == set()
    # Beyond that, at most what each client had on its way when the process died.
    assert set(kept) - acknowledged <= {f"{client}-{start}" for client, start in enumerate(starts)}
    for signal in (inbox.signal for inbox in INBOXES):
        counts = spool.intake()[signal]
        mine = [name for name in kept if INBOXES[int(name.partition("-")[0]) % len(INBOXES)].signal is signal]
        refused = sum(map(refused_by_engine, mine))
        assert counts.stored == ITEMS * (len(mine) - refused)
        assert counts.rejected.get(Refusal.ENGINE, 0) == ITEMS * refused
        assert counts.spooled == 0
    assert spool.intake()[Signal.TRACES].stored


def test_killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_is_twice(tmp_path: Path) -> None:
    moment = random.Random(os.getpid())
    starts = [0] * CLIENTS
    for _ in range(KILLS):
        for client, number in life_and_death(tmp_path, starts, moment):
            assert number == starts[client]
            starts[client] = number + 1
    assert min(starts) > 0, "the process never came to work"

    spool = open_spool(tmp_path, clock=SystemClock())
    assert spool.warnings == []
    assert balanced(spool)
    over = threading.Event()
    over.set()
    engine = os.open(tmp_path / "engine", os.O_WRONLY | os.O_APPEND)
    write(spool, engine, over)
    os.close(engine)
    check(spool, tmp_path, starts)
    assert balanced(spool)
    spool.close()
