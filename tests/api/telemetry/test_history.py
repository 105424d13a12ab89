"""Measures over time: those of the status page, or any other, by any label."""

from __future__ import annotations

from typing import Any

import pytest

from botwatch.api.shapes_measures import History
from botwatch.clock import ManualClock
from tests.api.conftest import error_of
from tests.api.telemetry.conftest import NOW_S, Asker, Bots

PATH = "/api/monitoring/history"


async def test_by_default_the_measures_of_the_status_page_over_a_day(admin: Asker, bots: Bots) -> None:
    bots.talk("s1", 3_600)
    bots.turn(3_600, "answered", 1.2)
    history = await admin.get(PATH, period="24h")
    assert set(history) == {"from", "to", "step_seconds", "units", "series"}
    assert (history["from"], history["to"]) == ("2027-01-14T08:00:00Z", "2027-01-15T08:00:00Z")
    assert history["step_seconds"] == 300
    assert {"sessions.active", "messages.in", "response.time", "cpu.usage", "disk.usage"} <= set(history["units"])
    assert history["units"]["response.time"] == "ms"
    told = {series["measure"]: dict(map(tuple, series["points"])) for series in history["series"]}
    assert len(told["messages.in"]) == 288
    assert (told["messages.in"][NOW_S - 3_600], told["messages.in"][NOW_S - 3_300]) == (1, None)
    assert told["response.time"][NOW_S - 3_600] == 1_200
    assert history == await admin.get(PATH)


async def test_what_many_ask_for_is_written_once(
    admin: Asker, bots: Bots, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[History] = []
    write = History.model_dump_json

    def told(history: History, **options: Any) -> str:
        written.append(history)
        return write(history, **options)

    monkeypatch.setattr(History, "model_dump_json", told)
    bots.talk("s1", 60)
    first, second = [await admin.response(PATH) for _ in range(2)]
    assert first.content == second.content
    assert first.headers["content-type"] == "application/json"
    assert len(written) == 1
    clock.advance(60)
    await admin.get(PATH)
    assert len(written) == 2


async def test_any_measure_by_any_label(admin: Asker, bots: Bots) -> None:
    for n in range(3):
        bots.talk(f"s{n}", 600 + n, bot="shop" if n else "help", channel="web")
    history = await admin.get(PATH, measure="messages.count", by="bot", period="1h", step="30m", where=["channel=web"])
    assert [(series["labels"], [value for _, value in series["points"]]) for series in history["series"]] == [
        ({"bot": "help"}, [None, 2]),
        ({"bot": "shop"}, [None, 4]),
    ]
    assert history["units"] == {"messages.count": "count"}
    narrowed = await admin.get(
        PATH, measure=["messages.in", "messages.out"], where=["bot=help", "channel=web"], period="15m"
    )
    sums = {series["measure"]: sum(value or 0 for _, value in series["points"]) for series in narrowed["series"]}
    assert sums == {"messages.in": 1, "messages.out": 1}


async def test_steps_make_a_chart_of_any_period(admin: Asker, bots: Bots) -> None:
    bots.talk("s1", 60)
    for period, step_s in (
        ("15m", 10),
        ("1h", 30),
        ("6h", 120),
        ("24h", 300),
        ("7d", 3_600),
        ("30d", 21_600),
        ("400d", 604_800),
    ):
        history = await admin.get(PATH, measure="messages.count", period=period)
        assert history["step_seconds"] == step_s, period
        (series,) = history["series"]
        assert 50 < len(series["points"]) <= 302
        assert sum(value or 0 for _, value in series["points"]) == 2


async def test_a_window_of_ones_own(admin: Asker, bots: Bots) -> None:
    bots.talk("s1", 3_600)
    window = {"from": "2027-01-15T06:59:50Z", "to": "2027-01-15T07:00:10Z", "step": "10s"}
    history = await admin.get(PATH, measure="messages.count", **window)
    assert [value for _, value in history["series"][0]["points"]] == [None, 2]


async def test_a_metric_by_its_name(admin: Asker, bots: Bots) -> None:
    point = {"bot": "shop", "metric": "queue.size", "kind": "gauge", "series": 7, "at": NOW_S - 30, "value": 4}
    bots.put("number_points", point | {"unit": "1", "label_names": [], "label_values": [], "resource": "{}"})
    history = await admin.get(PATH, measure="metric:queue.size", period="1m", step="60s")
    assert [value for _, value in history["series"][0]["points"]] == [4]


async def test_what_does_not_fit_is_refused(admin: Asker) -> None:
    for params in (
        {"measure": "no.such"},
        {"measure": "messages.in", "by": "colour"},
        {"measure": "messages.in", "by": "'; DROP"},
        {"measure": "messages.in", "where": "bot"},
        {"measure": "messages.in", "where": "colour=red"},
        {"step": "5s"},
        {"step": "x"},
        {"period": "2y"},
        {"period": "400d", "step": "10s"},
        {"period": "1h", "from": "2027-01-01"},
        {"measure": [f"m{n}" for n in range(51)]},
        {"where": ["bot=x"] * 17, "measure": "messages.in"},
        {"measures": "messages.in"},
    ):
        assert error_of(await admin.response(PATH, **params)) == (422, "bad_request"), params


async def test_a_count_can_be_asked_for_by_the_second(admin: Asker, bots: Bots) -> None:
    bots.talk("s1", 60)
    asked = {"measure": "messages.count", "period": "1h", "step": "1h"}
    (count,) = (await admin.get(PATH, **asked))["series"]
    (rate,) = (await admin.get(PATH, **asked, aggregation="rate"))["series"]
    assert sum(value or 0 for _, value in count["points"]) == 2
    assert max(value or 0 for _, value in rate["points"]) == pytest.approx(2 / 3_600, rel=0.01)
    refused = await admin.response(PATH, **asked, aggregation="p95")
    assert error_of(refused) == (422, "bad_request")


async def test_a_day_is_worked_out_once_a_tick_and_an_hour_every_second(
    admin: Asker, bots: Bots, clock: ManualClock
) -> None:
    async def counted(period: str) -> float:
        (series,) = (await admin.get(PATH, measure="messages.count", period=period, step="1h"))["series"]
        return sum(value or 0 for _, value in series["points"])

    bots.talk("s1", 600)
    assert [await counted("24h"), await counted("1h")] == [2, 2]
    bots.talk("s2", 500)
    clock.advance(3)
    assert [await counted("24h"), await counted("1h")] == [2, 4]
    clock.advance(40)
    assert await counted("24h") == 4
