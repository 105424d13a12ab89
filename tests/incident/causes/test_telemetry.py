"""What the store tells of changes: asked on a real engine, with what bots of two versions sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from botwatch import limits
from botwatch.detect.finding import Reason
from botwatch.detect.rule import Severity
from botwatch.errors import StoreAway
from botwatch.incident.causes import calls, compare, telemetry
from botwatch.incident.causes.behind import Behind, behind
from botwatch.incident.causes.change import Change, Kind, Window
from botwatch.incident.causes.explainer import Explainer
from botwatch.incident.nouns import Opening
from botwatch.store.client import Params, Rows, Store
from tests.measure.facts import T0, Facts, when

S = 10**9
DEPLOYED = T0 + 7_200
WINDOW = Window(T0 * S, (T0 + 86_400) * S)


def resource(version: str, instance: str, **more: str) -> str:
    return json.dumps({"service.version": version, "service.instance.id": instance, **more})


def spans(facts: Facts, version: str, instance: str, start: int, end: int, every: int = 60, **more: Any) -> None:
    told = {"resource": resource(version, instance), "action": "greet", "ms": 20, **more}
    facts.spans(*({"at": at, **told} for at in range(start, end, every)))


async def known(store: Store, *kinds: Kind) -> list[Change]:
    found = [one for one in await telemetry.changes(store, WINDOW) if not kinds or one.kind in kinds]
    return sorted(found, key=lambda one: one.at_ns)


async def test_a_deploy_is_known_by_the_first_span_log_or_metric_of_a_version(facts: Facts) -> None:
    spans(facts, "1.0", "a", T0, DEPLOYED)
    facts.logs({"at": DEPLOYED + 5, "resource": resource("1.1", "b", **{"deployment.environment.name": ""})})
    facts.points({"metric": "process.uptime", "at": DEPLOYED + 2, "value": 1, "resource": {
        "service.version": "1.1", "service.instance.id": "b", "vcs.ref.head.revision": "abc123"}})  # fmt: skip
    spans(facts, "1.1", "b", DEPLOYED + 9, DEPLOYED + 900)
    first, deploy = await telemetry.known_deploys(facts.store, WINDOW)
    assert (first.now.version, first.before) == ("1.0", "")
    assert (deploy.now.version, deploy.before, deploy.now.began_ns) == ("1.1", "1.0", (DEPLOYED + 2) * S)
    assert (deploy.now.revision, deploy.now.hosts) == ("abc123", ("a",))
    assert [one.text for one in await known(facts.store, Kind.DEPLOY)] == [
        "shop 1.0 was first seen",
        "shop 1.1 was first seen instead of 1.0",
    ]


async def test_going_back_is_a_deploy_and_a_restart_is_none(facts: Facts) -> None:
    spans(facts, "1.0", "a", T0, T0 + 1_000)
    spans(facts, "1.0", "b", T0 + 1_030, T0 + 2_000)
    spans(facts, "2.0", "c", T0 + 2_010, T0 + 4_000)
    spans(facts, "1.0", "d", T0 + 4_200, T0 + 5_000)
    found = await telemetry.known_deploys(facts.store, WINDOW)
    assert [(one.before, one.now.version) for one in found] == [("", "1.0"), ("1.0", "2.0"), ("2.0", "1.0")]
    assert [(one.now.processes, one.now.began_ns // S - T0) for one in found] == [(2, 0), (1, 2_010), (1, 4_200)]


async def test_what_an_observer_tells_of_a_bot_is_no_run_of_it(facts: Facts) -> None:
    told = {"service.version": "0.1", "service.instance.id": "x", "botwatch.observer": "host"}
    facts.points({"metric": "process.memory.growth", "at": T0, "value": 1, "resource": told})
    assert await known(facts.store) == []


async def test_a_new_model_and_a_new_dependency_are_changes_of_a_bot_that_is_not_new(facts: Facts) -> None:
    facts.spans(*({"at": T0 + 60 * n, "model": "small", "dependency": "crm"} for n in range(60)))
    facts.spans({"at": DEPLOYED, "model": "large", "dependency": "crm"})
    facts.spans({"at": DEPLOYED + 60, "dependency": "billing"}, {"at": DEPLOYED, "bot": "young", "model": "large"})
    assert [(one.kind, one.text) for one in await known(facts.store, Kind.MODEL, Kind.DEPENDENCY)] == [
        (Kind.MODEL, "shop called the model large for the first time"),
        (Kind.DEPENDENCY, "shop called the dependency billing for the first time"),
    ]


async def test_limits_breakers_and_services(facts: Facts) -> None:
    told = {"name": "crm", "limit.name": "requests", "limit.before": "60.0", "limit.after": "20.0"}
    limit = {f"bot.dependency.{name}": value for name, value in told.items()}
    breaker = {"bot.breaker.name": "crm", "bot.breaker.after": "half_open"}
    facts.events(
        {"at": T0 + 1, "event": "bot.dependency.limit_changed", "attributes": limit},
        {"at": T0 + 2, "event": "bot.breaker", "attributes": breaker},
    )
    looks = [(1, "running", "unknown", "7"), (3, "stopped", "running", "7"), (9, "running", "stopped", "8")]
    for at, status, before, version in looks:  # that it is looked at is no change of it
        known_of = {"status": status, "before": before, "version": version}
        facts.insert("service_changes", [{"service": "redis", "host": "h", "at": when(T0 + at, 3), **known_of}])
    assert [one.text for one in await known(facts.store)] == [
        "crm changed its limit requests for shop from 60 to 20",
        "shop: the circuit breaker crm is half open",
        "redis is stopped, it was running",
        "redis is running, it was stopped; its version is 8, it was 7",
    ]


async def test_a_dependency_that_fails_since_a_minute(facts: Facts) -> None:
    facts.spans(*({"at": T0 + 10 * n, "dependency": "crm", "ms": 30} for n in range(360)))
    facts.spans(*({"at": T0 + 3_600 + 10 * n, "dependency": "crm", "ms": 30, "status": "error"} for n in range(24)))
    (found,) = await calls.changes(facts.store, "shop", (T0 + 3_700) * S)
    assert (found.at_ns, found.text) == ((T0 + 3_600) * S, "crm fails in 100 %, it was 0 %, called by shop")
    assert await calls.changes(facts.store, "other", (T0 + 3_700) * S) == []


def deploy(version: str = "1.1", before: str = "1.0") -> Change:
    detail = (("version", version), ("before", before))
    return Change(Kind.DEPLOY, DEPLOYED * S, "", "shop", frozenset({("bot", "shop")}), detail=detail)


async def test_versions_side_by_side_are_compared_by_their_errors_and_their_times(facts: Facts) -> None:
    end = DEPLOYED + 600
    spans(facts, "1.0", "a", DEPLOYED - 600, end, 10)
    spans(facts, "1.1", "b", DEPLOYED, end, 10, status="error", ms=90)
    failing = await compare.compared(facts.store, of("action.errors"), {"bot": "shop"}, deploy(), end * S)
    slow = await compare.compared(facts.store, of("action.latency"), {"bot": "shop"}, deploy(), end * S)
    assert failing is not None
    assert slow is not None
    assert (failing.worse, slow.worse) == (True, True)
    assert failing.sentence == "its actions fail in 100 % with 1.1, and 0 % with 1.0 beside it (of 60 and 60)"
    assert slow.sentence == "its actions take 90 ms with 1.1, and 20 ms with 1.0 beside it (of 60 and 60)"
    assert await compare.compared(facts.store, of("contract.breached"), {}, deploy(), end * S) is None


async def test_turns_are_compared_by_the_version_their_session_spoke_with(facts: Facts) -> None:
    for version, outcome in (("1.0", "answered"), ("1.1", "unanswered")):
        ids = [f"{version}-{n}" for n in range(30)]
        said = {"event": "bot.message", "resource": resource(version, version)}
        facts.logs(*({**said, "at": DEPLOYED + n, "session_id": id} for n, id in enumerate(ids)))
        turn = {"outcome": outcome, "ms": 500 if outcome == "answered" else None}
        facts.turns(*({**turn, "at": DEPLOYED + n, "session_id": id, "message_id": id} for n, id in enumerate(ids)))
    found = await compare.compared(facts.store, of("turns.unanswered"), {}, deploy(), (DEPLOYED + 600) * S)
    assert found is not None
    assert found.worse
    assert (found.now.count, found.now.bad, found.old.count, found.old.bad) == (30, 30, 30, 0)


def of(field: str) -> Behind:
    found = behind({"field": field})
    assert found is not None
    return found


def opening(**labels: str) -> Opening:
    return Opening(
        "1" * 32, "Error rate high", "shop", labels, Severity.WARNING, Reason.BREACHED, "", 1.0, (DEPLOYED + 60) * S,
        (DEPLOYED + 600) * S, {"field": "action.errors"},
    )  # fmt: skip


async def test_an_opening_is_told_what_changed_and_what_was_measured(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INCIDENT_EXPLAINED_S_MAX", 60)
    spans(facts, "1.0", "a", DEPLOYED - 600, DEPLOYED + 600, 10)
    spans(facts, "1.1", "b", DEPLOYED, DEPLOYED + 600, 10, status="error")
    (told,) = await Explainer(facts.store)([opening(bot="shop")])
    assert told.found.known
    assert [one.text for one in told.found.changes if not one.usual] == ["shop 1.1 was first seen instead of 1.0"]
    assert [one.worse for one in told.found.measured.values()] == [True]
    touched = told.found.touched
    assert touched is not None
    assert (touched.noun, touched.count, touched.of, touched.sessions) == ("actions", 54, 108, 0)
    assert [(one.text, one.at_ns // S - DEPLOYED) for one in touched.examples] == [("greet", 590), ("greet", 580)]


async def test_while_the_store_is_away_it_opens_and_says_that_nobody_could_look(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(sql: str, params: Params | None = None) -> Rows:
        raise StoreAway("the telemetry store does not answer (code 210)")

    monkeypatch.setattr(facts.store, "fetch", away)
    (told,) = await Explainer(facts.store)([opening(bot="shop")])
    assert (told.found.known, told.found.changes) == (False, ())
