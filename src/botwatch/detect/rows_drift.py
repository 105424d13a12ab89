"""What drift has found and what people said of it; and what is known of each source of documents."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from botwatch import limits
from botwatch.state.rows import Base, BigId


class SourceRow(Base):
    """How the kinds of a source are told apart, and since when."""

    __tablename__ = "payload_sources"

    name: Mapped[str] = mapped_column(sa.String(limits.PAYLOAD_SOURCE_CHARS_MAX), primary_key=True)
    kinds: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    since_ns: Mapped[int] = mapped_column(sa.BigInteger)


class DeclaredRow(Base):
    """What is declared of a source, as the process that follows documents last read it."""

    __tablename__ = "payload_declared"

    source: Mapped[str] = mapped_column(sa.String(limits.PAYLOAD_SOURCE_CHARS_MAX), primary_key=True)
    origin: Mapped[str] = mapped_column(sa.String(16))  # settings or api
    schema_file: Mapped[str] = mapped_column(sa.String(limits.RULE_TEXT_CHARS_MAX))  # empty: none, or not in a file
    problem: Mapped[str] = mapped_column(sa.String(limits.RULE_TEXT_CHARS_MAX))  # of the schema; empty: none
    critical: Mapped[list[str]] = mapped_column(sa.JSON)
    fields: Mapped[list[str]] = mapped_column(sa.JSON)  # that tell the kinds apart
    session: Mapped[str] = mapped_column(sa.String(limits.DRIFT_PATH_CHARS_MAX))  # the place that names it


class DriftRow(Base):
    """One change of one place. It is live until it is over or somebody accepts it."""

    __tablename__ = "drifts"
    __table_args__ = (
        sa.Index("ix_drifts_source_found_ns", "source", "found_ns"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(limits.PAYLOAD_SOURCE_CHARS_MAX))
    variant: Mapped[str] = mapped_column(sa.String(limits.DRIFT_VARIANT_CHARS_MAX))
    path: Mapped[str] = mapped_column(sa.String(limits.DRIFT_PATH_CHARS_MAX))
    stat: Mapped[str] = mapped_column(sa.String(16))
    value: Mapped[str] = mapped_column(sa.String(limits.DRIFT_VALUE_CHARS_MAX))
    what: Mapped[str] = mapped_column(sa.String(32))
    sentence: Mapped[str] = mapped_column(sa.String(limits.RULE_TEXT_CHARS_MAX))
    moved_to: Mapped[str] = mapped_column(sa.String(limits.DRIFT_PATH_CHARS_MAX))
    before_count: Mapped[float] = mapped_column(sa.Double)
    before_of: Mapped[float] = mapped_column(sa.Double)
    now_count: Mapped[float] = mapped_column(sa.Double)
    now_of: Mapped[float] = mapped_column(sa.Double)
    surprise: Mapped[float] = mapped_column(sa.Double)
    began_ns: Mapped[int] = mapped_column(sa.BigInteger)  # as near as the documents tell
    found_ns: Mapped[int] = mapped_column(sa.BigInteger)
    last_ns: Mapped[int] = mapped_column(sa.BigInteger)
    ended_ns: Mapped[int | None] = mapped_column(sa.BigInteger)
    accepted_ns: Mapped[int | None] = mapped_column(sa.BigInteger)
    accepted_by: Mapped[str | None] = mapped_column(sa.String(limits.LABEL_CHARS_MAX + 16))
    evidence: Mapped[dict[str, Any]] = mapped_column(sa.JSON)  # examples, and what it touched
