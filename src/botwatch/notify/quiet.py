"""The silences there are, in the state database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.errors import Conflict, NotFound
from botwatch.notify.book import touch
from botwatch.notify.rows import SilenceRow
from botwatch.notify.silence import Silence, in_ns
from botwatch.state import audit

ID_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Kept:
    id: int
    silence: Silence
    created_ns: int
    created_by: str
    over_ns: int | None


def add(session: Session, now_ns: int, who: str, silence: Silence) -> Kept:
    live = sa.select(sa.func.count(SilenceRow.id)).where(_not_over(now_ns))
    if (session.scalar(live) or 0) >= limits.SILENCES_MAX:
        raise Conflict(f"There are {limits.SILENCES_MAX} silences already, which is the most there can be.")
    over_ns = None if silence.ends is None else in_ns(silence.ends)
    row = SilenceRow(silence=silence.model_dump(mode="json", by_alias=True), created_ns=now_ns, created_by=who)
    row.over_ns = over_ns
    session.add(row)
    session.flush()
    touch(session)
    audit.record(session, now_ns, who, "silence.add", f"silence {row.id}", where=" and ".join(silence.where))
    return _kept(row)


def change(session: Session, now_ns: int, who: str, number: int, silence: Silence) -> Kept:
    row = _live(session, now_ns, number)
    row.silence = silence.model_dump(mode="json", by_alias=True)
    row.over_ns = None if silence.ends is None else in_ns(silence.ends)
    touch(session)
    audit.record(session, now_ns, who, "silence.change", f"silence {number}", where=" and ".join(silence.where))
    return _kept(row)


def end(session: Session, now_ns: int, who: str, number: int) -> None:
    _live(session, now_ns, number).over_ns = now_ns
    touch(session)
    audit.record(session, now_ns, who, "silence.end", f"silence {number}")


def live(session: Session, now_ns: int) -> dict[int, Silence]:
    """All that hold now or will."""
    rows = session.scalars(sa.select(SilenceRow).where(_not_over(now_ns)).order_by(SilenceRow.id))
    return {row.id: _kept(row).silence for row in rows}


def listed(session: Session, now_ns: int, *, over: bool, before_id: int = ID_MAX, count: int) -> list[Kept]:
    """Newest first; those that are over only when asked for."""
    query = sa.select(SilenceRow).where(SilenceRow.id < before_id).order_by(SilenceRow.id.desc()).limit(count)
    return [_kept(row) for row in session.scalars(query if over else query.where(_not_over(now_ns)))]


def _live(session: Session, now_ns: int, number: int) -> SilenceRow:
    row = session.get(SilenceRow, number)
    if row is None or (row.over_ns is not None and row.over_ns <= now_ns):
        raise NotFound("There is no such silence, or it is over already.")
    return row


def _not_over(now_ns: int) -> sa.ColumnElement[bool]:
    return SilenceRow.over_ns.is_(None) | (SilenceRow.over_ns > now_ns)


def _kept(row: SilenceRow) -> Kept:
    return Kept(row.id, Silence.model_validate(row.silence), row.created_ns, row.created_by, row.over_ns)
