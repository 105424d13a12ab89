"""From changed shares to what happened: since when, in which documents, and what stands behind it.

Several shares change by one cause: a field that moved is gone in one place, has come in another, and its values
collapse. The documents themselves tell which changes belong together: those that show one show the other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from math import exp
from typing import Final

from botwatch import limits
from botwatch.detect.drift.compare import CRITICAL, Change, What
from botwatch.detect.drift.profile import Stat
from botwatch.detect.drift.shape import Seen, Type, inside
from botwatch.detect.drift.since import Begun, counted, turning
from botwatch.detect.drift.source import KIND, Drift, Source
from botwatch.measure.amounts import SHARE, told

# Names of fields, the words that stand for no value in any language, and marks of pages where JSON was expected.
_SHOWN: Final = re.compile(
    r"""(?<=[{,])\s*["'][A-Za-z_][\w-]{0,39}["'](?=\s*:)|\b(?:true|false|null|True|False|None|NaN|Infinity|undefined)\b"""
    r"""|</?(?:!DOCTYPE|html|head|title|body|h1|p|div|xml|\?xml)\b""",
    re.IGNORECASE,
)
TOGETHER_NS: Final = 15 * 60 * 10**9  # what begins so close together at one source is one event
_UNKNOWN_NS_MAX: Final = 6 * 3_600 * 10**9  # of what is known no better, nothing tells which change it belongs to
_TOGETHER_MIN: Final = 0.8
_VERSIONS_MAX: Final = 5
_GONE: Final = (What.VANISHED, What.RARER, What.MORE_NULL, What.MORE_EMPTY)
# What explains comes before what follows from it.
_ORDER: Final = (
    What.NESTED,
    What.TYPE_CHANGED,
    What.VANISHED,
    What.RARER,
    What.MORE_NULL,
    What.MORE_EMPTY,
    What.APPEARED,
    What.VALUE_COLLAPSED,
    What.VALUE_NEW,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A document that was looked at. `number` is its place in the list it came in."""

    number: int
    at_ns: int
    shape: Sequence[Seen]
    version: str = ""  # of the bot that took it


@dataclass(frozen=True, slots=True)
class OfVersion:
    """How many documents of a version show a change, since it began."""

    version: str
    showing: int
    of: int


@dataclass(frozen=True, slots=True)
class Cause:
    """One change of a source, as it is told. `moved_to` is where what is gone has come instead."""

    drift: Drift
    moved_to: str
    begun: Begun | None
    affected: tuple[int, ...]  # numbers of the samples that show it
    unaffected: tuple[int, ...]
    versions: tuple[OfVersion, ...] = ()  # the most frequent first

    @property
    def sure(self) -> float:
        """How sure it is that this is no chance, below 1."""
        return 1.0 - exp(-self.drift.change.surprise / 2)


def shows(change: Change, document: Sequence[Seen], kind: str) -> bool | None:
    """Whether a document shows the change; None where it says nothing about it."""
    if change.path == KIND:
        return kind == change.share.value
    here = [seen for seen in document if seen.path == change.path]
    if change.what in (What.VANISHED, What.RARER):
        return None if not _could_have(change.path, document) else not here
    if change.what is What.APPEARED:
        return None if not _could_have(change.path, document) else bool(here)
    if change.share.stat is not Stat.NULL:
        here = [seen for seen in here if seen.type is not Type.NULL]  # which has no type and no value
    return any(_fits(change, seen) for seen in here) if here else None


def _could_have(path: str, document: Sequence[Seen]) -> bool:
    above = path.rpartition(".")[0]
    return any(seen.path == above and seen.type is Type.OBJECT for seen in document)


def _fits(change: Change, seen: Seen) -> bool:
    if change.share.stat is Stat.NULL:
        return seen.type is Type.NULL
    if change.share.stat is Stat.EMPTY:
        return seen.empty
    if change.share.stat is Stat.TYPE:
        return seen.type == change.share.value
    return seen.value == change.share.value


def tell(drifts: Sequence[Drift], samples: Sequence[Sample], source: Source) -> list[Cause]:
    """The causes, what explains first. Samples are in the order they came."""
    kinds = {sample.number: source.kind(sample.shape) for sample in samples}
    shown = {
        drift: {
            sample.number: said
            for sample in samples
            if drift.variant in ("", kinds[sample.number])
            and (said := shows(drift.change, sample.shape, kinds[sample.number])) is not None
        }
        for drift in drifts
    }
    order = sorted(drifts, key=lambda drift: (_ORDER.index(drift.change.what), -drift.change.surprise))
    causes = [_cause(drift, shown[drift], samples, source) for drift in order]
    moved = {(cause.drift.variant, place) for cause in causes if cause.moved_to for place in inside(cause.moved_to)}
    return [
        cause
        for cause in causes
        if cause.drift.change.what is not What.APPEARED or (cause.drift.variant, cause.drift.change.path) not in moved
    ]


def _cause(drift: Drift, shown: Mapping[int, bool], samples: Sequence[Sample], source: Source) -> Cause:
    saying = [sample for sample in samples if sample.number in shown]
    # What collapses is shown by its not being there any more.
    falls = drift.change.what is What.VALUE_COLLAPSED
    begun = _begun(drift, saying, [shown[sample.number] for sample in saying], source, falls=falls)
    odd = [sample for sample in saying if shown[sample.number] is not falls]
    others = [sample for sample in saying if shown[sample.number] is falls]
    if begun is not None:
        odd = [sample for sample in odd if sample.at_ns >= begun.at_ns] or odd
        others = [sample for sample in others if sample.at_ns < begun.at_ns] or others
        saying = [sample for sample in saying if sample.at_ns >= begun.at_ns]
    moved = _companion(odd, others) or drift.change.moved_to if drift.change.what in _GONE else ""
    return Cause(
        drift,
        moved,
        begun,
        tuple(sample.number for sample in odd[: limits.DRIFT_EXAMPLES_MAX]),
        tuple(sample.number for sample in others[-limits.DRIFT_EXAMPLES_MAX :]),
        tuple(_of_versions(saying, {sample.number for sample in odd})),
    )


def _begun(
    drift: Drift, saying: Sequence[Sample], marks: Sequence[bool], source: Source, *, falls: bool
) -> Begun | None:
    """To the document, unless the counts tell of another time."""
    by_counts = counted(drift, source)
    turn = turning(marks, falls=falls)
    if turn is None:
        return by_counts
    first, at, last = (saying[index].at_ns for index in (turn.first - 1, turn.at, turn.last))
    found = Begun(at, first, last)
    return found if by_counts is None or found.meets(by_counts) else by_counts


def _of_versions(since: Sequence[Sample], odd: Set[int]) -> Iterator[OfVersion]:
    of = Counter(sample.version for sample in since if sample.version)
    showing = Counter(sample.version for sample in since if sample.number in odd)
    for version, count in of.most_common(_VERSIONS_MAX):
        yield OfVersion(version, showing[version], count)


def _companion(odd: Sequence[Sample], others: Sequence[Sample]) -> str:
    """The place that came where something is gone, and only there: the innermost that holds a value."""
    if len(odd) < 2 or len(others) < 10:
        return ""
    usual = {seen.path for sample in others for seen in sample.shape}
    come: Counter[str] = Counter()
    for sample in odd:
        values = (Type.STRING, Type.NUMBER, Type.BOOL)
        come.update({seen.path for seen in sample.shape if seen.type in values} - usual)
    best = max(come.items(), key=lambda item: (item[1], item[0].count("."), item[0]), default=("", 0))
    return best[0] if best[1] >= _TOGETHER_MIN * len(odd) else ""


def beginning(cause: Cause, known_ns: Iterable[int]) -> int | None:
    """When it began: with a known change, where it may have, the nearest."""
    if cause.begun is None:
        return None
    at_ns, after_ns, until_ns = cause.begun
    first_ns, last_ns = max(after_ns, at_ns - _UNKNOWN_NS_MAX), min(until_ns, at_ns + _UNKNOWN_NS_MAX)
    may_be = [known for known in known_ns if first_ns < known <= last_ns]
    return min(may_be, key=lambda known: abs(known - at_ns), default=at_ns)


def sentence(cause: Cause) -> str:
    """What happened, in words. Paths and values are foreign text."""
    change = cause.drift.change
    path, value = f"`{change.path}`", f"`{change.share.value}`"
    before, now = told(change.before, SHARE), told(change.now, SHARE)
    share = f"{before} → {now}"
    if cause.moved_to:
        gone = change.now_of - change.now_count if change.share.stat is Stat.PRESENT else change.now_count
        return f"{path} is gone where `{cause.moved_to}` has come, in {gone:,.0f} of {change.now_of:,.0f}"
    texts = {
        What.APPEARED: f"{path} has come, in {now}",
        What.VANISHED: f"{path} is gone, it was in {before}",
        What.RARER: f"{path} is missing more often: present {share}",
        What.MORE_NULL: f"{path} is null more often: {share}",
        What.MORE_EMPTY: f"{path} is empty more often: {share}",
        What.TYPE_CHANGED: f"{path} is of type {change.share.value}: {share}",
        What.NESTED: f"{path} holds an object where a value was, in {now}",
        What.VALUE_COLLAPSED: f"{value} in {path} is rare now: {share}",
        What.VALUE_NEW: f"{value} is new in {path}, in {now}",
    }
    if change.what in CRITICAL:
        return _critical(change)
    if change.path == KIND:
        texts[What.VALUE_COLLAPSED] = f"documents of the kind {value} are rare now: {share}"
        texts[What.VALUE_NEW] = f"documents of the kind {value} are new, {now} of all"
    return texts[change.what]


def _critical(change: Change) -> str:
    """In numbers: a share of one in thousands rounds to nothing."""
    lacking = change.what is What.CRITICAL_MISSING
    now = change.now_of - change.now_count if lacking else change.now_count
    before = change.before_of - change.before_count if lacking else change.before_count
    is_what = {
        What.CRITICAL_MISSING: "missing",
        What.CRITICAL_NULL: "null",
        What.CRITICAL_EMPTY: "empty",
        What.CRITICAL_TYPE: f"of type {change.share.value}",
    }[change.what]
    past = f"before in {before:,.0f} of {change.before_of:,.0f}" if change.before_of >= 1 else "and has no past yet"
    return f"critical `{change.path}` is {is_what} in {now:,.0f} of {change.now_of:,.0f} documents, {past}"


def masked(value: object, choices: Mapping[str, bool], path: str = "", depth: int = 0) -> object:
    """A document to be shown: its shape, with only the values that are one of a few."""
    if isinstance(value, Mapping):
        if depth >= limits.DRIFT_DEPTH_MAX:
            return "{…}"
        inside = list(value.items())[: limits.DRIFT_KEYS_PER_EXAMPLE_MAX]
        return {
            str(key)[: limits.DRIFT_KEY_CHARS_MAX]: masked(
                child, choices, f"{path}.{key}" if path else str(key), depth + 1
            )
            for key, child in inside
        }
    if isinstance(value, (list, tuple)):
        return [masked(child, choices, f"{path}[]", depth + 1) for child in value[:2]] + ["…"] * (len(value) > 2)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        kept = choices.get(path, False) and len(value) <= limits.DRIFT_VALUE_CHARS_MAX
        return value if kept or not value else f"… {len(value)} characters"
    return 0


def masked_text(text: str) -> str:
    """What was sent for JSON and is none, to be shown: where it breaks is seen by its marks, names and bare words."""
    shown, end = [], 0
    for kept in _SHOWN.finditer(text):
        shown += [_hidden(text[end : kept.start()]), kept[0]]
        end = kept.end()
    return "".join((*shown, _hidden(text[end:])))


def _hidden(text: str) -> str:
    return "".join("0" if char.isdigit() else "x" if char.isalpha() else char for char in text)
