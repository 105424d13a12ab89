"""The bots in their processes, against a server that takes OTLP and nothing else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from botwatch import limits
from botwatch.demo.cast import FLEET
from botwatch.demo.fleet import Fleet, Order
from botwatch.errors import SettingError
from tests.demo.sink import Sink, resource_texts, texts

PROCESSES = sum(len(bot.places) for bot in FLEET) + 1  # and the services they call


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
def fleet(sink: Sink) -> Iterator[Fleet]:
    fleet = Fleet(sink.url, rate=120, key="secret-of-the-test")
    yield fleet
    fleet.stop()


@pytest.fixture
def patient(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A busy machine may need longer than they have. Of one conversation at a time it is known how it goes."""
    monkeypatch.setattr(limits, "DEMO_STOP_S_MAX", 60)
    fleet = Fleet(sink.url, rate=1, key="secret-of-the-test")
    yield fleet
    fleet.stop()


def family(fleet: Fleet) -> list[psutil.Process]:
    """The fleet's processes, once all are there."""
    assert fleet.pid is not None
    leader = psutil.Process(fleet.pid)
    until_s = time.monotonic() + 60
    while len(leader.children()) < PROCESSES:
        assert time.monotonic() < until_s, "the bots did not start"
        time.sleep(0.02)
    return [leader, *leader.children(recursive=True)]


def all_gone(processes: list[psutil.Process], within_s: float = 60.0) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return not alive


def events(sink: Sink) -> set[tuple[str, str]]:
    return {(resource_texts(resource)["bot.name"], record.event_name) for resource, record in sink.logs()}


def talks(sink: Sink) -> bool:
    said = {bot.name for bot in FLEET if not bot.queue}
    return {bot for bot, event in events(sink) if event == "bot.message"} == said and (
        ("triage", "bot.payload") in events(sink)
    )


def test_every_bot_talks_and_ends_in_order(sink: Sink, patient: Fleet, capfd: pytest.CaptureFixture[str]) -> None:
    fleet = patient
    fleet.start()
    began_s = time.monotonic()
    processes = family(fleet)
    spans = {"turn", "understand", "process tickets"}
    assert sink.wait(lambda: talks(sink) and spans <= {span.name for _, span in sink.spans()})
    print(f"all bots have spoken after {time.monotonic() - began_s:.1f} s")

    hosts = {resource_texts(resource)["host.name"] for resource, _ in sink.logs()}
    assert hosts <= {place.host for bot in FLEET for place in bot.places}
    assert any(texts(list(record.attributes)).get("bot.message.direction") == "in" for _, record in sink.logs())
    assert sink.keys == {"Bearer secret-of-the-test"}

    process = fleet._process
    fleet.stop()
    assert process is not None
    assert process.returncode == 0, "it did not end by itself"
    assert all_gone(processes, 0.0)
    assert fleet.pid is None
    names = {metric.name for _, metric in sink.metrics()}
    assert {"process.cpu.utilization", "process.memory.usage", "bot.events", "bot.queue.depth"} <= names
    assert "bot.turn.failed" not in {event for _, event in events(sink)}, "an end is not a failure"
    assert capfd.readouterr().err == ""


def test_they_end_with_whoever_started_them(sink: Sink, fleet: Fleet) -> None:
    """A demo that is killed has no time to stop them: its end of the pipe closes, and that is enough."""
    fleet.start()
    processes = family(fleet)
    assert fleet._process is not None
    assert fleet._process.stdin is not None
    fleet._process.stdin.close()
    assert all_gone(processes)


def test_they_end_with_the_process_that_holds_them(sink: Sink, fleet: Fleet) -> None:
    fleet.start()
    processes = family(fleet)
    assert fleet.pid is not None
    os.kill(fleet.pid, signal.SIGKILL)
    assert all_gone(processes)


def test_they_end_when_one_of_them_does(sink: Sink, fleet: Fleet) -> None:
    fleet.start()
    processes = family(fleet)
    processes[-1].kill()
    assert all_gone(processes)
    assert fleet.pid is None


def test_one_that_does_not_hear_is_ended_all_the_same(sink: Sink, fleet: Fleet) -> None:
    fleet.start()
    processes = family(fleet)
    processes[1].suspend()
    fleet.stop()
    assert all_gone(processes)


def test_what_is_set_for_other_bots_does_not_reach_them(
    sink: Sink, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("BOTWATCH_KEY", "somebody-else")
    fleet.start()
    assert sink.wait(lambda: any(sink.logs()))
    assert sink.keys == {"Bearer secret-of-the-test"}


def test_stopping_twice_or_before_the_start_is_nothing() -> None:
    fleet = Fleet("http://127.0.0.1:9")
    fleet.stop()
    assert fleet.pid is None


@pytest.mark.parametrize("rate", [0, -1, 1_001, float("nan"), float("inf")])
def test_a_rate_that_cannot_be_is_refused(rate: float) -> None:
    with pytest.raises(SettingError, match="more than 0 and at most 1000 conversations a minute"):
        Fleet("http://127.0.0.1:9", rate=rate)


def test_an_order_survives_the_command_line() -> None:
    order = Order("http://127.0.0.1:8600", 0.1 + 0.2, 7, "Europe/Zurich", 2.5)
    assert Order.parse(order.argv()) == order
