"""Which kinds of documents a source sends, so that a rare kind is not taken for a change of the others.

Many platforms put the kind into a field (`type`, and `subtype` below it); some say it by which object the
document carries. Neither is known beforehand: what tells best which places a document has, is the kind.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Final

from botwatch import limits
from botwatch.detect.drift.shape import Seen, Type

DOCUMENTS_MIN: Final = 60
_EXPLAINS_MIN: Final = 0.3  # of what is not known about the places of a document
_DEPTH_MAX: Final = 4
_OPTIONAL: Final = (0.01, 0.99)
_MANY: Final = 8  # documents of a kind tell which places it has
_ALIKE_MAX: Final = 4  # kinds of the same places, on average: more are names of who sends
_TOGETHER: Final = 2  # places come in such groups, so that each kind has to be paid for less often than by place
ONLY: Final = "(document)"  # the kind of documents that have no kinds
REST: Final = "(other)"

Tell = Callable[[Mapping[str, Seen]], str]


@dataclass(frozen=True, slots=True)
class Kinds:
    """`fields` hold the kind; of `carried`, whichever are there are the kind. Neither: all are of one kind."""

    fields: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()

    def of(self, document: Iterable[Seen]) -> str:
        places = {seen.path: seen for seen in document}
        parts = [_said(places, path) for path in self.fields]
        if self.carried:
            parts.append("+".join(path for path in self.carried if path in places))
        return " ".join(part or "-" for part in parts) if parts else ONLY


def _said(places: Mapping[str, Seen], path: str) -> str:
    seen = places.get(path)
    return (seen.value or "") if seen is not None and seen.value is not None else ""


def choose(documents: Sequence[Sequence[Seen]]) -> Kinds:
    """The fields, or the carried objects, that tell most about the places of these documents."""
    if len(documents) < DOCUMENTS_MIN:
        return Kinds()
    held = _held(documents)
    optional = _optional_places(held)
    doubt = _price(held, optional) + sum(group.doubt for group in _groups(held, optional, lambda _: ""))
    if doubt <= 0:
        return Kinds()
    candidates = [Kinds((path,)) for path in _fields(held, present=0.9)]
    carried = _carried(held)
    if carried:
        candidates.append(Kinds((), carried))
    best, left = _best(held, optional, candidates, doubt, Kinds())
    if best.fields:  # a field may need another one beside it
        more = [Kinds((*best.fields, path)) for path in _fields(held, present=0.02) if path not in best.fields]
        best, left = _best(held, optional, more, left, best)
    return best


def _held(documents: Sequence[Sequence[Seen]]) -> list[dict[str, Seen]]:
    """Each document by its places, without those that come several times in one."""
    several = Counter(
        path for document in documents for path, n in Counter(seen.path for seen in document).items() if n > 1
    )
    common = {path for path, count in several.items() if count > 0.02 * len(documents)}
    return [{seen.path: seen for seen in document if seen.path not in common} for document in documents]


def _best(
    held: Sequence[Mapping[str, Seen]],
    optional: Sequence[str],
    candidates: Iterable[Kinds],
    doubt: float,
    otherwise: Kinds,
) -> tuple[Kinds, float]:
    best, least = otherwise, doubt * (1 - _EXPLAINS_MIN)
    for kinds in candidates:
        tell = _tell(kinds)
        if len({tell(places) for places in held}) > limits.DRIFT_VARIANTS_PER_SOURCE_MAX:
            continue
        others = [path for path in optional if path not in kinds.fields]
        groups, price = _groups(held, others, tell), _price(held, others)
        left = sum(group.doubt + price for group in groups)
        if left < least and _have_their_own(groups, price):
            best, least = kinds, left
    return best, (least if best is not otherwise else doubt)


def _tell(kinds: Kinds) -> Tell:
    return lambda places: kinds.of(places.values())


def _optional_places(held: Sequence[Mapping[str, Seen]]) -> list[str]:
    counts = Counter(path for places in held for path in places)
    low, high = (share * len(held) for share in _OPTIONAL)
    return [path for path, count in counts.items() if low <= count <= high and path.count(".") <= _DEPTH_MAX]


def _fields(held: Sequence[Mapping[str, Seen]], *, present: float) -> list[str]:
    """Where one of few words stands, in at least this share of the documents; the more general place first."""
    values: dict[str, Counter[str]] = defaultdict(Counter)
    words: dict[str, int] = defaultdict(int)
    for places in held:
        for path, seen in places.items():
            if seen.type in (Type.STRING, Type.BOOL, Type.NUMBER) and path.count(".") <= _DEPTH_MAX and "*" not in path:
                words[path] += 1
                values[path][seen.value if seen.value is not None else "\0long"] += 1
    fields = [
        path
        for path, found in values.items()
        if 1 < len(found) <= limits.DRIFT_VARIANTS_PER_SOURCE_MAX
        and words[path] >= present * len(held)
        and len(found) <= words[path] / 8
        and "\0long" not in found
        and all(len(value) <= 40 and value.count(" ") <= 2 for value in found)
    ]
    return sorted(fields, key=lambda path: (path.count("."), path))


def _carried(held: Sequence[Mapping[str, Seen]]) -> tuple[str, ...]:
    """Objects at the top of which each document has one, or at most few."""
    counts = Counter(
        path
        for places in held
        for path, seen in places.items()
        if path and seen.type is Type.OBJECT and "." not in path and "[" not in path
    )
    found = tuple(sorted(path for path, count in counts.items() if count < 0.99 * len(held)))
    together = Counter(tuple(path for path in found if path in places) for places in held)
    return found if len(found) > 1 and len(together) <= limits.DRIFT_VARIANTS_PER_SOURCE_MAX else ()


@dataclass(slots=True)
class _Group:
    """Documents of a kind, or of several that are alike, and how many of them have each place."""

    size: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def doubt(self) -> float:
        return sum(_entropy(count, self.size) for count in self.counts.values())

    def with_(self, other: _Group) -> _Group:
        return _Group(self.size + other.size, self.counts + other.counts)


def _groups(held: Sequence[Mapping[str, Seen]], optional: Sequence[str], tell: Tell) -> list[_Group]:
    groups: dict[str, _Group] = defaultdict(_Group)
    wanted = set(optional)
    for places in held:
        group = groups[tell(places)]
        group.size += 1
        group.counts.update(wanted.intersection(places))
    return list(groups.values())


def _price(held: Sequence[Mapping[str, Seen]], optional: Sequence[str]) -> float:
    """Each kind costs something: a thousand kinds would explain everything and tell nothing."""
    return 0.5 * log(len(held)) * len(optional) / _TOGETHER


def _have_their_own(groups: Iterable[_Group], price: float) -> bool:
    """Whether kinds differ in which places they have.

    Customers have habits, and the name of each tells which places its documents have. But many have the same.
    """
    known, unlike = [group for group in groups if group.size >= _MANY], list[_Group]()
    for group in sorted(known, key=lambda group: -group.size):
        together = [(one.with_(group).doubt - one.doubt - group.doubt, place) for place, one in enumerate(unlike)]
        lost, place = min(together, default=(price, 0))
        if lost < price:
            unlike[place] = unlike[place].with_(group)
        else:
            unlike.append(group)
    return len(known) < _ALIKE_MAX * len(unlike)


def _entropy(count: int, of: int) -> float:
    rest = of - count
    return -(count * log(count / of) if count else 0.0) - (rest * log(rest / of) if rest else 0.0)
