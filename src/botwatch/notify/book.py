"""What is set up: channels, routes and silences, from the settings and from the state database.

A channel of the database stands in place of one of the same name in the settings; routes of the database, if
there are any, in place of all of those. Functions take a `Session`, so that a change and its audit are one.
"""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import orjson
import sqlalchemy as sa
from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.errors import BadRequest, Conflict, NotFound, SettingError
from botwatch.notify.channels import KINDS
from botwatch.notify.channels.kind import Kind, Options
from botwatch.notify.hooks import PREFIX
from botwatch.notify.route import Route, Way
from botwatch.notify.rows import ChannelRow, RouteRow
from botwatch.settings import Settings
from botwatch.state import audit, meta
from botwatch.state.people import clean_label

_STAMP: Final = "notify.stamp"
SETTINGS: Final = "settings"
API: Final = "api"
# Where a channel sends its secrets: who may change that shall not get to know them by it.
_PLACES: Final = frozenset({"url", "api_url", "base_url", "host", "port"})


@dataclass(frozen=True, slots=True)
class Channel:
    """`source` is `settings` or `api`; what the settings hold is changed there."""

    name: str
    kind: str
    options: Options
    enabled: bool = True
    source: str = API
    changed_ns: int | None = None
    changed_by: str = ""

    @property
    def does(self) -> Kind[Any]:
        return KINDS[self.kind]

    @property
    def way(self) -> Way:
        kind = self.does
        groups = kind.groups(self.options)
        return Way(self.name, kind.steps, groups=groups, digests=kind.digests, enabled=self.enabled)


@dataclass(frozen=True, slots=True)
class Base:
    """What the settings say."""

    channels: Mapping[str, Channel]
    routes: tuple[Route, ...]

    @classmethod
    def of(cls, settings: Settings) -> Base:
        tables = _json(settings.channels.get_secret_value(), "channels", dict)
        channels = {}
        for name, table in tables.items():
            if not isinstance(table, dict):
                raise SettingError(f"channels: {str(name)[:40]}: expected a table with a kind and its options")
            try:
                channels[name] = _of_table(name, table)
            except BadRequest as error:
                raise SettingError(f"channels: {error.message}", hint=error.hint) from None
        routes = _json(settings.routes, "routes", list)
        try:
            return cls(channels, checked_routes(routes, channels))
        except BadRequest as error:
            raise SettingError(error.message, hint=error.hint) from None


def _json(text: str, name: str, kind: type) -> Any:
    if not text:
        return kind()
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, kind):
        what = "tables, as [channels.NAME]" if kind is dict else "a list of tables, as [[routes]]"
        raise SettingError(f"{name}: expected {what} in the file, or the same as JSON")
    return found


def _of_table(name: str, table: dict[str, Any]) -> Channel:
    """As in the settings, where an option may also be in a file: `password_file` names it."""
    given = dict(table)
    kind, enabled = given.pop("kind", None), given.pop("enabled", True)
    model = kind_of(name, kind).options
    for key in [each for each in given if each.endswith("_file") and each not in model.model_fields]:
        path = given.pop(key)
        try:
            given[key.removesuffix("_file")] = Path(str(path)).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise BadRequest(f"{name}: {key}: the file cannot be read") from None
    if not isinstance(enabled, bool):
        raise BadRequest(f"{name}: enabled: expected true or false")
    return Channel(clean_name(name), str(kind), checked(name, str(kind), given), enabled, SETTINGS)


def clean_name(name: str) -> str:
    name = clean_label(name)
    if name.startswith(PREFIX) or "," in name or "/" in name:
        raise BadRequest(f"A channel's name holds neither , nor / and does not begin with {PREFIX}")
    return name


def kind_of(name: str, kind: Any) -> Kind[Any]:
    found = KINDS.get(kind) if isinstance(kind, str) else None
    if found is None:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        hint = f"did you mean {near[0]}?" if near else None
        raise BadRequest(f"{name}: kind: expected one of {', '.join(KINDS)}, found {str(kind)[:40]!r}", hint=hint)
    return found


def checked(name: str, kind: str, given: Mapping[str, Any]) -> Options:
    """The options of a channel, or an error that names each that is wrong and never its value."""
    model = kind_of(name, kind).options
    try:
        return cast(Options, model.model_validate(dict(given)))
    except ValidationError as error:
        raise BadRequest("; ".join(f"{name}: {problem}" for problem in _problems(error, model))) from None


def _problems(error: ValidationError, model: type[BaseModel]) -> list[str]:
    found = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False)[:10]:
        place = ".".join(str(part) for part in problem["loc"])[:80]
        near = difflib.get_close_matches(place, model.model_fields, n=1)
        if problem["type"] == "extra_forbidden":
            found.append(f"{place}: there is no such option" + (f"; did you mean {near[0]}?" if near else ""))
        else:
            found.append(f"{place}: {problem['msg']}" if place else problem["msg"])
    return found


def checked_routes(given: list[Any], channels: Mapping[str, object]) -> tuple[Route, ...]:
    if len(given) > limits.ROUTES_MAX:
        raise BadRequest(f"There can be {limits.ROUTES_MAX} routes; {len(given)} were given.")
    routes = []
    for number, each in enumerate(given, 1):
        try:
            route = each if isinstance(each, Route) else Route.model_validate(each)
        except ValidationError as error:
            raise BadRequest("; ".join(f"route {number}: {problem}" for problem in _problems(error, Route))) from None
        for name in (*route.channels, *(name for step in route.escalate for name in step.channels)):
            if name not in channels:
                near = difflib.get_close_matches(name, channels, n=3)
                hint = f"did you mean {' or '.join(near)}?" if near else "see the list of channels"
                raise BadRequest(f"route {number}: there is no channel {name[:64]!r}", hint=hint)
        routes.append(route)
    return tuple(routes)


def stamp(session: Session) -> str:
    """Another one after every change, so that whoever keeps a copy knows when to read anew."""
    return meta.get(session, _STAMP) or ""


def touch(session: Session) -> None:
    meta.put(session, _STAMP, secrets.token_hex(8))


def channels(session: Session, base: Base) -> dict[str, Channel]:
    """By name. A row that this version cannot read is left out, and so told of as unknown."""
    found = dict(base.channels)
    for row in session.scalars(sa.select(ChannelRow)):
        try:
            options = checked(row.name, row.kind, {**row.options, **row.secrets})
        except BadRequest:
            found.pop(row.name, None)
            continue
        found[row.name] = Channel(row.name, row.kind, options, row.enabled, API, row.changed_ns, row.changed_by)
    return dict(sorted(found.items()))


def put_channel(
    session: Session, now_ns: int, who: str, base: Base, channel: tuple[str, str, Mapping[str, Any], bool]
) -> Channel:
    """Name, kind, options, enabled. A secret that is left out stays as it is, if there is one of the same kind."""
    name, kind, given, enabled = channel
    name = clean_name(name)
    row = session.get(ChannelRow, name)
    if row is None and len(channels(session, base)) >= limits.CHANNELS_MAX:
        raise Conflict(f"There are {limits.CHANNELS_MAX} channels already, which is the most there can be.")
    hidden = kind_of(name, kind).options.hidden
    kept = {key: value for key, value in row.secrets.items() if key not in given} if row and row.kind == kind else {}
    options = checked(name, kind, {**kept, **{key: value for key, value in given.items() if value is not None}})
    values = _stored(options)
    if row is not None and kept and any(values.get(key) != row.options.get(key) for key in _PLACES - hidden):
        raise BadRequest(
            f"{name}: {min(kept)}: what is kept was given for another address",
            hint="give it again together with the address",
        )
    row = row or ChannelRow(name=name)
    row.kind, row.enabled = kind, enabled
    row.options = {key: value for key, value in values.items() if key not in hidden}
    row.secrets = {key: value for key, value in values.items() if key in hidden}
    row.changed_ns, row.changed_by = now_ns, who
    session.add(row)
    touch(session)
    audit.record(session, now_ns, who, "channel.put", name, kind=kind, enabled=enabled)
    return Channel(name, kind, options, enabled, API, now_ns, who)


def remove_channel(session: Session, now_ns: int, who: str, base: Base, name: str) -> None:
    row = session.get(ChannelRow, name)
    if row is None:
        if name in base.channels:
            raise Conflict(f"The channel {name} comes from the settings.", hint="remove it there")
        raise NotFound("There is no channel of that name.", hint="see the list of channels")
    session.delete(row)
    touch(session)
    audit.record(session, now_ns, who, "channel.remove", name)


def _stored(options: Options) -> dict[str, Any]:
    """What was set, with secrets as plain text: they have to be sent."""

    def plain(value: Any) -> Any:
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        if isinstance(value, Mapping):
            return {key: plain(each) for key, each in value.items()}
        return list(value) if isinstance(value, tuple) else value

    return {name: plain(getattr(options, name)) for name in sorted(options.model_fields_set)}


def routes(session: Session, base: Base) -> tuple[Route, ...]:
    rows = session.scalars(sa.select(RouteRow).order_by(RouteRow.position))
    return tuple(Route.model_validate(row.route) for row in rows) or base.routes


def put_routes(session: Session, now_ns: int, who: str, base: Base, given: list[Any]) -> tuple[Route, ...]:
    """All of them, in their order. An empty list gives way to those of the settings."""
    found = checked_routes(given, channels(session, base))
    session.execute(sa.delete(RouteRow))
    for position, route in enumerate(found):
        session.add(RouteRow(position=position, route=route.model_dump(mode="json", by_alias=True)))
    touch(session)
    audit.record(session, now_ns, who, "routes.put", "routes", count=len(found))
    return found
