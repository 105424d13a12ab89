"""A sink for each test, a bot that sends to it, and a process of its own for what touches a whole process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest

import botwatch_sdk as bot
from botwatch_sdk import _guard
from botwatch_sdk.testing import Seen, capture
from tests.sdk.sink import Sink

EXIT_S = 60.0  # what waits at the end of a process on a busy machine may take longer than a bot's users would wait
Script = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def _complains_anew() -> None:
    """What is said once a process is to be said once a test."""
    _guard._told.clear()


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink().start()
    yield sink
    sink.stop()


@pytest.fixture
def live(sink: Sink) -> Iterator[Sink]:
    """The SDK sends to this sink."""
    bot.init("testbot", url=sink.url, version="1.2.3")
    yield sink
    sink.stop()  # what a test left hanging ends here
    bot.shutdown(5.0)


@pytest.fixture
def seen() -> Iterator[Seen]:
    with capture() as seen:
        yield seen


@pytest.fixture
def script() -> Script:
    """Runs a bot in a process of its own; its environment is what is given and nothing of BOTWATCH or OTEL."""

    def run(
        text: str, *, timeout_s: float = 100.0, exit_s: float = EXIT_S, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        patience = f"import botwatch_sdk._limits; botwatch_sdk._limits.EXIT_FLUSH_S = {exit_s}\n"
        inherited = {name: said for name, said in os.environ.items() if not name.startswith(("BOTWATCH_", "OTEL_"))}
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", patience + textwrap.dedent(text)],
            env=inherited | environ,
            capture_output=True,
            check=False,
            text=True,
            timeout=timeout_s,
        )

    return run
