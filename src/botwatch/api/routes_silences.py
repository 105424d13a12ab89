"""Silences: planned quiet, once or recurring."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from botwatch.api.auth import Admin, SignedIn
from botwatch.api.context import Ctx
from botwatch.api.pages import ID_MAX, Cursor, Id, Limit, Page, id_in, page_of
from botwatch.api.routes_channels import wake
from botwatch.api.shapes_notify import SilenceShape
from botwatch.notify import quiet
from botwatch.notify.silence import Silence

router = APIRouter(prefix="/api/silences", tags=["notifications"])

Over = Annotated[bool, Query(description="also those that are over")]


@router.get("")
async def list_silences(
    context: Ctx, _: SignedIn, over: Over = False, cursor: Cursor = None, limit: Limit = 100
) -> Page[SilenceShape]:
    """Newest first."""
    now_ns, before_id = context.clock.now_ns(), id_in(cursor, start=ID_MAX)
    rows = await context.database.read(
        lambda session: quiet.listed(session, now_ns, over=over, before_id=before_id, count=limit + 1)
    )
    return page_of(rows, limit, lambda kept: SilenceShape.of(kept, now_ns), lambda kept: kept.id)


@router.post("", status_code=201)
async def add_silence(context: Ctx, principal: Admin, given: Silence) -> SilenceShape:
    """Incidents whose labels fit are not told while it holds; those that are still open then are told at its end."""
    now_ns = context.clock.now_ns()
    kept = await context.database.write(lambda session: quiet.add(session, now_ns, principal.name, given))
    wake(context)
    return SilenceShape.of(kept, now_ns)


@router.put("/{id}")
async def change_silence(context: Ctx, principal: Admin, id: Id, given: Silence) -> SilenceShape:
    """It is as given from now on; one that is over stays so."""
    now_ns = context.clock.now_ns()
    kept = await context.database.write(lambda session: quiet.change(session, now_ns, principal.name, id, given))
    wake(context)
    return SilenceShape.of(kept, now_ns)


@router.delete("/{id}", status_code=204)
async def end_silence(context: Ctx, principal: Admin, id: Id) -> None:
    """It ends now."""
    now_ns = context.clock.now_ns()
    await context.database.write(lambda session: quiet.end(session, now_ns, principal.name, id))
    wake(context)
