"""Rows of conversations: sessions as wholes, and how many there were at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from botwatch.measure.done import ANY_BOT, Done, Talking
from botwatch.measure.query import TICK_S
from botwatch.measure.sources import Binder, Wanted, holds
from botwatch.measure.window import HOUR_S

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
        return (
            "SELECT assumeNotNull(coalesce(told, over)) AS at, bot, host, channel, outcome, 1 AS count, messages, "
            "isNotNull(over) AS ended, isNotNull(handed) AS handed_off, feedback_count, feedback_sum, "
            "feedback_count > 0 AS rated, if(rated, feedback_sum / feedback_count, NULL) AS score, "
            f"dateDiff('microsecond', began, told) / 1e6 AS lasted FROM ({_whole(wanted, bind)}) "
            f"WHERE {_within(wanted, bind)}"
        )


def _key(table: str) -> str:
    """Sessions told apart by 64 bits instead of two texts: half the work. Among a million sessions two have the same
    bits once in forty million times."""
    return f"cityHash64({table}.bot, {table}.session_id)"


def _touched(table: str, wanted: Wanted, bind: Binder) -> str:
    """Which sessions were seen in the window; another that looks like one of them falls out with its times.

    A few are found by their id, which is what the table is ordered by. Of many, all rows are looked at anyway, and
    a number is looked up faster than a text.
    """
    window = wanted.window
    few = window.end_s - window.start_s <= HOUR_S
    which, seen = (f"{one}.session_id" if few else _key(one) for one in (table, "session_hours"))
    start, end = bind.moment(window.start_s), bind.moment(window.end_s)
    bots = [holds("bot", c, bind) for c in wanted.where if c.label == "bot"]
    conditions = " AND ".join((f"hour >= toStartOfHour({start})", f"hour < {end}", *bots))
    return f"{which} IN (SELECT {seen} FROM session_hours WHERE {conditions})"


def _whole(wanted: Wanted, bind: Binder) -> str:
    return (
        f"SELECT {_key('sessions')} AS session, any(sessions.bot) AS bot, any(sessions.session_id) AS session_id, "
        "max(sessions.channel) AS channel, max(sessions.host) AS host, max(sessions.outcome) AS outcome, "
        "min(sessions.first_message) AS began, max(sessions.last_message) AS told, "
        "max(sessions.ended) AS over, max(sessions.handed_off) AS handed, "
        "sum(messages_in) + sum(messages_out) AS messages, "
        "sum(sessions.feedback_count) AS feedback_count, sum(sessions.feedback_sum) AS feedback_sum "
        f"FROM sessions WHERE {_touched('sessions', wanted, bind)} GROUP BY session"
    )


def _within(wanted: Wanted, bind: Binder) -> str:
    start, end = bind.moment(wanted.window.start_s), bind.moment(wanted.window.end_s)
    conditions = [holds(c.label, c, bind) for c in wanted.where] + [wanted.narrow] * bool(wanted.narrow)
    return " AND ".join(("coalesce(told, over) IS NOT NULL", f"at >= {start}", f"at < {end}", *conditions))


@dataclass(frozen=True, slots=True)
class Completions(Sessions):
    """The same, each with whether it is over and whether it was done, and with its last action.

    One that is still going on is over when what its bot's own definition names has happened.
    """

    def rows(self, wanted: Wanted, bind: Binder) -> str:
        talking = wanted.talking
        idle = f"told <= {bind.moment(max(0, talking.now_s - talking.idle_s))}"
        return (
            "SELECT assumeNotNull(coalesce(told, over)) AS at, bot, session_id, host, channel, outcome, last_action, "
            f"{_reached(talking, bind)} AS reached, "
            f"isNotNull(over) OR {idle} OR (reached AND {_defined(talking, bind)}) AS closed, "
            "closed AND reached AS completed "
            f"FROM ({_whole(wanted, bind)}) AS whole LEFT JOIN ({_steps(wanted, bind)}) AS steps "
            f"USING session WHERE {_within(wanted, bind)}"
        )


# Of a bot without a definition of its own.
_USUAL: Final = (
    "if(isNotNull(over) AND outcome != '', outcome = 'completed', "
    "last_turn = 'answered' AND isNull(handed) AND feedback_sum >= 0)"
)


def _reached(talking: Talking, bind: Binder) -> str:
    """Whether a session has what it takes to be done."""
    cases = [f"bot = {bind(bot)}, {_own(done, bind)}" for bot, done in talking.done.items() if bot != ANY_BOT]
    rest = _own(talking.done[ANY_BOT], bind) if ANY_BOT in talking.done else _USUAL
    return f"multiIf({', '.join((*cases, rest))})" if cases else rest


def _defined(talking: Talking, bind: Binder) -> str:
    """Whether its bot has a definition."""
    return "1" if ANY_BOT in talking.done else f"bot IN {bind(list(talking.done), 'Array(String)')}"


def _own(done: Done, bind: Binder) -> str:
    steps, outcomes = bind(list(done.steps), "Array(String)"), bind(list(done.outcomes), "Array(String)")
    return f"(hasAny(did, {steps}) OR has({outcomes}, outcome))"


def _steps(wanted: Wanted, bind: Binder) -> str:
    named = bind(sorted({step for done in wanted.talking.done.values() for step in done.steps}), "Array(String)")
    step = "concat(toString(kind), ':', name)"
    return (
        f"SELECT {_key('session_steps')} AS session, argMaxIf(name, last, kind = 'turn') AS last_turn, "
        "argMaxIf(name, last, kind = 'action') AS last_action, "
        f"groupUniqArrayIf({step}, done > 0 AND has({named}, {step})) AS did "
        f"FROM session_steps WHERE {_touched('session_steps', wanted, bind)} GROUP BY session"
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
COMPLETIONS = Completions()
CONCURRENCY = Concurrency()
