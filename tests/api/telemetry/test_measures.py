"""The catalogue, what bots consist of, and which bots and hosts there are."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import error_of
from tests.api.telemetry.conftest import Asker, Bots, trace


def work(bots: Bots) -> None:
    """Ten replies of which one failed, and forty calls: one timed out, two were refused."""
    bots.spans(
        *(
            {"ago": 60 + n, "trace_id": trace(n), "action": "reply", "ms": 100, "status": "error" if n == 0 else "ok"}
            for n in range(10)
        ),
        *({"ago": 60 + n, "trace_id": trace(n), "dependency": "openai", "ms": 10, "host": "h1"} for n in range(37)),
        {
            "ago": 60,
            "trace_id": trace(1),
            "dependency": "openai",
            "status": "error",
            "failure": "timeout",
            "ms": 30_000,
        },
        *(
            {
                "ago": 60,
                "trace_id": trace(n),
                "dependency": "openai",
                "status": "error",
                "failure": "rate_limited",
                "ms": 10,
            }
            for n in range(2)
        ),
        {
            "ago": 30,
            "trace_id": trace(1),
            "bot": "help",
            "model": "gpt-4o-mini",
            "provider": "openai",
            "tokens_in": 1_000_000,
            "tokens_out": 1_000_000,
            "ms": 500,
        },
        {"ago": 30, "trace_id": trace(1), "bot": "help", "model": "own-model", "tokens_in": 5, "ms": 500},
    )


def only(page: Any) -> Any:
    assert page["next"] is None
    (item,) = page["items"]
    return item


async def test_an_action_with_its_rate_and_its_latency(admin: Asker, bots: Bots) -> None:
    work(bots)
    action = only(await admin.get("/api/actions"))
    latency = action.pop("latency_ms")
    assert action == {
        "bot": "shop",
        "name": "reply",
        "count": 10,
        "errors": 1,
        "success_rate": 90.0,
        "last_seen": "2027-01-15T07:59:10Z",
    }
    assert latency["avg"] == 100
    assert all(99 <= latency[name] <= 101 for name in ("p50", "p95", "p99"))


async def test_the_dependency_that_is_slow_or_refuses_is_named(admin: Asker, bots: Bots) -> None:
    work(bots)
    dependency = only(await admin.get("/api/dependencies", name="openai"))
    assert {name: dependency[name] for name in ("count", "errors", "error_rate", "timeouts", "rate_limited")} == {
        "count": 40,
        "errors": 3,
        "error_rate": 7.5,
        "timeouts": 1,
        "rate_limited": 2,
    }
    assert 29_700 <= dependency["latency_ms"]["p99"] <= 30_300
    assert (await admin.get("/api/dependencies", name="redis"))["items"] == []
    assert (await admin.get("/api/dependencies", bot="help"))["items"] == []


async def test_models_with_their_tokens_and_cost(admin: Asker, bots: Bots) -> None:
    work(bots)
    models = {item["name"]: item for item in (await admin.get("/api/models"))["items"]}
    known, own = models["gpt-4o-mini"], models["own-model"]
    assert (known["provider"], known["count"], known["tokens_in"], known["tokens_out"]) == (
        "openai",
        1,
        1_000_000,
        1_000_000,
    )
    assert known["cost_usd"] > 0.1
    assert (own["tokens_in"], own["cost_usd"]) == (5, None)


async def test_windows_and_pages_of_actions(admin: Asker, bots: Bots) -> None:
    bots.spans(*({"ago": 100 + n, "trace_id": trace(1), "action": f"a{k}"} for k in range(7) for n in range(k + 1)))
    bots.span(100_000, trace(1), action="yesterday")
    pages = await admin.pages("/api/actions", limit=3)
    assert [[item["name"] for item in page] for page in pages] == [["a6", "a5", "a4"], ["a3", "a2", "a1"], ["a0"]]
    assert (await admin.get("/api/actions", period="30s"))["items"] == []
    assert "yesterday" in {item["name"] for item in (await admin.get("/api/actions", period="2d"))["items"]}


async def test_bots_and_hosts_and_when_they_were_seen(admin: Asker, bots: Bots) -> None:
    bots.spans({"ago": 100_000, "trace_id": trace(1), "action": "a", "host": "h1"})
    bots.spans({"ago": 60, "trace_id": trace(1), "action": "a", "host": "h2", "bot": "help"})
    bots.spans({"ago": 50, "trace_id": trace(1), "action": "a", "host": "h2"})
    bots.talk("s1", 40, channel="web")
    assert await admin.get("/api/bots") == {
        "items": [
            {
                "name": "help",
                "first_seen": "2027-01-15T07:59:00Z",
                "last_seen": "2027-01-15T07:59:00Z",
                "hosts": ["h2"],
                "channels": [],
            },
            {
                "name": "shop",
                "first_seen": "2027-01-14T04:13:20Z",
                "last_seen": "2027-01-15T07:59:20Z",
                "hosts": ["h1", "h2"],
                "channels": ["web"],
            },
        ],
        "next": None,
    }
    hosts = await admin.pages("/api/hosts", limit=1)
    assert [(item["name"], item["bots"]) for (item,) in hosts] == [("h1", ["shop"]), ("h2", ["help", "shop"])]


async def test_the_catalogue_lists_measures_and_the_metrics_that_came(admin: Asker, bots: Bots) -> None:
    point = {"bot": "shop", "metric": "queue.size", "kind": "gauge", "series": 7, "at": 1_799_999_999, "value": 4}
    bots.put("number_points", point | {"unit": "1", "label_names": ["queue"], "label_values": ["in"], "resource": "{}"})
    catalogue = await admin.get("/api/measures")
    measures = {measure["name"]: measure for measure in catalogue["measures"]}
    assert len(measures) > 40
    assert measures["cpu.usage"]["thresholds"] == {"warning": 70, "critical": 85}
    assert measures["cpu.usage"]["colours"] == {"warning": 80, "critical": 95}
    assert {"bot", "action"} <= set(measures["action.count"]["labels"])
    assert catalogue["metrics"] == [
        {"name": "queue.size", "kind": "gauge", "unit": "1", "help": "", "labels": ["queue"]}
    ]
    assert (await admin.get("/api/measures", prefix="cpu"))["metrics"] == []


async def test_values_of_a_label(admin: Asker, bots: Bots) -> None:
    work(bots)
    path = "/api/measures/action.count/values"
    assert await admin.get(path, label="action") == {"label": "action", "values": ["reply"]}
    assert (await admin.get(path, label="action", prefix="x"))["values"] == []
    assert set((await admin.get(path, label="bot"))["values"]) == {"shop", "help"}
    assert error_of(await admin.response(path)) == (422, "bad_request")
    assert error_of(await admin.response(path, label="colour")) == (422, "bad_request")
