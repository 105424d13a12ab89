"""The commands against a real server, as one types them: piped, to a file, beside the server itself."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from botwatch.cli.export import Counter
from botwatch.console.words import block
from tests.browser import seed
from tests.fault.harness import TOKEN, Botwatch
from tests.real.parts import zone_at_noon

# As `python -m botwatch`, and more patient than people: a server on a machine that stood still answers late.
PATIENT = "from botwatch.console import client; client.WAIT_S = 60.0; from botwatch.cli import main; main()"
MONITOR = ("--console", "--monitor", "--every", "0.5")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Botwatch]:
    server = Botwatch(tmp_path_factory.mktemp("console"), {"BOTWATCH_TIME_ZONE": zone_at_noon()}, MONITOR)
    server.start()
    seed.send(server.otlp)
    server.wait_drained()
    until_s = time.monotonic() + 60
    while server.get("/api/monitoring/status")["sessions"]["active"] != seed.SESSIONS:  # one answer serves many
        assert time.monotonic() < until_s, "the sessions are not counted"
        time.sleep(0.2)
    yield server
    server.stop()


def run(server: Botwatch, *arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PATIENT, *arguments],
        env={**os.environ, "BOTWATCH_TOKEN": token, "BOTWATCH_URL": f"http://127.0.0.1:{server.web}"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_the_plain_console_prints_what_the_api_says(server: Botwatch) -> None:
    for arguments in (("--plain", "--times", "2", "--every", "0.5"), ("--times", "1")):  # piped, it is plain anyway
        before = block(server.get("/api/monitoring/status"), datetime.now(UTC))
        done = run(server, "console", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert len(lines) == 5 * (2 if "2" in arguments else 1)
        after = block(server.get("/api/monitoring/status"), datetime.now(UTC))
        assert lines[1:3] in (before[1:3], after[1:3])  # an hour may begin meanwhile
        assert lines[4] == after[4]
        assert lines[1] == "Sessions: 247 active (peak: 247)"


def test_the_server_prints_the_block_beside_itself(server: Botwatch) -> None:
    assert server.process is not None
    server.process.wait_for_line(r"^\[MONITOR\] \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
    server.process.wait_for_line(r"^Sessions: 247 active \(peak: 247\)$")
    server.process.wait_for_line(r"^CPU: .* \| MEM: .* \| GPU: .*$")


def test_an_export_is_a_file(server: Botwatch, tmp_path: Path) -> None:
    counts = {}
    for format in ("csv", "json", "parquet"):
        file = tmp_path / f"sessions.{format}"
        done = run(server, "export", "monitoring/sessions", "state=active", "-o", str(file))
        assert done.returncode == 0, done.stderr
        assert f"bytes in {file}" in done.stderr
        assert done.stdout == ""
        counts[format] = done.stderr
    with (tmp_path / "sessions.csv").open(encoding="utf-8", newline="") as lines:
        assert len(list(csv.DictReader(lines))) == seed.SESSIONS
    assert len(json.loads((tmp_path / "sessions.json").read_text(encoding="utf-8"))) == seed.SESSIONS
    assert pq.read_metadata(tmp_path / "sessions.parquet").num_rows == seed.SESSIONS
    assert counts["csv"].startswith("247 rows, ")
    assert counts["json"].startswith("247 rows, ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sessions.csv", "sessions.json", "sessions.parquet"]


def test_an_export_goes_down_a_pipe(server: Botwatch) -> None:
    done = run(server, "export", "measures", "measure=messages.count", "by=bot", "period=1h", "step=1h")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "time,measure,bot,value"
    assert done.stderr == ""


def test_what_fails_leaves_no_file_and_says_why(server: Botwatch, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    for arguments, why in (
        (("nothing",), "no list of this name"),
        (("logs", "perod=1h"), "only the parameters of this list"),
        (("logs", "period"), "Expected NAME=VALUE"),
        (("logs", "--format", "xls"), "expected csv, json, parquet"),
    ):
        done = run(server, "export", *arguments, "-o", str(file))
        assert done.returncode == 1, done
        assert why in done.stderr
    assert "BOTWATCH_TOKEN" in run(server, "export", "logs", token="").stderr
    assert "cannot be written" in run(server, "export", "bots", "-o", str(tmp_path / "no" / "x.csv")).stderr
    assert list(tmp_path.iterdir()) == []


def test_monitoring_where_others_can_reach_it_needs_a_token_of_ones_own(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "botwatch", "serve", "--host", "0.0.0.0", "--monitor", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 2
    assert "set BOTWATCH_ADMIN_TOKEN" in done.stderr


def test_rows_are_counted_as_they_pass() -> None:
    for format, text, rows in (
        ("csv", b'a,b\n1,"x\ny""\n"\n2,z\n', 2),
        ("json", b'[\n{"a":"\\n"},\n{"a":2}\n]\n', 2),
        ("json", b"[\n]\n", 0),
        ("parquet", b"PAR1\n\n", 0),
    ):
        for size in (1, 3, 100):
            counter = Counter(format)
            for start in range(0, len(text), size):
                counter.take(text[start : start + size])
            assert counter.rows == rows, (format, size)
