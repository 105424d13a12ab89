"""The short way for metric points: a point is a time and a value, and the rest of it is its series', seen before.

To take every label of every point apart, look at it and write it anew is a quarter of what a point costs. So gauges and
sums are first read with their points left as bytes. Where each begins as every exporter writes it (the times, then the
value), and what follows was seen clean before, the request is as `check_points` would leave it. All else goes its way.
"""

from __future__ import annotations

from itertools import chain, compress
from operator import itemgetter, not_
from typing import Final

import numpy as np
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2

from botwatch import limits
from botwatch.receive import wire
from botwatch.receive.check import Tally
from botwatch.receive.check_points import START, TIME, VALUE_KIND, all_clean, point_lists
from botwatch.receive.door import Terms

_NUMBERS: Final = ("gauge", "sum")
_START_TAG, _TIME_TAG, _EXEMPLARS_TAG = 0x11, 0x19, 0x2A  # metrics.proto, NumberDataPoint
_VALUE_TAGS: Final = (0x21, 0x31)
_TIMED: Final = [("time_tag", "u1"), ("time", "<u8"), ("value_tag", "u1"), ("value", "V8")]
_STARTED: Final = np.dtype([("start_tag", "u1"), ("start", "<u8"), *_TIMED])
_UNSTARTED: Final = np.dtype(_TIMED)


def _request_of_bytes() -> type[Message]:
    """The request of metrics, in which a point of a gauge or a sum is bytes."""
    metrics = FileDescriptorProto.FromString(metrics_pb2.DESCRIPTOR.serialized_pb)
    for message in metrics.message_type:
        if message.name.lower() in _NUMBERS:
            points = next(field for field in message.field if field.name == "data_points")
            points.type = FieldDescriptorProto.TYPE_BYTES
            points.ClearField("type_name")
    pool = DescriptorPool()
    for file in (common_pb2, resource_pb2):
        pool.AddSerializedFile(file.DESCRIPTOR.serialized_pb)
    pool.Add(metrics)
    pool.AddSerializedFile(metrics_service_pb2.DESCRIPTOR.serialized_pb)
    name = metrics_service_pb2.ExportMetricsServiceRequest.DESCRIPTOR.full_name
    return GetMessageClass(pool.FindMessageTypeByName(name))


_REQUEST: Final = _request_of_bytes()
_TAG = itemgetter(0)
_BESIDE_BYTES: Final = 100  # what a text takes in memory beside its own bytes: many short ones are bounded, too


class Known:
    """What was seen clean after the value of a point: the labels of a series, as they are written."""

    def __init__(self, bytes_max: int = limits.SERIES_KNOWN_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._seen: set[bytes] = set()

    def checked(self, piece: bytes, terms: Terms) -> tuple[Tally, bytes] | None:
        """What `check_points` would find and hand on, where the short way shows it. Raises `DecodeError`."""
        request = _REQUEST.FromString(piece)
        lists = point_lists(request)
        numbers = list(chain.from_iterable(chain.from_iterable(lists.pop(kind, ()) for kind in _NUMBERS)))
        others = {kind: list(chain.from_iterable(found)) for kind, found in lists.items()}
        if not all(numbers):
            return None
        started = list(map(_START_TAG.__eq__, map(_TAG, numbers)))
        parts = (compress(numbers, started), _STARTED), (compress(numbers, map(not_, started)), _UNSTARTED)
        if not all(self._plain(list(points), layout, terms) for points, layout in parts) or not all_clean(
            others, terms
        ):
            return None
        request.DiscardUnknownFields()
        return Tally(items=len(numbers) + sum(map(len, others.values()))), request.SerializeToString()

    def _plain(self, points: list[bytes], layout: np.dtype[np.void], terms: Terms) -> bool:
        if not points:
            return True
        size = layout.itemsize
        joined = b"".join(map(itemgetter(slice(size)), points))
        if len(joined) != size * len(points):
            return False
        heads = np.frombuffer(joined, layout)
        times = heads["time"]
        if layout is _STARTED and not heads["start"].all():
            return False
        return bool(
            (heads["time_tag"] == _TIME_TAG).all()
            and np.isin(heads["value_tag"], _VALUE_TAGS).all()
            and max(terms.oldest_ns, 1) <= times.min()
            and times.max() <= terms.newest_ns
        ) and self._clean(set(map(itemgetter(slice(size, None)), points)))

    def _clean(self, rests: set[bytes]) -> bool:
        new = rests - self._seen
        if not new:
            return True
        if not _written_by_us(new):
            return False
        self._bytes += sum(map(len, new)) + _BESIDE_BYTES * len(new)
        if self._bytes > self._bytes_max:
            self._seen, self._bytes = set(), 0
        else:
            self._seen |= new
        return True


def _written_by_us(rests: set[bytes]) -> bool:
    """Whether each is what the library would write of it, and has neither times, nor a value, nor exemplars."""
    if any(map(_EXEMPLARS_TAG.__eq__, map(_TAG, filter(None, rests)))):
        return False
    body = b"".join(wire.field(1, rest) for rest in rests)
    try:
        read = metrics_pb2.Gauge.FromString(body)
    except DecodeError:
        return False
    read.DiscardUnknownFields()
    points = read.data_points
    timed = any(map(TIME, points)) or any(map(START, points))
    return not timed and set(map(VALUE_KIND, points)) == {None} and read.SerializeToString() == body
