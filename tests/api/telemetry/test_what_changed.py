"""What changed, as pages and programs ask for it: deploys, and all kinds of changes from both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from botwatch.clock import SECOND_NS
from botwatch.detect.rows_drift import DriftRow
from botwatch.state import Database, audit
from tests.api.conftest import NOW_NS
from tests.api.telemetry.conftest import Asker, Bots


def drift(source: str, ago_s: int) -> DriftRow:
    at_ns = NOW_NS - ago_s * SECOND_NS
    share = {"before_count": 9.0, "before_of": 9.0, "now_count": 1.0, "now_of": 9.0, "surprise": 50.0}
    return DriftRow(
        source=source, variant="", path="category", stat="present", value="", what="rarer", moved_to="", **share,
        sentence="`category` is gone", began_ns=at_ns, found_ns=at_ns, last_ns=at_ns, evidence={"bots": ["shop"]},
    )  # fmt: skip


def run(bots: Bots, version: str, ago: float, until: float, bot: str = "shop") -> None:
    told = json.dumps({"service.version": version, "service.instance.id": f"{bot}{version}"})
    bots.logs(*({"ago": at, "bot": bot, "host": "a", "resource": told} for at in (ago, until)))


@pytest.fixture
def happened(bots: Bots, database: Database) -> None:
    run(bots, "1.0", 9_000, 3_000)
    run(bots, "1.1", 3_060, 10)
    run(bots, "7", 4_000, 10, bot="other")

    def write(session: Any) -> None:
        session.add(drift("helpdesk", 1_800))
        audit.record(session, NOW_NS - 600 * SECOND_NS, "ada", "rule.put", "CPU usage high")
        audit.record(session, NOW_NS - 500 * SECOND_NS, "ada", "incident.note", "no change")

    database.write_now(write)


async def test_deploys_newest_first_page_by_page(monitor: Asker, happened: None) -> None:
    first = await monitor.get("/api/deploys", limit=2)
    assert [(one["bot"], one["version"], one["before"]) for one in first["items"]] == [
        ("shop", "1.1", "1.0"),
        ("other", "7", None),
    ]
    assert (first["items"][0]["beside_seconds"], first["items"][0]["hosts"]) == (60, ["a"])
    second = await monitor.get("/api/deploys", limit=2, cursor=first["next"])
    assert ([one["version"] for one in second["items"]], second["next"]) == (["1.0"], None)
    assert [one["version"] for one in (await monitor.get("/api/deploys", bot="other"))["items"]] == ["7"]
    assert (await monitor.get("/api/deploys", period="10m"))["items"] == []


async def test_changes_of_all_kinds_newest_first_or_of_one_bot_or_kind_or_hour(monitor: Asker, happened: None) -> None:
    found = (await monitor.get("/api/changes"))["items"]
    assert [(one["kind"], one["text"], one["bot"]) for one in found] == [
        ("rule", "the rule CPU usage high was changed by ada", None),
        ("document", "helpdesk: `category` is gone", "shop"),
        ("deploy", "shop 1.1 was first seen instead of 1.0", "shop"),
        ("deploy", "other 7 was first seen", "other"),
        ("deploy", "shop 1.0 was first seen", "shop"),
    ]
    first = await monitor.get("/api/changes", limit=3)
    rest = await monitor.get("/api/changes", limit=3, cursor=first["next"])
    assert [*first["items"], *rest["items"]] == found
    assert rest["next"] is None

    async def kinds(**params: Any) -> list[str]:
        return [one["kind"] for one in (await monitor.get("/api/changes", **params))["items"]]

    assert await kinds(bot="shop") == ["document", "deploy", "deploy"]
    assert await kinds(kind=["rule", "document"]) == ["rule", "document"]
    assert await kinds(period="1h", kind="deploy") == ["deploy"]
    assert await kinds(bot="nobody") == []
    assert (await monitor.response("/api/changes", kind="weather")).status_code == 422
