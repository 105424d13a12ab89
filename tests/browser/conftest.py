"""A real server, sent to over OTLP, and Debian's Chromium that looks at it."""

from __future__ import annotations

import fcntl
import os
import re
import runpy
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    StorageState,
    TimeoutError,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browser import seed
from tests.fault.harness import TOKEN, Botwatch, running
from tests.real.parts import require_part, zone_at_noon

ROOT: Final = Path(__file__).parents[2]
SHOTS: Final = ROOT / "artifacts"
WIDE: Final = (1440, 900)
NARROW: Final = (390, 844)
PATIENCE_MS: Final = 60_000  # how long it takes on a busy machine is the bench's to say
SURE_MS: Final = 5_000  # for so long a button that deletes asks whether one is sure
expect.set_options(timeout=PATIENCE_MS)
LAUNCH: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def builder() -> SimpleNamespace:
    """What the build of the package is made with."""
    return SimpleNamespace(**runpy.run_path(str(ROOT / "hatch_build.py")))


@contextmanager
def alone() -> Iterator[None]:
    """Tests may run in several processes: what changes the checkout is done by one at a time."""
    with Path(tempfile.gettempdir(), f"botwatch-build-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def node_modules(builder: SimpleNamespace) -> Path:
    """The pages' tools, with those that only tests need."""
    folder = ROOT / "web" / "node_modules"
    with alone():
        if not (folder / "vitest").is_dir() or not (folder / "axe-core").is_dir():
            builder.run_npm(ROOT / "web", "ci", "--ignore-scripts")
    return folder


@pytest.fixture(scope="session")
def built(builder: SimpleNamespace) -> None:
    """The pages as the sources say now: who changes them need not install the package again."""
    with alone():
        if builder.is_stale(ROOT):
            builder.build(ROOT)


@pytest.fixture(scope="session")
def server(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Botwatch]:
    # Whatever the hour, and however long all tests take: what was sent is of today, and its sessions are active.
    told = {"BOTWATCH_WATCH_HOST": "true", "BOTWATCH_TIME_ZONE": zone_at_noon(), "BOTWATCH_IDLE_MINUTES": "1440"}
    with running(tmp_path_factory.mktemp("watched"), **told) as botwatch:
        seed.send(botwatch.otlp)
        botwatch.wait_drained()
        _wait_settled(botwatch)
        yield botwatch


def _wait_settled(botwatch: Botwatch) -> None:
    """What became of a message is known a moment after the message."""
    until_s = time.monotonic() + 60
    while botwatch.get("/api/monitoring/status")["messages"]["avg_response_ms"] is None:
        assert time.monotonic() < until_s, "no turn was settled"
        time.sleep(0.2)


# A browser that stays open would keep the loop of every asynchronous test after it from running.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = require_part("chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(LAUNCH), timeout=PATIENCE_MS)
        yield browser
        browser.close()


def asked(botwatch: Botwatch, method: str, path: str, **more: Any) -> httpx.Response:
    """What the server says to a program."""
    headers = {"authorization": f"Bearer {TOKEN}", **more.pop("headers", {})}
    return httpx.request(method, f"http://127.0.0.1:{botwatch.web}{path}", headers=headers, timeout=60, **more)


def sign_in_link(botwatch: Botwatch) -> str:
    assert botwatch.process is not None
    return botwatch.process.wait_for_line(r"^Sign in: (\S+)$")[1]


@pytest.fixture(scope="session")
def _kept() -> dict[str, StorageState]:
    return {}


@pytest.fixture(scope="module")
def signed_in(server: Botwatch, chromium: Browser, _kept: dict[str, StorageState]) -> StorageState:
    """The link works once: the browsers after the first come with what it was given."""
    if not _kept:
        context = chromium.new_context()
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(sign_in_link(server))
        page.get_by_role("heading", name="Overview").wait_for()
        _kept["state"] = context.storage_state()
        context.close()
    return _kept["state"]


@dataclass
class Look:
    """A page that must not complain: what its console says is kept, and must be nothing but what `may_say` allows.

    The browser tells its console of every answer that is no success, and when it does is its own affair.
    """

    page: Page
    base: str
    said: list[str] = field(default_factory=list)
    may_say: str = ""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)

    def at(self, path: str) -> Page:
        self.page.goto(self.base + path)
        self.page.locator("h1").first.wait_for()
        return self.page

    def complaints(self) -> list[str]:
        return [line for line in self.said if not self.may_say or not re.search(self.may_say, line)]

    def shot(self, name: str) -> None:
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


Opened = Callable[..., Look]


def fits(page: Page, width: int) -> bool:
    """Whether nothing has to be pushed sideways. Charts take their new width a moment after the page has."""
    with suppress(TimeoutError):
        page.wait_for_function(
            "width => innerWidth === width && document.documentElement.scrollWidth <= width", arg=width
        )
    return bool(page.evaluate("width => document.documentElement.scrollWidth <= width", width))


def delete(place: Page | Locator, what: str) -> None:
    """It takes two clicks, the second within seconds: where the machine stood still in between, both once more."""
    first, second = (place.get_by_role("button", name=f"Delete {what}{more}", exact=True) for more in ("", ", really"))
    for _ in range(5):
        first.click()
        with suppress(TimeoutError):
            second.click(timeout=SURE_MS)
            return
    raise AssertionError(f"{what} cannot be deleted")


def address(page: Page) -> str:
    """As the page has it now: what the driver knows of it comes a moment later."""
    return str(page.evaluate("location.href"))


@pytest.fixture
def open_page(server: Botwatch, chromium: Browser, signed_in: StorageState) -> Iterator[Opened]:
    contexts = []
    looks = []

    def opened(size: tuple[int, int] = WIDE, *, anyone: bool = False, **more: Any) -> Look:
        context = chromium.new_context(
            viewport=ViewportSize(width=size[0], height=size[1]),
            storage_state=None if anyone else signed_in,
            **more,
        )
        contexts.append(context)
        looks.append(Look(context.new_page(), f"http://127.0.0.1:{server.web}"))
        return looks[-1]

    yield opened
    for look in looks:
        look.page.unroute_all(behavior="ignoreErrors")  # a question may be on its way: a page asks by itself
    for context in contexts:
        context.close()
    assert [line for look in looks for line in look.complaints()] == [], "the console of a page must stay empty"
