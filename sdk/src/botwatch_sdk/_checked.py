"""A document held against what the bot expects of it. What does not fit is counted and told; the bot goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar, overload

from opentelemetry._logs import SeverityNumber

from botwatch_sdk import _limits, _live, _names
from botwatch_sdk._emit import event
from botwatch_sdk._guard import contained, never_raises, nothing
from botwatch_sdk._text import identifier, text

T = TypeVar("T")
M_co = TypeVar("M_co", covariant=True)
JSON: Final = "json"
SCHEMA: Final = "schema"
_KEY_CHARS_MAX: Final = 64
_KEY_DIGITS_MAX: Final = 4


class Model(Protocol[M_co]):
    """A pydantic model, without needing pydantic here."""

    def model_validate(self, obj: Any) -> M_co: ...


@overload
def checked(source: str, schema: Model[T], document: object) -> T | None: ...
@overload
def checked(source: str, schema: Callable[[Any], T], document: object) -> T | None: ...
@overload
def checked(source: str, schema: Mapping[str, Any], document: object) -> Any: ...
@never_raises(nothing)
def checked(source: str, schema: Any, document: object) -> Any:
    """What the document says, or None where it is no JSON or does not fit.

    `schema` is a pydantic model, a JSON Schema (with the package jsonschema), or any function that raises. The
    document is text, bytes, or what was read from them already.
    """
    name = identifier(source) or "unnamed"
    _count(_names.PAYLOAD_CHECKED, name)
    if isinstance(document, str | bytes | bytearray):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            _count(_names.PAYLOAD_INVALID_JSON, name)
            _tell(name, JSON, "", "not JSON")
            return None
    try:
        return _fit(schema, document)
    except Exception as error:
        path, misfit = _first(error)
        misfit = misfit or type(error).__name__
        _count(_names.PAYLOAD_SCHEMA_FAILURES, name, path, misfit)
        _tell(name, SCHEMA, path, misfit)
        return None


def _fit(schema: Any, document: object) -> Any:
    validate = getattr(schema, "model_validate", None)
    if callable(validate):
        return validate(document)
    if isinstance(schema, Mapping):
        _by_schema(schema, document)
        return document
    return schema(document)


def _by_schema(schema: Mapping[str, Any], document: object) -> None:
    try:
        from jsonschema import validate
    except ImportError as error:
        contained("checked()", error)  # cannot say anything about the document
        return
    validate(document, schema)


def _first(error: Exception) -> tuple[str, str]:
    """Where the first thing does not fit, and what kind of misfit it is: never what stood there."""
    listed = getattr(error, "errors", None)
    if callable(listed):
        try:
            found = listed()[0]
            return _path(found.get("loc", ())), str(found.get("type", ""))
        except Exception:
            return "", type(error).__name__
    path = getattr(error, "absolute_path", None)
    if path is not None:
        misfit = str(getattr(error, "validator", ""))
        return _path((*path, *_lacking(error, misfit))), misfit
    return "", type(error).__name__


def _lacking(error: Exception, misfit: str) -> list[str]:
    """The name, from the schema, of what is required and not there."""
    instance, wanted = getattr(error, "instance", None), getattr(error, "validator_value", None)
    if misfit != "required" or not isinstance(instance, Mapping) or not isinstance(wanted, list):
        return []
    return [str(name) for name in wanted if name not in instance][:1]


def _path(steps: Iterable[object]) -> str:
    """`items[].id`; a key that looks like data is `*`: a path is a label, and must not be a new one each time."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += "[]"
        else:
            key = str(step)
            name = (
                "*" if len(key) > _KEY_CHARS_MAX or sum(map(str.isdigit, key)) > _KEY_DIGITS_MAX or "@" in key else key
            )
            path = f"{path}.{name}" if path else name
    return path[: _limits.REASON_CHARS_MAX]


@never_raises(nothing)
def _count(metric: str, source: str, path: str = "", misfit: str = "") -> None:
    runtime = _live.runtime
    if runtime is None:
        return _live.idle()
    labels = ((_names.PAYLOAD_SOURCE, source),)
    if misfit:
        place = ((_names.PAYLOAD_PATH, path), (_names.PAYLOAD_MISFIT, text(misfit, _limits.ID_CHARS_MAX)))
        return runtime.counters.tally.add(metric, (*labels, *place))
    for known in (_names.PAYLOAD_CHECKED, _names.PAYLOAD_SCHEMA_FAILURES, _names.PAYLOAD_INVALID_JSON):
        runtime.counters.tally.add(known, labels, int(known == metric))
    return None


@never_raises(nothing)
def _tell(source: str, fault: str, path: str, misfit: str) -> None:
    runtime = _live.runtime
    if runtime is None:
        return
    attributes = {
        _names.PAYLOAD_SOURCE: source,
        _names.PAYLOAD_FAULT: fault,
        _names.PAYLOAD_PATH: text(path, _limits.REASON_CHARS_MAX),
        _names.PAYLOAD_MISFIT: text(misfit, _limits.REASON_CHARS_MAX),
    }
    body = f"a document of {source} does not fit: {misfit}" + (f" at {path}" if path else "")
    event(runtime, _names.PAYLOAD_INVALID, attributes, text(body, _limits.REASON_CHARS_MAX), SeverityNumber.WARN)
