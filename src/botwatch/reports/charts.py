"""The panels of a report as blocks on a page: each knows its height, and draws itself where it is put."""

from __future__ import annotations

import math
import zoneinfo
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from botwatch import limits
from botwatch.measure import amounts
from botwatch.measure.model import Direction
from botwatch.measure.reader import Series
from botwatch.reports import axes, words
from botwatch.reports.answer import Answer
from botwatch.reports.axes import Scale
from botwatch.reports.pen import Colour, Pen
from botwatch.reports.report import Drawn

# As the pages have them, in the light.
TEXT, MUTED, LINE, ACCENT = "#14191c", "#54626a", "#dde3e6", "#0b6b63"
WARNING, CRITICAL, OK = "#8f5200", "#b3261e", "#1a7237"
_COLOURS: Final = ("#0b7a71", "#8a4fc7", "#b35c00", "#1d63c4", "#a8326e")
_DASHES: Final[tuple[tuple[float, ...], ...]] = ((), (5, 2), (1.5, 2), (7, 2, 1.5, 2))
_HEAD, _PLOT, _ROW, _GAP = 32.0, 118.0, 12.0, 18.0
_AXIS, _FOOT = 46.0, 14.0  # room for what is written left of a plot and under it
_SIZE, _SMALL = 8.5, 7.5
_VALUE: Final = 70.0  # room for a figure


@dataclass(frozen=True, slots=True)
class Block:
    """`draw` is given the left edge, the top and the width. Three that are `narrow` stand side by side."""

    height: float
    draw: Callable[[Pen, float, float, float], None]
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A plot on the page: from values to points."""

    x: float
    y: float
    width: float
    height: float
    start_s: int
    end_s: int
    scale: Scale

    def across(self, at_s: float) -> float:
        return self.x + self.width * (at_s - self.start_s) / (self.end_s - self.start_s)

    def up(self, value: float) -> float:
        low, high = self.scale.low, self.scale.high
        return self.y + self.height * (min(max(value, low), high) - low) / (high - low)


def block(answer: Answer, zone: zoneinfo.ZoneInfo, period: str) -> Block:
    """`period` is the report's; a panel with another one says so."""
    answer = replace(answer, series=tuple(map(_finite, answer.series)))
    if answer.problem or not answer.series:
        return _nothing(answer, zone, period)
    if answer.panel.drawn.over_time:
        return _chart(answer, zone, period)
    if answer.panel.drawn is Drawn.NUMBER and len(answer.series) == 1:
        return _number(answer, zone, period)
    return _table(answer, zone, period)


def _finite(series: Series) -> Series:
    """What is no number has no place on a page."""
    if all(value is None or math.isfinite(value) for _, value in series.points):
        return series
    points = ((at_s, None if value is None or not math.isfinite(value) else value) for at_s, value in series.points)
    return replace(series, points=tuple(points))


def _head(pen: Pen, answer: Answer, zone: zoneinfo.ZoneInfo, period: str, place: tuple[float, float, float]) -> None:
    x, top, width = place
    pen.text(x, top - 11, answer.panel.name, 10.5, TEXT, bold=True, room=width)
    own = answer.panel.period
    told = [words.about(answer.panel), words.bounds(answer)]
    told += [f"{words.length(own)}, {words.window(answer.window, zone)}"] if own and own != period else []
    pen.text(x, top - 22, " · ".join(filter(None, told)) or answer.help, _SMALL, MUTED, room=width)


def _nothing(answer: Answer, zone: zoneinfo.ZoneInfo, period: str) -> Block:
    def draw(pen: Pen, x: float, top: float, width: float) -> None:
        _head(pen, answer, zone, period, (x, top, width))
        told = answer.problem or "Nothing in this time."
        pen.text(x, top - _HEAD - 10, told, _SIZE, CRITICAL if answer.problem else MUTED, room=width)

    return Block(_HEAD + 14 + _GAP, draw, narrow=answer.panel.drawn is Drawn.NUMBER)


def _number(answer: Answer, zone: zoneinfo.ZoneInfo, period: str) -> Block:
    value = answer.series[0].points[0][1]
    level = _level(answer, value)

    def draw(pen: Pen, x: float, top: float, width: float) -> None:
        _head(pen, answer, zone, period, (x, top, width))
        written = amounts.writer(answer.unit)(value)
        shown = pen.text(x, top - _HEAD - 24, written, 26, level[1] if level else TEXT, bold=True, room=width - 50)
        if level:
            pen.text(x + shown + 6, top - _HEAD - 24, level[0], _SMALL, level[1], room=width - shown - 6)

    return Block(_HEAD + 32 + _GAP, draw, narrow=True)


def _table(answer: Answer, zone: zoneinfo.ZoneInfo, period: str) -> Block:
    shown = answer.series[: limits.REPORT_ROWS_MAX]
    more = len(answer.series) - len(shown) + answer.left_out
    write = amounts.writer(answer.unit)

    def draw(pen: Pen, x: float, top: float, width: float) -> None:
        _head(pen, answer, zone, period, (x, top, width))
        y = top - _HEAD - _ROW + 2
        pen.text(x, y, ", ".join(answer.panel.by) or "measure", _SMALL, MUTED, room=width - _VALUE)
        pen.text(x + width, y, "value", _SMALL, MUTED, right=True)
        for series in shown:
            pen.line(((x, y - 3.5), (x + width, y - 3.5)), LINE, 0.5)
            y -= _ROW
            value, level = series.points[0][1], _level(answer, series.points[0][1])
            word = f"{level[0]}  " if level and level[0] else ""
            name = words.label_of(series.labels) or answer.panel.measure
            pen.text(x, y, name, _SIZE, TEXT, room=width - 2 * _VALUE)
            pen.text(x + width, y, f"{word}{write(value)}", _SIZE, level[1] if level else TEXT, right=True)
        _more(pen, x, y - _ROW, more)

    return Block(_HEAD + _ROW * (1 + len(shown) + bool(more)) + _GAP, draw)


def _level(answer: Answer, value: float | None) -> tuple[str, Colour] | None:
    """A status is told by a word, too."""
    if value is None or answer.bounds is None or answer.worse is Direction.NEITHER:
        return None
    sign = 1 if answer.worse is Direction.HIGH else -1
    if sign * value > sign * answer.bounds.critical:
        return "critical", CRITICAL
    return ("warning", WARNING) if sign * value > sign * answer.bounds.warning else ("", OK)


def _chart(answer: Answer, zone: zoneinfo.ZoneInfo, period: str) -> Block:
    named = answer.series[: limits.REPORT_LINES_NAMED_MAX]
    more = len(answer.series) - len(named)
    scale = axes.scale((value for series in answer.series for _, value in series.points), answer.unit)

    def draw(pen: Pen, x: float, top: float, width: float) -> None:
        _head(pen, answer, zone, period, (x, top, width))
        bottom = top - _HEAD - _PLOT
        over = answer.window
        place = Place(x + _AXIS, bottom, width - _AXIS, _PLOT, over.start_s, over.end_s, scale)
        _grid(pen, place, answer, zone)
        if answer.panel.drawn is Drawn.BARS:
            _bars(pen, place, answer.series)
        else:
            _lines(pen, place, answer.series)
        _bounds(pen, place, answer)
        _names(pen, named, answer, (x + _AXIS, bottom - _FOOT - _ROW, width - _AXIS))
        told = [f"and {more} more lines without a name here"] * bool(more)
        told += [f"{answer.left_out} others are left out"] * bool(answer.left_out)
        pen.text(x + _AXIS, bottom - _FOOT - _ROW * (len(named) + 2), "; ".join(told), _SMALL, MUTED)

    rows = 1 + len(named) + bool(more or answer.left_out)
    return Block(_HEAD + _PLOT + _FOOT + _ROW * rows + _GAP, draw)


def _grid(pen: Pen, place: Place, answer: Answer, zone: zoneinfo.ZoneInfo) -> None:
    write = amounts.axis_writer(answer.unit)
    for mark in place.scale.marks:
        y = place.up(mark)
        pen.line(((place.x, y), (place.x + place.width, y)), LINE, 0.5)
        pen.text(place.x - 5, y - 2.5, write(mark), _SMALL, MUTED, right=True)
    last = float("-inf")
    for at_s, told in axes.times(answer.window, zone):
        x = place.across(at_s)
        pen.line(((x, place.y), (x, place.y - 3)), MUTED, 0.5)
        half = pen.width(told, _SMALL) / 2
        if x - half > last and x + half <= place.x + place.width:
            pen.text(x - half, place.y - 11, told, _SMALL, MUTED)
            last = x + half + 4


def _bars(pen: Pen, place: Place, series: Sequence[Series]) -> None:
    """Of one step the higher stands behind the lower, so that each is seen."""
    zero, step_s = place.up(0.0), series[0].step_s or 1
    steps = defaultdict[int, list[tuple[float, Colour]]](list)
    for number, one in enumerate(series):
        for at_s, value in one.points:
            if value is not None:
                steps[at_s].append((value, _COLOURS[number % len(_COLOURS)]))
    for at_s, values in steps.items():
        # The first and the last step may lie partly outside of the window.
        left = max(place.x, place.across(at_s + step_s * 0.15))
        right = min(place.x + place.width, place.across(at_s + step_s * 0.85))
        for value, colour in sorted(values, key=lambda each: -abs(each[0])):
            if right > left:
                pen.box(left, zero, right - left, place.up(value) - zero, colour)


def _lines(pen: Pen, place: Place, series: Sequence[Series]) -> None:
    """The greatest on top."""
    for number, one in reversed(list(enumerate(series))):
        colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number // len(_COLOURS) % len(_DASHES)]
        for run in runs(one):
            points = [(place.across(max(at_s, place.start_s)), place.up(value)) for at_s, value in run]
            if len(points) > 1:
                pen.line(points, colour, 1.1, dash)
            else:
                pen.dot(*points[0], 1.4, colour)


def runs(series: Series) -> list[list[tuple[int, float]]]:
    """Stretches without a gap: what is not known is not drawn."""
    found: list[list[tuple[int, float]]] = [[]]
    for at_s, value in series.points:
        if value is not None:
            found[-1].append((at_s, value))
        elif found[-1]:
            found.append([])
    return [run for run in found if run]


def _bounds(pen: Pen, place: Place, answer: Answer) -> None:
    if answer.bounds is None:
        return
    right = place.x + place.width
    for bound, colour, word in (
        (answer.bounds.warning, WARNING, "warning"),
        (answer.bounds.critical, CRITICAL, "critical"),
    ):
        if place.scale.low < bound < place.scale.high:
            y = place.up(bound)
            pen.line(((place.x, y), (place.x + place.width, y)), colour, 0.7, (4, 2.5))
            right -= pen.text(right, y + 2, word, 6.5, colour, right=True) + 6


def _names(pen: Pen, named: Sequence[Series], answer: Answer, place: tuple[float, float, float]) -> None:
    x, y, width = place
    write = amounts.writer(answer.unit)
    for head, column in (("last", 0.0), ("highest", _VALUE), ("lowest", 2 * _VALUE)):
        pen.text(x + width - column, y, head, _SMALL, MUTED, right=True)
    for number, series in enumerate(named):
        y -= _ROW
        values = [value for _, value in series.points if value is not None]
        dash = _DASHES[number // len(_COLOURS) % len(_DASHES)]
        pen.line(((x, y + 2.5), (x + 14, y + 2.5)), _COLOURS[number % len(_COLOURS)], 1.8, dash)
        name = words.label_of(series.labels) or answer.panel.measure
        pen.text(x + 20, y, name, _SIZE, TEXT, room=width - 3 * _VALUE - 20)
        told = (values[-1], max(values), min(values)) if values else (None, None, None)
        for place_number, value in enumerate(told):
            pen.text(x + width - place_number * _VALUE, y, write(value), _SIZE, TEXT, right=True, room=_VALUE - 4)


def _more(pen: Pen, x: float, y: float, more: int) -> None:
    if more:
        pen.text(x, y, f"and {more} more, in the CSV as far as they are kept", _SMALL, MUTED)
