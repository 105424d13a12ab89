"""Incoming documents as they are: `POST /v1/payloads?source=NAME`.

A document is a JSON object or array and is kept as the text it came as. It has no time of its own,
so that two equal bodies are two facts, unless the sender says with Idempotency-Key that they are one.
"""

from __future__ import annotations

from botwatch import limits
from botwatch.errors import BadRequest, BotwatchError
from botwatch.nouns import Inbox, Parcel, Refusal, Signal
from botwatch.receive.door import Door, digest
from botwatch.receive.http import Answer, Head
from botwatch.receive.lines import MEDIA_TYPES, Bad, Document, Sheet, documents, idempotency_key, refusal
from botwatch.receive.wire import add_payload


class PayloadsEndpoint:
    path = "/v1/payloads"
    media_types = MEDIA_TYPES
    signal: Signal = Signal.PAYLOADS

    def __init__(self, door: Door) -> None:
        self._door = door

    async def take(self, head: Head, body: bytes) -> Answer:
        with self._door.counting(self.signal):
            source = source_in(head)
            key = idempotency_key(head)
            mark = (b"body", source.encode(), body) if key is None else key
            keyed = key is not None
            sheet, parcel = await self._door.check(
                len(body), limits.JSON_CHECK_INLINE_BYTES_MAX, lambda: parcel_of(body, source, mark, keyed=keyed)
            )
        await self._door.put(parcel)
        return sheet.answer()

    def refusal(self, head: Head, error: BotwatchError) -> Answer:
        return refusal(error)


def source_in(head: Head) -> str:
    source = head.parameter("source").strip()
    if not source or len(source) > limits.PAYLOAD_SOURCE_CHARS_MAX or not source.isprintable():
        raise BadRequest(
            f"source: expected a name of 1 to {limits.PAYLOAD_SOURCE_CHARS_MAX} printable characters, "
            f"found {len(source)}.",
            hint="say where the documents come from: POST /v1/payloads?source=NAME",
        )
    return source


def parcel_of(body: bytes, source: str, mark: tuple[bytes, ...], *, keyed: bool) -> tuple[Sheet, Parcel]:
    sheet = Sheet()
    name = source.encode()
    payloads = bytearray()
    for document in documents(body, limits.PAYLOAD_BYTES_MAX):
        if isinstance(document, Bad):
            sheet.refuse(document)
        elif not isinstance(document.value, dict | list):
            sheet.refuse(_not_a_document(document))
        else:
            add_payload(payloads, name, document.text)
            sheet.accepted += 1
    parcel = Parcel(
        inbox=Inbox.PAYLOADS,
        body=bytes(payloads),
        items=sheet.accepted,
        digest=digest(Inbox.PAYLOADS, *mark),
        dedup=keyed,
        rejected=dict(sheet.rejected),
    )
    return sheet, parcel


def _not_a_document(document: Document) -> Bad:
    return Bad(document.line, Refusal.INVALID, "expected a JSON object or array")
