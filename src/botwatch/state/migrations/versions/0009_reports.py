"""Own reports, links that show one, and the files that go with a message."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("report", sa.JSON, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(144), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("changed_ns", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(144), nullable=False),
        sa.Column("due_ns", sa.BigInteger),
        sa.Column("sent_ns", sa.BigInteger),
        sa.Column("delivery_id", sa.String(32)),
        sa.Column("problem", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reports_owner", "reports", ["owner"])
    op.create_index("ix_reports_due_ns", "reports", ["due_ns"])
    op.create_table(
        "report_shares",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("report_id", _BIG_ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("label", sa.String(128), nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(144), nullable=False),
        sa.Column("expires_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_report_shares"),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_report_shares_report_id", ondelete="CASCADE"),
        sa.UniqueConstraint("digest", name="uq_report_shares_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_report_shares_report_id", "report_shares", ["report_id"])
    op.create_table(
        "attachments",
        sa.Column("delivery_id", sa.String(32), nullable=False),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "position", name="pk_attachments"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name="fk_attachments_delivery_id", ondelete="CASCADE"
        ),
    )
