"""Recent traces, one line each.

A trace is listed when one of its spans fits the whole filter, at the time of the first that does.
Spans that fit and lie further apart than `TRACE_SPREAD_S_MAX` may list their trace once more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from botwatch.api.asking import Window
from botwatch.api.masking import Eyes
from botwatch.api.pages import Page, cursor_of, moment, parts_of
from botwatch.api.reads.scope import Scope
from botwatch.api.reads.slices import slices
from botwatch.api.reads.values import known, sql_between, sql_hex, sql_ns, sql_time, sql_traces
from botwatch.api.shapes_telemetry import TraceItem
from botwatch.clock import SECOND_NS
from botwatch.errors import BadRequest
from botwatch.limits import TRACE_SPREAD_S_MAX
from botwatch.store.client import Store

SPREAD_NS: Final = TRACE_SPREAD_S_MAX * SECOND_NS
_ID: Final = re.compile(r"[0-9a-f]{32}")
_BOTS_SHOWN: Final = 20
NO_PARENT: Final = "parent_span_id = toFixedString('', 8)"
END_NS: Final = f"{sql_ns('start')} + toInt64(least(duration_ns, 1000000000000000000))"
# What is told of a trace, from all its spans.
EACH: Final = (
    *(sql_hex("trace_id"), f"argMin(name, (NOT {NO_PARENT}, start))", sql_ns("min(start)"), f"max({END_NS})"),
    *("count()", "countIf(status = 'error')", f"groupUniqArray({_BOTS_SHOWN})(toString(bot))"),
    *("argMinIf(action, start, action != '')", "toValidUTF8(argMinIf(session_id, start, session_id != ''))"),
    *("toValidUTF8(argMinIf(user_id, start, user_id != ''))", "argMinIf(channel, start, channel != '')"),
)


@dataclass(frozen=True, slots=True)
class Filter:
    window: Window
    bot: str | None = None
    action: str | None = None
    dependency: str | None = None
    correlation: str | None = None
    failed: bool | None = None
    min_ms: float | None = None
    traces: tuple[str, ...] | None = None  # of a session

    def of_session(self, scope: Scope, traces: Sequence[str]) -> Filter:
        return replace(self, window=self.window.within(scope.reach), traces=tuple(traces))

    @property
    def few(self) -> bool:
        """Whether only a handful of spans can fit, wherever they are."""
        return self.traces is not None or self.correlation is not None


async def page(
    store: Store, wanted: Filter, limit: int, cursor: str | None, now_ns: int, eyes: Eyes
) -> Page[TraceItem]:
    before = _before(cursor) if cursor is not None else None
    if wanted.traces == ():
        return Page(items=[], next=None)
    found: list[Sequence[Any]] = []
    for piece in slices(wanted.window, now_ns, before[0] if before else None, few=wanted.few):
        sql, params = _listed(wanted, piece, before)
        found += (await store.fetch(sql, {**params, "limit": limit + 1 - len(found)})).rows
        if len(found) > limit:
            break
    shown = found[:limit]
    if not shown:
        return Page(items=[], next=None)
    around = Window(max(0, shown[-1][1] - SPREAD_NS), shown[0][1] + SPREAD_NS)
    items = {one.trace_id: one for one in await summaries(store, [row[0] for row in shown], around, eyes)}
    return Page(
        items=[items[row[0]] for row in shown if row[0] in items],
        next=cursor_of(shown[-1][1], shown[-1][0]) if len(found) > limit else None,
    )


def _listed(wanted: Filter, piece: Window, before: tuple[int, str] | None) -> tuple[str, dict[str, Any]]:
    """The traces whose first fitting span is in the piece; one that has others shortly before is not."""
    where, params = conditions(wanted)
    params |= {"lower": piece.from_ns, "back": max(0, piece.from_ns - SPREAD_NS), "upper": piece.to_ns}
    those = ["first_ns >= {lower:Int64}"]
    if before is not None:
        params |= {"before_ns": before[0], "before_id": before[1]}
        those.append("(first_ns, trace_id) < ({before_ns:Int64}, toFixedString(unhex({before_id:String}), 16))")
    where = [f"start >= {sql_time('back')}", f"start < {sql_time('upper')}", *where]
    sql = (
        f"SELECT {sql_hex('trace_id')}, first_ns FROM ("
        f"SELECT trace_id, {sql_ns('min(start)')} AS first_ns FROM spans WHERE {' AND '.join(where)} GROUP BY trace_id"
        f") WHERE {' AND '.join(those)} ORDER BY first_ns DESC, trace_id DESC LIMIT {{limit:UInt32}}"
    )
    return sql, params


async def summaries(
    store: Store, trace_ids: Sequence[str], around: Window, eyes: Eyes, settings: str = ""
) -> list[TraceItem]:
    """What is known of these traces from their spans of that time, the newest first."""
    if not trace_ids:
        return []
    sql = (
        f"SELECT {', '.join(EACH)} FROM spans PREWHERE {sql_traces(trace_ids)} "
        f"AND {sql_between('start', around.from_ns, around.to_ns)} GROUP BY trace_id {settings}"
    )
    rows = sorted(await store.fetch(sql), key=lambda row: (row[2], row[0]), reverse=True)
    return [item(row, eyes) for row in rows]


def _before(cursor: str) -> tuple[int, str]:
    first_ns, trace_id = parts_of(cursor, int, str)
    if not _ID.fullmatch(str(trace_id)):
        raise BadRequest("The cursor is not one that this list gave.", hint="begin again without a cursor")
    return int(first_ns), str(trace_id)


def conditions(wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    where: list[str] = []
    params: dict[str, Any] = {}
    for column, value in (
        ("bot", wanted.bot),
        ("action", wanted.action),
        ("dependency", wanted.dependency),
        ("correlation_id", wanted.correlation),
    ):
        if value is not None:
            params[column] = value
            where.append(f"{column} = {{{column}:String}}")
    if wanted.failed is not None:
        where.append("status = 'error'" if wanted.failed else "status != 'error'")
    if wanted.min_ms is not None:
        params["min_ns"] = round(wanted.min_ms * 1e6)
        where.append("duration_ns >= {min_ns:UInt64}")
    if wanted.traces is not None:
        where.append(sql_traces(wanted.traces))
    return where, params


def item(row: Sequence[Any], eyes: Eyes) -> TraceItem:
    trace_id, name, start_ns, end_ns, spans, errors, bots, action, session_id, user, channel = row
    return TraceItem(
        trace_id=trace_id,
        name=name,
        start=moment(start_ns),
        duration_ms=(end_ns - start_ns) / 1e6,
        spans=spans,
        errors=errors,
        failed=errors > 0,
        bots=sorted(bots),
        action=known(action),
        session_id=known(session_id),
        user=eyes.user(user),
        channel=known(channel),
    )
