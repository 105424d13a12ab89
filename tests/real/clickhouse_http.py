"""A test-only endpoint: ClickHouse's HTTP protocol over the embedded engine, in a process of its own.

No ClickHouse server comes from PyPI, npm or Debian, so this is what the HTTP path to one is tried
against: the same client, the same engine, and in between the protocol as the server's documentation
and the client's source describe it. It leaves out users, sessions, external data, streaming of
results and the revision of the Native format (`client_protocol_version`; the client falls back).

    python tests/real/clickhouse_http.py --path DIR --port N [--refuse-file PATH] [--cluster NAME]

With a name it is the only node of a cluster: what is Distributed is really read and written through the cluster.
The embedded engine has no Keeper: so what is said ON CLUSTER is done here, and what is Replicated is kept once.

While the refuse file exists the endpoint fails as its content says:

    503            that HTTP status, nothing done
    error 241      that exception of the engine, nothing done
    drop           the connection is closed, nothing done
    hang           no answer while the file is there, then the connection is closed; nothing done
    lose           the work is done, then the connection is closed without an answer

followed by ` inserts` where everything but inserts goes on.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import signal
import tempfile
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import lz4.frame
import zstandard
from chdb.state import connect  # two packages bring a chdb/__init__.py, and only one of them tells its types

BODY_BYTES_MAX = 256 * 1024 * 1024
HEAD_BYTES_MAX = 256 * 1024
HANG_POLL_S = 0.02

# What the protocol itself reads from the URL; everything else there is a setting.
RESERVED = {
    *("query", "database", "default_format", "user", "password", "role", "quota_key", "query_id", "stacktrace"),
    *("session_id", "session_timeout", "session_check", "wait_end_of_query", "buffer_size", "compress", "decompress"),
    *("enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms"),
    "client_protocol_version",
}
SETTING_NAME = re.compile(r"[A-Za-z_]\w*")
INSERT_WITH_DATA = re.compile(
    rb"\s*(?P<head>INSERT\s+INTO\s+(?:(?!\b(?:VALUES|SELECT)\b).)+?)(?P<settings>\s+SETTINGS\s.+?)?"
    rb"\s+FORMAT\s+(?P<format>\w+)[ \t;]*(?:\r?\n|$)",
    re.IGNORECASE | re.DOTALL,
)
IS_INSERT = re.compile(rb"\s*INSERT\b", re.IGNORECASE)
HAS_RESULT = re.compile(rb"\s*\(*\s*(?:SELECT|WITH|SHOW|DESC|DESCRIBE|EXISTS|EXPLAIN|CHECK)\b", re.IGNORECASE)
TRAILING_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
CLUSTER = """<clickhouse><tcp_port>9000</tcp_port><remote_servers><{name}><shard><replica>
<host>127.0.0.1</host><port>9000</port></replica></shard></{name}></remote_servers></clickhouse>"""
KEPT_BY_KEEPER = re.compile(rb"\sON CLUSTER '\w+'|(?<=ENGINE = )Replicated(?=\w*MergeTree)")
EXCEPTION = re.compile(r"Code: (\d+)\. DB::Exception: .*", re.DOTALL)
REFUSAL = re.compile(r"(?:(?P<status>[45]\d\d)|error (?P<code>\d+)|(?P<what>drop|hang|lose))(?P<inserts> inserts)?")

STATUS_OF_CODE = {
    **dict.fromkeys((6, 25, 26, 27, 36, 38, 41, 53, 62, 72, 117, 321, 427), 400),
    **dict.fromkeys((193, 192, 497, 516), 403),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 81, 115, 336), 404),
    **dict.fromkeys((76, 209, 439), 503),
    48: 501,
    159: 408,
}

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.compress,
    "zstd": zstandard.compress,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}


class EngineError(Exception):
    """An exception as ClickHouse tells it: `Code: 60. DB::Exception: … (UNKNOWN_TABLE)`."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    sql: bytes
    params: Mapping[str, str]
    read_only: bool

    @property
    def is_insert(self) -> bool:
        return IS_INSERT.match(self.sql) is not None

    @property
    def settings(self) -> dict[str, str]:
        return {name: value for name, value in self.params.items() if name not in RESERVED and name[:6] != "param_"}

    @property
    def bound(self) -> dict[str, str]:
        return {name[6:]: value for name, value in self.params.items() if name.startswith("param_")}

    @property
    def format(self) -> str:
        named = TRAILING_FORMAT.search(self.sql)
        return named[1].decode() if named else self.params.get("default_format", "TabSeparated")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Engine:
    """A connection of its own for each request: what one request sets, no other sees."""

    def __init__(self, path: Path, cluster: str = "") -> None:
        self._path = str(path)
        self._clustered = bool(cluster)
        if cluster:
            config = path.with_name(path.name + ".xml")
            config.write_text(CLUSTER.format(name=cluster), encoding="utf-8")
            self._path += "?" + urlencode({"config-file": config})
        self._first = connect(self._path)  # keeps the engine open between requests
        version, zone = self._first.query("SELECT version(), timezone()", "TabSeparated").bytes().decode().split()
        self.version, self.zone = version, zone

    def run(self, request: Request) -> Answer:
        try:
            connection = connect(self._path)
            try:
                return self._run(connection, request)
            finally:
                connection.close()
        except RuntimeError as error:  # or what is derived from it
            raise self._told(str(error)) from None

    def _run(self, connection: Any, request: Request) -> Answer:
        if request.params.get("database"):
            connection.query(f"USE `{request.params['database'].replace('`', '``')}`")
        for name, value in request.settings.items():
            if not SETTING_NAME.fullmatch(name):
                raise EngineError(115, f"Code: 115. DB::Exception: Unknown setting {name!r}. (UNKNOWN_SETTING)")
            connection.query(f"SET {name} = {quoted(value)}")
        if request.read_only:
            connection.query("SET readonly = 2")
        insert = INSERT_WITH_DATA.match(request.sql[:HEAD_BYTES_MAX])
        if insert:
            return self._insert(connection, insert, request.sql[insert.end() :])
        sql = KEPT_BY_KEEPER.sub(b"", request.sql) if self._clustered else request.sql
        result = connection.query(sql, request.format, params=request.bound)
        read = {"read_rows": result.rows_read(), "read_bytes": result.bytes_read(), "elapsed_ns": elapsed_ns(result)}
        headers = {"X-ClickHouse-Summary": summary(read)}
        if HAS_RESULT.match(request.sql):
            headers["X-ClickHouse-Format"] = request.format
        return Answer(200, result.bytes() or b"", headers)

    def _insert(self, connection: Any, insert: re.Match[bytes], data: bytes) -> Answer:
        """Binary data does not survive within the SQL text, so the engine reads it from a file."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            source = b" FROM INFILE " + quoted(file.name).encode()
            sql = insert["head"] + source + (insert["settings"] or b"") + b" FORMAT " + insert["format"]
            result = connection.query(sql, "TabSeparated")
        written = {
            "written_rows": result.rows_read(),
            "written_bytes": result.bytes_read(),
            "elapsed_ns": elapsed_ns(result),
        }
        return Answer(200, b"", {"X-ClickHouse-Summary": summary(written)})

    def _told(self, text: str) -> EngineError:
        found = EXCEPTION.search(text)
        code, message = (int(found[1]), found[0]) if found else (1001, f"Code: 1001. DB::Exception: {text}")
        return EngineError(code, f"{message.strip()} (version {self.version} (embedded build))")

    def close(self) -> None:
        self._first.close()


def elapsed_ns(result: Any) -> int:
    return int(result.elapsed() * 1_000_000_000)


def summary(figures: Mapping[str, int]) -> str:
    names = (
        "read_rows",
        "read_bytes",
        "written_rows",
        "written_bytes",
        "total_rows_to_read",
        "result_rows",
        "elapsed_ns",
    )
    return json.dumps({name: str(figures.get(name, 0)) for name in names})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: a test's log is for what went wrong."""

    def _handle(self) -> None:
        url = urlsplit(self.path)
        params = dict(parse_qsl(url.query, keep_blank_values=True))
        try:
            request = self._request(params)
            if url.path == "/ping" or not request.sql.strip():
                request = Request(b"", {}, read_only=True)
            lose = self._refused(request)
            if lose is None:
                return
            answer = self.server.engine.run(request) if request.sql else Answer(200, b"Ok.\n")
            if lose:
                self._close()
                return
        except EngineError as error:
            headers = {"X-ClickHouse-Exception-Code": str(error.code)}
            answer = Answer(STATUS_OF_CODE.get(error.code, 500), f"{error}\n".encode(), headers)
        self._send(answer, params)

    def _request(self, params: dict[str, str]) -> Request:
        body = self._body()
        content_type = self.headers.get("Content-Type", "")
        if content_type.startswith("multipart/form-data"):
            message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
            body = b""
            for part in message.iter_parts():
                name, value = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
                params[str(name)] = value.decode() if isinstance(value, bytes) else ""
        sql = params.get("query", "").encode()
        sql = sql + b"\n" + body if sql and body else sql or body
        return Request(sql, params, read_only=self.command == "GET")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            raw = b"".join(iter(self._chunk, b""))
        else:
            raw = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), BODY_BYTES_MAX))
        encoding = self.headers.get("Content-Encoding", "identity")
        if encoding == "identity":
            return raw
        if encoding not in DECODERS:
            raise EngineError(48, f"Code: 48. DB::Exception: Unknown encoding {encoding!r}. (NOT_IMPLEMENTED)")
        return DECODERS[encoding](raw)

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def _refused(self, request: Request) -> bool | None:
        """False: go on. True: work, and lose the answer. None: the request has been refused."""
        try:
            content = self.server.refuse_file.read_text(encoding="utf-8").strip() if self.server.refuse_file else None
        except FileNotFoundError:
            content = None
        if content is None:
            return False
        how = REFUSAL.fullmatch(content or "503")
        if how is None:
            raise EngineError(36, f"Code: 36. DB::Exception: the refuse file says {content!r}: {__doc__}")
        if how["inserts"] and not request.is_insert:
            return False
        if how["status"]:
            self._send(Answer(int(how["status"]), b"refused for a test\n"), {})
        elif how["code"]:
            raise EngineError(int(how["code"]), f"Code: {how['code']}. DB::Exception: refused for a test. (TEST)")
        elif how["what"] == "lose":
            return True
        else:
            while how["what"] == "hang" and self.server.refuse_file and self.server.refuse_file.exists():
                time.sleep(HANG_POLL_S)
            self._close()
        return None

    def _close(self) -> None:
        self.close_connection = True

    def _send(self, answer: Answer, params: Mapping[str, str]) -> None:
        body, headers = answer.body, dict(answer.headers)
        accepted = [name.strip() for name in self.headers.get("Accept-Encoding", "").split(",")]
        encoding = next((name for name in accepted if name in ENCODERS), None)
        if encoding and body and params.get("enable_http_compression") == "1":
            body = ENCODERS[encoding](body)
            headers["Content-Encoding"] = encoding
        self.send_response(answer.status)
        headers["X-ClickHouse-Query-Id"] = params.get("query_id") or str(uuid.uuid4())
        headers["X-ClickHouse-Timezone"] = self.server.engine.zone
        headers["Content-Length"] = str(len(body))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, engine: Engine, refuse_file: Path | None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.engine = engine
        self.refuse_file = refuse_file


def main() -> None:
    parser = argparse.ArgumentParser(description="ClickHouse's HTTP protocol over the embedded engine, for tests.")
    parser.add_argument("--path", type=Path, required=True, help="folder of the engine")
    parser.add_argument("--port", type=int, default=0, help="0: a free one, told on the first line of the output")
    parser.add_argument("--refuse-file", type=Path, default=None, help="while it exists, fail as its content says")
    parser.add_argument("--cluster", default="", help="be the only node of a cluster of this name")
    options = parser.parse_args()
    folder = options.path.absolute()
    refuse_file = options.refuse_file.absolute() if options.refuse_file else None
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)  # the engine keeps the protobuf schemas it was sent where it was started
    engine = Engine(folder, options.cluster)
    server = Server(options.port, engine, refuse_file)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"listening on 127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    engine.close()


if __name__ == "__main__":
    main()
