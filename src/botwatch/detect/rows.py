"""Rules that people made or changed through the API or an import; those from files stay in their files."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from botwatch import limits
from botwatch.detect.rule import Rule
from botwatch.errors import Conflict
from botwatch.state import audit, meta
from botwatch.state.rows import Base

_STAMP: Final = "rules.stamp"


class RuleRow(Base):
    """A row with the name of a default rule or of one from a file stands in its place."""

    __tablename__ = "rules"

    name: Mapped[str] = mapped_column(sa.String(limits.RULE_NAME_CHARS_MAX), primary_key=True)
    rule: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    source: Mapped[str] = mapped_column(sa.String(400))
    changed_ns: Mapped[int] = mapped_column(sa.BigInteger)
    changed_by: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX + 16))


@dataclass(frozen=True, slots=True)
class Kept:
    """A row as it was read: whether its rule still fits is for the book to find out."""

    name: str
    rule: Mapping[str, Any]
    source: str
    changed_ns: int
    changed_by: str


def stamp(session: Session) -> str:
    """Another one after every change of the rows."""
    return meta.get(session, _STAMP) or ""


def listed(session: Session) -> list[Kept]:
    return [_kept(row) for row in session.scalars(sa.select(RuleRow).order_by(RuleRow.name))]


def find(session: Session, name: str) -> Kept | None:
    row = session.get(RuleRow, name)
    return _kept(row) if row else None


def put(session: Session, now_ns: int, who: str, rule: Rule) -> None:
    """Make a row or change it. Only what the rule says is kept, so that what it leaves to us may get better."""
    meta.put(session, _STAMP, secrets.token_hex(16))
    row = session.get(RuleRow, rule.name)
    if row is None:
        count = session.scalar(sa.select(sa.func.count()).select_from(RuleRow)) or 0
        if count >= limits.RULES_MAX:
            raise Conflict(f"There are {limits.RULES_MAX} rules already.", hint="delete some that nobody needs")
        row = RuleRow(name=rule.name)
        session.add(row)
    row.rule = rule.model_dump(mode="json", by_alias=True, exclude_unset=True)
    row.source, row.changed_ns, row.changed_by = rule.source, now_ns, who
    audit.record(
        session,
        now_ns,
        who,
        "rule.put",
        rule.name,
        source=rule.source,
        enabled=rule.enabled,
        field=rule.field,
        value=rule.value,
    )


def delete(session: Session, now_ns: int, who: str, name: str) -> bool:
    """Whether there was a row. What it stood in place of counts again."""
    meta.put(session, _STAMP, secrets.token_hex(16))
    row = session.get(RuleRow, name)
    if row is None:
        return False
    session.delete(row)
    audit.record(session, now_ns, who, "rule.delete", name)
    return True


def _kept(row: RuleRow) -> Kept:
    return Kept(row.name, row.rule, row.source, row.changed_ns, row.changed_by)
