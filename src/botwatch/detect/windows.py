"""Rolling windows over ticks: pure arithmetic.

A window is put together from pieces whose lengths are powers of two, always the same ones for the same length. So
a value is the same to the last bit whether one window is asked for or a million, and however far back they go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from botwatch.detect.finding import Flags, Floats
from botwatch.detect.rule import TICK_S, Aggregation, Operand

Array = NDArray[Any]
_NEAR: Final = 1e-9  # relative; sums of tenths are not exact, and the operands include the value itself


def ticks_of(seconds: int) -> int:
    """How many ticks that many seconds are; a part of one is one."""
    return -(-seconds // TICK_S)


def rolling(values: Floats, width: int, aggregation: Aggregation) -> Floats:
    """For each tick the aggregate of the `width` ticks that end with it; NaN where none of them has a value."""
    valid = ~np.isnan(values)
    counted = rolling_count(valid, width)
    match aggregation:
        case Aggregation.COUNT:
            return counted
        case Aggregation.SUM | Aggregation.AVG:
            total = _windows(np.where(valid, values, 0.0), width, np.add, 0.0)
            over = np.where(counted > 0, counted, np.nan)
            return total / over if aggregation is Aggregation.AVG else np.where(counted > 0, total, np.nan)
        case Aggregation.MIN:
            return _windows(values, width, np.fmin, np.nan)
        case Aggregation.MAX:
            return _windows(values, width, np.fmax, np.nan)
        case Aggregation.LAST:
            return _last(values, valid, width)


def rolling_count(flags: Flags, width: int) -> Floats:
    """In how many of the `width` ticks that end with each the flag is set."""
    return _windows(flags.astype(np.float64), width, np.add, 0.0)


def rolling_all(flags: Flags, width: int) -> Flags:
    """Whether the flag is set in each of them; never where there are not that many ticks."""
    return flags if width == 1 else np.asarray(rolling_count(flags, width) == width, dtype=np.bool_)


def holds(operand: Operand, found: Floats, value: float) -> Flags:
    """Inclusive, also where arithmetic in halves missed the value by a hair. NaN never holds."""
    near = _NEAR * abs(value)
    return found <= value + near if operand is Operand.AT_MOST else found >= value - near


def _windows(values: Array, width: int, join: Callable[[Array, Array], Array], nothing: float) -> Array:
    piece, size = values, 1
    done: Array | None = None
    covered = 0
    while True:
        if width & size:
            done = piece if done is None else join(done, _earlier(piece, covered, nothing))
            covered += size
        if size * 2 > width:
            break
        piece = join(piece, _earlier(piece, size, nothing))
        size *= 2
    return values if done is None else done


def _earlier(values: Array, ticks: int, nothing: float) -> Array:
    """The same so many ticks ago."""
    moved = np.full_like(values, nothing)
    if ticks < values.shape[1]:
        moved[:, ticks:] = values[:, : values.shape[1] - ticks]
    return moved


def _last(values: Floats, valid: Flags, width: int) -> Floats:
    at = np.arange(values.shape[1])
    place = np.maximum.accumulate(np.where(valid, at, -1), axis=1)
    found = np.take_along_axis(values, np.maximum(place, 0), axis=1)
    return np.where((place >= 0) & (place > at - width), found, np.nan)
