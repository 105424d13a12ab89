"""What was declared of sources through the API, kept in the state database. What the settings say goes before it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from pydantic import Field, ValidationError
from sqlalchemy.orm import Mapped, Session, mapped_column

from botwatch import limits
from botwatch.clock import Clock
from botwatch.errors import BadRequest, Conflict, NotFound
from botwatch.state import audit
from botwatch.state.rows import Base
from botwatch.watch.payloads.checker import Broken, Checker
from botwatch.watch.payloads.declared import Declared, Origin, Said, declared

log = logging.getLogger(__name__)


class Given(Said):
    """As it is to be; what is left out is not declared."""

    schema_: dict[str, Any] | None = Field(
        default=None, alias="schema", description="the JSON Schema documents are held against, as it is"
    )

    @property
    def schema_text(self) -> str:
        return "" if self.schema_ is None else orjson.dumps(self.schema_).decode()


class DeclarationRow(Base):
    __tablename__ = "payload_declarations"

    source: Mapped[str] = mapped_column(sa.String(limits.PAYLOAD_SOURCE_CHARS_MAX), primary_key=True)
    said: Mapped[dict[str, Any]] = mapped_column(sa.JSON)  # all but the schema
    schema: Mapped[str] = mapped_column(sa.Text)  # as text; empty: none
    changed_ns: Mapped[int] = mapped_column(sa.BigInteger)
    changed_by: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX + 16))


@dataclass(frozen=True, slots=True)
class Kept:
    """A declaration as it was given, when and by whom."""

    given: Given
    changed_ns: int
    changed_by: str


def check(given: Given, clock: Clock) -> None:
    """Read the schema as it will be read, in a process of its own. From a thread; raises `BadRequest`."""
    if not given.schema_text:
        return
    checker = Checker(clock)
    try:
        checker.put("", given.schema_text)
    except Broken as broken:
        raise BadRequest(f"schema: {broken}") from None
    finally:
        checker.close()


def put(session: Session, now_ns: int, who: str, source: str, given: Given) -> Kept:
    row = session.get(DeclarationRow, source, with_for_update=True)
    if row is None:
        if (session.scalar(sa.select(sa.func.count(DeclarationRow.source))) or 0) >= limits.DRIFT_SOURCES_MAX:
            raise Conflict(f"{limits.DRIFT_SOURCES_MAX} sources are declared, which is the most there can be.")
        row = DeclarationRow(source=source)
        session.add(row)
    row.said = given.model_dump(mode="json", exclude={"schema_"})
    row.schema, row.changed_ns, row.changed_by = given.schema_text, now_ns, who
    audit.record(session, now_ns, who, "payload.declare", source)
    return Kept(given, now_ns, who)


def remove(session: Session, now_ns: int, who: str, source: str) -> None:
    session.delete(_row(session, source))
    audit.record(session, now_ns, who, "payload.remove", source)


def known(session: Session, source: str) -> Kept:
    row = _row(session, source)
    schema = orjson.loads(row.schema) if row.schema else None
    return Kept(Given.model_validate({**row.said, "schema": schema}), row.changed_ns, row.changed_by)


def listed(session: Session) -> list[Declared]:
    """One that this version cannot read is left out, and told in the log."""
    found = []
    for row in session.scalars(sa.select(DeclarationRow).order_by(DeclarationRow.source)):
        try:
            found.append(declared(row.source, Said.model_validate(row.said), row.schema, Origin.API))
        except ValidationError:
            log.warning("what is declared of a source cannot be read", extra={"source": row.source})
    return found


def joined(settings: Iterable[Declared], api: Iterable[Declared]) -> tuple[Declared, ...]:
    """Of a source that both speak of, what the settings say."""
    return tuple({one.source: one for one in (*api, *settings)}.values())


def _row(session: Session, source: str) -> DeclarationRow:
    row = session.get(DeclarationRow, source)
    if row is None:
        raise NotFound(
            "Nothing is declared of this source through the API.",
            hint="GET /api/payloads/sources says what is, and where",
        )
    return row
