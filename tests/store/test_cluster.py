"""A cluster's schema at work: what is read goes through Distributed tables, what is written ends in the local ones.

The engine is the only node of its cluster. What takes a Keeper, ON CLUSTER and Replicated, the endpoint does without
(`tests/real/clickhouse_http.py`); that it is said is held by `test_migrate.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from botwatch.clock import ManualClock, SystemClock
from botwatch.measure.query import Query
from botwatch.measure.reader import Measures
from botwatch.settings import Settings
from botwatch.spool import Spool
from botwatch.store import labels, retention
from botwatch.store.client import Store
from botwatch.store.migrate import migrate, schema_folder, steps, stored_tables
from botwatch.store.writer import Writer
from botwatch.turns import Settler, Terms
from tests.real.parts import ClickHouse
from tests.store.otlp import record, span
from tests.store.test_writer import DyingSpool, Interrupted

NOW_S = int(time.time()) // 10 * 10
NOW_NS = NOW_S * 10**9
TALK = {"session.id": "talk", "bot.channel": "web"}


@pytest.fixture(scope="module")
def clustered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("cluster")
    with ClickHouse(folder / "data", cluster="c1") as endpoint:
        store = Store.open(endpoint.url("clustered"), data=folder, cluster="c1")
        store.create()
        assert migrate(store) == [name for name, _ in steps(schema_folder())]
        yield store
        store.close()


def write(store: Store, spool: Spool) -> None:
    writer = Writer(store, spool, SystemClock(), node="n", pause_s_min=0.01)
    writer.start()
    assert writer.stop(60), writer.health


def number(store: Store, sql: str) -> int:
    row = store.read(sql).first
    assert row is not None
    return int(row[0])


def test_every_stored_table_is_local_and_spread(clustered: Store) -> None:
    rows = clustered.read("SELECT name, engine FROM system.tables WHERE database = 'clustered'")
    engines = {str(name): str(engine) for name, engine in rows}
    spread = {name for name, engine in engines.items() if engine == "Distributed"}
    assert spread == stored_tables(schema_folder()) | {"schema_versions"}
    assert all("MergeTree" in engines[f"{name}_local"] for name in spread)
    assert migrate(clustered) == []


async def test_what_was_sent_is_counted_once_also_when_it_is_replayed(clustered: Store, spool: Spool) -> None:
    for n in range(5):
        await spool.put(span(NOW_NS + n, {"session.id": f"s{n}"}, resource={"service.name": "sender"}))
    with pytest.raises(Interrupted):
        Writer(clustered, DyingSpool(spool), SystemClock(), node="n")._run()  # type: ignore[arg-type]
    write(clustered, spool)
    assert [
        number(clustered, f"SELECT {what} WHERE bot = 'sender'")
        for what in (
            "count() FROM spans",
            "count() FROM spans_local",
            *(f"sum(count) FROM ticks_{step}" for step in ("10s", "5m", "1h")),
            "sum(spans) FROM session_hours",
            "sum(spans) FROM sessions",
        )
    ] == [5] * 7
    measures = Measures(clustered, Settings(time_zone="UTC"), ManualClock(NOW_NS))
    found = await measures.value(Query("action.count", NOW_S - 60, NOW_S + 60, by=("bot",)))
    assert {value.labels["bot"]: value.value for value in found} == {"sender": 5}
    (latency,) = await measures.series(Query("action.latency.p50", NOW_S - 10, NOW_S + 10, 10))
    assert [value for _, value in latency.points] == [None, pytest.approx(1, rel=0.01)]


async def test_a_turn_is_settled_and_corrected(clustered: Store, spool: Spool) -> None:
    settler = Settler(clustered, spool, ManualClock(0), Terms(deadline_s=5, late_s=3600, idle_s=1800))
    measures = Measures(clustered, Settings(time_zone="UTC"), ManualClock(NOW_NS))

    async def told(at_s: float, direction: str) -> dict[str, float | None]:
        said = {**TALK, "bot.message.direction": direction, "bot.message.id": direction}
        await spool.put(record(NOW_NS + round(at_s * 10**9), said, event_name="bot.message"))
        write(clustered, spool)
        await settler.run_once(time.time_ns())
        write(clustered, spool)
        names = ("turns.unanswered", "turns.answered", "messages.count", "sessions.peak")
        found = [await measures.value(Query(name, NOW_S - 60, NOW_S + 60)) for name in names]
        return {name: value.value for name, (value,) in zip(names, found, strict=True)}

    asked = await told(-20, "in")
    assert asked == {"turns.unanswered": 1, "turns.answered": 0, "messages.count": 1, "sessions.peak": 1}
    replied = await told(-10, "out")
    assert replied == {"turns.unanswered": 0, "turns.answered": 1, "messages.count": 2, "sessions.peak": 1}
    assert number(clustered, "SELECT count() FROM turns FINAL") == 1


def test_a_flood_of_names_is_held_on_every_node(clustered: Store) -> None:
    def flood() -> None:
        clustered.command(
            f"INSERT INTO spans (bot, start, action) SELECT 'flooded', toDateTime64({NOW_S}, 9), "
            "concat('action-', toString(number)) FROM numbers(50)"
        )

    flood()
    crowd = next(crowd for crowd in labels.crowds(clustered, 10) if crowd.bot == "flooded")
    labels.hold(clustered, crowd, NOW_S, 10)
    flood()
    rows = clustered.read(
        "SELECT name = '(other)', sum(count) FROM ticks_1h WHERE bot = 'flooded' GROUP BY 1 ORDER BY 1"
    )
    assert list(rows) == [(0, 60), (1, 40)]


def test_what_is_old_is_dropped_from_the_local_tables(clustered: Store) -> None:
    for days_ago in (0, 40):
        at_s = NOW_S - days_ago * 86_400
        clustered.command(f"INSERT INTO spans (bot, start, action) VALUES ('old', toDateTime64({at_s}, 9), 'a')")
    dropped = retention.sweep(clustered, Settings(disk_percent_max=99), NOW_NS)
    assert {d.partition.table for d in dropped} == {"spans_local", "ticks_10s_local"}
    assert number(clustered, "SELECT count() FROM spans WHERE bot = 'old'") == 1
    assert number(clustered, "SELECT sum(count) FROM ticks_1h WHERE bot = 'old'") == 2
