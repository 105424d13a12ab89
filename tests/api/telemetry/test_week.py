"""The hours of the week in the zone of the settings, over changes of its clock, and the spikes that come again."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from botwatch.api.reads.week import Spike, hours_of, span_of, spikes_of, week_of
from botwatch.measure.window import HOUR_S
from botwatch.settings import Settings
from tests.api.conftest import error_of
from tests.api.telemetry.conftest import NOW_S, Asker, Bots

PATH = "/api/insights/week"
BERLIN, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")


def at(zone: ZoneInfo, *when: int, fold: int = 0) -> int:
    return int(dt.datetime(*when, tzinfo=zone, fold=fold).timestamp())  # type: ignore[arg-type, misc]


def test_an_hour_keeps_its_place_when_the_clock_changes() -> None:
    # Every Monday at nine in Berlin, two weeks before and two after the clock is put back on 25 October 2026.
    days = ((10, 12), (10, 19), (10, 26), (11, 2))
    points = [(at(BERLIN, 2026, month, day, 9), float(n)) for n, (month, day) in enumerate(days)]
    cells = week_of(hours_of(points, BERLIN, adds_up=True), BERLIN)
    assert [(c.day, c.hour, c.mean, c.weeks) for c in cells if c.weeks] == [(0, 9, 1.5, 4)]
    assert len(cells) == 168


def test_the_hour_that_comes_twice_is_two_and_the_one_left_out_is_unknown() -> None:
    back = [(at(BERLIN, 2026, 10, 25, 2, fold=fold), 10.0) for fold in (0, 1)]
    (twice,) = [cell for cell in week_of(hours_of(back, BERLIN, adds_up=True), BERLIN) if cell.weeks]
    assert (twice.day, twice.hour, twice.mean, twice.weeks) == (6, 2, 10, 2)
    forward = [(at(BERLIN, 2026, 3, 29, 0) + n * HOUR_S, 1.0) for n in range(5)]
    cells = week_of(hours_of(forward, BERLIN, adds_up=True), BERLIN)
    assert [cell.hour for cell in cells if cell.weeks] == [0, 1, 3, 4, 5]


def test_hours_that_begin_at_a_quarter() -> None:
    start_s, end_s, step_s = span_of(at(KATHMANDU, 2026, 5, 4, 10, 20), 1, KATHMANDU)
    assert (start_s, end_s, step_s) == (at(KATHMANDU, 2026, 4, 27, 10), at(KATHMANDU, 2026, 5, 4, 10), 900)
    assert span_of(at(BERLIN, 2026, 5, 4, 10, 20), 1, BERLIN)[2] == HOUR_S
    nine = at(KATHMANDU, 2026, 5, 4, 9)
    points = [(nine + n * 900, float(n)) for n in range(5)]
    assert hours_of(points, KATHMANDU, adds_up=True) == {nine: 6, nine + HOUR_S: 4}
    assert hours_of(points, KATHMANDU, adds_up=False) == {nine: 1.5, nine + HOUR_S: 4}


def steady(weeks: int, **higher: float) -> dict[int, float]:
    """Twenty an hour from a Monday at midnight in Berlin; `w0h9=90` is the ninth hour of the first week."""
    monday = at(BERLIN, 2026, 5, 4, 0)
    hours = {monday + n * HOUR_S: 20.0 for n in range(weeks * 168)}
    for name, value in higher.items():
        week, hour = name[1:].split("h")
        hours[monday + (int(week) * 168 + int(hour)) * HOUR_S] = value
    return hours


def test_a_spike_that_comes_again_is_named_and_one_that_came_once_is_not() -> None:
    hours = steady(3, w0h33=90, w1h33=70, w2h33=20, w0h100=500)
    assert spikes_of(hours, BERLIN, adds_up=True) == [Spike(1, 9, 2, 3, 60, 4)]
    (spike,) = spikes_of(hours, BERLIN, adds_up=True)
    assert spike.sentence == "Tuesday 09:00, in 2 of 3 weeks, 4.0 times what the hours around it have"


def test_what_is_little_or_has_unknown_neighbours_is_no_spike() -> None:
    monday = at(BERLIN, 2026, 5, 4, 0)
    little = {monday + n * HOUR_S: 9.0 if n % 168 == 33 else 0.0 for n in range(336)}
    assert spikes_of(little, BERLIN, adds_up=True) == []
    assert len(spikes_of(little, BERLIN, adds_up=False)) == 1
    assert (
        spikes_of(
            {at_s: value for at_s, value in steady(2, w0h33=90, w1h33=90).items() if value == 90}, BERLIN, adds_up=True
        )
        == []
    )
    rising = {monday + n * HOUR_S: float(n % 24 * 10) for n in range(336)}
    assert [spike.hour for spike in spikes_of(rising, BERLIN, adds_up=True)] == []


class TestOverTheStore:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"time_zone": "Asia/Kolkata"})  # now is 13:30 there

    async def test_messages_by_the_hours_of_that_zone(self, admin: Asker, bots: Bots) -> None:
        for week in (0, 1):
            nine = NOW_S - 4.5 * HOUR_S - week * 7 * 86_400  # Friday at nine
            said = [{"ago": NOW_S - nine - n, "session": f"w{week}"} for n in range(12)]
            around = [{"ago": NOW_S - nine - hours * HOUR_S - 60, "session": f"w{week}"} for hours in (-1, 1)]
            bots.said(*said, *around)
        told = await admin.get(PATH)
        assert (told["zone"], told["measure"], told["unit"]) == ("Asia/Kolkata", "messages.in", "count")
        assert (told["from"], told["to"]) == ("2026-12-18T07:30:00Z", "2027-01-15T07:30:00Z")
        nine = told["hours"][4 * 24 + 9]
        assert (nine["day"], nine["hour"], nine["mean"], nine["weeks"]) == (4, 9, 12, 2)
        assert [spike["sentence"] for spike in told["spikes"]] == [
            "Friday 09:00, in 2 of 2 weeks, 12.0 times what the hours around it have"
        ]
        other = await admin.get(PATH, bot="help", measure="response.time", weeks=2)
        assert {hour["mean"] for hour in other["hours"]} == {None}
        assert other["spikes"] == []


async def test_what_does_not_fit_is_refused(admin: Asker) -> None:
    for params in ({"measure": "nothing"}, {"weeks": "0"}, {"weeks": "99"}, {"period": "7d"}):
        assert error_of(await admin.response(PATH, **params)) == (422, "bad_request"), params
