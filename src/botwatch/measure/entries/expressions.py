"""The SQL that many measures share: shares, means and quantiles over merged states.

The rollup keeps durations in buckets that grow by 2 %. Of n samples the quantile q is the one at the rank
q · (n - 1), rounded to the nearest, in ascending order; it is told as the middle of its bucket, which is
within 1 % of it.
"""

from __future__ import annotations

from typing import Final

BUCKET_GROWTH: Final = 1.02
BUCKET_OF_NOTHING: Final = -32_768
QUANTILES: Final = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
_MIDDLE: Final = 2 * BUCKET_GROWTH / (1 + BUCKET_GROWTH)
_COUNTS: Final = "mapValues(sumMap[spread])"
SAMPLES: Final = f"arraySum({_COUNTS})"


def share(part: str, whole: str = "sum[count]") -> str:
    """`part` in percent of `whole`."""
    return f"100 * {part} / nullIf({whole}, 0)"


def mean(total: str = "sum[total]", count: str = "sum[count]") -> str:
    return f"{total} / nullIf({count}, 0)"


def quantile(q: float) -> str:
    rank = f"floor({q} * ({SAMPLES} - 1) + 0.5)"
    bucket = f"mapKeys(sumMap[spread])[arrayFirstIndex(c -> c > {rank}, arrayCumSum({_COUNTS}))]"
    held = f"if({bucket} = {BUCKET_OF_NOTHING}, 0, {_MIDDLE!r} * pow({BUCKET_GROWTH}, {bucket}))"
    return f"if({SAMPLES} > 0, {held}, NULL)"


# Each series its average, and those added: what gauges of several queues come to together.
SUM_OF_MEANS: Final = (
    "arraySum(arrayMap((total, n) -> total / n, mapValues(sumMap[totals]), mapValues(sumMap[counts])))"
)
