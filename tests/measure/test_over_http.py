"""The same questions to a ClickHouse server over HTTP, where parameters travel another way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from botwatch.store.client import Store
from botwatch.store.migrate import migrate
from tests.measure.facts import T0, Facts, measures_of, where

HOSTILE = (
    "it's",
    "zero\0byte",
    "a\\b",
    "'); DROP TABLE ticks_10s; --",
    "tab\there",
    "line\nbreak",
    "émoji 🤖",
    "a&b=c#d%41+",
    "\\N",
)


@pytest.fixture(scope="module")
def remote(clickhouse_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Facts]:
    store = Store.open(f"{clickhouse_url}measured", data=Path(tmp_path_factory.mktemp("unused")))
    store.create()
    migrate(store)
    yield Facts(store, measures_of(store))
    store.close()


async def test_text_comes_through_as_it_is(remote: Facts) -> None:
    remote.spans(*({"at": T0 + 1, "ms": 40, "action": name} for name in HOSTILE))
    assert await remote.value("action.count", by=("action",)) == {(name,): 1 for name in HOSTILE}
    for name in HOSTILE:
        assert await remote.one("action.count", where=where(action=name)) == 1, name
        remote.points({"metric": name, "at": T0, "value": 3, "labels": {name: name}})
        assert await remote.value(f"metric:{name}", by=(name,)) == {(name,): 3}


async def test_measures_of_every_source_are_computed(remote: Facts) -> None:
    remote.spans({"at": T0 + 1, "ms": 40, "action": "a"})
    remote.messages({"at": T0, "session_id": "s"}, {"at": T0 + 30, "session_id": "s"})
    remote.concurrency((T0, "", "", 1, 2))
    counter = {"metric": "bot.events", "kind": "cumulative", "labels": {"bot.event.kind": "in"}}
    remote.points({**counter, "at": T0 + 1, "value": 0}, {**counter, "at": T0 + 11, "value": 2})
    buckets = {"bounds": [1.0, 2.0], "buckets": [0, 4, 0], "count": 4, "sum": 6.0}
    remote.distributions({"metric": "wait", "kind": "histogram_delta", "at": T0, **buckets})
    told = {
        name: await remote.one(name)
        for name in (
            "messages.in",
            "sessions.duration",
            "sessions.left",
            "sessions.peak",
            "events.in",
            "bot.seen",
            "action.latency.p50",
        )
    }
    assert told == {
        "messages.in": 2,
        "sessions.duration": 30,
        "sessions.left": 0,
        "sessions.peak": 2,
        "events.in": 2,
        "bot.seen": 1,
        "action.latency.p50": pytest.approx(40, rel=0.01),
    }
    assert await remote.one("metric:wait", aggregation="p50") == 1.5
    assert await remote.line("messages.in", T0, T0 + 40, 10) == [1, 0, None, 1]
