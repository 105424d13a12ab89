"""A document is held against a model, a schema or a function: what does not fit is counted, and the bot goes on."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pydantic
import pytest

import botwatch_sdk as bot
from botwatch_sdk.testing import Seen


class Incoming(pydantic.BaseModel):
    id: str
    sender: str
    text: str
    category: str | None = None


GOOD = '{"id": "msg1", "sender": "ann", "text": "Hello", "category": "greeting"}'
MOVED = '{"id": "msg2", "sender": "bob", "text": "Billing question", "details": {"topic": "billing"}}'
SCHEMA = {"type": "object", "required": ["category"], "properties": {"category": {"type": "string"}}}


def counts(seen: Seen, metric: str) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for labels, count in seen._captured.counters.tally.counts(f"bot.payload.{metric}").items():
        counted[labels[0][1]] += count
    return dict(counted)


def invalid(seen: Seen) -> list[dict[str, Any]]:
    return [dict(event.attributes) for event in seen.events if event.name == "bot.payload.invalid"]


def test_what_fits_is_handed_on_as_the_model(seen: Seen) -> None:
    found = bot.checked("tickets", Incoming, GOOD)
    assert found is not None
    assert found.category == "greeting"
    assert (counts(seen, "checked"), counts(seen, "schema_failures")) == ({"tickets": 1}, {"tickets": 0})
    assert invalid(seen) == []


def test_an_optional_field_that_moved_fits_the_model_and_not_the_schema(seen: Seen) -> None:
    """Why drift is looked for as well: the model says nothing."""
    assert bot.checked("tickets", Incoming, MOVED) is not None
    pytest.importorskip("jsonschema")
    assert bot.checked("tickets", SCHEMA, MOVED) is None
    assert counts(seen, "schema_failures") == {"tickets": 1}


def test_failures_are_counted_by_their_place_and_reason(seen: Seen) -> None:
    """Elements of an array are one place, a key that is data is `*`, and what is missing is named."""
    pytest.importorskip("jsonschema")
    items = {"type": "array", "items": {"required": ["id", "kind"]}}
    schema = {"properties": {"items": items, "by": {"additionalProperties": {"type": "string"}}}}
    for document in ({"items": [{"id": 1, "kind": 2}, {"id": 3}]}, {"items": [{"id": 4}]}, {"by": {"user99812": 7}}):
        assert bot.checked("orders", schema, document) is None
    found = seen._captured.counters.tally.counts("bot.payload.schema_failures")
    told = {dict(labels).get("bot.payload.path"): count for labels, count in found.items() if count}
    assert told == {"items[].kind": 2, "by.*": 1}


def test_what_does_not_fit_is_told_by_its_place_and_never_by_its_value(seen: Seen) -> None:
    assert bot.checked("tickets", Incoming, {"id": "x", "sender": {"name": "secret"}, "text": "t"}) is None
    assert counts(seen, "schema_failures") == {"tickets": 1}
    (told,) = invalid(seen)
    assert told == {
        "bot.payload.source": "tickets",
        "bot.payload.fault": "schema",
        "bot.payload.path": "sender",
        "bot.payload.misfit": "string_type",
    }
    assert "secret" not in str(seen.events)


@pytest.mark.parametrize("text", ["{", b"\xff\xfe", "[" * 100_000, ""])
def test_what_is_no_json_is_counted_apart(seen: Seen, text: str | bytes) -> None:
    assert bot.checked("tickets", Incoming, text) is None
    assert (counts(seen, "invalid_json"), counts(seen, "schema_failures")) == ({"tickets": 1}, {"tickets": 0})
    assert invalid(seen)[0]["bot.payload.fault"] == "json"


def test_any_function_can_say_no(seen: Seen) -> None:
    assert bot.checked("orders", lambda document: document["total"] + 1, {"total": 4}) == 5
    assert bot.checked("orders", lambda document: document["total"], {}) is None
    assert invalid(seen)[0]["bot.payload.misfit"] == "KeyError"


def test_without_init_it_still_checks() -> None:
    assert bot.checked("tickets", Incoming, "{") is None
    assert bot.checked("tickets", Incoming, GOOD) is not None


def test_an_error_that_hides_itself_does_not_reach_the_bot(seen: Seen) -> None:
    class Sly(ValueError):
        def errors(self) -> list[dict[str, Any]]:
            raise RuntimeError

    def fails(_: object) -> None:
        raise Sly

    assert bot.checked("orders", fails, {}) is None
    assert invalid(seen)[0]["bot.payload.misfit"] == "Sly"
