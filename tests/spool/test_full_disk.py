"""A disk that takes no more: nothing is acknowledged, nothing is lost, and it heals by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_full_disk_loses_nothing_and_the_spool_recovers_without_a_hand(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.spool.full_disk", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    new, known = found["receipts"]
    assert found["before"] == [new, new]
    # The retry of what is durable fails with the commit it is in: the client asks again.
    assert found["full"] == ["try_again"] * 3
    assert (found["seal"], found["done"], found["note"]) == ("try_again",) * 3
    assert found["trouble"].startswith("SQLITE_")
    assert found["readable"] == [["a", "b"]]
    assert found["full counts"] == {
        "received": 3, "stored": 0, "spooled": 3, "duplicate": 0, "rejected": {},
    }  # fmt: skip
    assert found["recovered by itself"]
    assert found["full again"] == ["try_again"]
    assert found["retried"] == [new, new, known]
    assert found["drained"] == ["a", "b", "c", "d", "e"]
    assert found["counts"] == {
        "received": 9, "stored": 5, "spooled": 0, "duplicate": 1, "rejected": {"full": 3},
    }  # fmt: skip
