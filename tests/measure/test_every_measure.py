"""Every entry of the catalogue, with every label, on a store with nothing in it and on one with something of all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from botwatch.measure import catalogue
from botwatch.measure.model import Measure
from botwatch.measure.query import Condition, Op, Query
from botwatch.store.client import Store
from botwatch.store.migrate import migrate
from tests.measure.facts import T0, Facts, measures_of

PUBLIC = [measure for measure in catalogue.MEASURES if measure.public]
OUTCOMES = ("answered", "handed_off", "failed", "unanswered")
READINGS = {
    "process.cpu.utilization": {},
    "process.memory.usage": {},
    "process.open_connections": {},
    "process.uptime": {},
    "bot.queue.depth": {"bot.queue.name": "q"},
    "bot.payload.drift": {"bot.payload.source": "tickets"},
    "bot.queue.age": {"bot.queue.name": "q"},
    "bot.state.age": {"bot.state.name": "s"},
    "system.cpu.utilization": {"cpu.mode": "idle", "cpu.logical_number": "0"},
    "system.memory.usage": {"state": "free"},
    "system.memory.utilization": {"state": "used"},
    "system.filesystem.utilization": {"device": "d"},
    "hw.gpu.utilization": {"hw.id": "0"},
    "hw.gpu.memory.utilization": {"hw.id": "0"},
    "system.paging.utilization": {"state": "used"},
    "system.cpu.load_average.1m": {},
    "system.cpu.load_average.5m": {},
    "system.cpu.load_average.15m": {},
    "system.network.connection.count": {"network.connection.state": "established"},
    "system.open_files": {},
    "system.uptime": {},
    "process.thread.count": {},
    "process.unix.file_descriptor.count": {},
    "process.memory.left": {},
    "process.memory.growth": {},
    "process.memory.time_left": {},
    "botwatch.processes": {"process": "shop"},
    "botwatch.limit.utilization": {"limit": "memory"},
    "bot.dependency.limit": {"bot.dependency.name": "crm", "bot.dependency.limit.name": "requests"},
    "bot.dependency.remaining": {"bot.dependency.name": "crm", "bot.dependency.limit.name": "requests"},
    "bot.dependency.retry_after": {"bot.dependency.name": "crm"},
    "bot.breaker.state": {"bot.breaker.name": "crm"},
    "bot.socket.open": {"bot.socket.name": "gateway"},
    "service.up": {"service": "redis", "kind": "redis"},
    "service.status": {"service": "redis", "kind": "redis"},
    "service.latency": {"service": "redis", "kind": "redis"},
    "service.saturation": {"service": "redis", "kind": "redis"},
    "bot.state.invalid_items": {"bot.state.name": "s"},
    "bot.state.watched": {"bot.state.name": "s"},
}
QUEUE = {
    "messaging.destination.name": "q",
    "messaging.system": "kafka",
    "messaging.consumer.group.name": "g",
    "messaging.destination.partition.id": "0",
    "queue.broker": "main",
    "queue.reason": "timeout",
}
READINGS |= {
    f"queue.{name}": QUEUE
    for name in ("pending", "consumers", "in_rate", "out_rate", "growth", "growing", "time_to_drain", "stalled")
}
READINGS |= {f"queue.{name}": QUEUE for name in ("unattended", "partition.depth", "partition.age", "watched")}
READINGS["botwatch.incidents.open"] = {"severity": "warning"}
READINGS |= {
    f"botwatch.incident.time_to_{what}": {"rule": "CPU", "severity": "warning"}
    for what in ("detect", "acknowledge", "resolve")
}
COUNTS = {
    "bot.events": {"bot.event.kind": "in"},
    "bot.state.invalid": {"bot.state.name": "s"},
    "bot.sdk.dropped": {"reason": "full"},
    "service.flaps": {"service": "redis", "kind": "redis"},
    "system.memory.oom_kills": {},
    "system.network.errors": {"network.interface.name": "eth0"},
    "system.network.io": {"network.io.direction": "receive"},
    "system.network.packet.dropped": {"network.interface.name": "eth0"},
    "bot.breaker.rejected": {"bot.breaker.name": "crm"},
    "bot.breaker.opened": {"bot.breaker.name": "crm"},
    "bot.breaker.healed": {"bot.breaker.name": "crm"},
    "bot.payload.checked": {"bot.payload.source": "tickets"},
    "bot.payload.critical_checked": {"bot.payload.source": "tickets", "bot.payload.path": "id"},
    "bot.payload.critical_failures": {"bot.payload.source": "tickets", "bot.payload.path": "id"},
    "bot.payload.partly": {"bot.payload.source": "tickets"},
    "bot.payload.schema_failures": {"bot.payload.source": "tickets"},
    "bot.payload.invalid_json": {"bot.payload.source": "tickets"},
    "bot.socket.drops": {"bot.socket.name": "gateway"},
    "bot.socket.reconnects": {"bot.socket.name": "gateway"},
}


@pytest.fixture(scope="module")
def nothing(_engine: Store, engine_path: Path) -> Iterator[Facts]:
    store = Store.open("", data=engine_path, database="nothing_measured")
    store.create()
    migrate(store)
    yield Facts(store, measures_of(store))
    store.close()
    _engine.command("DROP DATABASE nothing_measured")


@pytest.fixture(scope="module")
def something(facts: Facts) -> Facts:
    span = {"at": T0 + 1, "ms": 12}
    facts.spans(
        {**span, "action": "greet"},
        {**span, "request": "/hook"},
        {**span, "dependency": "crm"},
        {**span, "model": "gpt-4o", "provider": "openai", "tokens_in": 10, "tokens_out": 5},
    )
    facts.logs({"at": T0 + 1, "event": "started"}, {"at": T0 + 1, "event": "started", "severity": 13, "level": "warn"})
    facts.messages(
        {"at": T0 + 1, "session_id": "s"}, {"at": T0 + 2, "session_id": "s", "direction": "out", "author": "bot"}
    )
    facts.events(
        {
            "at": T0 + 3,
            "session_id": "s",
            "event": "bot.session.end",
            "attributes": {"bot.session.outcome": "completed"},
        },
        {"at": T0 + 3, "session_id": "s", "event": "bot.feedback", "attributes": {"bot.feedback.score": "1"}},
    )
    for outcome in OUTCOMES:
        facts.turns(
            {"at": T0 + 1, "message_id": outcome, "outcome": outcome, "ms": 40 if outcome == "answered" else None}
        )
    facts.turns({"at": T0 + 1, "message_id": "human", "outcome": "handed_off", "ms": 4_000, "author": "agent"})
    facts.contracts({"at": T0 + 1, "due": T0 + 2, "followed": T0 + 3, "outcome": "late"})
    facts.payloads({"at": T0 + 1, "document": "{}"})
    process = {
        "at": T0 + 1,
        "metric": "any",
        "value": 1,
        "resource": {"service.instance.id": "p", "service.version": "1"},
    }
    facts.points(process)
    facts.concurrency((T0, "", "", 1, 1), (T0, "shop", "web", 1, 1), (T0, "shop", "", 1, 1), (T0, "", "web", 1, 1))
    for metric, labels in READINGS.items():
        facts.points({"metric": metric, "at": T0 + 1, "value": 0.5, "labels": labels})
    for metric, labels in COUNTS.items():
        counter = {"metric": metric, "kind": "cumulative", "labels": labels}
        facts.points({**counter, "at": T0 + 1, "value": 0}, {**counter, "at": T0 + 5, "value": 2})
    sent = {"metric": "system.network.io", "kind": "cumulative", "labels": {"network.io.direction": "transmit"}}
    facts.points({**sent, "at": T0 + 1, "value": 0}, {**sent, "at": T0 + 5, "value": 2})
    return facts


def asked(measure: Measure) -> list[Query]:
    labels = catalogue.labels(measure)
    condition = tuple(Condition(label, Op.IS_NOT, ("x",)) for label in labels)
    pattern = tuple(Condition(label, Op.LIKE, ("*",)) for label in labels)
    groupings = [(), *((label,) for label in labels), labels]
    return [
        *(Query(measure.name, T0, T0 + 60, step, by) for step in (None, 10) for by in groupings),
        *(Query(measure.name, T0, T0 + 60, 10, (), found) for found in (condition, pattern, condition + pattern)),
        *(Query(alias, T0, T0 + 60) for alias in measure.aliases),
    ]


@pytest.mark.parametrize("measure", PUBLIC, ids=lambda m: m.name)
async def test_it_is_computed(something: Facts, measure: Measure) -> None:
    for answer, query in zip(await something.measures.many(asked(measure)), asked(measure), strict=True):
        assert isinstance(answer, list), (query, answer)
        values = [value for series in answer for _, value in series.points]
        assert any(value is not None for value in values), query
        for series in answer:
            assert tuple(series.labels) == query.by


@pytest.mark.parametrize("measure", PUBLIC, ids=lambda m: m.name)
async def test_it_is_nothing_where_nothing_is(nothing: Facts, measure: Measure) -> None:
    for answer in await nothing.measures.many(asked(measure)):
        assert answer == []


@pytest.mark.parametrize(
    "kind", ["gauge", "delta", "cumulative", "histogram_delta", "exponential_cumulative", "summary"]
)
@pytest.mark.parametrize("aggregation", ["", "p50", "p99.9", "avg", "rate", "count", "last", "total"])
async def test_every_kind_of_metric_is_computed_or_refused(something: Facts, kind: str, aggregation: str) -> None:
    name = f"any.{kind}"
    point = {"metric": name, "kind": kind, "at": T0 + 1, "labels": {"color": "red"}}
    if kind in ("gauge", "delta", "cumulative"):
        something.points({**point, "value": 1})
    else:
        something.distributions({**point, "count": 1, "sum": 1.0})
    query = Query(f"metric:{name}", T0, T0 + 60, 10, ("color", "bot"), aggregation=aggregation)
    answer = (await something.measures.many([query]))[0]
    if isinstance(answer, list):
        assert all(set(series.labels) == {"color", "bot"} for series in answer)
    else:
        assert answer.code == "bad_request"
        assert "expected one of" in answer.message
