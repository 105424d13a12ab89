"""Open files, and the limits of a process on them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from botwatch.watch.host.cgroup import Limit
from botwatch.watch.host.part import Unknown
from botwatch.watch.reading import Reading

LIMIT: Final = "botwatch.limit.utilization"
_OPEN_FILES: Final = re.compile(r"^Max open files +(\d+) ", re.MULTILINE)
_ADDRESS_SPACE: Final = re.compile(r"^Max address space +(\d+) ", re.MULTILINE)


class Files:
    """Those of the whole machine."""

    name = "files"

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    def read(self, now_s: float) -> Sequence[Reading]:
        try:
            words = (self._proc / "sys/fs/file-nr").read_text(encoding="ascii").split()
            opened, limit = float(words[0]), float(words[2])
        except (OSError, ValueError, IndexError):
            raise Unknown("the kernel does not tell how many files are open") from None
        return [Reading("system.open_files", opened, "{file}"), reading(Limit("open_files", opened, limit))]


def reading(limit: Limit) -> Reading:
    """How much of a limit is used, as every limit is told."""
    return Reading(LIMIT, limit.share, "1", {"limit": limit.name})


def ulimits(pid: int, proc: Path = Path("/proc")) -> tuple[float | None, float | None]:
    """Open files and bytes of address space a process may have; None: as many as there are."""
    try:
        text = (proc / str(pid) / "limits").read_text(encoding="ascii")
    except OSError:
        return None, None
    files, space = _OPEN_FILES.search(text), _ADDRESS_SPACE.search(text)
    return float(files[1]) if files else None, float(space[1]) if space else None
