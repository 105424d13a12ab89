"""Logs, traces, faults, and what became of everything that was sent."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import Field

from botwatch.api.asking import Hex128, Listed, Name, Search, Timed, words_of
from botwatch.api.asking_logs import LogsAsked
from botwatch.api.masking import IDENTITIES
from botwatch.api.pages import Page
from botwatch.api.reads import faults, logs, scope, trace, traces
from botwatch.api.shapes_telemetry import Fault, FaultItem, IntakeCounts, IntakeShape, LogPage, Trace, TraceItem
from botwatch.api.telemetry import Asker, Asks
from botwatch.errors import Forbidden, NotFound
from botwatch.nouns import Signal

router = APIRouter(prefix="/api", tags=["telemetry"])
_COUNTED: Final = (Signal.TRACES, Signal.LOGS, Signal.POINTS, Signal.PAYLOADS)


class TracesAsked(Listed, Timed):
    """A trace is listed when one of its spans fits all of these."""

    bot: Name | None = None
    action: Name | None = None
    dependency: Name | None = None
    session: Name | None = None
    correlation: Name | None = None
    failed: bool | None = None
    min_ms: float | None = Field(default=None, ge=0, le=1e12, description="the span took at least that long")


class FaultsAsked(Listed, Timed):
    bot: Name | None = None
    q: Search = Field(default="", description="all words in the type or the message")


@router.get("/logs")
async def list_logs(asks: Asks, asked: Annotated[LogsAsked, Query()]) -> LogPage:
    """Newest first. All that is asked for must fit; a cursor goes on with the same filter.

    `attr.NAME=value` asks for records whose attribute NAME has that value; there may be several.
    """
    hidden = [name for name, _ in asked.attributes if name in IDENTITIES]
    if hidden and not asks.eyes.users:
        raise Forbidden(f"You may not see users, and so not search by attr.{hidden[0]}.")
    return await asks.once(lambda: _log_page(asks, asked))


@router.get("/traces")
async def list_traces(asks: Asks, asked: Annotated[TracesAsked, Query()]) -> Page[TraceItem]:
    """Newest first."""
    wanted = traces.Filter(
        asked.reach(asks.now_ns, asks.zone),
        bot=asked.bot,
        action=asked.action,
        dependency=asked.dependency,
        correlation=asked.correlation,
        failed=asked.failed,
        min_ms=asked.min_ms,
    )
    if asked.session is not None:
        found = await scope.of_session(asks.store, asked.session, asked.bot)
        if found is None:
            return Page(items=[], next=None)
        wanted = wanted.of_session(*found)
    return await traces.page(asks.store, wanted, asked.limit, asked.cursor, asks.now_ns, asks.eyes)


@router.get("/traces/{trace_id}")
async def read_trace(asks: Asks, trace_id: Annotated[Hex128, Path()]) -> Trace:
    found = await trace.read(asks.store, trace_id.lower(), asks.eyes)
    if found is None:
        raise NotFound("There is no trace of this id.", hint="it may be older than what is kept")
    return found


@router.get("/faults")
async def list_faults(asks: Asks, asked: Annotated[FaultsAsked, Query()]) -> Page[FaultItem]:
    """Exceptions grouped by what they are, the ones seen last first; by default of seven days."""
    wanted = faults.Filter(asked.window(asks.now_ns, asks.zone, "7d"), asked.bot, words_of(asked.q))
    return await faults.page(asks.store, wanted, asked.limit, asked.cursor)


@router.get("/faults/{fault_id}")
async def read_fault(asks: Asks, fault_id: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]) -> Fault:
    found = await faults.read(asks.store, fault_id)
    if found is None:
        raise NotFound("There is no fault of this id.", hint="it may be older than what is kept")
    return found


@router.get("/intake")
async def read_intake(asks: Asks) -> IntakeShape:
    """What became of every item that was sent here."""
    counts = asks.telemetry.intake.intake()
    return IntakeShape(**{signal.value: IntakeCounts.of(counts[signal]) for signal in _COUNTED})


async def _log_page(asks: Asker, asked: LogsAsked) -> LogPage:
    wanted = logs.Filter(
        asked.reach(asks.now_ns, asks.zone),
        words=words_of(asked.q),
        levels=tuple(level.value for level in asked.level),
        event=asked.event,
        bot=asked.bot,
        host=asked.host,
        trace=asked.trace,
        correlation=asked.correlation,
        attributes=asked.attributes,
        session=asked.session,
    )
    found = await scope.of_session(asks.store, asked.session, asked.bot) if asked.session is not None else None
    wanted = wanted if found is None else wanted.of_session(*found)
    page = await logs.page(asks.store, wanted, asked.limit, asked.cursor, asks.now_ns, asks.eyes)
    counted = await logs.histogram(asks.store, wanted, asked.buckets, asks.now_ns, asks.eyes) if asked.buckets else None
    return LogPage(items=page.items, next=page.next, histogram=counted)
