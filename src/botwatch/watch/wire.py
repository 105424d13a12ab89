"""Readings and happenings as OpenTelemetry: the one place that knows how they travel.

Every report is told to come from an observer. Its resource carries `botwatch.observer`, so that a machine, a
service or a queue is never taken for a bot.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

from botwatch.watch.reading import Attributes, Happening, Kind, Reading

OBSERVER: Final = "botwatch.observer"
_SCOPE: Final = "botwatch.watch"


@dataclass(frozen=True, slots=True)
class Report:
    """One report as it is sent: requests of the same signal concatenate. An empty body is nothing to send."""

    points: bytes
    logs: bytes

    @property
    def size(self) -> int:
        return len(self.points) + len(self.logs)


def encode(
    observer: str,
    resource: Attributes,
    readings: Sequence[Reading],
    happenings: Sequence[Happening],
    now_ns: int,
) -> Report:
    told = {**resource, OBSERVER: observer}
    return Report(_points(told, readings, now_ns), _logs(told, happenings, now_ns))


def _points(resource: Attributes, readings: Iterable[Reading], now_ns: int) -> bytes:
    known = [reading for reading in readings if math.isfinite(reading.value)]
    if not known:
        return b""
    request = ExportMetricsServiceRequest()
    found = request.resource_metrics.add()
    found.resource.attributes.extend(_attributes(resource))
    scope = found.scope_metrics.add()
    scope.scope.name = _SCOPE
    metrics: dict[tuple[str, str, Kind], Metric] = {}
    for reading in known:
        key = (reading.name, reading.unit, reading.kind)
        metric = metrics.get(key)
        if metric is None:
            metric = metrics[key] = scope.metrics.add(name=reading.name, unit=reading.unit)
        if reading.kind is Kind.COUNTER:
            metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
            metric.sum.is_monotonic = True
            points = metric.sum.data_points
        else:
            points = metric.gauge.data_points
        # No start time: when a counter of the machine began is not ours to say, and 0 says so.
        points.add(
            time_unix_nano=now_ns, as_double=float(reading.value), attributes=list(_attributes(reading.attributes))
        )
    return request.SerializeToString()


def _logs(resource: Attributes, happenings: Sequence[Happening], now_ns: int) -> bytes:
    if not happenings:
        return b""
    request = ExportLogsServiceRequest()
    found = request.resource_logs.add()
    found.resource.attributes.extend(_attributes(resource))
    scope = found.scope_logs.add()
    scope.scope.name = _SCOPE
    for happening in happenings:
        severity = SeverityNumber.SEVERITY_NUMBER_WARN if happening.warning else SeverityNumber.SEVERITY_NUMBER_INFO
        record = scope.log_records.add(
            time_unix_nano=now_ns,
            observed_time_unix_nano=now_ns,
            severity_number=severity,
            event_name=happening.name,
            attributes=list(_attributes(happening.attributes)),
        )
        record.body.string_value = happening.body
    return request.SerializeToString()


def _attributes(values: Mapping[str, str | int | float | bool]) -> Iterable[KeyValue]:
    for key, value in values.items():
        pair = KeyValue(key=key)
        if isinstance(value, bool):
            pair.value.bool_value = value
        elif isinstance(value, int):
            pair.value.int_value = value
        elif isinstance(value, float):
            pair.value.double_value = value
        else:
            pair.value.string_value = value
        yield pair
