"""Writing the few protobuf fields that are put together by hand.

Two messages are ours, for what does not come as OTLP; parcels of them concatenate, as all do:

    message JsonLines { repeated string line = 1; }
    message Payloads  { repeated Payload payload = 1; }
    message Payload   { string source = 1; string document = 2; bool invalid = 3; string sender = 4;
                        string session = 5; string bot = 6; string version = 7; }

Each line is put into the body as soon as it is made: kept in a list until all are, a request's
lines would take twenty times their bytes, as orjson leaves each in the buffer it was written to.
"""

from __future__ import annotations

_LENGTH_DELIMITED = 2
_INVALID = b"\x18\x01"  # field 3, true


def field(number: int, content: bytes) -> bytes:
    """A field of text, bytes or a message; `number` is below 16."""
    return head(number, len(content)) + content


def head(number: int, length: int) -> bytes:
    """What stands in front of such a field's content."""
    out = bytearray((number << 3 | _LENGTH_DELIMITED,))
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)


def add_line(body: bytearray, line: bytes) -> None:
    body += head(1, len(line))
    body += line


def of_origin(source: str, session: str, bot: str, version: str) -> bytes:
    """The fields that all documents of a request have in common."""
    optional = ((5, session), (6, bot), (7, version))
    return field(1, source.encode()) + b"".join(field(number, text.encode()) for number, text in optional if text)


def add_payload(body: bytearray, origin: bytes, document: bytes) -> None:
    named = origin + head(2, len(document))
    body += head(1, len(named) + len(document))
    body += named
    body += document


def add_invalid(body: bytearray, origin: bytes, text: bytes, sender: bytes) -> None:
    """What was sent for a document and is none, and by whom."""
    told = field(4, sender) if sender else b""
    body += field(1, origin + (field(2, text) if text else b"") + _INVALID + told)
