"""Rolling windows against the plainest code there is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botwatch.detect.rule import Aggregation, Operand
from botwatch.detect.windows import holds, rolling, rolling_all, ticks_of

values = st.lists(st.none() | st.integers(-50, 50).map(float), min_size=1, max_size=40)


def plainly(ticks: list[float | None], width: int, aggregation: Aggregation) -> list[float | None]:
    found: list[float | None] = []
    for end in range(1, len(ticks) + 1):
        known = [value for value in ticks[max(0, end - width) : end] if value is not None]
        match aggregation:
            case Aggregation.COUNT:
                found.append(len(known))
            case _ if not known:
                found.append(None)
            case Aggregation.AVG:
                found.append(sum(known) / len(known))
            case Aggregation.SUM:
                found.append(sum(known))
            case Aggregation.MIN:
                found.append(min(known))
            case Aggregation.MAX:
                found.append(max(known))
            case Aggregation.LAST:
                found.append(known[-1])
    return found


@given(values, st.integers(1, 45), st.sampled_from(Aggregation))
@settings(max_examples=150)
def test_every_aggregation_is_that_of_the_ticks_in_the_window(
    ticks: list[float | None], width: int, aggregation: Aggregation
) -> None:
    row = np.array([[math.nan if value is None else value for value in ticks]])
    found = [None if math.isnan(value) else value for value in rolling(row, width, aggregation)[0]]
    assert found == pytest.approx(plainly(ticks, width, aggregation))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.integers(1, 20))
@settings(max_examples=50)
def test_a_window_is_the_same_to_the_last_bit_however_far_back_one_looks(ticks: list[float], width: int) -> None:
    row = np.array([ticks])
    whole = rolling(row, width, Aggregation.SUM)[0, -1]
    assert rolling(row[:, -width:], width, Aggregation.SUM)[0, -1] == whole


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 12))
@settings(max_examples=50)
def test_all_of_a_window_needs_a_whole_window(flags: list[bool], width: int) -> None:
    plain = [end >= width and all(flags[end - width : end]) for end in range(1, len(flags) + 1)]
    assert rolling_all(np.array([flags]), width)[0].tolist() == plain


@pytest.mark.parametrize(
    ("operand", "found", "value", "expected"),
    [
        (Operand.AT_LEAST, 60, 60, True),
        (Operand.AT_LEAST, 59.999, 60, False),
        (Operand.AT_LEAST, 0.1 + 0.2, 0.3, True),
        (Operand.AT_LEAST, sum([0.7] * 12) / 12, 0.7, True),
        (Operand.AT_MOST, 0, 0, True),
        (Operand.AT_MOST, 1e-12, 0, False),
        (Operand.AT_MOST, 0.1 + 0.2, 0.3, True),
        (Operand.AT_MOST, math.nan, 0, False),
    ],
)
def test_operands_include_the_value_itself(operand: Operand, found: float, value: float, expected: bool) -> None:
    assert holds(operand, np.array([found]), value).tolist() == [expected]


@pytest.mark.parametrize(("seconds", "ticks"), [(0, 0), (10, 1), (120, 12), (65, 7)])
def test_a_part_of_a_tick_is_one(seconds: int, ticks: int) -> None:
    assert ticks_of(seconds) == ticks
