"""Rows of conversations: sessions as wholes, and how many there were at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from botwatch.measure.query import TICK_S
from botwatch.measure.sources import Binder, Wanted, holds

MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Sessions:
    """One row for each session, at the moment of its last message, or of its end where it had none.

    A session goes on for as long as it likes: which ones to read is told by the hours of the window, what
    they were by all that is kept of them.
    """

    labels: ClassVar[tuple[str, ...]] = ("bot", "host", "channel", "outcome")
    open: ClassVar[bool] = False
    joined: ClassVar[tuple[str, ...]] = ()
    grain_s: ClassVar[int] = TICK_S
    moment: ClassVar[str] = "toUnixTimestamp(at)"

    def column(self, label: str, labels: Sequence[str]) -> str:
        return label

    def rows(self, wanted: Wanted, bind: Binder) -> str:
        start, end = bind.moment(wanted.window.start_s), bind.moment(wanted.window.end_s)
        bots = [holds("bot", c, bind) for c in wanted.where if c.label == "bot"]
        touched = " AND ".join((f"hour >= toStartOfHour({start})", f"hour < {end}", *bots))
        whole = (
            "SELECT bot, session_id, max(sessions.channel) AS channel, max(sessions.host) AS host, "
            "max(sessions.outcome) AS outcome, "
            "min(sessions.first_message) AS began, max(sessions.last_message) AS told, "
            "max(sessions.ended) AS over, max(sessions.handed_off) AS handed, "
            "sum(messages_in) + sum(messages_out) AS messages, "
            "sum(sessions.feedback_count) AS feedback_count, sum(sessions.feedback_sum) AS feedback_sum "
            # By the id alone: another bot's session of that id falls out with its times below.
            f"FROM sessions WHERE session_id IN (SELECT session_id FROM session_hours WHERE {touched}) "
            "GROUP BY bot, session_id"
        )
        conditions = [holds(c.label, c, bind) for c in wanted.where] + [wanted.narrow] * bool(wanted.narrow)
        return (
            "SELECT assumeNotNull(coalesce(told, over)) AS at, bot, host, channel, outcome, 1 AS count, messages, "
            "isNotNull(over) AS ended, isNotNull(handed) AS handed_off, feedback_count, feedback_sum, "
            f"dateDiff('microsecond', began, told) / 1e6 AS lasted FROM ({whole}) "
            "WHERE " + " AND ".join(("coalesce(told, over) IS NOT NULL", f"at >= {start}", f"at < {end}", *conditions))
        )


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many sessions were active, a row a minute.

    Kept for every bot and channel, and under '' for all of them: what nothing asks about is read there,
    because a peak over several bots is not the sum of theirs. The row for all is there for every minute that has
    been counted; another that is not there is 0.
    """

    labels: ClassVar[tuple[str, ...]] = ("bot", "channel")
    open: ClassVar[bool] = False
    joined: ClassVar[tuple[str, ...]] = ()
    grain_s: ClassVar[int] = MINUTE_S
    moment: ClassVar[str] = "toUnixTimestamp(minute)"

    def column(self, label: str, labels: Sequence[str]) -> str:
        return label

    def rows(self, wanted: Wanted, bind: Binder) -> str:
        asked = {*wanted.labels, *(c.label for c in wanted.where)}
        conditions = [f"minute >= {bind.moment(wanted.window.start_s)}", f"minute < {bind.moment(wanted.window.end_s)}"]
        conditions += [f"{label} {'!=' if label in asked else '='} ''" for label in self.labels]
        conditions += [holds(c.label, c, bind) for c in wanted.where]
        return (
            "SELECT minute, bot, channel, "
            "map(toUnixTimestamp(minute), toInt64(argMax(concurrency.active, settled))) AS active, "
            "map(toUnixTimestamp(minute), toInt64(argMax(concurrency.peak, settled))) AS peak "
            f"FROM concurrency WHERE {' AND '.join(conditions)} GROUP BY minute, bot, channel"
        )


SESSIONS = Sessions()
CONCURRENCY = Concurrency()
