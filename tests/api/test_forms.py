"""What can be made in the pages is described by the models that check it: the form asks for all they take."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from botwatch.detect.contract import Contract
from botwatch.detect.plan import Options as Baseline
from botwatch.detect.problems import read_rule
from botwatch.detect.rule import Kind, Rule
from botwatch.notify.channels import KINDS as CHANNELS
from botwatch.notify.route import Route
from botwatch.notify.silence import Silence
from botwatch.watch.given import Described
from botwatch.watch.probes.registry import KINDS as SERVICES
from tests.api.conftest import Secrets, bearer, error_of

Field = dict[str, Any]


@pytest.fixture
async def forms(client: httpx.AsyncClient, secrets: Secrets) -> dict[str, Any]:
    answer = await client.get("/api/forms", headers=bearer(secrets.monitor))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def named(fields: list[Field]) -> dict[str, Field]:
    return {field["name"]: field for field in fields}


def called(model: type[Any]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


async def test_who_is_nobody_is_told_nothing(client: httpx.AsyncClient) -> None:
    assert error_of(await client.get("/api/forms")) == (401, "unauthorised")


async def test_every_kind_there_is_can_be_made(forms: dict[str, Any]) -> None:
    assert [kind["name"] for kind in forms["channels"]] == list(CHANNELS)
    assert [kind["name"] for kind in forms["services"]] == list(SERVICES)
    assert {kind["name"] for kind in forms["rules"]} == {*Kind, "drift"}
    for kind in forms["channels"]:
        assert set(named(kind["options"])) == called(CHANNELS[kind["name"]].options)
    asked = {name for kind in forms["services"] for name in named(kind["options"])}
    assert asked == called(Described) - {"kind"}
    rules = {name for kind in forms["rules"] for name in named(kind["options"])}
    assert rules == called(Rule) - {"kind", "source", "enabled"}
    assert (set(named(forms["route"])), set(named(forms["silence"]))) == (called(Route), called(Silence))


async def test_what_is_secret_is_asked_for_as_such_and_has_no_default(forms: dict[str, Any]) -> None:
    postgres = named(next(kind for kind in forms["services"] if kind["name"] == "postgresql")["options"])
    assert {name for name, field in postgres.items() if field.get("secret")} == {"url", "password"}
    webhook = named(next(kind for kind in forms["channels"] if kind["name"] == "webhook")["options"])
    assert {name for name, field in webhook.items() if field.get("secret")} == {"url", "secret", "headers"}
    assert not any("default" in field for field in (*postgres.values(), *webhook.values()) if field.get("secret"))


async def test_groups_and_their_bounds_come_from_the_models(forms: dict[str, Any]) -> None:
    kinds = {kind["name"]: named(kind["options"]) for kind in forms["rules"]}
    contract = named(kinds["contract"]["options"]["fields"])
    assert set(contract) == called(Contract)
    assert [contract[name]["type"] for name in ("when", "then", "within", "hours", "terms")] == [
        "group",
        "groups",
        "duration",
        "group",
        "groups",
    ]
    assert set(named(contract["when"]["fields"])) == {"what", "where"}  # its name is written in one with what
    baseline = named(kinds["baseline"]["options"]["fields"])
    assert set(baseline) == called(Baseline)
    assert baseline["sensitivity"]["choices"] == ["low", "medium", "high"]
    assert (baseline["expected_min"]["least"], baseline["expected_min"]["most"]) == (1, 1_000_000)
    assert kinds["ratio"]["value"]["type"] == "percent"
    assert (kinds["threshold"]["timeframe"]["type"], kinds["threshold"]["timeframe"]["default"]) == ("duration", "1m")


SAID: dict[str, dict[str, Any]] = {
    "threshold": {"field": "cpu.usage", "value": 80},
    "ratio": {"field": "turns.unanswered", "per": "turns.count", "value": 0.05},
    "absence": {"field": "messages.in"},
    "baseline": {"field": "messages.in", "options": {"side": "low"}},
    "composite": {"all": ["a", "b"]},
    "contract": {"options": {"when": {"what": "handoff"}, "then": [{"what": "message human"}], "within": "15m"}},
    "drift": {"value": 1},
}


async def test_what_a_form_needs_is_all_that_a_rule_needs(forms: dict[str, Any]) -> None:
    """With its own defaults for what is needed, as the page begins it."""
    for kind in forms["rules"]:
        fields = named(kind["options"])
        begun = {
            name: field["default"] for name, field in fields.items() if field.get("required") and "default" in field
        }
        rule = read_rule({"name": "ours", **kind.get("given", {}), **begun, **SAID[kind["name"]]}, "api")
        assert rule.kind == kind["given"]["kind"], kind["name"]
        made = rule.model_dump(mode="json", by_alias=True)
        shown = {
            name: field["default"]
            for name, field in fields.items()
            if field.get("default") and name not in SAID[kind["name"]]
        }
        assert shown == {name: made[name] for name in shown}, "what a form shows is what it comes to"
        needed = {name for name, field in fields.items() if field.get("required")} - {"name"}
        assert needed <= SAID[kind["name"]].keys() | begun.keys(), kind["name"]
