"""A fuzzer that follows the code runs against every receiver for a while; its seed changes with the bodies' own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.parts import require_module

ROOT = Path(__file__).parents[2]
RUNS = 60_000


@pytest.mark.timeout(600)  # on a small and busy machine
def test_nothing_but_a_refusal_comes_out_of_any_body(tmp_path: Path) -> None:
    require_module("atheris", "atheris")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    command = [sys.executable, "-m", "tests.receive.fuzz", str(corpus), f"-runs={RUNS}", "-seed=1", "-max_len=4096"]
    done = subprocess.run(
        # Its own measure of memory begins with the most that this process ever had.
        [*command, f"-artifact_prefix={tmp_path}/", "-rss_limit_mb=0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    assert f"Done {RUNS} runs" in done.stderr, done.stderr[-1_000:]
