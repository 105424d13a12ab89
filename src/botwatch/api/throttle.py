"""How often something may be tried in a minute. Time is passed in."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import Final

WINDOW_S: Final = 60.0


class Throttle:
    """A sliding minute for each key. Of too many keys, the one tried longest ago is forgotten."""

    def __init__(self, keys_max: int) -> None:
        self._keys_max = keys_max
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, key: str, tries_max: int, now_s: float) -> int:
        """Seconds until the next try is allowed; 0: now."""
        tries = self._tries.get(key)
        while tries and tries[0] <= now_s - WINDOW_S:
            tries.popleft()
        if not tries or len(tries) < tries_max:
            return 0
        return max(1, math.ceil(tries[-tries_max] + WINDOW_S - now_s))

    def take(self, key: str, now_s: float) -> None:
        self._tries.setdefault(key, deque()).append(now_s)
        self._tries.move_to_end(key)
        if len(self._tries) > self._keys_max:
            self._tries.popitem(last=False)

    def give_back(self, key: str) -> None:
        """The try was a good one: it does not count."""
        tries = self._tries.get(key)
        if tries:
            tries.pop()
        if not tries:
            self._tries.pop(key, None)
