"""Writes src/api/types.ts from the shapes of the API: `uv run python web/generate_types.py`.

The pages and the server cannot disagree about a shape: a test compares the file with the API.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

from botwatch.api.app import create_app
from botwatch.settings import Settings

FILE: Final = Path(__file__).parent / "src" / "api" / "types.ts"
_SIMPLE: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def generated() -> str:
    app = create_app(cast(Any, SimpleNamespace(settings=Settings())))
    schemas = app.openapi()["components"]["schemas"]
    parts = ["// Written by web/generate_types.py from the API; a test holds it to that.\n"]
    parts += [_declaration(_name(key), schemas[key]) for key in sorted(schemas, key=_name)]
    return "\n".join(parts)


def _declaration(name: str, schema: dict[str, Any]) -> str:
    if "properties" not in schema:
        return f"export type {name} = {_type(schema)};\n"
    required = set(schema.get("required", ()))
    lines = [f"export interface {name} {{"]
    for key, field in schema["properties"].items():
        if "description" in field:
            lines.append(f"  /** {field['description'].replace('*/', '* /')} */")
        lines.append(f"  {key}{'' if key in required else '?'}: {_type(field)};")
    return "\n".join([*lines, "}\n"])


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _name(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return _literal(schema["const"])
    if "enum" in schema:
        return " | ".join(_literal(value) for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(dict.fromkeys(_type(option) for option in schema[key]))
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(_type(item) for item in schema['prefixItems'])}]"
        return f"{_bracketed(_type(schema.get('items', {})))}[]"
    if schema.get("type") == "object":
        more = schema.get("additionalProperties")
        return f"Record<string, {_type(more) if isinstance(more, dict) else 'unknown'}>"
    return _SIMPLE.get(schema.get("type", ""), "unknown")


def _bracketed(text: str) -> str:
    return f"({text})" if "|" in text else text


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _name(key: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"\W|_", key))


if __name__ == "__main__":
    FILE.write_text(generated(), encoding="utf-8")
