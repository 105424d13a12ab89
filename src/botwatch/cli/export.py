"""`botwatch export`: a list or a measure as a file, with how far it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from botwatch.cli.flags import plain, say
from botwatch.errors import BadRequest, BotwatchError, Refused

FORMATS: Final = ("csv", "json", "parquet")
_PIECE_S_MAX: Final = 60.0  # between two pieces of a large one
_NAME: Final = "botwatch-export"
_NO_MARKS: Final = bytes(byte for byte in range(256) if byte not in b'"\n')

Told = Callable[[int, int], None]  # rows and bytes so far


def export(
    table: Annotated[str, typer.Argument(help="logs, traces, faults, actions, monitoring/sessions …, or measures")],
    filters: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE…", help="as the API takes them: period=24h bot=shop")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="[default: standard output]")
    ] = None,
    format: Annotated[str, typer.Option(help="csv, json or parquet [default: by the name of the file]")] = "",
    url: Annotated[str, typer.Option(envvar="BOTWATCH_URL", help="where the server is")] = "http://127.0.0.1:8600",
) -> None:
    """Write a list or a measure to a file. It needs an API token in BOTWATCH_TOKEN.

    For example: botwatch export logs period=24h level=error -o errors.csv;
    botwatch export measures measure=response.time.p95 by=bot period=7d step=1h
    """
    from botwatch.console.client import Client

    chosen = _format(format, output)
    params = [*_pairs(filters or []), ("format", chosen)]
    if output is None and chosen == "parquet" and sys.stdout.isatty():
        raise BadRequest("A Parquet file is not for a terminal.", hint="name a file with --output")
    client = Client(url, os.environ.get("BOTWATCH_TOKEN", ""))
    with client.stream(f"/api/export/{table.strip('/')}", params, _PIECE_S_MAX) as answer:
        expected = answer.headers.get("x-rows", "")
        with _target(output) as file, _bar(int(expected) if expected.isdigit() else None) as told:
            rows, size = _copy(answer.iter_bytes(), file, Counter(chosen), told)
    if output is not None:
        say(f"{rows:,} rows, {size:,} bytes in {output}" if rows else f"{size:,} bytes in {output}")


def _format(wanted: str, output: Path | None) -> str:
    ending = output.suffix.lstrip(".").lower() if output is not None else ""
    chosen = wanted or (ending if ending in FORMATS else "csv")
    if chosen not in FORMATS:
        raise BadRequest(f"--format: expected {', '.join(FORMATS)}, found {plain(chosen)!r}")
    return chosen


def _pairs(texts: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadRequest(f"Expected NAME=VALUE, found {plain(text)!r}.", hint="such as period=24h or bot=shop")
        found.append((name, value))
    return found


def _copy(pieces: Iterator[bytes], file: BinaryIO, counter: Counter, told: Told) -> tuple[int, int]:
    size = 0
    for piece in pieces:
        file.write(piece)
        counter.take(piece)
        size += len(piece)
        told(counter.rows, size)
    return counter.rows, size


class Counter:
    """Rows, from the bytes as they pass. Of Parquet one learns it only at the end, and so does this not."""

    def __init__(self, format: str) -> None:
        self._format = format
        self._lines = 0
        self._quoted = False

    def take(self, piece: bytes) -> None:
        if self._format == "json":
            self._lines += piece.count(b"\n")
        elif self._format == "csv":
            # Only quotes and ends of lines count, and two quotes in a row end nothing: what is left is short.
            marks = piece.translate(None, _NO_MARKS).replace(b'""', b"")
            for number, part in enumerate(marks.split(b'"')):
                if number:
                    self._quoted = not self._quoted
                if not self._quoted:
                    self._lines += len(part)

    @property
    def rows(self) -> int:
        """Without the heading, or the brackets around all rows."""
        return max(0, self._lines - {"csv": 1, "json": 2}.get(self._format, 0))


@contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
    """A file is there when all of it is: what breaks off leaves what was there before."""
    if output is None:
        yield _Terminal(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer  # type: ignore[misc]
        sys.stdout.buffer.flush()
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    except OSError as error:
        raise Refused(f"{output} cannot be written: {error.strerror}") from None
    except BotwatchError as error:
        raise Refused(f"{error.message} Nothing was kept of it.") from None
    finally:
        part.unlink(missing_ok=True)


class _Terminal:
    """Shows what others wrote, and obeys none of it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, piece: bytes) -> None:
        text = piece.decode("utf-8", errors="replace")
        self._out.write("\n".join(map(plain, text.replace("\r\n", "\n").split("\n"))).encode())


@contextmanager
def _bar(expected: int | None) -> Iterator[Told]:
    if not sys.stderr.isatty():
        yield lambda rows, size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), TextColumn("{task.fields[rows]}"), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(_NAME, total=None, rows="")

        def told(rows: int, size: int) -> None:
            total = size * expected / rows if expected and rows else None
            progress.update(
                task, completed=size, total=max(size, total) if total else None, rows=f"{rows:,} rows" * bool(rows)
            )

        yield told
