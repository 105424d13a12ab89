"""The tables of own reports."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from botwatch import limits
from botwatch.state.rows import Base, BigId

WHO_CHARS = limits.LABEL_CHARS_MAX + 16


class ReportRow(Base):
    """`due_ns` is when it is sent next, `sent_ns` the time it was sent for last, `problem` why it was not."""

    __tablename__ = "reports"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    report: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    revision: Mapped[int] = mapped_column(sa.Integer)  # counts changes, so that two do not overwrite each other
    owner: Mapped[str] = mapped_column(sa.String(WHO_CHARS), index=True)
    created_ns: Mapped[int] = mapped_column(sa.BigInteger)
    changed_ns: Mapped[int] = mapped_column(sa.BigInteger)
    changed_by: Mapped[str] = mapped_column(sa.String(WHO_CHARS))
    due_ns: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    sent_ns: Mapped[int | None] = mapped_column(sa.BigInteger)
    delivery_id: Mapped[str | None] = mapped_column(sa.String(32))  # the latest mail
    problem: Mapped[str] = mapped_column(sa.String(limits.DELIVERY_ANSWER_CHARS_MAX))


class ShareRow(Base):
    """A link that shows one report to whoever has it. Of the secret only the digest is kept."""

    __tablename__ = "report_shares"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    report_id: Mapped[int] = mapped_column(sa.ForeignKey("reports.id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    label: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX))
    created_ns: Mapped[int] = mapped_column(sa.BigInteger)
    created_by: Mapped[str] = mapped_column(sa.String(WHO_CHARS))
    expires_ns: Mapped[int] = mapped_column(sa.BigInteger)
