"""Rows of processes: one for each that started, and whether it started again after one that had not lived for long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from botwatch.measure.query import TICK_S
from botwatch.measure.sources import Binder, Wanted, holds

SHORT_S: Final = 600  # a life
AGAIN_S: Final = 1_800  # after its end the next one is no restart
QUIET_S: Final = 90  # whose neighbours were heard of and who was not for so long is gone
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Starts:
    """`again`: on the same host another one of the bot had ended shortly before, after a short life.

    A deploy ends processes that had lived for long, and a new worker replaces none: neither is a restart.
    """

    labels: ClassVar[tuple[str, ...]] = ("bot", "host", "version")
    open: ClassVar[bool] = False
    joined: ClassVar[tuple[str, ...]] = ()
    grain_s: ClassVar[int] = TICK_S
    moment: ClassVar[str] = "toUnixTimestamp(at)"

    def column(self, label: str, labels: Sequence[str]) -> str:
        return label

    def rows(self, wanted: Wanted, bind: Binder) -> str:
        window = wanted.window
        start, end = bind.moment(window.start_s), bind.moment(window.end_s)
        asked = [holds(c.label, c, bind) for c in wanted.where if c.label == "version"]
        ordered = "PARTITION BY bot, host ORDER BY at, starts ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
        return (
            "SELECT at, bot, host, version, 1 AS count, "
            f"last_end.1 > 0 AND last_end.2 < {SHORT_S} AND toUnixTimestamp64Milli(at) - last_end.1 < "
            f"{AGAIN_S * 1_000} AS again FROM ("
            f"SELECT *, argMaxIf((toUnixTimestamp64Milli(at), life), at, starts = 0) OVER ({ordered}) AS last_end "
            f"FROM ({_events(_lives(wanted, bind))})) "
            f"WHERE {' AND '.join(('starts = 1', f'at >= {start}', f'at < {end}', *asked))}"
        )


def _lives(wanted: Wanted, bind: Binder) -> str:
    """Each process from its first sign to its last, as far as they lie within a day before."""
    window = wanted.window
    since = bind.moment(max(0, window.start_s - _DAY_S - AGAIN_S))
    conditions = [f"day >= toDate({since})", f"day <= toDate({bind.moment(window.end_s)})"]
    conditions += ["instance != ''", "observer = ''"]
    conditions += [holds(f"runs.{c.label}", c, bind) for c in wanted.where if c.label != "version"]
    return (
        "SELECT toString(bot) AS bot, toString(host) AS host, instance, anyLast(runs.version) AS version, "
        f"min(first_seen) AS began, max(last_seen) AS ended FROM runs WHERE {' AND '.join(conditions)} "
        "GROUP BY bot, host, instance"
    )


def _events(lives: str) -> str:
    """Starts, and the ends of those that are gone, whatever comes of their neighbours."""
    told = (
        "SELECT *, dateDiff('second', began, ended) AS life, "
        f"ended < subtractSeconds(max(ended) OVER (PARTITION BY bot, host), {QUIET_S}) AS gone FROM ({lives})"
    )
    return (
        "SELECT bot, host, version, life, event.1 AS at, event.2 AS starts "
        f"FROM ({told}) ARRAY JOIN if(gone, [(began, 1), (ended, 0)], [(began, 1)]) AS event"
    )


STARTS: Final = Starts()
