"""The engine behind one small surface: command, insert, fetch.

Embedded (chDB) and remote (ClickHouse over HTTP) differ in how a client is made and in nothing
else. A client serialises its calls, so there is one for writing and a few for reading, each used
by one thread at a time. What the engine says when it refuses may quote the data it was given: it
goes to our own log at debug level and never further.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import LifoQueue
from typing import Any, Final
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from botwatch import limits
from botwatch.errors import SettingError, StoreAway, StoreRefused

log = logging.getLogger(__name__)

DATABASE: Final = "botwatch"
_CODE = re.compile(r"Code: (\d+)")
# The embedded engine keeps what it has freed for five seconds, which is a third of its memory while much comes in.
_ALLOCATOR: Final = "narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0"
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")

# What the engine answers when it cannot take anything, whatever the data: too many parts or queries,
# out of memory or disk, timeouts, network, a table read-only while it recovers.
_PASSING = frozenset(
    {159, 160, 164, 173, 202, 203, 209, 210, 225, 236, 241, 242, 243, 252, 279, 285, 286, 319, 394, 425, 439, 473, 999}
)

# How long nothing at all may come from a server: longer than a query may take. Else one that hangs is not known to.
_ANSWER_S: Final = limits.STORE_QUERY_S_MAX + 5

# What is written through a Distributed table is there when the statement is done, and reads what all nodes have.
_CONTROL = {"distributed_foreground_insert": 1, "distributed_product_mode": "global"}

Params = Mapping[str, Any]
Columns = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query answered. Iterates over its rows."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def first(self) -> tuple[Any, ...] | None:
        return self.rows[0] if self.rows else None

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClickHouseError as error:
        found = _CODE.search(str(error))
        code = int(found[1]) if found else None
        log.debug("the engine refused: %s", error)
        if code is None or code in _PASSING:
            said = f" (code {code})" if code else ""
            raise StoreAway(f"the telemetry store does not answer{said}", engine_code=code) from None
        raise StoreRefused(f"the telemetry store refused the statement (code {code})", engine_code=code) from None
    except (OSError, RuntimeError) as error:
        log.debug("the engine is away: %s", error)
        raise StoreAway(f"the telemetry store does not answer ({type(error).__name__})") from None


def _long() -> dict[str, Any]:
    """What an answer that is read as it is made may take: a large sort goes to the disk."""
    return {
        "max_execution_time": limits.STORE_LONG_QUERY_S_MAX,
        "max_threads": limits.STORE_LONG_THREADS_MAX,
        "max_block_size": limits.STORE_LONG_BLOCK_ROWS_MAX,
        "max_bytes_before_external_sort": limits.STORE_LONG_SORT_BYTES_MAX,
        "max_bytes_before_external_group_by": limits.STORE_LONG_SORT_BYTES_MAX,
        "distributed_product_mode": "global",
        "output_format_json_escape_forward_slashes": 0,
    }


class Reading:
    """Long answers one after another over a client of its own: whoever takes them slowly holds up nobody else.

    All of it happens in one thread, so that an end waits for the block under way and for no more.
    """

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._client: Client | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="store-long")

    async def blocks(
        self, sql: str, params: Params | None = None, *, raw: Sequence[str] = ()
    ) -> AsyncGenerator[Columns]:
        """The answer as it is made, column by column; `raw` are kept as bytes. Closing it ends the query."""
        loop = asyncio.get_running_loop()
        made = self._made(sql, params, raw)
        try:
            while (block := await loop.run_in_executor(self._pool, next, made, None)) is not None:
                yield block
        finally:
            await loop.run_in_executor(self._pool, made.close)

    def _made(self, sql: str, params: Params | None, raw: Sequence[str]) -> Generator[Columns]:
        with _translated():
            self._client = self._client or self._connect()
            formats: dict[str, str | dict[str, str]] = dict.fromkeys(raw, "bytes")
            with self._client.query_column_block_stream(sql, dict(params or {}), column_formats=formats) as stream:
                yield from stream

    def close(self) -> None:
        self._pool.submit(self._disconnect)
        self._pool.shutdown(wait=False)

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


def _check_writable(folder: Path) -> None:
    """The engine would say so later, in a number, and never take anything."""
    for path in (folder, *folder.iterdir()):
        if not os.access(path, os.W_OK):
            raise SettingError(
                f"store: {path} cannot be written; run as the user it belongs to, or choose another folder with --data"
            )


class Store:
    """Owns the clients. Nothing connects before it is asked for: a server that is away at the start
    is asked again. The database is made by `create`, the schema by `migrate`."""

    def __init__(
        self, make: Callable[[Mapping[str, Any]], Client], *, embedded_path: Path | None, cluster: str, database: str
    ) -> None:
        self._make = make
        self.embedded_path = embedded_path
        self.cluster = cluster
        self.database = database
        self._writers: LifoQueue[Client | None] = LifoQueue()
        for _ in range(limits.STORE_WRITERS_MAX):
            self._writers.put(None)
        self._control: Client | None = None
        self._readers: LifoQueue[Client | None] = LifoQueue()
        for _ in range(limits.STORE_READERS_MAX):
            self._readers.put(None)
        self._pool = ThreadPoolExecutor(limits.STORE_READERS_MAX, thread_name_prefix="store-read")

    @classmethod
    def open(
        cls, url: str, *, data: Path, cluster: str = "", database: str = DATABASE, memory_bytes_max: int = 0
    ) -> Store:
        """Name the engine. An empty URL is the embedded one, in the data folder."""
        bounds = {"max_memory_usage": memory_bytes_max} if memory_bytes_max else {}
        if not url:
            path = data / "store"
            path.mkdir(parents=True, exist_ok=True)
            _check_writable(path)
            # The engine keeps its working files beside the data, not on a small /tmp.
            scratch = data / "scratch"
            scratch.mkdir(exist_ok=True)
            os.environ["TMPDIR"] = str(scratch)
            os.environ.setdefault("JE_MALLOC_CONF", _ALLOCATOR)  # read when the engine is loaded, with the first client
            dsn = f"chdb://{path.resolve()}"
            return cls(
                lambda settings: clickhouse_connect.get_client(dsn=dsn, settings={**bounds, **settings}),
                embedded_path=path,
                cluster="",
                database=database,
            )
        parts = urlsplit(url)
        if parts.scheme not in ("clickhouse", "clickhouses") or not parts.hostname:
            raise SettingError("store: expected clickhouse://user:password@host:8123/database")
        return cls(
            lambda settings: clickhouse_connect.get_client(
                dsn=parts._replace(path="").geturl(),
                settings={**bounds, **settings},
                autogenerate_session_id=False,
                send_receive_timeout=_ANSWER_S,
            ),
            embedded_path=None,
            cluster=cluster,
            database=parts.path.strip("/") or database,
        )

    def create(self) -> None:
        """Make the database where it is missing."""
        if not _NAME.match(self.database):
            raise SettingError(f"store: {self.database!r} is no name for a database: expected letters, digits and _")
        with _translated():
            client = self._make({})
            client.command(f"CREATE DATABASE IF NOT EXISTS {self.database}{self.on_cluster}")
            client.close()

    @property
    def on_cluster(self) -> str:
        return f" ON CLUSTER '{self.cluster}'" if self.cluster else ""

    def _connect(self, settings: Mapping[str, Any]) -> Client:
        client = self._make(settings)
        client.database = self.database
        return client

    def command(self, sql: str, params: Params | None = None) -> None:
        """Run a statement that answers nothing. It does not wait for the writer."""
        with _translated():
            if self._control is None:
                self._control = self._connect(_CONTROL)
            self._control.command(sql, parameters=dict(params or {}))

    def insert(self, table: str, data: bytes | Sequence[bytes], *, fmt: str, settings: Mapping[str, Any]) -> None:
        """Hand the engine bytes it decodes itself. Pieces are one text: the embedded engine is given them by way of
        a file, and never needs them side by side in memory."""
        pieces = (data,) if isinstance(data, bytes) else data
        client = self._writers.get()
        try:
            with _translated():
                client = client or self._connect({})
                block = (piece for piece in pieces) if self.embedded_path else b"".join(pieces)
                client.raw_insert(table, None, block, settings=dict(settings), fmt=fmt)
        finally:
            self._writers.put(client)

    def read(self, sql: str, params: Params | None = None) -> Rows:
        """Query from a thread; the caller waits."""
        with self._reader() as client:
            result = client.query(sql, parameters=dict(params or {}))
            return Rows(tuple(result.column_names), [tuple(row) for row in result.result_rows])

    def read_bytes(self, sql: str, params: Params | None = None, *, fmt: str) -> bytes:
        """Query from a thread; the answer in one of the engine's own formats."""
        with self._reader() as client:
            return client.raw_query(sql, parameters=dict(params or {}), fmt=fmt)

    async def fetch(self, sql: str, params: Params | None = None) -> Rows:
        """Query from the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.read, sql, params)

    async def fetch_bytes(self, sql: str, params: Params | None = None, *, fmt: str) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: self.read_bytes(sql, params, fmt=fmt)
        )

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """For answers too long to be held; who asks bounds how many there are at once."""
        reading = Reading(lambda: self._connect(_long()))
        try:
            yield reading
        finally:
            reading.close()

    @contextmanager
    def _reader(self) -> Iterator[Client]:
        client = self._readers.get()
        try:
            with _translated():
                if client is None:
                    client = self._connect(
                        {
                            "max_execution_time": limits.STORE_QUERY_S_MAX,
                            "max_result_rows": limits.STORE_QUERY_ROWS_MAX,
                            "distributed_product_mode": "global",
                        }
                    )
                yield client
        finally:
            self._readers.put(client)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        clients = [self._control]
        clients += [self._writers.get() for _ in range(limits.STORE_WRITERS_MAX)]
        clients += [self._readers.get() for _ in range(limits.STORE_READERS_MAX)]
        for client in clients:
            if client is not None:
                client.close()
        self._control = None
