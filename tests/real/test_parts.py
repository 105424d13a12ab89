from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.real import parts

ECHO = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); print('ready', flush=True)"


def test_a_missing_part_is_skipped_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOTWATCH_REAL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="install the package no-such-package"):
        parts.require_part("no-such-program", "no-such-package")


def test_a_missing_part_fails_where_every_part_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTWATCH_REAL", "require")
    with pytest.raises(pytest.fail.Exception, match="install the package no-such-package"):
        parts.require_part("no-such-program", "no-such-package")
    with pytest.raises(pytest.fail.Exception, match="install the package no-such-package"):
        parts.require_module("no_such_module", "no-such-package")


def test_a_part_that_is_here_is_found() -> None:
    assert parts.require_part("sh", "dash").name == "sh"
    assert parts.require_module("json", "python3") is sys.modules["json"]


def test_a_process_is_awaited_by_its_output_and_stopped(tmp_path: Path) -> None:
    with parts.Process([sys.executable, "-c", f"{ECHO}; time.sleep(60)"], tmp_path / "log") as process:
        process.wait_for_line("^ready$")
        assert process.alive
        assert process.stop() == 7
    assert not process.alive


def test_a_process_left_running_ends_with_its_block(tmp_path: Path) -> None:
    with parts.Process([sys.executable, "-c", f"{ECHO}; time.sleep(60)"], tmp_path / "log") as process:
        process.wait_for_line("ready")
    assert not process.alive


def test_a_process_that_dies_early_shows_its_last_words(tmp_path: Path) -> None:
    dying = [sys.executable, "-c", "raise SystemExit('no disk')"]
    with parts.Process(dying, tmp_path / "log") as process:
        with pytest.raises(pytest.fail.Exception, match=r"(?s)ended with 1 before .*no disk"):
            process.wait_for_line("ready")
        with pytest.raises(pytest.fail.Exception, match="no disk"):
            process.wait_for_port(parts.free_port())


def test_waiting_has_an_end(tmp_path: Path) -> None:
    with (
        parts.Process([sys.executable, "-c", f"{ECHO}; time.sleep(60)"], tmp_path / "log") as process,
        pytest.raises(pytest.fail.Exception, match=r"no a listener|no listener|after 0\.1 s"),
    ):
        process.wait_for_port(parts.free_port(), seconds=0.1)
