"""The hours before are the same hours, whether they were kept for days or have just been read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from botwatch.detect.past import settled_until_s
from botwatch.detect.ticks import Need
from botwatch.errors import CannotJudge, StoreAway
from botwatch.incident.gaps import Gap
from botwatch.incident.pasts import Pasts, pasts_of
from botwatch.incident.recorded import Recorded, Series
from botwatch.measure.query import Query
from botwatch.measure.reader import Framed

START_S = 1_800_316_800  # a midnight
HOUR_S, DAY_S = 3_600, 86_400
NEED = Need("messages.in", ("bot", "channel"))


class Store(Recorded):
    def __init__(self) -> None:
        super().__init__(START_S)
        self.asked: list[Query] = []
        self.away = False

    async def frames(self, queries: Sequence[Query]) -> list[Framed]:
        self.asked += queries
        return [StoreAway("gone for a moment") for _ in queries] if self.away else await super().frames(queries)


@pytest.fixture
def store() -> Store:
    found = Store()
    for channel, first in (("web", 0), ("slack", 3 * 8_640)):
        values: list[float | None] = [None] * first + [float(tick % 7 == 0) for tick in range(first, 6 * 8_640)]
        found.series.append(Series("messages.in", {"bot": "shop", "channel": channel}, values))
    return found


async def test_kept_hour_by_hour_or_read_at_once_they_are_the_same(store: Store) -> None:
    kept = Pasts(store, "UTC")
    kept.plan([NEED])
    for hour in range(100, 131, 3):
        end_s = START_S + hour * HOUR_S + 700
        await kept.read(end_s, ())
        asked = len(store.asked)
        await kept.read(end_s + 600, ())
        assert len(store.asked) == asked  # nothing is asked before another hour has settled
    fresh = (await pasts_of(store, [NEED], end_s, end_s, (), "UTC"))[NEED]
    mine = kept.past(NEED)
    assert mine.end_s == fresh.end_s == settled_until_s(end_s) == START_S + 129 * HOUR_S
    day_s = START_S - 37 * DAY_S
    np.testing.assert_array_equal(
        mine.of(fresh.subjects, day_s, 1_000), fresh.of(fresh.subjects, day_s, 1_000), strict=True
    )


async def test_what_was_first_counted_later_is_not_known_to_have_been_nothing_before(store: Store) -> None:
    past = (await pasts_of(store, [NEED], START_S + 5 * DAY_S, START_S + 5 * DAY_S, (), "UTC"))[NEED]
    told = past.of((("shop", "slack"), ("shop", "nobody")), START_S, 120)
    assert np.isnan(told[0, :72]).all()
    assert not np.isnan(told[0, 72:118]).any()
    assert np.isnan(told[1]).all()
    assert math.isnan(told[0, 119])  # not over for long enough


async def test_hours_nobody_watched_are_unknown(store: Store) -> None:
    gap = Gap(START_S + 40 * HOUR_S + 1_200, START_S + 42 * HOUR_S + 300)
    past = (await pasts_of(store, [NEED], START_S + 5 * DAY_S, START_S + 5 * DAY_S, (gap,), "UTC"))[NEED]
    told = past.of((("shop", "web"),), START_S, 48)[0]
    assert np.flatnonzero(np.isnan(told)).tolist() == [40, 41]


async def test_a_series_that_cannot_be_read_is_told_and_tried_again(store: Store) -> None:
    kept, end_s = Pasts(store, "UTC"), START_S + 5 * DAY_S
    kept.plan([NEED])
    store.away = True
    await kept.read(end_s, ())
    with pytest.raises(CannotJudge, match="gone for a moment"):
        kept.past(NEED)
    store.away = False
    await kept.read(end_s + 10, ())
    with pytest.raises(CannotJudge):
        kept.past(NEED)
    await kept.read(end_s + 60, ())
    assert kept.past(NEED).subjects == (("shop", "slack"), ("shop", "web"))
