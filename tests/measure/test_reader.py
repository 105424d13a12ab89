"""The reader as the other rooms meet it: many questions, hostile text, bounds, errors."""

from __future__ import annotations

import pytest

from botwatch import limits
from botwatch.errors import BadRequest, StoreRefused
from botwatch.measure.query import Condition, Op, Query
from botwatch.store.client import Params, Rows, Store
from tests.measure.facts import T0, Facts, where

HOSTILE = (
    "it's", "a\\b", "'); DROP TABLE ticks_10s; --", "{p0:String}", "%", "_", "a%b", "*", "?", "\\", "\\'", "tab\there",
    "line\nbreak", "\0", "émoji 🤖", "\u202egnirts", "(other)", "NULL", "\\N", "x" * 1_000,
)  # fmt: skip


async def test_any_text_may_be_a_name_and_finds_only_itself(facts: Facts) -> None:
    facts.spans(*({"at": T0, "ms": 1, "action": name, "bot": "odd"} for name in HOSTILE))
    groups = await facts.value("action.count", by=("action",), where=where(bot="odd"))
    assert groups == {(name,): 1 for name in HOSTILE}
    for name in HOSTILE:
        assert await facts.one("action.count", where=where(bot="odd", action=name)) == 1, name
        others = (*where(bot="odd"), Condition("action", Op.IS_NOT, (name,)))
        assert await facts.one("action.count", where=others) == len(HOSTILE) - 1, name
        literal = "".join(f"\\{c}" if c in "*?\\" else c for c in name)
        pattern = (*where(bot="odd"), Condition("action", Op.LIKE, (literal,)))
        assert await facts.one("action.count", where=pattern) == 1, name


async def test_any_text_may_be_a_metric_a_label_and_its_value(facts: Facts) -> None:
    for name in HOSTILE:
        facts.points({"metric": name, "at": T0, "value": 3, "labels": {name: name}})
        assert await facts.value(f"metric:{name}", by=(name,)) == {(name,): 3}
        assert await facts.one(f"metric:{name}", where=(Condition(name, Op.IS, (name,)),)) == 3
        assert await facts.one(f"metric:{name}", where=(Condition(name, Op.IS, (name + "x",)),)) is None


async def test_one_question_that_is_wrong_leaves_the_others(facts: Facts) -> None:
    facts.messages({"at": T0, "bot": "fine", "session_id": "s"})
    good = Query("messages.in", T0, T0 + 60, where=where(bot="fine"))
    bad = (Query("mesages.in", T0, T0 + 60), Query("messages.in", T0, T0 + 60, by=("route",)))
    first, *refused, last = await facts.measures.many([good, *bad, good])
    assert isinstance(first, list)
    assert isinstance(last, list)
    assert first == last
    assert first[0].points == ((T0, 1),)
    assert all(isinstance(error, BadRequest) for error in refused)


async def test_a_statement_the_engine_refuses_is_told_by_those_that_needed_it(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts.messages({"at": T0, "bot": "engine", "session_id": "s"})
    fetch = type(facts.store).fetch

    async def refusing(store: object, sql: str, params: object = None) -> object:
        if "concurrency" in sql:
            raise StoreRefused("the telemetry store refused the statement (code 241)")
        return await fetch(store, sql, params)  # type: ignore[arg-type]

    monkeypatch.setattr(type(facts.store), "fetch", refusing)
    messages, sessions = await facts.measures.many(
        [Query("messages.in", T0, T0 + 60, where=where(bot="engine")), Query("sessions.active", T0, T0 + 60)]
    )
    assert isinstance(messages, list)
    assert isinstance(sessions, StoreRefused)
    with pytest.raises(StoreRefused):
        await facts.one("sessions.peak")


async def test_an_error_that_is_not_ours_is_not_swallowed(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(facts.store), "fetch", broken)
    with pytest.raises(ZeroDivisionError):
        await facts.one("messages.in")


async def test_a_metric_that_never_came_costs_no_statement_until_it_comes(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    fetch = type(facts.store).fetch

    async def told(store: Store, sql: str, params: Params | None = None) -> Rows:
        asked.append(sql)
        return await fetch(store, sql, params)

    monkeypatch.setattr(type(facts.store), "fetch", told)
    assert await facts.value("disk.usage", by=("host",)) == {}
    assert not [sql for sql in asked if "kind = 'point'" in sql]
    labels = {"system.device": "sda", "system.filesystem.state": "used"}
    facts.points({"metric": "system.filesystem.utilization", "at": T0, "value": 0.5, "labels": labels})
    assert list((await facts.value("disk.usage", by=("host",))).values()) == [50]
    assert [sql for sql in asked if "kind = 'point'" in sql]


async def test_no_questions_are_no_answers(facts: Facts) -> None:
    assert await facts.measures.many([]) == []


async def test_values_over_time_need_a_step(facts: Facts) -> None:
    with pytest.raises(BadRequest, match="step: expected"):
        await facts.measures.series(Query("messages.in", T0, T0 + 60))


async def test_too_many_series_are_refused_and_many_values_are_not(facts: Facts) -> None:
    many = limits.MEASURE_SERIES_MAX + 1
    facts.store.command(
        "INSERT INTO ticks (kind, tick, bot, name, count) "
        f"SELECT 'action', toDateTime({T0}, 'UTC'), 'flood', concat('a', toString(number)), 1 FROM numbers({many})"
    )
    query = Query("action.count", T0, T0 + 60, 10, ("action",), where(bot="flood"))
    with pytest.raises(BadRequest, match=f"by: action would give {many} series, at most {many - 1}") as refused:
        await facts.measures.series(query)
    assert refused.value.hint == "filter with where, or group by fewer labels"
    assert len(await facts.measures.value(query)) == many


async def test_series_come_in_the_order_of_their_labels(facts: Facts) -> None:
    facts.spans(*({"at": T0, "ms": 1, "action": name, "bot": "order"} for name in ("c", "a", "b")))
    found = await facts.series("action.count", T0, T0 + 10, 10, by=("action",), where=where(bot="order"))
    assert [series.labels["action"] for series in found] == ["a", "b", "c"]


async def test_infinite_readings_are_no_numbers(facts: Facts) -> None:
    facts.store.command(
        "INSERT INTO number_points (bot, metric, kind, series, at, start, value) SELECT 'inf', 'inf', 'gauge', 1, "
        f"toDateTime64({T0}, 9, 'UTC'), toDateTime64({T0}, 9, 'UTC'), inf"
    )
    assert await facts.one("metric:inf") is None
    assert await facts.one("metric:inf", aggregation="count") == 1
