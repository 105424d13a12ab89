from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from botwatch.api.throttle import WINDOW_S, Throttle


def test_the_minute_slides() -> None:
    throttle = Throttle(10)
    for now_s in (0.0, 10.0, 20.0):
        assert throttle.wait_s("ann", 3, now_s) == 0
        throttle.take("ann", now_s)
    assert throttle.wait_s("ann", 3, 20.0) == 40
    assert throttle.wait_s("ann", 3, 59.5) == 1
    assert throttle.wait_s("bob", 3, 20.0) == 0
    assert throttle.wait_s("ann", 3, 60.0) == 0
    throttle.take("ann", 60.0)
    assert throttle.wait_s("ann", 3, 60.0) == 10


def test_a_good_try_does_not_count() -> None:
    throttle = Throttle(10)
    for _ in range(100):
        throttle.take("ann", 0.0)
        throttle.give_back("ann")
    assert throttle.wait_s("ann", 1, 0.0) == 0
    throttle.give_back("nobody")


def test_of_too_many_the_one_tried_longest_ago_is_forgotten() -> None:
    throttle = Throttle(2)
    throttle.take("first", 0.0)
    throttle.take("second", 0.0)
    throttle.take("first", 0.0)
    throttle.take("third", 0.0)
    waits = {key: throttle.wait_s(key, 1, 0.0) for key in ("first", "second", "third")}
    assert waits == {"first": 60, "second": 0, "third": 60}


@given(st.lists(st.floats(0, 300), max_size=60), st.integers(1, 5))
def test_never_more_tries_than_allowed_in_any_minute(times: list[float], most: int) -> None:
    throttle, taken = Throttle(5), []
    for now_s in sorted(times):
        if throttle.wait_s("ann", most, now_s) == 0:
            throttle.take("ann", now_s)
            taken.append(now_s)
    for start in taken:
        assert len([at for at in taken if start <= at < start + WINDOW_S]) <= most
