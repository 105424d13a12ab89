"""Looks for bodies that break a receiver, led by the code they reach: `python -m tests.receive.fuzz CORPUS -runs=N`.

The first byte chooses the way in. A body is taken or refused; anything else ends the run with the body that did
it. What is handed on must be readable by whoever reads it next.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["botwatch.receive"]):
    from botwatch.errors import Refused
    from botwatch.nouns import Parcel
    from botwatch.receive import body, json_logs, otlp, payloads
    from botwatch.receive.otlp import LOGS, POINTS, TRACES

from tests.receive.messages import JsonLines, Payloads
from tests.receive.parts import terms

GOLDEN = Path(__file__).parent / "golden"
TERMS = terms()
Way = Callable[[bytes], object]


def _otlp(signal: otlp.Otlp, *, as_json: bool) -> Way:
    def take(data: bytes) -> object:
        parcel, _ = otlp.parcel_of(signal, data, TERMS, as_json=as_json)
        return signal.request.FromString(parcel.body)

    return take


def _json_logs(data: bytes) -> object:
    return JsonLines.FromString(_parcel(json_logs.parcel_of(data, TERMS, (b"", data), keyed=False)))


def _payloads(data: bytes) -> object:
    return Payloads.FromString(
        _parcel(payloads.parcel_of(data, payloads.Origin("fuzz", whole=True), (b"", data), keyed=False))
    )


def _parcel(made: tuple[object, Parcel]) -> bytes:
    return made[1].body


WAYS: Sequence[Way] = (
    *(_otlp(signal, as_json=as_json) for signal in (TRACES, LOGS, POINTS) for as_json in (False, True)),
    _json_logs,
    _payloads,
    *(lambda data, encoding=encoding: body.inflate(data, encoding) for encoding in ("gzip", "deflate", "zstd")),
)


def take(data: bytes) -> None:
    if not data:
        return
    with contextlib.suppress(Refused):
        WAYS[data[0] % len(WAYS)](data[1:])


def seeds(folder: Path) -> None:
    """The good bodies, for every way that might take them."""
    for place, file in enumerate(sorted(GOLDEN.iterdir())):
        for way in range(len(WAYS)):
            (folder / f"{place}-{way}").write_bytes(bytes([way]) + file.read_bytes())


if __name__ == "__main__":
    seeds(Path(sys.argv[1]))
    atheris.Setup(sys.argv, take)
    atheris.Fuzz()
