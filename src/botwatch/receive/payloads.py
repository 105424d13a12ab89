"""Incoming documents as they are: `POST /v1/payloads?source=NAME`, and `&session=`, `&bot=`, `&version=` where known.

A document is a JSON object or array and is kept as the text it came as. What is none is kept too, as the beginning of
its text, marked invalid: that such a thing came is what somebody has to see. A document has no time of its own, so that
two equal bodies are two facts, unless the sender says with Idempotency-Key that they are one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from botwatch import limits
from botwatch.errors import BadRequest, BotwatchError
from botwatch.nouns import Inbox, Parcel, Refusal, Signal
from botwatch.receive.door import Door, digest
from botwatch.receive.http import Answer, Head
from botwatch.receive.keys import token_in
from botwatch.receive.lines import JSON, MEDIA_TYPES, Bad, Document, Sheet, documents, idempotency_key, refusal
from botwatch.receive.wire import add_invalid, add_payload, of_origin
from botwatch.state.secrets import shown


class PayloadsEndpoint:
    path = "/v1/payloads"
    media_types = MEDIA_TYPES
    signal: Signal = Signal.PAYLOADS

    def __init__(self, door: Door) -> None:
        self._door = door

    async def take(self, head: Head, body: bytes) -> Answer:
        with self._door.counting(self.signal):
            origin = origin_of(head)
            key = idempotency_key(head)
            mark = (b"body", origin.fields, body) if key is None else key
            keyed = key is not None
            sheet, parcel = await self._door.check(
                len(body), limits.JSON_CHECK_INLINE_BYTES_MAX, lambda: parcel_of(body, origin, mark, keyed=keyed)
            )
        await self._door.put(parcel)
        return sheet.answer()

    def refusal(self, head: Head, error: BotwatchError) -> Answer:
        return refusal(error)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where documents come from. `whole`: the body was said to be JSON, not lines of it."""

    source: str
    sender: str = ""
    whole: bool = False
    session: str = ""  # of the conversation all of them belong to
    bot: str = ""  # that takes them
    version: str = ""  # of that bot

    @property
    def fields(self) -> bytes:
        return of_origin(self.source, self.session, self.bot, self.version)


def origin_of(head: Head) -> Origin:
    said = {name: optional_in(head, name) for name in ("session", "bot", "version")}
    return Origin(source_in(head), sender_of(head), head.media_type == JSON, **said)


def optional_in(head: Head, name: str) -> str:
    text = head.parameter(name).strip()
    if len(text) > limits.PAYLOAD_SOURCE_CHARS_MAX or not text.isprintable():
        raise BadRequest(
            f"{name}: expected at most {limits.PAYLOAD_SOURCE_CHARS_MAX} printable characters, found {len(text)}.",
            hint=f"leave it out where the documents of a request are of no one {name}",
        )
    return text


def source_in(head: Head) -> str:
    source = head.parameter("source").strip()
    if not source or len(source) > limits.PAYLOAD_SOURCE_CHARS_MAX or not source.isprintable():
        raise BadRequest(
            f"source: expected a name of 1 to {limits.PAYLOAD_SOURCE_CHARS_MAX} printable characters, "
            f"found {len(source)}.",
            hint="say where the documents come from: POST /v1/payloads?source=NAME",
        )
    return source


def sender_of(head: Head) -> str:
    """Whose key it is, as keys are listed, and what program it says it is."""
    agent = "".join(char for char in head.agent if char.isprintable())[: limits.LABEL_CHARS_MAX]
    return ", ".join(filter(None, (shown(token_in(head.authorization) or ""), agent)))


def parcel_of(body: bytes, origin: Origin, mark: tuple[bytes, ...], *, keyed: bool) -> tuple[Sheet, Parcel]:
    sheet = Sheet(invalid=0)
    fields, sender = origin.fields, origin.sender.encode()
    payloads = bytearray()
    for found in _read(body, whole=origin.whole):
        if isinstance(found, Document):
            add_payload(payloads, fields, found.text)
            sheet.accepted += 1
        elif found.reason is Refusal.INVALID:
            add_invalid(payloads, fields, _beginning(found.text), sender)
            sheet.keep(found)
        else:
            sheet.refuse(found)
    parcel = Parcel(
        inbox=Inbox.PAYLOADS,
        body=bytes(payloads),
        items=sheet.accepted + (sheet.invalid or 0),
        digest=digest(Inbox.PAYLOADS, *mark),
        dedup=keyed,
        rejected=dict(sheet.rejected),
    )
    return sheet, parcel


def _read(body: bytes, *, whole: bool) -> Iterator[Document | Bad]:
    """A body that was to be one document and cannot be read is one that is invalid, however many lines it has."""
    invalid: list[Bad] = []
    read = False
    for found in map(_document, documents(body, limits.PAYLOAD_BYTES_MAX)):
        if whole and not read and isinstance(found, Bad) and found.reason is Refusal.INVALID:
            invalid.append(found)
            continue
        if not read and isinstance(found, Document):
            read = True
            yield from invalid
            invalid = []
        yield found
    if len(invalid) > 1:
        yield invalid[0]._replace(text=body.strip()[: limits.PAYLOAD_INVALID_BYTES_MAX])
    else:
        yield from invalid


def _document(found: Document | Bad) -> Document | Bad:
    """JSON may hold numbers of any size and half of a surrogate pair; a document is an object or an array."""
    if isinstance(found, Bad):
        if found.reason is not Refusal.INVALID or found.text[:1] not in (b"{", b"["):
            return found
        try:
            value = json.loads(found.text.decode(), parse_constant=_no_constant, parse_int=str, parse_float=str)
        except (ValueError, RecursionError):
            return found
        return Document(found.line, value, found.text)
    if isinstance(found.value, dict | list):
        return found
    return Bad(found.line, Refusal.INVALID, "expected a JSON object or array", found.text)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _beginning(text: bytes) -> bytes:
    return text[: limits.PAYLOAD_INVALID_BYTES_MAX].decode("utf-8", "replace").encode()
