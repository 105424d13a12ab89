"""Sources of documents, and what drift has found in them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "payload_sources",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kinds", sa.JSON, nullable=False),
        sa.Column("since_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_payload_sources"),
    )
    op.create_table(
        "drifts",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("variant", sa.String(200), nullable=False),
        sa.Column("path", sa.String(1000), nullable=False),
        sa.Column("stat", sa.String(16), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("sentence", sa.String(1000), nullable=False),
        sa.Column("moved_to", sa.String(1000), nullable=False),
        sa.Column("before_count", sa.Double, nullable=False),
        sa.Column("before_of", sa.Double, nullable=False),
        sa.Column("now_count", sa.Double, nullable=False),
        sa.Column("now_of", sa.Double, nullable=False),
        sa.Column("surprise", sa.Double, nullable=False),
        sa.Column("began_ns", sa.BigInteger, nullable=False),
        sa.Column("found_ns", sa.BigInteger, nullable=False),
        sa.Column("last_ns", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger),
        sa.Column("accepted_ns", sa.BigInteger),
        sa.Column("accepted_by", sa.String(144)),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_drifts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_drifts_source_found_ns", "drifts", ["source", "found_ns"])
