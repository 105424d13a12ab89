"""Ingest keys: they let a bot write, and open nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.errors import Conflict, NotFound
from botwatch.state import audit, meta
from botwatch.state.people import clean_label
from botwatch.state.rows import KeyRow
from botwatch.state.secrets import Prefix, digest_of, new_secret, shown


@dataclass(frozen=True, slots=True)
class IngestKey:
    """`prefix` is how the key begins, enough to tell it from the others."""

    id: int
    label: str
    prefix: str
    created_ns: int
    last_used_ns: int | None


def add(session: Session, now_ns: int, who: str, label: str) -> tuple[IngestKey, str]:
    """The secret is in the answer and nowhere else."""
    label = clean_label(label)
    meta.stamp_access(session)
    live = sa.select(sa.func.count(KeyRow.id)).where(KeyRow.revoked_ns.is_(None))
    if (session.scalar(live) or 0) >= limits.INGEST_KEYS_MAX:
        raise Conflict(
            f"There are {limits.INGEST_KEYS_MAX} ingest keys already, which is the most there can be.",
            hint="revoke one that is no longer used",
        )
    secret = new_secret(Prefix.INGEST)
    row = KeyRow(label=label, prefix=shown(secret), digest=digest_of(secret), created_ns=now_ns)
    session.add(row)
    session.flush()
    audit.record(session, now_ns, who, "key.add", label, id=row.id, prefix=row.prefix)
    return _key(row), secret


def revoke(session: Session, now_ns: int, who: str, key_id: int) -> None:
    meta.stamp_access(session)
    row = session.get(KeyRow, key_id)
    if row is None or row.revoked_ns is not None:
        raise NotFound("There is no such ingest key, or it is revoked already.")
    row.revoked_ns = now_ns
    audit.record(session, now_ns, who, "key.revoke", row.label, id=key_id, prefix=row.prefix)


def listed(session: Session, *, after_id: int = 0, count: int) -> list[IngestKey]:
    query = sa.select(KeyRow).where(KeyRow.revoked_ns.is_(None), KeyRow.id > after_id)
    return [_key(row) for row in session.scalars(query.order_by(KeyRow.id).limit(count))]


def live(session: Session) -> list[tuple[bytes, int]]:
    """Digest and id of every key that opens."""
    query = sa.select(KeyRow.digest, KeyRow.id).where(KeyRow.revoked_ns.is_(None))
    return [(digest, key_id) for digest, key_id in session.execute(query)]


def touch(session: Session, used_ns: dict[int, int]) -> None:
    for key_id, at_ns in sorted(used_ns.items()):
        session.execute(sa.update(KeyRow).where(KeyRow.id == key_id).values(last_used_ns=at_ns))


def _key(row: KeyRow) -> IngestKey:
    return IngestKey(row.id, row.label, row.prefix, row.created_ns, row.last_used_ns)
