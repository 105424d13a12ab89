"""Starts and ends the bots of the demo, which live in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Final

from botwatch.demo.world import RATE_DEFAULT

STOP_S_MAX: Final = 2.8
_NOT_THEIRS: Final = ("BOTWATCH_", "OTEL_")


class Fleet:
    """Bots that send to a server until they are stopped. `rate`: conversations a minute at the busiest hour."""

    def __init__(
        self, url: str, rate: float = RATE_DEFAULT, seed: int = 1, key: str | None = None, time_zone: str = "UTC"
    ) -> None:
        if not 0 < rate <= RATE_MAX:
            raise ValueError(f"rate: expected more than 0 and at most {RATE_MAX:g} conversations a minute, found {rate:g}")
        self._argv = [url, repr(rate), str(seed), time_zone]
        self._key = key
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        # What whoever starts the demo has set for bots of their own must not reach these.
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_THEIRS)}
        if self._key:
            environ["BOTWATCH_KEY"] = self._key
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "botwatch.demo.bots", *self._argv],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us, who end them in order
        )

    def stop(self) -> None:
        """Let them say what they still have to say, but not for long."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Whoever is still there is in the group that began with this process, and only they are.
            if process.returncode is None or process.returncode:
                _end_group(process.pid)
            process.wait()


def _end_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


RATE_MAX: Final = 600.0
