"""Incidents and their changes, times nobody watched; rules from the API or an import; leases of jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_LIVE = sa.text("resolved_ns IS NULL")
_UNTOLD = sa.text("told_ns IS NULL")


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("rule", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(1024), nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("summary", sa.String(1000), nullable=False),
        sa.Column("trigger_value", sa.Double),
        sa.Column("peak_value", sa.Double),
        sa.Column("last_value", sa.Double),
        sa.Column("began_ns", sa.BigInteger, nullable=False),
        sa.Column("started_ns", sa.BigInteger, nullable=False),
        sa.Column("acknowledged_ns", sa.BigInteger),
        sa.Column("acknowledged_by", sa.String(144)),
        sa.Column("resolved_ns", sa.BigInteger),
        sa.Column("snapshot", sa.JSON, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.CheckConstraint("status IN ('open', 'acknowledged', 'resolved')", name="ck_incidents_status"),
        sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name="ck_incidents_severity"),
    )
    op.create_index(
        "uq_incidents_live", "incidents", ["rule", "subject"], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE
    )
    op.create_index("ix_incidents_started_ns", "incidents", ["started_ns"])
    op.create_index("ix_incidents_resolved_ns", "incidents", ["resolved_ns"])
    op.create_table(
        "incident_changes",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("incident_id", sa.String(32), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("who", sa.String(144), nullable=False),
        sa.Column("why", sa.String(1000), nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("told_ns", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_incident_changes"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name="fk_incident_changes_incident_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_changes_incident_id", "incident_changes", ["incident_id"])
    op.create_index(
        "ix_incident_changes_untold", "incident_changes", ["id"], sqlite_where=_UNTOLD, postgresql_where=_UNTOLD
    )
    op.create_table(
        "rules",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("rule", sa.JSON, nullable=False),
        sa.Column("source", sa.String(400), nullable=False),
        sa.Column("changed_ns", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(144), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_rules"),
    )
    op.create_table(
        "unwatched",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("start_s", sa.BigInteger, nullable=False),
        sa.Column("end_s", sa.BigInteger, nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unwatched"),
        sa.CheckConstraint("why IN ('away', 'rewound')", name="ck_unwatched_why"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
