"""What is said of a source of documents in `botwatch.toml`:

    [payloads.tickets]
    schema = "schemas/ticket.json"
    critical = ["category", "order.total", "items[].id"]
    discriminator = "type"

A table that does not fit is a `SettingError`, as any setting. What the schema's own file holds is looked at later:
where that is broken, this source is told of and not checked, and all else goes on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from botwatch import limits
from botwatch.detect.drift.kinds import Kinds
from botwatch.errors import SettingError

_STEP: Final = r"[^.\[\]*\s][^.\[\]*]*"
_CRITICAL: Final = rf"^{_STEP}(?:\[\])*(?:\.{_STEP}(?:\[\])*)*$"
_FIELD: Final = rf"^{_STEP}(?:\.{_STEP})*$"


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_CriticalPath = Annotated[str, Field(max_length=limits.DRIFT_PATH_CHARS_MAX, pattern=_CRITICAL)]
_FieldPath = Annotated[str, Field(max_length=limits.DRIFT_PATH_CHARS_MAX, pattern=_FIELD)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    schema_: Path | None = Field(default=None, alias="schema")
    critical: Annotated[
        tuple[_CriticalPath, ...], BeforeValidator(_listed), Field(max_length=limits.CRITICAL_PLACES_PER_SOURCE_MAX)
    ] = ()
    discriminator: Annotated[tuple[_FieldPath, ...], BeforeValidator(_listed), Field(max_length=4)] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """One source. `kinds` is None where they are to be found from the documents."""

    source: str
    schema: Path | None
    critical: tuple[str, ...]
    kinds: Kinds | None


def configured(tables: Mapping[str, Mapping[str, Any]]) -> list[Declared]:
    """All of them, or a `SettingError` that names the table and its line."""
    if len(tables) > limits.DRIFT_SOURCES_MAX:
        raise SettingError(f"payloads: expected at most {limits.DRIFT_SOURCES_MAX} tables, found {len(tables)}")
    return [_declared(source, table) for source, table in sorted(tables.items())]


def _declared(source: str, given: Mapping[str, Any]) -> Declared:
    if not source.strip() or len(source) > limits.PAYLOAD_SOURCE_CHARS_MAX or not source.isprintable():
        raise SettingError(
            f"payloads: a table's name is that of a source, 1 to {limits.PAYLOAD_SOURCE_CHARS_MAX} printable characters"
        )
    try:
        table = _Table.model_validate(given)
    except ValidationError as error:
        told = "; ".join(
            f"payloads.{source}.{'.'.join(map(str, problem['loc']))}: {_said(problem['type'], problem['msg'])}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise SettingError(told) from None
    last = next((path for path in table.critical if path.endswith("[]")), None)
    if last is not None:
        raise SettingError(
            f"payloads.{source}.critical: expected the name of a field at the end, as in items[].id; an element of an "
            "array cannot be missing"
        )
    kinds = Kinds(table.discriminator) if table.discriminator else None
    return Declared(source, table.schema_, tuple(dict.fromkeys(table.critical)), kinds)


def _said(kind: str, message: str) -> str:
    if kind == "string_pattern_mismatch":
        return "expected a path such as order.total or items[].id"
    return message


def parts(path: str) -> list[list[str]]:
    """The steps of a path, parted where it goes into the elements of an array."""
    return [re.findall(r"[^.\[\]]+", part) for part in path.split("[]")]
