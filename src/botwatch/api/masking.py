"""Who a user is, shown or masked: '+5511999...', 'john@acme...'.

Whether the one who asks may see it follows from the setting `show_users` and their role. Masked,
an id also vanishes from the attributes and texts it is repeated in, and cannot be searched for:
a search that finds it would tell it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from botwatch.settings import Settings
from botwatch.state.people import Principal

IDENTITIES: Final = frozenset({
    "user.id", "user.name", "user.full_name", "user.email", "user_id", "enduser.id", "enduser.pseudo.id",
})  # fmt: skip
_PHONE: Final = re.compile(r"\+?\d[\d ().-]{5,}")
_ADDRESS: Final = re.compile(r"([^@\s]+)@([^@\s.]+)[^@\s]*")
_PHONE_CHARS_SHOWN: Final = 8
_ADDRESS_CHARS_SHOWN: Final = 9
_CHARS_SHOWN: Final = 4
_REPEATED_CHARS_MIN: Final = 4  # a shorter id is part of too many words


def masked(user: str) -> str:
    """Enough to recognise somebody one knows, not enough to reach them."""
    if address := _ADDRESS.fullmatch(user):
        name, company = address[1][: _ADDRESS_CHARS_SHOWN - 1], address[2]
        whole = f"{name}@{company}"
        return f"{whole if len(whole) <= _ADDRESS_CHARS_SHOWN else name + '@'}..."
    if _PHONE.fullmatch(user):
        return f"{user[: min(_PHONE_CHARS_SHOWN, len(user) - _CHARS_SHOWN)]}..."
    return f"{user[: min(_CHARS_SHOWN, len(user) // 2)]}..."


@dataclass(frozen=True, slots=True)
class Eyes:
    """What the one who asks may see."""

    users: bool

    @classmethod
    def of(cls, principal: Principal, settings: Settings) -> Eyes:
        return cls(settings.show_users == "all" or (settings.show_users == "admin" and principal.is_admin))

    def user(self, user: str) -> str | None:
        if not user:
            return None
        return user if self.users else masked(user)

    def text(self, text: str, user: str) -> str:
        """A text of which `user` is the author or the subject."""
        if self.users or len(user) < _REPEATED_CHARS_MIN:
            return text
        return text.replace(user, masked(user))

    def attributes(self, attributes: Mapping[str, JsonValue], user: str = "") -> dict[str, JsonValue]:
        if self.users:
            return dict(attributes)
        return {
            name: masked(str(value)) if name in IDENTITIES else self._value(value, user)
            for name, value in attributes.items()
        }

    def _value(self, value: JsonValue, user: str) -> JsonValue:
        if isinstance(value, str):
            return self.text(value, user)
        if isinstance(value, list):
            return [self._value(item, user) for item in value]
        if isinstance(value, dict):
            return self.attributes(value, user)
        return value
