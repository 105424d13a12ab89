"""Changed limits and circuit breakers, newest first."""

from __future__ import annotations

from tests.api.conftest import error_of
from tests.api.telemetry.conftest import Asker, Bots


def limit(bots: Bots, ago: float, before: str, after: str, bot: str = "shop") -> None:
    said = {"bot.dependency.name": "llm", "bot.dependency.limit.name": "tokens"}
    said |= {"bot.dependency.limit.before": before, "bot.dependency.limit.after": after}
    bots.log(ago, bot=bot, event="bot.dependency.limit_changed", attributes=said)


def breaker(bots: Bots, ago: float, before: str, after: str, name: str = "crm", **more: str) -> None:
    said = {"bot.breaker.name": name, "bot.breaker.before": before, "bot.breaker.after": after}
    bots.log(ago, event="bot.breaker", attributes=said, **more)


async def test_changes_are_listed_filtered_and_paged(monitor: Asker, bots: Bots) -> None:
    limit(bots, 300, "500.0", "200.0")
    limit(bots, 290, "100.0", "2.5", bot="help")
    breaker(bots, 200, "closed", "open", session_id="s1")
    breaker(bots, 100, "open", "half_open", name="<b>\x1b[31m")
    bots.log(50, event="something.else", attributes={"bot.breaker.name": "crm"})
    limit(bots, 9 * 86_400, "1.0", "2.0")

    found = (await monitor.get("/api/dependencies/changes"))["items"]
    assert [(item["what"], item["name"], item["limit"], item["before"], item["after"]) for item in found] == [
        ("breaker", "<b>\x1b[31m", "", "open", "half_open"),
        ("breaker", "crm", "", "closed", "open"),
        ("limit", "llm", "tokens", "100", "2.5"),
        ("limit", "llm", "tokens", "500", "200"),
    ]
    assert [item["session_id"] for item in found] == [None, "s1", None, None]

    pages = await monitor.pages("/api/dependencies/changes", limit=1)
    assert [item for page in pages for item in page] == found
    of_help = await monitor.get("/api/dependencies/changes", bot="help")
    assert [item["bot"] for item in of_help["items"]] == ["help"]
    assert len((await monitor.get("/api/dependencies/changes", what="limit"))["items"]) == 2
    assert len((await monitor.get("/api/dependencies/changes", name="crm"))["items"]) == 1
    assert len((await monitor.get("/api/dependencies/changes", period="30d"))["items"]) == 5

    sessions = (await monitor.get("/api/monitoring/sessions"))["items"]
    assert [session["id"] for session in sessions if session["id"].startswith("trace-")] == []


async def test_what_is_asked_wrongly_is_refused(monitor: Asker) -> None:
    for params in ({"what": "weather"}, {"cursor": "x"}, {"colour": "red"}):
        assert error_of(await monitor.response("/api/dependencies/changes", **params))[0] == 422
