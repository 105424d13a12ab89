"""Services that were added through the API, kept in the state database."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from pydantic import SecretStr, ValidationError
from sqlalchemy.orm import Mapped, Session, mapped_column

from botwatch import limits
from botwatch.errors import BadRequest, Conflict, NotFound, SettingError
from botwatch.state import audit
from botwatch.state.rows import Base
from botwatch.watch.asking import Target
from botwatch.watch.given import API, Described, service_of
from botwatch.watch.probes.model import Service

SECRETS: Final = frozenset(name for name, field in Described.model_fields.items() if "Secret" in str(field.annotation))

log = logging.getLogger(__name__)


class ServiceRow(Base):
    """`secrets` are the lines that no answer shows; an address is one, for it may hold a password."""

    __tablename__ = "services"

    name: Mapped[str] = mapped_column(sa.String(limits.NAME_CHARS_MAX), primary_key=True)
    described: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    secrets: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created_ns: Mapped[int] = mapped_column(sa.BigInteger)


@dataclass(frozen=True, slots=True)
class Known:
    """What of a service may be shown; of its secrets only which are set."""

    address: str
    plain: dict[str, Any]
    secrets: list[str]


def add(session: Session, now_ns: int, who: str, name: str, described: Described) -> None:
    try:
        service = service_of(name, described, API)
    except SettingError as error:
        raise BadRequest(error.message) from None
    if session.get(ServiceRow, name) is not None:
        raise Conflict("There is a service of this name already.", hint="remove it first, or choose another name")
    if (session.scalar(sa.select(sa.func.count(ServiceRow.name))) or 0) >= limits.SERVICES_MAX:
        raise Conflict(f"There are {limits.SERVICES_MAX} services already, which is the most there can be.")
    plain, secrets = _parts(described)
    session.add(ServiceRow(name=name, described=plain, secrets=secrets, created_ns=now_ns))
    audit.record(session, now_ns, who, "service.add", name, kind=service.kind, address=service.address)


def change(session: Session, now_ns: int, who: str, name: str, described: Described) -> None:
    row = _row(session, name)
    whole = completed(session, name, described)
    try:
        service = service_of(name, whole, API)
    except SettingError as error:
        raise BadRequest(error.message) from None
    row.described, row.secrets = _parts(whole)
    audit.record(session, now_ns, who, "service.change", name, kind=service.kind, address=service.address)


def completed(session: Session, name: str, described: Described) -> Described:
    """With the secrets that are kept of it, where others are not given.

    They go to the address they were given for and to no other: who may change an address shall not get to know them.
    """
    row = session.get(ServiceRow, name)
    given = {key: getattr(described, key).get_secret_value() for key in SECRETS}
    if row is None:
        return described
    kept = {key: value for key, value in row.secrets.items() if not given.get(key)}
    lost = sorted(kept.keys() - {"url"})
    if given["url"] and lost and _place(given["url"]) != _place(row.secrets["url"]):
        raise BadRequest(
            f"{lost[0]}: what is kept was given for another address", hint="give it again together with the address"
        )
    return described.model_copy(update={key: SecretStr(value) for key, value in kept.items()})


def known(session: Session, name: str) -> Known:
    row = _row(session, name)
    try:
        address = service_of(name, Described.model_validate(row.described | row.secrets), API).address
    except (SettingError, ValidationError):
        address = ""  # of another version: it can still be changed or removed
    return Known(address, dict(row.described), sorted(key for key, value in row.secrets.items() if value))


def remove(session: Session, now_ns: int, who: str, name: str) -> None:
    session.delete(_row(session, name))
    audit.record(session, now_ns, who, "service.remove", name)


def listed(session: Session) -> list[Service]:
    """One that this version cannot read is left out, and told in the log."""
    found = []
    for row in session.scalars(sa.select(ServiceRow).order_by(ServiceRow.name).limit(limits.SERVICES_MAX)):
        secrets = {name: SecretStr(value) for name, value in row.secrets.items()}
        try:
            found.append(service_of(row.name, Described.model_validate(row.described | secrets), API))
        except (SettingError, ValidationError) as error:
            log.warning("a service is not watched", extra={"service": row.name, "reason": type(error).__name__})
    return found


def _row(session: Session, name: str) -> ServiceRow:
    row = session.get(ServiceRow, name)
    if row is None:
        raise NotFound("There is no service of this name that was added through the API.")
    return row


def _parts(described: Described) -> tuple[dict[str, Any], dict[str, str]]:
    """What may be shown, and what may not."""
    plain = described.model_dump(mode="json", include=set(Described.model_fields) - SECRETS, exclude_defaults=True)
    secrets = {name: value.get_secret_value() for name in SECRETS if (value := getattr(described, name))}
    return plain, secrets


def _place(url: str) -> tuple[str, str, int | None]:
    try:
        target = Target.of(url)
    except SettingError as error:
        raise BadRequest(error.message) from None
    return target.scheme, target.host, target.port
