"""The application as the server makes it, over a real state database; asked in the same process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute

from botwatch.api import Context, SignIn, create_app
from botwatch.clock import SECOND_NS, ManualClock
from botwatch.nouns import Role
from botwatch.settings import Settings
from botwatch.state import Access, Database, keys, open_database, tokens, users
from botwatch.state import secrets as state_secrets

NOW_NS = 1_800_000_000 * SECOND_NS
ORIGIN = "http://127.0.0.1:8600"
PASSWORD = "correct horse battery"

with pytest.MonkeyPatch.context() as _cheap:
    _cheap.setattr(state_secrets, "_SCRYPT_LOG2_N", 4)  # a third of a second for each sign-in would add up
    KEPT_PASSWORD = state_secrets.hash_password(PASSWORD)


@dataclass
class House:
    """What a test changes of the server: its readiness, its figures."""

    not_ready: list[str] = field(default_factory=list)
    metrics_text: str = "# TYPE up gauge\nup 1\n"

    async def reasons(self) -> list[str]:
        return self.not_ready

    def render(self) -> str:
        return self.metrics_text


@dataclass
class Secrets:
    """One of each kind there is."""

    admin: str
    monitor: str
    ingest: str


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def database(settings: Settings, with_state: Callable[[Path], None]) -> Iterator[Database]:
    with_state(settings.data)
    database = open_database(settings)
    yield database
    database.close()


@pytest.fixture
async def context(settings: Settings, clock: ManualClock, house: House, database: Database) -> AsyncIterator[Context]:
    access = Access(database, clock, settings.admin_token.get_secret_value())
    sign_in = SignIn(database, access, clock)
    yield Context(settings, clock, database, access, sign_in, readiness=house, self_metrics=house)
    sign_in.close()
    await access.close()


_MADE: dict[int, BaseRoute] = {}


def application(context: Context) -> FastAPI:
    """The framework makes every route anew for each application, and takes longer for it than a test: those of the
    first one are kept. They hold nothing of it: handlers know their application from the request."""
    app = create_app(context)
    for place, route in enumerate(app.router.routes):
        if (router := getattr(route, "original_router", None)) is not None:
            app.router.routes[place] = _MADE.setdefault(id(router), route)
    return app


@pytest.fixture
def app(context: Context) -> FastAPI:
    return application(context)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """As from a program on the same machine: no cookie, no token yet."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        yield client


@pytest.fixture
def secrets(database: Database) -> Secrets:
    def token(role: Role) -> str:
        return database.write_now(
            lambda session: tokens.add_api(session, NOW_NS, "cli", label=f"{role}s", role=role, user=None, days=None)
        )[1]

    ingest = database.write_now(lambda session: keys.add(session, NOW_NS, "cli", "bot"))[1]
    return Secrets(token(Role.ADMIN), token(Role.MONITOR), ingest)


@pytest.fixture
def people(database: Database) -> None:
    """ann is an admin, bob a monitor; both have the same password."""
    for name, role in (("ann", Role.ADMIN), ("bob", Role.MONITOR)):
        database.write_now(lambda session, n=name, r=role: users.add(session, NOW_NS, "cli", n, r, KEPT_PASSWORD))  # type: ignore[misc]


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Status and code; the shape is checked on the way."""
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "hint"}
    assert body["error"]["message"]
    return response.status_code, body["error"]["code"]


async def browser(app: FastAPI, name: str = "ann", origin: str = ORIGIN) -> httpx.AsyncClient:
    """Signed in, and sending what a browser sends with what our own pages ask."""
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=origin, headers={"sec-fetch-site": "same-origin"}
    )
    response = await client.post("/api/auth/sign-in", json={"name": name, "password": PASSWORD})
    assert response.status_code == 200, response.text
    return client
