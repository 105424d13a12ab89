"""Single facts about the database, among them the stamp that says when access last changed."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from sqlalchemy.orm import Session

from botwatch.state.rows import MetaRow

_ACCESS_STAMP = "access.stamp"


def get(session: Session, name: str) -> str | None:
    return session.scalar(sa.select(MetaRow.value).where(MetaRow.name == name))


def put(session: Session, name: str, value: str) -> None:
    session.merge(MetaRow(name=name, value=value))


def access_stamp(session: Session) -> str:
    return get(session, _ACCESS_STAMP) or ""


def stamp_access(session: Session) -> None:
    """Called first by every change of users, tokens and keys.

    Every node reads its copy anew when the stamp is another one; and as the row is locked until
    the change is done, two changes never judge the same state (such as who the last admin is).
    """
    stamp = secrets.token_hex(16)
    session.execute(sa.update(MetaRow).where(MetaRow.name == _ACCESS_STAMP).values(value=stamp))
