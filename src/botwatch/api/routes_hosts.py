"""The machines, and what their agents tell of them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query

from botwatch.api.asking import Listed
from botwatch.api.pages import Page, cursor_of, parts_of
from botwatch.api.reads import machines
from botwatch.api.shapes_hosts import HostItem
from botwatch.api.telemetry import Asks
from botwatch.clock import SECOND_NS

_TTL_S: Final = 2.0

router = APIRouter(prefix="/api", tags=["measures"])


@router.get("/hosts")
async def list_hosts(asks: Asks, asked: Annotated[Listed, Query()]) -> Page[HostItem]:
    """By name, with when anything was seen of them, to ten seconds, and how they are now."""
    telemetry = asks.telemetry
    items = await telemetry.fresh.get(
        "hosts", _TTL_S, lambda: machines.hosts(telemetry.store, telemetry.measures, asks.now_ns // SECOND_NS)
    )
    start = 0 if asked.cursor is None else int(parts_of(asked.cursor, int)[0])
    end = start + asked.limit
    return Page(items=items[start:end], next=cursor_of(end) if len(items) > end else None)
