"""What the embedded engine noted as written, and a kill kept it from writing.

For each part it first notes the batch's token, by which it knows a batch that comes again, and then gives the part
its name. A process that is killed between the two leaves a token without rows: the batch comes again and is taken for
one that is there, in that one table for ever. Parts are numbered in the order of their tokens, so such tokens are the
last of their table and numbered above every part it has. They are taken back before the engine reads them.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

_NOTES: Final = "deduplication_log_*.txt"
_PART: Final = re.compile(r"^[0-9a-z-]+_\d+_(\d+)_\d+(?:_\d+)?$")  # its partition, then its first and last block
_LINE: Final = re.compile(rb"^\d+\t[^\t\n]*_\d+_(\d+)_\d+(?:_\d+)?\t[^\t\n]+\n$")


def take_back(engine: Path) -> int:
    """Make the engine forget the tokens whose rows are not there; how many. Only while nobody has the folder open."""
    found = 0
    for notes in engine.glob("store/*/*/deduplication_logs"):
        kept = _kept(notes.parent)
        # The newest may just have been begun.
        latest = sorted(notes.glob(_NOTES), key=lambda file: (len(file.name), file.name))[-2:]
        found += sum(_shorten(file, kept) for file in latest)
    if found:
        log.warning("forgot tokens whose rows are not there: their batches are written again", extra={"tokens": found})
    return found


def _kept(table: Path) -> int:
    """The number of the last block that is on the disk; a part without sums is one the engine will not take."""
    found = 0
    for entry in os.scandir(table):
        part = _PART.match(entry.name)
        if part and _size(Path(entry.path, "checksums.txt")):
            found = max(found, int(part[1]))
    return found


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _shorten(file: Path, kept: int) -> int:
    """End the file with its last line whose block is there, or that is none of ours to read; half a line is no line."""
    lines = file.read_bytes().splitlines(keepends=True)
    whole = len(lines)
    while whole and (not lines[whole - 1].endswith(b"\n") or _block(lines[whole - 1]) > kept):
        whole -= 1
    if whole < len(lines):
        os.truncate(file, sum(map(len, lines[:whole])))
    return len(lines) - whole


def _block(line: bytes) -> int:
    found = _LINE.match(line)
    return int(found[1]) if found else 0
