"""What a bot calls, and whether that went worse just when something else did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Final
from urllib.parse import urlencode

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.incident.causes.change import AFTER_NS, BEFORE_NS, Change, Kind, places
from botwatch.measure.amounts import SHARE, told
from botwatch.store.client import Store

_PAST_S: Final = 3_600  # before what is looked at, to know it by
_EACH_S: Final = 60
_ENOUGH: Final = 10  # calls before the change, and after it
_GAIN_MIN: Final = 8.0  # how much better two shares tell it than one: e^8 to 1
_SLOWER_MIN: Final = 1.5
_FAR: Final = 4.0

_MINUTES: Final = """
SELECT toValidUTF8(toString(name)) AS dependency, toUnixTimestamp(toStartOfMinute(tick)) AS minute,
    sum(ticks_10s.count), sum(errors), sum(total)
FROM ticks_10s
WHERE kind = 'dependency' AND bot = {bot:String}
    AND toStartOfHour(tick) >= toStartOfHour(toDateTime({from_s:Int64}, 'UTC'))
    AND tick >= toDateTime({from_s:Int64}, 'UTC') AND tick < toDateTime({to_s:Int64}, 'UTC')
GROUP BY dependency, minute
ORDER BY dependency, minute
LIMIT {most:UInt32}"""


@dataclass(frozen=True, slots=True)
class Minute:
    """The calls of one minute, how many failed, and how long all of them took."""

    at_s: int
    count: int
    errors: int
    total_ms: float


@dataclass(frozen=True, slots=True)
class Side:
    count: int
    errors: int
    total_ms: float

    @classmethod
    def of(cls, minutes: Sequence[Minute]) -> Side:
        return cls(
            sum(one.count for one in minutes),
            sum(one.errors for one in minutes),
            sum(one.total_ms for one in minutes),
        )

    @property
    def share(self) -> float:
        return self.errors / self.count

    @property
    def mean_ms(self) -> float:
        return self.total_ms / self.count


@dataclass(frozen=True, slots=True)
class Turn:
    """From `at_s` on it is worse than it was."""

    at_s: int
    before: Side
    after: Side
    of_times: bool

    @property
    def words(self) -> str:
        if self.of_times:
            return f"takes {told(self.after.mean_ms, 'ms')}, it was {told(self.before.mean_ms, 'ms')}"
        return f"fails in {told(self.after.share, SHARE)}, it was {told(self.before.share, SHARE)}"


async def changes(store: Store, bot: str, began_ns: int) -> list[Change]:
    """The dependencies of a bot that got worse around a moment. May raise `StoreAway`."""
    low_s, high_s = (began_ns - BEFORE_NS) // SECOND_NS, (began_ns + AFTER_NS) // SECOND_NS
    rows = await store.fetch(
        _MINUTES, {"bot": bot, "from_s": low_s - _PAST_S, "to_s": high_s, "most": limits.CHANGES_READ_MAX * 60}
    )
    series: dict[str, list[Minute]] = {}
    for name, at_s, count, errors, total_ms in rows:
        series.setdefault(name, []).append(Minute(at_s, int(count), int(errors), float(total_ms)))
    found = []
    for name, minutes in series.items():
        turn = worse(minutes, low_s)
        if turn is not None:
            link = f"/explore/traces?{urlencode({'bot': bot, 'dependency': name})}"
            text = f"{name} {turn.words}, called by {bot}"
            where = places(bot=bot, dependency=name)
            found.append(Change(Kind.DEPENDENCY, turn.at_s * SECOND_NS, text, f"{bot} {name} worse", where, link))
    return found


def worse(minutes: Sequence[Minute], from_s: int) -> Turn | None:
    """The minute since which more calls fail, or else take longer; None where that was before `from_s`."""
    found = _failing(minutes) or _slower(minutes)
    return found if found is not None and found.at_s >= from_s else None


def _failing(minutes: Sequence[Minute]) -> Turn | None:
    best: tuple[float, Turn] | None = None
    for place in range(1, len(minutes)):
        before, after = Side.of(minutes[:place]), Side.of(minutes[place:])
        if min(before.count, after.count) < _ENOUGH or after.share <= before.share:
            continue
        gain = _told(before) + _told(after) - _told(Side.of(minutes))
        if gain >= _GAIN_MIN and (best is None or gain > best[0]):
            best = gain, Turn(minutes[place].at_s, before, after, of_times=False)
    return best[1] if best is not None else None


def _slower(minutes: Sequence[Minute]) -> Turn | None:
    """By the means of the minutes, so that one slow call among many does not count."""
    best: tuple[float, Turn] | None = None
    for place in range(3, len(minutes) - 1):
        before, after = Side.of(minutes[:place]), Side.of(minutes[place:])
        if min(before.count, after.count) < _ENOUGH:
            continue
        was, now = (
            [log(max(m.total_ms / m.count, 1e-3)) for m in some if m.count]
            for some in (minutes[:place], minutes[place:])
        )
        if len(was) < 3 or len(now) < 2 or after.mean_ms < _SLOWER_MIN * before.mean_ms:
            continue
        gap = sum(now) / len(now) - sum(was) / len(was)
        spread = sqrt((_squares(was) + _squares(now)) / (len(was) + len(now) - 2)) or 1e-3
        far = gap / (spread * sqrt(1 / len(was) + 1 / len(now)))
        if far >= _FAR and (best is None or far > best[0]):
            best = far, Turn(minutes[place].at_s, before, after, of_times=True)
    return best[1] if best is not None else None


def _squares(values: Sequence[float]) -> float:
    middle = sum(values) / len(values)
    return sum((value - middle) ** 2 for value in values)


def _told(side: Side) -> float:
    good = side.count - side.errors
    return sum(part * log(part / side.count) for part in (side.errors, good) if part)
