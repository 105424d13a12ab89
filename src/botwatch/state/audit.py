"""Who changed what, written in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch.limits import AUDIT_DETAIL_CHARS_MAX, AUDIT_ENTRIES_MAX, LABEL_CHARS_MAX
from botwatch.state.rows import AuditRow

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Entry:
    id: int
    at_ns: int
    who: str
    what: str
    subject: str
    detail: Mapping[str, Scalar]


def record(session: Session, now_ns: int, who: str, what: str, subject: str, **detail: Scalar) -> None:
    """`what` is noun and verb, such as `key.add`; `detail` never holds a secret. Beyond a bound the oldest go."""
    kept = {name: value[:AUDIT_DETAIL_CHARS_MAX] if isinstance(value, str) else value for name, value in detail.items()}
    session.add(AuditRow(at_ns=now_ns, who=who, what=what, subject=subject[:LABEL_CHARS_MAX], detail=kept))
    newest = sa.select(sa.func.max(AuditRow.id)).scalar_subquery()
    session.execute(sa.delete(AuditRow).where(AuditRow.id <= newest - AUDIT_ENTRIES_MAX))


def entries(session: Session, *, before_id: int | None, count: int) -> list[Entry]:
    """Newest first."""
    query = sa.select(AuditRow).order_by(AuditRow.id.desc()).limit(count)
    if before_id is not None:
        query = query.where(AuditRow.id < before_id)
    return [Entry(row.id, row.at_ns, row.who, row.what, row.subject, row.detail) for row in session.scalars(query)]
