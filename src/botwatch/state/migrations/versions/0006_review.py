"""Phrases that were not understood and have been dealt with."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "treated_phrases",
        sa.Column("bot", sa.String(128), nullable=False),
        sa.Column("phrase", sa.String(500), nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        sa.Column("who", sa.String(144), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.PrimaryKeyConstraint("bot", "phrase", name="pk_treated_phrases"),
    )
