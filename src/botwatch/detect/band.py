"""How surprising a number is beside the one that is usual: pure arithmetic.

What is counted scatters by more than chance alone, because people write in bursts, or by less, because a clock
sends. Both are learned: `noise` is how many times the variance of a Poisson count it is, `swing` the variance that
grows with the square of what is usual. Surprise is told in standard deviations, by the deviance of such a count, so
that it is right for twelve as for twelve thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from botwatch.detect.finding import Flags, Floats

_HALVINGS: Final = 40
_LEAST: Final = 1e-9


def surprise(found: Floats, usual: Floats, noise: Floats, swing: Floats) -> Floats:
    """Of a count: below 0 where fewer came than usual."""
    usual = np.maximum(usual, _LEAST)
    # Whole numbers are taken for the middle between them and the next towards what is usual.
    below = np.minimum(found + 0.5, usual)
    above = np.maximum(found - 0.5, usual)
    nearer = np.where(found < usual, below, above)
    deviance = np.maximum(nearer * np.log(nearer / usual) - (nearer - usual), 0.0)
    sure = np.sqrt(2 * deviance / (noise + swing * usual))
    return np.where(found < usual, -sure, sure)


def strangeness(found: Floats, usual: Floats, of: Floats, noise: Floats, swing: Floats) -> Floats:
    """Of a mean over `of` things: above 0 where it is greater than usual. Twice is as strange as half."""
    ratio = np.log(np.maximum(found, _LEAST) / np.maximum(usual, _LEAST))
    return np.asarray(ratio / np.sqrt(np.maximum(noise / np.maximum(of, 1.0) + swing, _LEAST)))


def bounds(usual: Floats, noise: Floats, swing: Floats, sure: float) -> tuple[Floats, Floats]:
    """The counts beyond which it is more surprising than that."""
    spread = noise + swing * usual
    far = usual + 2 * sure * sure * spread + 4 * sure * np.sqrt(usual * spread) + 2
    low = _edge(np.zeros_like(usual), usual, lambda at: surprise(at, usual, noise, swing) < -sure)
    high = _edge(usual, far, lambda at: surprise(at, usual, noise, swing) <= sure)
    return low, high


def bounds_of_mean(usual: Floats, of: Floats, noise: Floats, swing: Floats, sure: float) -> tuple[Floats, Floats]:
    width = sure * np.sqrt(noise / np.maximum(of, 1.0) + swing)
    return usual * np.exp(-width), usual * np.exp(width)


def _edge(low: Floats, high: Floats, still: Callable[[Floats], Flags]) -> Floats:
    """Where a condition that holds at `low` ends."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        holds = still(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return high
