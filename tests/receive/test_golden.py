"""Bytes that do not change: what they become behind the door must not change either."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.types import ASGIApp

from botwatch.receive import otlp
from botwatch.receive.otlp import Otlp
from tests.receive.parts import JSON, PROTOBUF, MemoryIntake, items_of, post

GOLDEN = Path(__file__).parent / "golden"
CASES = [(otlp.TRACES, "traces", 2), (otlp.LOGS, "logs", 2), (otlp.POINTS, "metrics", 7)]


@pytest.mark.parametrize(("signal", "name", "items"), CASES)
async def test_golden_protobuf_is_handed_on_byte_for_byte(
    app: ASGIApp, intake: MemoryIntake, signal: Otlp, name: str, items: int
) -> None:
    body = (GOLDEN / f"{name}.pb").read_bytes()
    reply = await post(app, signal.path, body, PROTOBUF)
    assert (reply.status, reply.body) == (200, b"")
    assert (intake.parcels[0].items, intake.parcels[0].body) == (items, body)


@pytest.mark.parametrize(("signal", "name", "items"), CASES)
async def test_golden_json_becomes_the_same_bytes(
    app: ASGIApp, intake: MemoryIntake, signal: Otlp, name: str, items: int
) -> None:
    reply = await post(app, signal.path, (GOLDEN / f"{name}.json").read_bytes(), JSON)
    assert (reply.status, reply.body) == (200, b"{}")
    assert (intake.parcels[0].items, intake.parcels[0].body) == (items, (GOLDEN / f"{name}.pb").read_bytes())
    assert items_of(signal, intake.messages(signal))
