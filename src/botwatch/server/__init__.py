"""Where everything meets: the only room that knows every other.

    ports ─▶ receive ─▶ spool ─▶ writer ─▶ store ─▶ turns, measures ─▶ api
                                             └─▶ judge ─▶ incidents ─▶ notify
    watch ─▶ receive

`house` builds it in the order in which one part stands on another; `doors`, `eyes` and `alarm` are its wings, and
`running` is what a process does with it.
"""

from botwatch.server.house import Server
from botwatch.server.running import run

__all__ = ["Server", "run"]
