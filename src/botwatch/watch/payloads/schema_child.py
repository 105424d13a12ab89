"""Holds documents against JSON Schemas, in a process of its own: what a schema or a document can do to it ends with it.

Each line in is one JSON object, each line out is its answer. `{"name", "schema"}` takes a schema in. Asked with
`{"name", "documents"}`, it says of each that does not fit where the first misfit is and of which kind, never what stood
there. It is run as a file and imports nothing of the house, so that it starts at once and is small.
"""

import json
import resource
import sys
from typing import Any

import jsonschema_rs
import orjson

_MEMORY_BYTES_MAX = 2 * 1024**3
_TEXT_CHARS_MAX = 300


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    schemas: dict[str, Any] = {}
    for line in sys.stdin.buffer:
        asked = orjson.loads(line)
        if "schema" in asked:
            answer = _taken_in(schemas, asked["name"], asked["schema"])
        else:
            answer = {"misfits": _misfits(schemas[asked["name"]], asked["documents"])}
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()


def _taken_in(schemas: dict[str, Any], name: str, text: str) -> dict[str, object]:
    try:
        schema = json.loads(text)
        if not isinstance(schema, dict | bool):
            return {"place": "", "problem": "expected an object"}
        schemas[name] = jsonschema_rs.validator_for(schema, retriever=_never)
    except jsonschema_rs.ValidationError as error:
        return {"place": "/".join(map(str, error.instance_path)), "problem": str(error.message)[:_TEXT_CHARS_MAX]}
    except json.JSONDecodeError as error:
        return {"place": f"line {error.lineno}, column {error.colno}", "problem": "expected JSON"}
    except Exception as error:
        return {"place": "", "problem": (str(error).splitlines() or [type(error).__name__])[0][:_TEXT_CHARS_MAX]}
    return {}


def _never(uri: str) -> Any:
    raise ValueError("it refers to something outside of itself, which is never fetched")


def _misfits(schema: Any, documents: list[str]) -> list[list[object]]:
    found: list[list[object]] = []
    for number, text in enumerate(documents):
        try:
            document = _read(text)
        except (ValueError, RecursionError):
            continue  # told as invalid JSON
        if not schema.is_valid(document):
            found.append([number, *_first(schema, document)])
    return found


def _read(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        found = json.loads(text, parse_int=_number)  # half a surrogate pair is JSON, and no text
        return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"), parse_int=_number)


def _number(digits: str) -> float:
    return int(digits) if len(digits) < 19 else float(digits)


def _first(schema: Any, document: Any) -> tuple[list[object], str]:
    """Where the first misfit is, and the keyword that found it. What is missing or too much is named."""
    error = next(iter(schema.iter_errors(document)), None)
    if error is None:
        return [], "schema"
    path = list(error.instance_path)
    kind = error.kind
    if kind.name == "required":
        path.append(kind.property)
    elif kind.name in ("additionalProperties", "unevaluatedProperties"):
        path += kind.unexpected[:1]
    return path[:64], str(kind.name)


if __name__ == "__main__":
    main()
