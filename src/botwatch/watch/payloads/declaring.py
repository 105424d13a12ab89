"""What is declared and known of sources, as rows: any node can say what is watched and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import SECOND_NS
from botwatch.detect.rows_drift import DeclaredRow, SourceRow
from botwatch.watch.payloads.declared import Declared


def keep(session: Session, declared: Sequence[Declared], problems: Mapping[str, str]) -> None:
    """These and no others."""
    session.execute(sa.delete(DeclaredRow))
    session.add_all(
        DeclaredRow(
            source=one.source,
            origin=one.origin.value,
            schema_file=str(one.schema)[: limits.RULE_TEXT_CHARS_MAX] if isinstance(one.schema, Path) else "",
            problem=problems.get(one.source, "")[: limits.RULE_TEXT_CHARS_MAX],
            critical=list(one.critical),
            fields=list(one.kinds.fields) if one.kinds else [],
            session=one.session,
        )
        for one in declared
    )


def tell_apart(session: Session, source: str, told: dict[str, list[str]], first_s: int) -> None:
    """How the kinds of a source are told apart. Where that is not as it was, the source is known since now only."""
    row = session.get(SourceRow, source)
    if row is None:
        session.add(SourceRow(name=source, kinds=told, since_ns=first_s * SECOND_NS))
        return
    if any(row.kinds.get(key) != told[key] for key in ("fields", "carried")):
        row.since_ns = first_s * SECOND_NS
    row.kinds = told
