"""The tables of accounts and audit. Times are nanoseconds since 1970 in UTC, as everywhere."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from botwatch import limits

HOLDER_CHARS = 128
BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up only plain INTEGER


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


class UserRow(Base):
    __tablename__ = "users"
    __table_args__ = (sa.CheckConstraint("role IN ('admin', 'monitor')", name="role"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(limits.NAME_CHARS_MAX), unique=True)
    role: Mapped[str] = mapped_column(sa.String(16))
    password: Mapped[str] = mapped_column(sa.String(256))  # scrypt, with its parameters
    created_ns: Mapped[int] = mapped_column(sa.BigInteger)
    disabled_ns: Mapped[int | None] = mapped_column(sa.BigInteger)


class TokenRow(Base):
    """An API token or a browser's session. One without a user belongs to the house itself."""

    __tablename__ = "tokens"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('api', 'browser')", name="kind"),
        sa.CheckConstraint("role IN ('admin', 'monitor')", name="role"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    role: Mapped[str] = mapped_column(sa.String(16))
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    label: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX))
    created_ns: Mapped[int] = mapped_column(sa.BigInteger)
    expires_ns: Mapped[int | None] = mapped_column(sa.BigInteger)
    last_used_ns: Mapped[int | None] = mapped_column(sa.BigInteger)
    revoked_ns: Mapped[int | None] = mapped_column(sa.BigInteger)


class KeyRow(Base):
    __tablename__ = "ingest_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    label: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX))
    prefix: Mapped[str] = mapped_column(sa.String(16))
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    created_ns: Mapped[int] = mapped_column(sa.BigInteger)
    last_used_ns: Mapped[int | None] = mapped_column(sa.BigInteger)
    revoked_ns: Mapped[int | None] = mapped_column(sa.BigInteger)


class AuditRow(Base):
    __tablename__ = "audit"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at_ns: Mapped[int] = mapped_column(sa.BigInteger)
    who: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX + 16))
    what: Mapped[str] = mapped_column(sa.String(64))
    subject: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX))
    detail: Mapped[dict[str, Any]] = mapped_column(sa.JSON)


class MetaRow(Base):
    """Single facts about the database itself."""

    __tablename__ = "meta"

    name: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    value: Mapped[str] = mapped_column(sa.String(1024))


class LeaseRow(Base):
    """Which node does a job that only one may do, and a number that grows while it lives."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(sa.String(HOLDER_CHARS))  # empty: nobody
    beat: Mapped[int] = mapped_column(sa.BigInteger)
