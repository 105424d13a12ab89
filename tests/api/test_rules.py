"""The rules over the API, on a real book: files on a disk, rows in a database."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from botwatch import limits
from botwatch.api import Context, SignIn
from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect.book import RuleBook
from botwatch.detect.rule import Rule
from botwatch.incident.health import Health, Judgement
from botwatch.incident.rows import IncidentRow
from botwatch.notify import book as ways
from botwatch.settings import Settings
from botwatch.state import Access, Database
from tests.api.conftest import NOW_NS, House, Secrets, bearer, error_of
from tests.detect.botpress import NAMES, PASTED

CPU = {"name": "CPU", "field": "cpu.usage", "value": 85.0, "message": "Scale up.", "severity": "critical", "for": "3m"}
WORSE = {"name": "CPU warning", "field": "cpu.usage", "value": 70, "depends_on": "CPU"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "rules"
    path.mkdir()
    return path


@pytest.fixture
def book(database: Database, folder: Path, settings: Settings) -> RuleBook:
    base = ways.Base.of(settings)
    defaults = [Rule.model_validate({**given, "source": "default"}) for given in (CPU, WORSE)]
    book = RuleBook(database, folder, lambda session: frozenset(ways.channels(session, base)), defaults)
    book.reload()
    return book


@pytest.fixture
async def context(
    settings: Settings, clock: ManualClock, house: House, database: Database, book: RuleBook
) -> AsyncIterator[Context]:
    access = Access(database, clock, "")
    sign_in = SignIn(database, access, clock)
    made = Context(settings, clock, database, access, sign_in, readiness=house, self_metrics=house)
    yield dataclasses.replace(made, rules=book)
    sign_in.close()
    await access.close()


@pytest.fixture
async def admin(client: httpx.AsyncClient, secrets: Secrets) -> httpx.AsyncClient:
    client.headers["authorization"] = f"Bearer {secrets.admin}"
    return client


async def listed(client: httpx.AsyncClient, **asked: Any) -> dict[str, dict[str, Any]]:
    response = await client.get("/api/rules", params=asked)
    assert response.status_code == 200, response.text
    return {item["rule"]["name"]: item for item in response.json()["items"]}


class TestLooking:
    async def test_every_rule_says_where_it_came_from(
        self, admin: httpx.AsyncClient, folder: Path, book: RuleBook
    ) -> None:
        (folder / "a.json").write_text(json.dumps({"name": "Disk", "field": "disk.usage", "value": 90}))
        book.reload()
        await admin.post("/api/rules", json=json.loads(PASTED[0]))
        found = await listed(admin)
        assert {name: item["source"] for name, item in found.items()} == {
            "CPU": "default",
            "CPU warning": "default",
            "Disk": "file:a.json",
            NAMES[0]: "api",
        }
        assert set(await listed(admin, source="file:")) == {"Disk"}
        assert found["CPU"]["rule"] == Rule.model_validate(CPU).model_dump(mode="json", by_alias=True)
        assert found["CPU"]["rule"]["for"] == "3m"

    async def test_pages_go_by_name(self, admin: httpx.AsyncClient) -> None:
        first = (await admin.get("/api/rules", params={"limit": 1})).json()
        assert [item["rule"]["name"] for item in first["items"]] == ["CPU"]
        second = (await admin.get("/api/rules", params={"limit": 1, "cursor": first["next"]})).json()
        assert [item["rule"]["name"] for item in second["items"]] == ["CPU warning"]
        assert second["next"] is None

    async def test_a_broken_file_is_shown_with_its_line(
        self, admin: httpx.AsyncClient, folder: Path, book: RuleBook
    ) -> None:
        (folder / "a.toml").write_text('name = "Disk"\nfield = "disk.usge"\nvalue = 90\n')
        book.reload()
        [problem] = (await admin.get("/api/rules")).json()["problems"]
        assert (problem["source"], problem["rule"], problem["field"]) == ("file:a.toml", "Disk", "field")
        assert problem["message"].startswith("there is no measure 'disk.usge'; did you mean disk.usage")
        assert problem["line"] == 2

    async def test_how_many_incidents_are_open_is_told(self, admin: httpx.AsyncClient, database: Database) -> None:
        def incident(number: int, resolved_ns: int | None) -> IncidentRow:
            return IncidentRow(
                id=f"{number:032x}",
                rule="CPU",
                subject=f"host=h{number}",
                labels={"host": f"h{number}"},
                severity="critical",
                status="open" if resolved_ns is None else "resolved",
                reason="breached",
                summary="",
                began_ns=NOW_NS,
                started_ns=NOW_NS,
                resolved_ns=resolved_ns,
                snapshot={},
                evidence={},
            )

        database.write_now(lambda session: session.add_all([incident(1, None), incident(2, None), incident(3, NOW_NS)]))
        assert (await listed(admin))["CPU"]["open_incidents"] == 2
        assert (await admin.get("/api/rules/CPU")).json()["open_incidents"] == 2

    async def test_what_the_judge_says_of_itself_is_shown(
        self, admin: httpx.AsyncClient, app: FastAPI, context: Context
    ) -> None:
        page = (await admin.get("/api/rules")).json()
        assert (page["judged_until"], page["paused"]) == (None, "")
        health = Health(judged_s=NOW_NS // SECOND_NS, paused="it is asleep", troubles={"CPU": "too many subjects"})
        backtester: Any = None  # nothing here asks it
        app.state.context = dataclasses.replace(context, judgement=Judgement(health, backtester))
        page = (await admin.get("/api/rules")).json()
        assert (page["judged_until"], page["paused"]) == ("2027-01-15T08:00:00Z", "it is asleep")
        troubled = {item["rule"]["name"]: item for item in page["items"]}["CPU"]
        assert (troubled["judged"], troubled["problems"][0]["message"]) == (False, "too many subjects")

    async def test_one_that_is_not_there_says_what_comes_near(self, admin: httpx.AsyncClient) -> None:
        response = await admin.get("/api/rules/CPU%20warnin")
        assert error_of(response) == (404, "not_found")
        assert "there is no rule 'CPU warnin'; did you mean CPU warning?" in response.text


class TestChanging:
    async def test_a_rule_is_added_changed_and_deleted_and_each_is_in_the_audit(
        self, admin: httpx.AsyncClient, book: RuleBook
    ) -> None:
        given = {"name": "a/b é?", "field": "errors.count", "aggregation": "sum", "value": 10, "timeframe": "1m"}
        made = await admin.post("/api/rules", json=given)
        assert (made.status_code, made.json()["source"], made.json()["changed_by"]) == (201, "api", "token:admins")
        assert made.json()["changed"] == "2027-01-15T08:00:00Z"
        assert error_of(await admin.post("/api/rules", json=given)) == (409, "conflict")
        path = "/api/rules/a%2Fb%20%C3%A9%3F"
        assert (await admin.put(path, json={"field": "errors.count", "value": 20})).json()["rule"][
            "aggregation"
        ] == "avg"
        assert (await admin.patch(path, json={"value": 30, "aggregation": "sum"})).json()["rule"]["value"] == 30
        assert [rule.value for rule in book.rules() if rule.name == "a/b é?"] == [30]
        assert (await admin.delete(path)).status_code == 204
        assert error_of(await admin.get(path)) == (404, "not_found")
        audit = (await admin.get("/api/audit")).json()["items"]
        assert [(entry["what"], entry["subject"]) for entry in audit[:4]] == [
            ("rule.delete", "a/b é?"),
            *[("rule.put", "a/b é?")] * 3,
        ]

    async def test_a_default_is_switched_off_and_comes_back(self, admin: httpx.AsyncClient, book: RuleBook) -> None:
        changed = (await admin.patch("/api/rules/CPU", json={"enabled": False})).json()
        assert (changed["source"], changed["replaces"]) == ("api", "default")
        assert changed["rule"] == {
            **changed["rule"],
            "enabled": False,
            "value": 85,
            "for": "3m",
            "message": "Scale up.",
        }
        assert set(await listed(admin, enabled=False)) == {"CPU"}
        assert (await admin.delete("/api/rules/CPU")).status_code == 204
        assert (await listed(admin))["CPU"]["rule"]["enabled"]
        assert error_of(await admin.delete("/api/rules/CPU")) == (409, "conflict")

    async def test_a_change_may_take_fields_away_and_another_field_has_its_own_subject(
        self, admin: httpx.AsyncClient
    ) -> None:
        changed = (await admin.patch("/api/rules/CPU", json={"message": None, "field": "payloads.invalid"})).json()
        assert changed["rule"]["message"] == ""
        assert changed["rule"]["by"] == ["bot"]

    async def test_a_rule_keeps_its_name(self, admin: httpx.AsyncClient) -> None:
        assert error_of(await admin.put("/api/rules/CPU", json={**CPU, "name": "RAM"})) == (422, "bad_request")
        assert error_of(await admin.patch("/api/rules/CPU", json={"name": "RAM"})) == (422, "bad_request")

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"field": "cpu.usge"}, "field: there is no measure 'cpu.usge'; did you mean cpu.usage"),
            ({"operand": "more"}, "operand: expected one of equalOrLessThan, equalOrMoreThan, found 'more'"),
            ({"aggregation": "mean"}, "aggregation: expected one of avg"),
            ({"timeframe": "soon"}, "timeframe: expected a duration such as"),
            ({"notify": ["slak"]}, "notify: there is no channel 'slak'; did you mean slack?"),
            ({"by": "hots"}, "by: cpu.usage has no label 'hots'; did you mean host?"),
            ({"depends_on": "CPUs"}, "depends_on: there is no rule 'CPUs'; did you mean CPU?"),
            ({"colour": "red"}, "colour: rules have no such field"),
            ({"source": "default"}, "source: rules have no such field"),
            ({"name": ""}, "name: "),
        ],
    )
    async def test_what_does_not_fit_is_refused_by_field_with_what_comes_near(
        self, admin: httpx.AsyncClient, database: Database, settings: Settings, change: dict[str, Any], text: str
    ) -> None:
        slack = ("slack", "slack", {"webhook_url": "https://hooks.slack.com/services/T/B/x"}, True)
        base = ways.Base.of(settings)
        database.write_now(lambda session: ways.put_channel(session, NOW_NS, "ann", base, slack))
        assert (await admin.post("/api/rules", json={"name": "x", "field": "cpu.usage", "value": 1})).status_code == 201
        await admin.delete("/api/rules/x")
        response = await admin.post("/api/rules", json={"name": "x", "field": "cpu.usage", "value": 1, **change})
        assert error_of(response) == (422, "bad_request")
        assert text in response.json()["error"]["message"]
        assert set(await listed(admin)) == {"CPU", "CPU warning"}

    @pytest.mark.parametrize("body", ["[]", "7", '"x"', "null", "{", '{"name": "x"'])
    async def test_what_is_no_rule_is_refused(self, admin: httpx.AsyncClient, body: str) -> None:
        response = await admin.post("/api/rules", content=body, headers={"content-type": "application/json"})
        assert response.status_code in (400, 422)

    async def test_what_others_are_made_of_stays(self, admin: httpx.AsyncClient) -> None:
        await admin.post("/api/rules", json={"name": "RAM", "field": "mem.usage", "value": 90})
        assert (await admin.post("/api/rules", json={"name": "both", "all": ["CPU", "RAM"]})).status_code == 201
        response = await admin.delete("/api/rules/RAM")
        assert error_of(response) == (409, "conflict")
        assert "a part of both" in response.text

    async def test_a_circle_is_refused(self, admin: httpx.AsyncClient) -> None:
        await admin.post("/api/rules", json={"name": "a", "any": ["CPU"]})
        await admin.post("/api/rules", json={"name": "b", "any": ["a"]})
        response = await admin.put("/api/rules/a", json={"any": ["b"]})
        assert error_of(response) == (422, "bad_request")
        assert "leads back to 'a' itself" in response.text


class TestChecking:
    async def test_what_is_pasted_is_read_and_priced_and_not_kept(
        self, client: httpx.AsyncClient, secrets: Secrets
    ) -> None:
        text = ",\n".join(part.removesuffix(",") for part in PASTED)
        client.headers["authorization"] = f"Bearer {secrets.monitor}"
        checked = (await client.post("/api/rules/check", json={"text": text})).json()
        assert [rule["name"] for rule in checked["rules"]] == list(NAMES)
        assert checked["problems"] == []
        assert (checked["cost"]["rules"], checked["cost"]["series"], checked["cost"]["subjects"]) == (3, 3, None)
        assert set(await listed(client)) == {"CPU", "CPU warning"}

    async def test_all_problems_are_told_with_their_lines(self, admin: httpx.AsyncClient) -> None:
        text = (
            "rules:\n  - name: a\n    field: cpu.usge\n    value: 1\n  - name: b\n    field: cpu.usage\n    valu: 1\n"
        )
        checked = (await admin.post("/api/rules/check", json={"text": text, "format": "yaml"})).json()
        assert [(problem["rule"], problem["field"], problem["line"]) for problem in checked["problems"]] == [
            ("a", "field", 3),
            ("b", "valu", 7),
        ]

    async def test_rules_may_name_each_other_before_they_are_saved(self, admin: httpx.AsyncClient) -> None:
        rules: list[dict[str, Any]] = [
            {"name": "a", "any": ["b", "CPU"]},
            {"name": "b", "field": "mem.usage", "value": 1, "by": "bot"},
        ]
        checked = (await admin.post("/api/rules/check", json={"rules": rules})).json()
        assert checked["problems"] == []
        assert checked["rules"][0]["by"] == ["everything"]
        rules[0]["any"] = ["c"]
        checked = (await admin.post("/api/rules/check", json={"rules": rules})).json()
        assert [problem["field"] for problem in checked["problems"]] == ["any"]

    async def test_there_is_a_bound(self, admin: httpx.AsyncClient) -> None:
        rules: list[dict[str, Any]] = [{}] * (limits.RULES_CHECKED_MAX + 1)
        assert error_of(await admin.post("/api/rules/check", json={"rules": rules})) == (422, "bad_request")


async def test_a_monitor_looks_and_changes_nothing(client: httpx.AsyncClient, secrets: Secrets) -> None:
    headers = bearer(secrets.monitor)
    assert (await client.get("/api/rules", headers=headers)).status_code == 200
    assert (await client.get("/api/rules/CPU", headers=headers)).status_code == 200
    for method, path in (("POST", ""), ("PUT", "/CPU"), ("PATCH", "/CPU"), ("DELETE", "/CPU")):
        response = await client.request(method, f"/api/rules{path}", headers=headers, json=CPU)
        assert error_of(response) == (403, "forbidden"), method
