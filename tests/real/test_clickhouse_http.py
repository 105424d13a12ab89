"""The test-only endpoint does what the store asks of a ClickHouse server, or its tests would prove nothing."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import clickhouse_connect
import httpx
import lz4.frame
import pytest
import zstandard
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.real.parts import ClickHouse

SPAN_PROTO = """syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; } }
message KeyValue { string key = 1; AnyValue value = 2; }
message Span { bytes trace_id = 1; string name = 5; repeated KeyValue attributes = 9; }
message ScopeSpans { repeated Span spans = 2; }
message ResourceSpans { repeated ScopeSpans scope_spans = 2; }
message Request { repeated ResourceSpans resource_spans = 1; }
"""
ATTRIBUTES = (
    "Array(Tuple(key String, value Tuple(value Enum8('no' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3), "
    "string_value String, bool_value Bool, int_value Int64)))"
)
SPANS = f"Array(Tuple(trace_id String, name String, attributes {ATTRIBUTES}))"
TABLES = (
    f"CREATE TABLE inbox (resource_spans Array(Tuple(scope_spans Array(Tuple(spans {SPANS}))))) ENGINE = Null",
    "CREATE TABLE spans (trace_id String, name String, zero String, absent String) "
    "ENGINE = MergeTree ORDER BY name SETTINGS non_replicated_deduplication_window = 100",
    "CREATE TABLE names (name String, count UInt64) "
    "ENGINE = SummingMergeTree ORDER BY name SETTINGS non_replicated_deduplication_window = 100",
    "CREATE MATERIALIZED VIEW to_spans TO spans AS SELECT s.trace_id AS trace_id, s.name AS name, "
    "toString(s.attributes[1].value.value) AS zero, toString(s.attributes[2].value.value) AS absent FROM "
    "(SELECT arrayJoin(arrayFlatten(resource_spans.scope_spans.spans)) AS s FROM inbox)",
    "CREATE MATERIALIZED VIEW to_names TO names AS SELECT name, count() AS count FROM spans GROUP BY name",
)
PROTOBUF_SETTINGS = {
    "format_schema_source": "string",
    "format_schema": SPAN_PROTO,
    "format_schema_message_name": "Request",
    "input_format_protobuf_oneof_presence": "1",
    "deduplicate_blocks_in_dependent_materialized_views": "1",
}

TOO_SLOW = "SELECT sleepEachRow(0.05) FROM numbers(60) SETTINGS max_block_size = 1, max_execution_time = 0.2"


def otlp(*names: str) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for name in names:
        span = scope.spans.add(trace_id=b"\x00\n\xff;" * 4, name=name)
        span.attributes.add(key="zero").value.int_value = 0
        span.attributes.add(key="absent")
    return request.SerializeToString()


def connect(endpoint: ClickHouse, database: str = "") -> Client:
    return clickhouse_connect.get_client(dsn=endpoint.url(database), query_retries=0)


@pytest.fixture
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    name = f"t_{uuid.uuid4().hex}"
    with connect(clickhouse) as maker:
        maker.command(f"CREATE DATABASE {name}")
        with connect(clickhouse, name) as client:
            yield client
        maker.command(f"DROP DATABASE {name}")


@pytest.fixture
def spans(client: Client) -> Client:
    for statement in TABLES:
        client.command(statement)
    return client


def test_a_client_connects_and_learns_version_zone_and_settings(client: Client) -> None:
    assert client.ping()
    assert str(client.server_version).count(".") >= 3
    assert client.server_settings["max_threads"].name == "max_threads"
    assert client.command("SELECT currentDatabase()") == client.database


def test_protobuf_goes_through_a_null_table_and_views(spans: Client) -> None:
    body = otlp("greet", "greet") + otlp("order")  # messages of one type concatenate
    done = spans.raw_insert("inbox", None, body, fmt="ProtobufSingle", settings=PROTOBUF_SETTINGS)
    assert int(done.summary["written_rows"]) == 1
    rows = spans.query("SELECT name, trace_id = unhex(repeat('000AFF3B', 4)), zero, absent FROM spans ORDER BY name")
    assert rows.result_rows == [("greet", 1, "int_value", "no")] * 2 + [("order", 1, "int_value", "no")]
    counted = spans.query("SELECT name, sum(count) FROM names GROUP BY name ORDER BY name")
    assert counted.result_rows == [("greet", 2), ("order", 1)]


def test_a_batch_with_the_same_token_counts_once_in_tables_and_rollups(spans: Client) -> None:
    for token, name in (("node:1", "greet"), ("node:1", "greet"), ("node:2", "greet")):
        settings = {**PROTOBUF_SETTINGS, "insert_deduplication_token": token}
        spans.raw_insert("inbox", None, otlp(name), fmt="ProtobufSingle", settings=settings)
    assert spans.command("SELECT count() FROM spans") == 2
    assert spans.command("SELECT sum(count) FROM names") == 2


def test_parameters_are_bound_by_the_server(client: Client) -> None:
    hostile = "'; DROP TABLE x --\\ \t\n ü"
    query = "SELECT {text:String}, {numbers:Array(UInt32)}, {at:DateTime64(3, 'UTC')} < now64()"
    found = client.query(query, {"text": hostile, "numbers": [1, 2], "at": "2024-02-29 12:00:00.123"})
    assert found.result_rows == [(hostile, [1, 2], 1)]


def test_parameters_too_long_for_a_url_travel_as_a_form(client: Client) -> None:
    names = [f"name-{number}-ü" for number in range(20_000)]
    found = client.query("SELECT length({names:Array(String)}), {names:Array(String)}[-1]", {"names": names})
    assert found.result_rows == [(20_000, "name-19999-ü")]


def test_a_setting_holds_for_its_request_only(client: Client) -> None:
    query = "SELECT getSetting('max_block_size')"
    before = client.command(query)
    assert client.command(query, settings={"max_block_size": 4321}) == 4321
    assert client.command(query) == before


def test_clients_are_served_side_by_side(clickhouse: ClickHouse, client: Client) -> None:
    client.command("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")

    def insert(number: int) -> None:
        with connect(clickhouse, str(client.database)) as own:
            for _ in range(10):
                own.raw_insert("t", None, b"%d\n" % number, fmt="CSV")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(insert, range(8)))
    assert client.query("SELECT count(), sum(n) FROM t").result_rows == [(80, 280)]


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("lz4", lz4.frame.compress), ("zstd", zstandard.compress), ("gzip", gzip.compress)],
)
def test_compressed_inserts_are_read(client: Client, encoding: str, compress: Callable[[bytes], bytes]) -> None:
    client.command("CREATE TABLE t (number UInt64) ENGINE = MergeTree ORDER BY number")
    lines = b"".join(b"%d\n" % number for number in range(10_000))
    client.raw_insert("t", ["number"], compress(lines), fmt="TabSeparated", compression=encoding)
    assert client.query("SELECT count(), sum(number) FROM t").result_rows == [(10_000, sum(range(10_000)))]


def test_rows_go_in_and_come_out_as_the_client_writes_them(client: Client) -> None:
    client.command("CREATE TABLE t (name LowCardinality(String), sizes Map(String, Float64)) ENGINE = Memory")
    rows = [("a", {"x": 1.5}), ("b", {})]
    client.insert("t", rows, column_names=["name", "sizes"])  # Native, compressed, in chunks
    assert client.query("SELECT * FROM t ORDER BY name").result_rows == rows
    assert client.query("SELECT * FROM t LIMIT 0").column_names == ("name", "sizes")
    assert client.query("SELECT * FROM t WHERE name = 'none'").result_rows == []


@pytest.mark.parametrize(
    ("query", "status", "code", "name"),
    [
        ("SELEC 1", 400, 62, "SYNTAX_ERROR"),
        ("SELECT * FROM nowhere", 404, 60, "UNKNOWN_TABLE"),
        ("SELECT throwIf(1)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        (TOO_SLOW, 408, 159, "TIMEOUT_EXCEEDED"),
    ],
)
def test_an_engine_error_keeps_its_code(
    client: Client, clickhouse: ClickHouse, query: str, status: int, code: int, name: str
) -> None:
    with pytest.raises(DatabaseError) as caught:
        client.command(query)
    assert (caught.value.code, caught.value.name) == (code, name)
    answer = httpx.post(f"http://127.0.0.1:{clickhouse.port}/", content=query, timeout=60)
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


def test_an_unknown_database_setting_and_damaged_protobuf_are_errors_with_their_codes(
    clickhouse: ClickHouse, spans: Client
) -> None:
    with pytest.raises(DatabaseError) as unknown:
        connect(clickhouse, "nowhere")
    assert unknown.value.code == 81
    with pytest.raises(DatabaseError) as setting:
        spans.command("SELECT 1", settings={"no_such_setting": 1})
    assert setting.value.code == 115
    with pytest.raises(DatabaseError) as damaged:
        spans.raw_insert("inbox", None, otlp("greet")[:-3], fmt="ProtobufSingle", settings=PROTOBUF_SETTINGS)
    assert damaged.value.code is not None
    assert spans.command("SELECT count() FROM spans") == 0


def test_a_get_only_reads(clickhouse: ClickHouse, client: Client) -> None:
    url = f"http://127.0.0.1:{clickhouse.port}/"
    params = {"database": str(client.database), "query": "CREATE TABLE t (n UInt8) ENGINE = Memory"}
    assert httpx.get(url, params=params, timeout=60).headers["X-ClickHouse-Exception-Code"] == "164"
    assert httpx.get(url, params={"query": "SELECT 1 FORMAT JSONEachRow"}, timeout=60).json() == {"1": 1}


def test_an_answer_is_compressed_when_asked_and_tells_what_was_read(clickhouse: ClickHouse) -> None:
    params = {"enable_http_compression": "1", "query": "SELECT number FROM numbers(1000)", "query_id": "mine"}
    url = f"http://127.0.0.1:{clickhouse.port}/"
    answer = httpx.get(url, params=params, headers={"Accept-Encoding": "gzip"}, timeout=60)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.text.splitlines()) == 1_000
    assert answer.headers["X-ClickHouse-Format"] == "TabSeparated"
    assert answer.headers["X-ClickHouse-Query-Id"] == "mine"
    assert int(json.loads(answer.headers["X-ClickHouse-Summary"])["read_rows"]) == 1_000


@pytest.mark.parametrize("how", ["503", "drop", "error 241"])
def test_it_refuses_while_told_to_and_recovers(clickhouse: ClickHouse, client: Client, how: str) -> None:
    client.command("CREATE TABLE t (n UInt8) ENGINE = Memory")
    with clickhouse.refusing(how):
        with pytest.raises((DatabaseError, OperationalError)) as refused:
            client.raw_insert("t", None, b"1\n", fmt="CSV")
        assert refused.value.code == (241 if how == "error 241" else None)
    assert client.command("SELECT count() FROM t") == 0


def test_it_can_refuse_inserts_while_reading_goes_on(clickhouse: ClickHouse, client: Client) -> None:
    client.command("CREATE TABLE t (n UInt8) ENGINE = Memory")
    with clickhouse.refusing("503 inserts"):
        with pytest.raises(OperationalError):
            client.raw_insert("t", None, b"1\n", fmt="CSV")
        assert client.command("SELECT count() FROM t") == 0


def test_it_can_lose_the_answer_to_work_it_did(clickhouse: ClickHouse, spans: Client) -> None:
    """The client replays a lost insert once by itself: only the token keeps it from counting twice."""
    settings = {**PROTOBUF_SETTINGS, "insert_deduplication_token": "node:1"}
    with clickhouse.refusing("lose inserts"), pytest.raises(OperationalError):
        spans.raw_insert("inbox", None, otlp("greet"), fmt="ProtobufSingle", settings=settings)
    assert spans.command("SELECT count() FROM spans") == 1
    assert spans.command("SELECT sum(count) FROM names") == 1


def test_it_can_hang_until_the_client_gives_up(clickhouse: ClickHouse) -> None:
    url = f"http://127.0.0.1:{clickhouse.port}/ping"
    with clickhouse.refusing("hang"), pytest.raises(httpx.ReadTimeout):
        httpx.get(url, timeout=httpx.Timeout(60, read=0.2))
    assert httpx.get(url, timeout=60).text == "Ok.\n"


def test_what_was_answered_outlives_kill_9(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with ClickHouse(folder) as endpoint:
        with connect(endpoint) as client:
            client.command("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
            client.raw_insert("t", None, b"1\n2\n", fmt="CSV")
        endpoint.kill()
        assert not endpoint.alive
    with ClickHouse(folder) as endpoint:
        with connect(endpoint) as client:
            assert client.command("SELECT sum(n) FROM t") == 3
        assert endpoint.stop() == 0
