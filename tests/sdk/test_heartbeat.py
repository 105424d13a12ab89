"""The heartbeat tells the truth about the process, zeros included, whatever the bot does."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import botwatch_sdk as bot
from botwatch_sdk import _gauges, _limits
from botwatch_sdk._counters import Counters, Kind
from botwatch_sdk._gauges import Gauges
from tests.sdk.conftest import Script
from tests.sdk.sink import OK, Answer, Sink, until


def test_metrics_come_every_beat_without_being_asked(script: Script, sink: Sink, tmp_path: Path) -> None:
    enough = tmp_path / "enough"
    paths: list[str] = []

    def answer(path: str, size: int) -> Answer:
        paths.append(path)
        if paths.count("/v1/metrics") == 8:
            enough.touch()
        return OK

    sink.answer = answer
    ran = script(
        """
        import os, time
        import botwatch_sdk as bot
        began_s = time.monotonic()
        bot.init("idle", heartbeat_s=0.1)
        while not os.path.exists(os.environ["ENOUGH"]):
            time.sleep(0.01)
        bot.shutdown()
        print(time.monotonic() - began_s)
        """,
        BOTWATCH_URL=sink.url,
        ENOUGH=str(enough),
    )
    assert ran.stderr == ""
    beats = [number for said, number in sink.points("bot.events") if said["bot.event.kind"] == "in"]
    assert 8 <= len(beats) <= float(ran.stdout) / 0.1 + 3  # one at the beginning, one at the end
    assert set(beats) == {0}


def test_counts_are_cumulative_sums_and_readings_are_gauges_told_once(live: Sink) -> None:
    bot.message("x")
    bot.message("y", direction="in")
    bot.queue("orders", depth=4, age_s=1.5)
    bot.state("basket", age_s=9, valid=False)
    assert bot.flush(60)
    time.sleep(2 * _limits.CPU_OVER_S_MIN)
    assert bot.flush(60)
    assert live.latest("bot.events", bot_event_kind="out") == 1
    assert live.latest("bot.events", bot_event_kind="in") == 1
    assert live.points("bot.queue.depth") == [({"bot.queue.name": "orders"}, 4.0)]
    assert live.points("bot.queue.age") == [({"bot.queue.name": "orders"}, 1.5)]
    assert live.points("bot.state.age") == [({"bot.state.name": "basket"}, 9.0)]
    invalid = live.points("bot.state.invalid")
    assert len(invalid) >= 2
    assert {number for _, number in invalid} == {1.0}  # told again with each beat: it is a sum
    kinds = {metric.name: metric.WhichOneof("data") for metric in live.metrics()}
    assert kinds["bot.events"] == kinds["bot.sdk.dropped"] == kinds["bot.state.invalid"] == "sum"
    assert kinds["process.cpu.utilization"] == kinds["process.memory.usage"] == kinds["bot.queue.depth"] == "gauge"
    assert all(metric.sum.aggregation_temporality == 2 for metric in live.metrics() if metric.HasField("sum"))


def test_open_connections_are_the_sockets_of_this_process(script: Script) -> None:
    """In a process of its own: here other tests' servers are still closing theirs."""
    ran = script("""
        import socket
        from botwatch_sdk._counters import Counters
        from botwatch_sdk._gauges import Gauges
        print(Gauges().read(Counters()).connections)
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
            accepted, _ = server.accept()
            with accepted, client:
                print(Gauges().read(Counters()).connections)
    """)
    assert (ran.stdout, ran.stderr) == ("0\n3\n", "")


def test_memory_and_uptime_agree_with_the_system() -> None:
    process = psutil.Process(os.getpid())
    earliest_s = time.time() - process.create_time()
    before = process.memory_info().rss
    pulse = Gauges().read(Counters())
    after, little = process.memory_info().rss, 20 * 1024 * 1024
    assert pulse.memory_bytes is not None
    assert min(before, after) - little < pulse.memory_bytes < max(before, after) + little
    assert pulse.uptime_s is not None
    assert earliest_s - 1 < pulse.uptime_s < time.time() - process.create_time() + 1


def test_cpu_is_the_share_of_one_core_since_the_last_look(script: Script) -> None:
    """In a process of its own: here other tests' threads are at work."""
    ran = script("""
        import time
        from botwatch_sdk import _limits
        from botwatch_sdk._counters import Counters
        from botwatch_sdk._gauges import Gauges
        def clocks():
            return time.process_time(), time.monotonic()
        def read():
            # What it is at least and at most: both clocks are looked at before and after it is.
            looks.append(clocks())
            share = gauges.read(counters).cpu
            looks.append(clocks())
            (cpu_0, wall_0), (cpu_1, wall_1), (cpu_2, wall_2), (cpu_3, wall_3) = looks[-4:]
            print((cpu_2 - cpu_1) / (wall_3 - wall_0), share, (cpu_3 - cpu_0) / (wall_2 - wall_1))
        looks = [clocks()]
        gauges, counters = Gauges(), Counters()
        looks.append(clocks())
        end_s = time.process_time() + 0.1
        while time.process_time() < end_s:
            pass
        read()
        time.sleep(0.3)
        read()
        _limits.CPU_OVER_S_MIN = 3600  # which have not passed
        print(gauges.read(counters).cpu)
    """)
    assert ran.stderr == ""
    *looks, too_soon = ran.stdout.splitlines()
    for least, share, most in (map(float, look.split()) for look in looks):
        assert least <= share <= most
    assert len(looks) == 2
    assert too_soon == "None"


def test_a_reading_that_fails_leaves_the_others() -> None:
    gauges = Gauges()
    gauges._process = None  # type: ignore[assignment]
    time.sleep(0.06)
    pulse = gauges.read(Counters())
    assert (pulse.memory_bytes, pulse.connections, pulse.uptime_s) == (None, None, None)
    assert pulse.cpu is not None


def test_sockets_that_are_slow_to_count_are_counted_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_limits, "CONNECTIONS_COST_SHARE_MAX", 0.0001)  # for minutes, however slow this machine is
    gauges, looks = Gauges(), []

    class Slow:
        def net_connections(self, kind: str) -> list[int]:
            looks.append(kind)
            time.sleep(0.02)
            return [1, 2]

    gauges._process = Slow()  # type: ignore[assignment]
    assert [gauges._open_connections() for _ in range(5)] == [2] * 5
    assert len(looks) == 1


def test_events_are_counted_from_many_threads_without_loss() -> None:
    counters = Counters()

    def count() -> None:
        for _ in range(5_000):
            counters.event(Kind.IN)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(count)
    assert counters.events[Kind.IN] == 40_000


def test_an_instrument_of_the_bot_that_fails_does_not_stop_the_heart(live: Sink) -> None:
    from opentelemetry import metrics

    def broken(_: object) -> list[metrics.Observation]:
        raise RuntimeError("mine")

    meter = metrics.get_meter("bot")
    meter.create_observable_gauge("broken.gauge", [broken])
    bot.flush(60)
    bot.message("still here")
    assert until(lambda: bot.flush(60) and live.latest("bot.events", bot_event_kind="out") == 1)
    assert _gauges.board.collecting.acquire(timeout=60)
    _gauges.board.collecting.release()
