"""Clocks that are wrong and labels without end, through the front door of a running server."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from botwatch import limits
from tests.fault.harness import Botwatch, running
from tests.store.otlp import attributes

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS


def request(*spans: tuple[int, str]) -> bytes:
    """Spans of one bot: when, and which action."""
    made = ExportTraceServiceRequest()
    resource = made.resource_spans.add()
    resource.resource.attributes.extend(attributes({"service.name": "b"}))
    found = resource.scope_spans.add().spans
    for number, (start_ns, action) in enumerate(spans, 1):
        found.add(
            trace_id=start_ns.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            name=action,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + 10**6,
        )
    return made.SerializeToString()


def send(server: Botwatch, body: bytes) -> ExportTraceServiceResponse:
    headers = {"content-type": "application/x-protobuf"}
    answer = httpx.post(f"http://127.0.0.1:{server.otlp}/v1/traces", content=body, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return ExportTraceServiceResponse.FromString(answer.content)


def test_spans_with_a_wrong_clock_land_where_they_belong_or_are_refused_and_counted(tmp_path: Path) -> None:
    now_ns = time.time_ns()
    kept = {"ahead": now_ns + HOUR_NS, "late": now_ns - 7 * DAY_NS, "now": now_ns}
    refused = {"ancient": now_ns - 400 * DAY_NS, "future": now_ns + 30 * DAY_NS, "unset": 1}
    with running(tmp_path) as server:
        answer = send(server, request(*((at, name) for name, at in (kept | refused).items())))
        assert answer.partial_success.rejected_spans == len(refused)
        assert answer.partial_success.error_message
        counts = server.wait_drained()["traces"]
        assert counts["rejected"] == {"clock": len(refused)}
        assert counts["stored"] == len(kept)
        server.stop()
        rows, ticks = server.ask(
            "SELECT name, toUnixTimestamp64Nano(start) FROM spans",
            "SELECT name, toUnixTimestamp(min(tick)) FROM ticks_10s WHERE kind = 'action' GROUP BY name",
        )
    assert dict(rows) == kept
    assert dict(ticks) == {name: at // 10**10 * 10 for name, at in kept.items()}


def test_a_flood_of_names_is_held_while_the_old_ones_go_on(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        send(server, request(*((time.time_ns() + n, "steady") for n in range(10))))
        first = [(time.time_ns() + n, f"flood-{n}") for n in range(limits.LABEL_VALUES_PER_BOT_MAX + 500)]
        send(server, request(*first))
        server.wait_drained()
        log = server.folder / "server-1.log"
        until_s = time.monotonic() + 60
        while "too many values of a label" not in log.read_text():
            assert time.monotonic() < until_s
            time.sleep(0.1)
        send(server, request(*((time.time_ns() + n, f"more-{n}") for n in range(5_000))))
        send(server, request(*((time.time_ns() + n, "steady") for n in range(10))))
        server.wait_drained()
        server.stop()
        names, totals, raw = server.ask(
            "SELECT uniqExact(name) FROM names WHERE label = 'action'",
            "SELECT name, sum(count) FROM ticks_1h WHERE name IN ('steady', '(other)') AND kind = 'action' "
            "GROUP BY name",
            "SELECT count(), uniqExact(name) FROM spans",
        )
    assert names[0][0] <= len(first) + 2
    assert dict(totals) == {"steady": 20, "(other)": 5_000}
    assert raw == [(20 + len(first) + 5_000, 1 + len(first) + 5_000)], "the spans themselves keep their names"
