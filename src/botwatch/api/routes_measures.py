"""The catalogue of measures, and what bots consist of: actions, dependencies, models, and the bots themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Path, Query
from pydantic import Field

from botwatch.api.asking import Asked, Listed, Name, Timed, Window, end_of_tick
from botwatch.api.pages import Page, cursor_of, parts_of
from botwatch.api.reads import fleet, parts
from botwatch.api.shapes_measures import (
    ActionItem,
    BotItem,
    Catalogue,
    DependencyItem,
    LabelValues,
    MeasureShape,
    MetricShape,
    ModelItem,
)
from botwatch.api.telemetry import Asker, Asks
from botwatch.clock import SECOND_NS
from botwatch.limits import FILTER_CHARS_MAX, PAGE_ITEMS_MAX
from botwatch.measure import catalogue
from botwatch.measure.reader import Measures
from botwatch.store.client import Store

Item = TypeVar("Item")
Of = Callable[[Store, Measures, parts.Wanted], Awaitable[list[Item]]]
_TTL_S: Final = 5.0

router = APIRouter(prefix="/api", tags=["measures"])


class MetricsAsked(Asked):
    prefix: str = Field(default="", max_length=FILTER_CHARS_MAX, description="of the names of metrics")
    bot: Name | None = None
    limit: int = Field(default=100, ge=1, le=PAGE_ITEMS_MAX, description="metrics")


class ValuesAsked(Asked):
    label: Name
    bot: Name | None = None
    prefix: str = Field(default="", max_length=FILTER_CHARS_MAX)
    limit: int = Field(default=100, ge=1, le=PAGE_ITEMS_MAX)


class PartsAsked(Listed, Timed):
    """The window is that of the last 24 hours unless it is said."""

    bot: Name | None = None
    name: Name | None = None


@router.get("/measures")
async def list_measures(asks: Asks, asked: Annotated[MetricsAsked, Query()]) -> Catalogue:
    metrics = await asks.telemetry.measures.names.metrics(prefix=asked.prefix, bot=asked.bot, limit=asked.limit)
    return Catalogue(
        measures=[MeasureShape.of(found) for found in catalogue.describe()],
        metrics=[MetricShape.of(found) for found in metrics],
    )


@router.get("/measures/{name:path}/values")
async def list_label_values(
    asks: Asks, name: Annotated[str, Path(max_length=FILTER_CHARS_MAX)], asked: Annotated[ValuesAsked, Query()]
) -> LabelValues:
    """Which values a label of a measure has had."""
    found = await asks.telemetry.measures.label_values(
        asked.label, measure=name, bot=asked.bot, prefix=asked.prefix, limit=asked.limit
    )
    return LabelValues(label=asked.label, values=found)


@router.get("/actions")
async def list_actions(asks: Asks, asked: Annotated[PartsAsked, Query()]) -> Page[ActionItem]:
    """The most frequent first."""
    return await _parts(asks, asked, parts.actions)


@router.get("/dependencies")
async def list_dependencies(asks: Asks, asked: Annotated[PartsAsked, Query()]) -> Page[DependencyItem]:
    """What bots call, the most frequent first."""
    return await _parts(asks, asked, parts.dependencies)


@router.get("/models")
async def list_models(asks: Asks, asked: Annotated[PartsAsked, Query()]) -> Page[ModelItem]:
    """The most frequent first."""
    return await _parts(asks, asked, parts.models)


@router.get("/bots")
async def list_bots(asks: Asks, asked: Annotated[Listed, Query()]) -> Page[BotItem]:
    """By name, with when anything was seen of them, to ten seconds."""
    return _cut(await fleet.bots(asks.store), asked)


async def _parts(asks: Asker, asked: PartsAsked, of: Of[Item]) -> Page[Item]:
    """All pages show the window of the first: its cursor holds it."""
    telemetry = asks.telemetry

    async def told(window: Window) -> tuple[Window, list[Item]]:
        wanted = parts.Wanted(window, asked.bot, asked.name)
        return window, await of(telemetry.store, telemetry.measures, wanted)

    if asked.cursor is None:
        start, window = 0, asked.window(end_of_tick(asks.now_ns), asks.zone, "24h")
        which: tuple[object, ...] = (asked.from_, asked.to, asked.period)
        grace_s = window.grace_s
    else:
        start, from_s, to_s = (int(part) for part in parts_of(asked.cursor, int, int, int))
        window = Window(from_s * SECOND_NS, to_s * SECOND_NS)
        which, grace_s = (window,), 0.0
    key = (of.__name__, asked.bot, asked.name, which)
    window, items = await telemetry.fresh.get(key, _TTL_S, lambda: told(window), grace_s=grace_s)
    return _page(items, start, asked.limit, window.from_ns // SECOND_NS, -(-window.to_ns // SECOND_NS))


def _cut(items: Sequence[Item], asked: Listed) -> Page[Item]:
    start = 0 if asked.cursor is None else int(parts_of(asked.cursor, int)[0])
    return _page(items, start, asked.limit)


def _page(items: Sequence[Item], start: int, limit: int, *more: int) -> Page[Item]:
    end = start + limit
    return Page(items=list(items[start:end]), next=cursor_of(end, *more) if len(items) > end else None)
