"""Starts and ends the bots of the demo, which live in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Final, cast

from botwatch import limits
from botwatch.demo.world import RATE_DEFAULT
from botwatch.errors import SettingError

_NOT_THEIRS: Final = ("BOTWATCH_", "OTEL_")
_KILL_S: Final = 0.3  # of the time to stop, kept for those who do not hear


@dataclass(frozen=True, slots=True)
class Order:
    """What the bots are told. A key is not in it: a command line can be seen by all."""

    url: str
    rate: float
    seed: int
    time_zone: str
    stop_s: float

    def argv(self) -> list[str]:
        return [self.url, repr(self.rate), str(self.seed), self.time_zone, repr(self.stop_s)]

    @classmethod
    def parse(cls, argv: list[str]) -> Order:
        url, rate, seed, time_zone, stop_s = argv
        return cls(url, float(rate), int(seed), time_zone, float(stop_s))


class Fleet:
    """Bots that send to a server until they are stopped. `rate`: conversations a minute at the busiest hour."""

    def __init__(
        self, url: str, rate: float = RATE_DEFAULT, seed: int = 1, key: str | None = None, *, time_zone: str = "UTC"
    ) -> None:
        if not 0 < rate <= limits.DEMO_RATE_MAX:
            raise SettingError(
                f"rate: expected more than 0 and at most {limits.DEMO_RATE_MAX} conversations a minute, found {rate:g}"
            )
        self._order = Order(url, float(rate), seed, time_zone, limits.DEMO_STOP_S_MAX)
        self._key = key
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process that holds the others, and the group they are in; None when there is none."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def start(self) -> Mapping[str, int]:
        """The ports of the services they call, by name: none where the process ended at once."""
        # What whoever starts the demo has set for bots of their own must not reach these.
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_THEIRS)}
        if self._key:
            environ["BOTWATCH_KEY"] = self._key
        self._process = subprocess.Popen(  # noqa: S603  our own module
            [sys.executable, "-P", "-m", "botwatch.demo.bots", *self._order.argv()],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us, who end them in order
        )
        with cast(IO[bytes], self._process.stdout) as told:
            line = told.readline()
        return {str(name): int(port) for name, port in json.loads(line).items()} if line else {}

    def stop(self) -> None:
        """Let them send what they still have, but not for long. Afterwards none of them is left."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            clean = process.wait(self._order.stop_s - _KILL_S) == 0
        except subprocess.TimeoutExpired:
            clean = False
        if not clean:
            # The group began with this process, and nobody else is in it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
