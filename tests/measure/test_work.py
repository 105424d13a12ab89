"""Actions, requests, dependencies and models, against numbers counted by hand."""

from __future__ import annotations

import pytest

from botwatch.measure.query import Condition, Op
from tests.measure.facts import T0, Asked, Facts, where

OPENAI = {"model": "gpt-4o", "provider": "openai", "tokens_in": 1_000, "tokens_out": 100}
LOCAL = {"model": "house-made", "provider": "ollama", "tokens_in": 500, "tokens_out": 50}


@pytest.fixture(scope="module", autouse=True)
def _done(facts: Facts) -> None:
    hour_s = 3_600
    steady: list[Asked] = [{"at": T0 + i * 3.6, "ms": 20, "action": "greet"} for i in range(1_000)]
    for i in (500, 999):
        steady[i] |= {"status": "error", "failure": "error"}
    sends = [{"at": T0 + i * 3.6, "ms": 50, "action": "send_confirmation"} for i in range(1_000)]
    sends[0] |= {"status": "error", "failure": "error"}
    later = [{"at": T0 + hour_s + i * 3.6, "ms": 50, "action": "send_confirmation"} for i in range(1_000)]
    for i in range(0, 1_000, 10):
        later[i] |= {"status": "error", "failure": "error"}
    steady_later = [{**span, "at": span["at"] + hour_s} for span in steady]
    facts.spans(*steady, *sends, *later, *steady_later)
    calls = [{"at": T0 + i, "ms": 10, "dependency": "crm", "host": "ab"[i % 2]} for i in range(100)]
    for i in range(0, 100, 5):
        calls[i] |= {"status": "error", "failure": "timeout", "ms": 1_000}
    for i in (1, 2):
        calls[i] |= {"failure": "rate_limited"}
    facts.spans(*calls, *({"at": T0 + i, "ms": 5, "dependency": "db"} for i in range(10)))
    facts.spans(
        *({"at": T0 + i, "ms": 10 * (i + 1), "request": "/hook"} for i in range(10)),
        {"at": T0 + 20, "ms": 900, "request": "/status", "status": "error", "failure": "error"},
    )
    facts.spans(
        *({"at": T0 + i, "ms": 400, **OPENAI} for i in range(10)),
        *({"at": T0 + i, "ms": 100, "bot": "help", **LOCAL} for i in range(4)),
    )


async def test_a_drop_in_one_action_shows_on_that_action_alone(facts: Facts) -> None:
    found = await facts.series("action.success_rate", T0, T0 + 7_200, 3_600, by=("action",))
    rates = {series.labels["action"]: [value for _, value in series.points] for series in found}
    assert rates == {
        "greet": [pytest.approx(99.8), pytest.approx(99.8)],
        "send_confirmation": [pytest.approx(99.9), pytest.approx(90)],
    }


async def test_the_error_rate_is_exact(facts: Facts) -> None:
    assert await facts.one("errors.rate", T0, T0 + 7_200) == pytest.approx(100 * 105 / 4_000)
    assert await facts.value("action.errors", T0, T0 + 7_200, by=("action",)) == {
        ("greet",): 4,
        ("send_confirmation",): 101,
    }
    assert await facts.value("action.error_rate", T0, T0 + 3_600, by=("action",)) == {
        ("greet",): pytest.approx(0.2),
        ("send_confirmation",): pytest.approx(0.1),
    }


async def test_a_fifth_of_the_calls_timed_out_shows_as_20_percent(facts: Facts) -> None:
    crm = where(dependency="crm")
    assert await facts.one("dependency.timeout_rate", where=crm) == pytest.approx(20)
    assert await facts.one("dependency.timeouts", where=crm) == 20
    assert await facts.value("dependency.timeout_rate", by=("dependency",)) == {("crm",): pytest.approx(20), ("db",): 0}


async def test_refusals_for_being_too_many_are_no_errors(facts: Facts) -> None:
    assert await facts.one("dependency.rate_limited") == 2
    assert await facts.one("dependency.errors") == 20
    assert await facts.one("dependency.error_rate") == pytest.approx(100 * 20 / 110)


async def test_failed_calls_are_timed_too(facts: Facts) -> None:
    crm = where(dependency="crm")
    assert await facts.one("dependency.latency", where=crm) == pytest.approx((20 * 1_000 + 80 * 10) / 100)
    assert await facts.one("dependency.latency.p50", where=crm) == pytest.approx(10, rel=0.01)
    assert await facts.one("dependency.latency.p95", where=crm) == pytest.approx(1_000, rel=0.01)


async def test_two_hosts_are_two_series_and_one_picture(facts: Facts) -> None:
    assert await facts.value("dependency.count", by=("host",), where=where(dependency="crm")) == {
        ("a",): 50,
        ("b",): 50,
    }
    assert await facts.one("dependency.count", where=where(dependency="crm")) == 100


async def test_requests_have_a_count_an_average_and_a_sum(facts: Facts) -> None:
    assert await facts.one("requests.count") == 11
    assert await facts.one("requests.errors") == 1
    assert await facts.one("requests.latency_sum") == pytest.approx(550 + 900)
    assert await facts.one("requests.latency") == pytest.approx(1_450 / 11)
    assert await facts.one("requests.latency_avg") == pytest.approx(1_450 / 11)
    assert await facts.value("requests.count", by=("route",)) == {("/hook",): 10, ("/status",): 1}


async def test_models_have_tokens_calls_and_latency(facts: Facts) -> None:
    assert await facts.one("model.count") == 14
    assert await facts.one("model.tokens") == 10 * 1_100 + 4 * 550
    assert await facts.one("model.tokens.in") == 12_000
    assert await facts.one("model.tokens.out") == 1_200
    assert await facts.value("model.latency", by=("model", "provider")) == {
        ("gpt-4o", "openai"): 400,
        ("house-made", "ollama"): 100,
    }


async def test_the_rate_of_a_count_is_by_the_second(facts: Facts) -> None:
    assert await facts.one("model.count", aggregation="rate") == pytest.approx(14 / 3_600)
    (found,) = await facts.series("action.count", T0 + 10, T0 + 600, 300, aggregation="rate")
    assert found.points[1][1] == pytest.approx(600 / 3.6 / 300, rel=0.02)
    # The first bucket is cut by the window: its 290 seconds count, not its 300.
    counted = await facts.one("action.count", T0 + 10, T0 + 300)
    assert counted is not None
    assert found.points[0][1] == pytest.approx(counted / 290)


async def test_conditions_choose_the_rows(facts: Facts) -> None:
    async def count(*conditions: Condition) -> float | None:
        return await facts.one("action.count", where=conditions)

    assert await count(Condition("action", Op.IS, ("greet",))) == 1_000
    assert await count(Condition("action", Op.IS, ("greet", "send_confirmation"))) == 2_000
    assert await count(Condition("action", Op.IS_NOT, ("greet",))) == 1_000
    assert await count(Condition("action", Op.IS_NOT, ("greet", "send_confirmation"))) == 0
    assert await count(Condition("action", Op.LIKE, ("send_*",))) == 1_000
    assert await count(Condition("action", Op.LIKE, ("gr??t", "*firm*"))) == 2_000
    assert await count(Condition("action", Op.LIKE, ("send?",))) == 0
    assert await count(Condition("action", Op.IS, ("greet",)), Condition("bot", Op.IS, ("help",))) == 0
    assert await count(Condition("bot", Op.IS, ("nobody",))) is None
