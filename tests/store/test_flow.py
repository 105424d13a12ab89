"""From the bytes of a request to rows and rollups: what the engine makes of them by itself."""

from __future__ import annotations

import json
import time

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from botwatch.nouns import Inbox
from botwatch.store.client import Store
from tests.store.conftest import Deliver
from tests.store.otlp import Value, metrics, parcel, record, span

NOW = time.time_ns() // 10**10 * 10**10


async def test_a_span_plays_each_of_its_parts(deliver: Deliver, store: Store) -> None:
    await deliver(
        span(NOW, {"bot.action": "refund", "http.request.method": "POST", "http.route": "/in"}, kind=2, name="POST"),
        span(NOW, {"server.address": "pay.example.com", "error.type": "ReadTimeout"}, kind=3, status={"code": 2}),
        span(NOW, {"gen_ai.request.model": "m-1", "gen_ai.provider.name": "p", "gen_ai.usage.input_tokens": 7}, kind=3),
        span(NOW, {"server.address": "pay.example.com", "http.response.status_code": 429}, kind=3),
    )
    rows = store.read(
        "SELECT kind, name, detail, sum(count), sum(errors), sum(timeouts), sum(rate_limited), sum(tokens_in) "
        "FROM ticks_1h GROUP BY kind, name, detail ORDER BY kind, name"
    )
    assert [tuple(row) for row in rows] == [
        ("action", "refund", "", 1, 0, 0, 0, 0),
        ("dependency", "p", "", 1, 0, 0, 0, 7),
        ("dependency", "pay.example.com", "", 2, 1, 1, 1, 0),
        ("model", "m-1", "p", 1, 0, 0, 0, 7),
        ("request", "/in", "", 1, 0, 0, 0, 0),
    ]


async def test_what_stands_around_a_models_calls_is_not_counted_as_one(deliver: Deliver, store: Store) -> None:
    called: dict[str, Value] = {
        "gen_ai.request.model": "m-1",
        "gen_ai.provider.name": "p",
        "gen_ai.usage.input_tokens": 7,
    }
    operations = ("invoke_agent", "execute_tool", "chat", "")
    await deliver(*(span(NOW, {**called, "gen_ai.operation.name": operation}) for operation in operations))
    counted = store.read("SELECT sum(count), sum(tokens_in) FROM ticks_1h WHERE kind = 'model'")
    assert tuple(counted.first or ()) == (2, 14)


async def test_who_spoke_to_a_model_is_a_message_also_where_no_text_is_kept(deliver: Deliver, store: Store) -> None:
    told = {"gen_ai.input.messages": '[{"role":"user"}]', "gen_ai.output.messages": '[{"role":"assistant"}]'}
    asked_tool = {"gen_ai.input.messages": "[]", "gen_ai.output.messages": '[{"role":"assistant","parts":[]}]'}
    await deliver(span(NOW, told | {"session.id": "s"}), span(NOW, asked_tool | {"session.id": "t"}))
    rows = store.read("SELECT session_id, direction, text FROM messages ORDER BY direction")
    assert [tuple(row) for row in rows] == [("s", "in", ""), ("s", "out", "")]


async def test_a_span_attribute_wins_over_a_resource_attribute(deliver: Deliver, store: Store) -> None:
    resource = {"service.name": "fleet", "bot.name": "from-resource", "host.name": "h1"}
    await deliver(span(NOW, {"bot.name": "from-span"}, resource=resource), span(NOW, resource={"host.name": "h2"}))
    assert sorted(store.read("SELECT bot, host FROM spans")) == [("from-span", "h1"), ("unknown_service", "h2")]


async def test_values_of_every_kind_are_kept(deliver: Deliver, store: Store) -> None:
    made = span(NOW, {"text": "", "yes": True, "no": False, "zero": 0, "half": 0.5, "big": 2**63 - 1})
    request = span(NOW).body
    nested = AnyValue()
    nested.array_value.values.add().string_value = "x"
    await deliver(made, parcel(Inbox.TRACES, request))
    rows = store.read("SELECT attributes FROM spans WHERE notEmpty(attributes)")
    assert rows.first is not None
    assert rows.first[0] == {
        "text": "",
        "yes": "true",
        "no": "false",
        "zero": "0",
        "half": "0.5",
        "big": str(2**63 - 1),
    }


async def test_a_conversation_is_read_from_events(deliver: Deliver, store: Store) -> None:
    shared = {"session.id": "s", "user.id": "u", "bot.channel": "web"}
    await deliver(
        record(
            NOW,
            shared | {"bot.message.direction": "in", "bot.message.text": "hi", "bot.message.id": "m"},
            event_name="bot.message",
        ),
        record(
            NOW + 10**9,
            shared | {"bot.message.author": "bot", "bot.message.reply_to": "m"},
            body="hello",
            event_name="bot.message",
        ),
        record(NOW + 2 * 10**9, shared | {"bot.session.outcome": "completed"}, event_name="bot.session.end"),
        record(NOW + 3 * 10**9, shared | {"bot.feedback.score": 1}, event_name="bot.feedback"),
    )
    said = store.read("SELECT direction, author, text, message_id, reply_to FROM messages ORDER BY at")
    assert [tuple(row) for row in said] == [("in", "user", "hi", "m", ""), ("out", "bot", "hello", "", "m")]
    session = store.read(
        "SELECT channel, user_id, sum(messages_in), sum(messages_out), max(outcome), sum(feedback_count), "
        "max(ended) - min(first_message) FROM sessions GROUP BY channel, user_id"
    )
    assert [tuple(row) for row in session] == [("web", "u", 1, 1, "completed", 1, 2.0)]


async def test_of_model_calls_only_what_is_new_is_a_message(deliver: Deliver, store: Store) -> None:
    history = [
        {"role": "user", "parts": [{"type": "text", "content": "first"}]},
        {"role": "assistant", "content": "one"},
    ]
    asked = [*history, {"role": "user", "parts": [{"type": "text", "content": "second"}]}]
    tool = [*asked, {"role": "tool", "parts": [{"type": "tool_call_response", "content": "42"}]}]
    reply = [{"role": "assistant", "parts": [{"type": "text", "content": "two"}]}]
    call = {"gen_ai.conversation.id": "c", "gen_ai.operation.name": "chat"}
    trace_id = b"t" * 16
    await deliver(
        span(NOW, call | {"gen_ai.input.messages": json.dumps(asked)}, trace_id=trace_id),
        span(
            NOW + 10**9,
            call | {"gen_ai.input.messages": json.dumps(tool), "gen_ai.output.messages": json.dumps(reply)},
            trace_id=trace_id,
        ),
        span(
            NOW,
            call | {"gen_ai.output.messages": json.dumps(reply)},
            resource={"service.name": "b", "bot.messages": "events"},
        ),
    )
    said = store.read("SELECT session_id, direction, text FROM messages ORDER BY at, direction")
    assert [tuple(row) for row in said] == [("c", "in", "second"), ("c", "out", "two")]


async def test_a_hundred_crashes_are_one_fault(deliver: Deliver, store: Store) -> None:
    def crash(number: int) -> dict[str, str]:
        stack = f'Traceback\n  File "bot.py", line {number}, in reply\nValueError: no ticket {number}'
        return {
            "exception.type": "ValueError",
            "exception.message": f"no ticket {number}",
            "exception.stacktrace": stack,
        }

    other = {"exception.type": "KeyError", "exception.message": "'topic'"}
    await deliver(
        *(record(NOW + n, crash(n), severity_number=17) for n in range(100)), record(NOW, other, severity_number=17)
    )
    rows = store.read("SELECT any(type), sum(count) FROM faults GROUP BY fault ORDER BY 2")
    assert [tuple(row) for row in rows] == [("KeyError", 1), ("ValueError", 100)]


async def test_metric_points_of_every_kind_are_kept(deliver: Deliver, store: Store) -> None:
    request = ExportMetricsServiceRequest()
    found = request.resource_metrics.add().scope_metrics.add().metrics
    found.add(name="gauge").gauge.data_points.add(time_unix_nano=NOW, as_int=-5)
    found.add(name="gap").gauge.data_points.add(time_unix_nano=NOW, flags=1)
    delta = found.add(name="delta").sum
    delta.aggregation_temporality, delta.is_monotonic = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA, True
    delta.data_points.add(time_unix_nano=NOW, as_double=2.5)
    growing = found.add(name="growing").sum
    growing.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    growing.is_monotonic = True
    for second, value in enumerate((10, 14, 3, 9)):
        growing.data_points.add(time_unix_nano=NOW + second * 10**9, as_int=value)
    found.add(name="buckets").histogram.data_points.add(
        time_unix_nano=NOW, count=3, sum=6, bucket_counts=[1, 2], explicit_bounds=[2.0]
    )
    fine = found.add(name="fine").exponential_histogram.data_points.add(
        time_unix_nano=NOW, count=4, scale=-2, zero_count=1
    )
    fine.positive.offset = -3
    fine.positive.bucket_counts.extend([1, 2])
    found.add(name="old").summary.data_points.add(time_unix_nano=NOW, count=1).quantile_values.add(
        quantile=0.5, value=7
    )
    await deliver(metrics(request, 10))
    numbers = store.read("SELECT metric, kind, toString(value) FROM points WHERE metric != 'growing' ORDER BY metric")
    assert [tuple(row) for row in numbers] == [
        ("delta", "delta", "2.5"),
        ("gap", "gauge", "nan"),
        ("gauge", "gauge", "-5"),
    ]
    rise = store.read("SELECT deltaSumTimestampMerge(rise), max(last).2 FROM ticks_10s WHERE name = 'growing'")
    assert rise.first == (10.0, 9.0), "the restart at 3 is not a fall"
    kept = store.read(
        "SELECT metric, kind, count, bounds, buckets, positive_offset, positive, quantiles.value "
        "FROM distributions ORDER BY metric"
    )
    assert [tuple(row) for row in kept] == [
        ("buckets", "histogram_cumulative", 3, [2.0], [1, 2], 0, [], []),
        ("fine", "exponential_cumulative", 4, [], [], -3, [1, 2], []),
        ("old", "summary", 1, [], [], 0, [], [7.0]),
    ]
    assert store.read("SELECT count() FROM series").first == (7,)


async def test_labels_are_read_whatever_their_length_and_kind(deliver: Deliver, store: Store) -> None:
    """They come to the engine as bytes, and a length takes one to four of them."""
    told: list[dict[str, Value]] = [
        {"k" * length: "v" * (length + 1)} for length in (1, 127, 128, 16_383, 16_384, 2_097_152)
    ]
    told += [{}, {"": "no name"}, {"no value": ""}, {"bot.name": "other", "whole": -1, "part": 1.25, "yes": True}]
    request = ExportMetricsServiceRequest()
    points = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m").gauge.data_points
    for labels in told:
        point = points.add(time_unix_nano=NOW, as_double=1)
        for key, value in labels.items():
            name = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}[type(value)]
            setattr(point.attributes.add(key=key).value, name, value)
    await deliver(metrics(request, len(told)))
    kept = {json.dumps(labels, sort_keys=True): bot for bot, labels in store.read("SELECT bot, labels FROM series")}
    texts = [
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in one.items()} for one in told
    ]
    assert kept == {
        json.dumps(one, sort_keys=True): "other" if "bot.name" in one else "unknown_service" for one in texts
    }
