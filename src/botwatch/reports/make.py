"""From a report to its files, a few at a time: drawing takes a processor for a moment."""

from __future__ import annotations

import asyncio
import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from botwatch import limits
from botwatch.errors import TryAgain
from botwatch.measure.reader import Measures
from botwatch.reports import answer, sheet
from botwatch.reports.answer import Answer, Window
from botwatch.reports.pdf import Title, pdf
from botwatch.reports.report import FileKind, Report

MEDIA: Final = {FileKind.PDF: "application/pdf", FileKind.CSV: "text/csv"}
_RETRY_S: Final = 5


@dataclass(frozen=True, slots=True)
class Read:
    """A report as it was read: until when, and at what moment. `wanted` is a window in place of its own."""

    report: Report
    end_s: int
    now_s: int
    zone: zoneinfo.ZoneInfo
    wanted: Window | None = None

    @property
    def title(self) -> Title:
        report = self.report
        window = self.wanted or Window.until(self.end_s, report.period)
        return Title(report.name, "" if self.wanted else report.period, window, self.now_s, self.zone)


class Maker:
    """Bounds what is made at the same time."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(limits.REPORTS_MADE_AT_ONCE_MAX)
        self._waiting = 0

    async def files(
        self, measures: Measures, read: Read, kinds: Sequence[FileKind], font: Path | None
    ) -> dict[FileKind, bytes]:
        """Raises `TryAgain` where too many wait already."""
        if self._waiting >= limits.REPORTS_WAITING_MAX:
            raise TryAgain("Other reports are being made.", retry_after_s=_RETRY_S, hint="wait for one of them")
        self._waiting += 1
        try:
            async with self._free:
                found = await answers(measures, read)
                return {kind: await asyncio.to_thread(_made, kind, read, found, font) for kind in kinds}
        finally:
            self._waiting -= 1


async def answers(measures: Measures, read: Read) -> list[Answer]:
    report = read.report
    over = answer.windows(report.panels, report.period, read.end_s, read.wanted)
    return await answer.answers(measures, report.panels, over)


def _made(kind: FileKind, read: Read, found: Sequence[Answer], font: Path | None) -> bytes:
    return sheet.csv(found) if kind is FileKind.CSV else pdf(read.title, found, font)


def file_name(read: Read, kind: FileKind) -> str:
    """Of letters that every file system and mail program takes."""
    words = re.sub(r"[^a-z0-9]+", "-", read.report.name.lower()).strip("-")[:60] or "report"
    day = datetime.fromtimestamp(read.end_s, read.zone)
    return f"{words}-{day:%Y%m%d-%H%M}.{kind}"
