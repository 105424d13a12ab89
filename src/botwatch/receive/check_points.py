"""Data points of all five kinds: a value or the flag that says there is none, and a time.

A metric without any data point has nothing to keep and nothing to refuse. NaN, the infinities and
points flagged NO_RECORDED_VALUE are facts and are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain, compress
from operator import attrgetter, eq, methodcaller, not_, sub

from google.protobuf.message import Message
from opentelemetry.proto.metrics.v1.metrics_pb2 import DataPointFlags

from botwatch.nouns import Refusal
from botwatch.receive.check import Item, Items, Tally, flat, in_window, item_lists, sift
from botwatch.receive.door import Terms

_DATA_KIND = methodcaller("WhichOneof", "data")
VALUE_KIND = methodcaller("WhichOneof", "value")
TIME = attrgetter("time_unix_nano")
START = attrgetter("start_time_unix_nano")
_BUCKETS = attrgetter("bucket_counts")
_BOUNDS = attrgetter("explicit_bounds")
_KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
_POINTS = {kind: attrgetter(f"{kind}.data_points") for kind in _KINDS}
_NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK


def check(request: Message, terms: Terms) -> Tally:
    lists = point_lists(request)
    points = {kind: flat(lists[kind]) for kind in lists}
    everything = list(chain.from_iterable(points.values()))
    tally = Tally(items=len(everything))
    times = list(map(TIME, everything))
    if not all(times):
        tally.dedup = False
        for point in compress(everything, map(not_, times)):
            point.time_unix_nano = terms.now_ns
        times = list(map(TIME, everything))
    timely = in_window(times, terms)
    for kind, found in points.items():
        if not (timely and _CLEAN[kind](found)):
            tally.rejected += sift(lists[kind], partial(_fault, kind, terms))
    tally.items -= tally.rejected.total()
    return tally


def all_clean(points: dict[str, list[Item]], terms: Terms) -> bool:
    """Whether there is nothing to refuse or to put right in any kind."""
    times = list(map(TIME, chain.from_iterable(points.values())))
    return all(times) and in_window(times, terms) and all(_CLEAN[kind](found) for kind, found in points.items())


def point_lists(request: Message) -> dict[str, list[Items]]:
    metrics = flat(item_lists(request, "resource_metrics", "scope_metrics", "metrics"))
    kinds = list(map(_DATA_KIND, metrics))
    found: dict[str, list[Items]] = {}
    for kind in set(kinds) & _POINTS.keys():
        of_kind = compress(metrics, map(partial(eq, kind), kinds))
        found[kind] = list(map(_POINTS[kind], of_kind))
    flat(chain.from_iterable(found.values()))
    return found


def _numbers_clean(points: list[Item]) -> bool:
    return None not in set(map(VALUE_KIND, points))


def _histograms_clean(points: list[Item]) -> bool:
    buckets = map(len, map(_BUCKETS, points))
    bounds = map(len, map(_BOUNDS, points))
    return set(map(sub, buckets, bounds)) <= {1}


def _always_clean(_: list[Item]) -> bool:
    return True


_CLEAN: dict[str, Callable[[list[Item]], bool]] = {
    "gauge": _numbers_clean,
    "sum": _numbers_clean,
    "histogram": _histograms_clean,
    "exponential_histogram": _always_clean,
    "summary": _always_clean,
}


def _fault(kind: str, terms: Terms, point: Item) -> Refusal | None:
    if not terms.oldest_ns <= point.time_unix_nano <= terms.newest_ns:
        return Refusal.CLOCK
    if kind in ("gauge", "sum"):
        empty = point.WhichOneof("value") is None and not point.flags & _NO_VALUE
        return Refusal.EMPTY_METRIC if empty else None
    if kind == "histogram":
        # metrics.proto: one bucket more than bounds, or neither buckets nor bounds.
        buckets, bounds = len(point.bucket_counts), len(point.explicit_bounds)
        return None if buckets == bounds + 1 or buckets == bounds == 0 else Refusal.INVALID
    return None
