"""What is declared of sources of documents, and what is wrong with it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "payload_declared",
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("schema_file", sa.String(1000), nullable=False),
        sa.Column("problem", sa.String(1000), nullable=False),
        sa.Column("critical", sa.JSON, nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_payload_declared"),
    )
