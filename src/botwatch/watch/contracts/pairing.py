"""Pairing in SQL: each thing that had to be followed with the first that followed it, and what of that is new.

It is followed by the first of what may follow that has the same session, correlation, trace, job or expectation, and
comes at or after it; what is of the very kind that has to be followed must come after it. For jobs and
expectations, which have names of their own, two clocks may differ: what came shortly before counts as at once.

An outcome is a pure function of what is stored and of the contract, so it does not matter in which order things
arrive, and looking twice changes nothing. What differs from the row that is kept is written with sign 1, and the
row it replaces with sign -1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from botwatch import limits
from botwatch.detect.contract import Contract, Same, What
from botwatch.detect.hours import US_PER_S
from botwatch.measure.sources import Binder
from botwatch.watch.contracts import deadlines, places
from botwatch.watch.contracts.deadlines import NEVER

_SKEWED: Final = (Same.JOB, Same.EXPECTED)
_ROW_BYTES: Final = 120
_OUTCOME: Final = "Enum8('kept' = 1, 'late' = 2, 'breached' = 3)"
_KNOWN: Final = "received <= fromUnixTimestamp64Milli({received_to_ms:Int64}, 'UTC')"
_FRESH: Final = f"received > fromUnixTimestamp64Milli({{received_from_ms:Int64}}, 'UTC') AND {_KNOWN}"
_TOLD: Final = "(channel, about, trace_id, correlation_id, due, judged, follower)"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one run looks at, in microseconds: what was received, and whose deadline passed. Beginnings are left out."""

    from_us: int
    to_us: int


@dataclass(slots=True)
class Pairing:
    """The statements of one contract, by turns: each binds what it needs."""

    name: str
    contract: Contract
    zone: str
    late_us: int
    now_us: int
    longest_us: int = field(init=False)
    shortest_us: int = field(init=False)

    def __post_init__(self) -> None:
        terms = self.contract.all_terms()
        said_us = limits.CONTRACT_EXPECTED_S_MAX * US_PER_S if self._says else 0
        longest_us = max(said_us, *(one.longest_us(self.zone, self.now_us) for one in terms))
        self.longest_us = min(longest_us, limits.CONTRACT_DUE_DAYS_MAX * 86_400 * US_PER_S)
        self.shortest_us = 0 if self._says else min(one.within_us for one in terms)

    @property
    def _says(self) -> bool:
        return self.contract.when.what is What.EXPECTED

    @property
    def reach_us(self) -> int:
        """Nothing further away has to do with it."""
        return self.longest_us + self.late_us

    @property
    def _skew_us(self) -> int:
        return limits.TURN_SKEW_S_MAX * US_PER_S if self.contract.same in _SKEWED else 0

    # --- what has to be looked at

    def extent(self, stretch: Stretch) -> tuple[str, dict[str, Any]]:
        """How many keys are touched, and between which times something is new about them."""
        bind = Binder(_window(stretch))
        sql = f"SELECT count(), min(low), max(high) FROM ({self._touched(stretch, bind)})"
        return sql, {**bind.values, "parts": 1, "part": 0}

    def _touched(self, stretch: Stretch, bind: Binder) -> str:
        low = stretch.from_us - self.reach_us
        fresh = (*self._when(bind, (_FRESH,), low), *self._then(bind, (_FRESH,), low))
        due_low, due_high = stretch.from_us - self.longest_us, stretch.to_us - self.shortest_us
        whens = " UNION ALL ".join(self._when(bind, (_KNOWN,), due_low, due_high))
        due = deadlines.due(self.contract, self.zone, due_low, due_high, bind)
        passed = (
            f"SELECT {places.COLUMNS} FROM (SELECT *, {due} AS due FROM ({whens})) "
            f"WHERE due > {bind(stretch.from_us, 'Int64')} AND due <= {bind(stretch.to_us, 'Int64')}"
        )
        return (
            "SELECT key, any(bot) AS bot, any(session_id) AS session_id, min(us) AS low, max(us) AS high FROM "
            f"({' UNION ALL '.join((*fresh, passed))}) ARRAY JOIN keys AS key "
            f"WHERE key != '' AND length(key) <= {limits.TURN_ID_BYTES_MAX} GROUP BY key "
            "HAVING cityHash64(key) % {parts:UInt64} = {part:UInt64}"
        )

    def _when(
        self, bind: Binder, conditions: tuple[str, ...], low: int, high: int | None = None, keys: str = ""
    ) -> tuple[str, ...]:
        found = places.place(self.contract.when, bind, ends=False)
        told = (*_between(found, low, high, bind), *conditions, *self._narrow(found, keys))
        return (places.rows(found, self.contract.same, told),)

    def _then(self, bind: Binder, conditions: tuple[str, ...], low: int) -> tuple[str, ...]:
        return tuple(sql for sql, _ in self._followers(bind, conditions, low))

    def _followers(
        self, bind: Binder, conditions: tuple[str, ...], low: int, high: int | None = None, keys: str = ""
    ) -> list[tuple[str, bool]]:
        """Each with whether it must come strictly after what it follows."""
        told = []
        for pattern in self.contract.then:
            found = places.place(pattern, bind, ends=True)
            wanted = (*_between(found, low, high, bind), *conditions, *self._narrow(found, keys))
            told.append((places.rows(found, self.contract.same, wanted), pattern.meets(self.contract.when)))
        return told

    def _narrow(self, found: places.Place, keys: str) -> tuple[str, ...]:
        """Where the session is a column as it is, it leads to the rows; elsewhere they are chosen by their key."""
        if not keys or self.contract.same is not Same.SESSION or not found.by_session:
            return ()
        return (f"({found.table}.bot, {found.table}.session_id) IN (SELECT bot, session_id FROM ({keys}))",)

    # --- what became of it

    def _judged(self, low: int, high: int, now_us: int, bind: Binder, keys: str = "") -> str:
        """One row for each that happened from `low` to `high`; '' is not known yet. `keys`: only of these."""
        narrow = f" WHERE key IN (SELECT key FROM ({keys}))" if keys else ""
        whens = " UNION ALL ".join(self._when(bind, (_KNOWN,), low, high, keys))
        followers = self._followers(bind, (_KNOWN,), low - self._skew_us, high + self.reach_us, keys)
        story = " UNION ALL ".join(
            [f"SELECT 1 AS role, {places.COLUMNS} FROM ({whens})"]
            + [f"SELECT {3 if strictly else 2} AS role, {places.COLUMNS} FROM ({sql})" for sql, strictly in followers]
        )
        due = deadlines.due(self.contract, self.zone, low, high, bind)
        late, now = bind(self.late_us, "Int64"), bind(now_us, "Int64")
        return f"""
    SELECT *,
        if(next < {NEVER} AND next <= due + {late}, greatest(next, us), 0) AS follower,
        multiIf(follower != 0 AND follower <= due, 'kept', due > {now}, '', follower != 0, 'late', 'breached') AS judged
    FROM
    (
        SELECT *, {due} AS due,
            min(if(role = 2, us, {NEVER})) OVER later AS follows,
            min(if(role = 3, us, {NEVER})) OVER after AS comes_after,
            least(if(follows = 0, {NEVER}, follows), if(comes_after = 0, {NEVER}, comes_after)) AS next
        FROM
        (
            SELECT *, key FROM ({story}) ARRAY JOIN keys AS key{narrow}
            ORDER BY us LIMIT {limits.CONTRACT_ROWS_PER_KEY_MAX} BY key
        )
        WHERE key != '' AND length(key) <= {limits.TURN_ID_BYTES_MAX}
        WINDOW
            later AS (PARTITION BY key ORDER BY us DESC
                RANGE BETWEEN UNBOUNDED PRECEDING AND {self._skew_us} FOLLOWING),
            after AS (PARTITION BY key ORDER BY us DESC RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )
    WHERE role = 1"""

    @property
    def _id(self) -> str:
        return "session_id" if self.contract.same is Same.SESSION else "key"

    def changes(self, stretch: Stretch, low: int, high: int, part: int, parts: int) -> tuple[str, dict[str, Any]]:
        """What to put into the inbox, all in one block, at most so many bytes of it."""
        bind = Binder(_window(stretch))
        touched = self._touched(stretch, bind)
        low -= self.reach_us
        judged = self._judged(low, high, stretch.to_us, bind, touched)
        by = "(bot, session_id)" if self.contract.same is Same.SESSION else "id"
        within = "SELECT bot, session_id" if self.contract.same is Same.SESSION else "SELECT key"
        name, from_us, to_us = bind(self.name), bind(low, "Int64"), bind(high, "Int64")
        kept = f"""
        SELECT 2 AS role, toString(bot) AS bot, session_id, id, toUnixTimestamp64Micro(at) AS us,
            toString(channel) AS channel, about, trace_id, correlation_id, toUnixTimestamp64Micro(due) AS due,
            toString(outcome) AS judged, ifNull(toUnixTimestamp64Micro(followed), 0) AS follower,
            toUnixTimestamp64Micro(settled) AS settled_us
        FROM contract_outcomes
        WHERE contract = {name} AND at >= fromUnixTimestamp64Micro({from_us}, 'UTC')
            AND at <= fromUnixTimestamp64Micro({to_us}, 'UTC')
            AND {by.replace("bot", "contract_outcomes.bot")} IN ({within} FROM ({touched}))"""
        compared = f"""
        SELECT bot, session_id, id, us,
            minIf({_TOLD}, role = 1) AS now, argMaxIf({_TOLD}, settled_us, role = 2) AS was,
            max(settled_us) AS was_settled_us
        FROM
        (
            SELECT role, bot, session_id, {self._id} AS id, us, channel, about, trace_id, correlation_id, due, judged,
                follower, 0 AS settled_us
            FROM ({judged})
            UNION ALL {kept}
        )
        GROUP BY bot, session_id, id, us
        HAVING countIf(role = 1) > 0 AND now.6 != '' AND (was_settled_us = 0 OR now != was)"""
        bind.values["bytes_max"] = limits.TURN_PARCEL_BYTES_MAX
        bind.values["as_of_us"] = stretch.to_us
        return _block(compared, name), {**bind.values, "parts": parts, "part": part}

    def told(self, low: int, high: int, now_us: int) -> tuple[str, dict[str, Any]]:
        """Over stored history: what became of all that happened from `low` to `high`, each once."""
        bind = Binder({"received_to_ms": now_us // 1_000})
        judged = self._judged(low, high, now_us, bind)
        return (
            f"SELECT DISTINCT bot, channel, session_id, {self._id} AS id, us, due, follower, judged, about, "
            f"trace_id, correlation_id FROM ({judged})",
            bind.values,
        )


def _between(found: places.Place, low: int, high: int | None, bind: Binder) -> tuple[str, ...]:
    column = f"{found.table}.{found.moment}"
    # What counts at its end may have begun before.
    begun = low if found.moment == found.at else low - limits.CLOCK_BACK_S_MAX * US_PER_S
    told = [f"{column} >= fromUnixTimestamp64Micro({bind(begun, 'Int64')}, 'UTC')"]
    if high is not None:
        told.append(f"{column} <= fromUnixTimestamp64Micro({bind(high, 'Int64')}, 'UTC')")
    return tuple(told)


def _window(stretch: Stretch) -> dict[str, Any]:
    return {"received_from_ms": stretch.from_us // 1_000, "received_to_ms": stretch.to_us // 1_000}


def _block(compared: str, name: str) -> str:
    """An outcome and the one it replaces stay together; all come out of one array, so that the answer is one block."""
    return f"""
SELECT
    toLowCardinality({name}) AS contract,
    toLowCardinality(change.1) AS bot,
    toLowCardinality(told.1) AS channel,
    change.2 AS session_id,
    change.3 AS id,
    fromUnixTimestamp64Micro(change.4, 'UTC') AS at,
    fromUnixTimestamp64Micro(told.5, 'UTC') AS due,
    if(told.7 = 0, NULL, fromUnixTimestamp64Micro(told.7, 'UTC')) AS followed,
    CAST(told.6 AS {_OUTCOME}) AS outcome,
    told.2 AS about,
    told.3 AS trace_id,
    told.4 AS correlation_id,
    fromUnixTimestamp64Micro(if(sign = 1, greatest({{as_of_us:Int64}}, change.7 + 1), change.7), 'UTC') AS settled,
    change.8 AS sign
FROM
(
    SELECT arraySort(groupArrayArray(arrayMap(
        sign -> (bot, session_id, id, us, now, was, was_settled_us, sign),
        if(was_settled_us = 0, [toInt8(1)], [toInt8(-1), toInt8(1)])))) AS changes
    FROM
    (
        SELECT *, sum(if(was_settled_us = 0, 1, 2) * ({_ROW_BYTES} + length(session_id) + length(id) + length(now.2)))
            OVER (ORDER BY bot, session_id, id, us ROWS UNBOUNDED PRECEDING) AS bytes
        FROM ({compared})
    )
    WHERE bytes <= {{bytes_max:UInt64}}
)
ARRAY JOIN changes AS change, arrayMap(c -> if(c.8 = 1, c.5, c.6), changes) AS told
SETTINGS max_block_size = 1000000
"""
