"""The block of five lines, again and again: for logs, pipes, and terminals that can no more."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, TextIO

from botwatch.console.client import Client, reason
from botwatch.console.words import block, safe
from botwatch.errors import TryAgain

STATUS: Final = "/api/monitoring/status"


def run(
    client: Client,
    out: TextIO,
    every_s: float,
    *,
    times: int | None = None,
    now: Callable[[], datetime],
    wait: Callable[[float], object] = time.sleep,
) -> None:
    """Until it is stopped, or so many times. A server that is away is said to be, and asked again."""
    left = times
    while left is None or left > 0:
        try:
            lines = block(client.get(STATUS), now())
        except TryAgain as error:
            lines = [f"[MONITOR] {now():%Y-%m-%d %H:%M:%S}", safe(reason(error))]
        print("\n".join(lines), file=out, flush=True)
        left = None if left is None else left - 1
        if left is None or left > 0:
            wait(every_s)
