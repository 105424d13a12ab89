"""A service as people describe it, in `botwatch.toml`, the environment or the API, made into what a probe is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from botwatch import limits
from botwatch.errors import SettingError
from botwatch.watch.asking import Target
from botwatch.watch.probes.http import rule
from botwatch.watch.probes.model import Service
from botwatch.watch.probes.registry import KINDS, guessed
from botwatch.watch.probes.web import tls_context

SETTINGS: Final = "settings"
API: Final = "api"
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_NOTHING: Final = SecretStr("")
_Secret = Annotated[SecretStr, Field(max_length=limits.SECRET_CHARS_MAX)]
_Rule = Annotated[str, Field(min_length=1, max_length=limits.SERVICE_TEXT_CHARS_MAX)]
_FigureName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]


class Described(BaseModel):
    """What can be said of a service anywhere. Defaults fit most."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: _Secret = Field(description="where it is; may hold user and password")
    kind: str = Field(default="", max_length=32, description="what it is; empty: known by the scheme, or by its name")
    user: str = Field(default="", max_length=limits.LABEL_CHARS_MAX)
    password: _Secret = _NOTHING
    token: _Secret = Field(default=_NOTHING, description="for services that take one instead of a user")
    interval_seconds: float = Field(default=10, ge=limits.SERVICE_EVERY_S_MIN, le=limits.SERVICE_EVERY_S_MAX)
    timeout_seconds: float | None = Field(
        default=None, gt=0, le=limits.SERVICE_WAIT_S_MAX, description="unset: half the interval, from 1 to 5"
    )
    fails: int = Field(
        default=2, ge=1, le=limits.SERVICE_LOOKS_KEPT_MAX, description="so many of the last `of` answers must be bad"
    )
    of: int = Field(default=3, ge=1, le=limits.SERVICE_LOOKS_KEPT_MAX)
    expect_status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = Field(
        default=(), max_length=limits.SERVICE_RULES_MAX, description="of http; empty: 200 to 399"
    )
    expect_text: str = Field(default="", max_length=limits.SERVICE_TEXT_CHARS_MAX, description="of http")
    expect_json: tuple[_Rule, ...] = Field(
        default=(), max_length=limits.SERVICE_RULES_MAX, description="of http: rules such as 'database == ok'"
    )
    figures: dict[_FigureName, _Rule] = Field(
        default={}, max_length=limits.SERVICE_RULES_MAX, description="of http: name to the path of a number in its JSON"
    )
    certificate_days: int = Field(default=14, ge=0, le=365, description="a certificate valid for less is a fault")
    region: str = Field(default="", max_length=64, description="of s3")
    complete: str = Field(default="", max_length=128, description="of models: try a tiny completion with this model")


class Given(Described):
    """Beside that, files of the machine: only what its own settings say may name them."""

    url: _Secret = _NOTHING
    password_file: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None


def configured(tables: Mapping[str, Mapping[str, Any]]) -> list[Service]:
    """Those of the settings."""
    if len(tables) > limits.SERVICES_MAX:
        raise SettingError(f"services: expected at most {limits.SERVICES_MAX}, found {len(tables)}")
    return [made(name, table) for name, table in tables.items()]


def made(name: str, given: Mapping[str, Any]) -> Service:
    """From a table of the settings; a `SettingError` says what does not fit, and never a value."""
    try:
        described = Given.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        told = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in problems)
        raise SettingError(f"services.{name}: {told}") from None
    return service_of(name, described, SETTINGS)


def service_of(name: str, described: Described, source: str) -> Service:
    if not _NAME.fullmatch(name):
        raise SettingError(
            "services: expected a name of 1 to 64 small letters, digits, '.', '_' and '-', such as 'postgresql'"
        )
    try:
        target = Target.of(
            described.url.get_secret_value(),
            user=described.user,
            password=described.password,
            password_file=getattr(described, "password_file", None),
        )
        kind = _kind(name, described.kind, target)
        if described.fails > described.of:
            raise SettingError(f"fails: expected at most `of` ({described.of}), found {described.fails}")
        for text in described.expect_json:
            rule(text)
        service = Service(
            name,
            kind,
            target,
            source,
            interval_s=described.interval_seconds,
            timeout_s=described.timeout_seconds or min(5.0, max(1.0, described.interval_seconds / 2)),
            fails=described.fails,
            of=described.of,
            token=described.token if described.token.get_secret_value() else _token(described),
            ca_file=_readable(getattr(described, "ca_file", None)),
            expect_status=described.expect_status,
            expect_text=described.expect_text,
            expect_json=described.expect_json,
            figures=tuple(described.figures.items()),
            certificate_days=described.certificate_days,
            region=described.region,
            complete=described.complete,
        )
        KINDS[kind].make(service)  # what a probe cannot be made of is told now
    except SettingError as error:
        raise SettingError(f"services.{name}: {error.message}") from None
    return service


def _kind(name: str, kind: str, target: Target) -> str:
    kind = kind or guessed(target.scheme, name)
    if kind not in KINDS:
        raise SettingError(f"kind: expected one of {', '.join(KINDS)}")
    if target.scheme not in KINDS[kind].schemes:
        raise SettingError(f"url: expected an address with the scheme {' or '.join(KINDS[kind].schemes)}")
    if not target.host:
        raise SettingError(f"url: expected an address such as {KINDS[kind].schemes[0]}://host:port, found no host")
    return kind


def _token(described: Described) -> SecretStr:
    file = getattr(described, "token_file", None)
    if file is None:
        return _NOTHING
    try:
        with file.open(encoding="utf-8") as opened:
            return SecretStr(opened.read(limits.SECRET_CHARS_MAX).strip())
    except (OSError, UnicodeDecodeError):
        raise SettingError(f"token_file: {file} cannot be read") from None


def _readable(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        tls_context(str(file))
    except OSError:  # an ssl.SSLError is one
        raise SettingError(f"ca_file: {file} cannot be read, or holds no certificate") from None
    return str(file)
