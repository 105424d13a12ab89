"""A sink for each test, a bot that sends to it, and a process of its own for what touches a whole process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest

import botwatch_sdk as bot
from botwatch_sdk import _config, _guard, _limits
from botwatch_sdk.testing import Seen, capture
from tests.sdk.sink import Sink

EXIT_S = 60.0  # what waits at the end of a process on a busy machine may take longer than a bot's users would wait
SEND_S = 60.0  # as long may an answer take there: a request given up too early comes twice, or is lost at the end
LONG_S = 50.0  # who does not wait for the server needs less, on whatever machine; who does, more
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
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes out before a flush: else what is put is now and then gone by then, and the flush tells nothing of
    it. To be named before `live`."""
    monkeypatch.setattr(_limits, "SEND_EVERY_S", 3_600.0)


@pytest.fixture
def live(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """The SDK sends to this sink."""
    monkeypatch.setattr(_config, "_TIMEOUT", _config._Range(0.1, SEND_S, 300.0))
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
        patience = f"""if True:
            from botwatch_sdk import _config, _limits
            _limits.EXIT_FLUSH_S, _limits.FORK_WAIT_S_MAX = {exit_s}, {EXIT_S}
            _config._TIMEOUT = _config._Range(0.1, {SEND_S}, 300.0)
            del _config, _limits\n"""
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
