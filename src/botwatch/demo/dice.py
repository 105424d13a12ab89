"""What the dice say of a call: how long it takes, and whether it fails. The same shares as in `sql/3_plan.sql`."""

from __future__ import annotations

import math
from random import Random
from typing import Final

from botwatch.demo.world import Call, Failure

_SPREAD: Final = 0.5513  # makes a normal deviate of a logistic one


def deviate(dice: Random) -> float:
    share = dice.random()
    return _SPREAD * math.log((share + 1e-4) / (1.0001 - share))


def fate(call: Call, dice: Random) -> tuple[float, Failure | None]:
    """How many milliseconds pass until there is an answer, or until nobody waits for it any more."""
    ms = call.median_ms * math.exp(call.sigma * deviate(dice))
    failure = _failure(call, ms, dice)
    if failure is not None:
        ms = {Failure.TIMEOUT: call.timeout_ms, Failure.LIMITED: min(ms, 90.0)}.get(failure, ms)
    return ms, failure


def _failure(call: Call, ms: float, dice: Random) -> Failure | None:
    fell = dice.random()
    if fell < call.timeout.share or ms >= call.timeout_ms:
        return Failure.TIMEOUT
    if fell < call.timeout.share + call.error.share:
        return Failure.ERROR
    return Failure.LIMITED if dice.random() < call.limited.share else None
