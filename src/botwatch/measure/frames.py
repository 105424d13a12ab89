"""Values of many groups over one grid, and what is done to them in Python: small, pure, after the engine.

A frame has one list of values for each group, as long as the grid. None is 'nothing is known'; NaN is 'it
happened, but its value cannot be known', which nothing fills and which becomes None at the end.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from botwatch import limits
from botwatch.errors import BadRequest
from botwatch.measure.model import Fold
from botwatch.measure.price import Price
from botwatch.measure.window import Window

Key = tuple[str, ...]
Values = list[float | None]
UNKNOWN = math.nan


@dataclass(slots=True)
class Frame:
    by: tuple[str, ...]
    window: Window
    groups: dict[Key, Values] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def empty(self) -> Values:
        return [None] * len(self.window.grid.starts)

    def group(self, key: Key) -> Values:
        found = self.groups.get(key)
        if found is None:
            if (len(self.groups) + 1) * len(self.window.grid.starts) > limits.MEASURE_CELLS_MAX:
                raise too_much()
            found = self.groups[key] = self.empty()
        return found

    def places(self, labels: Sequence[str]) -> list[int]:
        return [self.by.index(label) for label in labels]


def too_much() -> BadRequest:
    return BadRequest(
        "the answer would be too large",
        hint="ask for a longer step, a shorter window, fewer labels in by, or filter with where",
    )


def from_rows(rows: Sequence[Sequence[Any]], column: int, counted: int, by: tuple[str, ...], window: Window) -> Frame:
    """One column of a statement's answer. The rows begin with the start of the bucket and the labels; `counted` is the
    column that says of how many rows the value is made."""
    if len(rows) > limits.MEASURE_ROWS_MAX:
        raise too_much()
    frame = Frame(by, window)
    place = {start: i for i, start in enumerate(window.grid.starts)}
    width = 1 + len(by)
    for row in rows:
        value = row[column]
        if row[counted] and value is not None and math.isfinite(value):
            frame.group(tuple(row[1:width]))[place[row[0]]] = value
    return frame


def fill_seen(frame: Frame, seen: Frame) -> Frame:
    """0 where the bot was seen and nothing was counted; groups that are only bots and hosts are added."""
    filled = Frame(frame.by, frame.window, notes=frame.notes)
    keys = dict.fromkeys(frame.groups)
    if set(frame.by) <= set(seen.by):
        places = seen.places(frame.by)
        keys |= dict.fromkeys(tuple(key[i] for i in places) for key in _placed(seen))
    told = frame.places(seen.by)
    for key in keys:
        values = filled.group(key)
        lives = seen.groups.get(tuple(key[i] for i in told), values)
        counted = frame.groups.get(key, values)
        values[:] = [
            0.0 if value is None and life is not None else value for value, life in zip(counted, lives, strict=True)
        ]
    return filled


def _placed(seen: Frame) -> list[Key]:
    """Who was seen; not nowhere in particular, when there are places it was seen in as well."""
    if "host" not in seen.by:
        return list(seen.groups)
    at = seen.by.index("host")
    somewhere = {key[:at] + key[at + 1 :] for key in seen.groups if key[at]}
    return [key for key in seen.groups if key[at] or key[:at] + key[at + 1 :] not in somewhere]


def fill_zero(frame: Frame) -> Frame:
    return _each(frame, lambda values: [0.0 if value is None else value for value in values])


def by_the_second(frame: Frame) -> Frame:
    lengths = [frame.window.seconds(i) for i in range(len(frame.window.grid.starts))]
    return _each(
        frame, lambda values: [None if v is None else v / length for v, length in zip(values, lengths, strict=True)]
    )


def shown(frame: Frame) -> Frame:
    """As people see it: what cannot be known is None too."""
    return _each(frame, lambda values: [None if v is None or math.isnan(v) else v for v in values])


def _each(frame: Frame, change: Callable[[Values], Values]) -> Frame:
    changed = {key: change(values) for key, values in frame.groups.items()}
    return Frame(frame.by, frame.window, changed, frame.notes)


def prefer(frames: Sequence[Frame], apart: tuple[str, ...]) -> Frame:
    """For each group of `apart`, the first frame that knows anything of it, over the whole window."""
    chosen = Frame(frames[0].by, frames[0].window)
    places = chosen.places(apart)
    decided: dict[Key, int] = {}
    for number, frame in enumerate(frames):
        for key, values in frame.groups.items():
            owner = tuple(key[i] for i in places)
            if decided.get(owner, number) == number and any(value is not None for value in values):
                decided[owner] = number
                chosen.groups[key] = values
    return chosen


def fold(frame: Frame, by: tuple[str, ...], how: Fold) -> Frame:
    """Bring the groups together that differ only in labels nobody asked for."""
    folded = Frame(by, frame.window, notes=frame.notes)
    places = frame.places(by)
    together: dict[Key, list[Values]] = {}
    for key, values in frame.groups.items():
        together.setdefault(tuple(key[i] for i in places), []).append(values)
    for key, lists in together.items():
        folded.groups[key] = (
            lists[0] if len(lists) == 1 else [_folded(column, how) for column in zip(*lists, strict=True)]
        )
    return folded


def rebucket(frame: Frame, window: Window) -> Frame:
    """Bring finer buckets together into those of a window."""
    starts = window.grid.starts
    places = [max(bisect_right(starts, start) - 1, 0) for start in frame.window.grid.starts]
    wider = Frame(frame.by, window, notes=frame.notes)
    for key, values in frame.groups.items():
        together: list[Values] = [[] for _ in starts]
        for place, value in zip(places, values, strict=True):
            together[place].append(value)
        wider.group(key)[:] = [_folded(column, Fold.SUM) for column in together]
    return wider


def _folded(values: Iterable[float | None], how: Fold) -> float | None:
    told = [value for value in values if value is not None]
    known = [value for value in told if not math.isnan(value)]
    if not known:
        return UNKNOWN if told else None
    if how is Fold.MAX:
        return max(known)
    return math.fsum(known) / (len(known) if how is Fold.MEAN else 1)


def cost(calls: Frame, tokens_in: Frame, tokens_out: Frame, price: Callable[[str, str, int], Price | None]) -> Frame:
    """Dollars, from frames that are grouped by model and provider; tells which models have no price."""
    frame = Frame(calls.by, calls.window)
    model_at, provider_at = calls.places(("model", "provider"))
    starts = calls.window.grid.starts
    without: dict[str, None] = {}
    for key, counted in calls.groups.items():
        read, wrote = tokens_in.groups.get(key, ()), tokens_out.groups.get(key, ())
        values = frame.group(key)
        for i, n in enumerate(counted):
            if not n:
                continue
            found = price(key[provider_at], key[model_at], starts[i])
            values[i] = found.of(n, read[i] or 0, wrote[i] or 0) if found else UNKNOWN
            if not found:
                without[_model(key[provider_at], key[model_at])] = None
    frame.notes = [
        f"no price is known for {name}: it is left out" for name in list(without)[: limits.MEASURE_NOTES_MAX]
    ]
    if len(without) > limits.MEASURE_NOTES_MAX:
        frame.notes.append(f"and for {len(without) - limits.MEASURE_NOTES_MAX} more models")
    return frame


def _model(provider: str, model: str) -> str:
    return f"{model} of {provider}" if provider else model
