"""Incidents over HTTP: who may do what, in which shape, and what a rule would have done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from botwatch.api import Context
from botwatch.clock import SECOND_NS
from botwatch.detect.book import RuleBook
from botwatch.detect.finding import Reason
from botwatch.detect.rule import Severity
from botwatch.incident import ledger
from botwatch.incident.backtest import Backtester
from botwatch.incident.health import Health, Judgement
from botwatch.incident.links import Templates, links
from botwatch.incident.notation import values_of
from botwatch.incident.nouns import Opening, Resolving
from botwatch.incident.recorded import Recorded, Series
from botwatch.state import audit
from tests.api.conftest import NOW_NS, Secrets

NOW_S = NOW_NS // SECOND_NS
BOTPRESS = {"id", "ruleName", "hostName", "startTime", "endTime", "triggerValue"}


@pytest.fixture
def context(context: Context, tmp_path: Path) -> Context:
    book = RuleBook(context.database, tmp_path / "rules")
    book.reload()
    series = Recorded(NOW_S - 3_600, [Series("cpu.usage", {"host": "web-1"}, values_of("10x30m 90x20m 10x10m"))])
    health = Health(leading=True, judged_s=NOW_S - 10, rules=3, troubles={"Heavy": "it takes too long"})
    return replace(context, rules=book, judgement=Judgement(health, Backtester(series, context.clock)))


def put(context: Context, number: int, *, ended: bool = False, **labels: str) -> str:
    started_ns = (NOW_S - 1_000 + number) * SECOND_NS
    led = links(
        Templates({}), rule="CPU", measure="cpu.usage", labels=labels, began_ns=started_ns, started_ns=started_ns
    )
    evidence = {"measure": "cpu.usage", "unit": "percent", "points": [[NOW_S - 1_010, 91.5]], "links": led}
    opening = Opening(
        f"{number:032x}", "CPU", ",".join(f"{k}={v}" for k, v in labels.items()), labels, Severity.CRITICAL,
        Reason.BREACHED, "cpu.usage is too much", 91.5, started_ns, started_ns, {"name": "CPU", "runbook": "http://r"},
        evidence,
    )  # fmt: skip
    context.database.write_now(lambda session: ledger.open_(session, opening))
    if ended:
        over = Resolving(opening.id, started_ns + SECOND_NS, Reason.RECOVERED, "well again", 10.0, 95.0)
        context.database.write_now(lambda session: ledger.resolve(session, over))
    return opening.id


async def get(client: httpx.AsyncClient, path: str, secret: str) -> Any:
    answer = await client.get(path, headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_incident_has_botpress_properties_and_ours(
    client: httpx.AsyncClient, context: Context, secrets: Secrets
) -> None:
    put(context, 1, host="web-1")
    put(context, 2, ended=True, bot="shop")
    newest, first = (await get(client, "/api/incidents", secrets.monitor))["items"]
    assert set(first) > BOTPRESS
    assert (first["hostName"], first["ruleName"], first["triggerValue"]) == ("web-1", "CPU", 91.5)
    assert first["endTime"] is None
    assert newest["endTime"] is not None
    assert newest["hostName"] == "bot=shop"
    whole = await get(client, f"/api/incidents/{first['id']}", secrets.monitor)
    assert whole["runbook"] == "http://r"
    assert [change["what"] for change in whole["changes"]] == ["opened"]
    assert whole["evidence"]["points"] == [[NOW_S - 1_010, 91.5]]
    urls = {link["name"]: link["url"] for link in whole["evidence"]["links"]}
    assert urls["Logs"].startswith("/explore?host=web-1&from=2027-")


async def test_lists_are_filtered_and_come_in_pages(
    client: httpx.AsyncClient, context: Context, secrets: Secrets
) -> None:
    for number in range(1, 6):
        put(context, number, ended=number > 3, host=f"h{number}")
    first = await get(client, "/api/incidents?limit=2&open=true", secrets.monitor)
    rest = await get(client, f"/api/incidents?limit=2&open=true&cursor={first['next']}", secrets.monitor)
    assert [item["hostName"] for item in (*first["items"], *rest["items"])] == ["h3", "h2", "h1"]
    assert rest["next"] is None
    found = await get(client, "/api/incidents?label=host=h2", secrets.monitor)
    assert [item["hostName"] for item in found["items"]] == ["h2"]


async def test_an_admin_acknowledges_and_notes_and_a_monitor_looks(
    client: httpx.AsyncClient, context: Context, secrets: Secrets
) -> None:
    path = f"/api/incidents/{put(context, 1, host='web-1')}"
    monitor, admin = ({"authorization": f"Bearer {secret}"} for secret in (secrets.monitor, secrets.admin))
    assert (await client.post(f"{path}/acknowledge", json={}, headers=monitor)).status_code == 403
    answer = await client.post(f"{path}/acknowledge", json={"note": "on it"}, headers=admin)
    assert (answer.status_code, answer.json()["status"]) == (200, "acknowledged")
    assert (await client.post(f"{path}/notes", json={"text": "the disk"}, headers=admin)).status_code == 201
    changes = (await get(client, path, secrets.monitor))["changes"]
    assert [(change["what"], change["why"]) for change in changes[1:]] == [
        ("acknowledged", "on it"),
        ("noted", "the disk"),
    ]
    assert changes[1]["who"] == answer.json()["acknowledged_by"]
    entries = context.database.read_now(lambda session: audit.entries(session, before_id=None, count=9))
    assert {"incident.acknowledge", "incident.note"} <= {entry.what for entry in entries}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/api/incidents/{7:032x}", 404),
        ("/api/incidents/nonsense", 422),
        ("/api/incidents?label=host", 422),
        ("/api/incidents?status=over", 422),
        ("/api/incidents?cursor=x", 422),
    ],
)
async def test_what_does_not_fit_is_refused(
    client: httpx.AsyncClient, secrets: Secrets, path: str, status: int
) -> None:
    answer = await client.get(path, headers={"authorization": f"Bearer {secrets.monitor}"})
    assert answer.status_code == status, answer.text


async def test_judging_says_how_it_is_doing(client: httpx.AsyncClient, context: Context, secrets: Secrets) -> None:
    put(context, 1, host="web-1")
    found = await get(client, "/api/incidents/judging", secrets.monitor)
    assert (found["leading"], found["paused"], found["troubles"]) == (True, "", {"Heavy": "it takes too long"})
    assert found["open"] == {"info": 0, "warning": 0, "critical": 1}


async def test_a_rule_is_tried_on_history_before_it_is_saved(client: httpx.AsyncClient, secrets: Secrets) -> None:
    rule = {"name": "High", "field": "cpu.usage", "value": 60, "timeframe": "2m"}
    headers = {"authorization": f"Bearer {secrets.monitor}"}
    answer = await client.post("/api/rules/backtest", json={"rule": rule, "period": "1h"}, headers=headers)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["incidents"], found["subjects"], found["open_seconds"]) == (1, 1, 1_170)
    assert found["items"][0]["labels"] == {"host": "web-1"}
    named = await client.post("/api/rules/backtest", json={"rule": "CPU usage high", "period": "1h"}, headers=headers)
    assert named.json()["incidents"] == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"rule": "CPU usage hih"}, "did you mean CPU usage high"),
        ({"rule": {"name": "x", "field": "cpu.usage", "value": 1}, "period": "soon"}, "duration"),
        ({"rule": {"name": "x", "field": "cpu.usagee", "value": 1}}, "did you mean cpu.usage"),
        ({"rule": {"name": "x", "feild": "cpu.usage", "value": 1}}, "feild"),
        ({"rule": {"name": "x", "all": ["Nowhere"], "by": "host"}}, "no rule called 'Nowhere'"),
    ],
)
async def test_a_rule_that_cannot_be_tried_says_why(
    client: httpx.AsyncClient, secrets: Secrets, body: Any, words: str
) -> None:
    answer = await client.post("/api/rules/backtest", json=body, headers={"authorization": f"Bearer {secrets.monitor}"})
    assert answer.status_code in (404, 422), answer.text
    assert words in answer.text


async def test_noise_lists_every_rule(client: httpx.AsyncClient, context: Context, secrets: Secrets) -> None:
    put(context, 1, ended=True, host="web-1")
    rules = {rule["rule"]: rule for rule in (await get(client, "/api/rules/noise", secrets.monitor))["rules"]}
    assert rules["CPU"]["incidents"] == 1
    assert rules["CPU usage high"]["verdict"] == "silent"


async def test_nobody_looks_without_signing_in(client: httpx.AsyncClient, app: FastAPI) -> None:
    for path in ("/api/incidents", "/api/incidents/judging", "/api/rules/noise"):
        assert (await client.get(path)).status_code == 401
