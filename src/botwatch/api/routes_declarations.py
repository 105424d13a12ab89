"""What is declared of sources of documents: read by anyone, changed by admins, in force within half a minute."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path

from botwatch.api.auth import Admin, SignedIn
from botwatch.api.context import Context, Ctx
from botwatch.api.shapes_drift import DeclarationShape
from botwatch.errors import BadRequest, Conflict
from botwatch.limits import PAYLOAD_SOURCE_CHARS_MAX
from botwatch.watch.payloads import given as kept
from botwatch.watch.payloads.declared import is_name
from botwatch.watch.payloads.given import Given

router = APIRouter(prefix="/api/payloads/sources", tags=["payloads"])

Name = Annotated[str, Path(min_length=1, max_length=PAYLOAD_SOURCE_CHARS_MAX)]


@router.get("/{source}/declaration")
async def read_declaration(context: Ctx, _: SignedIn, source: Name) -> DeclarationShape:
    """What was declared of a source here; what the settings say of one is in the list of sources."""
    found = await context.database.read(lambda session: kept.known(session, source))
    return DeclarationShape.of(source, found)


@router.put("/{source}/declaration")
async def declare_source(context: Ctx, principal: Admin, source: Name, given: Given) -> DeclarationShape:
    """In place of what was declared of it here. A schema that cannot be used is refused."""
    _only_ours(context, source)
    if not is_name(source):
        raise BadRequest("source: expected printable characters", hint="a source is named as its documents are posted")
    await asyncio.to_thread(kept.check, given, context.clock)
    now_ns = context.clock.now_ns()
    found = await context.database.write(lambda session: kept.put(session, now_ns, principal.name, source, given))
    return DeclarationShape.of(source, found)


@router.delete("/{source}/declaration", status_code=204)
async def remove_declaration(context: Ctx, principal: Admin, source: Name) -> None:
    """Nothing is declared of it any more; what was counted stays."""
    _only_ours(context, source)
    now_ns = context.clock.now_ns()
    await context.database.write(lambda session: kept.remove(session, now_ns, principal.name, source))


def _only_ours(context: Context, source: str) -> None:
    if source in context.settings.payloads:
        raise Conflict("This source is declared in the settings.", hint="change it there, and reload the server")
