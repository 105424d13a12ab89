"""Long answers, block by block: from the embedded engine, and over HTTP from a server."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing
from pathlib import Path

import pytest

from botwatch import limits
from botwatch.errors import StoreRefused
from botwatch.store.client import Store

COUNTED = "SELECT number, toString(number) AS text, toString(number) AS kept FROM numbers({n:UInt64})"
ROWS = 3 * limits.STORE_LONG_BLOCK_ROWS_MAX


async def read(store: Store) -> None:
    async with store.reading() as reading:
        for n in (ROWS, 0, 5):
            blocks = [block async for block in reading.blocks(COUNTED, {"n": n}, raw=("kept",))]
            assert sum(len(block[0]) for block in blocks) == n
            assert all(len(block[0]) <= 2 * limits.STORE_LONG_BLOCK_ROWS_MAX for block in blocks)
        assert [list(column) for column in blocks[0]] == [
            [0, 1, 2, 3, 4],
            ["0", "1", "2", "3", "4"],
            [b"0", b"1", b"2", b"3", b"4"],
        ]


async def test_an_answer_is_read_in_blocks(bare_store: Store) -> None:
    await read(bare_store)


async def test_a_server_answers_as_the_embedded_engine_does(clickhouse_url: str, tmp_path: Path) -> None:
    store = Store.open(f"{clickhouse_url}t_{uuid.uuid4().hex[:12]}", data=tmp_path)
    store.create()
    await read(store)
    store.close()


async def test_one_that_is_left_early_ends_and_the_next_begins(bare_store: Store) -> None:
    async with bare_store.reading() as reading:
        async with aclosing(reading.blocks(COUNTED, {"n": 10**12})) as blocks:
            async for block in blocks:
                assert block[0][0] == 0
                break
        assert [len(block[0]) async for block in reading.blocks(COUNTED, {"n": 3})] == [3]


async def test_whoever_gives_up_waiting_ends_it(bare_store: Store) -> None:
    endless = "SELECT count() FROM numbers({n:UInt64}) WHERE sleepEachRow(0.001) GROUP BY intDiv(number, 7)"

    async def wait(n: int) -> list[int]:
        async with bare_store.reading() as reading:
            return [len(block[0]) async for block in reading.blocks(endless, {"n": n})]

    waiting = asyncio.create_task(wait(200))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await bare_store.fetch("SELECT 1")).first == (1,)


async def test_what_the_engine_refuses_is_refused_in_our_words(bare_store: Store) -> None:
    async with bare_store.reading() as reading:
        with pytest.raises(StoreRefused) as refused:
            _ = [block async for block in reading.blocks("SELECT secret FROM nowhere")]
        assert "secret" not in refused.value.message
        late = "SELECT throwIf(number = 100000) FROM numbers(200000)"
        with pytest.raises(StoreRefused):
            _ = [block async for block in reading.blocks(late)]
