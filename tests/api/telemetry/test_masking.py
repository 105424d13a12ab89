"""Users are seen by whom the setting and the role allow, everywhere alike."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from botwatch.api.masking import Eyes, masked
from botwatch.settings import Settings
from tests.api.conftest import error_of
from tests.api.telemetry.conftest import Asker, Bots, hexed, trace

USER = "john@acme.com"


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("+5511999888777", "+5511999..."),
        ("+5521888777666", "+5521888..."),
        ("5511999888777", "55119998..."),
        ("+1 (555) 010-9999", "+1 (555)..."),
        ("+1234567", "+123..."),
        ("john@acme.com", "john@acme..."),
        ("support@acme.com", "support@..."),
        ("jane@example.org", "jane@..."),
        ("christopher@acme.com", "christop@..."),
        ("a@b.c", "a@b..."),
        ("x@localhost", "x@..."),
        ("U02ABCDEF", "U02A..."),
        ("bob", "b..."),
        ("x", "..."),
        ("two words@acme.com", "two ..."),
        ("é😀é😀é😀é😀", "é😀é😀..."),
        ("123456", "12..."),
    ],
)
def test_a_masked_user(user: str, shown: str) -> None:
    assert masked(user) == shown


def test_what_is_not_known_is_not_masked() -> None:
    assert Eyes(users=False).user("") is None
    assert Eyes(users=True).user("") is None


def test_masked_eyes_see_no_user_in_texts_and_values() -> None:
    eyes = Eyes(users=False)
    attributes: dict[str, JsonValue] = {
        "enduser.id": 17,
        "to": f"<{USER}>",
        "list": [USER, {"user.id": "ann"}],
        "n": 1,
        "user_id": USER,
    }
    assert eyes.attributes(attributes, USER) == {
        "enduser.id": "1...",
        "to": "<john@acme...>",
        "list": ["john@acme...", {"user.id": "a..."}],
        "n": 1,
        "user_id": "john@acme...",
    }
    assert eyes.text("a bob is a weight", "bob") == "a bob is a weight"
    assert Eyes(users=True).attributes(attributes, USER) == attributes


def fill(bots: Bots) -> None:
    bots.said({"ago": 10, "user": USER, "text": f"I am {USER}", "trace_id": trace(1)})
    bots.event("bot.feedback", 5, bot_feedback_score="-1", bot_feedback_text=f"says {USER}", user_id=USER)
    bots.put("events", {"bot": "shop", "session_id": "s1", "at": "1799999996", "event": "bot.handoff", "user_id": USER,
                        "attributes": {"user.id": USER}, "body": f"for {USER}"})  # fmt: skip
    identified = {"user_id": USER, "attributes": {"user.id": USER, "http.url": f"/u/{USER}"}, "session_id": "s1"}
    bots.span(10, trace(1), status_message=f"no {USER}", **identified, **{
        "events.at": ["1799999990"], "events.name": ["e"], "events.attributes": [{"enduser.id": USER}],
    }, resource=f'{{"user.id":"{USER}"}}')  # fmt: skip
    bots.log(9, f"hello {USER}", trace_id=trace(1), **identified)
    bots.turn(10, "failed", None)


PATHS = (
    "/api/monitoring/sessions",
    "/api/monitoring/sessions/s1",
    "/api/logs",
    "/api/traces",
    f"/api/traces/{hexed(trace(1))}",
    "/api/insights/feedback",
    "/api/insights/misunderstood",
)


class TestByDefaultAdminsSee:
    async def test_admins_see_and_monitors_do_not(self, admin: Asker, monitor: Asker, bots: Bots) -> None:
        fill(bots)
        for path in PATHS:
            assert USER in (await admin.response(path)).text, path
            told = (await monitor.response(path)).text
            assert "john@acme..." in told, path
            assert USER not in told, path

    async def test_a_search_cannot_find_out_either(self, admin: Asker, monitor: Asker, bots: Bots) -> None:
        fill(bots)
        for asker, found in ((admin, 1), (monitor, 0)):
            assert len((await asker.get("/api/logs", q=USER))["items"]) == found
        assert len((await monitor.get("/api/logs", q="hello"))["items"]) == 1
        assert len((await admin.get("/api/logs", **{"attr.user.id": USER}))["items"]) == 1
        refused = await monitor.response("/api/logs", **{"attr.user.id": USER})
        assert error_of(refused) == (403, "forbidden")


class TestWhereAllMaySee:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"show_users": "all"})

    async def test_monitors_see(self, monitor: Asker, bots: Bots) -> None:
        fill(bots)
        for path in PATHS:
            assert "john@acme..." not in (await monitor.response(path)).text, path
        assert len((await monitor.get("/api/logs", **{"attr.user.id": USER}))["items"]) == 1
        assert len((await monitor.get("/api/monitoring/sessions", q=USER))["items"]) == 1


class TestWhereNobodyMaySee:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"show_users": "nobody"})

    async def test_admins_do_not_see(self, admin: Asker, bots: Bots) -> None:
        fill(bots)
        for path in PATHS:
            assert "john@acme..." in (await admin.response(path)).text, path
        assert (await admin.get("/api/monitoring/sessions", q=USER))["items"] == []
