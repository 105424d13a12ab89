from __future__ import annotations

import pytest
from starlette.types import ASGIApp

from botwatch import limits
from botwatch.nouns import Inbox, Refusal, Signal
from tests.receive.messages import Payloads
from tests.receive.parts import JSON, NDJSON, MemoryIntake, post

PATH = "/v1/payloads"


async def test_documents_are_kept_as_they_were_sent(app: ASGIApp, intake: MemoryIntake) -> None:
    body = b'{"id": 12345678901234567890123, "b":1}\n[1,2]\n5\nnope\n'
    reply = await post(app, PATH, body, NDJSON, query="source=order%20feed")
    assert (reply.status, reply.json["accepted"], reply.json["rejected"]) == (200, 2, {"invalid": 2})
    assert [error["line"] for error in reply.json["errors"]] == [3, 4]
    (parcel,) = intake.parcels
    assert (parcel.inbox, parcel.items, parcel.rejected) == (Inbox.PAYLOADS, 2, {Refusal.INVALID: 2})
    assert [(one.source, one.document) for one in Payloads.FromString(parcel.body).payload] == [
        ("order feed", '{"id": 12345678901234567890123, "b":1}'),
        ("order feed", "[1,2]"),
    ]


async def test_an_array_is_many_documents_and_an_object_over_lines_is_one(app: ASGIApp, intake: MemoryIntake) -> None:
    await post(app, PATH, b'[{"a":1},{"a":2}]', JSON, query="source=s")
    await post(app, PATH, b'{\n  "a": 3\n}\n', JSON, query="source=s")
    joined = Payloads.FromString(b"".join(parcel.body for parcel in intake.parcels)).payload
    assert [one.document for one in joined] == ['{"a":1}', '{"a":2}', '{\n  "a": 3\n}']


@pytest.mark.parametrize(
    "query",
    [
        "",
        "source=",
        "source=%20",
        "source=" + "x" * 201,
        "source=%0A",
        "source=%FF",
        "other=x",
        "&".join(["a=1"] * 100),
    ],
)
async def test_a_source_is_asked_for(app: ASGIApp, intake: MemoryIntake, query: str) -> None:
    reply = await post(app, PATH, b"{}", NDJSON, query=query)
    assert reply.status in (400, 422)
    assert intake.refused == {(Signal.PAYLOADS, Refusal.INVALID): 1}


async def test_equal_documents_are_two_facts_unless_a_key_says_they_are_one(app: ASGIApp, intake: MemoryIntake) -> None:
    for _ in range(2):
        await post(app, PATH, b"{}", NDJSON, query="source=s")
    assert len(intake.parcels) == 2
    for _ in range(2):
        await post(app, PATH, b"{}", NDJSON, query="source=s", headers=[("Idempotency-Key", "k")])
    assert len(intake.parcels) == 3


async def test_a_document_has_a_bound(app: ASGIApp, intake: MemoryIntake) -> None:
    large = b'{"a":"%s"}' % (b"x" * limits.PAYLOAD_BYTES_MAX)
    reply = await post(app, PATH, large + b'\n{"a":1}', NDJSON, query="source=s")
    assert (reply.json["accepted"], reply.json["rejected"]) == (1, {"too_large": 1})


async def test_nothing_taken_is_400(app: ASGIApp) -> None:
    assert (await post(app, PATH, b"5", NDJSON, query="source=s")).status == 400
