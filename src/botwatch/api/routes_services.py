"""Services: how each is, its history, and for admins which are asked."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path

from botwatch.api.auth import Admin
from botwatch.api.reads import services
from botwatch.api.shapes_services import (
    ChangedService,
    NewService,
    ServiceDetail,
    ServiceItem,
    ServiceList,
    ServiceOptions,
    ServiceToTry,
)
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
    return _viewed(roster, given.name, asks.now_ns)


@router.post("/try")
async def try_service(asks: Asks, _: Admin, given: ServiceToTry) -> ServiceItem:
    """Ask it once, as it would be asked, and keep nothing."""
    roster = _roster(asks.telemetry)
    return services.of_view(await roster.tried(given.name, given), roster.services.host, asks.now_ns)


@router.get("/{name}/options")
async def read_options(asks: Asks, _: Admin, name: ServiceName) -> ServiceOptions:
    """How a service that was added here is asked; secrets are only named."""
    known = await _roster(asks.telemetry).described(name)
    return ServiceOptions(name=name, address=known.address, options=known.plain, secrets=known.secrets)


@router.put("/{name}")
async def change_service(asks: Asks, principal: Admin, name: ServiceName, given: ChangedService) -> ServiceItem:
    """Ask it in another way from now on. Secrets that are left out stay, unless the address becomes another."""
    roster = _roster(asks.telemetry)
    await roster.change(principal.name, name, given)
    return _viewed(roster, name, asks.now_ns)


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


def _viewed(roster: Roster, name: str, now_ns: int) -> ServiceItem:
    view = roster.services.view(name)
    if view is None:
        raise _unknown()  # somebody removed it at this moment
    return services.of_view(view, roster.services.host, now_ns)


def _roster(telemetry: Telemetry) -> Roster:
    if telemetry.roster is None:
        raise StoreAway("This server was started without asking services.")
    return telemetry.roster


def _unknown() -> NotFound:
    return NotFound("There is no service of this name.", hint="GET /api/services lists them")
