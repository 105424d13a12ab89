"""What goes in and out of the routes over people, tokens and keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from botwatch import limits
from botwatch.api.pages import moment
from botwatch.nouns import Role
from botwatch.state.audit import Entry
from botwatch.state.keys import IngestKey
from botwatch.state.people import Principal, Via
from botwatch.state.tokens import Token
from botwatch.state.users import User


class Given(BaseModel):
    """A body: what it should not hold is refused, so that a misspelt field is not overlooked."""

    model_config = ConfigDict(extra="forbid")


class Credentials(Given):
    name: str = Field(max_length=limits.NAME_CHARS_MAX)
    password: SecretStr = Field(max_length=limits.PASSWORD_CHARS_MAX)


class NewPassword(Given):
    old: SecretStr = Field(max_length=limits.PASSWORD_CHARS_MAX)
    new: SecretStr = Field(min_length=limits.PASSWORD_CHARS_MIN, max_length=limits.PASSWORD_CHARS_MAX)


class NewUser(Given):
    name: str = Field(max_length=limits.NAME_CHARS_MAX)
    role: Role
    password: SecretStr = Field(min_length=limits.PASSWORD_CHARS_MIN, max_length=limits.PASSWORD_CHARS_MAX)


class UserChange(Given):
    """What is left out stays as it is."""

    role: Role | None = None
    disabled: bool | None = None
    password: SecretStr | None = Field(
        default=None, min_length=limits.PASSWORD_CHARS_MIN, max_length=limits.PASSWORD_CHARS_MAX
    )


class NewToken(Given):
    label: str = Field(max_length=limits.LABEL_CHARS_MAX)
    role: Role | None = Field(default=None, description="at most your own; null: your own")
    user: str | None = Field(
        default=None, max_length=limits.NAME_CHARS_MAX, description="whom it is for; an admin may name another"
    )
    days: int | None = Field(default=None, ge=1, le=limits.API_TOKEN_DAYS_MAX, description="null: until it is revoked")


class NewKey(Given):
    label: str = Field(max_length=limits.LABEL_CHARS_MAX)


class Me(BaseModel):
    name: str
    role: Role
    via: Via
    expires: datetime | None

    @classmethod
    def of(cls, principal: Principal) -> Self:
        return cls(name=principal.name, role=principal.role, via=principal.via, expires=moment(principal.expires_ns))


class UserShape(BaseModel):
    name: str
    role: Role
    disabled: bool
    created: datetime

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(name=user.name, role=user.role, disabled=user.disabled, created=moment(user.created_ns))


class TokenShape(BaseModel):
    id: int
    label: str
    role: Role
    user: str | None = Field(description="null: it belongs to nobody")
    created: datetime
    expires: datetime | None
    last_used: datetime | None = Field(description="to the minute")

    @classmethod
    def of(cls, token: Token) -> Self:
        return cls(
            id=token.id,
            label=token.label,
            role=token.role,
            user=token.user,
            created=moment(token.created_ns),
            expires=moment(token.expires_ns),
            last_used=moment(token.last_used_ns),
        )


class TokenMade(BaseModel):
    token: TokenShape
    secret: str = Field(description="shown this once")


class SessionShape(BaseModel):
    id: int
    role: Role
    user: str | None = Field(description="null: signed in by the link of the server's terminal")
    current: bool = Field(description="the one this request came with")
    created: datetime
    expires: datetime | None
    last_used: datetime | None = Field(description="to the minute")

    @classmethod
    def of(cls, token: Token, principal: Principal) -> Self:
        return cls(
            id=token.id,
            role=token.role,
            user=token.user,
            current=token.id == principal.token_id,
            created=moment(token.created_ns),
            expires=moment(token.expires_ns),
            last_used=moment(token.last_used_ns),
        )


class KeyShape(BaseModel):
    id: int
    label: str
    prefix: str = Field(description="how the key begins")
    created: datetime
    last_used: datetime | None = Field(description="to the minute")

    @classmethod
    def of(cls, key: IngestKey) -> Self:
        return cls(
            id=key.id,
            label=key.label,
            prefix=key.prefix,
            created=moment(key.created_ns),
            last_used=moment(key.last_used_ns),
        )


class KeyMade(BaseModel):
    key: KeyShape
    secret: str = Field(description="shown this once")


class AuditShape(BaseModel):
    id: int
    at: datetime
    who: str
    what: str
    subject: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(
            id=entry.id,
            at=moment(entry.at_ns),
            who=entry.who,
            what=entry.what,
            subject=entry.subject,
            detail=dict(entry.detail),
        )
