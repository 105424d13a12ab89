"""The tables of incidents: what is wrong now and was, and every change of it as a row of its own.

A change is also the order to tell people: whoever notifies takes changes that are not `told` yet and, in the
transaction that writes the deliveries, marks them. So neither a crash nor a second node tells twice.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from botwatch import limits
from botwatch.state.rows import Base, BigId


class IncidentRow(Base):
    """`subject` is the labels in their one written form, `host=web-1,action=pay`; empty: everything."""

    __tablename__ = "incidents"
    __table_args__ = (
        sa.CheckConstraint("status IN ('open', 'acknowledged', 'resolved')", name="status"),
        sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
        # At most one that is not over, for a rule and a subject: also with two nodes judging.
        sa.Index(
            "uq_incidents_live",
            "rule",
            "subject",
            unique=True,
            sqlite_where=sa.text("resolved_ns IS NULL"),
            postgresql_where=sa.text("resolved_ns IS NULL"),
        ),
        sa.Index("ix_incidents_started_ns", "started_ns"),
        sa.Index("ix_incidents_resolved_ns", "resolved_ns"),
    )

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    rule: Mapped[str] = mapped_column(sa.String(limits.RULE_NAME_CHARS_MAX))
    subject: Mapped[str] = mapped_column(sa.String(limits.SUBJECT_CHARS_MAX))
    labels: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    severity: Mapped[str] = mapped_column(sa.String(16))
    status: Mapped[str] = mapped_column(sa.String(16))
    reason: Mapped[str] = mapped_column(sa.String(64))  # a Reason of detect
    summary: Mapped[str] = mapped_column(sa.String(limits.RULE_TEXT_CHARS_MAX))
    trigger_value: Mapped[float | None] = mapped_column(sa.Double)
    peak_value: Mapped[float | None] = mapped_column(sa.Double)
    last_value: Mapped[float | None] = mapped_column(sa.Double)
    began_ns: Mapped[int] = mapped_column(sa.BigInteger)  # the first tick that was wrong
    started_ns: Mapped[int] = mapped_column(sa.BigInteger)
    acknowledged_ns: Mapped[int | None] = mapped_column(sa.BigInteger)
    acknowledged_by: Mapped[str | None] = mapped_column(sa.String(limits.LABEL_CHARS_MAX + 16))
    resolved_ns: Mapped[int | None] = mapped_column(sa.BigInteger)
    snapshot: Mapped[dict[str, Any]] = mapped_column(sa.JSON)  # the rule as it was when it opened
    evidence: Mapped[dict[str, Any]] = mapped_column(sa.JSON)


class ChangeRow(Base):
    """What happened to an incident: opened, acknowledged, resolved, and by whom and why."""

    __tablename__ = "incident_changes"
    __table_args__ = (
        sa.Index(
            "ix_incident_changes_untold",
            "id",
            sqlite_where=sa.text("told_ns IS NULL"),
            postgresql_where=sa.text("told_ns IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    incident_id: Mapped[str] = mapped_column(sa.ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    at_ns: Mapped[int] = mapped_column(sa.BigInteger)
    what: Mapped[str] = mapped_column(sa.String(32))  # a Step of incident
    who: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX + 16))  # `rule` when nobody did
    why: Mapped[str] = mapped_column(sa.String(limits.RULE_TEXT_CHARS_MAX))
    value: Mapped[float | None] = mapped_column(sa.Double)
    told_ns: Mapped[int | None] = mapped_column(sa.BigInteger)


class GapRow(Base):
    """A time in which nobody watched, or which a clock that was set back lived twice."""

    __tablename__ = "unwatched"
    __table_args__ = (sa.CheckConstraint("why IN ('away', 'rewound')", name="why"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    start_s: Mapped[int] = mapped_column(sa.BigInteger)
    end_s: Mapped[int] = mapped_column(sa.BigInteger)
    why: Mapped[str] = mapped_column(sa.String(16))
