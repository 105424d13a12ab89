"""The limits of the container we run in, where there are any: they bind before those of the machine."""

from __future__ import annotations

from collections.abc import Sequence

from botwatch.watch.host import files
from botwatch.watch.host.cgroup import Cgroups
from botwatch.watch.reading import Reading


class Container:
    name = "container"

    def __init__(self, cgroups: Cgroups) -> None:
        self._cgroups = cgroups

    def read(self, now_s: float) -> Sequence[Reading]:
        """Nothing where nothing is limited: that is no fault."""
        found = []
        memory, tasks = self._cgroups.memory("self"), self._cgroups.tasks("self")
        cpus = self._cgroups.cpus("self")
        if memory is not None:
            found += [
                Reading("container.memory.usage", memory.used, "By"),
                Reading("container.memory.limit", memory.limit, "By"),
                files.reading(memory),
            ]
        if tasks is not None:
            found.append(files.reading(tasks))
        if cpus is not None:
            found.append(Reading("container.cpu.limit", cpus, "{cpu}"))
        return found
