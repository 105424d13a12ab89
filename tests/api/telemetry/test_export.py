"""Lists and measures as files: the same rows, the same rights, and nothing that a spreadsheet would obey."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI

from botwatch import limits
from botwatch.api.context import Context
from botwatch.api.shapes_telemetry import LogItem
from botwatch.reports.tables import CsvWriter, Format, JsonWriter, ParquetWriter, columns_of, safe
from botwatch.state import tokens
from botwatch.state.people import OPERATOR
from tests.api.conftest import NOW_NS, Secrets, bearer, error_of
from tests.api.telemetry.conftest import Asker, Bots, hexed, trace

EVIL = '=HYPERLINK("http://evil.example","click")'
MANY = 1_203


async def read(asker: Asker, table: str, format: str, **params: Any) -> httpx.Response:
    response = await asker.response(f"/api/export/{table}", format=format, **params)
    assert response.status_code == 200, response.text
    return response


def rows_of(response: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.text)))


@pytest.fixture
def logs(bots: Bots) -> None:
    bots.logs(*({"ago": 10 + number, "body": f"line {number}", "level": "warn"} for number in range(MANY)))


async def test_every_row_of_every_page_is_there_once_in_each_format(admin: Asker, logs: None) -> None:
    wanted = [f"line {number}" for number in range(MANY)]
    as_csv = await read(admin, "logs", "csv", period="1h")
    assert [row["text"] for row in rows_of(as_csv)] == wanted
    assert as_csv.headers["x-rows"] == str(MANY)
    assert as_csv.headers["content-type"].startswith("text/csv")
    assert 'filename="botwatch-logs-20270115-0800.csv"' in as_csv.headers["content-disposition"]
    as_json = await read(admin, "logs", "json", period="1h")
    assert [row["text"] for row in as_json.json()] == wanted
    assert as_json.text.count("\n") == MANY + 2
    as_parquet = pq.read_table(io.BytesIO((await read(admin, "logs", "parquet", period="1h")).content))
    assert as_parquet["text"].to_pylist() == wanted
    assert str(as_parquet.schema.field("at").type) == "timestamp[us, tz=UTC]"
    assert str(as_parquet.schema.field("severity").type) == "int64"


async def test_an_export_is_what_the_list_says(admin: Asker, bots: Bots) -> None:
    bots.log(60, "the carrier did not answer", level="error", attributes={"order": "ORD-1"}, trace_id=trace(1))
    bots.log(50, "fine", bot="other")
    listed = (await admin.get("/api/logs", bot="shop", level="error"))["items"]
    assert (await read(admin, "logs", "json", bot="shop", level="error")).json() == listed
    (row,) = rows_of(await read(admin, "logs", "csv", bot="shop", level="error"))
    assert json.loads(row["attributes"]) == {"order": "ORD-1"}
    assert (row["trace_id"], row["session_id"]) == (hexed(trace(1)), "")


async def test_what_is_hostile_is_text_in_a_spreadsheet(admin: Asker, bots: Bots) -> None:
    for number, text in enumerate((EVIL, "+1", "-1", "@SUM(A1)", "\tx", "\uff1d1", "  =1", "a\x1b[31m", "fine")):
        bots.log(60 - number, text)
    told = [row["text"] for row in rows_of(await read(admin, "logs", "csv", period="1h"))]
    assert list(reversed(told)) == [
        f"'{EVIL}", "'+1", "'-1", "'@SUM(A1)", "'\tx", "'\uff1d1", "'  =1", "a\ufffd[31m", "fine",
    ]  # fmt: skip
    assert EVIL in [row["text"] for row in (await read(admin, "logs", "json", period="1h")).json()]


async def test_who_may_not_see_users_exports_none(admin: Asker, monitor: Asker, bots: Bots) -> None:
    bots.talk("s1", 60, user="+5511999888777")
    bots.log(60, "call +5511999888777 back", user_id="+5511999888777", attributes={"user.id": "+5511999888777"})
    for table, params in (("monitoring/sessions", {}), ("logs", {"period": "1h"})):
        for format in Format:
            assert b"+5511999888777" in (await read(admin, table, format, **params)).content
            assert b"888777" not in (await read(monitor, table, format, **params)).content


async def test_a_measure_is_a_row_for_each_step_and_label(admin: Asker, bots: Bots) -> None:
    bots.talk("s1", 60)
    bots.talk("s2", 60, bot="help")
    asked = {"measure": "messages.in", "by": "bot", "period": "1h", "step": "30m"}
    listed = await admin.get("/api/monitoring/history", **asked)
    rows = rows_of(await read(admin, "measures", "csv", **asked))
    assert list(rows[0]) == ["time", "measure", "bot", "value"]
    assert [(row["bot"], row["value"]) for row in rows] == [
        (series["labels"]["bot"], "" if value is None else str(value))
        for series in listed["series"]
        for _, value in series["points"]
    ]
    table = pq.read_table(io.BytesIO((await read(admin, "measures", "parquet", **asked)).content))
    assert sum(value or 0 for value in table["value"].to_pylist()) == 2


async def test_an_empty_list_still_has_its_columns(admin: Asker) -> None:
    assert (await read(admin, "faults", "csv")).text.startswith("id,bot,type,message,count,")
    assert (await read(admin, "faults", "json")).json() == []
    table = pq.read_table(io.BytesIO((await read(admin, "faults", "parquet")).content))
    assert (table.num_rows, table.schema.field("count").type) == (0, "int64")


async def test_what_the_list_refuses_the_export_refuses(admin: Asker, monitor: Asker) -> None:
    assert error_of(await admin.response("/api/export/logs", perod="1h")) == (422, "bad_request")
    assert error_of(await admin.response("/api/export/logs", cursor="abc")) == (422, "bad_request")
    assert error_of(await admin.response("/api/export/logs", period="9999d")) == (422, "bad_request")
    assert error_of(await admin.response("/api/export/logs", format="xls")) == (422, "bad_request")
    assert error_of(await monitor.response("/api/export/users")) == (403, "forbidden")
    assert error_of(await monitor.response("/api/export/logs", **{"attr.user.id": "u1"})) == (403, "forbidden")
    nothing = await admin.response("/api/export/nothing")
    assert error_of(nothing) == (404, "not_found")
    assert "measures" in nothing.json()["error"]["hint"]
    for path in ("auth/me", "monitoring/status", "traces/{trace_id}"):
        assert error_of(await admin.response(f"/api/export/{path}")) == (404, "not_found"), path


async def test_one_that_would_be_too_long_is_refused_before_it_begins(
    admin: Asker, logs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EXPORT_ROWS_MAX", MANY - 1)
    assert error_of(await admin.response("/api/export/logs", period="1h")) == (422, "bad_request")
    monkeypatch.setattr(limits, "EXPORT_ROWS_MAX", MANY)
    assert (await admin.response("/api/export/logs", period="1h")).status_code == 200


async def test_only_so_many_run_at_once(app: FastAPI, admin: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    app.state.exports.count = limits.EXPORTS_AT_ONCE_MAX
    assert error_of(await admin.response("/api/export/bots")) == (503, "try_again")
    app.state.exports.count = 0
    assert (await admin.response("/api/export/bots")).status_code == 200
    assert app.state.exports.count == 0


async def test_a_right_that_ends_on_the_way_ends_the_export(
    app: FastAPI, context: Context, secrets: Secrets, logs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent is not closed, so that nobody takes it for the whole."""
    monkeypatch.setattr(limits, "STORE_LONG_BLOCK_ROWS_MAX", 500)
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 2:
            await context.access.change(lambda session: tokens.revoke(session, NOW_NS, OPERATOR, tokens.Kind.API, 1))

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
    }
    scope |= {"path": "/api/export/logs", "raw_path": b"/api/export/logs", "query_string": b"period=1h"}
    headers = [(name.encode(), value.encode()) for name, value in bearer(secrets.admin).items()]
    scope |= {"headers": [(b"host", b"127.0.0.1:8600"), *headers], "client": None, "server": None, "root_path": ""}
    await app(scope | {"state": {}}, receive, send)
    assert sent[0]["status"] == 200
    assert all(message.get("more_body", True) for message in sent[1:])
    assert b"".join(message.get("body", b"") for message in sent).count(b"\n") < MANY
    assert app.state.exports.count == 0


def test_columns_follow_from_the_shape() -> None:
    kinds = {column.name: str(column.kind) for column in columns_of(LogItem)}
    assert kinds["at"] == "time"
    assert kinds["severity"] == "whole"
    assert kinds["attributes"] == kinds["user"] == "text"


def test_a_row_without_a_field_has_an_empty_cell() -> None:
    columns = columns_of(LogItem)
    for writer in (CsvWriter(columns), JsonWriter(columns), ParquetWriter(columns)):
        assert writer.rows([{}]) + writer.end()


@pytest.mark.parametrize("text", ["", " ", "a=1", "1-2", "http://x", "né"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text
