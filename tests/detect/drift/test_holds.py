"""Hours that are not learned: those in which a place drifted, also when that is over, but for no longer than a week."""

from __future__ import annotations

from botwatch.detect.drift.course import HOUR_S
from botwatch.detect.drift.holds import Holds

PLACE = ("", "order.total")
NOON_S = 1_700_049_600


def not_learned(holds: Holds, hours: range) -> list[int]:
    return [hour for hour in hours if PLACE[1] in holds.at(PLACE[0], NOON_S + hour * HOUR_S)]


def look(holds: Holds, hour: float, since: float | None = None, *, lasting: bool = True) -> set[str]:
    found = [] if since is None else [(PLACE, int(NOON_S + since * HOUR_S), lasting)]
    return holds.look(int(NOON_S + hour * HOUR_S), found)


def test_hours_of_a_change_are_not_learned_when_it_was_put_right() -> None:
    holds = Holds()
    for minutes in range(0, 150, 10):
        look(holds, minutes / 60, 0)
    for hour in range(3, 20):
        look(holds, hour)
    assert not_learned(holds, range(-2, 24)) == [0, 1, 2]


def test_a_second_change_leaves_the_hours_between_alone() -> None:
    holds = Holds()
    look(holds, 1, 0)
    look(holds, 9, 8)
    assert not_learned(holds, range(12)) == [0, 1, 8, 9]


def test_what_came_and_went_is_learned_unless_the_place_is_wrong_in_another_way() -> None:
    holds = Holds()
    look(holds, 1, 0, lasting=False)
    assert not_learned(holds, range(4)) == [0, 1]
    assert look(holds, 2) == {PLACE[0]}
    assert not_learned(holds, range(4)) == []
    look(holds, 3, 2, lasting=False)
    look(holds, 4, 3)
    look(holds, 5)
    assert not_learned(holds, range(6)) == [2, 3, 4]


def test_what_goes_on_for_a_week_is_how_things_are() -> None:
    holds = Holds()
    for hour in range(9 * 24):
        look(holds, hour, hour - 1)
    assert not_learned(holds, range(9 * 24))[-1] == 7 * 24 - 1


def test_a_look_tells_of_which_kinds_other_hours_are_held_now() -> None:
    holds = Holds()
    assert look(holds, 0, -0.1) == {PLACE[0]}
    assert look(holds, 0.1, 0) == set()
    assert look(holds, 40) == {PLACE[0]}  # long learned, or never
