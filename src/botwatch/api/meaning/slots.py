"""Words that stand for what is asked about, not for what is asked: cities, weekdays, products.

They are found by how they are used. Where several phrases differ in one or two words only, these may be a slot, or
the very point (`block my card`, `replace my card`). They are a slot when the same words change places in another
phrase that shares nothing with the first: `hotels in Leeds`, `hotels in Lund` and `I moved to Leeds`, `I moved to
Lund`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

from botwatch.limits import QUESTION_FRAMES_MAX

SLOT: Final = "…"
_WORDS_MAX: Final = 2
_FILLERS_MIN: Final = 5
_FRAME_TERMS_MAX: Final = 8

Stems = Sequence[str]
Filler = tuple[str, ...]


def slots_of(phrases: Sequence[Stems], fixed: str) -> Mapping[Filler, str]:
    """The term each filler becomes. Stems that begin with `fixed` are known, and never fill a slot."""
    frames = _frames(phrases, fixed)
    shared = [
        (frames[one] & frames[other], one, other) for one, other in combinations(frames, 2) if _unlike(one, other)
    ]
    family: dict[Filler, Filler] = {}
    # Of cities and what is asked about them, there are more cities: what has more fillers is decided first.
    for common, *both in sorted(shared, key=lambda found: (-len(found[0]), found[1:])):
        if len(common) < _FILLERS_MIN:
            break
        if any(_only_slots(frame, family) for frame in both):
            continue
        first, *rest = sorted(common)
        for filler in rest:
            _join(family, first, filler)
    return {filler: SLOT + " ".join(_head(family, filler)) for filler in family}


def _unlike(one: Filler, other: Filler) -> bool:
    """Two phrases that share nothing but that a word is open in both."""
    return not set(one) & set(other) - {SLOT}


def _only_slots(frame: Filler, family: Mapping[Filler, Filler]) -> bool:
    """Whether what is around the open word fills slots itself."""
    place = frame.index(SLOT)
    return all(not part or part in family for part in (frame[:place], frame[place + 1 :]))


def filled(stems: Stems, slots: Mapping[Filler, str]) -> list[str]:
    """The same with its fillers told as their slots; longer fillers first."""
    found, place = [], 0
    while place < len(stems):
        for length in range(min(_WORDS_MAX, len(stems) - place), 0, -1):
            slot = slots.get(tuple(stems[place : place + length]))
            if slot is not None or length == 1:
                found.append(slot or stems[place])
                place += length
                break
    return found


def _frames(phrases: Sequence[Stems], fixed: str) -> Mapping[Filler, set[Filler]]:
    """Phrases with a slot in them, those with most fillers, and the words that fill it."""
    fillers: dict[Filler, set[Filler]] = defaultdict(set)
    for stems in phrases:
        if not 2 <= len(stems) <= _FRAME_TERMS_MAX:
            continue
        for length in range(1, min(_WORDS_MAX, len(stems) - 1) + 1):
            for place in range(len(stems) - length + 1):
                filler = tuple(stems[place : place + length])
                if not any(stem.startswith(fixed) for stem in filler):
                    fillers[(*stems[:place], SLOT, *stems[place + length :])].add(filler)
    many = sorted(
        (frame for frame, of in fillers.items() if len(of) >= _FILLERS_MIN), key=lambda f: (-len(fillers[f]), f)
    )
    return {frame: fillers[frame] for frame in many[:QUESTION_FRAMES_MAX]}


def _join(family: dict[Filler, Filler], one: Filler, other: Filler) -> None:
    family.setdefault(one, one)
    family.setdefault(other, other)
    heads = sorted((_head(family, one), _head(family, other)))
    family[heads[1]] = heads[0]


def _head(family: Mapping[Filler, Filler], filler: Filler) -> Filler:
    while family[filler] != filler:
        filler = family[filler]
    return filler
