"""`botwatch demo`: the whole product on embedded parts, with a fleet of bots that keep talking to it.

`history.history` writes the day before by SQL, `fleet.Fleet` runs the bots, `serve` joins both to a server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botwatch.demo.world import RATE_DEFAULT

if TYPE_CHECKING:
    from botwatch.settings import Settings

__all__ = ["RATE_DEFAULT", "run"]


def run(settings: Settings, *, rate: float = RATE_DEFAULT) -> int:
    """Serve, with history and a fleet, until Ctrl-C or SIGTERM. `rate`: conversations a minute at the busiest hour."""
    from botwatch.demo import serve  # noqa: PLC0415  the bots' own process must not load an engine

    return serve.run(settings, rate)
