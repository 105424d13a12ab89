"""What drift found is listed, read and accepted; the profile of a source is read from its hours."""

from __future__ import annotations

import httpx
import pytest

from botwatch.clock import ManualClock
from botwatch.detect.drift.shape import shape
from botwatch.detect.drift.source import HOUR_S, Source
from botwatch.detect.rows_drift import DriftRow, SourceRow
from botwatch.state import Database, audit
from botwatch.store.client import Store
from botwatch.watch.payloads import profiles
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
        }
    ]


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
