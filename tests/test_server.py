"""The process: starting, telling its supervisor, reading settings again, ports that are taken."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from botwatch.errors import SettingError
from botwatch.server import Server, work
from botwatch.settings import Settings
from tests.fault.harness import Botwatch, running
from tests.real.parts import free_port

_ABOVE = "-dac_override,-dac_read_search"  # what lets root write what nobody may
UNPRIVILEGED = ("setpriv", "--bounding-set", _ABOVE, "--inh-caps", _ABOVE) if os.geteuid() == 0 else ()


@contextlib.contextmanager
def supervisor(folder: Path) -> Iterator[tuple[str, socket.socket]]:
    """What systemd does: a datagram socket whose path is in NOTIFY_SOCKET."""
    path = str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)
        sock.settimeout(60)
        yield path, sock


def test_the_supervisor_is_told_of_ready_reload_and_stop(tmp_path: Path) -> None:
    with supervisor(tmp_path) as (path, sock), running(tmp_path, NOTIFY_SOCKET=path) as server:
        assert sock.recv(100) == b"READY=1"
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGHUP)
        assert [sock.recv(100), sock.recv(100)] == [b"RELOADING=1", b"READY=1"]
        server.stop()
        assert sock.recv(100) == b"STOPPING=1"


def test_sighup_takes_on_what_can_change_and_names_what_cannot(tmp_path: Path) -> None:
    config = tmp_path / "botwatch.toml"
    config.write_text('log_level = "info"\n', encoding="utf-8")
    server = Botwatch(tmp_path, arguments=("--config", str(config)))
    process = server.start()
    try:
        config.write_text("idle_minutes = 5\ngrpc_port = 1\nkeep_text = false\n", encoding="utf-8")
        os.kill(process.pid, signal.SIGHUP)
        told = process.wait_for_line("settings read again.*")
        assert "keep_text" in told[0]
        config.write_text("idle_minutes = 'soon'\n", encoding="utf-8")
        os.kill(process.pid, signal.SIGHUP)
        assert "idle_minutes" in process.wait_for_line("the settings stay as they were.*")[0]
        assert httpx.get(f"http://127.0.0.1:{server.web}/healthz", timeout=60).status_code == 200
        server.stop()
    finally:
        if process.alive:
            process.kill()


def test_a_default_port_that_is_taken_is_a_warning_and_one_that_was_asked_for_ends_the_start(tmp_path: Path) -> None:
    with running(tmp_path / "first") as first:
        second = Botwatch(tmp_path / "second")
        second.otlp = first.otlp
        process = second.start(wait=False)
        assert process.wait() == 2
        output = process.output()
        assert f"127.0.0.1:{first.otlp}" in output
        assert "--otlp-port" in output
        assert "Traceback" not in output


async def test_a_folder_that_cannot_be_made_is_told_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(SettingError, match=r"^data: .*taken.*--data"):
        await Server(Settings(data=tmp_path / "taken")).start()


def test_a_store_that_was_never_there_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """Less than what waits for a store would wait, and than a supervisor gives."""
    server = Botwatch(tmp_path, arguments=("--store", f"clickhouse://127.0.0.1:{free_port()}/away"))
    process = server.start(wait=False)
    try:
        process.wait_for_line('"event": "serving"')
        assert process.stop(seconds=40) == 0
    finally:
        if process.alive:
            process.kill()


async def test_a_part_that_fails_is_told_and_begins_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_AGAIN_S", 0.01)
    runs, goes_on = [1, 2], asyncio.Event()

    async def run(stop: asyncio.Event) -> None:
        if runs.pop() == 2:
            raise ValueError("nobody thought of it")
        goes_on.set()
        await stop.wait()

    async with contextlib.AsyncExitStack() as exit:
        work.Work(exit, cast(Any, None), remote=False).beside(run)
        await asyncio.wait_for(goes_on.wait(), 60)
    assert "begins again" in caplog.text
    assert "nobody thought of it" in caplog.text


def test_a_store_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.stop()
    store = tmp_path / "data" / "store"
    store.chmod(0o500)
    try:
        told = subprocess.run(
            [*UNPRIVILEGED, sys.executable, "-m", "botwatch", "serve", "--data", str(tmp_path / "data")],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    finally:
        store.chmod(0o700)
    assert told.returncode == 2
    assert told.stderr.startswith(f"botwatch: store: {store} cannot be written")
    assert "--data" in told.stderr


def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        second = Botwatch(tmp_path)
        second.starts = 7
        process = second.start(wait=False)
        assert process.wait() != 0
        assert first.process is not None
        assert str(first.process.pid) in process.output()


def test_the_log_is_json_lines_without_secrets_or_texts(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        token = "t" * 43
        url = f"http://127.0.0.1:{server.web}/api/monitoring/status"
        assert httpx.get(url, headers={"authorization": f"Bearer {token}"}, timeout=60).status_code == 401
        body = {
            "resourceLogs": [
                {
                    "scopeLogs": [
                        {"logRecords": [{"eventName": "bot.message", "body": {"stringValue": "my PIN is hush-hush"}}]}
                    ]
                }
            ]
        }
        assert httpx.post(f"http://127.0.0.1:{server.otlp}/v1/logs", json=body, timeout=60).status_code == 200
        server.wait_drained()
        server.stop()
        assert server.process is not None
        output = server.process.output()
    assert token not in output
    # The code of the link may hold any letters.
    logged = [line for line in output.splitlines() if not line.startswith("Sign in:")]
    assert not [line for line in logged if "hush" in line or "PIN" in line]
    assert {"timestamp", "level", "service", "event"} <= set(json.loads(logged[0]))
    assert all(isinstance(json.loads(line), dict) for line in logged)
