"""What the checks of traces, logs and points have in common.

The fast path looks at all items of a request with a handful of passes that run in C (`map`,
`attrgetter`, `min`, `set`). Only when a pass finds an offender is a request walked item by item.

A request always leaves the door as we wrote it, never as it came. The engine reads protobuf more
strictly than the parser here and fails a whole batch over it: a known field with another wire type,
a group, a bool of 5, an enum of 40 bits, a oneof set twice. To us those are unknown fields, or are
put right by writing the message anew.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, MutableSequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any

from google.protobuf.message import Message

from botwatch import limits
from botwatch.errors import TooLarge
from botwatch.nouns import Refusal
from botwatch.receive import dialects, privacy, structure
from botwatch.receive.door import Terms

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
NO_TRACE_ID = bytes(TRACE_ID_BYTES)
NO_SPAN_ID = bytes(SPAN_ID_BYTES)

# The messages are dynamic: their fields have no static types.
Item = Any
Items = MutableSequence[Item]

_MODEL_MARK = b"gen_ai."
# A key, its AnyValue in the next field, and in that an array (5) or a map (6) first.
_STRUCTURED_TEXT = re.compile(
    rb"gen_ai\.(?:input\.messages|output\.messages|system_instructions)\x12[\x80-\xff]*[\x00-\x7f][\x2a\x32]"
)


@dataclass(slots=True)
class Tally:
    """What a check found. `notes` are told to the client beside the refusals."""

    items: int = 0
    dedup: bool = True
    rejected: Counter[Refusal] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.items += other.items
        self.dedup = self.dedup and other.dedup
        self.rejected.update(other.rejected)
        self.notes += [note for note in other.notes if note not in self.notes]


def item_lists(request: Message, resources: str, scopes: str, items: str) -> list[Items]:
    """The lists of items in a request, one for each scope."""
    found = getattr(request, resources)
    of_scopes = attrgetter(scopes)
    count = len(found)
    if count <= limits.CONTAINERS_PER_PIECE_MAX:
        count += sum(map(len, map(of_scopes, found)))
    if count > limits.CONTAINERS_PER_PIECE_MAX:
        raise TooLarge(
            f"The request has more than {limits.CONTAINERS_PER_PIECE_MAX} resources and scopes.",
            hint="put the items of one resource together",
        )
    return list(map(attrgetter(items), chain.from_iterable(map(of_scopes, found))))


def flat(lists: Iterable[Items]) -> list[Item]:
    lists = list(lists)
    if sum(map(len, lists)) > limits.ITEMS_PER_REQUEST_MAX:
        raise too_many_items()
    return list(chain.from_iterable(lists))


def too_many_items() -> TooLarge:
    return TooLarge(
        f"The request has more than {limits.ITEMS_PER_REQUEST_MAX} items.", hint="send fewer items in one request"
    )


def in_window(times: list[int], terms: Terms) -> bool:
    return not times or (min(times) >= terms.oldest_ns and max(times) <= terms.newest_ns)


def sift(lists: Iterable[Items], fault: Callable[[Item], Refusal | None]) -> Counter[Refusal]:
    """Take out of the lists what has a fault, and say how much of it there was. The slow path."""
    rejected: Counter[Refusal] = Counter()
    for items in lists:
        faults = list(map(fault, items))
        if any(faults):
            kept = [item for item, reason in zip(items, faults, strict=True) if reason is None]
            rejected.update(reason for reason in faults if reason is not None)
            del items[:]
            items.extend(kept)
    return rejected


def sealed(request: Message, terms: Terms) -> bytes:
    """The request as it is handed on: nothing in it that we do not know, written by us."""
    request.DiscardUnknownFields()
    body = request.SerializeToString()
    names_models = _MODEL_MARK in body
    if hasattr(request, "resource_spans") and (spoken := dialects.spoken(body, names_models=names_models)):
        dialects.translate(request, spoken)
        body = request.SerializeToString()
    if not terms.keep_text and privacy.may_hold_text(body):
        privacy.scrub(request)
        body = request.SerializeToString()
    if names_models and _STRUCTURED_TEXT.search(body):
        structure.messages_to_text(request)
        body = request.SerializeToString()
    return body
