"""OTLP over HTTP. Sections are those of the OTLP specification, "OTLP/HTTP".

- Request: POST, protobuf (`application/x-protobuf`) or JSON (`application/json`).
- Response: the same content type as the request; 200 with an empty message when all was taken, with
  `partial_success` when something was left out ("Full Success", "Partial Success").
- Failures: a `google.rpc.Status` in the same content type; 400 says do not retry, 429 and 503 say
  retry, with Retry-After ("Failures", "Bad Data", "OTLP/HTTP Throttling").
"""

from __future__ import annotations

import orjson
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

from botwatch import errors
from botwatch.nouns import Signal
from botwatch.receive import otlp
from botwatch.receive.door import Door
from botwatch.receive.http import Answer, Head, headers_of
from botwatch.receive.otlp import Otlp, Taken

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
MEDIA_TYPES = (PROTOBUF, JSON, "application/protobuf")  # the last by some senders


class OtlpEndpoint:
    """One path of OTLP/HTTP."""

    def __init__(self, door: Door, signal: Otlp) -> None:
        self.door = door
        self.otlp = signal
        self.signal: Signal = signal.inbox.signal
        self.media_types = MEDIA_TYPES
        self.path = signal.path

    async def take(self, head: Head, body: bytes) -> Answer:
        as_json = head.media_type == JSON
        taken = await otlp.take(self.door, self.otlp, body, as_json=as_json)
        return Answer(200, head.media_type, response(self.otlp, taken, as_json=as_json))

    def refusal(self, head: Head, error: errors.BotwatchError) -> Answer:
        """In the content type of the request, or in JSON where that is none of ours."""
        code, message = status_of(error)
        if head.media_type in MEDIA_TYPES and head.media_type != JSON:
            body = Status(code=code, message=message).SerializeToString()
            return Answer(error.status, head.media_type, body, headers_of(error))
        return Answer(error.status, JSON, orjson.dumps({"code": code, "message": message}), headers_of(error))


def response(signal: Otlp, taken: Taken, *, as_json: bool) -> bytes:
    """An Export…ServiceResponse. "Full Success": `partial_success` must not be set."""
    if taken is otlp.ALL_TAKEN:
        return b"{}" if as_json else b""
    if as_json:
        first, *rest = signal.rejected_field.split("_")
        name = first + "".join(map(str.capitalize, rest))
        partial = {"errorMessage": taken.message}
        if taken.rejected:
            partial[name] = str(taken.rejected)  # protobuf's JSON writes 64-bit integers as strings
        return orjson.dumps({"partialSuccess": partial})
    partial_success = {signal.rejected_field: taken.rejected, "error_message": taken.message}
    return signal.response(partial_success=partial_success).SerializeToString()


def status_of(error: errors.BotwatchError) -> tuple[Code, str]:
    """The code and message of a `google.rpc.Status`; the same over gRPC."""
    message = error.message if error.hint is None else f"{error.message} To do: {error.hint}."
    return next((code for kind, code in _CODES if isinstance(error, kind)), Code.UNAVAILABLE), message


_CODES: tuple[tuple[type[errors.BotwatchError], Code], ...] = (
    (errors.SpoolFull, Code.RESOURCE_EXHAUSTED),
    (errors.TryAgain, Code.UNAVAILABLE),
    (errors.Unauthorised, Code.UNAUTHENTICATED),
    (errors.Forbidden, Code.PERMISSION_DENIED),
    (errors.TooLarge, Code.RESOURCE_EXHAUSTED),
    (errors.TooSlow, Code.DEADLINE_EXCEEDED),
    (errors.WrongMethod, Code.UNIMPLEMENTED),
    (errors.Refused, Code.INVALID_ARGUMENT),
)
