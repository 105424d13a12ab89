"""What changed in how bots call others."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from botwatch.api.asking import Listed, Name, Timed
from botwatch.api.pages import Page
from botwatch.api.reads import changes
from botwatch.api.shapes_dependencies import Change, DependencyChange
from botwatch.api.telemetry import Asks

router = APIRouter(prefix="/api", tags=["measures"])


class ChangesAsked(Listed, Timed):
    """The window is that of the last 7 days unless it is said."""

    bot: Name | None = None
    what: Change | None = None
    name: Name | None = None


@router.get("/dependencies/changes")
async def list_dependency_changes(asks: Asks, asked: Annotated[ChangesAsked, Query()]) -> Page[DependencyChange]:
    """Limits that providers changed, and circuit breakers that opened and healed, newest first."""
    wanted = changes.Wanted(asked.window(asks.now_ns, asks.zone, "7d"), asked.bot, asked.what, asked.name)
    return await asks.once(lambda: changes.page(asks.store, wanted, asked.limit, asked.cursor))
