"""Which of a broker's queues are watched: by patterns, and never more than the bound."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cached_property

from botwatch.limits import QUEUE_NAME_CHARS_MAX, QUEUES_PER_BROKER_MAX

_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Choice:
    """`*` and `?` stand for any text and any character. Without `include` all are wanted that are not excluded."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    most: int = field(default=QUEUES_PER_BROKER_MAX)

    @cached_property
    def _wanted(self) -> re.Pattern[str]:
        return _any_of(self.include or ("*",))

    @cached_property
    def _unwanted(self) -> re.Pattern[str] | None:
        return _any_of(self.exclude) if self.exclude else None

    @property
    def patterns(self) -> tuple[str, ...]:
        """Those to look for; names without a wildcard need no looking for."""
        return tuple(pattern for pattern in self.include if _WILD.search(pattern)) if self.include else ("*",)

    @property
    def named(self) -> tuple[str, ...]:
        """What is watched by its name, also while the broker knows nothing of it."""
        return tuple(name for name in self.include if not _WILD.search(name))

    def wants(self, name: str) -> bool:
        if len(name) > QUEUE_NAME_CHARS_MAX:
            return False
        return bool(self._wanted.match(name)) and not (self._unwanted and self._unwanted.match(name))

    def of(self, names: Iterable[str]) -> tuple[Sequence[str], int]:
        """The wanted ones in their order, those named first, and how many are left out."""
        named = set(self.named)
        found = sorted({name for name in names if self.wants(name)}, key=lambda name: (name not in named, name))
        return found[: self.most], max(0, len(found) - self.most)


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in patterns))
