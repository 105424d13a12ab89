"""Text and lines on a page of a PDF: any text is measured, cut and written, in whichever font has its letters."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from botwatch.errors import SettingError
from botwatch.notify.escape import plain

if TYPE_CHECKING:
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

Colour = str  # as #rrggbb
_BOLD: Final = 0.032  # of the size: how wide the line around a letter is
_MISSING: Final = "?"
# Scripts whose letters change with their neighbours, or run from the right: what only lines letters up would write
# them wrongly, and a wrong word is worse than a mark that says so.
_JOINED: Final = range(0x0900, 0x1100)
_lock = threading.Lock()
_loaded: dict[Path, TTFont] = {}


def fonts(own: Path | None) -> list[TTFont]:
    """The font that comes with us, and the one of the settings for scripts it does not have."""
    ours = Path(str(resources.files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf"))
    return [_load(file) for file in ([ours] if own is None else [ours, own])]


def _load(file: Path) -> TTFont:
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415  a tenth of a second that only this needs
    from reportlab.pdfbase.ttfonts import TTFError, TTFont  # noqa: PLC0415

    with _lock:
        if file not in _loaded:
            try:
                font = TTFont(f"font{len(_loaded)}", str(file))
            except (TTFError, OSError):
                raise SettingError("report_font: expected a TrueType font (.ttf) that can be read") from None
            pdfmetrics.registerFont(font)
            _loaded[file] = font
        return _loaded[file]


class Pen:
    """`missing` says whether something was written as a question mark because no font has it."""

    def __init__(self, canvas: Canvas, known: Sequence[TTFont]) -> None:
        self.canvas = canvas
        self._known = known
        self.missing = False

    def width(self, text: str, size: float) -> float:
        return sum(font.stringWidth(part, size) for font, part in self._parts(text))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: Colour,
        *,
        bold: bool = False,
        right: bool = False,
        room: float | None = None,
    ) -> float:
        """Writes one line, which ends at `x` where it is `right`, cut to the room there is; how wide it is."""
        text = plain(unicodedata.normalize("NFC", text))
        if room is not None:
            text = self._cut(text, size, room)
        width = self.width(text, size)
        at = x - width if right else x
        self.canvas.setFillColor(colour)
        self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(size * _BOLD)
        self.canvas.setDash()
        for font, part in self._parts(text):
            self.canvas.setFont(font.fontName, size)
            self.canvas.drawString(at, y, part, mode=2 if bold else 0)
            at += font.stringWidth(part, size)
        return width

    def line(
        self, points: Sequence[tuple[float, float]], colour: Colour, width: float, dash: Sequence[float] = ()
    ) -> None:
        self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(width)
        self.canvas.setDash(list(dash))
        path = self.canvas.beginPath()
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
        self.canvas.drawPath(path)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        self.canvas.setFillColor(colour)
        self.canvas.rect(x, y, width, height, stroke=0, fill=1)

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        self.canvas.setFillColor(colour)
        self.canvas.circle(x, y, radius, stroke=0, fill=1)

    def _cut(self, text: str, size: float, room: float) -> str:
        if self.width(text, size) <= room:
            return text
        fits, too_long = 0, len(text)
        while fits + 1 < too_long:
            half = (fits + too_long) // 2
            if self.width(f"{text[:half].rstrip()}…", size) <= room:
                fits = half
            else:
                too_long = half
        return f"{text[:fits].rstrip()}…"

    def _parts(self, text: str) -> list[tuple[TTFont, str]]:
        """Neighbours in the same font, and a mark for each letter that none has."""
        found: list[tuple[TTFont, str]] = []
        for char in text:
            font = self._font_of(char)
            if font is None:
                self.missing = True
                font, char = self._known[0], _MISSING  # noqa: PLW2901
            if found and found[-1][0] is font:
                found[-1] = (font, found[-1][1] + char)
            else:
                found.append((font, char))
        return found

    def _font_of(self, char: str) -> TTFont | None:
        if unicodedata.bidirectional(char) in ("R", "AL") or ord(char) in _JOINED:
            return None
        return next((font for font in self._known if ord(char) in font.face.charToGlyph), None)
