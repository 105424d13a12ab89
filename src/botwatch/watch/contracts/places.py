"""Where the store has what a contract speaks of: one SELECT for each thing that can happen.

All answer with the same columns. `us` is when it happened, in microseconds; `keys` are what it has in common with
what belongs to it, and `''` is nothing in common. Whatever came from outside stands as a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from botwatch import limits
from botwatch.detect.contract import ANY, Pattern, Same, What
from botwatch.measure.sources import Binder

COLUMNS: Final = "bot, channel, session_id, us, keys, about, trace_id, correlation_id, within_us"
_EVENTS: Final = frozenset(
    {"bot.turn.failed", "bot.handoff", "bot.session.end", "bot.feedback", "bot.expected"}
    | {"bot.dependency.limit_changed", "bot.breaker"}
)  # that have a table of their own; others stand among the logs
_MESSAGES: Final = {
    "in": "direction = 'in'",
    "out": "direction = 'out'",
    "bot": "direction = 'out' AND author = 'bot'",
    "human": "direction = 'out' AND author = 'agent'",
}
_NO_TRACE: Final = "toFixedString('', 16)"
_QUEUE: Final = (
    "if(attributes['messaging.destination.name'] != '', "
    "attributes['messaging.destination.name'], attributes['messaging.destination'])"
)
_OWN_SESSION: Final = "session_id"
_TOLD_SESSION: Final = "botwatch_session({table}.session_id, bot, channel, user_id, trace_id)"


@dataclass(frozen=True, slots=True)
class Place:
    """`moment` is the column a time is looked for in; `at` says when it happened."""

    table: str
    moment: str
    at: str
    session: str
    about: str
    conditions: tuple[str, ...]
    channel: str = "toString(channel)"
    within_us: str = "toInt64(0)"

    @property
    def by_session(self) -> bool:
        """Whether its rows stand in the order of their sessions."""
        return self.session == _OWN_SESSION


def place(pattern: Pattern, bind: Binder, *, ends: bool) -> Place:
    """`ends`: it counts when it is over, and only if it went well."""
    match pattern.what:
        case What.MESSAGE:
            found = Place("messages", "at", "at", _OWN_SESSION, "''", (_MESSAGES[pattern.name],))
        case What.EVENT:
            found = _event(pattern.name, bind)
        case What.EXPECTED | What.MET:
            found = _expected(pattern, bind)
        case What.PAYLOAD:
            session = "botwatch_session(payloads.session_id, bot, '', '', trace_id)"
            named = _named("source", pattern, bind)
            found = Place("payloads", "at", "at", session, "toString(source)", named, channel="''")
        case What.ACTION:
            found = _span("action", ("action != ''", *_named("action", pattern, bind)), ends=ends)
        case _:
            kind = "kind = 'producer'" if pattern.what is What.PUT else "kind = 'consumer'"
            found = _span(_QUEUE, (kind, *_named(_QUEUE, pattern, bind)), ends=ends)
    said = tuple(_says(found.table, path, value, bind) for path, value in pattern.where.items())
    return Place(
        found.table,
        found.moment,
        found.at,
        found.session,
        found.about,
        (*found.conditions, *said),
        found.channel,
        found.within_us,
    )


def rows(found: Place, same: Same, conditions: tuple[str, ...]) -> str:
    session = found.session.format(table=found.table)
    return (
        f"SELECT toString(bot) AS bot, {found.channel} AS channel, {session} AS session_id, "
        f"toUnixTimestamp64Micro({found.at}) AS us, {_keys(found, same)} AS keys, {found.about} AS about, trace_id, "
        f"correlation_id, {found.within_us} AS within_us FROM {found.table} "
        f"WHERE {' AND '.join((*found.conditions, *conditions))}"
    )


def _event(name: str, bind: Binder) -> Place:
    if name not in _EVENTS:
        return Place("logs", "at", "at", _TOLD_SESSION, "toString(event)", (f"event = {bind(name)}",))
    return Place("events", "at", "at", _OWN_SESSION, "toString(event)", (f"event = {bind(name)}",))


def _expected(pattern: Pattern, bind: Binder) -> Place:
    """How long it may take a bot says itself; what is no number, or none above 0, is as the contract says."""
    state = "met" if pattern.what is What.MET else "open"
    conditions = ["event = 'bot.expected'", f"attributes['bot.expected.state'] = {bind(state)}"]
    if pattern.name != ANY:
        conditions.append(f"attributes['bot.expected.name'] = {bind(pattern.name)}")
    said_s = "toFloat64OrZero(attributes['bot.expected.within_s'])"
    longest_s = limits.CONTRACT_EXPECTED_S_MAX
    within = f"toInt64(1e6 * if(isFinite({said_s}) AND {said_s} > 0, least({longest_s}, {said_s}), 0))"
    about = "attributes['bot.expected.name']"
    return Place("events", "at", "at", _OWN_SESSION, about, tuple(conditions), within_us=within)


def _span(about: str, conditions: tuple[str, ...], *, ends: bool) -> Place:
    well = ("status != 'error'",) if ends else ()
    at = "addNanoseconds(start, duration_ns)" if ends else "start"
    return Place("spans", "start", at, _TOLD_SESSION, f"toString({about})", (*conditions, *well))


def _named(column: str, pattern: Pattern, bind: Binder) -> tuple[str, ...]:
    return () if pattern.name == ANY else (f"{column} = {bind(pattern.name)}",)


def _says(table: str, path: str, value: str, bind: Binder) -> str:
    if table != "payloads":
        return f"attributes[{bind(path)}] = {bind(value)}"
    steps = ", ".join(bind(step) for step in path.split("."))
    wanted = bind(value)
    return f"(JSONExtractString(document, {steps}) = {wanted} OR JSONExtractRaw(document, {steps}) = {wanted})"


_BY: Final[Mapping[Same, str]] = {
    Same.CORRELATION: "[toString(correlation_id)]",
    Same.TRACE: f"[if(trace_id = {_NO_TRACE}, '', lower(hex(trace_id)))]",
    Same.EXPECTED: "[if(attributes['bot.expected.id'] = '', '', "
    "concat(attributes['bot.expected.name'], '\\0', attributes['bot.expected.id']))]",
}


def _keys(found: Place, same: Same) -> str:
    if same is Same.SESSION:
        session = found.session.format(table=found.table)
        return f"[if({session} = '', '', concat(toString(bot), '\\0', {session}))]"
    if same is not Same.JOB:
        return _BY[same]
    if "kind = 'producer'" in found.conditions:
        return "[lower(hex(span_id))]"
    # What takes from a queue is a child of what was put, or is linked to it.
    return (
        "arrayMap(id -> lower(hex(id)), arrayFilter(id -> id != toFixedString('', 8), "
        "arrayConcat([parent_span_id], `links.span_id`)))"
    )
