"""What stands around the pages: signing in, keys, the look, and a server that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import NARROW, Look, Opened, address, asked, sign_in_link
from tests.fault.harness import Botwatch, running

PASSWORD = "correct horse battery"


def test_the_link_signs_in_once_and_what_it_gave_ends_with_signing_out(server: Botwatch, open_page: Opened) -> None:
    page = open_page().at("/conversations")
    other = open_page(anyone=True)
    other.may_say = "401"
    other.page.goto(sign_in_link(server))
    expect(other.page.locator("body")).to_contain_text("link")
    expect(page.get_by_role("heading", name="Conversations")).to_be_visible()


@pytest.mark.parametrize("size", [(1440, 900), NARROW], ids=lambda size: f"{size[0]}px")
def test_a_name_and_a_password_sign_in(server: Botwatch, open_page: Opened, size: tuple[int, int]) -> None:
    name = f"viewer-{size[0]}"
    answer = asked(server, "POST", "/api/users", json={"name": name, "role": "monitor", "password": PASSWORD})
    assert answer.is_success, answer.text
    look = open_page(size, anyone=True)
    look.may_say = "401"
    page = look.page
    page.goto(look.base + "/conversations?state=all")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("not the password")
    look.shot(f"sign-in-light-{size[0]}")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="All sessions")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_session_that_is_revoked_ends_in_the_open_page(server: Botwatch, open_page: Opened) -> None:
    look = open_page(anyone=True)
    look.may_say = "401"
    answer = asked(server, "POST", "/api/users", json={"name": "leaver", "role": "monitor", "password": PASSWORD})
    assert answer.is_success, answer.text
    look.page.goto(look.base)
    look.page.get_by_label("Name").fill("leaver")
    look.page.get_by_label("Password").fill(PASSWORD)
    look.page.get_by_role("button", name="Sign in").click()
    expect(look.page.get_by_text("LIVE")).to_be_visible()
    answer = asked(server, "PATCH", "/api/users/leaver", json={"disabled": True})
    assert answer.is_success, answer.text
    expect(look.page.get_by_label("Password")).to_be_visible()


def test_every_key_does_what_the_list_of_keys_says(open_page: Opened) -> None:
    page = open_page().at("/")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys.locator("kbd")).to_have_text([*"1234567", "R", "F", "S", "/", "Ctrl K", "Esc", "?"])
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    for key, name, path in (
        ("2", "Conversations", "/conversations"),
        ("3", "System", "/system"),
        ("4", "Actions", "/actions"),
        ("5", "Alerts", "/alerts"),
        ("6", "Explore", "/explore"),
        ("7", "Insights", "/insights"),
        ("1", "Overview", "/"),
    ):
        page.keyboard.press(key)
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        assert address(page).endswith(path)
    with page.expect_response("**/api/monitoring/history*"):  # in its own time it comes only every half a minute
        page.keyboard.press("r")
    page.keyboard.press("s")
    expect(page.get_by_role("navigation", name="Tabs")).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    expect(page.get_by_role("navigation", name="Tabs")).to_be_hidden()
    page.keyboard.press("S")
    expect(page.get_by_role("navigation", name="Tabs")).to_be_visible()
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement === null")
    page.keyboard.press("2")
    page.keyboard.press("/")
    expect(page.get_by_label("Search session or user")).to_be_focused()
    page.keyboard.type("s1")  # letters and figures are text here, and no keys
    expect(page.get_by_label("Search session or user")).to_have_value("s1")
    expect(page.get_by_role("navigation", name="Tabs")).to_be_visible()


def test_the_look_follows_the_system_until_one_chooses(open_page: Opened) -> None:
    page = open_page(color_scheme="dark").at("/")
    dark = _ground(page)
    page.get_by_role("button", name="Look: as the system is").click()
    light = _ground(page)
    assert light != dark
    page.reload()
    expect(page.get_by_role("button", name="Look: light")).to_be_visible()
    assert _ground(page) == light
    page.get_by_role("button", name="Look: light").click()
    assert _ground(page) == dark
    page.emulate_media(color_scheme="light")
    assert _ground(page) == dark
    page.get_by_role("button", name="Look: dark").click()
    assert _ground(page) == light


def _ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_before_the_first_bot_the_page_says_how_to_send_and_fills_by_itself(chromium: Browser, tmp_path: Path) -> None:
    """And when the server is killed it says so, keeps what it knew, and is live again after a restart."""
    from tests.browser import seed

    with running(tmp_path) as botwatch:
        look = Look(chromium.new_context().new_page(), f"http://127.0.0.1:{botwatch.web}")
        page = look.page
        page.goto(sign_in_link(botwatch))
        expect(page.get_by_role("heading", name="No bot has been heard yet")).to_be_visible()
        expect(page.locator("pre").nth(1)).to_contain_text(look.base)
        look.shot("first-run-light-1280")
        seed.send(botwatch.otlp)
        botwatch.wait_drained()
        page.keyboard.press("r")
        figure = page.locator(".card", has_text="Sessions").locator("strong")
        expect(figure).to_have_text(str(seed.SESSIONS))
        assert look.said == []

        assert botwatch.process is not None
        botwatch.process.kill()
        gone = page.get_by_role("alert")
        expect(gone).to_contain_text("The server does not answer. What you see is as it was at")
        expect(page.get_by_text("NOT LIVE")).to_be_visible()
        expect(figure).to_have_text(str(seed.SESSIONS))
        look.shot("gone-light-1280")

        botwatch.start()
        expect(page.get_by_text("LIVE", exact=True)).to_be_visible()
        expect(gone).to_have_count(0)
        page.context.close()
