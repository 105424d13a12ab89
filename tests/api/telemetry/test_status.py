"""The status: the documented shape to the letter, every figure true, null where there is none."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from botwatch.clock import SECOND_NS, ManualClock
from botwatch.settings import Settings
from botwatch.store.client import Params, Rows, Store
from tests.api.conftest import error_of
from tests.api.telemetry.conftest import NOW_S, Asker, Bots

PATH = "/api/monitoring/status"
NO_RESOURCES = {"cpu_percent": None, "memory_percent": None, "gpu_percent": None, "disk_percent": None}


async def test_where_no_bot_was_heard_there_are_no_figures(admin: Asker) -> None:
    response = await admin.response(PATH)
    assert response.text == (
        '{"sessions":{"active":null,"peak_today":null,"avg_duration_seconds":null},'
        '"messages":{"today":null,"this_hour":null,"avg_response_ms":null},'
        '"resources":{"cpu_percent":null,"memory_percent":null,"gpu_percent":null,"disk_percent":null},'
        '"services":{}}'
    )
    assert response.headers["x-as-of"] == "2027-01-15T08:00:00+00:00"


async def test_every_figure_is_true(admin: Asker, bots: Bots) -> None:
    for n in range(4):
        bots.talk(f"now{n}", 60 + n)  # 4 active, 8 messages
    bots.said({"ago": 7_200, "session": "long"}, {"ago": 6_955, "session": "long", "direction": "out"})  # 245 s
    bots.talk("yesterday", 9 * 3_600)
    bots.turn(60, "answered", 0.8)
    bots.turn(61, "answered", 1.6, session_id="s2")
    bots.turn(62, "unanswered", None, session_id="s3")
    assert await admin.get(PATH) == {
        "sessions": {"active": 4, "peak_today": 4, "avg_duration_seconds": round((4 * 1 + 245) / 5)},
        "messages": {"today": 10, "this_hour": 0, "avg_response_ms": 1_200},
        "resources": NO_RESOURCES,
        "services": {},
    }


async def test_the_peak_is_the_highest_of_the_day(admin: Asker, bots: Bots) -> None:
    bots.talk("s1", 60)
    for minute_s, peak in ((NOW_S - 3_600, 12), (NOW_S - 9 * 3_600, 99)):
        bots.put("concurrency", {"minute": minute_s, "bot": "", "channel": "", "active": 1, "peak": peak})
    assert (await admin.get(PATH))["sessions"] == {"active": 1, "peak_today": 12, "avg_duration_seconds": 1}


async def test_a_bot_that_is_alive_and_says_nothing_counts_zero(admin: Asker, bots: Bots) -> None:
    bots.span(20 * 3_600, "t" * 16, action="tick")
    assert await admin.get(PATH) == {
        "sessions": {"active": 0, "peak_today": 0, "avg_duration_seconds": None},
        "messages": {"today": 0, "this_hour": 0, "avg_response_ms": None},
        "resources": NO_RESOURCES,
        "services": {},
    }


@pytest.mark.parametrize(
    ("zone", "now", "midnight", "hour"),
    [
        ("UTC", "2027-01-15T08:20:00", "2027-01-15T00:00:00", "2027-01-15T08:00:00"),
        ("America/New_York", "2027-01-15T08:20:00", "2027-01-15T05:00:00", "2027-01-15T08:00:00"),
        ("Asia/Kolkata", "2027-01-15T08:20:00", "2027-01-14T18:30:00", "2027-01-15T07:30:00"),
        ("Asia/Kathmandu", "2027-01-15T08:20:00", "2027-01-14T18:15:00", "2027-01-15T08:15:00"),
        ("Pacific/Kiritimati", "2027-01-15T08:20:00", "2027-01-14T10:00:00", "2027-01-15T08:00:00"),
        ("Europe/Zurich", "2027-03-28T10:20:00", "2027-03-27T23:00:00", "2027-03-28T10:00:00"),
    ],
)
class TestTheDayOfAZone:
    @pytest.fixture
    def settings(self, settings: Settings, zone: str) -> Settings:
        return settings.model_copy(update={"time_zone": zone})

    @pytest.fixture
    def clock(self, now: str) -> ManualClock:
        return ManualClock(seconds(now) * SECOND_NS)

    async def test_begins_where_it_begins_there(self, admin: Asker, bots: Bots, midnight: str, hour: str) -> None:
        for n, begin in enumerate((midnight, hour)):
            before, after = NOW_S - seconds(begin) + 10, NOW_S - seconds(begin) - 1
            bots.said({"ago": before, "session": f"before{n}"}, {"ago": after, "session": f"after{n}"})
        messages = (await admin.get(PATH))["messages"]
        assert (messages["today"], messages["this_hour"]) == (3, 1)


def seconds(time: str) -> int:
    return int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp())


async def test_many_who_poll_cost_one_computation(
    admin: Asker, store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    fetch = store.fetch

    async def counting(sql: str, params: Params | None = None) -> Rows:
        asked.append(sql)
        return await fetch(sql, params)

    monkeypatch.setattr(store, "fetch", counting)
    await admin.get(PATH)
    once = len(asked)
    assert once > 0
    await asyncio.gather(*(admin.get(PATH) for _ in range(8)))
    assert len(asked) == once
    clock.advance(1.01)
    answers = await asyncio.gather(*(admin.response(PATH) for _ in range(8)))
    assert once < len(asked) <= 2 * once
    assert {answer.headers["x-as-of"] for answer in answers} == {"2027-01-15T08:00:01.010000+00:00"}


async def test_an_engine_that_is_away_is_told_without_its_words(admin: Asker, store: Store) -> None:
    store.command("RENAME TABLE names TO elsewhere")
    response = await admin.response(PATH)
    assert error_of(response) == (500, "store_refused")
    assert "names" not in response.text
    store.command("RENAME TABLE elsewhere TO names")
    assert (await admin.response(PATH)).status_code == 200


async def test_parameters_it_does_not_know_change_nothing(admin: Asker, monitor: Asker) -> None:
    assert (await monitor.response(PATH, _="1")).status_code == 200
