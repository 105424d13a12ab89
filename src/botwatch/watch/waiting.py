"""What was reported and has not been handed on yet."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from botwatch import limits
from botwatch.watch import wire


class Waiting:
    """Reports that are not sent yet, bounded by their bytes. What did not fit is counted in `dropped`."""

    def __init__(self, bytes_max: int = limits.REPORTS_WAITING_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._reports: deque[wire.Report] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self.dropped = 0

    def add(self, report: wire.Report) -> None:
        with self._lock:
            self._reports.append(report)
            self._bytes += report.size
            self._trim()

    def put_back(self, reports: Sequence[wire.Report]) -> None:
        with self._lock:
            self._reports.extendleft(reversed(reports))
            self._bytes += sum(report.size for report in reports)
            self._trim()

    def take(self) -> list[wire.Report]:
        with self._lock:
            taken = list(self._reports)
            self._reports.clear()
            self._bytes = 0
            return taken

    def _trim(self) -> None:
        while self._bytes > self._bytes_max:
            self._bytes -= self._reports.popleft().size
            self.dropped += 1
