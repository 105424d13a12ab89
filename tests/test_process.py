"""What a long-running process does for itself."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from botwatch import process


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_garbage_is_not_looked_for_while_modules_are_loaded_and_never_in_what_they_made() -> None:
    with process.loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 10_000


def test_a_module_that_cannot_be_loaded_leaves_the_collector_at_work() -> None:
    with pytest.raises(ImportError), process.loading():
        raise ImportError
    assert gc.isenabled()


def test_as_many_files_are_opened_as_the_process_is_let() -> None:
    """In one of its own, whose limits are those of a service."""
    text = """
        import resource
        from botwatch import process
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 96))
        process.raise_open_files()
        print(resource.getrlimit(resource.RLIMIT_NOFILE))
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, check=True, text=True, timeout=100
    )
    assert ran.stdout == "(96, 96)\n"


def test_of_what_is_said_again_and_again_the_first_of_a_minute_are_written() -> None:
    seldom, written = process.Seldom(), []

    def say(at_s: float, text: str, level: int = logging.WARNING, **extra: object) -> None:
        record = logging.makeLogRecord({"name": "n", "levelno": level, "msg": text, "created": at_s, **extra})
        if seldom.filter(record):
            written.append((at_s, text, record.__dict__.get("again")))

    for second in range(61):
        say(second, "away")
        say(second, "away", logging.INFO) if second == 5 else None
    say(1, "away", table="other")
    say(30, "else")
    first = [(second, "away", None) for second in range(5)]
    assert written == [*first, (5, "away", None), (60, "away", 55), (1, "away", None), (30, "else", None)]


def test_what_is_remembered_of_a_log_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_REMEMBERED_MAX", 10)
    seldom = process.Seldom()
    for number in range(100):
        assert seldom.filter(logging.makeLogRecord({"levelno": logging.ERROR, "msg": str(number)}))
    assert len(seldom._said) <= 10
