"""OTLP requests as parcels, small and readable."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from botwatch.nouns import Inbox, Parcel

Value = str | int | float | bool


def attributes(values: Mapping[str, Value]) -> list[KeyValue]:
    found = []
    for key, value in values.items():
        item = KeyValue(key=key)
        kind = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}[type(value)]
        setattr(item.value, kind, value)
        found.append(item)
    return found


def parcel(inbox: Inbox, body: bytes, items: int = 1) -> Parcel:
    return Parcel(inbox, body, items, hashlib.sha256(body).digest()[:16])


def span(
    start_ns: int,
    values: Mapping[str, Value] | None = None,
    *,
    resource: Mapping[str, Value] | None = None,
    duration_ns: int = 10**6,
    span_id: bytes = b"",
    **fields: Any,
) -> Parcel:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend(attributes(resource or {"service.name": "b"}))
    resource_spans.scope_spans.add().spans.add(
        trace_id=fields.pop("trace_id", os.urandom(16)),
        name=fields.pop("name", "work"),
        span_id=span_id or os.urandom(8),
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + duration_ns,
        attributes=attributes(values or {}),
        **fields,
    )
    return parcel(Inbox.TRACES, request.SerializeToString())


def record(
    at_ns: int,
    values: Mapping[str, Value] | None = None,
    *,
    resource: Mapping[str, Value] | None = None,
    body: str = "",
    **fields: Any,
) -> Parcel:
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    resource_logs.resource.attributes.extend(attributes(resource or {"service.name": "b"}))
    log = resource_logs.scope_logs.add().log_records.add(
        time_unix_nano=at_ns, attributes=attributes(values or {}), **fields
    )
    if body:
        log.body.string_value = body
    return parcel(Inbox.LOGS, request.SerializeToString())


def metrics(request: ExportMetricsServiceRequest, items: int) -> Parcel:
    return parcel(Inbox.POINTS, request.SerializeToString(), items)
