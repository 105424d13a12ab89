"""The band of what is normal beside what came, over a real store."""

from __future__ import annotations

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
    assert (found["measure"], found["step_s"], found["left_out"]) == ("messages.in", 300, 0)
    web, slack = found["series"]
    assert web["labels"] == {"bot": "shop", "channel": "web"}
    assert web["learning"] == {"days": 20, "of_days": 14, "judged": True, "text": ""}
    assert slack["learning"]["text"] == "learning, 5 of 14 days"
    assert [point["value"] for point in web["points"]] == [30] * 21 + [0] * 3
    for point in web["points"]:
        assert 0 < point["low"] < 30 < point["high"] < 60
        assert abs(point["expected"] - 30) < 1
    narrow = web["points"][0]
    wide = slack["points"][0]  # what is learned from few days is less sure
    assert wide["low"] < narrow["low"]
    assert narrow["high"] < wide["high"]


async def test_what_is_not_known_yet_is_not_drawn(admin: Asker, bots: Bots) -> None:
    bots.put("ticks", *counted("web", 1.5))
    (series,) = (await admin.get(PATH, measure="messages.in", by="bot", period="1h"))["series"]
    assert series["learning"]["text"] == "learning, 1 of 14 days; nothing is judged before 3"
    assert not series["learning"]["judged"]
    assert {(point["value"], point["low"], point["expected"], point["high"]) for point in series["points"]} == {
        (30, None, None, None)
    }


async def test_a_share_of_few_may_vary_more_than_one_of_many(admin: Asker, bots: Bots) -> None:
    label = {"kind": "action", "bot": "shop", "name": "pay"}
    rows = [
        {"tick": at_s, **label, "count": 20 if at_s < NOW_S - 3_600 else 400, "errors": 1}
        for at_s in range(NOW_S - 16 * 86_400, NOW_S, EVERY_S)
    ]
    bots.put("ticks", *rows)
    asked = {"measure": "action.success_rate", "by": "bot,action", "guard": "action.count", "period": "2h"}
    (series,) = (await admin.get(PATH, **asked))["series"]
    few, many = series["points"][0], series["points"][-1]
    assert (few["value"], many["value"]) == (95, 99.75)
    assert few["expected"] == many["expected"]
    assert abs(few["expected"] - 95) < 0.2
    assert few["low"] < many["low"] < 95
    assert few["high"] == many["high"] == 100


async def test_it_says_what_was_wrong_with_the_question(admin: Asker) -> None:
    refused = {
        "measure: there is none called 'messages.inn'": {"measure": "messages.inn"},
        "messages.in has no label 'planet'": {"measure": "messages.in", "by": "planet"},
        "step: expected 5m to 1h": {"measure": "messages.in", "step": "1m"},
        "by: ": {"measure": "messages.in", "by": "bot,bot"},
    }
    for text, params in refused.items():
        response = await admin.response(PATH, **params)
        assert error_of(response)[0] == 422
        assert text in response.json()["error"]["message"]
    too_long = await admin.response(PATH, measure="messages.in", period="60d")
    assert too_long.status_code == 422


async def test_a_monitor_may_look_and_a_stranger_may_not(monitor: Asker) -> None:
    assert (await monitor.get(PATH, measure="messages.in"))["series"] == []
    assert (await monitor.client.get(PATH, params={"measure": "messages.in"})).status_code == 401
