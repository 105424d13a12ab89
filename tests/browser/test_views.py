"""Every view, in both themes and both sizes: it fits, it reads, and it shows what was sent."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, StorageState, TimeoutError, ViewportSize, expect

from tests.browser.conftest import NARROW, WIDE, Look, Opened, address, fits
from tests.browser.seed import EVIL_ESCAPES, EVIL_SESSION, EVIL_TEXT, EVIL_USER, SESSIONS, TRACE
from tests.fault.harness import Botwatch

EVIL_PATH = "/conversations/e%2Fv%3Fi%23l%26%252F%3Ci%3Eid%3C%2Fi%3E"
VIEWS = {
    "overview": "/",
    "conversations": "/conversations",
    "conversation": EVIL_PATH,
    "system": "/system",
    "new-service": "/system?new=service",
    "actions": "/actions",
    "dependency": "/actions/dependencies?bot=support&name=carrier-api",
    "models": "/actions/models",
    "queues": "/actions/queues",
    "alerts": "/alerts",
    "rules": "/alerts/rules",
    "rule": "/alerts/rules?rule=Response+time+high",
    "new-rule": "/alerts/rules?new=contract&q=nothing+like+it",
    "channels": "/alerts/channels",
    "silences": "/alerts/silences",
    "logs": "/explore?q=carrier",
    "traces": "/explore/traces",
    "trace": f"/traces/{TRACE}",
    "faults": "/explore/faults",
    "measures": "/explore/measures?measure=messages.count&by=bot",
    "insights": "/insights",
    "misunderstood": "/insights/misunderstood",
    "week": "/insights/week",
    "settings": "/settings",
    "doctor": "/doctor",
}
WIDTHS = (360, 901, 1261, 3840)
AXE = "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })"
# In the dark a phone is looked at in full; a wide page has besides only what a phone does not show.
CONTRAST = "axe.run({ include: %s }, { runOnly: { type: 'rule', values: ['color-contrast'] } })"
# A panel cuts off what is wider than it; what is pushed sideways within it is meant to be.
CUT = """() => [...document.querySelectorAll('.panel')].flatMap((panel) => {
  const right = panel.getBoundingClientRect().right + 1;
  const cut = (one) => one.offsetParent && one.getBoundingClientRect().right > right && !one.closest('.scroll, pre');
  return [...panel.querySelectorAll('th, td, h2, h3, p, dd, code, button, select, figure')].filter(cut);
}).slice(0, 3).map((one) => one.outerHTML.slice(0, 80))"""
STYLES = Path(__file__).parents[2] / "web" / "src" / "styles.css"
LOOKS = ((1440, "light", AXE), (1440, "dark", CONTRAST), (390, "dark", AXE), (390, "light", ""))


@pytest.fixture(scope="module")
def walking(server: Botwatch, chromium: Browser, signed_in: StorageState, node_modules: Path) -> Iterator[Look]:
    """One page for all views: as for people, going from one to the next loads nothing anew."""
    context = chromium.new_context(viewport=ViewportSize(width=WIDE[0], height=WIDE[1]), storage_state=signed_in)
    page = context.new_page()
    look = Look(page, f"http://127.0.0.1:{server.web}")
    look.at("/")
    page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    yield look
    context.close()


@pytest.mark.parametrize("view", VIEWS)
def test_anyone_can_read_a_view_from_a_phone_to_a_wall(walking: Look, view: str) -> None:
    look, page = walking, walking.page
    page.set_viewport_size(ViewportSize(width=WIDE[0], height=WIDE[1]))
    page.emulate_media(color_scheme="light")
    page.evaluate(
        "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }", VIEWS[view]
    )
    _filled(page, view)
    for width, theme, run in LOOKS:
        page.set_viewport_size(ViewportSize(width=width, height=WIDE[1] if width == WIDE[0] else NARROW[1]))
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.wait_for_function("width => innerWidth === width", arg=width)
        look.shot(f"{view}-{theme}-{width}")
        if run is CONTRAST:
            shown = [one for one in _wide_only() if page.locator(one).count()]
            run = run % json.dumps(shown) if shown else ""  # noqa: PLW2901
        found = page.evaluate(run)["violations"] if run else []
        assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == []
    for width in WIDTHS:
        page.set_viewport_size(ViewportSize(width=width, height=1_000))
        assert fits(page, width), f"at {width} px it scrolls sideways"
        assert _settled(page, CUT) == [], f"at {width} px a panel cuts it off"
    said, look.said[:] = list(look.said), []
    assert said == [], "the console of a page must stay empty"


def _settled(page: Page, asked: str) -> list[str]:
    """Charts take their new width a moment after the page has."""
    with contextlib.suppress(TimeoutError):
        page.wait_for_function(f"() => !({asked})().length", timeout=20_000)
    found: list[str] = page.evaluate(asked)
    return found


def _wide_only() -> list[str]:
    """What the style sheet hides where there is little room."""
    narrow = STYLES.read_text(encoding="utf-8").partition("@media (max-width")[2].partition("{")[2]
    hidden = re.findall(r"^\s*([^{}@]+)\{[^}]*display: none", narrow, re.MULTILINE)
    return [selector.strip() for group in hidden for selector in group.split(",")]


def _filled(page: Page, view: str) -> None:
    counts = {"overview": 3, "actions": 3, "dependency": 5, "models": 5, "measures": 1}
    if view in counts:
        expect(page.locator("canvas")).to_have_count(counts[view])
    elif view == "conversation":
        expect(page.locator(".transcript li")).to_have_count(2)
    elif view == "trace":
        expect(page.locator(".waterfall button")).to_have_count(4)
    elif view == "logs":
        expect(page.locator(".logs li").first).to_be_visible()
    elif view in ("conversations", "traces", "faults", "settings"):
        expect(page.locator("tbody tr").first).to_be_visible()
    expect(page.get_by_text("Loading…")).to_have_count(0)
    expect(page.get_by_text("LIVE", exact=True)).to_be_visible()


def test_the_overview_tells_the_figures_and_where_there_are_none(open_page: Opened) -> None:
    page = open_page().at("/")
    sessions = page.locator(".card", has_text="Sessions")
    expect(sessions.locator("strong")).to_have_text(str(SESSIONS))
    expect(sessions.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(rf"Active sessions: highest {SESSIONS}")
    )
    expect(page.locator(".card", has_text="Messages").locator("strong")).to_have_text(str(SESSIONS * 2))
    expect(page.locator(".card", has_text="Response").locator("strong")).to_have_text("1 s")
    resources = page.locator("section", has=page.get_by_role("heading", name="System resources"))
    for name in ("CPU", "MEM", "DISK"):
        expect(resources.get_by_role("meter", name=name)).to_have_attribute("aria-valuenow", re.compile(r"^\d+$"))
    gpu = resources.get_by_text("GPU: ").or_(resources.get_by_role("meter", name="GPU"))
    expect(gpu.first).to_be_visible()  # why there is none, or how busy it is
    parcels = page.locator("tr", has_text="carrier-api")
    expect(parcels).to_contain_text("0 %")
    expect(parcels).to_contain_text("550 ms")


def test_a_resource_is_judged_by_its_thresholds(open_page: Opened) -> None:
    look = open_page()

    def told(route: Route) -> None:
        resources = {"cpu_percent": 70, "memory_percent": 86, "gpu_percent": None, "disk_percent": 93}
        route.fulfill(json={**route.fetch().json(), "resources": resources})

    look.page.route("**/api/monitoring/status", told)
    # This machine may be in a worse way, and would be named.
    look.page.route("**/api/hosts?*", lambda route: route.fulfill(json=route.fetch().json() | {"items": []}))
    # It would push how things really are.
    look.page.route("**/api/live", lambda route: route.fulfill(content_type="text/event-stream", body=": quiet\n\n"))
    page = look.at("/")
    bars = page.locator(".bars > div")
    marks = ("CPU ● 70 %", "MEM ▲ 86 %", "GPU ○ no data", "DISK ■ 93 %")
    for place, mark in enumerate(marks):
        expect(bars.nth(place)).to_have_text(re.compile(mark.replace(" ", r"\s*")))
    expect(page.get_by_role("meter", name="MEM")).to_have_attribute("aria-valuenow", "86")
    for remedy in ("MEM: add memory, or reduce caches", "DISK: clean up, or add storage"):
        expect(page.get_by_text(remedy)).to_be_visible()
    expect(page.get_by_text("CPU: ")).to_have_count(0)
    expect(page.get_by_role("meter", name="GPU")).to_have_count(0)


def test_a_machine_in_a_worse_way_than_the_average_is_named_with_it(open_page: Opened) -> None:
    look = open_page()

    def told(route: Route) -> None:
        answer = route.fetch().json()
        known = answer["items"][0] | {"measured": answer["items"][0]["last_seen"]}
        shares = {"memory_percent": 40, "gpu_percent": None, "disk_percent": 20}
        items = [
            known | {"name": name, "resources": shares | {"cpu_percent": cpu}} for name, cpu in (("a", 4), ("b", 98))
        ]
        route.fulfill(json=answer | {"items": items})

    def average(route: Route) -> None:
        resources = {"cpu_percent": 51, "memory_percent": 40, "gpu_percent": None, "disk_percent": 20}
        route.fulfill(json={**route.fetch().json(), "resources": resources})

    look.page.route("**/api/hosts?*", told)
    look.page.route("**/api/monitoring/status", average)
    look.page.route("**/api/live", lambda route: route.fulfill(content_type="text/event-stream", body=": quiet\n\n"))
    page = look.at("/")
    expect(page.locator(".bars > div").first).to_have_text(re.compile(r"CPU\s*●\s*51 %\s*b\s*■\s*98 %"))
    expect(page.locator(".bars .worse")).to_have_count(1)
    expect(page.get_by_text("CPU: scale up")).to_be_visible()


def test_247_sessions_are_25_pages(open_page: Opened) -> None:
    page = open_page().at("/conversations")
    expect(page.get_by_role("heading", name=f"Active sessions ({SESSIONS})")).to_be_visible()
    pages = page.get_by_role("navigation", name="Pages")
    assert re.findall(r"\d+|…", pages.inner_text())[:7] == ["1", "2", "3", "4", "5", "…", "25"]
    seen: set[str] = set()
    for number in range(1, 26):
        expect(pages.locator("[aria-current]")).to_have_text(str(number))
        expect(page.locator("tbody tr")).to_have_count(10 if number < 25 else 7)
        seen |= set(page.locator("tbody .id").all_inner_texts())
        if number < 25:
            first = page.locator("tbody .id").first.inner_text()
            page.get_by_role("button", name="Next page").click()
            expect(page.locator("tbody .id").first).not_to_have_text(first)
    assert address(page).endswith("?page=25")
    expect(page.get_by_role("button", name="Next page")).to_be_disabled()
    assert len(seen) == SESSIONS


def test_filters_stand_in_the_address_and_can_be_taken_back(open_page: Opened) -> None:
    page = open_page().at("/conversations")
    page.get_by_label("Bot").select_option("orders")
    expect(page.get_by_role("heading", name="Active sessions (123)")).to_be_visible()
    page.get_by_label("Channel").select_option("Email")
    expect(page.get_by_role("heading", name="Active sessions (41)")).to_be_visible()
    page.get_by_label("Search session or user").fill("s-0005")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert address(page).endswith("/conversations?bot=orders&channel=Email&q=s-0005")
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Email")
    page.get_by_label("Search session or user").fill("nobody at all")
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.get_by_role("heading", name=f"Active sessions ({SESSIONS})")).to_be_visible()
    page.get_by_role("button", name="Ended").click()
    expect(page.locator("main")).to_contain_text("There are none yet")
    page.go_back()
    expect(page.get_by_role("heading", name=f"Active sessions ({SESSIONS})")).to_be_visible()
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.get_by_role("heading", name="All sessions")).to_be_visible()
    page.get_by_label("On a page").select_option("100")
    expect(page.locator("tbody tr")).to_have_count(100)


def test_a_conversation_opens_from_the_list_and_closes_to_where_one_was(open_page: Opened) -> None:
    page = open_page().at("/conversations?page=3")
    row = page.locator("tbody tr").nth(4)
    name = row.locator(".id").inner_text()
    row.click()
    expect(page.get_by_role("heading", name=f"Session: {name}")).to_be_visible()
    for fact in ("User", "Channel", "Started", "Duration", "Bot"):
        expect(page.locator("dt", has_text=re.compile(f"^{fact}$"))).to_be_visible()
    lines = page.locator(".transcript li")
    expect(lines.nth(0)).to_contain_text(re.compile(r"\d\d:\d\d:\d\d\s*User\s*Hello\s*●\s*answered in 1 s"))
    expect(lines.nth(1)).to_contain_text("Hello! How can I help you today?")
    page.keyboard.press("Escape")
    expect(page.locator("[aria-current]", has_text="3")).to_be_visible()
    assert address(page).endswith("/conversations?page=3")


def test_what_hostile_people_write_is_text(open_page: Opened) -> None:
    page = open_page().at("/conversations?bot=support&q=e%2Fv")
    expect(page.locator("tbody .id")).to_have_text(EVIL_SESSION)
    expect(page.locator("tbody .user")).to_have_text(EVIL_USER)
    page.locator("tbody a").click()
    expect(page.get_by_role("heading", name=f"Session: {EVIL_SESSION}")).to_be_visible()
    messages = page.locator(".transcript .message")
    expect(messages.nth(0)).to_have_text(EVIL_TEXT)
    expect(messages.nth(1)).to_have_text("ESC[2JESC[31mredBEL and txt.U+202EexeU+2066")
    assert not set(EVIL_ESCAPES) & set("\x1b\x07\u202e\u2066") & set(page.inner_text("body"))
    assert page.evaluate("document.querySelectorAll('main :is(img, script, i, svg)').length") == 0
    page.get_by_role("link", name="answer <b>bold</b>").click()
    expect(page.get_by_role("heading", name="Trace: answer <b>bold</b>")).to_be_visible()
    expect(page.get_by_role("link", name=EVIL_SESSION)).to_be_visible()
    expect(page).to_have_title("Explore – Botwatch")


def test_a_trace_shows_what_failed_and_a_span_opens(open_page: Opened) -> None:
    page = open_page().at(f"/traces/{TRACE}")
    failed = page.get_by_role("button", name="GET /parcels")
    expect(failed).to_contain_text("timeout")
    expect(failed).to_contain_text("550 ms")
    failed.click()
    opened = page.locator(".waterfall .opened")
    expect(opened).to_contain_text("carrier-api")
    assert "span=" in address(page)
    page.reload()
    expect(opened).to_contain_text("error.type")
    failed.click()
    expect(opened).to_have_count(0)


def test_logs_are_found_by_word_and_level_and_open_to_their_attributes(open_page: Opened) -> None:
    page = open_page().at("/explore")
    page.get_by_label("Level").select_option("Errors")
    expect(page.locator(".logs li")).to_have_count(1)
    page.locator(".logs summary").click()
    page.locator(".logs").get_by_role("link", name="ORD-1").click()
    expect(page.get_by_role("button", name="Remove attr.order")).to_contain_text("order = ORD-1")
    expect(page.locator(".logs li")).to_have_count(1)
    page.go_back()
    expect(page.locator(".chip")).to_have_count(0)
    page.get_by_label("Level").select_option("All levels")
    expect(page.locator(".logs li").nth(99)).to_be_visible()
    page.get_by_role("button", name="Older").click()
    expect(page.locator(".logs li").nth(199)).to_be_visible()
    page.get_by_label("Search").fill('"carrier did not"')
    expect(page.locator(".logs li")).to_have_count(1)
    page.get_by_label("Search").fill("nothing like it")
    expect(page.locator("main")).to_contain_text("No log record")
    page.wait_for_url("**/explore?q=nothing+like+it")
    page.get_by_label("Bot").select_option("orders")
    page.get_by_role("combobox", name="Time").select_option("15m")
    page.wait_for_url("**/explore?q=nothing+like+it&bot=orders&period=15m")


def test_traces_are_found_by_their_outcome(open_page: Opened) -> None:
    page = open_page().at("/explore")
    page.get_by_role("link", name="Traces").click()
    page.get_by_label("Outcome").select_option("Failed")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("A span took").select_option("1 s or more")
    expect(page.locator("main")).to_contain_text("No trace fits")


def test_a_page_that_breaks_says_so_and_leaves_the_others(open_page: Opened) -> None:
    look = open_page()
    look.may_say = "."
    look.page.route("**/api/actions*", lambda route: route.fulfill(json={"items": [{"name": None}]}))
    page = look.at("/")
    expect(page.locator("main")).to_contain_text("This page has broken")
    page.keyboard.press("2")
    expect(page.locator("tbody tr")).to_have_count(10)
    assert look.said


def test_what_the_server_refuses_is_told_where_it_is_missing(open_page: Opened) -> None:
    look = open_page()
    look.may_say = "503"
    look.page.route(
        "**/api/actions*",
        lambda route: route.fulfill(
            status=503, json={"error": {"code": "store_away", "message": "The store is away.", "hint": "Start it."}}
        ),
    )
    page = look.at("/")
    actions = page.locator("section", has=page.get_by_role("heading", name="Actions"))
    expect(actions.get_by_role("alert")).to_contain_text("The store is away.")
    expect(actions).to_contain_text("Start it.")
    expect(page.locator(".card", has_text="Sessions").locator("strong")).to_have_text(str(SESSIONS))
    look.page.unroute("**/api/actions*")
    expect(actions).to_contain_text("answer <b>bold</b>")


def test_an_address_that_is_no_view_says_so(open_page: Opened) -> None:
    page = open_page().at("/no/such/place")
    expect(page.locator("main")).to_contain_text("There is no page at this address")
