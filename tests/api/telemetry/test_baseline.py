"""The band of what is normal beside what came, over a real store."""

from __future__ import annotations

import pytest

from tests.api.conftest import error_of
from tests.api.telemetry.conftest import NOW_S, Asker, Bots, Row

PATH = "/api/baseline"
EVERY_S = 300


def counted(channel: str, days: float, until_s: int = NOW_S, count: int = 30) -> list[Row]:
    """Messages of users, the same in every five minutes."""
    label = {"kind": "message", "bot": "shop", "channel": channel, "name": "user", "detail": "in", "count": count}
    return [{"tick": at_s, **label} for at_s in range(NOW_S - int(days * 86_400), until_s, EVERY_S)]


async def test_what_came_beside_what_was_to_be_expected(admin: Asker, bots: Bots) -> None:
    bots.put("ticks", *counted("web", 20, NOW_S - 900), *counted("slack", 5))
    found = await admin.get(PATH, measure="messages.in", by="bot,channel", period="2h")
    assert (found["measure"], found["step_seconds"], found["left_out"]) == ("messages.in", 300, 0)
    history = await admin.get("/api/monitoring/history", measure="messages.in", period="2h", step="5m")
    assert found["at"] == [at_s for at_s, _ in history["series"][0]["points"]]
    assert (found["from"], found["to"]) == (history["from"], history["to"])
    web, slack = found["series"]
    assert web["labels"] == {"bot": "shop", "channel": "web"}
    assert web["learning"] == {"days": 20, "of_days": 14, "judged": True, "text": ""}
    assert slack["learning"]["text"] == "learning, 5 of 14 days"
    assert web["value"] == [30] * 21 + [0] * 3
    assert len(found["at"]) == 24 == len(web["low"]) == len(web["high"])
    assert all(0 < low < 30 < high < 60 for low, high in zip(web["low"], web["high"], strict=True))
    assert all(abs(usual - 30) < 1 for usual in web["usual"])
    # What is learned from few days is less sure.
    assert slack["low"][0] < web["low"][0]
    assert web["high"][0] < slack["high"][0]


async def test_the_band_of_any_step_is_that_of_its_parts(admin: Asker, bots: Bots) -> None:
    bots.put("ticks", *counted("web", 20))
    for step, length_s, each in (("10s", 10, 1), ("1h", 3_600, 360), ("1d", 86_400, 8_640)):
        found = await admin.get(
            PATH, measure="messages.in", by="everything", period="15m" if step == "10s" else "3d", step=step
        )
        (series,) = found["series"]
        assert (found["step_seconds"], series["labels"]) == (length_s, {})
        whole = [
            (low, usual, high)
            for low, usual, high, value in zip(
                series["low"], series["usual"], series["high"], series["value"], strict=True
            )
            if step == "10s" or value == each
        ]
        assert whole
        assert all(low < each < high for low, _, high in whole)
        assert [usual for _, usual, _ in whole] == pytest.approx([each] * len(whole), rel=0.05)


async def test_what_is_not_known_yet_is_not_drawn(admin: Asker, bots: Bots) -> None:
    bots.put("ticks", *counted("web", 1.5))
    (series,) = (await admin.get(PATH, measure="messages.in", by="bot", period="1h"))["series"]
    assert series["learning"]["text"] == "learning, 1 of 14 days; nothing is judged before 3"
    assert not series["learning"]["judged"]
    assert series["value"] == [30] * 12
    assert series["low"] == series["usual"] == series["high"] == [None] * 12


async def test_a_share_of_few_may_vary_more_than_one_of_many(admin: Asker, bots: Bots) -> None:
    label = {"kind": "action", "bot": "shop", "name": "pay"}
    rows = [
        {"tick": at_s, **label, "count": 20 if at_s < NOW_S - 3_600 else 400, "errors": 1}
        for at_s in range(NOW_S - 16 * 86_400, NOW_S, EVERY_S)
    ]
    bots.put("ticks", *rows)
    asked = {"measure": "action.success_rate", "by": "bot,action", "guard": "action.count", "period": "2h"}
    (series,) = (await admin.get(PATH, **asked))["series"]
    few, many = ({name: series[name][place] for name in ("value", "low", "usual", "high")} for place in (0, -1))
    assert (few["value"], many["value"]) == (95, 99.75)
    assert few["usual"] == pytest.approx(95, abs=0.2)
    assert many["usual"] == pytest.approx(few["usual"])
    assert few["low"] < many["low"] < 95
    assert few["high"] == many["high"] == 100


async def test_it_says_what_was_wrong_with_the_question(admin: Asker) -> None:
    refused = {
        "measure: there is none called 'messages.inn'": {"measure": "messages.inn"},
        "messages.in has no label 'planet'": {"measure": "messages.in", "by": "planet"},
        "step: expected 10s to 1d": {"measure": "messages.in", "step": "2d"},
        "by: ": {"measure": "messages.in", "by": "bot,bot"},
    }
    for text, params in refused.items():
        response = await admin.response(PATH, **params)
        assert error_of(response)[0] == 422
        assert text in response.json()["error"]["message"]
    too_long = await admin.response(PATH, measure="messages.in", period="60d", step="5m")
    assert too_long.status_code == 422


async def test_a_monitor_may_look_and_a_stranger_may_not(monitor: Asker) -> None:
    assert (await monitor.get(PATH, measure="messages.in"))["series"] == []
    assert (await monitor.client.get(PATH, params={"measure": "messages.in"})).status_code == 401
