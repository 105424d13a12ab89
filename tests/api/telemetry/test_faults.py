"""Exceptions grouped by what they are, and the account of what came."""

from __future__ import annotations

from botwatch.nouns import Refusal, Signal
from botwatch.spool import Counts
from tests.api.conftest import error_of
from tests.api.telemetry.conftest import Asker, Bots, Intake, hexed, trace

PATH = "/api/faults"


def fail(bots: Bots, ago: float, kind: str = "KeyError", message: str = "'order'", **more: str) -> None:
    attributes = {"exception.type": kind, "exception.message": message, "exception.stacktrace": more.pop("stack", "")}
    bots.log(ago, "failed", level="error", attributes=attributes, **more)


async def test_a_fault_counts_what_is_alike(admin: Asker, bots: Bots) -> None:
    stack = 'Traceback\n  File "a.py", line {}, in reply\nKeyError: {}'
    fail(bots, 90_000, message="'a'", stack=stack.format(10, "a"), host="h2")
    fail(bots, 60, message="'b'", stack=stack.format(12, "b"), host="h1", trace_id=trace(1), session_id="s1")
    fail(bots, 50, kind="ValueError", message="bad " + "é" * 4_000)
    value_error, key_error = (await admin.get(PATH))["items"]
    assert value_error["type"] == "ValueError"
    assert value_error["message"].startswith("bad éé")
    assert key_error == {
        "id": key_error["id"],
        "bot": "shop",
        "type": "KeyError",
        "message": "'b'",
        "count": 2,
        "first_seen": "2027-01-14T07:00:00Z",
        "last_seen": "2027-01-15T07:59:00Z",
        "hosts": ["h1", "h2"],
        "trace_id": hexed(trace(1)),
        "session_id": "s1",
    }
    whole = await admin.get(f"{PATH}/{key_error['id']}")
    assert whole == key_error | {
        "stack": stack.format(12, "b"),
        "days": [{"day": "2027-01-14", "count": 1}, {"day": "2027-01-15", "count": 1}],
    }


async def test_filters_and_windows(admin: Asker, bots: Bots) -> None:
    fail(bots, 60, message="no such order")
    fail(bots, 50, kind="TimeoutError", message="redis", bot="help")
    fail(bots, 20 * 86_400, kind="OldError")

    async def found(**params: str) -> list[str]:
        return [item["type"] for item in (await admin.get(PATH, **params))["items"]]

    assert await found() == ["TimeoutError", "KeyError"]
    assert await found(period="30d") == ["TimeoutError", "KeyError", "OldError"]
    assert await found(bot="help") == ["TimeoutError"]
    assert await found(q="keyerror ORDER") == ["KeyError"]
    assert await found(q="nothing") == []


async def test_pages_are_complete(admin: Asker, bots: Bots) -> None:
    for n in range(11):
        fail(bots, 60 + n // 4, kind=f"Error{n}")
    pages = await admin.pages(PATH, limit=3)
    assert [len(page) for page in pages] == [3, 3, 3, 2]
    assert len({item["id"] for page in pages for item in page}) == 11
    assert {len(item["id"]) for page in pages for item in page} == {16}
    for page in pages:
        for item in page:
            assert (await admin.get(f"{PATH}/{item['id']}"))["type"] == item["type"]


async def test_an_unknown_fault_is_not_found(admin: Asker) -> None:
    assert error_of(await admin.response(f"{PATH}/{'0' * 16}")) == (404, "not_found")
    assert error_of(await admin.response(f"{PATH}/xyz")) == (422, "bad_request")


async def test_the_account_of_what_came(admin: Asker, intake: Intake) -> None:
    intake.counts[Signal.TRACES] = Counts(100, 80, 5, 10, {Refusal.CLOCK: 3, Refusal.BAD_ID: 2})
    intake.counts[Signal.TURNS] = Counts(7, 7)
    nothing = {"received": 0, "stored": 0, "spooled": 0, "duplicate": 0, "rejected": {}}
    assert await admin.get("/api/intake") == {
        "traces": {
            "received": 100,
            "stored": 80,
            "spooled": 5,
            "duplicate": 10,
            "rejected": {"clock": 3, "bad_id": 2},
        },
        "logs": nothing,
        "points": nothing,
        "payloads": nothing,
    }
