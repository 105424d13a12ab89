"""Who is asking: a user, a token, or the person at the machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from botwatch.errors import BadRequest
from botwatch.limits import LABEL_CHARS_MAX
from botwatch.nouns import Role

OPERATOR = "operator"  # came in by the sign-in link of the server's own terminal
SETTING = "admin-token"  # holds the admin token of the settings
CLI = "cli"
RESERVED_NAMES = frozenset({OPERATOR, SETTING, CLI, "system", "botwatch"})


class Via(StrEnum):
    """How a request showed who it comes from."""

    BROWSER = "browser"
    API = "api"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request comes from. `name` is what the audit says."""

    name: str
    role: Role
    via: Via
    user_id: int | None = None
    token_id: int | None = None
    expires_ns: int | None = None

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN


def lesser(one: Role, other: Role) -> Role:
    return Role.ADMIN if one is other is Role.ADMIN else Role.MONITOR


def clean_label(label: str) -> str:
    """A label is shown in lists and terminals: one line of printable text."""
    label = label.strip()
    if not label or len(label) > LABEL_CHARS_MAX or not label.isprintable():
        raise BadRequest(f"A label is 1 to {LABEL_CHARS_MAX} printable characters on one line, such as 'checkout bot'.")
    return label
