"""A report as a PDF: pages of A4, drawn as lines and text, without a browser."""

from __future__ import annotations

import io
import threading
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from botwatch.notify.escape import plain
from botwatch.reports import words
from botwatch.reports.answer import Answer, Window
from botwatch.reports.charts import ACCENT, LINE, MUTED, TEXT, Block, block
from botwatch.reports.pen import Pen, fonts

_PAGE: Final = (595.28, 841.89)
_MARGIN, _TOP, _FOOT = 44.0, 62.0, 46.0
_ROOM: Final = _PAGE[1] - _FOOT - 36.0
_ABREAST: Final = 3
_BETWEEN: Final = 18.0
_MISSING: Final = "? stands for letters that the fonts of this server do not have; the CSV has them."
_one_at_a_time = threading.Lock()  # fonts remember, for each document, which letters they need


@dataclass(frozen=True, slots=True)
class Title:
    """What stands above the panels and below them."""

    name: str
    period: str
    window: Window
    as_of_s: int
    zone: zoneinfo.ZoneInfo


def pdf(title: Title, answers: Sequence[Answer], font: Path | None = None) -> bytes:
    """Takes its time: call it in a thread."""
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415  a tenth of a second that only this needs

    with _one_at_a_time:
        out, known = io.BytesIO(), fonts(font)
        first = known[0].fontName  # the stubs take it for a number
        canvas = Canvas(out, pagesize=_PAGE, pageCompression=1, initialFontName=first)  # type: ignore[arg-type]
        canvas.setTitle(plain(title.name))
        canvas.setSubject(words.window(title.window, title.zone))
        canvas.setCreator("Botwatch")
        canvas.setAuthor("Botwatch")
        pen = Pen(canvas, known)
        pages = list(_pages([block(answer, title.zone, title.period) for answer in answers]))
        for number, rows in enumerate(pages, 1):
            y = _PAGE[1] - _MARGIN
            if number == 1:
                _head(pen, title)
                y -= _TOP
            for row in rows:
                _row(pen, row, y)
                y -= max(each.height for each in row)
            _foot(pen, title, number, len(pages))
            canvas.showPage()
        canvas.save()
        return out.getvalue()


def _pages(blocks: Sequence[Block]) -> Iterator[list[list[Block]]]:
    """Rows of blocks, as many as a page holds. There is one page at least."""
    page: list[list[Block]] = []
    left = _ROOM - _MARGIN - _TOP
    for row in _rows(blocks):
        height = max(each.height for each in row)
        if page and height > left:
            yield page
            page, left = [], _ROOM - _MARGIN
        page.append(row)
        left -= height
    yield page


def _rows(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    row: list[Block] = []
    for each in blocks:
        if row and (not each.narrow or len(row) == _ABREAST):
            yield row
            row = []
        row.append(each)
        if not each.narrow:
            yield row
            row = []
    if row:
        yield row


def _row(pen: Pen, row: Sequence[Block], top: float) -> None:
    whole = _PAGE[0] - 2 * _MARGIN
    width = (whole - (_ABREAST - 1) * _BETWEEN) / _ABREAST if row[0].narrow else whole
    for place, each in enumerate(row):
        each.draw(pen, _MARGIN + place * (width + _BETWEEN), top, width)


def _head(pen: Pen, title: Title) -> None:
    top, width = _PAGE[1] - _MARGIN, _PAGE[0] - 2 * _MARGIN
    pen.text(_MARGIN, top - 16, title.name, 19, TEXT, bold=True, room=width)
    told = f"{words.length(title.period)}: " if title.period else ""
    pen.text(_MARGIN, top - 33, f"{told}{words.window(title.window, title.zone)}", 9.5, MUTED, room=width)
    pen.line(((_MARGIN, top - 43), (_MARGIN + width, top - 43)), ACCENT, 1.4)


def _foot(pen: Pen, title: Title, number: int, pages: int) -> None:
    right = _PAGE[0] - _MARGIN
    pen.line(((_MARGIN, _FOOT - 6), (right, _FOOT - 6)), LINE, 0.5)
    pen.text(_MARGIN, _FOOT - 17, f"Botwatch · as of {words.moment(title.as_of_s, title.zone)}", 7.5, MUTED)
    pen.text(right, _FOOT - 17, f"page {number} of {pages}", 7.5, MUTED, right=True)
    if pen.missing:
        pen.text(_MARGIN, _FOOT - 27, _MISSING, 7.5, MUTED)
