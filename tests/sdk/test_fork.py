"""A fork is a process of its own: its own threads, its own id, its own counts, and nothing sent twice."""

from __future__ import annotations

import os

import pytest

from tests.sdk.conftest import Script
from tests.sdk.sink import Sink, attributes

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

# Python 3.12 warns of any fork beside threads; OpenTelemetry's own are there in every bot that uses it.
PREAMBLE = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import botwatch_sdk as bot
bot.init("b")
"""


def told_by_process(sink: Sink) -> dict[str, list[str]]:
    """The messages by the instance id they came under."""
    found: dict[str, list[str]] = {}
    for request in sink._logs:
        for resource in request.resource_logs:
            instance = attributes(resource.resource.attributes)["service.instance.id"]
            for scope in resource.scope_logs:
                found.setdefault(instance, []).extend(record.body.string_value for record in scope.log_records)
    return found


def test_parent_and_child_both_tell_their_own_and_nothing_twice(script: Script, sink: Sink) -> None:
    ran = script(
        PREAMBLE
        + """
bot.message("before")
with bot.action("before"):
    pass
child = os.fork()
name = "child" if child == 0 else "parent"
for n in range(3):
    bot.message(f"{name} {n}")
with bot.action(name):
    pass
if child == 0:
    sys.exit(0)
os.waitpid(child, 0)
""",
        BOTWATCH_URL=sink.url,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    told = told_by_process(sink)
    assert sorted(told.values()) == [
        ["before", "parent 0", "parent 1", "parent 2"],
        ["child 0", "child 1", "child 2"],
    ]
    spans = {span.name: resource["service.instance.id"] for resource, span in sink.spans_by_resource()}
    assert sorted(spans) == ["before", "child", "parent"]
    assert len(sink.spans()) == 3
    assert spans["before"] == spans["parent"] != spans["child"]
    assert told[spans["child"]][0] == "child 0"


def test_a_child_counts_from_zero(script: Script, sink: Sink) -> None:
    ran = script(
        PREAMBLE
        + """
for n in range(5):
    bot.message("x")
bot.flush(60)
child = os.fork()
if child == 0:
    bot.message("y")
    sys.exit(0)
os.waitpid(child, 0)
""",
        BOTWATCH_URL=sink.url,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    counts: dict[str, float] = {}
    for request in sink._metrics:
        for resource in request.resource_metrics:
            instance = attributes(resource.resource.attributes)["service.instance.id"]
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == "bot.events":
                        for point in metric.sum.data_points:
                            if attributes(point.attributes)["bot.event.kind"] == "out":
                                counts[instance] = point.as_int
    assert sorted(counts.values()) == [1, 5]


def test_workers_of_multiprocessing_send_before_they_end(script: Script, sink: Sink) -> None:
    ran = script(
        PREAMBLE
        + """
import multiprocessing
def work(n):
    bot.message(f"worker {n}")
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=work, args=(n,)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
""",
        BOTWATCH_URL=sink.url,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert sorted(record.body.string_value for record in sink.records()) == ["worker 0", "worker 1", "worker 2"]
    assert len(told_by_process(sink)) == 3


def test_forking_under_load_hangs_nobody(script: Script, sink: Sink) -> None:
    ran = script(
        PREAMBLE
        + """
import threading, time
stop = threading.Event()
def load():
    while not stop.is_set():
        with bot.turn("x") as turn:
            turn.reply("y")
        time.sleep(0)
threads = [threading.Thread(target=load) for _ in range(2)]
for thread in threads:
    thread.start()
children = []
for n in range(20):
    child = os.fork()
    if child == 0:
        bot.message(f"child {n}")
        bot.shutdown(60)
        os._exit(0)
    children.append(child)
codes = [os.waitpid(child, 0)[1] for child in children]
stop.set()
for thread in threads:
    thread.join()
print(codes.count(0))
""",
        BOTWATCH_URL=sink.url,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "20\n", "")
    children = {record.body.string_value for record in sink.records() if record.body.string_value.startswith("child")}
    assert children == {f"child {n}" for n in range(20)}


def test_a_child_after_shutdown_stays_silent(script: Script, sink: Sink) -> None:
    ran = script(
        PREAMBLE
        + """
bot.shutdown()
child = os.fork()
if child == 0:
    bot.message("from the child")
    sys.exit(0)
os.waitpid(child, 0)
""",
        BOTWATCH_URL=sink.url,
    )
    assert ran.returncode == 0
    assert sink.records() == []
