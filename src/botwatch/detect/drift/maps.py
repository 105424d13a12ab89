"""Objects whose keys are data although they do not look it: names of people, words, random letters.

They are known by what documents hold: there are many keys, none of them is always there, and either all hold objects of
one shape, or there are so many keys that each comes seldom. Their keys become one place, written `*`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from botwatch.detect.drift.profile import Place, Profile
from botwatch.detect.drift.shape import ANY_KEY, Seen, Type

_ALIKE_KEYS_MIN: Final = 8
_ALIKE_MIN: Final = 0.7  # of the places inside two of them
_OFTEN_MAX: Final = 0.9
_MANY_KEYS_MIN: Final = 60
_SELDOM_MAX: Final = 0.05


def found(profiles: Iterable[Profile], busy: Collection[str] = ()) -> set[str]:
    """The places whose keys are data, from what was counted of all kinds. In those that are `busy`, several keys have
    just come or gone: there it does not matter that some were always there until now."""
    maps: set[str] = set()
    for profile in profiles:
        keys: dict[str, list[str]] = defaultdict(list)
        for path, place in profile.places.items():
            if path and not path.endswith(("[]", ANY_KEY)):
                keys[place.parent].append(path)
        inner = {parent: {path[len(parent) :].lstrip(".") for path in paths} for parent, paths in keys.items()}
        maps |= {
            parent
            for parent, paths in keys.items()
            if parent and _is_map(profile, parent, paths, keys, inner, 1.0 if parent in busy else _OFTEN_MAX)
        }
    return maps


def _is_map(
    profile: Profile,
    parent: str,
    paths: Sequence[str],
    keys: Mapping[str, Sequence[str]],
    inner: Mapping[str, set[str]],
    often_max: float,
) -> bool:
    if len(paths) < _ALIKE_KEYS_MIN:
        return False
    around = profile.around(paths[0], parent)
    shares = sorted(profile.places[path].present / around for path in paths) if around else [1.0]
    if shares[-1] > often_max:
        return False
    if len(paths) >= _MANY_KEYS_MIN:
        return shares[len(shares) // 2] <= _SELDOM_MAX
    objects = [path for path in paths if keys.get(path) and _holds_objects(profile.places[path])]
    if len(objects) < len(paths):
        return False
    usual = inner[max(objects, key=lambda path: profile.places[path].present)]
    alike = [len(usual & inner[path]) / len(usual | inner[path]) for path in objects]
    return sum(alike) / len(alike) >= _ALIKE_MIN


def _holds_objects(place: Place) -> bool:
    return place.types.get(Type.OBJECT, 0) > 0.9 * place.present


def folded(document: Sequence[Seen], maps: set[str]) -> Sequence[Seen]:
    """The document with one place for all keys of a map."""
    if not any(seen.parent in maps for seen in document):
        return document
    return [replace(seen, parent=fold(seen.parent, maps), path=fold(seen.path, maps)) for seen in document]


def fold(path: str, maps: set[str]) -> str:
    """A path, with `*` for each key of a map on its way. Maps are known by their own folded paths."""
    done = ""
    for step in path.split("."):
        name, brackets = step.partition("[")[0], step[len(step.partition("[")[0]) :]
        name = ANY_KEY if done in maps and done else name
        done = f"{done}.{name}{brackets}" if done else f"{name}{brackets}"
    return done


def fold_profile(profile: Profile, maps: set[str]) -> Profile:
    """What was counted before a map was known as one."""
    out = Profile(profile.documents, folded=profile.folded)
    for path, place in profile.places.items():
        new = fold(path, maps)
        kept = out.places.setdefault(new, Place(fold(place.parent, maps)))
        kept.merge(place)
    return out
