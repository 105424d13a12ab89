"""Questions put together by their terms: pure, bounded, and the same for the same questions.

The most frequent come first and each becomes the head of a group, unless it is close enough to a head there is. How
close two are is the cosine of their terms, where a term weighs less the more questions have it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from botwatch.api.meaning.slots import SLOT
from botwatch.api.meaning.words import Terms, known, terms_of
from botwatch.limits import QUESTION_HEADS_LOOKED_AT_MAX

CLOSE: Final = 0.5
_SLOT_WEIGHT: Final = 0.4
_COMMON_WEIGHT: Final = 0.5  # what a term in every question weighs, of one in a single question


@dataclass(slots=True)
class _Heads:
    """The groups' heads, found by their terms."""

    weights: Mapping[str, float]
    places: dict[Terms, int] = field(default_factory=dict)
    lengths: list[float] = field(default_factory=list)
    by_term: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def closest(self, terms: Terms) -> int | None:
        if terms in self.places:
            return self.places[terms]
        shared: dict[int, float] = defaultdict(float)
        for term in sorted(terms):
            for place in self.by_term[term]:
                shared[place] += self.weights[term]
        length = self._length(terms)
        near = {place: both / (length * self.lengths[place]) for place, both in shared.items()}
        best = max(near, key=lambda place: (near[place], -place), default=None)
        return best if best is not None and near[best] >= CLOSE else None

    def add(self, terms: Terms) -> int:
        place = self.places[terms] = len(self.lengths)
        self.lengths.append(self._length(terms))
        for term in terms:
            if len(self.by_term[term]) < QUESTION_HEADS_LOOKED_AT_MAX:
                self.by_term[term].append(place)
        return place

    def _length(self, terms: Terms) -> float:
        return math.sqrt(sum(self.weights[term] for term in terms))


def grouped(texts: Sequence[str]) -> list[list[int]]:
    """The places of `texts`, which come most frequent first, by group; each group begins with its head."""
    terms = terms_of(texts)
    heads = _Heads(_weights(terms))
    groups: list[list[int]] = []
    for place, of in enumerate(terms):
        group = heads.closest(of)
        if group is None:
            heads.add(of)
            groups.append([place])
        else:
            groups[group].append(place)
    return groups


def _weights(texts: Sequence[Terms]) -> Mapping[str, float]:
    """The square of what each term weighs."""
    light, rarest = known().light, math.log(1 + len(texts))
    weights = {}
    for term, times in Counter(term for terms in texts for term in terms).items():
        rare = math.log(1 + len(texts) / times) / rarest
        own = _SLOT_WEIGHT if term.startswith(SLOT) else light.get(term, 1.0)
        weights[term] = (own * (_COMMON_WEIGHT + (1 - _COMMON_WEIGHT) * rare)) ** 2
    return weights
