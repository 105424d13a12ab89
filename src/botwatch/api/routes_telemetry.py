"""Logs, traces, faults, and what became of everything that was sent."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from botwatch.api.asking import Hex128, Listed, Name, Search, Timed, words_of
from botwatch.api.asking_logs import LogsAsked
from botwatch.api.auth import Admin
from botwatch.api.context import Ctx
from botwatch.api.masking import IDENTITIES
from botwatch.api.pages import Page
from botwatch.api.reads import faults, logs, scope, trace, traces
from botwatch.api.shapes_telemetry import (
    DeadShape,
    Fault,
    FaultItem,
    IntakeCounts,
    IntakeShape,
    LogPage,
    Retried,
    Trace,
    TraceItem,
)
from botwatch.api.telemetry import Asker, Asks
from botwatch.errors import Forbidden, NotFound
from botwatch.nouns import Signal
from botwatch.state import audit

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


@router.get("/logs", response_model=LogPage)
async def list_logs(asks: Asks, asked: Annotated[LogsAsked, Query()]) -> Response:
    """Newest first. All that is asked for must fit; a cursor goes on with the same filter.

    `attr.NAME=value` asks for records whose attribute NAME has that value; there may be several.
    """
    refuse_hidden(asks, asked)
    return await asks.written(lambda: _log_page(asks, asked))


@router.get("/traces")
async def list_traces(asks: Asks, asked: Annotated[TracesAsked, Query()]) -> Page[TraceItem]:
    """Newest first."""
    wanted = await traces_wanted(asks, asked)
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


@router.get("/intake/dead")
async def list_dead(asks: Asks, _: Admin) -> list[DeadShape]:
    """Requests that the engine refused: they were acknowledged, so their bytes are kept aside, the oldest first."""
    return [DeadShape.of(dead) for dead in await asyncio.to_thread(asks.telemetry.intake.dead)]


@router.post("/intake/dead/retry")
async def retry_dead(asks: Asks, context: Ctx, principal: Admin) -> Retried:
    """Give those to the engine once more, as after an update. What it refuses again is kept aside again."""
    count = await asyncio.to_thread(asks.telemetry.intake.revive)
    if count:
        await context.database.write(
            lambda session: audit.record(session, asks.now_ns, principal.name, "intake.retry", "dead", requests=count)
        )
    return Retried(requests=count)


def refuse_hidden(asks: Asker, asked: LogsAsked) -> None:
    hidden = [name for name, _ in asked.attributes if name in IDENTITIES]
    if hidden and not asks.eyes.users:
        raise Forbidden(f"You may not see users, and so not search by attr.{hidden[0]}.")


async def logs_wanted(asks: Asker, asked: LogsAsked) -> logs.Filter:
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
    return wanted if found is None else wanted.of_session(*found)


async def traces_wanted(asks: Asker, asked: TracesAsked) -> traces.Filter:
    wanted = traces.Filter(
        asked.reach(asks.now_ns, asks.zone),
        bot=asked.bot,
        action=asked.action,
        dependency=asked.dependency,
        correlation=asked.correlation,
        failed=asked.failed,
        min_ms=asked.min_ms,
    )
    if asked.session is None:
        return wanted
    found = await scope.of_session(asks.store, asked.session, asked.bot)
    return wanted.of_session(*found) if found is not None else replace(wanted, traces=())


async def _log_page(asks: Asker, asked: LogsAsked) -> LogPage:
    wanted = await logs_wanted(asks, asked)
    page = await logs.page(asks.store, wanted, asked.limit, asked.cursor, asks.now_ns, asks.eyes)
    counted = await logs.histogram(asks.store, wanted, asked.buckets, asks.now_ns, asks.eyes) if asked.buckets else None
    return LogPage(items=page.items, next=page.next, histogram=counted)
