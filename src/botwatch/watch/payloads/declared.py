"""What is said of a source of documents, in `botwatch.toml` or through the API:

    [payloads.tickets]
    schema = "schemas/ticket.json"
    critical = ["category", "order.total", "items[].id"]
    discriminator = "type"
    session = "conversation.id"

A table that does not fit is a `SettingError`, as any setting. What the schema's own file holds is looked at later:
where that is broken, this source is told of and not checked, and all else goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from botwatch import limits
from botwatch.detect.drift.kinds import Kinds
from botwatch.errors import SettingError

_STEP: Final = r"[^.\[\]*\s][^.\[\]*]*"
_PLACE: Final = rf"^{_STEP}(?:\[\])*(?:\.{_STEP}(?:\[\])*)*$"
_FIELD: Final = rf"^{_STEP}(?:\.{_STEP})*$"


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_PlacePath = Annotated[str, Field(max_length=limits.DRIFT_PATH_CHARS_MAX, pattern=_PLACE)]
_FieldPath = Annotated[str, Field(max_length=limits.DRIFT_PATH_CHARS_MAX, pattern=_FIELD)]


class Said(BaseModel):
    """What can be said of a source, wherever it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    critical: Annotated[
        tuple[_PlacePath, ...],
        BeforeValidator(_listed),
        Field(max_length=limits.CRITICAL_PLACES_PER_SOURCE_MAX, description="places watched in every document"),
    ] = ()
    discriminator: Annotated[
        tuple[_FieldPath, ...],
        BeforeValidator(_listed),
        Field(max_length=4, description="fields that tell the kinds of documents apart; none: found by themselves"),
    ] = ()
    session: _PlacePath | None = Field(default=None, description="the place that names the conversation")

    @model_validator(mode="after")
    def _ends_in_a_field(self) -> Self:
        if any(path.endswith("[]") for path in self.critical):
            raise ValueError(
                "critical: expected the name of a field at the end, as in items[].id; an element of an array cannot "
                "be missing"
            )
        return self


class _Table(Said):
    schema_: Path | None = Field(default=None, alias="schema")


class Origin(StrEnum):
    SETTINGS = "settings"
    API = "api"


@dataclass(frozen=True, slots=True)
class Declared:
    """One source. `kinds` is None where they are found from the documents; `session` is where those name theirs.

    A schema is in a file or, where it came through the API, here as text; empty: there is none.
    """

    source: str
    schema: Path | str
    critical: tuple[str, ...]
    kinds: Kinds | None
    session: str = ""
    origin: Origin = Origin.SETTINGS


def declared(source: str, said: Said, schema: Path | str, origin: Origin) -> Declared:
    kinds = Kinds(said.discriminator) if said.discriminator else None
    return Declared(source, schema, tuple(dict.fromkeys(said.critical)), kinds, said.session or "", origin)


def configured(tables: Mapping[str, Mapping[str, Any]]) -> list[Declared]:
    """All of them, or a `SettingError` that names the table and its line."""
    if len(tables) > limits.DRIFT_SOURCES_MAX:
        raise SettingError(f"payloads: expected at most {limits.DRIFT_SOURCES_MAX} tables, found {len(tables)}")
    return [_configured(source, table) for source, table in sorted(tables.items())]


def is_name(source: str) -> bool:
    return bool(source.strip()) and len(source) <= limits.PAYLOAD_SOURCE_CHARS_MAX and source.isprintable()


def _configured(source: str, given: Mapping[str, Any]) -> Declared:
    if not is_name(source):
        raise SettingError(
            f"payloads: a table's name is that of a source, 1 to {limits.PAYLOAD_SOURCE_CHARS_MAX} printable characters"
        )
    try:
        table = _Table.model_validate(given)
    except ValidationError as error:
        told = "; ".join(
            ".".join(("payloads", source, *map(str, problem["loc"]))) + f": {_said(problem['type'], problem['msg'])}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise SettingError(told) from None
    return declared(source, table, table.schema_ or "", Origin.SETTINGS)


def _said(kind: str, message: str) -> str:
    if kind == "string_pattern_mismatch":
        return "expected a path such as order.total or items[].id"
    return message.removeprefix("Value error, ")


def parts(path: str) -> list[list[str]]:
    """The steps of a path, parted where it goes into the elements of an array."""
    return [re.findall(r"[^.\[\]]+", part) for part in path.split("[]")]
