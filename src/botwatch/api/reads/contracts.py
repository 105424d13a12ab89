"""Contracts out of the store: how many were kept, and which were not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botwatch.api.asking import Window
from botwatch.api.pages import Page, cursor_of, parts_of
from botwatch.api.reads.values import sql_inside
from botwatch.api.shapes_contracts import BreachShape
from botwatch.errors import BotwatchError
from botwatch.measure.query import TICK_S, Query
from botwatch.measure.reader import Measures
from botwatch.store.client import Store
from botwatch.watch.contracts.trial import Breach

REPLIES: Final = "Messages get a reply"  # the contract that turns settle; the rollup knows it by this name
_COUNTED: Final = ("contract.kept", "contract.breached", "contract.late")
_OF_CONTRACTS: Final = (
    "SELECT toString(bot) AS bot, toString(channel) AS channel, session_id, id, toUnixTimestamp64Micro(at) AS us, "
    "toUnixTimestamp64Micro(due) AS due_us, toUnixTimestamp64Micro(followed) AS followed_us, "
    "toValidUTF8(about) AS told, lower(hex(trace_id)) AS trace, correlation_id "
    "FROM contract_outcomes FINAL WHERE contract = {name:String} AND outcome != 'kept' AND "
)
_OF_TURNS: Final = (
    "SELECT toString(bot) AS bot, toString(channel) AS channel, session_id, session_id AS id, "
    "toUnixTimestamp64Micro(asked) AS us, us + {deadline_us:Int64} AS due_us, "
    "CAST(NULL AS Nullable(Int64)) AS followed_us, toString(outcome) AS told, lower(hex(trace_id)) AS trace, "
    "'' AS correlation_id FROM turns FINAL WHERE outcome IN ('unanswered', 'failed') AND "
)


@dataclass(frozen=True, slots=True)
class Counts:
    kept: int = 0
    breached: int = 0
    late: int = 0

    @property
    def known(self) -> int:
        return self.kept + self.breached

    @property
    def rate(self) -> float | None:
        return 100 * self.kept / self.known if self.known else None


@dataclass(frozen=True, slots=True)
class Wanted:
    name: str
    window: Window
    bot: str | None
    channel: str | None
    followed: bool | None  # None: both
    deadline_us: int


async def counts(measures: Measures, from_s: int, to_s: int) -> Mapping[str, Counts]:
    """By contract. May raise what a measure that cannot be read does."""
    from_s, to_s = from_s // TICK_S * TICK_S, -(-to_s // TICK_S) * TICK_S
    answers = await measures.many([Query(name, from_s, to_s, None, ("contract",)) for name in _COUNTED])
    found: dict[str, dict[str, int]] = {}
    for name, answer in zip(_COUNTED, answers, strict=True):
        if isinstance(answer, BotwatchError):
            raise answer
        for one in answer:
            value = one.points[0][1] if one.points else None
            found.setdefault(one.labels["contract"], {})[name] = round(value or 0)
    return {contract: Counts(*(told.get(name, 0) for name in _COUNTED)) for contract, told in found.items()}


async def first_counted(store: Store, window: Window) -> Mapping[str, int]:
    """When the first of the window was counted, in nanoseconds, by contract."""
    sql = (
        "SELECT name, toUnixTimestamp(min(tick)) FROM ticks_5m WHERE kind = 'contract' AND "
        f"{sql_inside('tick')} GROUP BY name"
    )
    rows = await store.fetch(sql, {"lower": window.from_ns, "upper": window.to_ns})
    return {name: int(first_s) * 1_000_000_000 for name, first_s in rows}


async def breaches(store: Store, wanted: Wanted, limit: int, cursor: str | None) -> Page[BreachShape]:
    """Newest first."""
    turns = wanted.name == REPLIES
    before = parts_of(cursor, int, int) if cursor is not None else (2**62, 0)
    params: dict[str, Any] = {
        "name": wanted.name,
        "lower": wanted.window.from_ns,
        "upper": wanted.window.to_ns,
        "bot": wanted.bot or "",
        "channel": wanted.channel or "",
        "deadline_us": wanted.deadline_us,
        "before_us": before[0],
        "before_tie": before[1],
        "limit": limit + 1,
    }
    conditions = [sql_inside("asked" if turns else "at")]
    conditions += [
        f"{label} = {{{label}:String}}" for label in ("bot", "channel") if getattr(wanted, label) is not None
    ]
    if wanted.followed is not None and not turns:
        conditions.append(f"isNotNull(followed) = {wanted.followed}")
    elif wanted.followed:
        conditions.append("false")
    sql = (
        "SELECT *, bitShiftRight(cityHash64(bot, session_id, id), 1) AS tie FROM "
        f"({_OF_TURNS if turns else _OF_CONTRACTS}{' AND '.join(conditions)}) "
        "WHERE (us, tie) < ({before_us:Int64}, {before_tie:UInt64}) ORDER BY us DESC, tie DESC LIMIT {limit:UInt32}"
    )
    rows = (await store.fetch(sql, params)).rows
    shown = rows[:limit]
    return Page(
        items=[BreachShape.of(Breach.of(row[:-1])) for row in shown],
        next=cursor_of(shown[-1][4], shown[-1][-1]) if len(rows) > limit else None,
    )
