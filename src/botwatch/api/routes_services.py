"""Services: how each is, its history, and for admins which are asked."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path

from botwatch.api.auth import Admin
from botwatch.api.reads import services
from botwatch.api.shapes_services import NewService, ServiceDetail, ServiceItem, ServiceList
from botwatch.api.telemetry import Asks, Telemetry
from botwatch.errors import NotFound, StoreAway
from botwatch.limits import NAME_CHARS_MAX
from botwatch.watch.roster import Roster

_TTL_S: Final = 1.0
ServiceName = Annotated[str, Path(min_length=1, max_length=NAME_CHARS_MAX)]

router = APIRouter(prefix="/api/services", tags=["services"])


@router.get("")
async def list_services(asks: Asks) -> ServiceList:
    """Status, version, key figures and latency of each. One that is not heard of any more is unknown."""
    return await asks.once(lambda: _list(asks), ttl_s=_TTL_S)


@router.get("/{name}")
async def read_service(asks: Asks, name: ServiceName) -> ServiceDetail:
    """With how it was before."""
    found = next((item for item in (await _list(asks)).items if item.name == name), None)
    if found is None:
        raise _unknown()
    return ServiceDetail(service=found, changes=await services.changes(asks.store, name, asks.now_ns))


@router.post("", status_code=201)
async def add_service(asks: Asks, principal: Admin, given: NewService) -> ServiceItem:
    """It is asked from now on. Secrets are kept and never shown again."""
    roster = _roster(asks.telemetry)
    await roster.add(principal.name, given.name, given)
    view = roster.services.view(given.name)
    if view is None:
        raise _unknown()  # somebody removed it at this moment
    return services.of_view(view, roster.services.host, asks.now_ns)


@router.delete("/{name}", status_code=204)
async def remove_service(asks: Asks, principal: Admin, name: ServiceName) -> None:
    """Only what was added here; its history stays as long as other history."""
    await _roster(asks.telemetry).remove(principal.name, name)


@router.post("/{name}/check")
async def check_service(asks: Asks, _: Admin, name: ServiceName) -> ServiceItem:
    """Ask it now, whatever its turn, and answer with what is known then."""
    roster = _roster(asks.telemetry)
    view = await roster.services.check(name)
    return services.of_view(view, roster.services.host, asks.now_ns)


async def _list(asks: Asks) -> ServiceList:
    roster = asks.telemetry.roster
    found = await services.listed(asks.store, roster.services if roster is not None else None, asks.now_ns)
    return await services.with_use(found, asks.telemetry.measures, asks.now_ns)


def _roster(telemetry: Telemetry) -> Roster:
    if telemetry.roster is None:
        raise StoreAway("This server was started without asking services.")
    return telemetry.roster


def _unknown() -> NotFound:
    return NotFound("There is no service of this name.", hint="GET /api/services lists them")
