from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botwatch import limits
from botwatch.errors import InvalidBody, TooLarge
from botwatch.receive import otlp, split
from botwatch.receive.otlp import Otlp
from botwatch.receive.split import Cut
from tests.receive.parts import a_request, attribute, field_bytes, items_of, metric, point, request, span, varint


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of 400 bytes, so that a request need not be large."""
    monkeypatch.setattr(limits, "PIECE_BYTES_MAX", 400)
    monkeypatch.setattr(limits, "ITEM_BYTES_MAX", 800)
    monkeypatch.setattr(split, "_HEAD_BYTES_MAX", 100)


def joined(signal: Otlp, body: bytes) -> Any:
    """The items of all pieces, each piece parsed on its own."""
    return [item for piece in Cut().pieces(body) for item in items_of(signal, signal.request.FromString(piece))]


def test_a_request_of_a_usual_size_is_one_piece_as_it_is() -> None:
    body = a_request(otlp.TRACES, 500).SerializeToString()
    assert list(Cut().pieces(body)) == [body]
    assert list(Cut().pieces(b"not protobuf")) == [b"not protobuf"]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("signal", otlp.SIGNALS)
@pytest.mark.parametrize("count", [1, 7, 60])
def test_pieces_have_all_items_in_their_order_and_each_its_resource(signal: Otlp, count: int) -> None:
    whole = a_request(signal, count)
    whole.MergeFrom(a_request(signal, 2))
    body = whole.SerializeToString()
    assert joined(signal, body) == items_of(signal, whole)
    for piece in Cut().pieces(body):
        assert len(piece) <= 400 + 2 * 100  # two heads
        assert b"service.name" in piece


@pytest.mark.usefixtures("small")
@given(st.lists(st.lists(st.integers(0, 380), max_size=6), max_size=8))
def test_any_mix_of_sizes_comes_back(sizes: list[list[int]]) -> None:
    whole = otlp.TRACES.request()
    for names in sizes:
        whole.MergeFrom(request(otlp.TRACES, *(span(name="n" * size) for size in names)))
    assert joined(otlp.TRACES, whole.SerializeToString()) == items_of(otlp.TRACES, whole)


@pytest.mark.usefixtures("small")
def test_a_field_that_comes_after_the_items_goes_to_every_piece() -> None:
    scope = b"".join(
        field_bytes(2, span_message.SerializeToString())
        for span_message in items_of(otlp.TRACES, a_request(otlp.TRACES, 30))
    )
    resource = items_of_resource()
    body = field_bytes(1, field_bytes(2, scope) + resource + field_bytes(3, b"schema"))
    pieces: list[Any] = [otlp.TRACES.request.FromString(piece) for piece in Cut().pieces(body)]
    assert len(pieces) > 3
    assert {piece.resource_spans[0].schema_url for piece in pieces} == {"schema"}
    assert {len(piece.resource_spans[0].resource.attributes) for piece in pieces} == {1}


def items_of_resource() -> bytes:
    message = request(otlp.TRACES)
    return field_bytes(1, message.resource_spans[0].resource.SerializeToString())


@pytest.mark.usefixtures("small")
def test_a_large_item_is_a_piece_and_one_that_is_too_large_is_left_out_and_counted() -> None:
    whole = request(otlp.TRACES, span(name="a"), span(name="b" * 500), span(name="c" * 900), span(name="d"))
    cut = Cut()
    pieces = list(cut.pieces(whole.SerializeToString()))
    names = [item.name[:1] for piece in pieces for item in items_of(otlp.TRACES, otlp.TRACES.request.FromString(piece))]
    assert (names, cut.oversized) == (["a", "b", "d"], 1)


@pytest.mark.usefixtures("small")
def test_a_metric_is_one_item_however_many_points_it_has() -> None:
    whole = request(otlp.POINTS, metric("gauge", *(point() for _ in range(20))), metric("sum", point()))
    assert joined(otlp.POINTS, whole.SerializeToString()) == items_of(otlp.POINTS, whole)


@pytest.mark.usefixtures("small")
def test_a_resource_that_would_be_copied_into_every_piece_is_bounded() -> None:
    whole = a_request(otlp.TRACES, 20)
    whole.resource_spans[0].resource.attributes.add(**attribute("long", "x" * 100))
    with pytest.raises(TooLarge, match="resource or scope"):
        list(Cut().pieces(whole.SerializeToString()))


@pytest.mark.usefixtures("small")
@given(st.binary(min_size=401, max_size=2_000))
def test_junk_is_refused_or_cut(junk: bytes) -> None:
    with suppress(InvalidBody, TooLarge):
        list(Cut().pieces(junk))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "body",
    [
        b"\x0a" + varint(10_000) + bytes(500),  # longer than the body
        b"\x0b" + bytes(500),  # a group
        b"\xff" * 500,  # a number without an end
        b"\x0a\x80" * 250,
        b"\x09" + bytes(7) + b"\x0a" * 500,
    ],
)
def test_what_is_not_protobuf_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidBody):
        list(Cut().pieces(body))


def test_walking_a_body_ends_after_so_many_parts() -> None:
    tiny = b"\x0a\x00" * (limits.ITEMS_PER_REQUEST_MAX + 1)
    with pytest.raises(TooLarge, match="parts"):
        list(Cut().pieces(tiny + bytes(limits.PIECE_BYTES_MAX)))
