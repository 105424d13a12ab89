"""Deploys out of what is known of processes: pure.

Processes of one version that follow each other closely are one stretch of it. A stretch is a deploy when another
version was seen last before it: so a crash that is over in a minute is none, and going back to an old version is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

CLOSELY_NS: Final = 120 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when to when a version of a bot was heard of, without a longer gap between its processes."""

    bot: str
    environment: str
    version: str
    began_ns: int
    ended_ns: int
    revision: str = ""
    hosts: tuple[str, ...] = ()
    processes: int = 1


@dataclass(frozen=True, slots=True)
class Deploy:
    """`before`: the version that was seen last before it; empty: none, it is the first that is known."""

    now: Stretch
    before: str
    before_ended_ns: int | None

    @property
    def beside_ns(self) -> int:
        """For how long both were alive."""
        return max(0, min(self.now.ended_ns, self.before_ended_ns or 0) - self.now.began_ns)


def deploys(stretches: Iterable[Stretch]) -> list[Deploy]:
    """In the order of time."""
    ordered = sorted(stretches, key=lambda one: (one.bot, one.environment, one.began_ns))
    found = [
        deploy
        for _, some in groupby(ordered, key=lambda one: (one.bot, one.environment))
        for deploy in _of_one(list(some))
    ]
    return sorted(found, key=lambda one: one.now.began_ns)


def _of_one(stretches: list[Stretch]) -> Iterator[Deploy]:
    for place, now in enumerate(stretches):
        last = max(stretches[:place], key=lambda one: min(one.ended_ns, now.began_ns), default=None)
        # Of several that are alive, one of its own version means that it was there all the time.
        alive = [one for one in stretches[:place] if one.ended_ns >= now.began_ns - CLOSELY_NS]
        if any(one.version == now.version for one in alive):
            continue
        if last is None:
            yield Deploy(now, "", None)
        elif last.version != now.version:
            yield Deploy(now, last.version, last.ended_ns)
