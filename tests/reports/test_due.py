"""When a report is due, by the clock of its own time zone."""

from __future__ import annotations

import datetime as dt

import pytest

from botwatch.notify.silence import in_ns
from botwatch.reports import due
from botwatch.reports.report import Schedule


def at(text: str) -> int:
    return in_ns(dt.datetime.fromisoformat(text))


def schedule(**more: object) -> Schedule:
    return Schedule.model_validate({"channel": "mail", "zone": "Europe/Zurich", **more})


@pytest.mark.parametrize(
    ("given", "now", "last", "following"),
    [
        ({"at": "08:00"}, "2027-01-15T06:59Z", "2027-01-14T07:00Z", "2027-01-15T07:00Z"),
        ({"at": "08:00"}, "2027-01-15T07:00Z", "2027-01-15T07:00Z", "2027-01-16T07:00Z"),
        ({"at": "00:00"}, "2027-01-15T23:30Z", "2027-01-15T23:00Z", "2027-01-16T23:00Z"),
        ({"every": "week", "weekday": "mon"}, "2027-01-15T12:00Z", "2027-01-11T07:00Z", "2027-01-18T07:00Z"),
        ({"every": "week", "weekday": "sun"}, "2027-01-17T06:59Z", "2027-01-10T07:00Z", "2027-01-17T07:00Z"),
        ({"every": "month", "day": 31}, "2027-02-27T12:00Z", "2027-01-31T07:00Z", "2027-02-28T07:00Z"),
        ({"every": "month", "day": 31}, "2028-02-29T07:00Z", "2028-02-29T07:00Z", "2028-03-31T06:00Z"),
        ({"every": "month", "day": 1}, "2026-12-31T12:00Z", "2026-12-01T07:00Z", "2027-01-01T07:00Z"),
        # The clock goes from 02:00 to 03:00 on 28 March 2027, and from 03:00 to 02:00 on 31 October 2027.
        ({"at": "02:30"}, "2027-03-28T00:00Z", "2027-03-27T01:30Z", "2027-03-28T01:30Z"),
        ({"at": "02:30"}, "2027-03-28T01:30Z", "2027-03-28T01:30Z", "2027-03-29T00:30Z"),
        ({"at": "02:30"}, "2027-10-31T00:30Z", "2027-10-31T00:30Z", "2027-11-01T01:30Z"),
        ({"zone": "Pacific/Kiritimati"}, "2027-01-15T17:59Z", "2027-01-14T18:00Z", "2027-01-15T18:00Z"),
        ({"zone": "Pacific/Pago_Pago"}, "2027-01-15T18:59Z", "2027-01-14T19:00Z", "2027-01-15T19:00Z"),
    ],
)
def test_it_is_due_at_its_own_hour(given: dict[str, object], now: str, last: str, following: str) -> None:
    found = schedule(**given)
    assert (due.last_ns(found, at(now)), due.next_ns(found, at(now))) == (at(last), at(following))


@pytest.mark.parametrize("every", ["day", "week", "month"])
def test_a_year_has_each_time_once(every: str) -> None:
    found = schedule(every=every, at="02:30", day=30)
    now_ns, times = at("2027-01-01T00:00Z"), []
    while now_ns < at("2028-01-01T00:00Z"):
        now_ns = due.next_ns(found, now_ns)
        times.append(now_ns)
        assert due.last_ns(found, now_ns) == now_ns
    assert len(times) == {"day": 366, "week": 53, "month": 13}[every]
    assert len(set(times)) == len(times)
