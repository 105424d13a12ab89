"""Incoming documents, so that the server can learn their shape and see it change."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping

from botwatch_sdk import _limits, _live, _names
from botwatch_sdk._counters import Reason
from botwatch_sdk._dice import falls_within
from botwatch_sdk._emit import event
from botwatch_sdk._guard import contained, never_raises, nothing
from botwatch_sdk._text import Scalar, identifier, number, text


@never_raises(nothing)
def payload(source: str, document: object, *, sample: float = 1.0, critical: Collection[str] = ()) -> None:
    """A document as it came in: text, bytes, a mapping, a list, a dataclass or a pydantic model.

    `sample` is the share that is sent whole. Of the rest, and of one that is too large, the `critical` fields
    (`"id"`, `"order.total"`) are sent alone, marked as a part; where none are named, nothing is.
    """
    runtime = _live.runtime
    if runtime is None:
        return _live.idle()
    share = min(number(sample, name="payload(sample)"), 1.0)
    attributes: dict[str, Scalar] = {_names.PAYLOAD_SOURCE: identifier(source) or "unnamed"}
    if share < 1.0:
        attributes[_names.PAYLOAD_SAMPLE] = share
    whole = share >= 1.0 or falls_within(share)
    try:
        body = _bounded(_encoded(document)) if whole else None
        if body is None and critical:
            body = _bounded(_encoded(_part(document, critical)))
            attributes[_names.PAYLOAD_PARTIAL] = True
    except Exception as error:  # circular, too deep, or a `__str__` that fails
        contained("payload()", error)
        return runtime.counters.drop(Reason.UNENCODABLE)
    if body is not None:
        return event(runtime, _names.PAYLOAD, attributes, body)
    return runtime.counters.drop(Reason.TOO_LARGE) if whole or critical else None


def _bounded(body: str) -> str | None:
    size = len(body) if body.isascii() else len(body.encode())
    return body if size <= _limits.PAYLOAD_BYTES_MAX else None


def _encoded(document: object) -> str:
    """Text is sent as it came, also when it is no JSON: that it is not is what the server has to see."""
    if isinstance(document, str | bytes | bytearray):
        found = bytes(document) if isinstance(document, bytearray) else document
        return text(found, _limits.PAYLOAD_BYTES_MAX + 1)
    encoded = json.dumps(document, default=_plain, ensure_ascii=False, skipkeys=True)
    return text(encoded, _limits.PAYLOAD_BYTES_MAX + 1)


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {found.name: getattr(value, found.name) for found in dataclasses.fields(value)}
    if callable(dump := getattr(value, "model_dump", None)):
        return dump()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return list(value)
    return text(value)


def _part(document: object, critical: Collection[str]) -> object:
    """The named fields, nested as they were; a missing one is missing here too. What is no object stays whole."""
    if not isinstance(document, Mapping):
        try:
            parsed = json.loads(_encoded(document))
        except ValueError:
            return document
        if not isinstance(parsed, Mapping):
            return document
        document = parsed
    part: dict[str, object] = {}
    for path in (critical,) if isinstance(critical, str) else critical:
        *above, last = path.split(".")
        found: object = document
        place = part
        for name in above:
            found = found.get(name) if isinstance(found, Mapping) else None
            if not isinstance(found, Mapping):
                break
            place = _below(place, name)
        if isinstance(found, Mapping) and last in found:
            place[last] = found[last]
    return part


def _below(place: dict[str, object], name: str) -> dict[str, object]:
    below = place.setdefault(name, {})
    return below if isinstance(below, dict) else {}
