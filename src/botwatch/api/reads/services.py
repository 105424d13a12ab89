"""How services are: those this server asks, from its own memory; those of others, from what they told last."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Final

from botwatch import limits
from botwatch.api.pages import moment
from botwatch.api.shapes_services import FigureShape, ServiceChange, ServiceItem, ServiceList
from botwatch.clock import SECOND_NS
from botwatch.measure.query import DAY_S, METRIC, Query
from botwatch.measure.reader import Measures
from botwatch.store.client import Store
from botwatch.watch.probes.model import Figure, Status
from botwatch.watch.services import Services, View

_MS_NS: Final = 1_000_000
_HOUR_S: Final = 3_600
_MODELS: Final = "models"
_USE: Final = (("model.tokens", "tokens.last_hour", "{token}"), ("model.latency", "calls.latency", "ms"))
_UNHEARD: Final = "nothing was heard of it for {:.0f} s"


async def listed(store: Store, services: Services | None, now_ns: int) -> ServiceList:
    """In the order of the settings; then those of other servers, by name."""
    own = [of_view(view, services.host, now_ns) for view in services.views()] if services is not None else []
    others = await _told(store, services.host if services is not None else "", now_ns)
    names = {item.name for item in own}
    items = own + [item for item in others if item.name not in names]
    return ServiceList(items=items, running=sum(item.status is Status.RUNNING for item in items), total=len(items))


async def with_use(found: ServiceList, measures: Measures, now_ns: int) -> ServiceList:
    """What bots made of the model server in the last hour: that is in their telemetry, and no server tells it.

    Which of several servers a call went to is not known: then nothing is told.
    """
    servers = [item for item in found.items if item.kind == _MODELS]
    if len(servers) != 1:
        return found
    end_s = now_ns // SECOND_NS + 1
    answers = await measures.many([Query(name, end_s - _HOUR_S, end_s) for name, _, _ in _USE])
    for (measure, name, unit), answer in zip(_USE, answers, strict=True):
        value = answer[0].points[0][1] if isinstance(answer, list) and answer else None
        if value is not None:
            servers[0].figures.append(FigureShape(name=name, value=value, unit=unit, measure=measure))
    return found


async def changes(store: Store, name: str, now_ns: int) -> list[ServiceChange]:
    rows = await store.fetch(
        "SELECT toUnixTimestamp64Milli(at), toString(host), before, status, reason, version FROM service_changes "
        "WHERE service = {name:String} AND at <= fromUnixTimestamp64Milli({now:Int64}) + INTERVAL 1 DAY "
        "ORDER BY at DESC LIMIT {most:UInt32}",
        {"name": name, "now": now_ns // _MS_NS, "most": limits.SERVICE_CHANGES_TOLD_MAX},
    )
    return [
        ServiceChange(
            at=moment(at_ms * _MS_NS),
            host=host,
            before=before,
            status=status,
            reason=reason or None,
            version=version or None,
        )
        for at_ms, host, before, status, reason, version in rows
    ]


def of_view(view: View, host: str, now_ns: int) -> ServiceItem:
    service = view.service
    item = ServiceItem(
        name=service.name,
        kind=service.kind,
        address=service.address,
        host=host,
        status=view.status,
        reason=view.reason or None,
        version=view.version or None,
        key_figure=view.headline or None,
        figures=[_figure(service.kind, figure) for figure in view.figures],
        latency_ms=None if view.latency_s is None else round(view.latency_s * 1_000, 3),
        since=moment(view.since_ns),
        checked=moment(view.checked_ns),
        interval_seconds=service.interval_s,
        source=service.source,
    )
    return _unless_unheard(item, view.checked_ns, service.interval_s + service.timeout_s, now_ns)


def _figure(kind: str, figure: Figure) -> FigureShape:
    measure = f"{METRIC}service.{kind}.{figure.name}"
    return FigureShape(name=figure.name, value=figure.value, unit=figure.unit, measure=measure)


async def _told(store: Store, host: str, now_ns: int) -> list[ServiceItem]:
    """The last word of each service of the last day that this machine does not ask."""
    rows = await store.fetch(
        "SELECT service, toString(host), toString(kind), address, toUnixTimestamp64Milli(at), toUnixTimestamp(since), "
        "toString(status), reason, version, figure, latency_ms, every_s FROM services "
        "WHERE host != {host:String} AND at > fromUnixTimestamp64Milli({since:Int64}) "
        "ORDER BY at DESC LIMIT 1 BY service LIMIT {most:UInt32}",
        {"host": host, "since": now_ns // _MS_NS - DAY_S * 1_000, "most": limits.SERVICES_MAX},
    )
    return sorted((_of_row(row, now_ns) for row in rows), key=lambda item: item.name)


def _of_row(row: tuple[object, ...], now_ns: int) -> ServiceItem:
    name, host, kind, address, at_ms, since_s, said, reason, version, figure, latency_ms, every_s = row
    status = Status.UNKNOWN
    with suppress(ValueError):
        status = Status(str(said))
    at_ns = int(str(at_ms)) * _MS_NS
    latency, every = float(str(latency_ms)), float(str(every_s))
    item = ServiceItem(
        name=str(name),
        kind=str(kind),
        address=str(address),
        host=str(host),
        status=status,
        reason=str(reason) or None,
        version=str(version) or None,
        key_figure=str(figure) or None,
        figures=[],
        latency_ms=latency if math.isfinite(latency) else None,
        since=moment(int(str(since_s)) * SECOND_NS) if since_s else None,
        checked=moment(at_ns),
        interval_seconds=None,
        source=None,
    )
    return _unless_unheard(item, at_ns, min(max(every, 1.0), float(limits.SERVICE_EVERY_S_MAX)), now_ns)


def _unless_unheard(item: ServiceItem, checked_ns: int | None, every_s: float, now_ns: int) -> ServiceItem:
    """What was true of it a while ago says nothing of now."""
    silent_s = (now_ns - checked_ns) / SECOND_NS if checked_ns is not None else 0.0
    if silent_s <= limits.SERVICE_UNHEARD_MAX * every_s:
        return item
    return item.model_copy(
        update={"status": Status.UNKNOWN, "reason": _UNHEARD.format(silent_s), "key_figure": None, "figures": []}
    )
