"""What was not understood and has been dealt with: of a bot, one phrase each."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from botwatch import limits
from botwatch.errors import Conflict, NotFound
from botwatch.state import audit
from botwatch.state.rows import Base


class TreatedRow(Base):
    """A phrase is without case, punctuation and figures, so that what is treated once stays treated."""

    __tablename__ = "treated_phrases"

    bot: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX), primary_key=True)
    phrase: Mapped[str] = mapped_column(sa.String(limits.PHRASE_CHARS_MAX), primary_key=True)
    at_ns: Mapped[int] = mapped_column(sa.BigInteger)
    who: Mapped[str] = mapped_column(sa.String(limits.LABEL_CHARS_MAX + 16))
    note: Mapped[str] = mapped_column(sa.String(limits.RULE_TEXT_CHARS_MAX))


def key_of(bot: str, phrase: str) -> tuple[str, str]:
    return bot[: limits.LABEL_CHARS_MAX], phrase[: limits.PHRASE_CHARS_MAX]


def treated(session: Session) -> dict[tuple[str, str], TreatedRow]:
    return {(row.bot, row.phrase): row for row in session.scalars(sa.select(TreatedRow))}


def treat(session: Session, now_ns: int, who: str, bot: str, phrase: str, note: str) -> TreatedRow:
    bot, phrase = key_of(bot, phrase)
    row = session.get(TreatedRow, (bot, phrase))
    if row is None:
        if (session.scalar(sa.select(sa.func.count()).select_from(TreatedRow)) or 0) >= limits.TREATED_PHRASES_MAX:
            raise Conflict(f"{limits.TREATED_PHRASES_MAX} phrases are treated already.", hint="take some of them back")
        row = TreatedRow(bot=bot, phrase=phrase)
        session.add(row)
    row.at_ns, row.who, row.note = now_ns, who, note
    audit.record(session, now_ns, who, "phrase.treat", f"{bot} {phrase}"[: limits.LABEL_CHARS_MAX])
    return row


def take_back(session: Session, now_ns: int, who: str, bot: str, phrase: str) -> None:
    row = session.get(TreatedRow, key_of(bot, phrase))
    if row is None:
        raise NotFound("This phrase is not treated.")
    session.delete(row)
    audit.record(session, now_ns, who, "phrase.untreat", f"{bot} {phrase}"[: limits.LABEL_CHARS_MAX])
