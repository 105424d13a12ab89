"""What changed: what bots run and call, what comes in, what is wrong, and what people set."""

from __future__ import annotations

from typing import Annotated
from zlib import crc32

from fastapi import APIRouter, Query
from pydantic import Field

from botwatch.api.asking import Listed, Name, Timed, Window
from botwatch.api.context import Ctx
from botwatch.api.pages import Page, cursor_of, parts_of
from botwatch.api.shapes_changes import ChangeItem, DeployItem
from botwatch.api.telemetry import Asks
from botwatch.incident.causes import change as noun
from botwatch.incident.causes import state, telemetry
from botwatch.incident.causes.change import Change, Kind
from botwatch.incident.causes.deploys import Deploy

router = APIRouter(prefix="/api", tags=["changes"])


class ChangesAsked(Listed, Timed):
    """The window is that of the last 24 hours unless it is said."""

    kind: list[Kind] = Field(default_factory=list, max_length=len(Kind), description="none: all of them")
    bot: Name | None = None


class DeploysAsked(Listed, Timed):
    """The window is that of the last 30 days unless it is said."""

    bot: Name | None = None


@router.get("/changes")
async def list_changes(context: Ctx, asks: Asks, asked: Annotated[ChangesAsked, Query()]) -> Page[ChangeItem]:
    """Deploys, new models and dependencies, limits, breakers, services, documents, incidents, rules: newest first."""
    window, before = _reach(asked, asked.window(asks.now_ns, asks.zone, "24h"))
    known = [
        *await telemetry.changes(asks.store, window),
        *await context.database.read(lambda session: state.changes(session, window)),
    ]
    wanted = [
        one
        for one in known
        if (not asked.kind or one.kind in asked.kind)
        and (asked.bot is None or ("bot", asked.bot) in one.places)
        and (before is None or _key(one) < before)
    ]
    wanted.sort(key=_key, reverse=True)
    shown = wanted[: asked.limit]
    more = len(wanted) > asked.limit
    return Page(items=[ChangeItem.of(one) for one in shown], next=cursor_of(*_key(shown[-1])) if more else None)


@router.get("/deploys")
async def list_deploys(asks: Asks, asked: Annotated[DeploysAsked, Query()]) -> Page[DeployItem]:
    """Another version of a bot: when it was first and last seen, and what ran before it. Newest first."""
    window, before = _reach(asked, asked.window(asks.now_ns, asks.zone, "30d"))
    found = [
        one
        for one in await telemetry.known_deploys(asks.store, window)
        if (asked.bot is None or one.now.bot == asked.bot) and (before is None or _deployed(one) < before)
    ]
    found.sort(key=_deployed, reverse=True)
    shown = found[: asked.limit]
    more = len(found) > asked.limit
    return Page(items=[DeployItem.of(one) for one in shown], next=cursor_of(*_deployed(shown[-1])) if more else None)


def _reach(asked: Listed, window: Window) -> tuple[noun.Window, tuple[int, int] | None]:
    """A page goes on where the one before ended: what is newer is not even read."""
    if asked.cursor is None:
        return noun.Window(window.from_ns, window.to_ns), None
    at_ns, tie = parts_of(asked.cursor, int, int)
    before = int(at_ns), int(tie)
    return noun.Window(window.from_ns, min(window.to_ns, before[0] + 1)), before


def _key(change: Change) -> tuple[int, int]:
    return change.at_ns, crc32(f"{change.kind} {change.text}".encode(errors="replace"))


def _deployed(deploy: Deploy) -> tuple[int, int]:
    now = deploy.now
    return now.began_ns, crc32(f"{now.bot}\0{now.environment}\0{now.version}".encode(errors="replace"))
