"""What flows, from looks and times alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch.limits import QUEUE_LOOKS_KEPT_MAX
from botwatch.watch.queues.flow import Figures, Flow
from botwatch.watch.queues.look import Look


def look(depth: int | None, **more: object) -> Look:
    return Look("q", depth, **more)  # type: ignore[arg-type]


def told(*looks: Look, every_s: float = 10) -> list[Figures]:
    flow = Flow()
    return [flow.add(found, i * every_s) for i, found in enumerate(looks)]


def test_the_first_look_tells_no_rate() -> None:
    (first,) = told(look(5, entered=100))
    assert (first.growth, first.in_rate, first.out_rate, first.time_to_drain_s, first.growing_s) == (None,) * 5


def test_growing_faster_than_drained_is_told_with_its_rates_and_for_how_long() -> None:
    last = told(*(look(10 * i, entered=30 * i) for i in range(7)))[-1]
    assert (last.in_rate, last.out_rate, last.growth) == (3, 2, 1)
    assert last.time_to_drain_s is None
    assert last.growing_s == 60
    assert not last.rates_at_least


def test_a_queue_that_grows_no_more_starts_anew() -> None:
    levels = (0, 10, 20, 30, 30, 30, 30, 30, 30, 30, 30, 40)
    assert [found.growing_s for found in told(*map(look, levels))][3:] == [30, 40, 50, 60, 70, 80, 0, 0, 10]


def test_time_to_drain_is_what_is_left_over_what_drains() -> None:
    last = told(*(look(100 - 10 * i, entered=20 * i) for i in range(5)))[-1]
    assert (last.in_rate, last.out_rate, last.growth) == (2, 3, -1)
    assert last.time_to_drain_s == 60


def test_what_was_taken_and_is_not_done_is_not_drained() -> None:
    """A worker that fetches a hundred at once has not done one of them."""
    last = told(look(100, pending=0, entered=100), look(0, pending=100, entered=100))[-1]
    assert (last.growth, last.out_rate, last.time_to_drain_s) == (0, 0, None)


def test_an_empty_queue_is_drained() -> None:
    last = told(look(0), look(0))[-1]
    assert (last.time_to_drain_s, last.age_s, last.age_at_least, last.stalled_s) == (0, 0, False, 0)


def test_without_a_count_of_what_entered_rates_are_what_is_seen_of_them() -> None:
    last = told(*map(look, (10, 30, 20, 50)))[-1]
    assert (last.in_rate, last.out_rate) == pytest.approx((50 / 30, 10 / 30))
    assert last.rates_at_least


def test_rates_are_those_of_the_last_minute() -> None:
    looks = [look(1_000 * i, entered=1_000 * i) for i in range(10)] + [look(9_000, entered=9_000)] * 7
    assert told(*looks)[-1].in_rate == 0


def test_a_spike_is_seen_at_once() -> None:
    assert told(look(5, entered=5), look(905, entered=905))[-1].growth == 90


def test_a_stuck_consumer_stalls_the_queue_it_has() -> None:
    """It is there, it took something, and nothing leaves."""
    looks = [look(i, pending=1, consumers=1, entered=10 + i) for i in range(5)]
    assert [found.stalled_s for found in told(*looks)] == [0, 0, 10, 20, 30]
    assert {found.unattended for found in told(*looks)} == {0}


def test_a_stopped_consumer_leaves_the_queue_unattended() -> None:
    last = told(look(0, consumers=1, entered=5), look(4, consumers=0, entered=9))[-1]
    assert last.unattended == 4


def test_one_long_job_with_nothing_behind_it_is_not_stalled() -> None:
    looks = [look(0, pending=0, entered=5), look(0, pending=1, entered=6), *[look(0, pending=1, entered=6)] * 5]
    assert told(*looks[1:])[-1].stalled_s == 0


def test_something_that_leaves_ends_the_stall() -> None:
    looks = [look(5, entered=5)] * 3 + [look(5, entered=6), look(5, entered=6)]
    assert [found.stalled_s for found in told(*looks)] == [0, 10, 20, 0, 10]


def test_whether_a_list_of_steady_depth_moves_is_told_by_its_head() -> None:
    assert told(look(5), look(5))[-1].stalled_s is None
    assert told(look(5, head=b"a"), look(5, head=b"a"))[-1].stalled_s == 10
    assert told(look(5, head=b"a"), look(5, head=b"b"))[-1].stalled_s == 0


def test_the_age_the_broker_tells_is_exact() -> None:
    (found,) = told(look(5, age_s=7.5, head=b"a"))
    assert (found.age_s, found.age_at_least) == (7.5, False)


def test_the_age_is_counted_where_the_broker_counts_what_enters() -> None:
    """Served in order, the oldest of 5 waiting is the fifth from the last that entered."""
    looks = [look(5, entered=5 + 5 * i) for i in range(6)]
    assert [found.age_s for found in told(*looks)] == [0, 0, 0, 0, 0, 0]
    looks = [look(5 * (i + 1), entered=5 * (i + 1)) for i in range(6)]
    last = told(*looks)[-1]
    assert (last.age_s, last.age_at_least) == (50, True)


def test_the_age_is_still_counted_after_hours() -> None:
    looks = [look(i + 1, entered=i + 1) for i in range(QUEUE_LOOKS_KEPT_MAX * 10)]
    assert told(*looks)[-1].age_s == (len(looks) - 1) * 10


def test_without_anything_to_tell_it_by_there_is_no_age() -> None:
    assert told(look(5), look(5))[-1].age_s is None


def test_a_broker_that_counts_anew_is_looked_at_anew() -> None:
    looks = [look(5, entered=1_000), look(6, entered=3), look(7, entered=4)]
    _, again, last = told(*looks)
    assert (again.in_rate, again.growth, again.growing_s) == (None, None, None)
    assert (last.in_rate, last.growth) == (0.1, 0.1)


def test_an_unknown_depth_tells_nothing() -> None:
    (found,) = told(look(None, consumers=0))
    assert found == Figures()


LOOKS = st.lists(
    st.builds(
        look,
        st.integers(0, 50) | st.none(),
        pending=st.integers(0, 9) | st.none(),
        consumers=st.integers(0, 2) | st.none(),
        entered=st.integers(0, 200) | st.none(),
        head=st.binary(max_size=1) | st.none(),
    ),
    max_size=30,
)


@given(LOOKS, st.floats(0.001, 5_000))
def test_whatever_is_seen_the_figures_are_sane(looks: list[Look], every_s: float) -> None:
    for found in told(*looks, every_s=every_s):
        for value in (found.age_s, found.in_rate, found.out_rate, found.time_to_drain_s, found.stalled_s):
            assert value is None or value >= 0
        assert found.growing_s is None or found.growing_s >= 0
        if found.growth is not None and found.in_rate is not None and found.out_rate is not None:
            assert found.in_rate - found.out_rate <= found.growth + 1e-6
