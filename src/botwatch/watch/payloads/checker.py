"""Schemas and the process that holds documents against them. From a thread; what hangs or ends is begun anew.

A schema comes from a file of the machine, a document from anywhere: a pattern that backtracks for ever, definitions
that ask for each other, a document that grows while it is checked. Each costs the time and memory of a child process,
and no more.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from botwatch import limits
from botwatch.clock import Clock
from botwatch.detect.drift.shape import ANY_KEY, is_data

_CHILD: Final = Path(__file__).with_name("schema_child.py")
_KEPT: Final = ("PATH", "LANG", "LC_ALL")
HUNG: Final = "time"  # the kind of misfit of a document that could not be checked within its time
_SCHEMA_S: Final = 5.0
_START_S: Final = 10.0


class Misfit(NamedTuple):
    """A document, by its place in the list, where it does not fit, and which keyword says so."""

    number: int
    path: str
    kind: str


class Broken(Exception):
    """A schema that cannot be used; says what was expected and where."""


class _Ended(Exception):
    """The process hung or ended."""


class Checker:
    """One process for all schemas, started when there is something to check."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._schemas: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._read = b""

    def put(self, name: str, schema: Path | str) -> None:
        """Take a schema in, a file or as text, in place of the one of this name. `Broken` leaves that as it was."""
        text, where = (_text_in(schema), f"{schema}: ") if isinstance(schema, Path) else (schema, "")
        try:
            answer = self._asked({"name": name, "schema": text}, _SCHEMA_S)
        except _Ended:
            raise Broken(f"{where}reading it as a schema took more than {_SCHEMA_S:g} s or its memory") from None
        if answer:
            at = f" at {answer['place']}" if answer.get("place") else ""
            raise Broken(f"{where}expected a JSON Schema, found{at}: {answer.get('problem', '')}")
        self._schemas[name] = text

    def drop(self, name: str) -> None:
        self._schemas.pop(name, None)

    def check(self, name: str, documents: Sequence[str], until_s: float) -> tuple[int, list[Misfit]]:
        """How many were checked before that moment of the clock's monotonic time, and which of them do not fit."""
        found: list[Misfit] = []
        done = 0
        for chunk in _chunks(documents):
            checked, misfits = self._chunk(name, chunk, done, until_s)
            found += misfits
            done += checked
            if checked < len(chunk):
                break
        return done, found

    def close(self) -> None:
        process, self._process, self._read = self._process, None, b""
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            process.wait()

    def _chunk(self, name: str, documents: Sequence[str], start: int, until_s: float) -> tuple[int, list[Misfit]]:
        """Where they cannot be checked together, each is tried alone: one that hangs is told, the others go on."""
        if self._clock.monotonic_s() >= until_s:
            return 0, []
        try:
            answer = self._asked({"name": name, "documents": list(documents)}, limits.SCHEMA_CHECK_S_MAX)
        except _Ended:
            if len(documents) == 1:
                return 1, [Misfit(start, "", HUNG)]
            half = len(documents) // 2
            done, found = self._chunk(name, documents[:half], start, until_s)
            if done < half:
                return done, found
            more, others = self._chunk(name, documents[half:], start + half, until_s)
            return done + more, found + others
        return len(documents), [
            Misfit(start + int(number), _path(path), str(kind)[: limits.DRIFT_VALUE_CHARS_MAX])
            for number, path, kind in answer["misfits"]
        ]

    def _asked(self, question: Mapping[str, object], seconds: float) -> dict[str, Any]:
        if self._process is None:
            self._start()
            if not self._schemas:  # else it has answered already, and so is there
                seconds += _START_S
        try:
            return self._exchange(question, seconds)
        except (_Ended, OSError, ValueError):
            self.close()
            raise _Ended from None

    def _start(self) -> None:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, "-I", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept,
            start_new_session=True,
        )
        for name, text in self._schemas.items():
            try:
                self._exchange({"name": name, "schema": text}, _START_S)
            except (_Ended, OSError, ValueError):
                self.close()
                raise _Ended from None

    def _exchange(self, question: Mapping[str, object], seconds: float) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise _Ended
        process.stdin.write(orjson.dumps(question) + b"\n")
        process.stdin.flush()
        end_s = self._clock.monotonic_s() + seconds
        while b"\n" not in self._read:
            left_s = end_s - self._clock.monotonic_s()
            if left_s <= 0 or not select.select([process.stdout], [], [], left_s)[0]:
                raise _Ended
            piece = os.read(process.stdout.fileno(), 65_536)
            if not piece:
                raise _Ended
            self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        answer = orjson.loads(line)
        if not isinstance(answer, dict):
            raise _Ended
        return answer


def _text_in(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(limits.RULE_FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise Broken(f"{file}: expected a JSON Schema, found no such file") from None
    except (OSError, UnicodeDecodeError):
        raise Broken(f"{file}: expected a JSON Schema, found a file that cannot be read as text") from None
    if len(text) > limits.RULE_FILE_BYTES_MAX:
        raise Broken(f"{file}: expected at most {limits.RULE_FILE_BYTES_MAX} characters")
    return text


def _chunks(documents: Sequence[str]) -> Iterator[Sequence[str]]:
    """Small enough that an answer is soon there."""
    start = size = 0
    for number, text in enumerate(documents):
        if number > start and (size + len(text) > 2**16 or number - start >= 32):
            yield documents[start:number]
            start, size = number, 0
        size += len(text)
    if start < len(documents):
        yield documents[start:]


def _path(steps: Sequence[object]) -> str:
    """As paths are written everywhere: `items[].id`, and `*` for a key that is data."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += "[]"
        else:
            name = ANY_KEY if is_data(str(step)) else str(step)
            path = f"{path}.{name}" if path else name
    return path[: limits.DRIFT_PATH_CHARS_MAX]
