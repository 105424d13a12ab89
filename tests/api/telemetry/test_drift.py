"""What drift found is listed, read and accepted; the profile of a source is read from its hours."""

from __future__ import annotations

from pathlib import Path

import httpx
import orjson
import pytest

from botwatch.clock import ManualClock
from botwatch.detect.drift.kinds import Kinds
from botwatch.detect.drift.shape import shape
from botwatch.detect.drift.source import HOUR_S, Source
from botwatch.detect.rows_drift import DriftRow, SourceRow
from botwatch.state import Database, audit
from botwatch.store.client import Store
from botwatch.watch.payloads import declaring, profiles
from botwatch.watch.payloads.declared import Declared
from tests.api.conftest import Secrets, bearer, error_of
from tests.api.telemetry.conftest import NOW_S, Asker


def change(source: str = "tickets", path: str = "category", ended_ns: int | None = None) -> DriftRow:
    now_ns = NOW_S * 10**9
    return DriftRow(
        source=source,
        variant="(document)",
        path=path,
        stat="present",
        value="",
        what="rarer",
        sentence=f"`{path}` is gone where `details.topic` has come, in 3 of 79",
        moved_to="details.topic",
        before_count=900.0,
        before_of=900.0,
        now_count=76.0,
        now_of=79.0,
        surprise=44.0,
        began_ns=now_ns - 300 * 10**9,
        found_ns=now_ns,
        last_ns=now_ns,
        ended_ns=ended_ns,
        evidence={"sure": 0.999, "sessions": ["s1"], "before": [{"category": "billing"}], "after": [{"details": {}}]},
    )


@pytest.fixture
def found(database: Database) -> None:
    def write(session: object) -> None:
        session.add_all([change(), change(path="text", ended_ns=NOW_S * 10**9), change(source="slack")])  # type: ignore[attr-defined]
        session.add(SourceRow(name="tickets", kinds={"fields": ["type"], "carried": []}, since_ns=NOW_S * 10**9))  # type: ignore[attr-defined]

    database.write_now(write)


async def test_changes_come_newest_first_and_by_what_is_asked(found: None, monitor: Asker) -> None:
    assert [item["source"] for item in (await monitor.get("/api/drift"))["items"]] == ["slack", "tickets", "tickets"]
    live = (await monitor.get("/api/drift", live=True, source="tickets"))["items"]
    assert [item["path"] for item in live] == ["category"]
    assert live[0]["moved_to"] == "details.topic"
    assert live[0]["now"] == pytest.approx(76 / 79)
    assert live[0]["example_before"] == {"category": "billing"}
    assert sum(map(len, await monitor.pages("/api/drift", limit=1))) == 3


async def test_an_admin_says_that_this_is_the_new_normal(
    found: None, asking: httpx.AsyncClient, secrets: Secrets, monitor: Asker, database: Database
) -> None:
    id = (await monitor.get("/api/drift", live=True, source="tickets"))["items"][0]["id"]
    refused = await asking.post(f"/api/drift/{id}/accept", headers=bearer(secrets.monitor))
    assert error_of(refused) == (403, "forbidden")
    accepted = (await asking.post(f"/api/drift/{id}/accept", headers=bearer(secrets.admin))).json()
    assert accepted["accepted"] == accepted["ended"]
    assert (await monitor.get("/api/drift", live=True, source="tickets"))["items"] == []
    entries = database.read_now(lambda session: audit.entries(session, before_id=None, count=10))
    assert entries[0].what == "drift.accept"


async def test_what_began_in_the_same_minutes_is_one_event_and_accepted_as_one(
    found: None, asking: httpx.AsyncClient, secrets: Secrets, monitor: Asker, database: Database
) -> None:
    database.write_now(lambda session: session.add_all([change(path="sender"), change(path="priority")]))
    items = (await monitor.get("/api/drift", source="tickets"))["items"]
    first = min(item["id"] for item in items)
    assert {item["event"] for item in items} == {first}
    one = next(item for item in items if item["path"] == "sender")
    assert (await monitor.get(f"/api/drift/{one['id']}"))["event"] == first
    address = f"/api/drift/{one['id']}/accept"
    accepted = (await asking.post(address, params={"event": True}, headers=bearer(secrets.admin))).json()
    assert accepted["path"] == "sender"
    by = {item["path"]: item["accepted_by"] for item in (await monitor.get("/api/drift"))["items"]}
    assert by["sender"] == by["priority"] != by["text"]  # of which all is over
    live = (await monitor.get("/api/drift", live=True))["items"]
    assert [item["source"] for item in live] == ["slack"]


async def test_an_unknown_change_and_an_unknown_source_are_not_found(monitor: Asker) -> None:
    assert error_of(await monitor.response("/api/drift/77")) == (404, "not_found")
    assert error_of(await monitor.response("/api/payloads/sources/none/profile")) == (404, "not_found")


async def test_sources_say_how_their_kinds_are_told_apart(found: None, monitor: Asker) -> None:
    assert await monitor.get("/api/payloads/sources") == [
        {
            "source": "tickets",
            "learning_since": "2027-01-15T08:00:00Z",
            "kinds_fields": ["type"],
            "kinds_carried": [],
            "drifting": 1,
            "declared": None,
            "session": None,
            "schema_file": None,
            "schema_problem": None,
            "critical": [],
        }
    ]


async def test_what_is_declared_of_a_source_is_told_before_it_is_known(monitor: Asker, database: Database) -> None:
    said = [
        Declared("feed", Path("feed.json"), ("a.b",), Kinds(("type",))),
        Declared("other", "", (), None),
    ]
    database.write_now(lambda session: declaring.keep(session, said, {"feed": "feed.json: expected a JSON Schema"}))
    feed, _ = await monitor.get("/api/payloads/sources")
    assert (feed["learning_since"], feed["kinds_fields"], feed["critical"]) == (None, ["type"], ["a.b"])
    assert (feed["schema_file"], feed["schema_problem"]) == ("feed.json", "feed.json: expected a JSON Schema")


async def test_what_is_no_document_and_what_does_not_fit_are_one_stream(monitor: Asker, store: Store) -> None:
    """Of what is no JSON the letters and digits are masked, and equal ones of one moment are one item."""
    at = [NOW_S - 60.0, NOW_S - 60.0, NOW_S - 30.0, NOW_S - 20.0]
    texts = ['{"name": "Ann 42", b', '{"name": "Ann 42", b', "nope", '{"a": 1}']
    rows = [
        {
            "source": "feed",
            "at": at_s,
            "received": at_s,
            "document": text,
            "invalid": text[-1] != "}",
            "sender": "curl/8",
        }
        for at_s, text in zip(at, texts, strict=True)
    ]
    store.insert("payloads", b"\n".join(map(orjson.dumps, rows)), fmt="JSONEachRow", settings={})
    attributes = {"bot.payload.source": "feed", "bot.payload.fault": "schema", "bot.payload.path": "items[].id"}
    attributes |= {"bot.payload.misfit": "type", "bot.payload.document": '{"items":[]}', "bot.payload.trace": "ab" * 16}
    event = {
        "at": NOW_S - 40.0,
        "bot": "shop",
        "session_id": "s1",
        "event": "bot.payload.invalid",
        "attributes": attributes,
    }
    store.insert("logs", orjson.dumps(event), fmt="JSONEachRow", settings={})
    items = await monitor.pages("/api/payloads/invalid", limit=1)
    found = [item for page in items for item in page]
    assert [(item["fault"], item["reason"], item["times"], item["document"]) for item in found] == [
        ("json", "not JSON", 1, "xxxx"),
        ("schema", "type", 1, '{"items":[]}'),
        ("json", "not JSON", 2, '{"name": "xxx 00", x'),
    ]
    assert (found[1]["path"], found[1]["session_id"], found[1]["trace_id"]) == ("items[].id", "s1", "ab" * 16)
    assert found[0]["sender"] == "curl/8"
    assert len((await monitor.get("/api/payloads/invalid", fault="schema", source="feed"))["items"]) == 1
    assert (await monitor.get("/api/payloads/invalid", source="none"))["items"] == []


async def test_a_profile_tells_what_documents_looked_like(monitor: Asker, store: Store, clock: ManualClock) -> None:
    source = Source("tickets")
    start_s = NOW_S - 30 * HOUR_S
    for number in range(300):
        document: dict[str, object] = {"id": str(number), "category": "billing" if number % 4 else None, "tags": []}
        source.observe(start_s + number * 350, shape(document))
    profiles.save(store, "tickets", source.kept_since(0), clock.now_ns())
    profile = await monitor.get("/api/payloads/sources/tickets/profile", period="48h")
    (variant,) = profile["variants"]
    places = {place["path"]: place for place in variant["places"]}
    assert places["category"]["null"] == pytest.approx(0.25, abs=0.02)
    assert places["category"]["values"] == {"billing": 1.0}
    assert places["tags"]["empty"] == 1.0
    assert places["id"]["values"] is None
    assert places["id"]["present"] == 1.0
    assert (variant["partly"], profile["critical"]) == (0, [])
