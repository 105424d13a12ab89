"""Whether a change is more than one sender's twenty minutes.

What is so now and then differs by who sends. Somebody who sends a lot for a while can be most of an hour, above all
where less and less comes at that time, and however many documents that was, it was seen once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from botwatch.detect.drift.compare import Change, What, is_known_after
from botwatch.detect.drift.profile import Profile

_NOW_AND_THEN: Final = (What.RARER, What.MORE_NULL, What.MORE_EMPTY)
_BURST_S: Final = 1_200
_KEPT: Final = 0.5  # of the difference


def lasts(change: Change, parent: str, pieces: Sequence[tuple[int, Profile]]) -> bool:
    """Whether it is still seen without the twenty minutes that show it most, or the hour where no less is known.

    `pieces` are what came in the time that was looked at, each with when it began, in their order.
    """
    if change.what is not What.VALUE_COLLAPSED and not (change.what in _NOW_AND_THEN and is_known_after(change)):
        return True
    counts = [(at_s, *profile.count(change.share, parent)) for at_s, profile in pieces]
    more = [(at_s, count - change.before * of, of) for at_s, count, of in counts]
    total, documents = sum(part[1] for part in more), sum(part[2] for part in more)
    burst, of = max(
        (
            (sum(part[1] for part in within), sum(part[2] for part in within))
            for begun_s, *_ in more
            if (within := [part for part in more if begun_s <= part[0] < begun_s + _BURST_S])
        ),
        key=lambda found: found[0] if change.now > change.before else -found[0],
        default=(0.0, 0.0),
    )
    if documents <= of:
        return False
    return (total - burst) / (documents - of) / (change.now - change.before) >= _KEPT
