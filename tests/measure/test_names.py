"""What there is to ask about."""

from __future__ import annotations

import pytest

from botwatch.errors import BadRequest
from botwatch.measure.names import Metric
from tests.measure.facts import T0, Facts


@pytest.fixture(scope="module", autouse=True)
def _named(facts: Facts) -> None:
    facts.spans(
        {"at": T0, "ms": 1, "action": "greet"},
        {"at": T0 + 60, "ms": 1, "action": "send_mail"},
        {"at": T0 + 30, "ms": 1, "action": "send_sms", "bot": "help"},
        {"at": T0, "ms": 1, "model": "gpt-4o", "provider": "openai", "resource": '{"service.version":"1.4"}'},
    )
    facts.events(
        {"at": T0, "session_id": "s", "event": "bot.session.end", "attributes": {"bot.session.outcome": "sold"}}
    )
    queue = {"metric": "bot.queue.depth", "value": 1}
    facts.points(
        {**queue, "at": T0, "labels": {"bot.queue.name": "mail"}},
        {**queue, "at": T0 + 9, "labels": {"bot.queue.name": "sms"}, "bot": "help"},
        {
            "metric": "bot.load",
            "value": 1,
            "at": T0,
            "unit": "1",
            "description": "how busy",
            "labels": {"b": "2", "a": "1"},
        },
    )
    facts.distributions({"metric": "wait", "kind": "histogram_delta", "at": T0, "count": 1, "unit": "ms"})


async def test_values_of_a_label_come_most_recent_first(facts: Facts) -> None:
    assert await facts.measures.label_values("action") == ["send_mail", "send_sms", "greet"]
    assert await facts.measures.label_values("action", bot="help") == ["send_sms"]
    assert await facts.measures.label_values("action", prefix="send_") == ["send_mail", "send_sms"]
    assert await facts.measures.label_values("action", limit=1) == ["send_mail"]
    assert set(await facts.measures.label_values("bot")) == {"shop", "help"}


async def test_labels_that_are_not_listed_have_values_too(facts: Facts) -> None:
    assert await facts.measures.label_values("level", prefix="w") == ["warn"]
    assert await facts.measures.label_values("direction") == ["in", "out"]
    assert await facts.measures.label_values("provider") == ["openai"]
    assert await facts.measures.label_values("version", measure="process.starts") == ["1.4"]
    assert await facts.measures.label_values("outcome") == ["sold", "answered", "failed", "handed_off", "unanswered"]


async def test_a_measures_own_labels_have_the_values_of_its_series(facts: Facts) -> None:
    assert await facts.measures.label_values("queue", measure="queue.depth") == ["sms", "mail"]
    assert await facts.measures.label_values("queue", measure="queue.depth", bot="shop") == ["mail"]
    assert await facts.measures.label_values("bot.queue.name", measure="metric:bot.queue.depth") == ["sms", "mail"]
    assert await facts.measures.label_values("action", measure="action.count") == ["send_mail", "send_sms", "greet"]
    assert await facts.measures.label_values("device", measure="disk.usage") == []


async def test_a_label_nobody_knows_is_told_what_is_near(facts: Facts) -> None:
    with pytest.raises(BadRequest, match="none called 'acton'; did you mean action"):
        await facts.measures.label_values("acton")
    with pytest.raises(BadRequest, match="limit: expected 1 to"):
        await facts.measures.label_values("action", limit=0)


async def test_metrics_are_told_with_their_labels(facts: Facts) -> None:
    load = Metric("bot.load", "gauge", "1", "how busy", ("a", "b"))
    assert load in await facts.measures.names.metrics()
    assert await facts.measures.names.metrics(prefix="bot.l") == [load]
    assert [found.name for found in await facts.measures.names.metrics(bot="help")] == ["bot.queue.depth"]
    (wait,) = await facts.measures.names.metrics(prefix="wait")
    assert (wait.kind, wait.unit) == ("histogram_delta", "ms")
