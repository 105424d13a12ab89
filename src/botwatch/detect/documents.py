"""Text that people wrote, as JSON, TOML or YAML: its values, and on which line each stands.

Such a file is somebody's, and may be broken or hostile: it is bounded in bytes, depth and values, YAML builds
nothing but plain data, and what its aliases stand for counts as often as they stand for it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NoReturn

from botwatch import limits

Path = tuple[str | int, ...]
Lines = Mapping[Path, int]
SUFFIXES: Final = {".json": "json", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+|\n')
_TOML_TABLE: Final = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_TOML_KEY: Final = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*=")


class Unreadable(Exception):
    """The text is not what its name says; `line` is where that was noticed."""

    def __init__(self, text: str, line: int | None = None) -> None:
        self.text = text
        self.line = line
        super().__init__(text)


@dataclass(frozen=True)
class Document:
    """`lines` knows the line of the things in it by their path; the nearest it knows is good enough."""

    value: Any
    lines: Lines

    @cached_property
    def _inside(self) -> dict[Path, dict[str, int]]:
        found: dict[Path, dict[str, int]] = {}
        for path, line in self.lines.items():
            if path:
                found.setdefault(path[:-1], {})[str(path[-1])] = line
        return found

    def line(self, path: Path) -> int | None:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def fields(self, path: Path) -> dict[str, int]:
        """The lines of the fields of one object, and of its beginning under the empty name."""
        own, begins = self._inside.get(path, {}), self.line(path)
        return own if begins is None else {**own, "": begins}


def read(text: str, kind: str) -> Document:
    """Raises `Unreadable`. A byte order mark is not part of the text."""
    text = text.removeprefix("\ufeff")
    try:
        match kind:
            case "json":
                document = _json(text)
            case "toml":
                document = _toml(text)
            case _:
                document = _yaml(text)
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except ValueError:
        raise Unreadable("it has a number or a date that cannot be read") from None
    return document


def _json(text: str) -> Document:
    """Rules as they are pasted from a longer list, with commas between and behind them, are a list."""
    text = text.rstrip().removesuffix(",")
    try:
        return Document(_json_value(text), _once(_json_lines(text)))
    except json.JSONDecodeError as error:
        if not (text.lstrip().startswith("{") and error.msg == "Extra data"):
            raise Unreadable(f"not JSON: {error.msg} (column {error.colno})", error.lineno) from None
    try:
        return Document(_json_value(f"[{text}]"), _once(_json_lines(f"[{text}]")))
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error.msg} (column {error.colno})", error.lineno) from None


def _json_value(text: str) -> Any:
    return json.loads(text, parse_constant=_no_constant)


def _once(found: Iterator[tuple[Path, int]]) -> dict[Path, int]:
    """Which of two equal keys counts is a matter of taste, so neither does."""
    lines: dict[Path, int] = {}
    for path, line in found:
        if path in lines:
            raise Unreadable(f"the key {str(path[-1])[: limits.LABEL_CHARS_MAX]!r} stands twice in one object", line)
        lines[path] = line
    return lines


def _no_constant(name: str) -> NoReturn:
    raise Unreadable(f"not JSON: {name} is not a number it knows")


def _json_lines(text: str) -> Iterator[tuple[Path, int]]:
    """The text is known to be JSON: what stands before a colon is a key."""
    line, path = 1, list[str | int]()
    tokens = _TOKEN.finditer(text)
    pending = ""
    for token in tokens:
        mark = token[0]
        if mark == "\n":
            line += 1
            continue
        if mark in "{[":
            if not path or isinstance(path[-1], int):
                yield tuple(path), line
            path.append("" if mark == "{" else 0)
        elif mark in "}]":
            path.pop()
        elif mark == "," and isinstance(path[-1], int):
            path[-1] += 1
        elif mark == ":":
            path[-1] = str(json.loads(pending))
            yield tuple(path), line
        elif mark != ",":
            pending = mark
            if path and isinstance(path[-1], int):
                yield tuple(path), line


def _toml(text: str) -> Document:
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        reason = re.sub(r" \(at .*\)$", "", str(error))
        raise Unreadable(f"not TOML: {reason}", int(found[1]) if found else None) from None
    return Document(value, dict(_toml_lines(text)))


def _toml_lines(text: str) -> Iterator[tuple[Path, int]]:
    """The parser tells no lines: headers and keys are found again, past texts of several lines."""
    table, seen = Path(), dict[str, int]()
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            inside = "" if line.count(inside) % 2 else inside
            continue
        header, key = _TOML_TABLE.match(line), _TOML_KEY.match(line)
        if header:
            name = header[2]
            table = tuple(part.strip("\"' ") for part in name.split("."))
            if header[1] == "[[":
                seen[name] = seen.get(name, -1) + 1
                table = (*table, seen[name])
            yield table, number
        elif key:
            yield (*table, key[1]), number
        inside = next((quotes for quotes in ('"""', "'''") if line.count(quotes) % 2), "")


def _yaml(text: str) -> Document:
    import yaml  # noqa: PLC0415 - slow to load, and most files are JSON

    kind = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader = kind(text)
    try:
        _shallow(yaml.parse(text, kind))  # the loader itself would go as deep as the text does
        node = loader.get_single_node()
        if node is None:
            return Document(None, {})
        _bounded(node, {})
        lines = {(): node.start_mark.line + 1} | _once(_yaml_lines(node, ()))
        return Document(loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise Unreadable(f"not YAML: {error.problem}", mark.line + 1 if mark else None) from None
    except yaml.YAMLError:
        raise Unreadable("not YAML: it has characters that no text has") from None
    except (OverflowError, TypeError):
        raise Unreadable("not YAML: it has a date or a number that does not exist") from None
    finally:
        loader.dispose()


def _shallow(events: Iterator[Any]) -> None:
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name.endswith(("MappingStartEvent", "SequenceStartEvent"))
        depth -= name.endswith(("MappingEndEvent", "SequenceEndEvent"))
        if depth > limits.JSON_NESTING_MAX:
            raise Unreadable("it is nested too deeply", event.start_mark.line + 1)


def _bounded(node: Any, sizes: dict[int, int]) -> int:
    """How many values a node stands for. An alias stands for all of its anchor's, and not for itself."""
    known = sizes.get(id(node))
    if known == 0:
        raise Unreadable("an alias stands within its own anchor", node.start_mark.line + 1)
    if known:
        return known
    sizes[id(node)] = 0
    size = 1 + sum(_bounded(child, sizes) for child in _children(node))
    if size > limits.RULE_FILE_VALUES_MAX:
        text = f"with its aliases it stands for more than {limits.RULE_FILE_VALUES_MAX} values"
        raise Unreadable(text, node.start_mark.line + 1)
    sizes[id(node)] = size
    return size


def _children(node: Any) -> Iterator[Any]:
    for item in node.value if isinstance(node.value, list) else ():
        yield from item if isinstance(item, tuple) else (item,)


def _yaml_lines(node: Any, path: Path) -> Iterator[tuple[Path, int]]:
    for place, item in enumerate(node.value if isinstance(node.value, list) else ()):
        key, value = item if isinstance(item, tuple) else (None, item)
        if key is not None and not isinstance(key.value, str):
            continue
        inner = (*path, place if key is None else key.value)
        yield inner, (value if key is None else key).start_mark.line + 1
        yield from _yaml_lines(value, inner)
