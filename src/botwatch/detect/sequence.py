"""Whether what came has left what is usual, seen from every moment of the last hours at once: pure arithmetic.

Of a window in which so much was to be expected, so little may come by chance and no less. This border bends: chance
counts for less in what is long. Its tangents together say what it says, and whether a straight border is crossed in
any window that ends now is one subtraction: how far a running sum is above its lowest point. So a few running sums,
one for each size of change, look at windows of all lengths together, each as soon as a test that knew the size
beforehand (Page's, of counts with the scatter of the series). The lowest point is when the change began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from botwatch.detect import band
from botwatch.detect.finding import Flags, Floats
from botwatch.detect.scatter import Scatter

LEFT: Final = (0.05, 0.2, 0.4, 0.55, 0.7, 0.8, 0.9)  # of usual: the sizes of change that tangents are laid for
_GREATER: Final = 1.25  # times the least change they are for: what only just differs is not looked for
_MONTH_DAYS: Final = 30
_A_DAY_MIN: Final = 1_000.0  # of what is rarer little is known: it is taken for as many chances to be wrong
_CHANCES_MIN: Final = 400.0
_AGREES: Final = 0.6  # of how sure both together are must each be: beside the others, and beside what it is itself
_MOVED: Final = 2.0  # deviations by which the others have surely moved
_FEW: Final = 6  # of so few windows each is looked at by itself
_AN_HOUR: Final = 360  # ticks, over which at least that is seen
_TELLS: Final = 2.0  # a window in which the least change is so many deviations says whether all is well
_WELL: Final = tuple(30 << power for power in range(6))  # ticks: the windows that say so

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Asked:
    """`often`: so many false ones in a month by chance alone, of each subject. `beside`: the others must agree. What
    is shown where nothing is found is the window of `shown` ticks."""

    low: bool
    high: bool
    change: float
    often: float
    expected_min: float
    beside: bool
    shown: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Up to each moment: what came, what was usual, and what the others say was usual. One row a subject."""

    came: Floats
    usual: Floats
    beside: Floats

    def of(self, rows: Places) -> Sums:
        return Sums(self.came[rows], self.usual[rows], self.beside[rows])


@dataclass(frozen=True, slots=True)
class Found:
    """For each judged tick; `span` is in ticks, `came` and `usual` are of that span."""

    breached: Flags
    over: Flags
    came: Floats
    usual: Floats
    span: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Line:
    """One tangent, a row a subject: beyond it is what came less `rise` times what was expected, by `limit`. `weight` is
    how much of what the others say is believed in a window of its size, `nats` how surprising the border is."""

    rise: Floats
    limit: Floats
    weight: Floats
    nats: Floats


def lines(scatter: Scatter, a_day: Floats, asked: Asked, *, low: bool) -> list[Line]:
    """For changes from the least one on. By chance each is crossed as often as any other."""
    most = max(1 - _GREATER * asked.change, LEFT[0])
    sizes = [left for left in LEFT if left <= most]
    return [_line(scatter, a_day, left if low else 1 / left, asked.often) for left in sizes]


def _line(scatter: Scatter, a_day: Floats, ratio: float, often: float) -> Line:
    noise, own, common, vouch = (part[:, None] for part in (scatter.noise, scatter.own, scatter.common, scatter.vouch))
    gain = 1 - ratio + ratio * np.log(ratio)  # nats for each that was expected
    a_month = _MONTH_DAYS * np.maximum(a_day[:, None], _A_DAY_MIN)
    nats = np.log(np.maximum(a_month * gain / (np.maximum(noise, 1.0) * often), _CHANCES_MIN))
    # The size of the window in which this ratio is just so surprising:
    # gain * size = nats * (noise + own * size + what the others do not tell of common * size).
    known, left = vouch * common, gain - nats * own
    with np.errstate(divide="ignore", invalid="ignore"):
        flat = left - nats * (noise * known + common)
        size = 2 * nats * noise / (flat + np.sqrt(flat**2 + 4 * left * known * nats * noise))
        size = np.where((left > 0) & (size > 0), size, np.inf)
        bend = nats * (own + common / (1 + known * size) ** 2)
        rise = (ratio - 1 + bend) / np.log(ratio)
        limit = np.abs(rise - ratio) * size
        weight = known * size / (1 + known * size)
    told = np.isfinite(size)
    return Line(np.where(told, rise, 0.0), np.where(told, limit, np.inf), np.where(told, weight, 0.0), nats)


def judge(sums: Sums, scatter: Scatter, a_day: Floats, usable: Flags, asked: Asked, columns: int) -> Found:
    """For the last so many moments; all before them are looked back to, and no window begins before all was well."""
    reach = sums.came.shape[1] - columns
    well, _ = _well(sums, scatter, asked, reach, (*(width for width in _WELL if width < reach), reach))
    came, usual = (part[:, reach:] - part[:, reach - asked.shown : -asked.shown] for part in (sums.came, sums.usual))
    shape = came.shape
    found = Found(np.zeros(shape, dtype=np.bool_), well, came, usual, np.full(shape, asked.shown, dtype=np.int32))
    surest = np.zeros(shape)
    for low in (True, False):
        for line in lines(scatter, a_day, asked, low=low) if (asked.low if low else asked.high) else ():
            window = _beyond(sums, scatter, usable, asked, line, columns, low=low)
            if window is not None:
                _put(found, surest, window.only(window.real(asked)), reach)
    found.over[:] &= ~found.breached
    return found


def _put(found: Found, surest: Floats, window: _Window, reach: int) -> None:
    """Where none that is surer was found."""
    window = window.only(window.sure > surest[window.rows, window.ends - reach])
    at = window.rows, window.ends - reach
    surest[at], found.breached[at] = window.sure, True
    found.came[at], found.usual[at], found.span[at] = window.came, window.expected, window.ends - window.begins


def _beyond(
    sums: Sums, scatter: Scatter, usable: Flags, asked: Asked, line: Line, columns: int, *, low: bool
) -> _Window | None:
    """The windows that end with a judged moment and in which the line is crossed, where there is one."""
    reach = sums.came.shape[1] - columns
    expected = sums.usual + line.weight * (sums.beside - sums.usual) if asked.beside else sums.usual
    height = line.rise * expected - sums.came
    height = height if low else -height
    rows, ends = np.nonzero((height[:, reach:] - lowest(height, reach + 1) >= line.limit) & usable[:, None])
    if not len(rows):
        return None
    shown, row = np.unique(rows, return_inverse=True)
    calm = _calm_since(sums.of(shown), scatter.of(shown), asked, reach)
    since, ends = np.maximum(calm[row, ends], ends), ends + reach
    begins = lowest_since(height[shown], row, since, ends)
    beyond = (height[rows, ends] - height[rows, begins]) / line.limit[rows, 0]
    crossed = beyond >= 1
    where = rows[crossed], begins[crossed], ends[crossed]
    return _Window.of(sums, scatter, line, where, beyond[crossed], low=low)


@dataclass(frozen=True, slots=True)
class _Window:
    """Some windows, one each: from when to when (`rows`, `begins`, `ends`), and what was in them."""

    rows: Places
    begins: Places
    ends: Places
    sure: Floats  # how far beyond the border
    came: Floats
    usual: Floats
    beside: Floats
    expected: Floats
    fallen: Floats  # by how many deviations the others are below usual: in the window, and in an hour at least
    needed: Floats  # deviations
    scatter: Scatter
    low: bool

    @classmethod
    def of(
        cls,
        sums: Sums,
        scatter: Scatter,
        line: Line,
        where: tuple[Places, Places, Places],
        sure: Floats,
        *,
        low: bool,
    ) -> _Window:
        rows, begins, ends = where
        came, usual, beside = (part[rows, ends] - part[rows, begins] for part in (sums.came, sums.usual, sums.beside))
        here, since = scatter.of(rows), np.minimum(begins, np.maximum(ends - _AN_HOUR, 0))
        whole, theirs = (part[rows, ends] - part[rows, since] for part in (sums.usual, sums.beside))
        fallen = np.stack((_fallen(usual, beside, here), _fallen(whole, theirs, here)))
        expected, needed = usual + line.weight[rows, 0] * (beside - usual), np.sqrt(2 * line.nats[rows, 0])
        return cls(rows, begins, ends, sure, came, usual, beside, expected, fallen, needed, here, low)

    def only(self, those: Flags) -> _Window:
        return _Window(
            self.rows[those],
            self.begins[those],
            self.ends[those],
            self.sure[those],
            self.came[those],
            self.usual[those],
            self.beside[those],
            self.expected[those],
            self.fallen[:, those],
            self.needed[those],
            self.scatter.of(those),
            self.low,
        )

    def real(self, asked: Asked) -> Flags:
        """Whether it is as great a change as is asked for, and no other's."""
        nearest = (np.minimum if self.low else np.maximum)(self.usual, self.expected)
        kept = 1 - asked.change
        changed = self.came <= kept * nearest if self.low else self.came * kept >= nearest
        real = changed & (np.minimum(self.usual, self.expected) >= asked.expected_min)
        if asked.beside:
            with np.errstate(divide="ignore"):
                theirs = 1 / self.scatter.vouch  # of few others little can be said
            same, other = (self.fallen, -self.fallen) if self.low else (-self.fallen, self.fallen)
            alone = self._apart(self.usual, self.scatter.noise, self.scatter.swing)
            beside = self._apart(self.beside, self.scatter.noise + theirs, self.scatter.own)
            real &= (beside >= self._agreeing(same)) & (alone >= self._agreeing(other))
        return np.asarray(real, dtype=np.bool_)

    def _agreeing(self, moved: Floats) -> Floats:
        """How sure one of the two must be: as sure as both where the others moved so that it may seem so."""
        share = np.clip(moved.max(axis=0) / _MOVED, 0.0, 1.0)
        return np.asarray((_AGREES + (1 - _AGREES) * share) * self.needed)

    def _apart(self, usual: Floats, noise: Floats, swing: Floats) -> Floats:
        sure = band.surprise(self.came, usual, noise, swing)
        return -sure if self.low else sure


def _fallen(usual: Floats, beside: Floats, scatter: Scatter) -> Floats:
    """By how many deviations the others are below what is usual of them."""
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.sqrt(usual / scatter.vouch + scatter.common * usual**2)
        return np.nan_to_num((usual - beside) / chance)


def _calm_since(sums: Sums, scatter: Scatter, asked: Asked, reach: int) -> Places:
    """For each judged moment since when all was well the last time it was, if that was in the newer half."""
    back = reach // 2
    well, width = _well(sums, scatter, asked, reach - back, tuple(one for one in _WELL if one <= reach - back))
    since = np.where(well, np.arange(reach - back, sums.came.shape[1]) - width, 0)
    return np.asarray(-lowest(-since.astype(np.float64), back + 1)).astype(np.int64)


def _well(sums: Sums, scatter: Scatter, asked: Asked, first: int, widths: tuple[int, ...]) -> tuple[Flags, Places]:
    """From the first moment on, whether all is as usual in the shortest window in which the least change would show,
    and how long that is. Of one that reaches back to the first of all no more is asked."""
    shape = (len(sums.came), sums.came.shape[1] - first)
    settled, well = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    widest = np.zeros(shape, dtype=np.int64)
    enough, kept = _TELLS**2 * scatter.noise[:, None] / asked.change**2, 1 - asked.change / 2
    for width in widths:
        came, usual, beside = (
            part[:, first:] - part[:, first - width : part.shape[1] - width]
            for part in (sums.came, sums.usual, sums.beside)
        )
        tells = ~settled & ((usual >= enough) | (width == first))
        fits = (came >= kept * np.minimum(usual, beside)) | (not asked.low)
        fits &= (came * kept <= np.maximum(usual, beside)) | (not asked.high)
        well |= tells & fits
        settled |= tells
        widest[tells] = width
    return well, widest


def lowest(values: Floats, width: int) -> Floats:
    """Of the `width` values that end with each, the lowest; from the first that ends so many."""
    count = values.shape[1]
    if count - width < _FEW:
        return np.stack([values[:, at : at + width].min(axis=1) for at in range(count - width + 1)], axis=1)
    padded = np.full((len(values), -(-count // width) * width), np.inf)
    padded[:, :count] = values
    blocks = padded.reshape(len(values), -1, width)
    ahead = np.minimum.accumulate(blocks, axis=2).reshape(len(values), -1)
    behind = np.minimum.accumulate(blocks[:, :, ::-1], axis=2)[:, :, ::-1].reshape(len(values), -1)
    return np.asarray(np.minimum(behind[:, : count - width + 1], ahead[:, width - 1 : count]))


def lowest_since(values: Floats, rows: Places, since: Places, until: Places) -> Places:
    """Where the lowest value of each of these rows is, from one place to another: the last of them."""
    found = until.copy()
    low, place = values, np.broadcast_to(np.arange(values.shape[1]), values.shape)
    length, size = until - since + 1, 1
    while len(rows) and size <= int(length.max()):
        here = (length >= size) & (length < 2 * size)
        one, other = (place[rows[here], at] for at in (since[here], until[here] - size + 1))
        found[here] = np.where(values[rows[here], one] < values[rows[here], other], one, other)
        if low.shape[1] > size:
            nearer = low[:, size:] <= low[:, :-size]
            low = np.where(nearer, low[:, size:], low[:, :-size])
            place = np.where(nearer, place[:, size:], place[:, :-size])
        size *= 2
    return found
