"""How full each disk is.

Images that are always full, and what is not a disk, are left out. So are file systems of the network: asking one
whose server is away would hold up everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import psutil

from botwatch import limits
from botwatch.watch.host.part import Unknown
from botwatch.watch.reading import Reading

_NO_DISK: Final = frozenset({"squashfs", "iso9660", "erofs", "cramfs", "udf"})


class Disks:
    name = "disk"

    def read(self, now_s: float) -> Sequence[Reading]:
        found = [reading for device, mount, kind in _mounts() for reading in _usage(device, mount, kind)]
        if not found:
            raise Unknown("no file system on a disk is mounted")
        return found


def _mounts() -> list[tuple[str, str, str]]:
    """A device that is mounted more than once is told where it was mounted nearest to the root."""
    mounts = [
        (part.device, part.mountpoint, part.fstype)
        for part in psutil.disk_partitions(all=False)
        if part.fstype not in _NO_DISK
    ]
    nearest: dict[str, tuple[str, str, str]] = {}
    for mount in sorted(mounts, key=lambda found: (found[1].count("/"), len(found[1]), found[1])):
        nearest.setdefault(mount[0], mount)
    return list(nearest.values())[: limits.HOST_DISKS_MAX]


def _usage(device: str, mount: str, kind: str) -> Iterator[Reading]:
    try:
        usage = psutil.disk_usage(mount)
    except OSError:
        return  # unmounted in between, or not ours to look at
    if not usage.total:
        return
    labels = {"system.device": device, "system.filesystem.mountpoint": mount, "system.filesystem.type": kind}
    reserved = max(usage.total - usage.used - usage.free, 0)
    for state, value in (("used", usage.used), ("free", usage.free), ("reserved", reserved)):
        yield Reading("system.filesystem.usage", float(value), "By", {**labels, "system.filesystem.state": state})
    share = usage.used / max(usage.used + usage.free, 1)
    yield Reading("system.filesystem.utilization", share, "1", {**labels, "system.filesystem.state": "used"})
