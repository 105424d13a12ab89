"""The long lists, written by the engine: the same rows as the list shows, whoever looks, in each format."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI

from botwatch import limits
from botwatch.api.shapes_telemetry import LogItem
from botwatch.reports.tables import CsvWriter, columns_of
from botwatch.store.client import Store
from tests.api.conftest import Secrets, bearer
from tests.api.telemetry.conftest import Asker, Bots, at, trace
from tests.api.telemetry.test_export import EVIL, read

HOSTILE = (EVIL, "+1", "-1", "\tx", "\uff1d1", "  =1", "a\x1b[31m", 'he said "no", twice', "two\r\nlines", "né 😀",
           "", "\u0085\u2028", "back\\slash/slash", "\x7f")  # fmt: skip
NESTED = "concat('\\0', '5', unhex('0a030a0141'))"  # an array of one text, as OpenTelemetry's protobuf has it
JSON = ("attributes", "resource", "bots")


@pytest.fixture
def records(bots: Bots, store: Store) -> None:
    """Everything that has to be written with care, and users' ids wherever they may be repeated."""
    user = "+5511999888777"
    rows = [{"ago": 10 + place / 7, "body": text, "event": text[:3]} for place, text in enumerate(HOSTILE)]
    rows += [{"ago": 30, "body": f"for {user}", "user_id": user, "attributes": {"note": user, "user.id": user}}]
    rows += [{"ago": 31, "attributes": {"user.id": user, "a/b": 'x"y\n/'}, "session_id": "s1", "correlation_id": "=c"}]
    rows += [{"ago": 32, "resource": json.dumps({"a/b": "c\\d/", "user.id": user}).replace("/", r"\/")}]
    rows += [{"ago": 33, "trace_id": trace(1), "span_id": "s0000001", "body": "same"}] * 3
    bots.logs(*rows)
    values = (f"{NESTED}, map('list', {NESTED})", "unhex('ff41'), map('bytes', unhex('fe'))", "'twice', map('k', '1')")
    for place, both in enumerate(values):
        store.command(
            "INSERT INTO logs (bot, at, severity, level, body, attributes) "
            f"SELECT 'shop', toDateTime64('{at(40 + place)}', 9, 'UTC'), 9, 'info', {both}"
        )


def plain(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """As a spreadsheet holds them: what is JSON read, what is nothing empty."""
    return [{name: json.loads(value) if name in JSON else value for name, value in row.items()} for row in rows]


async def told(asker: Asker, table: str, **params: Any) -> dict[str, list[Any]]:
    """One export in every format."""
    found = {format: (await read(asker, table, format, **params)).content for format in ("csv", "json", "parquet")}
    return {
        "csv": plain(list(csv.DictReader(io.StringIO(found["csv"].decode(), newline="")))),
        "json": json.loads(found["json"]),
        "parquet": pq.read_table(io.BytesIO(found["parquet"])).to_pylist(),
    }


def in_csv(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the list shows as our own writer makes a file of it."""
    writer = CsvWriter(columns_of(LogItem))
    text = (writer.rows(items) + writer.end()).decode()
    return plain(list(csv.DictReader(io.StringIO(text, newline=""))))


async def test_what_the_engine_writes_is_what_the_list_shows(admin: Asker, monitor: Asker, records: None) -> None:
    for asker in (admin, monitor):
        await same_logs(asker)


async def same_logs(asker: Asker) -> None:
    listed = (await asker.get("/api/logs", period="1h", limit=500))["items"]
    assert len(listed) == len(HOSTILE) + 9
    found = await told(asker, "logs", period="1h")
    assert found["json"] == listed
    assert found["csv"] == in_csv(listed)
    assert [row["text"] for row in found["parquet"]] == [item["text"] for item in listed]
    for name in ("session_id", "user", "trace_id", "correlation_id", "severity"):
        assert [row[name] for row in found["parquet"]] == [item[name] for item in listed], name
    assert [json.loads(row["attributes"]) for row in found["parquet"]] == [item["attributes"] for item in listed]
    times = [row["at"].isoformat().replace("+00:00", "Z") for row in found["parquet"]]
    assert times == [item["at"] for item in listed]


async def test_traces_and_sessions_are_those_of_their_lists(admin: Asker, monitor: Asker, bots: Bots) -> None:
    for number in range(30):
        bots.talk(f"s{number}", 60 + 700 * number, user=f"+55119998887{number:02}")
    bots.spans(
        *(
            {"ago": 60 + 700 * number - later, "trace_id": trace(number), "session_id": f"s{number}", **more}
            for number in range(30)
            for later, more in (
                (0, {"user_id": "u-long-one", "status": "error"}),
                (1, {"bot": "other", "kind": "client"}),
            )
        )
    )
    for table, params in (
        ("monitoring/sessions", {}),
        ("monitoring/sessions", {"state": "active"}),
        ("monitoring/sessions", {"bot": "shop", "q": "s2"}),
        ("traces", {}),
        ("traces", {"failed": "true", "period": "3h"}),
        ("traces", {"session": "s3", "bot": "shop"}),
        ("traces", {"session": "nobody"}),
    ):
        for asker in (admin, monitor):
            listed = (await asker.get(f"/api/{table}", limit=500, **params))["items"]
            assert bool(listed) is (params != {"session": "nobody"}), (table, params)
            found = await told(asker, table, **params)
            assert found["json"] == listed, (table, params)
            assert len(found["csv"]) == len(found["parquet"]) == len(listed)


async def test_pieces_follow_one_another_without_a_gap(
    admin: Asker, bots: Bots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EXPORT_PIECE_ROWS_MAX", 50)
    bots.logs(*({"ago": 5 + 0.5 * number, "body": f"line {number}"} for number in range(400)))
    response = await read(admin, "logs", "json", period="1h")
    assert [row["text"] for row in response.json()] == [f"line {number}" for number in range(400)]
    assert response.headers["x-rows"] == "400"
    bots.spans(*({"ago": 5 + 0.5 * number, "trace_id": trace(number // 2)} for number in range(400)))
    rows = (await read(admin, "traces", "json", period="1h")).json()
    assert [row["spans"] for row in rows] == [2] * 200
    assert rows == sorted(rows, key=lambda row: row["start"], reverse=True)


async def test_whoever_hangs_up_ends_the_query(
    app: FastAPI, secrets: Secrets, bots: Bots, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STORE_LONG_BLOCK_ROWS_MAX", 100)
    bots.logs(*({"ago": 5 + number / 1_000, "body": f"line {number}"} for number in range(20_000)))
    sent: list[Any] = []
    begun = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message)
        begun.set()

    async def receive() -> Any:
        await begun.wait()
        return {"type": "http.disconnect"}

    headers = [(name.encode(), value.encode()) for name, value in bearer(secrets.admin).items()]
    scope: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET"}
    scope |= {"scheme": "http", "path": "/api/export/logs", "raw_path": b"/api/export/logs", "query_string": b""}
    scope |= {"headers": [(b"host", b"127.0.0.1:8600"), *headers], "client": None, "server": None, "root_path": ""}
    await app(scope | {"state": {}}, receive, send)
    assert sent[0]["status"] == 200
    assert all(message.get("more_body", True) for message in sent[1:])
    assert b"".join(message.get("body", b"") for message in sent).count(b"\n") < 20_000
    assert app.state.exports.count == 0
    running = "SELECT count() FROM system.processes WHERE query LIKE '%AS line%' AND query NOT LIKE '%processes%'"
    async with asyncio.timeout(60):
        while (await store.fetch(running)).first != (0,):
            await asyncio.sleep(0.01)
