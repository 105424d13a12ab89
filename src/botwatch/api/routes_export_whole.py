"""Exports of the long lists, which the engine writes itself. They take the parameters of the list of that name."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from botwatch.api.asking import Listed
from botwatch.api.asking_logs import LogsAsked
from botwatch.api.auth import signed_in
from botwatch.api.context import Context, Ctx
from botwatch.api.exports import logs, sessions, traces
from botwatch.api.exports.whole import Whole, written
from botwatch.api.masking import Eyes
from botwatch.api.routes_export import Running, file_headers, running_exports
from botwatch.api.routes_monitoring import SessionsAsked, sessions_wanted
from botwatch.api.routes_telemetry import TracesAsked, logs_wanted, refuse_hidden, traces_wanted
from botwatch.api.streaming import Stream
from botwatch.api.telemetry import Asker, Asks
from botwatch.errors import BadRequest, Forbidden
from botwatch.reports.tables import MEDIA, Format

router = APIRouter(prefix="/api/export", tags=["export"])


class LogsExported(LogsAsked):
    format: Format = Format.CSV


class TracesExported(TracesAsked):
    format: Format = Format.CSV


class SessionsExported(SessionsAsked):
    format: Format = Format.CSV


@router.get("/logs", response_class=Response, status_code=200)
async def export_logs(request: Request, context: Ctx, asks: Asks, asked: Annotated[LogsExported, Query()]) -> Response:
    """Newest first. `X-Rows` says how many rows there will be."""
    refuse_hidden(asks, asked)
    running = _begun(request, asked)
    whole, rows = await logs.whole(asks.store, await logs_wanted(asks, asked), asks.eyes)
    return _answer(request, context, asks, running, whole, "logs", asked.format, rows)


@router.get("/traces", response_class=Response, status_code=200)
async def export_traces(
    request: Request, context: Ctx, asks: Asks, asked: Annotated[TracesExported, Query()]
) -> Response:
    """Newest first."""
    running = _begun(request, asked)
    whole = await traces.whole(asks.store, await traces_wanted(asks, asked), asks.eyes)
    return _answer(request, context, asks, running, whole, "traces", asked.format, None)


@router.get("/monitoring/sessions", response_class=Response, status_code=200)
async def export_sessions(
    request: Request, context: Ctx, asks: Asks, asked: Annotated[SessionsExported, Query()]
) -> Response:
    """The ones seen last first."""
    running = _begun(request, asked)
    whole = sessions.whole(sessions_wanted(asks, asked), asks.eyes)
    return _answer(request, context, asks, running, whole, "monitoring/sessions", asked.format, None)


def _begun(request: Request, asked: Listed) -> Running:
    if asked.cursor is not None:
        raise BadRequest("An export begins at the beginning and takes no cursor.")
    return running_exports(request)


def _answer(
    request: Request,
    context: Context,
    asks: Asker,
    running: Running,
    whole: Whole,
    table: str,
    format: Format,
    rows: int | None,
) -> Response:
    headers = file_headers(table, format, rows, asks.now_ns)

    async def still_allowed() -> None:
        """A right that ends on the way ends the export."""
        principal = await signed_in(request, context, None)
        if Eyes.of(principal, context.settings) != asks.eyes:
            raise Forbidden("What you may see has changed meanwhile.")

    async def file() -> AsyncGenerator[bytes]:
        running.count += 1
        try:
            async with aclosing(written(asks.store, whole, format, still_allowed)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            running.count -= 1

    return Stream(file(), MEDIA[format], headers)
