"""Channels, routes, silences; notices and deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_OPEN = sa.text("state IN ('settling', 'held')")
_WAITING = sa.text("status = 'waiting'")
_DELIVERED = sa.text("status = 'delivered'")


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("secrets", sa.JSON, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("changed_ns", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(144), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_channels"),
    )
    op.create_table(
        "routes",
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("route", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_routes"),
    )
    op.create_table(
        "silences",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("silence", sa.JSON, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(144), nullable=False),
        sa.Column("over_ns", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_silences"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_silences_over_ns", "silences", ["over_ns"])
    op.create_table(
        "notices",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("channel", sa.String(144), nullable=False),
        sa.Column("incident_id", sa.String(32), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("who", sa.String(144), nullable=False),
        sa.Column("why", sa.String(1000), nullable=False),
        sa.Column("thread", sa.String(64), nullable=False),
        sa.Column("settle_ms", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("detail", sa.String(264), nullable=False),
        sa.Column("due_ns", sa.BigInteger, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("delivery_id", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_notices_incident_id", ondelete="CASCADE"),
        sa.CheckConstraint("state IN ('settling', 'held', 'digest', 'sealed', 'dropped')", name="ck_notices_state"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_open", "notices", ["due_ns"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("ix_notices_incident_id", "notices", ["incident_id", "channel"])
    op.create_index("ix_notices_created_ns", "notices", ["created_ns"])
    op.create_index("ix_notices_delivery_id", "notices", ["delivery_id"])
    op.create_table(
        "deliveries",
        sa.Column("seq", _BIG_ID, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(144), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("thread", sa.String(64), nullable=False),
        sa.Column("note", sa.JSON, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("due_ns", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("finished_ns", sa.BigInteger),
        sa.Column("latency_ms", sa.Double),
        sa.Column("answer", sa.String(500), nullable=False),
        sa.Column("receipt", sa.JSON, nullable=False),
        sa.Column("ref", sa.JSON, nullable=False),
        sa.Column("folded_into", sa.String(32)),
        sa.Column("troubled_ns", sa.BigInteger),
        sa.PrimaryKeyConstraint("seq", name="pk_deliveries"),
        sa.UniqueConstraint("id", name="uq_deliveries_id"),
        sa.CheckConstraint("status IN ('waiting', 'delivered', 'failed', 'folded')", name="ck_deliveries_status"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["channel", "thread", "seq"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index(
        "ix_deliveries_order",
        "deliveries",
        ["channel", "seq"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
    op.create_index(
        "ix_deliveries_delivered",
        "deliveries",
        ["channel", "thread", "seq"],
        sqlite_where=_DELIVERED,
        postgresql_where=_DELIVERED,
    )
    op.create_index("ix_deliveries_created_ns", "deliveries", ["created_ns"])
