"""Nothing the server does reaches the bot: it is not slowed, nothing is raised, and what is lost is counted."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

import botwatch_sdk as bot
from botwatch_sdk import _limits, _runtime
from botwatch_sdk._counters import Counters, Reason
from botwatch_sdk._lane import Lane, Reach
from botwatch_sdk._wire import Answer, Verdict
from tests.sdk.conftest import LONG_S, Script
from tests.sdk.sink import OK, Sink, until


def dropped() -> dict[str, int]:
    alive = _runtime._here.alive
    assert alive is not None
    return {str(reason): count for reason, count in alive.counters.dropped.items() if count}


def held(lane: Lane[Any]) -> int:
    """The bytes that wait. What comes back from a try is more for a moment, until the oldest of it are dropped."""
    with lane._lock:
        return lane._bytes


def work(times: int) -> float:
    """How long the bot needed, in seconds."""
    began_s = time.perf_counter()
    for n in range(times):
        with bot.action("work"):
            bot.message(f"m{n}")
    return time.perf_counter() - began_s


def bodies(sink: Sink) -> list[str]:
    return [record.body.string_value for record in sink.records("bot.message")]


def test_what_is_recorded_arrives_by_itself(live: Sink) -> None:
    work(3)
    assert until(lambda: len(live.spans()) == 3 and len(live.records()) == 3)


def test_many_arrive_all_of_them_and_once(live: Sink) -> None:
    threads = [threading.Thread(target=work, args=(500,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bot.flush(60)
    assert len({span.span_id for span in live.spans()}) == len(live.spans()) == 2_000
    assert len(bodies(live)) == 2_000
    assert dropped() == {}


def test_a_server_that_refuses_connections_costs_nothing_and_loses_nothing(
    live: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    live.stop()
    assert work(1_000) < LONG_S
    began_s = time.monotonic()
    assert not bot.flush(60)
    assert time.monotonic() - began_s < LONG_S  # refused is known at once
    assert not bot.flush(60)
    complaints = [record.message for record in caplog.records if record.name == "botwatch_sdk"]
    assert len(complaints) == 1
    assert complaints[0].startswith("botwatch: the server cannot be reached (ConnectionError). The newest 8192 items")
    assert [record for record in caplog.records if record.name.startswith(("opentelemetry", "urllib3"))] == []

    caplog.set_level(logging.INFO, "botwatch_sdk")
    live.start()
    assert bot.flush(60)
    assert len(live.spans()) == 1_000
    assert bodies(live) == [f"m{n}" for n in range(1_000)]
    assert dropped() == {}
    assert "botwatch: the server is reached again" in caplog.text


def test_a_server_that_comes_back_is_found_without_being_asked(live: Sink) -> None:
    live.stop()
    work(1)
    time.sleep(1.2)  # a try has failed by now
    live.start()
    assert until(lambda: len(live.spans()) == 1)


def test_a_server_that_hangs_blocks_neither_the_bot_nor_a_flush(live: Sink) -> None:
    live.hang.set()
    work(1)
    time.sleep(1.1)
    assert work(2_000) < LONG_S
    began_s = time.monotonic()
    assert not bot.flush(0.3)
    assert time.monotonic() - began_s < LONG_S


def test_a_server_that_dies_in_the_middle_of_a_request_gets_it_again(live: Sink) -> None:
    live.drop = True
    work(5)
    assert not bot.flush(2)
    live.drop = False
    assert bot.flush(60)
    assert len(live.spans()) == 5
    assert dropped() == {}


def test_a_full_queue_drops_the_oldest_and_counts_them(live: Sink) -> None:
    live.stop()
    bot.flush(2)
    work(_limits.QUEUE_ITEMS_MAX + 300)
    assert until(lambda: dropped() == {"queue_full": 600})  # 300 spans and 300 messages, once no try is under way
    live.start()
    assert until(lambda: bot.flush(60))
    assert dropped() == {"queue_full": 600}
    assert len(live.spans()) == _limits.QUEUE_ITEMS_MAX
    assert bodies(live)[0] == "m300"
    bot.flush(60)
    assert live.latest("bot.sdk.dropped", reason="queue_full") == 600


def test_the_queue_is_bounded_in_bytes_too(live: Sink) -> None:
    live.stop()
    bot.flush(2)
    document = "x" * (_limits.PAYLOAD_BYTES_MAX - 10)
    for _ in range(100):
        bot.payload("shop", document)
    alive = _runtime._here.alive
    assert alive is not None
    assert held(alive.logs) <= _limits.QUEUE_BYTES_MAX
    assert until(lambda: alive.logs.waiting + dropped()["queue_full"] == 100)
    for n in range(500):
        with bot.action("ask", {"prompt": f"{n}" + "x" * 200_000}):
            pass
    assert held(alive.spans) <= _limits.QUEUE_BYTES_MAX
    assert alive.spans.waiting < 200


def test_a_batch_is_bounded_in_bytes(live: Sink) -> None:
    sizes: list[int] = []

    def answer(path: str, size: int) -> tuple[int, bytes, dict[str, str]]:
        sizes.append(size)
        return 200, b"", {}

    live.answer = answer
    for _ in range(20):
        bot.payload("shop", "x" * 900_000)
    assert bot.flush(60)
    assert len(live.records("bot.payload")) == 20
    assert max(sizes) < _limits.BATCH_BYTES_MAX + _limits.PAYLOAD_BYTES_MAX


@pytest.mark.parametrize("status", [429, 502, 503, 504, 401, 403, 408])
def test_what_may_pass_is_tried_again(live: Sink, status: int) -> None:
    live.answer = lambda path, size: (status, b"later", {"retry-after": "1"})
    work(3)
    assert not bot.flush(2)
    live.answer = lambda path, size: OK
    assert bot.flush(60)
    assert len(live.spans()) == 3
    assert dropped() == {}


@pytest.mark.parametrize("status", [301, 400, 404, 415, 500])
def test_what_will_not_pass_is_dropped_counted_and_told_once(
    live: Sink, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    live.answer = lambda path, size: (status, b"<html>", {"location": live.url})
    for _ in range(2):
        work(3)
        assert not bot.flush(60)
    assert dropped() == {"refused": 12}
    assert caplog.text.count(f"items were dropped: refused (HTTP {status})") == 1
    live.answer = lambda path, size: OK
    assert bot.flush(60)
    assert live.spans() == []


@pytest.mark.usefixtures("quiet")
def test_a_batch_too_large_is_split_until_it_fits(live: Sink) -> None:
    live.answer = lambda path, size: (413, b"", {}) if size > 5_000 else OK
    for n in range(60):
        bot.message("x" * 500 + str(n))
    bot.message("y" * 6_000)
    bot.message("last")
    assert not bot.flush(60)
    assert len(bodies(live)) == 61
    assert bodies(live)[-1] == "last"
    assert dropped() == {"too_large": 1}


@pytest.mark.usefixtures("quiet")
def test_what_a_server_rejects_of_a_batch_is_counted(live: Sink) -> None:
    def answer(path: str, size: int) -> tuple[int, bytes, dict[str, str]]:
        spans = ExportTraceServiceResponse()
        spans.partial_success.rejected_spans = 2
        logs = ExportLogsServiceResponse()
        logs.partial_success.rejected_log_records = 1_000  # more than there were
        said = {"/v1/traces": spans.SerializeToString(), "/v1/logs": logs.SerializeToString()}
        return 200, said.get(path, b""), {"content-type": "application/x-protobuf"}

    live.answer = answer
    work(3)
    assert not bot.flush(60)
    assert dropped() == {"refused": 5}


@pytest.mark.parametrize("garbage", [b"\xff" * 1_000, b"<html>hello</html>", b"x" * 500_000])
def test_an_answer_that_is_garbage_is_no_harm(live: Sink, garbage: bytes) -> None:
    live.answer = lambda path, size: (200, garbage, {"content-encoding": "gzip"})
    work(2)
    bot.flush(60)
    live.answer = lambda path, size: OK
    work(2)
    assert bot.flush(60)
    assert len(live.spans()) == 4


def test_a_port_that_speaks_no_http_is_no_harm() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(b"SSH-2.0-OpenSSH\r\n" * 10)

        threading.Thread(target=serve, daemon=True).start()
        bot.init("b", url=f"http://127.0.0.1:{server.getsockname()[1]}")
        try:
            work(3)
            assert not bot.flush(2)
        finally:
            server.shutdown(socket.SHUT_RDWR)
            bot.shutdown(1)


@pytest.mark.usefixtures("quiet")
def test_a_span_that_cannot_be_written_takes_no_other_with_it(live: Sink) -> None:
    from opentelemetry import trace

    work(20)
    trace.get_tracer("library").start_span("bad \ud800 name").end()
    trace.get_tracer("library").start_span("x", attributes={"big": 2**80, "good": 1}).end()
    work(20)
    assert not bot.flush(60)
    assert len(live.spans()) == 41
    assert dropped() == {"unencodable": 1}


class Scripted:
    """Answers as told, then takes all."""

    def __init__(self, *answers: Verdict) -> None:
        self.answers = list(answers)
        self.batches: list[list[int]] = []

    def send(self, batch: Sequence[int], /) -> Answer:
        verdict = self.answers.pop(0) if self.answers else Verdict.SENT
        if verdict is Verdict.SENT:
            self.batches.append(list(batch))
        return Answer(verdict)

    def close(self) -> None:
        """Nothing is held."""


def lane(sender: Scripted) -> tuple[Lane[int], Counters]:
    counters = Counters()
    return Lane("test", lambda: sender, counters, Reach()), counters


@pytest.mark.usefixtures("quiet")
def test_what_is_put_back_keeps_its_order() -> None:
    sender = Scripted(Verdict.AWAY, Verdict.TOO_LARGE, Verdict.SENT, Verdict.AWAY)
    tested, _ = lane(sender)
    for n in range(10):
        tested.put(n)
    assert not tested.flush(60)
    assert not tested.flush(60)  # split: the first half is taken, the second is put back
    for n in range(10, 13):
        tested.put(n)
    assert tested.flush(60)
    tested.end()
    assert tested.join(time.monotonic() + 60) == 0
    assert [n for batch in sender.batches for n in batch] == list(range(13))


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("verdict", "all_taken"), [(Verdict.REFUSED, False), (Verdict.AWAY, True)])
def test_a_flush_answers_for_what_is_on_its_way_too(verdict: Verdict, all_taken: bool) -> None:
    under_way, go_on = threading.Event(), threading.Event()

    class Slow(Scripted):
        def send(self, batch: Sequence[int], /) -> Answer:
            under_way.set()
            go_on.wait(60)
            return super().send(batch)

    tested, _ = lane(Slow(verdict))
    tested.put(1)
    tested.urge()
    assert under_way.wait(60)
    tested.put(2)
    urged = tested.urge()
    go_on.set()
    assert tested.wait(urged, time.monotonic() + 60) is all_taken
    tested.end()
    assert tested.join(time.monotonic() + 60) == 0


@pytest.mark.usefixtures("quiet")
def test_a_shutdown_tells_that_something_was_refused(live: Sink) -> None:
    live.answer = lambda path, size: (400, b"", {})
    bot.message("hello")
    assert not bot.shutdown(60)


@pytest.mark.usefixtures("quiet")
def test_a_bad_item_is_found_by_halving() -> None:
    class Picky(Scripted):
        def send(self, batch: Sequence[int], /) -> Answer:
            return Answer(Verdict.UNENCODABLE) if 77 in batch else super().send(batch)

    sender = Picky()
    tested, counters = lane(sender)
    for n in range(200):
        tested.put(n)
    assert not tested.flush(60)
    tested.end()
    tested.join(time.monotonic() + 60)
    assert [n for batch in sender.batches for n in batch] == [n for n in range(200) if n != 77]
    assert counters.dropped[Reason.UNENCODABLE] == 1


@pytest.mark.usefixtures("quiet")
def test_a_sender_that_raises_loses_its_batch_and_not_the_lane() -> None:
    class Broken(Scripted):
        def send(self, batch: Sequence[int], /) -> Answer:
            if 1 in batch:
                raise RuntimeError("bug")
            return super().send(batch)

    sender = Broken()
    tested, counters = lane(sender)
    tested.put(1)
    assert not tested.flush(60)
    tested.put(2)
    assert tested.flush(60)
    tested.end()
    tested.join(time.monotonic() + 60)
    assert (sender.batches, counters.dropped[Reason.UNENCODABLE]) == ([[2]], 1)


def test_a_lane_that_cannot_connect_says_so_and_keeps_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    def connect() -> Scripted:
        raise OSError("no such certificate")

    tested: Lane[int] = Lane("test", connect, Counters(), Reach())
    tested.put(1)
    began_s = time.monotonic()
    assert not tested.flush(60)
    assert time.monotonic() - began_s < LONG_S
    assert "nothing more is sent by this process: OSError: no such certificate" in caplog.text


def test_flush_waits_for_what_was_put_and_not_for_what_comes_after() -> None:
    gate = threading.Event()

    class Slow(Scripted):
        def send(self, batch: Sequence[int], /) -> Answer:
            gate.wait(60)
            return super().send(batch)

    sender = Slow()
    tested, _ = lane(sender)
    tested.put(1)
    assert not tested.flush(0.05)
    tested.put(2)
    gate.set()
    assert tested.flush(60)
    tested.end()
    tested.join(time.monotonic() + 60)
    assert [n for batch in sender.batches for n in batch] == [1, 2]


ENDS = """
import atexit, time
began_s = []
atexit.register(lambda: print(time.monotonic() - began_s[0]))  # after all others: how long the end took
import botwatch_sdk as bot
bot.init("b")
for n in range(100):
    bot.message(f"m{n}")
began_s.append(time.monotonic())
"""


def test_at_the_end_of_the_process_what_waits_is_sent(script: Script, sink: Sink) -> None:
    ran = script(ENDS, BOTWATCH_URL=sink.url)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert bodies(sink) == [f"m{n}" for n in range(100)]
    assert sink.latest("bot.events", bot_event_kind="out") == 100


def test_the_end_waits_a_bounded_time_for_a_server_that_hangs(script: Script, sink: Sink) -> None:
    sink.hang.set()
    ran = script(ENDS, exit_s=_limits.EXIT_FLUSH_S, BOTWATCH_URL=sink.url)
    assert ran.returncode == 0
    assert _limits.EXIT_FLUSH_S <= float(ran.stdout) < LONG_S
    assert "100 items could not be sent within 2 s and are lost" in ran.stderr


def test_the_end_does_not_wait_for_a_server_that_is_not_there(script: Script, sink: Sink) -> None:
    sink.stop()
    ran = script(ENDS, BOTWATCH_URL=sink.url)
    assert ran.returncode == 0
    assert float(ran.stdout) < LONG_S
    assert ran.stderr.count("the server cannot be reached") == 1


def test_an_uncaught_exception_is_told_before_the_process_dies_of_it(script: Script, sink: Sink) -> None:
    ran = script(
        """
        import threading
        import botwatch_sdk as bot
        bot.init("b")
        def dies():
            raise KeyError("in a thread")
        thread = threading.Thread(target=dies)
        thread.start()
        thread.join()
        with bot.session("s"):
            raise RuntimeError("in the main thread")
        """,
        BOTWATCH_URL=sink.url,
    )
    assert ran.returncode == 1
    assert "RuntimeError: in the main thread" in ran.stderr  # Python's own word stays
    assert "KeyError: 'in a thread'" in ran.stderr
    told = [
        {pair.key: pair.value.string_value for pair in record.attributes}["exception.type"]
        for record in sink.records("exception")
    ]
    assert told == ["KeyError", "RuntimeError"]
    assert sink.latest("bot.events", bot_event_kind="error") == 2


def test_the_sink_refuses_what_is_no_otlp(sink: Sink) -> None:
    """The tests above lean on it."""
    connection = http.client.HTTPConnection("127.0.0.1", sink.port, timeout=60)
    connection.request("POST", "/v1/traces", b"\xff\xff")
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()
