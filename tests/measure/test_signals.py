"""Logs, events, payloads, and the difference between nothing and silence."""

from __future__ import annotations

import pytest

from tests.measure.facts import T0, Facts, cumulated, where

TICK_S = 10


def beats(bot: str, start_s: int, counts: list[int], kind: str = "in", host: str = "a") -> list[dict[str, object]]:
    """A heartbeat a tick, with a counter that grew by each of `counts` since the one before."""
    return [
        {"at": start_s + TICK_S * i + 1, "value": value, "metric": "bot.events", "kind": "cumulative"}
        | {"bot": bot, "host": host, "labels": {"bot.event.kind": kind}, "resource": {"service.instance.id": host}}
        for i, value in enumerate(cumulated(counts))
    ]


@pytest.fixture(scope="module", autouse=True)
def _told(facts: Facts) -> None:
    facts.logs(
        *({"at": T0 + i, "event": "order.placed"} for i in range(5)),
        {"at": T0 + 5, "severity": 13, "level": "warn"},
        {"at": T0 + 6, "severity": 17, "level": "error"},
        {"at": T0 + 7, "severity": 21, "level": "fatal", "host": "b"},
    )
    facts.payloads(
        {"at": T0, "document": '{"id": 1}'},
        {"at": T0 + 1, "document": '{"id": ', "invalid": True},
        {"at": T0 + 2, "document": "[]", "source": "stock"},
    )
    facts.points(*beats("clock", T0, [0, 3, 0, 2]), *beats("clock", T0, [0, 0, 1, 0], "error"))
    facts.messages(
        *({"at": T0 + 12 + i, "bot": "clock", "session_id": "s"} for i in range(3)),
        *({"at": T0 + 15, "bot": "plain", "session_id": "p"} for _ in range(2)),
        {"at": T0 + 35, "bot": "plain", "session_id": "p"},
    )


async def test_logs_are_counted_by_level_and_event(facts: Facts) -> None:
    assert await facts.value("logs.count", by=("level",)) == {("error",): 1, ("fatal",): 1, ("info",): 5, ("warn",): 1}
    assert await facts.value("logs.count", by=("event",), where=where(level="info")) == {("order.placed",): 5}
    assert await facts.one("logs.warnings") == 1
    assert await facts.one("logs.errors") == 2


async def test_payloads_that_are_no_json_are_counted(facts: Facts) -> None:
    assert await facts.one("payloads.count") == 3
    assert await facts.value("payloads.invalid", by=("source",)) == {("orders",): 1, ("stock",): 0}
    assert await facts.one("payloads.invalid_rate", where=where(source="orders")) == 50


async def test_a_bots_own_counter_is_preferred_to_what_was_counted_of_it(facts: Facts) -> None:
    """`clock` counted five although three messages came; `plain` does not count: its messages are."""
    window = (T0, T0 + 40)
    assert await facts.value("events.in", *window, by=("bot",)) == {("clock",): 5, ("plain",): 3, ("shop",): 0}
    assert await facts.one("events.in", *window) == 8
    assert await facts.one("eventsIn.count", *window) == 8
    assert await facts.line("events.in", *window, 10, where=where(bot="clock")) == [0, 3, 0, 2]
    assert await facts.line("events.in", *window, 10, where=where(bot="plain")) == [None, 2, None, 1]


async def test_errors_and_warnings_are_read_the_same_way(facts: Facts) -> None:
    window = (T0, T0 + 40)
    assert await facts.value("errors.count", *window, by=("bot",)) == {("clock",): 1, ("plain",): 0, ("shop",): 2}
    assert await facts.value("warnings.count", *window, by=("host",), where=where(bot="shop")) == {("a",): 1, ("b",): 0}


async def test_a_count_is_zero_where_the_bot_was_seen_and_null_where_it_was_not(facts: Facts) -> None:
    line = await facts.line("messages.in", T0, T0 + 60, 10, where=where(bot="clock"))
    assert line == [0, 3, 0, 0, None, None]


async def test_a_ratio_is_null_where_there_is_nothing_to_divide_by(facts: Facts) -> None:
    assert await facts.one("action.success_rate", where=where(bot="clock")) is None
    assert await facts.one("response.time", where=where(bot="clock")) is None


async def test_seen_by_host_is_seen_on_that_host(facts: Facts) -> None:
    at = T0 + 600
    facts.points(*beats("twins", at, [0, 0], host="a"), *beats("twins", at + 20, [0, 0], host="b"))
    facts.messages({"at": at + 5, "bot": "twins", "host": "a", "session_id": "t"})
    found = await facts.series("messages.in", at, at + 40, 10, by=("host",), where=where(bot="twins"))
    assert {s.labels["host"]: [v for _, v in s.points] for s in found} == {
        "a": [1, 0, None, None],
        "b": [None, None, 0, 0],
    }
    assert await facts.line("messages.in", at, at + 40, 10, where=where(bot="twins")) == [1, 0, 0, 0]


async def test_a_seen_bot_has_a_value_although_nothing_was_counted(facts: Facts) -> None:
    """So that a rule on silence has something to judge."""
    assert (await facts.value("turns.unanswered", T0, T0 + 60, by=("bot",)))[("clock",)] == 0
    assert await facts.value("messages.in", T0 + 86_400, T0 + 86_460, by=("bot",)) == {}


async def test_being_seen_is_a_measure(facts: Facts) -> None:
    assert await facts.line("bot.seen", T0, T0 + 60, 10, where=where(bot="clock")) == [1, 1, 1, 1, 0, 0]
    assert await facts.line("bot.seen", T0, T0 + 60, 10, where=where(bot="plain")) == [0, 1, 0, 1, 0, 0]


async def test_what_an_sdk_dropped_is_counted_by_reason(facts: Facts) -> None:
    dropped = {"metric": "bot.sdk.dropped", "kind": "cumulative", "bot": "full"}
    facts.points(
        *(
            {**dropped, "at": T0 + 10 * i, "value": value, "labels": {"reason": reason}}
            for reason, values in {"queue_full": (0, 4, 9), "refused": (0, 1, 1)}.items()
            for i, value in enumerate(values)
        )
    )
    assert await facts.value("sdk.dropped", by=("reason",), where=where(bot="full")) == {
        ("queue_full",): 9,
        ("refused",): 1,
    }
