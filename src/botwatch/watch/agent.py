"""Looks at the machine every few seconds, in a thread of its own: in the agent's process and in the server's."""

from __future__ import annotations

import logging
import threading
import zlib

from botwatch import limits
from botwatch.clock import Clock
from botwatch.watch.host.host import Host
from botwatch.watch.reading import Reporter

log = logging.getLogger(__name__)


class Agent:
    """`start`, then `stop`. `looked` is set after the first look."""

    def __init__(self, host: Host, reporter: Reporter, clock: Clock, every_s: float = limits.HOST_LOOK_EVERY_S) -> None:
        self._host = host
        self._reporter = reporter
        self._clock = clock
        self._every_s = every_s
        # Machines look at different moments, and each at the same moment of every tick.
        self._phase_s = zlib.crc32(host.name.encode()) % 1_000 / 1_000 * every_s
        self._stop = threading.Event()
        self.looked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="botwatch-agent", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """A look that hangs, on a disk that does not answer, is left behind."""
        self._stop.set()
        self._thread.join(limits.AGENT_STOP_S_MAX)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._host.report(self._reporter)
            except Exception:
                log.exception("the machine could not be looked at; it is tried again")
            self.looked.set()
            self._stop.wait(self._every_s - (self._clock.monotonic_s() - self._phase_s) % self._every_s)
