"""The tables of telling people: channels, routes, silences; and the outbox, which survives every crash.

    change ─▶ notices (one for each channel; they settle, are held, or become part of) ─▶ deliveries

A notice says who is to hear of which change, and why, or why not. A delivery is one message; what is in it is
fixed in the transaction that writes it, so its id is an idempotency key: sent again, it says the same.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from botwatch import limits
from botwatch.state.rows import Base, BigId

CHANNEL_CHARS = limits.LABEL_CHARS_MAX + 16
DETAIL_CHARS = limits.RULE_NAME_CHARS_MAX + 64


class ChannelRow(Base):
    """`secrets` are the options that no answer shows. A row stands in place of a channel of the settings."""

    __tablename__ = "channels"

    name: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(32))
    options: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    secrets: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    enabled: Mapped[bool] = mapped_column(sa.Boolean)
    changed_ns: Mapped[int] = mapped_column(sa.BigInteger)
    changed_by: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX + 16))


class RouteRow(Base):
    __tablename__ = "routes"

    position: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    route: Mapped[dict[str, Any]] = mapped_column(sa.JSON)


class SilenceRow(Base):
    __tablename__ = "silences"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    silence: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created_ns: Mapped[int] = mapped_column(sa.BigInteger)
    created_by: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX + 16))
    over_ns: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)  # NULL: it recurs without an end


class NoticeRow(Base):
    """One change for one channel. `channel` is empty where nobody could be told."""

    __tablename__ = "notices"
    __table_args__ = (
        sa.CheckConstraint("state IN ('settling', 'held', 'digest', 'sealed', 'dropped')", name="state"),
        sa.Index(
            "ix_notices_open",
            "due_ns",
            sqlite_where=sa.text("state IN ('settling', 'held')"),
            postgresql_where=sa.text("state IN ('settling', 'held')"),
        ),
        sa.Index("ix_notices_incident_id", "incident_id", "channel"),
        sa.Index("ix_notices_created_ns", "created_ns"),
        sa.Index("ix_notices_delivery_id", "delivery_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel: Mapped[str] = mapped_column(sa.String(CHANNEL_CHARS))
    incident_id: Mapped[str] = mapped_column(sa.ForeignKey("incidents.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(sa.String(32))  # a Step of incident, or `escalated`
    at_ns: Mapped[int] = mapped_column(sa.BigInteger)
    who: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX + 16))
    why: Mapped[str] = mapped_column(sa.String(limits.RULE_TEXT_CHARS_MAX))
    thread: Mapped[str] = mapped_column(sa.String(64))  # what must reach the channel in order
    settle_ms: Mapped[int] = mapped_column(sa.Integer)
    state: Mapped[str] = mapped_column(sa.String(16))
    reason: Mapped[str] = mapped_column(sa.String(32))  # a Reason of route
    detail: Mapped[str] = mapped_column(sa.String(DETAIL_CHARS))
    due_ns: Mapped[int] = mapped_column(sa.BigInteger)
    created_ns: Mapped[int] = mapped_column(sa.BigInteger)
    delivery_id: Mapped[str | None] = mapped_column(sa.String(32))


class DeliveryRow(Base):
    """`receipt` holds the attempts: when, how long, what was answered. `ref` is what the provider calls it."""

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.CheckConstraint("status IN ('waiting', 'delivered', 'failed', 'folded')", name="status"),
        sa.Index(
            "ix_deliveries_waiting",
            "channel",
            "thread",
            "seq",
            sqlite_where=sa.text("status = 'waiting'"),
            postgresql_where=sa.text("status = 'waiting'"),
        ),
        sa.Index(
            "ix_deliveries_order",
            "channel",
            "seq",
            sqlite_where=sa.text("status = 'waiting'"),
            postgresql_where=sa.text("status = 'waiting'"),
        ),
        sa.Index(
            "ix_deliveries_delivered",
            "channel",
            "thread",
            "seq",
            sqlite_where=sa.text("status = 'delivered'"),
            postgresql_where=sa.text("status = 'delivered'"),
        ),
        sa.Index("ix_deliveries_created_ns", "created_ns"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(BigId, primary_key=True)
    id: Mapped[str] = mapped_column(sa.String(32), unique=True)
    channel: Mapped[str] = mapped_column(sa.String(CHANNEL_CHARS))
    purpose: Mapped[str] = mapped_column(sa.String(16))
    thread: Mapped[str] = mapped_column(sa.String(64))
    note: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    status: Mapped[str] = mapped_column(sa.String(16))
    created_ns: Mapped[int] = mapped_column(sa.BigInteger)
    due_ns: Mapped[int] = mapped_column(sa.BigInteger)
    attempts: Mapped[int] = mapped_column(sa.Integer)
    finished_ns: Mapped[int | None] = mapped_column(sa.BigInteger)
    latency_ms: Mapped[float | None] = mapped_column(sa.Double)  # of the last attempt
    answer: Mapped[str] = mapped_column(sa.String(limits.DELIVERY_ANSWER_CHARS_MAX))
    receipt: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)
    ref: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    folded_into: Mapped[str | None] = mapped_column(sa.String(32))
    troubled_ns: Mapped[int | None] = mapped_column(sa.BigInteger)  # when another channel was told that this one fails


class AttachmentRow(Base):
    """The bytes of a file that comes with a delivery, until that has ended."""

    __tablename__ = "attachments"

    delivery_id: Mapped[str] = mapped_column(sa.ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    body: Mapped[bytes] = mapped_column(sa.LargeBinary)
