from __future__ import annotations

import pytest
from starlette.types import ASGIApp

from botwatch import limits
from botwatch.nouns import Inbox, Refusal, Signal
from tests.receive.messages import Payloads
from tests.receive.parts import JSON, NDJSON, MemoryIntake, post

PATH = "/v1/payloads"


async def test_documents_are_kept_as_they_were_sent(app: ASGIApp, intake: MemoryIntake) -> None:
    body = b'{"id": 12345678901234567890123, "b":1}\n[1,2]\n'
    reply = await post(app, PATH, body, NDJSON, query="source=order%20feed")
    assert (reply.status, reply.json) == (200, {"accepted": 2, "invalid": 0, "rejected": {}, "errors": []})
    (parcel,) = intake.parcels
    assert (parcel.inbox, parcel.items, parcel.rejected) == (Inbox.PAYLOADS, 2, {})
    assert [(one.source, one.document, one.invalid) for one in Payloads.FromString(parcel.body).payload] == [
        ("order feed", '{"id": 12345678901234567890123, "b":1}', False),
        ("order feed", "[1,2]", False),
    ]


async def test_what_is_no_document_is_kept_as_invalid_with_its_sender(app: ASGIApp, intake: MemoryIntake) -> None:
    """Never counted as refused as well: each line is one item, and this one is stored."""
    long = b"x" * (limits.PAYLOAD_INVALID_BYTES_MAX + 100)
    key = "bw_in_" + "k" * 43
    headers = [("User-Agent", "feeder/2\x07.1"), ("Authorization", f"Bearer {key}")]
    reply = await post(app, PATH, b'{"a":1}\n5\nnope\n{"b":\xff}\n' + long, NDJSON, query="source=s", headers=headers)
    assert (reply.status, reply.json["accepted"], reply.json["invalid"], reply.json["rejected"]) == (200, 1, 4, {})
    assert [error["line"] for error in reply.json["errors"]] == [2, 3, 4, 5]
    (parcel,) = intake.parcels
    assert (parcel.items, parcel.rejected) == (5, {})
    first, *invalid = Payloads.FromString(parcel.body).payload
    assert (first.invalid, first.sender) == (False, "")
    assert [one.document for one in invalid[:3]] == ["5", "nope", '{"b":\ufffd}']
    assert len(invalid[3].document) == limits.PAYLOAD_INVALID_BYTES_MAX
    assert {(one.invalid, one.sender) for one in invalid} == {(True, "bw_in_kkkkkk, feeder/2.1")}


async def test_json_beyond_what_is_usual_is_json(app: ASGIApp, intake: MemoryIntake) -> None:
    """Half surrogates, numbers of any size, a key twice: what the SDK may send as well."""
    lines = [b'{"a":"\\ud800"}', b'{"a":' + b"9" * 6_000 + b"}", b'{"a":1e999}', b'{"a":1,"a":2}']
    reply = await post(app, PATH, b"\n".join([*lines, b'{"a":NaN}']), NDJSON, query="source=s")
    assert (reply.json["accepted"], reply.json["invalid"]) == (4, 1)


async def test_a_broken_document_over_many_lines_is_one(app: ASGIApp, intake: MemoryIntake) -> None:
    body = b'{\n  "a": [\n    1,\n    2\n  ],\n'
    assert (await post(app, PATH, body, JSON, query="source=s")).json["invalid"] == 1
    assert Payloads.FromString(intake.parcels[0].body).payload[0].document == body.decode().strip()
    assert (await post(app, PATH, body, NDJSON, query="source=s")).json["invalid"] == 5


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


async def test_what_is_kept_is_200_whatever_it_is_and_nothing_taken_is_400(app: ASGIApp, intake: MemoryIntake) -> None:
    assert (await post(app, PATH, b"5", NDJSON, query="source=s")).status == 200
    assert [parcel.items for parcel in intake.parcels] == [1]
    large = b'{"a":"%s"}' % (b"x" * limits.PAYLOAD_BYTES_MAX)
    assert (await post(app, PATH, large, NDJSON, query="source=s")).status == 400
    assert intake.refused == {(Signal.PAYLOADS, Refusal.TOO_LARGE): 1}


async def test_a_request_says_of_whom_its_documents_are(app: ASGIApp, intake: MemoryIntake) -> None:
    query = "source=s&session=talk%201&bot=shop&version=2.4.1"
    await post(app, PATH, b'{"a":1}\nnope', NDJSON, query=query)
    for one in Payloads.FromString(intake.parcels[0].body).payload:
        assert (one.source, one.session, one.bot, one.version) == ("s", "talk 1", "shop", "2.4.1")
    for query in ("source=s&session=" + "x" * 201, "source=s&bot=a%0Ab"):
        assert (await post(app, PATH, b"{}", NDJSON, query=query)).status in (400, 422)
    assert len(intake.parcels) == 1
