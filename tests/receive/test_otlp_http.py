"""Every answer of OTLP/HTTP, as the specification wants it."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
import zstandard
from google.rpc.status_pb2 import Status
from starlette.types import ASGIApp

from botwatch import limits
from botwatch.errors import SpoolFull, TooLarge, TryAgain
from botwatch.nouns import Inbox, Refusal, Signal
from botwatch.receive import otlp
from botwatch.receive.app import PATHS
from botwatch.receive.app import app as receivers
from botwatch.receive.door import Capacity
from botwatch.receive.otlp import Otlp
from tests.receive.parts import (
    JSON,
    NOW_NS,
    PROTOBUF,
    TOO_LATE_NS,
    MemoryIntake,
    OneKey,
    Reply,
    a_request,
    attribute,
    field_bytes,
    metric,
    options,
    point,
    post,
    record,
    request,
    span,
    span_bytes,
)

BODY = a_request(otlp.TRACES).SerializeToString()


def status_in(reply: Reply) -> tuple[int, str]:
    """Code and message of a google.rpc.Status in either encoding."""
    if reply.headers["content-type"] == JSON:
        return reply.json["code"], reply.json["message"]
    status = Status.FromString(reply.body)
    return status.code, status.message


@pytest.mark.parametrize("signal", otlp.SIGNALS)
async def test_a_request_is_taken(app: ASGIApp, intake: MemoryIntake, signal: Otlp) -> None:
    message = a_request(signal)
    reply = await post(app, signal.path, message.SerializeToString())
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"", PROTOBUF)
    (parcel,) = intake.parcels
    assert (parcel.inbox, parcel.items, parcel.dedup, parcel.rejected) == (signal.inbox, 3, True, {})
    assert len(parcel.digest) == 16
    assert intake.messages(signal) == message


@pytest.mark.parametrize("signal", otlp.SIGNALS)
@pytest.mark.parametrize(("media_type", "body", "answer"), [(PROTOBUF, b"", b""), (JSON, b"{}", b"{}")])
async def test_an_empty_request_is_fine(
    app: ASGIApp, intake: MemoryIntake, signal: Otlp, media_type: str, body: bytes, answer: bytes
) -> None:
    reply = await post(app, signal.path, body, media_type)
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, answer, media_type)
    assert (intake.parcels, intake.refused) == ([], {})


@pytest.mark.parametrize(
    ("media_type", "as_answered"),
    [
        ("application/x-protobuf", PROTOBUF),
        ("Application/X-Protobuf; charset=utf-8", PROTOBUF),
        ("application/protobuf", "application/protobuf"),
    ],
)
async def test_the_answer_has_the_type_of_the_request(app: ASGIApp, media_type: str, as_answered: str) -> None:
    good = await post(app, "/v1/traces", BODY, media_type)
    bad = await post(app, "/v1/traces", b"\xff", media_type)
    assert (good.status, good.headers["content-type"]) == (200, as_answered)
    assert (bad.status, bad.headers["content-type"]) == (400, as_answered)


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/json; charset=UTF-8", 'application/json;charset="utf-8"']
)
async def test_json_is_taken_and_answered_in_json(app: ASGIApp, media_type: str) -> None:
    good = await post(app, "/v1/traces", b'{"resourceSpans":[]}', media_type)
    bad = await post(app, "/v1/traces", b'{"resourceSpans":', media_type)
    assert (good.status, good.headers["content-type"], good.body) == (200, JSON, b"{}")
    assert (bad.status, bad.headers["content-type"], status_in(bad)[0]) == (400, JSON, 3)


@pytest.mark.parametrize(
    ("encoding", "wire"),
    [("gzip", gzip.compress(BODY)), ("zstd", zstandard.compress(BODY)), ("identity", BODY), ("", BODY)],
)
async def test_compressed_bodies_are_taken(app: ASGIApp, intake: MemoryIntake, encoding: str, wire: bytes) -> None:
    reply = await post(app, "/v1/traces", wire, headers=[("Content-Encoding", encoding)])
    assert reply.status == 200
    assert intake.messages(otlp.TRACES) == a_request(otlp.TRACES)


async def test_a_retry_is_known_again_also_when_it_is_compressed_differently(
    app: ASGIApp, intake: MemoryIntake
) -> None:
    await post(app, "/v1/traces", BODY)
    reply = await post(app, "/v1/traces", gzip.compress(BODY), headers=[("Content-Encoding", "gzip")])
    assert reply.status == 200
    assert len(intake.parcels) == 1


async def test_equal_bytes_of_two_signals_are_two_parcels(app: ASGIApp, intake: MemoryIntake) -> None:
    body = field_bytes(1, field_bytes(2, field_bytes(2, b"\x0a\x04name")))
    await post(app, "/v1/traces", a_request(otlp.TRACES).SerializeToString())
    await post(app, "/v1/metrics", a_request(otlp.POINTS).SerializeToString())
    assert len({parcel.digest for parcel in intake.parcels}) == 2
    assert body  # the same shape for all three


MIXED: list[tuple[Otlp, Any, str, int]] = [
    (otlp.TRACES, request(otlp.TRACES, span(), span(trace_id=b"x"), span(start_time_unix_nano=1)), "rejected_spans", 2),
    (otlp.LOGS, request(otlp.LOGS, record(), record(time_unix_nano=TOO_LATE_NS)), "rejected_log_records", 1),
    (
        otlp.POINTS,
        request(
            otlp.POINTS, metric("sum", point(), {"time_unix_nano": NOW_NS}), metric("gauge", point(time_unix_nano=9))
        ),
        "rejected_data_points",
        2,
    ),
]


@pytest.mark.parametrize(("signal", "message", "field", "rejected"), MIXED)
async def test_what_is_left_out_is_counted_and_told(
    app: ASGIApp, intake: MemoryIntake, signal: Otlp, message: Any, field: str, rejected: int
) -> None:
    reply = await post(app, signal.path, message.SerializeToString())
    assert reply.status == 200
    partial = signal.response.FromString(reply.body).partial_success  # type: ignore[attr-defined]
    assert getattr(partial, field) == rejected
    assert "refused" in partial.error_message
    (parcel,) = intake.parcels
    assert (parcel.items, sum(parcel.rejected.values())) == (1, rejected)


async def test_a_partial_success_in_json_has_json_names_and_says_what_to_do(app: ASGIApp) -> None:
    late = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%s","spanId":"%s","startTimeUnixNano":"1"}]}]}]}'
    reply = await post(app, "/v1/traces", late % (b"a" * 32, b"b" * 16), JSON)
    partial = reply.json["partialSuccess"]
    assert partial["rejectedSpans"] == "1"
    assert "spans refused: 1 (clock): their time is not between 2026-09-07T14:13:20Z and" in partial["errorMessage"]
    assert "check the sender's clock" in partial["errorMessage"]


async def test_a_request_with_nothing_left_is_counted_but_is_no_parcel(app: ASGIApp, intake: MemoryIntake) -> None:
    message = request(otlp.TRACES, span(trace_id=b""), span(span_id=b""), span(start_time_unix_nano=1))
    reply = await post(app, "/v1/traces", message.SerializeToString())
    assert otlp.TRACES.response.FromString(reply.body).partial_success.rejected_spans == 3  # type: ignore[attr-defined]
    assert intake.parcels == []
    assert intake.refused == {(Signal.TRACES, Refusal.BAD_ID): 2, (Signal.TRACES, Refusal.CLOCK): 1}


async def test_a_warning_refuses_nothing(app: ASGIApp, intake: MemoryIntake) -> None:
    reply = await post(app, "/v1/logs", request(otlp.LOGS, record(trace_id=b"x")).SerializeToString())
    partial = otlp.LOGS.response.FromString(reply.body).partial_success  # type: ignore[attr-defined]
    assert (partial.rejected_log_records, "cleared" in partial.error_message) == (0, True)
    assert intake.parcels[0].rejected == {}


@pytest.mark.parametrize(
    "body",
    [b"\xff", b"\x0a\x05abc", b"{}", span_bytes(b"\x2a\x02\xff\xfe"), b"\x00" * 50, b"<html>", b"\x0b" * 400],
)
async def test_a_body_that_is_not_the_message_is_bad_data(app: ASGIApp, intake: MemoryIntake, body: bytes) -> None:
    reply = await post(app, "/v1/traces", body)
    assert (reply.status, status_in(reply)[0]) == (400, 3)
    assert intake.refused == {(Signal.TRACES, Refusal.INVALID): 1}


@pytest.mark.parametrize(
    ("media_type", "encoding"),
    [
        (None, ""),
        ("text/plain", ""),
        ("application/x-www-form-urlencoded", ""),
        (PROTOBUF, "br"),
        ("application/json; charset=latin1", ""),
    ],
)
async def test_what_we_do_not_read_is_415(
    app: ASGIApp, intake: MemoryIntake, media_type: str | None, encoding: str
) -> None:
    reply = await post(app, "/v1/traces", BODY, media_type, headers=[("Content-Encoding", encoding)])
    assert reply.status == 415
    assert "expected" in status_in(reply)[1]
    assert intake.refused == {(Signal.TRACES, Refusal.UNSUPPORTED): 1}


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
async def test_only_post_is_taken(app: ASGIApp, method: str, path: str) -> None:
    reply = await post(app, path, method=method)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


async def test_another_path_is_404_and_says_which_there_are(app: ASGIApp) -> None:
    reply = await post(app, "/v1/trace", BODY)
    assert (reply.status, reply.json["error"]["code"]) == (404, "not_found")
    assert "/v1/traces" in reply.json["error"]["hint"]


@pytest.mark.parametrize("wire", [gzip.compress(bytes(limits.BODY_INFLATED_BYTES_MAX + 1))])
async def test_a_body_above_the_bound_after_inflation_is_413(app: ASGIApp, intake: MemoryIntake, wire: bytes) -> None:
    reply = await post(app, "/v1/traces", wire, headers=[("Content-Encoding", "gzip")])
    assert (reply.status, reply.headers["content-type"]) == (413, PROTOBUF)
    assert str(limits.BODY_INFLATED_BYTES_MAX) in status_in(reply)[1]
    assert intake.refused == {(Signal.TRACES, Refusal.TOO_LARGE): 1}


async def test_a_body_declared_too_large_is_answered_without_its_bytes(app: ASGIApp) -> None:
    parts = [bytes(limits.MIB)] * 100
    reply = await post(app, "/v1/traces", parts, headers=[("Content-Length", str(100 * limits.MIB))])
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert reply.asked_for * limits.MIB <= limits.BODY_LINGER_BYTES_MAX + 2 * limits.MIB


@pytest.mark.parametrize("length", ["9" * 30, "9" * 5_000])
async def test_an_absurd_content_length_is_too_large(app: ASGIApp, length: str) -> None:
    assert (await post(app, "/v1/traces", BODY, headers=[("Content-Length", length)])).status == 413


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(SpoolFull("full", retry_after_s=7), 429, 8), (TryAgain("away", retry_after_s=7), 503, 14)],
)
@pytest.mark.parametrize(("media_type", "body"), [(PROTOBUF, BODY), (JSON, None)])
async def test_a_full_house_asks_to_be_tried_again(
    app: ASGIApp, intake: MemoryIntake, error: TryAgain, status: int, code: int, media_type: str, body: bytes | None
) -> None:
    intake.error = error
    log = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}},{}]}]}]}'
    path, signal, items = ("/v1/traces", Signal.TRACES, 3) if body else ("/v1/logs", Signal.LOGS, 2)
    reply = await post(app, path, body or log, media_type)
    assert (reply.status, reply.headers["retry-after"]) == (status, "7")
    assert (reply.headers["content-type"], status_in(reply)[0]) == (media_type, code)
    assert intake.refused == {(signal, Refusal.FULL): items}


async def test_a_parcel_too_large_for_what_is_behind_the_door_is_413(app: ASGIApp) -> None:
    class Narrow(MemoryIntake):
        async def put(self, parcel: Any) -> Any:
            raise TooLarge("too large for the spool")

    intake = Narrow()
    reply = await post(receivers(intake, None, options()), "/v1/traces", BODY)
    assert reply.status == 413
    assert intake.refused == {(Signal.TRACES, Refusal.TOO_LARGE): 3}


async def test_more_bodies_than_the_house_holds_are_asked_to_come_again(intake: MemoryIntake) -> None:
    crowded = receivers(intake, None, options(), capacity=Capacity(bytes_max=10))
    reply = await post(crowded, "/v1/traces", BODY)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert intake.refused == {(Signal.TRACES, Refusal.FULL): 1}


async def test_all_bytes_are_given_back(intake: MemoryIntake) -> None:
    capacity = Capacity()
    app = receivers(intake, None, options(), capacity=capacity)
    for body in (BODY, b"\xff", gzip.compress(BODY)[:-4], [BODY[:10], BODY[10:]]):
        await post(app, "/v1/traces", body, headers=[("Content-Encoding", "gzip" if body[:1] == b"\x1f" else "")])
    assert capacity.used_bytes == 0


@pytest.mark.parametrize(
    ("header", "status"),
    [(None, 401), ("Bearer wrong", 401), ("Basic c2VjcmV0", 401), ("Bearer secret", 200), ("secret", 200)],
)
async def test_a_key_is_asked_for_before_the_body_is_read(
    intake: MemoryIntake, header: str | None, status: int
) -> None:
    app = receivers(intake, OneKey("secret"), options())
    headers = [] if header is None else [("Authorization", header)]
    reply = await post(app, "/v1/traces", BODY, headers=headers)
    assert reply.status == status
    if status == 401:
        assert reply.headers["www-authenticate"].startswith("Bearer")
        assert status_in(reply)[0] == 16
        assert "botwatch key" in status_in(reply)[1]
        assert intake.refused == {(Signal.TRACES, Refusal.UNAUTHORISED): 1}


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("http://[::1]:8080", 200),
        ("http://evil.example:4318", 401),
        ("null", 401),
        ("http://[", 401),
    ],
)
async def test_without_keys_a_page_of_another_address_may_not_send(
    app: ASGIApp, intake: MemoryIntake, origin: str, status: int
) -> None:
    """Its own name may lead to this machine, so that the browser takes us for its server."""
    reply = await post(app, "/v1/traces", BODY, headers=[("Origin", origin)])
    assert reply.status == status
    assert bool(intake.parcels) is (status == 200)


async def test_a_client_that_goes_away_leaves_nothing_behind(app: ASGIApp, intake: MemoryIntake) -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/traces", "headers": [(b"content-type", PROTOBUF.encode())]}
    await app(scope, gone, send)
    assert (sent, intake.parcels, intake.refused) == ([], [], {})


# --- what must never get further: reserved fields, and what the engine would stumble over


async def test_fields_that_are_not_of_the_request_go_no_further(app: ASGIApp, intake: MemoryIntake) -> None:
    reserved = field_bytes(1000, b"batch-7") + field_bytes(1001, b"1") + b"\xc0\x3e\x07"
    reply = await post(app, "/v1/traces", reserved + BODY + reserved)
    assert reply.status == 200
    assert intake.parcels[0].body == BODY


HOSTILE = {
    "a fixed field as a number": b"\x38\x05",
    "a text field as a number": b"\x28\x05",
    "a list as a number": b"\x48\x05",
    "a group": b"\x73\x08\x01\x74",
    "an unknown field": b"\xf8\x07\x05",
}


@pytest.mark.parametrize("extra", HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_only_the_engine_would_stumble_over_is_taken_out(
    app: ASGIApp, intake: MemoryIntake, extra: bytes
) -> None:
    clean = a_request(otlp.TRACES, 1).resource_spans[0].scope_spans[0].spans[0].SerializeToString()
    assert (await post(app, "/v1/traces", span_bytes(clean + extra))).status == 200
    assert intake.parcels[0].body == span_bytes(clean)


async def test_what_is_written_twice_or_too_long_is_written_once(app: ASGIApp, intake: MemoryIntake) -> None:
    clean = request(otlp.TRACES, span(attributes=[attribute("k")])).resource_spans[0].scope_spans[0].spans[0]
    twice = field_bytes(1, b"x" * 16) + clean.SerializeToString()
    odd_bool = field_bytes(9, field_bytes(1, b"k") + field_bytes(2, b"\x10\x05" + field_bytes(1, b"text")))
    clean.attributes.add(**attribute("k"))
    await post(app, "/v1/traces", span_bytes(twice + odd_bool))
    assert intake.parcels[0].body == span_bytes(clean.SerializeToString())


async def test_a_large_request_is_cut_checked_and_put_together(app: ASGIApp, intake: MemoryIntake) -> None:
    big = [span(name="n" * 1_000, span_id=b"%08d" % number) for number in range(3_000)]
    big[7]["name"] = "x" * (limits.ITEM_BYTES_MAX + 1)
    big[8]["trace_id"] = b"short"
    reply = await post(app, "/v1/traces", request(otlp.TRACES, *big).SerializeToString())
    partial = otlp.TRACES.response.FromString(reply.body).partial_success  # type: ignore[attr-defined]
    assert (reply.status, partial.rejected_spans) == (200, 2)
    (parcel,) = intake.parcels
    assert (parcel.items, parcel.rejected) == (2_998, {Refusal.BAD_ID: 1, Refusal.TOO_LARGE: 1})
    assert parcel.inbox is Inbox.TRACES
    kept = {item.span_id for item in all_spans(intake)}
    assert kept == {one["span_id"] for number, one in enumerate(big) if number not in (7, 8)}


def all_spans(intake: MemoryIntake) -> list[Any]:
    message = intake.messages(otlp.TRACES)
    return [item for resource in message.resource_spans for scope in resource.scope_spans for item in scope.spans]
