"""Bodies meant to hurt: whatever comes, the answer is never a 5xx, and memory has a bound."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from google.rpc.code_pb2 import Code
from hypothesis import given
from hypothesis import strategies as st

from botwatch import limits
from botwatch.errors import Refused
from botwatch.nouns import Inbox
from botwatch.receive import otlp
from botwatch.receive.app import PATHS
from botwatch.receive.app import app as receivers
from botwatch.receive.door import Door
from botwatch.receive.otlp_http import status_of
from tests.receive.messages import JsonLines, Payloads
from tests.receive.parts import JSON, NDJSON, PROTOBUF, MemoryIntake, field_bytes, options, post

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "receive" / "golden"
WHOLE = [file.read_bytes() for file in sorted(GOLDEN.glob("*.pb"))]
TEXTS = [file.read_bytes() for file in sorted(GOLDEN.glob("*.json"))]
TEXTS += [b'{"message":"a","level":"info","time":"2026-09-21T14:13:20Z","a":{"b":[1,2]}}\n' * 3, b'[{"a":1},{"b":2}]']
READ = {
    Inbox.TRACES: otlp.TRACES.request,
    Inbox.LOGS: otlp.LOGS.request,
    Inbox.POINTS: otlp.POINTS.request,
    Inbox.JSON_LOGS: JsonLines,
    Inbox.PAYLOADS: Payloads,
}


@st.composite
def mutated(draw: st.DrawFn, bodies: list[bytes]) -> bytes:
    """A good body with some bytes changed, put in, taken out, or cut off."""
    body = bytearray(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        what = draw(st.sampled_from(["change", "insert", "delete", "cut", "repeat"]))
        length = draw(st.integers(1, 12))
        if what == "change":
            body[at : at + length] = draw(st.binary(min_size=length, max_size=length))
        elif what == "insert":
            body[at:at] = draw(st.binary(max_size=length))
        elif what == "delete":
            del body[at : at + length]
        elif what == "cut":
            del body[at:]
        else:
            body[at:at] = body[at : at + length]
    return bytes(body)


BODIES = st.binary(max_size=200) | mutated(WHOLE) | mutated(TEXTS) | st.sampled_from(WHOLE + TEXTS)
ENCODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
}


@given(
    path=st.sampled_from(PATHS),
    media_type=st.sampled_from([PROTOBUF, JSON, NDJSON]),
    encoding=st.sampled_from(["", *ENCODE]),
    compressed=st.booleans(),
    body=BODIES,
)
async def test_any_body_is_taken_or_refused_and_what_is_handed_on_can_be_read(
    path: str, media_type: str, encoding: str, body: bytes, *, compressed: bool
) -> None:
    intake = MemoryIntake()
    wire = ENCODE[encoding](body) if encoding and compressed else body
    headers = [("Content-Encoding", encoding)]
    reply = await post(receivers(intake, None, options()), path, wire, media_type, headers=headers, query="source=s")
    assert reply.status in (200, 400, 413, 415)
    counted = sum(intake.refused.values()) + sum(sum(one.rejected.values()) for one in intake.parcels)
    assert reply.status == 200 or counted >= 1
    for parcel in intake.parcels:
        message = READ[parcel.inbox].FromString(parcel.body)
        message.DiscardUnknownFields()
        assert message.SerializeToString() == parcel.body
        assert parcel.items > 0


@given(body=BODIES, signal=st.sampled_from(otlp.SIGNALS))
async def test_any_message_over_grpc_is_taken_or_refused_for_good(body: bytes, signal: otlp.Otlp) -> None:
    """What a call does once its message is read; a call for each example would only be slow."""
    door = Door(MemoryIntake(), None, options())
    code = Code.OK
    try:
        await otlp.take(door, signal, body, as_json=False)
    except Refused as error:
        code, _ = status_of(error)
    assert code in (Code.OK, Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED)


# --- bombs: each is tried in a process of its own, whose largest size is looked at

BOUND = limits.BODY_INFLATED_BYTES_MAX
NEARLY = BOUND - 64


def filled(unit: bytes, size: int = NEARLY) -> bytes:
    return unit * (size // len(unit))


def inside(*numbers: int, unit: bytes, size: int = NEARLY) -> bytes:
    """Many copies of the unit inside nested fields."""
    body = filled(unit, size)
    for number in reversed(numbers):
        body = field_bytes(number, body)
    return body


BOMBS: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "zeros": ("/v1/traces", PROTOBUF, lambda: bytes(BOUND * 4)),
    "resources": ("/v1/traces", PROTOBUF, lambda: filled(b"\x0a\x00")),
    "scopes": ("/v1/logs", PROTOBUF, lambda: inside(1, unit=b"\x12\x00")),
    "spans": ("/v1/traces", PROTOBUF, lambda: inside(1, 2, unit=b"\x12\x00")),
    "attributes": ("/v1/traces", PROTOBUF, lambda: inside(1, 2, 2, unit=b"\x4a\x00")),
    "spans full of events": (
        "/v1/traces",
        PROTOBUF,
        lambda: inside(1, 2, unit=inside(2, unit=b"\x5a\x00", size=limits.MIB)),
    ),
    "records": ("/v1/logs", PROTOBUF, lambda: inside(1, 2, unit=b"\x12\x02\x10\x09", size=3_900_000)),
    "points": ("/v1/metrics", PROTOBUF, lambda: inside(1, 2, unit=inside(2, 9, unit=b"\x0a\x00", size=2 * limits.MIB))),
    "JSON arrays": ("/v1/traces", JSON, lambda: b"[" + filled(b"[],") + b"0]"),
    "JSON depth": ("/v1/metrics", JSON, lambda: filled(b"[")),
    "JSON objects": (
        "/v1/logs",
        JSON,
        lambda: (
            b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + filled(b'{"body":{}},', 12 * 1_590_000) + b"{}]}]}]}"
        ),
    ),
    "JSON paths": (
        "/v1/logs/json",
        NDJSON,
        lambda: filled(b'{"%s":{%s}}\n' % (b"k" * 250, b",".join(b'"%04d":1' % number for number in range(1_000)))),
    ),
    "JSON lines": ("/v1/logs/json", NDJSON, lambda: b"{}\n" * limits.JSON_LINES_MAX),
    "JSON documents": ("/v1/payloads", JSON, lambda: b"[" + filled(b"{},", 3 * 2_600_000) + b"{}]"),
}
SEND = """
import asyncio, sys
from tests.receive.parts import MemoryIntake, options, post
from botwatch.receive.app import app

def largest_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

async def main(path, media_type, encoding, body):
    application = app(MemoryIntake(), None, options())
    await post(application, path, b"", media_type, query="source=s")
    before = largest_kib()
    headers = [("Content-Encoding", encoding)]
    reply = await post(application, path, body, media_type, headers=headers, query="source=s")
    print(reply.status, (largest_kib() - before) // 1024)

asyncio.run(main(*sys.argv[1:], sys.stdin.buffer.read()))
"""
# The inflated body twice, and one parse: of a piece, or of the largest JSON body that is taken.
GROWN_MIB_MAX = {PROTOBUF: 448, JSON: 768, NDJSON: 448}
CASES = [(name, "gzip") for name in BOMBS] + [("zeros", "zstd"), ("spans", "zstd")]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its size from /proc")
@pytest.mark.parametrize(("bomb", "encoding"), CASES)
def test_a_bomb_takes_a_bounded_amount_of_memory(bomb: str, encoding: str) -> None:
    path, media_type, make = BOMBS[bomb]
    body = make()
    wire = zlib_fast(body) if encoding == "gzip" else zstandard.compress(body)
    assert len(wire) * 20 < len(body)
    command = [sys.executable, "-c", SEND, path, media_type, encoding]
    done = subprocess.run(
        command, input=wire, capture_output=True, check=False, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr.decode()
    status, grown_mib = map(int, done.stdout.split())
    assert status in (200, 400, 413)
    assert grown_mib < GROWN_MIB_MAX[media_type]


def zlib_fast(body: bytes) -> bytes:
    stream = zlib.compressobj(1, wbits=31)
    return stream.compress(body) + stream.flush()
