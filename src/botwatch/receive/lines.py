"""What JSON log lines and payloads share: many documents in one body, each taken or refused alone.

A body is NDJSON, or one JSON array, or one object. The answer says how many were taken, how many
were not and why, and shows the first few that were not by their line (in an array: their position).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from botwatch import limits
from botwatch.errors import BadRequest, BotwatchError, InvalidBody, TooLarge
from botwatch.nouns import Refusal
from botwatch.receive.http import Answer, Head, headers_of
from botwatch.receive.json_tree import loads
from botwatch.receive.keys import token_in

JSON = "application/json"
# No text/plain and no form: a page in a browser may send those to any address, without asking.
MEDIA_TYPES = ("application/x-ndjson", JSON, "application/ndjson", "application/jsonl", "application/x-jsonlines")

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"


class Document(NamedTuple):
    """One JSON value of a body; `text` is what was sent, or the same in fewer bytes."""

    line: int
    value: Any
    text: bytes


class Bad(NamedTuple):
    """`text` is what was sent, where that is known and is not too long."""

    line: int
    reason: Refusal
    message: str
    text: bytes = b""


@dataclass(slots=True)
class Sheet:
    """What became of the lines of a body. `invalid`: kept, though not what they should be; None: never kept."""

    accepted: int = 0
    invalid: int | None = None
    rejected: Counter[Refusal] = field(default_factory=Counter)
    errors: list[Bad] = field(default_factory=list)

    def refuse(self, bad: Bad) -> None:
        self.rejected[bad.reason] += 1
        self._tell(bad)

    def keep(self, bad: Bad) -> None:
        self.invalid = (self.invalid or 0) + 1
        self._tell(bad)

    def _tell(self, bad: Bad) -> None:
        if len(self.errors) < limits.LINE_ERRORS_TOLD_MAX:
            self.errors.append(bad)

    def answer(self) -> Answer:
        """400 only when nothing at all was taken: then the sender, not a line, has a mistake."""
        kept = {} if self.invalid is None else {"invalid": self.invalid}
        shape = {
            "accepted": self.accepted,
            **kept,
            "rejected": {reason.value: count for reason, count in self.rejected.items()},
            "errors": [{"line": bad.line, "message": bad.message} for bad in self.errors],
        }
        status = 400 if self.rejected and not (self.accepted or self.invalid) else 200
        return Answer(status, JSON, orjson.dumps(shape))


def refusal(error: BotwatchError) -> Answer:
    """The error shape of the API."""
    shape = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    return Answer(error.status, JSON, orjson.dumps(shape), headers_of(error))


def idempotency_key(head: Head) -> tuple[bytes, ...] | None:
    """What stands for the body when a retry is looked for: the key, and whose it is."""
    key = head.idempotency_key
    if not key:
        return None
    if len(key) > limits.IDEMPOTENCY_KEY_CHARS_MAX:
        raise BadRequest(
            f"Idempotency-Key: expected at most {limits.IDEMPOTENCY_KEY_CHARS_MAX} characters, found {len(key)}.",
            hint="use a UUID",
        )
    return b"key", (token_in(head.authorization) or "").encode(), key.encode()


def documents(body: bytes, bytes_max: int) -> Iterator[Document | Bad]:
    """The documents of a body in their order; blank lines are none."""
    body = body.removeprefix(_BOM)
    whole = _whole(body, bytes_max)
    if isinstance(whole, list):
        _bound(len(whole))
        yield from _elements(whole, bytes_max)
    elif whole is not None:
        text = body.strip(_SPACE)
        yield Document(1, whole, text) if len(text) <= bytes_max else _too_large(1, bytes_max)
    else:
        _bound(body.count(b"\n"))
        yield from _lines(body, bytes_max)


def _whole(body: bytes, bytes_max: int) -> Any:
    """The value of a body that is one array, or one object over several lines; None for lines."""
    body = body.lstrip(_SPACE)
    if body.startswith(b"{"):
        first_ends = body.find(b"\n", 0, bytes_max)
        if first_ends < 0 or _is_json(body[:first_ends]):
            return None
    elif not body.startswith(b"["):
        return None
    try:
        return loads(body)
    except InvalidBody:
        return None


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _lines(body: bytes, bytes_max: int) -> Iterator[Document | Bad]:
    for number, text in enumerate(body.split(b"\n"), 1):
        if len(text) > bytes_max:
            yield _too_large(number, bytes_max)
            continue
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            if text.strip(_SPACE):
                message = f"expected JSON, found something else at column {error.colno}"
                yield Bad(number, Refusal.INVALID, message, text.strip(_SPACE))
            continue
        yield Document(number, value, text.strip(_SPACE))


def _elements(values: list[Any], bytes_max: int) -> Iterator[Document | Bad]:
    for number, value in enumerate(values, 1):
        try:
            text = orjson.dumps(value)
        except orjson.JSONEncodeError:
            yield Bad(number, Refusal.INVALID, "expected JSON nested less deeply")
            continue
        yield Document(number, value, text) if len(text) <= bytes_max else _too_large(number, bytes_max)


def _too_large(number: int, bytes_max: int) -> Bad:
    return Bad(number, Refusal.TOO_LARGE, f"expected at most {bytes_max} bytes")


def _bound(count: int) -> None:
    if count > limits.JSON_LINES_MAX:
        raise TooLarge(
            f"The body has {count} lines; at most {limits.JSON_LINES_MAX} are read in one request.",
            hint="send fewer lines in one request",
        )
