"""Long lists come in pages: `items`, and in `next` where to go on."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Generic, TypeVar, overload

import orjson
from fastapi import Path, Query
from pydantic import BaseModel, Field

from botwatch.errors import BadRequest
from botwatch.limits import PAGE_ITEMS_MAX

Item = TypeVar("Item")
Row = TypeVar("Row")
ID_MAX: Final = 2**63 - 1
_CURSOR_CHARS_MAX: Final = 1_024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Page(BaseModel, Generic[Item]):
    items: list[Item]
    next: str | None = Field(description="the cursor of the next page; null: this is the last")


Limit = Annotated[int, Query(ge=1, le=PAGE_ITEMS_MAX, description="items on one page")]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_CHARS_MAX, description="`next` of the page before")]
Id = Annotated[int, Path(ge=1, le=ID_MAX)]


def page_of(
    rows: Sequence[Row], limit: int, shape: Callable[[Row], Item], key: Callable[[Row], int | str]
) -> Page[Item]:
    """`rows` holds one more than the page if there is one more: ask the database for `limit + 1`."""
    shown = rows[:limit]
    return Page(items=[shape(row) for row in shown], next=cursor_of(key(shown[-1])) if len(rows) > limit else None)


def cursor_of(*parts: int | str) -> str:
    return urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def parts_of(cursor: str, *kinds: type[int] | type[str]) -> list[int | str]:
    """The parts a cursor was made of. A cursor is read back from anyone: it is checked like any input."""
    try:
        parts = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        parts = None
    fits = isinstance(parts, list) and [type(part) for part in parts] == list(kinds)
    if not fits or any(isinstance(part, int) and not 0 <= part <= ID_MAX for part in parts):
        raise BadRequest("The cursor is not one that this list gave.", hint="begin again without a cursor")
    return list(parts)


def id_in(cursor: str | None, start: int = 0) -> int:
    """For lists in the order of their id."""
    return start if cursor is None else int(parts_of(cursor, int)[0])


@overload
def moment(at_ns: int) -> datetime: ...
@overload
def moment(at_ns: int | None) -> datetime | None: ...
def moment(at_ns: int | None) -> datetime | None:
    """A time as the API tells it, to the microsecond."""
    return None if at_ns is None else _EPOCH + timedelta(microseconds=at_ns // 1_000)
