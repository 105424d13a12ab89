"""How well questions were put together: which pairs are of one meaning, and which are in one group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from botwatch.api.meaning.grouping import grouped


@dataclass(frozen=True)
class Score:
    right: int = 0  # pairs of one meaning in one group
    wrong: int = 0  # pairs of two meanings in one group
    missed: int = 0  # pairs of one meaning in two groups

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)


def score(meant: Mapping[str, Sequence[str]]) -> Score:
    labelled = [(meaning, text) for meaning, texts in meant.items() for text in texts]
    group_of = {place: group for group, places in enumerate(grouped([t for _, t in labelled])) for place in places}
    return sum(
        (_pair(labelled[a][0] == labelled[b][0], group_of[a] == group_of[b]) for a, b in _pairs(len(labelled))), Score()
    )


def _pairs(number: int) -> Iterable[tuple[int, int]]:
    return combinations(range(number), 2)


def _pair(alike: bool, together: bool) -> Score:
    return Score(int(alike and together), int(together and not alike), int(alike and not together))
