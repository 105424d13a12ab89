"""Rules that people made or changed through the API or an import; those from files stay in their files."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from botwatch import limits
from botwatch.state.rows import Base


class RuleRow(Base):
    """A row with the name of a default rule or of one from a file stands in its place."""

    __tablename__ = "rules"

    name: Mapped[str] = mapped_column(sa.String(limits.RULE_NAME_CHARS_MAX), primary_key=True)
    rule: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    source: Mapped[str] = mapped_column(sa.String(400))
    changed_ns: Mapped[int] = mapped_column(sa.BigInteger)
    changed_by: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX + 16))
