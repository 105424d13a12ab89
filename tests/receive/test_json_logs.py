from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp

from botwatch import limits
from botwatch.nouns import Inbox, Refusal, Signal
from botwatch.receive import json_logs
from botwatch.receive.app import app as receivers
from botwatch.receive.json_logs import Line, canonical
from botwatch.receive.lines import Bad, Document
from tests.receive.messages import JsonLines
from tests.receive.parts import NDJSON, NOW_NS, MemoryIntake, OneKey, options, post, terms

PATH = "/v1/logs/json"
TIME = "2026-09-21T14:13:20Z"
EMPTY = {
    "t": str(NOW_NS),
    "level": "info",
    "severity": 9,
    "bot": "",
    "host": "",
    "event": "",
    "body": "",
    "session": "",
    "user": "",
    "channel": "",
    "correlation": "",
    "trace": "",
    "span": "",
    "attributes": {},
}


def made(line: Any) -> Any:
    found = canonical(Document(1, line, b""), terms(Signal.LOGS))
    assert isinstance(found, Line), found
    return orjson.loads(found.text)


def refused(line: Any) -> Bad:
    found = canonical(Document(1, line, b""), terms(Signal.LOGS))
    assert isinstance(found, Bad), found
    return found


def test_every_key_is_always_there() -> None:
    assert made({}) == EMPTY
    assert list(made({})) == list(EMPTY)


@pytest.mark.parametrize(
    ("fact", "names"), [(fact, names) for fact, names in json_logs._FIELDS.items() if fact not in ("time", "level")]
)
def test_each_name_of_a_fact_is_read(fact: str, names: tuple[str, ...]) -> None:
    text = {"trace": "ab" * 16, "span": "cd" * 8}.get(fact, "some text")
    for name in names:
        assert made({name: text}) == EMPTY | {fact: text}
        first, _, rest = name.partition(".")
        if rest:
            assert made({first: {rest: text}}) == EMPTY | {fact: text}


@pytest.mark.parametrize("name", ["timestamp", "time", "ts", "@timestamp"])
def test_each_name_of_the_time_is_read(name: str) -> None:
    assert made({name: "2026-09-21T14:13:21.000000001Z"}) == EMPTY | {"t": str(NOW_NS + 10**9 + 1)}


@pytest.mark.parametrize("name", ["level", "severity", "levelname", "log.level"])
def test_each_name_of_the_level_is_read(name: str) -> None:
    assert made({name: "WARN"}) == EMPTY | {"level": "warn", "severity": 13}


def test_the_first_name_wins_and_the_others_are_kept_as_attributes() -> None:
    line = made({"msg": "second", "body": 3, "message": "first", "service": "s", "bot": "b"})
    assert (line["body"], line["bot"]) == ("first", "b")
    assert line["attributes"] == {"msg": "second", "body": "3", "service": "s"}


def test_an_empty_field_does_not_win() -> None:
    assert made({"message": "", "msg": None, "body": "text"}) == EMPTY | {"body": "text"}


def test_all_other_fields_are_kept_under_their_dotted_paths() -> None:
    line = {"a": {"b": {"c": 1}, "d": "x"}, "list": [1, {"x": None}], "no": False, "null": None, "big": 1e30, "e": {}}
    assert made(line)["attributes"] == {
        "a.b.c": "1",
        "a.d": "x",
        "list": '[1,{"x":null}]',
        "no": "false",
        "null": "null",
        "big": "1e+30",
        "e": "{}",
    }


def test_a_structured_message_is_kept_whole() -> None:
    assert made({"message": {"a": {"b": 1}}}) == EMPTY | {"body": '{"a":{"b":1}}'}


def test_an_unknown_level_is_info_and_its_word_is_kept() -> None:
    assert made({"level": "LOUD"}) == EMPTY | {"attributes": {"level": "LOUD"}}


@pytest.mark.parametrize("bad", ["xyz", "ab" * 15, "0" * 32, 7])
def test_an_id_that_is_none_stays_as_an_attribute(bad: Any) -> None:
    line = made({"trace_id": bad, "span_id": "AB" * 8})
    assert (line["trace"], line["span"], line["attributes"]) == ("", "ab" * 8, {"trace_id": str(bad)})


@pytest.mark.parametrize("line", [[], 5, "text", None, True], ids=repr)
def test_a_line_that_is_no_object_is_refused(line: Any) -> None:
    assert refused(line).reason is Refusal.INVALID


@pytest.mark.parametrize("time", ["yesterday", True, {}, [1]], ids=repr)
def test_a_time_that_is_none_is_refused_by_its_field(time: Any) -> None:
    bad = refused({"ts": time}) if time != {} else refused({"ts": [{}]})
    assert (bad.reason, bad.message.partition(":")[0]) == (Refusal.INVALID, "ts")


@pytest.mark.parametrize("time", [0, -1, "1999-01-01", "2026-09-23T14:13:20Z", 2**63, 1e300], ids=repr)
def test_a_time_that_is_not_kept_is_refused(time: Any) -> None:
    assert refused({"time": time}).reason is Refusal.CLOCK


def test_nesting_is_flattened_so_far_and_then_kept_as_text() -> None:
    deep: Any = "end"
    for _ in range(200):
        deep = {"level_of_nesting": deep}
    (path, text), *others = made({"a": deep})["attributes"].items()
    assert others == []
    assert len(path) <= limits.JSON_FLAT_PATH_CHARS_MAX + 20
    assert path.startswith("a.level_of_nesting.")
    assert orjson.loads(text)


def test_a_long_path_does_not_multiply_a_line() -> None:
    line = {"k" * 10_000: {str(number): 1 for number in range(1_000)}}
    assert len(orjson.dumps(made(line))) < 2 * len(orjson.dumps(line))


def test_many_nested_fields_are_kept_whole() -> None:
    many = {str(number): number for number in range(limits.JSON_FLAT_FIELDS_MAX + 1)}
    few = dict(list(many.items())[1:])
    assert made({"x": many})["attributes"] == {"x": orjson.dumps(many).decode()}
    assert len(made({"x": few})["attributes"]) == limits.JSON_FLAT_FIELDS_MAX


# --- over HTTP


async def test_lines_are_taken_and_the_bad_ones_told_by_number(app: ASGIApp, intake: MemoryIntake) -> None:
    body = b'{"message":"a","time":"%s"}\nnope\n{"time":"1999-01-01"}\n[]\n{"message":"b","ts":"%s"}\n' % (
        (TIME.encode(),) * 2
    )
    reply = await post(app, PATH, body, NDJSON)
    assert reply.status == 200
    assert reply.json["accepted"] == 2
    assert reply.json["rejected"] == {"invalid": 2, "clock": 1}
    assert [error["line"] for error in reply.json["errors"]] == [2, 3, 4]
    (parcel,) = intake.parcels
    assert (parcel.inbox, parcel.items, parcel.dedup) == (Inbox.JSON_LOGS, 2, True)
    assert parcel.rejected == {Refusal.INVALID: 2, Refusal.CLOCK: 1}
    lines = JsonLines.FromString(parcel.body).line
    assert [orjson.loads(line)["body"] for line in lines] == ["a", "b"]


async def test_parcels_concatenate(app: ASGIApp, intake: MemoryIntake) -> None:
    for text in (b"a", b"b"):
        await post(app, PATH, b'{"msg":"%s","time":"%s"}' % (text, TIME.encode()), NDJSON)
    lines = JsonLines.FromString(b"".join(parcel.body for parcel in intake.parcels)).line
    assert [orjson.loads(line)["body"] for line in lines] == ["a", "b"]


async def test_nothing_taken_is_400_with_the_same_answer(app: ASGIApp, intake: MemoryIntake) -> None:
    reply = await post(app, PATH, b"<xml/>\n<more/>", NDJSON)
    assert (reply.status, reply.json["accepted"], reply.json["rejected"]) == (400, 0, {"invalid": 2})
    assert (intake.parcels, intake.refused) == ([], {(Signal.LOGS, Refusal.INVALID): 2})


async def test_an_empty_body_is_fine(app: ASGIApp, intake: MemoryIntake) -> None:
    reply = await post(app, PATH, b"", NDJSON)
    assert (reply.status, reply.json) == (200, {"accepted": 0, "rejected": {}, "errors": []})
    assert intake.parcels == []


async def test_only_the_first_errors_are_shown_and_all_are_counted(app: ASGIApp) -> None:
    reply = await post(app, PATH, b"x\n" * 1_000, NDJSON)
    assert len(reply.json["errors"]) == limits.LINE_ERRORS_TOLD_MAX
    assert reply.json["rejected"] == {"invalid": 1_000}


@pytest.mark.parametrize(
    ("lines", "key", "dedup"),
    [
        ([{"time": TIME}], "", True),
        ([{"time": TIME}, {}], "", False),
        ([{}], "", False),
        ([{}], "7f1c", True),
    ],
)
async def test_equal_bodies_are_one_only_when_they_tell_their_times_or_a_key(
    app: ASGIApp, intake: MemoryIntake, lines: list[dict[str, str]], key: str, *, dedup: bool
) -> None:
    body = b"\n".join(map(orjson.dumps, lines))
    for _ in range(2):
        assert (await post(app, PATH, body, NDJSON, headers=[("Idempotency-Key", key)])).status == 200
    assert len(intake.parcels) == (1 if dedup else 2)
    assert intake.parcels[0].dedup is dedup


async def test_a_key_stands_for_the_body_and_belongs_to_its_sender(intake: MemoryIntake) -> None:
    async def send(token: str, body: bytes, key: str) -> None:
        app = receivers(intake, OneKey(token), options())
        headers = [("Authorization", f"Bearer {token}"), ("Idempotency-Key", key)]
        assert (await post(app, PATH, body, NDJSON, headers=headers)).status == 200

    await send("one", b'{"msg":"a"}', "k1")
    await send("one", b'{"msg":"b"}', "k1")
    assert len(intake.parcels) == 1
    await send("two", b'{"msg":"a"}', "k1")
    await send("one", b'{"msg":"a"}', "k2")
    assert len(intake.parcels) == 3


async def test_a_key_has_a_bound(app: ASGIApp) -> None:
    reply = await post(app, PATH, b"{}", NDJSON, headers=[("Idempotency-Key", "k" * 257)])
    assert (reply.status, reply.json["error"]["code"]) == (422, "bad_request")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_what_a_web_page_may_send_unasked_is_not_taken(app: ASGIApp, media_type: str | None) -> None:
    reply = await post(app, PATH, b"{}", media_type)
    assert (reply.status, reply.json["error"]["code"]) == (415, "unsupported_media_type")
    assert "application/x-ndjson" in reply.json["error"]["hint"]


async def test_what_lines_grow_to_is_bounded(
    app: ASGIApp, intake: MemoryIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "JSON_CANONICAL_BYTES_MAX", 1_000)
    reply = await post(app, PATH, b"{}\n" * 10, NDJSON)
    assert reply.json["accepted"] == intake.parcels[0].items == 6
    assert reply.json["rejected"] == {"too_large": 4}


KEYS = st.sampled_from([*json_logs._FACT_OF, "a", "a.b", "", "bot", "message"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_object_has_the_canonical_form_or_is_refused(line: dict[str, Any]) -> None:
    found = canonical(Document(1, line, b""), terms(Signal.LOGS))
    if isinstance(found, Line):
        form = orjson.loads(found.text)
        assert list(form) == list(EMPTY)
        assert {type(form[name]) for name in EMPTY if name not in ("severity", "attributes")} == {str}
        assert {type(text) for text in form["attributes"].values()} <= {str}
