"""What is declared of sources through the API. What was noted of declarations is made anew at every start."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.drop_table("payload_declared")
    op.create_table(
        "payload_declared",
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("schema_file", sa.String(1000), nullable=False),
        sa.Column("problem", sa.String(1000), nullable=False),
        sa.Column("critical", sa.JSON, nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("session", sa.String(1000), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_payload_declared"),
    )
    op.create_table(
        "payload_declarations",
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("said", sa.JSON, nullable=False),
        sa.Column("schema", sa.Text, nullable=False),
        sa.Column("changed_ns", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(144), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_payload_declarations"),
    )
