"""What watchers report: how it is written, that it goes through the door, and what becomes of it in the store."""

from __future__ import annotations

import asyncio
import math
import threading
import time

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from botwatch.clock import SystemClock
from botwatch.errors import InvalidBody, SpoolFull
from botwatch.nouns import Inbox, Parcel, Receipt, Refusal, Signal
from botwatch.receive.door import Door, Options
from botwatch.spool import Spool
from botwatch.store.client import Store
from botwatch.watch import wire
from botwatch.watch.reading import Attributes, Happening, Kind, Reading
from botwatch.watch.report import LocalReporter
from botwatch.watch.waiting import Waiting
from tests.store.conftest import Deliver
from tests.store.otlp import attributes, parcel
from tests.watch.conftest import Reported, until

HOST = {"host.name": "web-1"}


class Full:
    """An intake that is full for a while, and remembers what it took."""

    def __init__(self, times: int, error: Exception | None = None) -> None:
        self.left = times
        self.error = error or SpoolFull("full", retry_after_s=0)
        self.taken: list[Parcel] = []

    async def put(self, parcel: Parcel) -> Receipt:
        if self.left:
            self.left -= 1
            raise self.error
        self.taken.append(parcel)
        return Receipt(duplicate=False)

    def refuse(self, signal: Signal, reason: Refusal, items: int) -> None:
        pass


def reporter_before(intake: Full) -> LocalReporter:
    return LocalReporter(Door(intake, None, Options.of_days(traces=1, logs=1, points=1)), "v", SystemClock())


async def test_readings_and_happenings_are_stored_under_their_host_and_no_bot(
    reporter: LocalReporter, reported: Reported, store: Store
) -> None:
    labels: Attributes = {"system.device": "/dev/sda", "ro": True, "n": 3}
    reporter.report(
        HOST | {"service.name": "not a bot"},
        [Reading("system.x", 0.5, "1", labels), Reading("system.x", 2.0, "1")],
        [Happening("host.part.unknown", "gpu: none", {"part": "gpu"}, warning=True)],
    )
    await reported()
    rows = store.read("SELECT bot, host, metric, kind, value FROM points ORDER BY value").rows
    assert [tuple(row) for row in rows] == [("", "web-1", "system.x", "gauge", value) for value in (0.5, 2.0)]
    (found,) = store.read(
        "SELECT labels, unit, JSONExtractString(resource, 'botwatch.observer') FROM series WHERE notEmpty(labels)"
    ).rows
    assert found == ({"system.device": "/dev/sda", "ro": "true", "n": "3"}, "1", "vantage")
    (event,) = store.read("SELECT bot, host, event, body, level, attributes['part'] FROM logs").rows
    assert event == ("", "web-1", "host.part.unknown", "gpu: none", "warn", "gpu")
    assert store.read("SELECT name FROM names WHERE label = 'bot'").rows == []


async def test_what_is_told_of_a_bot_belongs_to_it(reporter: LocalReporter, reported: Reported, store: Store) -> None:
    reporter.report(HOST | {"bot.name": "shop"}, [Reading("process.memory.usage", 7, "By")])
    await reported()
    assert [tuple(row) for row in store.read("SELECT bot, host, value FROM points").rows] == [("shop", "web-1", 7.0)]


async def test_a_counter_counts_from_its_second_reading(
    reporter: LocalReporter, reported: Reported, store: Store
) -> None:
    """When a machine's counter began is not known: its first value is not something that just happened."""
    for value in (1e9, 1e9 + 500):
        reporter.report(HOST, [Reading("system.network.io", value, "By", kind=Kind.COUNTER)])
        await asyncio.sleep(0.002)
    await reported()
    assert store.read("SELECT DISTINCT kind FROM points").rows == [("cumulative",)]
    assert store.read("SELECT count() FROM ticks_10s WHERE detail = 'birth'").first == (0,)


@pytest.mark.parametrize(
    ("metric", "bot"), [("system.cpu.time", ""), ("hw.gpu.io", ""), ("systematic", "unknown_service")]
)
async def test_what_a_collector_without_a_name_tells_of_a_machine_is_of_no_bot(
    deliver: Deliver, store: Store, metric: str, bot: str
) -> None:
    request = ExportMetricsServiceRequest()
    told = request.resource_metrics.add()
    told.resource.attributes.extend(attributes(HOST))
    point = told.scope_metrics.add().metrics.add(name=metric).gauge.data_points.add(as_double=1)
    point.time_unix_nano = time.time_ns()
    await deliver(parcel(Inbox.POINTS, request.SerializeToString()))
    assert store.read("SELECT bot, host FROM points").rows == [(bot, "web-1")]


def test_what_is_not_a_number_is_not_reported() -> None:
    report = wire.encode("v", HOST, [Reading("a", math.nan, "1"), Reading("b", math.inf, "1")], [], 1)
    assert report == wire.Report(b"", b"")


async def test_reports_come_from_any_thread_while_it_runs(reporter: LocalReporter, spool: Spool) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(reporter.run(stop))

    def tell() -> None:
        for n in range(50):
            reporter.report(HOST, [Reading("x", n, "1")])

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    await until(lambda: spool.intake()[Signal.POINTS].received == 200)
    stop.set()
    await task
    assert reporter.dropped == 0


async def test_while_the_spool_is_full_reports_wait_and_then_come_once() -> None:
    intake = Full(3)
    reporter = reporter_before(intake)
    reporter.report(HOST, [Reading("a", 1, "1")], [Happening("e", "x")])
    stop = asyncio.Event()
    task = asyncio.create_task(reporter.run(stop))
    await until(lambda: len(intake.taken) == 2)
    stop.set()
    await task
    assert [parcel.items for parcel in intake.taken] == [1, 1]
    assert reporter.dropped == 0


async def test_what_the_door_refuses_is_counted_and_the_rest_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    intake = Full(1, InvalidBody("secret words"))
    reporter = reporter_before(intake)
    reporter.report(HOST, [Reading("a", 1, "1")], [Happening("e", "x")])
    stop = asyncio.Event()
    stop.set()
    await reporter.run(stop)
    assert [parcel.inbox.signal for parcel in intake.taken] == [Signal.LOGS]
    assert reporter.dropped == 1
    assert "invalid_body" in caplog.text
    assert "secret" not in caplog.text


def test_what_cannot_be_written_is_counted_and_raises_nothing(reporter: LocalReporter) -> None:
    reporter.report(HOST, [Reading("a", "not a number", "1")])  # type: ignore[arg-type]
    assert reporter.dropped == 1


def test_reports_that_wait_are_bounded_and_the_oldest_go() -> None:
    waiting = Waiting(bytes_max=25)
    for n in range(5):
        waiting.add(wire.Report(b"%010d" % n, b""))
    assert waiting.dropped == 3
    kept = waiting.take()
    assert [int(report.points) for report in kept] == [3, 4]
    waiting.add(wire.Report(b"%010d" % 5, b""))
    waiting.put_back(kept)
    assert [int(report.points) for report in waiting.take()] == [4, 5]
    assert waiting.take() == []
