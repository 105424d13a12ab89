"""Rules in files: a folder of JSON, TOML and YAML that people edit while we run.

A file counts whole or not at all. One that cannot be used keeps the rules it had, and is reported until it is mended.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from botwatch import limits
from botwatch.detect import botpress, check, documents
from botwatch.detect.documents import Document, Unreadable
from botwatch.detect.problems import Misfits, Problem, found, read_rule
from botwatch.detect.rule import Rule

KINDS: Final = documents.SUFFIXES
_EXPECTED: Final = "expected a rule, a list of rules, or an object with rules"
Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Read:
    """The rules of one text, and on which lines the fields of each stand."""

    rules: tuple[Rule, ...]
    lines: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """`read` is the last that could be used; `problems` say why what the file holds now cannot be."""

    stamp: Stamp | None
    read: Read
    problems: tuple[Problem, ...] = ()


def read_text(text: str, kind: str, source: str) -> Read:
    """All rules of a text, or `Misfits`: that tells all that is wrong with them by themselves."""
    return read_rules(read_document(text, kind, source), source)


def read_document(text: str, kind: str, source: str) -> Document:
    try:
        return documents.read(text, kind)
    except Unreadable as error:
        raise Misfits([Problem(source, "", "", error.text, error.line)]) from None


def read_rules(document: Document, source: str) -> Read:
    path = botpress.place_of_rules(document.value)
    around = list(botpress.misfits(document.value, path)) if path else []
    problems = [Problem(source, "", ".".join(map(str, at)), told, document.line(at)) for at, told in around]
    off = path is not None and botpress.switched_off(document.value, path)
    rules, lines = list[Rule](), dict[str, dict[str, int]]()
    for given, own, place in _items(document, path, source):
        try:
            rule = read_rule(given, source, place, own)
        except Misfits as error:
            problems += error.problems
            continue
        told = [*check.alone(rule)]
        if rule.name in lines:
            told.append(("name", f"line {lines[rule.name].get('', 0)} has that name already"))
        lines.setdefault(rule.name, own)
        problems += [Problem(source, rule.name, field, text, own.get(field, own.get(""))) for field, text in told]
        rules.append(rule.model_copy(update={"enabled": False}) if off else rule)
    if problems:
        raise Misfits(problems)
    return Read(tuple(rules), lines)


def _items(document: Document, path: documents.Path | None, source: str) -> Iterator[tuple[Any, dict[str, int], str]]:
    """Each rule as it is given, the lines of its fields, and what it is called while it has no name."""
    if path is None:
        yield document.value, document.fields(()), ""
        return
    value = botpress.at(document.value, path)
    if value is None and len(path) > 1:
        return  # a configuration without rules is one
    if not isinstance(value, list):
        raise Misfits([Problem(source, "", "", f"{_EXPECTED}, found {found(value)}", document.line(path))])
    if len(value) > limits.RULES_MAX:
        raise Misfits([Problem(source, "", "", f"expected at most {limits.RULES_MAX} rules, found {len(value)}")])
    for place, given in enumerate(value):
        yield given, document.fields((*path, place)), f"number {place + 1}"


def read_file(path: Path, source: str) -> Read:
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise Misfits([Problem(source, "", "", f"expected a file that ends in {', '.join(KINDS)}")])
    return read_text(text_of(path, source), kind, source)


def text_of(path: Path, source: str) -> str:
    try:
        with path.open("rb") as file:
            body = file.read(limits.RULE_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Misfits([Problem(source, "", "", f"it cannot be read: {os.strerror(error.errno or 0)}")]) from None
    if len(body) > limits.RULE_FILE_BYTES_MAX:
        raise Misfits([Problem(source, "", "", f"it is larger than {limits.RULE_FILE_BYTES_MAX} bytes")])
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise Misfits([Problem(source, "", "", "it is not text in UTF-8", line)]) from None


class Folder:
    """Looks at the files again when they changed. Its files are in the order of their names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, RuleFile] = {}
        self.problems: tuple[Problem, ...] = ()

    @property
    def rules(self) -> Iterator[tuple[Rule, dict[str, int]]]:
        for file in self.files.values():
            for rule in file.read.rules:
                yield rule, file.read.lines.get(rule.name, {})

    def look(self, *, again: bool = False) -> tuple[str, ...]:
        """The names of the files that are new, other or gone; their rules count from now on if they can be used.

        `again` reads all of them, whatever their times say.
        """
        try:
            stamps = dict(_stamps(self.path))
        except OSError as error:
            self._away(error)
            return ()
        names = sorted(stamps)[: limits.RULE_FILES_MAX]
        left_out = len(stamps) - len(names)
        text = f"it has {len(stamps)} files; those behind the first {limits.RULE_FILES_MAX} are left out"
        self.problems = (Problem(f"folder:{self.path}", "", "", text),) if left_out else ()
        before, self.files = self.files, {}
        for name in names:
            known = before.get(name)
            same = known is not None and known.stamp == stamps[name] and not again
            self.files[name] = known if known and same else self._read(name, stamps[name], known)
        return tuple(name for name in sorted({*before, *names}) if before.get(name) != self.files.get(name))

    def _read(self, name: str, stamp: Stamp, known: RuleFile | None) -> RuleFile:
        try:
            return RuleFile(stamp, read_file(self.path / name, f"file:{name}"))
        except Misfits as error:
            return RuleFile(stamp, known.read if known else Read((), {}), error.problems)

    def _away(self, error: OSError) -> None:
        """No folder is no rules, unless there were some: then it is more likely lost than meant."""
        if not isinstance(error, FileNotFoundError) or self.files:
            kept = "; the rules it had stay" if self.files else ""
            text = f"it cannot be read: {os.strerror(error.errno or 0)}{kept}"
            self.problems = (Problem(f"folder:{self.path}", "", "", text),)
            self.files = {name: replace(file, stamp=None) for name, file in self.files.items()}


def _stamps(folder: Path) -> Iterable[tuple[str, Stamp]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or Path(entry.name).suffix.lower() not in KINDS or not entry.is_file():
                continue
            found_ = entry.stat()
            yield entry.name, (found_.st_mtime_ns, found_.st_ctime_ns, found_.st_size, found_.st_ino)
