"""A critical place that was never wrong must not be so once; one that was now and then, not clearly more often."""

from __future__ import annotations

from botwatch.detect.drift.compare import What
from botwatch.detect.drift.critical import Critical
from botwatch.detect.drift.source import HOUR_S, TICK_S, Drift

START_S = 1_700_006_400
PLACE = ("order", "total")
PER_TICK = 500


def followed(hours: int, missing_each: int = 0) -> tuple[Critical, int]:
    """Hours in which all was well, but in every so manieth tick one document lacked the place."""
    critical = Critical()
    for tick in range(hours * HOUR_S // TICK_S):
        lacking = int(bool(missing_each) and tick % missing_each == 0)
        critical.count(START_S + tick * TICK_S, PLACE, {"number": PER_TICK - lacking, "missing": lacking})
        if tick % 12 == 11:
            found = critical.judge(START_S + (tick + 1) * TICK_S)
            assert found == [] or (missing_each and tick < 4 * HOUR_S // TICK_S)  # it has no past yet
    return critical, START_S + hours * HOUR_S


def told(drifts: list[Drift]) -> list[tuple[str, What, str]]:
    return [(drift.change.path, drift.change.what, drift.change.share.value) for drift in drifts]


def test_one_of_thousands_is_found_at_once_and_is_over_within_two_hours() -> None:
    critical, now_s = followed(30)
    for number in range(4):
        critical.count(now_s + number * TICK_S, PLACE, {"number": PER_TICK})
    critical.count(now_s + TICK_S, PLACE, {"missing": 1})
    (drift,) = critical.judge(now_s + 4 * TICK_S)
    assert told([drift]) == [("total", What.CRITICAL_MISSING, "")]
    assert (drift.change.now_of - drift.change.now_count, drift.variant) == (1, "order")
    assert critical.begun(now_s + 4 * TICK_S, drift) == now_s + TICK_S
    assert critical.judge(now_s + 2 * HOUR_S) == []


def test_each_way_to_be_wrong_is_told_as_what_it_is() -> None:
    critical, now_s = followed(30)
    critical.count(now_s, PLACE, {"number": 400, "null": 4, "empty": 5, "string": 6})
    found = {(what, value) for _, what, value in told(critical.judge(now_s + TICK_S))}
    assert found == {(What.CRITICAL_NULL, ""), (What.CRITICAL_EMPTY, ""), (What.CRITICAL_TYPE, "string")}


def test_what_lacks_it_now_and_then_is_told_only_when_it_clearly_does_more_often() -> None:
    critical, now_s = followed(30, missing_each=4)
    critical.count(now_s, PLACE, {"number": PER_TICK, "missing": 1})
    assert critical.judge(now_s + TICK_S) == []
    critical.count(now_s + TICK_S, PLACE, {"number": PER_TICK, "missing": 9})
    assert told(critical.judge(now_s + 2 * TICK_S)) == [("total", What.CRITICAL_MISSING, "")]


def test_what_drifts_does_not_become_normal_by_tomorrow() -> None:
    critical, now_s = followed(30)
    for tick in range(60 * HOUR_S // TICK_S):
        critical.count(now_s + tick * TICK_S, PLACE, {"number": PER_TICK - 2, "missing": 2})
        if tick % 12 == 11:
            assert told(critical.judge(now_s + (tick + 1) * TICK_S)) == [("total", What.CRITICAL_MISSING, "")]


def test_what_was_accepted_is_normal_and_a_further_change_is_found() -> None:
    critical, now_s = followed(30)
    critical.count(now_s, PLACE, {"number": 1_960, "missing": 40})
    (drift,) = critical.judge(now_s + TICK_S)
    critical.accept(drift.variant, drift.change, now_s + TICK_S)
    for tick in range(1, 30 * HOUR_S // TICK_S):
        critical.count(now_s + tick * TICK_S, PLACE, {"number": PER_TICK - 10, "missing": 10})
        if tick % 12 == 11:
            assert critical.judge(now_s + (tick + 1) * TICK_S) == []
    later_s = now_s + 30 * HOUR_S
    critical.count(later_s, PLACE, {"number": 400, "missing": 60})
    assert told(critical.judge(later_s + TICK_S)) == [("total", What.CRITICAL_MISSING, "")]


def test_without_a_past_only_what_is_usually_there_can_be_missed() -> None:
    for missing, found in ((3, 1), (300, 0)):
        critical = Critical()
        critical.count(START_S, PLACE, {"number": 500, "missing": missing})
        assert len(critical.judge(START_S + TICK_S)) == found
