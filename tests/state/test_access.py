from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from botwatch import limits
from botwatch.clock import ManualClock
from botwatch.errors import StateAway
from botwatch.nouns import Role
from botwatch.settings import Settings
from botwatch.state import Access, Database, Keys, Principal, Via, keys, open_database, tokens, users
from botwatch.state.tokens import DAY_NS, Kind
from botwatch.state.users import Change
from tests.real.postgres import Postgres
from tests.state.conftest import NOW_NS

T = TypeVar("T")


@pytest.fixture
async def access(database: Database, clock: ManualClock) -> AsyncIterator[Access]:
    access = Access(database, clock)
    yield access
    await access.close()


def add_key(database: Database) -> tuple[int, str]:
    key, secret = database.write_now(lambda session: keys.add(session, NOW_NS, "cli", "bot"))
    return key.id, secret


def add_api(database: Database, **options: int) -> tuple[int, str]:
    token, secret = database.write_now(
        lambda session: tokens.add_api(
            session, NOW_NS, "cli", label="t", role=Role.ADMIN, user=None, days=options.get("days")
        )
    )
    return token.id, secret


def add_browser(database: Database) -> str:
    return database.write_now(lambda session: tokens.add_browser(session, NOW_NS, "x", user=None, role=Role.ADMIN))[1]


class Statements:
    """Counts what reaches the database."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        event.listen(database.engine, "before_cursor_execute", self._one_more)

    def _one_more(self, *_: object) -> None:
        self.count += 1


async def test_each_secret_opens_its_own_door_and_no_other(database: Database, access: Access) -> None:
    key, api, browser = add_key(database)[1], add_api(database)[1], add_browser(database)
    opened = {
        name: (await access.bearer(secret), await access.browser(secret), await access.ingest(secret))
        for name, secret in {"key": key, "api": api, "browser": browser}.items()
    }
    assert [bool(door) for door in opened["key"]] == [False, False, True]
    assert [bool(door) for door in opened["api"]] == [True, False, False]
    assert [bool(door) for door in opened["browser"]] == [False, True, False]


@pytest.mark.parametrize("secret", ["", "x", "bw_api_", "é\ud800\0", "x" * 10_000_000, "' OR 1=1 --"])
async def test_what_is_no_secret_opens_nothing(access: Access, secret: str) -> None:
    assert await access.bearer(secret) is None
    assert await access.browser(secret) is None
    assert not await access.ingest(secret)


async def test_the_admin_token_of_the_settings_opens_the_api_and_nothing_else(
    database: Database, clock: ManualClock
) -> None:
    access = Access(database, clock, admin_token="a long word")
    assert await access.bearer("a long word") == Principal("admin-token", Role.ADMIN, Via.SETTING)
    assert await access.bearer("a long wore") is None
    assert await access.browser("a long word") is None
    assert not await access.ingest("a long word")


async def test_an_unset_admin_token_is_not_the_empty_one(database: Database, clock: ManualClock) -> None:
    assert await Access(database, clock, admin_token="").bearer("") is None


async def test_no_request_waits_for_the_database_while_nothing_changes(
    database: Database, clock: ManualClock, access: Access
) -> None:
    key = add_key(database)[1]
    assert await access.ingest(key)
    await access.close()  # the last use is written by now
    statements = Statements(database)
    for number in range(1_000):
        assert await access.ingest(key)
        assert not await access.ingest(f"made up {number}")
    assert statements.count == 0
    clock.advance(limits.ACCESS_STALE_S_MAX)
    assert await access.ingest(key)
    assert statements.count <= 2  # BEGIN and the stamp


async def test_what_is_revoked_here_opens_nothing_at_once(database: Database, access: Access) -> None:
    key_id, key = add_key(database)
    token_id, token = add_api(database)
    assert await access.ingest(key)
    assert await access.bearer(token)
    await access.change(lambda session: keys.revoke(session, NOW_NS, "cli", key_id))
    await access.change(lambda session: tokens.revoke(session, NOW_NS, "cli", Kind.API, token_id))
    assert not await access.ingest(key)
    assert await access.bearer(token) is None


async def test_what_changes_on_another_node_counts_within_the_bound(
    settings: Settings, database: Database, clock: ManualClock, access: Access
) -> None:
    key_id, key = add_key(database)
    assert await access.ingest(key)
    other = open_database(settings)
    other.write_now(lambda session: keys.revoke(session, NOW_NS, "cli", key_id))
    new = other.write_now(lambda session: keys.add(session, NOW_NS, "cli", "new"))[1]
    other.close()
    assert limits.ACCESS_STALE_S_MAX <= 5
    clock.advance(limits.ACCESS_STALE_S_MAX)
    assert not await access.ingest(key)
    assert await access.ingest(new)


async def test_a_change_during_a_refresh_is_not_overlooked(
    database: Database, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_id, key = add_key(database)
    read = database.read
    read_once, go_on = asyncio.Event(), asyncio.Event()

    async def slow(work: Callable[[Session], T]) -> T:
        result = await read(work)
        if not read_once.is_set():
            read_once.set()
            await go_on.wait()
        return result

    monkeypatch.setattr(database, "read", slow)
    early = asyncio.create_task(access.ingest(key))
    await read_once.wait()
    await access.change(lambda session: keys.revoke(session, NOW_NS, "cli", key_id))
    late = asyncio.create_task(access.ingest(key))
    await asyncio.sleep(0)
    go_on.set()
    assert not await late
    await early


async def test_a_token_ends_with_its_time_without_a_look_at_the_database(
    database: Database, clock: ManualClock, access: Access
) -> None:
    token = add_api(database, days=1)[1]
    clock.advance(DAY_NS / 1e9 - 1)
    assert await access.bearer(token)
    clock.advance(0.999)
    assert await access.bearer(token)
    await access.close()
    statements = Statements(database)
    clock.advance(0.001)
    assert await access.bearer(token) is None
    assert statements.count == 0


async def test_a_user_who_is_disabled_is_out_with_all_tokens(database: Database, access: Access) -> None:
    database.write_now(lambda session: users.add(session, NOW_NS, "cli", "root", Role.ADMIN, "x"))
    ann = database.write_now(lambda session: users.add(session, NOW_NS, "cli", "ann", Role.ADMIN, "x"))
    secret = database.write_now(lambda session: tokens.add_browser(session, NOW_NS, "ann", user=ann, role=ann.role))[1]
    found = await access.browser(secret)
    assert found is not None
    assert (found.name, found.role, found.user_id) == ("ann", Role.ADMIN, ann.id)
    await access.change(lambda session: users.change(session, NOW_NS, "cli", "ann", Change(disabled=True)))
    assert await access.browser(secret) is None


async def test_last_use_is_written_once_a_minute(database: Database, clock: ManualClock, access: Access) -> None:
    def last_used() -> list[int | None]:
        return [key.last_used_ns for key in database.read_now(lambda session: keys.listed(session, count=9))]

    key, unused = add_key(database)[1], add_key(database)[1]
    assert unused != key
    assert await access.ingest(key)
    await access.close()
    first = clock.now_ns()
    assert last_used() == [first, None]
    clock.advance(limits.LAST_USED_WRITE_S_MIN - 1)
    assert await access.ingest(key)
    await access.close()
    assert last_used() == [first, None]
    clock.advance(1)
    assert await access.ingest(key)
    await access.close()
    assert last_used() == [clock.now_ns(), None]


async def test_while_the_database_is_away_what_was_read_last_stands(
    postgres: Postgres, tmp_path: Path, clock: ManualClock
) -> None:
    with postgres.database() as url:
        database = open_database(Settings(data=tmp_path, state=url))
        key, token = add_key(database)[1], add_api(database, days=1)[1]
        access = Access(database, clock)
        assert await access.ingest(key)
        with postgres.closed(url):
            clock.advance(limits.ACCESS_STALE_S_MAX)
            assert await access.ingest(key)
            assert access.away
            assert await access.bearer(token)
            clock.advance(86_400)
            assert await access.bearer(token) is None
            with pytest.raises(StateAway):
                await Access(database, clock).ingest(key)
            await access.close()
        clock.advance(limits.ACCESS_STALE_S_MAX)
        assert await access.ingest(key)
        await access.close()
        assert not access.away
        database.close()


async def test_a_database_that_hangs_is_away_too(
    database: Database, clock: ManualClock, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(_: object) -> None:
        await asyncio.Event().wait()

    key = add_key(database)[1]
    assert await access.ingest(key)
    monkeypatch.setattr(database, "read", hangs)
    monkeypatch.setattr(limits, "STATE_BUSY_S_MAX", 0.05)
    clock.advance(limits.ACCESS_STALE_S_MAX)
    assert await access.ingest(key)
    assert access.away


async def test_receivers_ask_for_a_key_only_where_one_is_required(database: Database, access: Access) -> None:
    key, token = add_key(database)[1], add_api(database)[1]
    asked, open_house = Keys(access, required=True), Keys(access, required=False)
    assert await asked.admits(key)
    assert not await asked.admits(None)
    assert not await asked.admits("")
    assert not await asked.admits(token)
    assert await open_house.admits(None)
    assert await open_house.admits("anything")
