"""What one does with the pages: choose a time, look closer, build a chart, take it home, be kept up to date."""

from __future__ import annotations

import csv
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.browser.conftest import Look, Opened, address, asked, fits
from tests.browser.seed import EVIL_ESCAPES, EVIL_TEXT, FAULT
from tests.fault.harness import Botwatch

PASSWORD = "correct horse battery"


def params(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address(page)).query)


def test_the_server_tells_what_is_new(open_page: Opened) -> None:
    """The figures move without a question for them."""
    page = open_page().at("/")
    expect(page.locator(".live")).to_have_attribute("title", "The server tells what is new.")
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    until_s = time.monotonic() + 90
    while True:
        urls.clear()
        for _ in range(4):  # for longer than a page that has no stream waits to ask
            before = page.locator(".as-of").inner_text()
            expect(page.locator(".as-of")).not_to_have_text(before)
        asked_for = [url for url in urls if "/api/live" in url or "/api/monitoring/status" in url]
        if not asked_for:
            break
        assert time.monotonic() < until_s, asked_for  # where the machine stood still, the stream is opened anew


def test_without_the_stream_it_asks_by_itself(open_page: Opened) -> None:
    look = open_page()
    look.may_say = "ERR_FAILED"  # the browser tells its console of every request that was cut
    look.page.route("**/api/live", lambda route: route.abort())
    page = look.at("/")
    expect(page.locator(".live")).to_have_attribute("title", "The server is asked every few seconds.")
    expect(page.get_by_text("LIVE", exact=True)).to_be_visible()
    with page.expect_response("**/api/monitoring/status"):
        pass
    look.page.unroute("**/api/live")
    expect(page.locator(".live")).to_have_attribute("title", "The server tells what is new.")


def test_a_store_that_is_away_is_not_live(open_page: Opened) -> None:
    look = open_page()
    tick: dict[str, object] = {
        "as_of": "2024-01-15T14:32:00Z",
        "status": None,
        "away": "The telemetry store is away.",
        "changed": [],
        "incidents": [],
        "open": None,
        "services": [],
        "rules": False,
    }
    data = json.dumps({"data": json.dumps(tick)})
    hear = f'if (name === "tick") setTimeout(() => heard({data}), 50)'
    look.page.add_init_script(
        f"window.EventSource = class {{ close() {{}} addEventListener(name, heard) {{ {hear} }} }}"
    )
    page = look.at("/")
    expect(page.get_by_role("alert")).to_contain_text("The telemetry store is away. What you see is as it was at")
    expect(page.get_by_text("NOT LIVE")).to_be_visible()


def test_one_time_for_all_that_is_shown(open_page: Opened) -> None:
    page = open_page().at("/")
    with page.expect_response(re.compile(r"/api/monitoring/history\?.*period=1h")):
        page.get_by_role("combobox", name="Time").select_option("1h")
    assert address(page).endswith("/?period=1h")
    expect(page.locator("figcaption").first).to_contain_text("last hour")
    page.keyboard.press("4")
    expect(page.get_by_role("combobox", name="Time")).to_have_value("1h")
    assert address(page).endswith("/actions?period=1h")
    page.get_by_role("button", name="Twice as much time").click()
    (start,), (end,) = params(page)["from"], params(page)["to"]
    assert start < end
    page.get_by_role("button", name="Earlier").click()
    assert params(page)["to"] < [end]
    page.get_by_role("button", name="Later").click()
    page.go_back()
    assert params(page)["to"] < [end]
    page.get_by_role("button", name="Back to now").click()
    assert params(page) == {}


def test_a_time_of_ones_own_is_the_same_moment_everywhere(open_page: Opened) -> None:
    page = open_page(timezone_id="America/Sao_Paulo").at("/actions")
    page.get_by_role("combobox", name="Time").select_option("own")
    dialog = page.get_by_role("dialog", name="From … to …")
    expect(dialog).to_contain_text("America/Sao_Paulo")
    dialog.get_by_label("From").fill("2024-01-15T14:00")
    dialog.get_by_label("To").fill("2024-01-15T15:30")
    dialog.get_by_role("button", name="Show").click()
    assert params(page) == {"from": ["2024-01-15T17:00:00Z"], "to": ["2024-01-15T18:30:00Z"]}
    expect(page.get_by_role("combobox", name="Time")).to_contain_text("2024-01-15 14:00 – 15:30")
    expect(page.locator("main")).to_contain_text("None in this time")


def test_a_brush_looks_closer_and_all_charts_share_a_cursor(open_page: Opened) -> None:
    page = open_page().at("/?period=1h")
    expect(page.locator("canvas")).to_have_count(3)
    until_s = time.monotonic() + 60
    while not _together(page):  # each chart is asked for by itself, and is a step further before the others are
        assert time.monotonic() < until_s, page.locator("figcaption").all_inner_texts()
        _, middle, right = _across(page)
        page.mouse.move(right, middle)
        page.wait_for_timeout(50)
    left, middle, right = _across(page)
    page.mouse.move(left, middle)
    page.mouse.down()
    page.mouse.move(right, middle, steps=4)
    page.mouse.up()
    page.wait_for_url("**/?from=*")
    length_s = _moment(params(page)["to"][0]) - _moment(params(page)["from"][0])
    assert 25 * 60 < length_s < 35 * 60
    page.go_back()  # the brush was one step
    assert address(page).endswith("/?period=1h")
    page.locator(".u-over").first.dblclick()
    page.wait_for_url("**/?from=*")
    assert 7_100 < _moment(params(page)["to"][0]) - _moment(params(page)["from"][0]) < 7_300


def test_a_chart_shows_what_happened_and_what_is_usual(open_page: Opened) -> None:
    look = open_page()

    def deployed(route: Route) -> None:
        at = datetime.fromtimestamp(time.time() - 1_800, tz=UTC).isoformat()  # in the middle, however long it takes
        deploy = {"kind": "deploy", "at": at, "text": "orders 1.5 was first seen", "bot": "orders", "url": ""}
        route.fulfill(json={"items": [deploy], "next": None})

    look.page.route("**/api/changes?*", deployed)
    page = look.at("/explore/measures?measure=messages.count&period=1h")
    until_s = time.monotonic() + 60
    while not page.locator(".happened").count():  # the chart may be there before what happened
        assert time.monotonic() < until_s, "nothing happened where the cursor went"
        for part in range(480, 521, 4):  # the chart begins where its first whole step does
            left, middle, _ = _across(page, part / 1_000)
            page.mouse.move(left, middle)
            page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
            if page.locator(".happened").count():
                break
    expect(page.locator(".happened")).to_contain_text("orders 1.5 was first seen")
    with page.expect_response("**/api/baseline?*") as asked:
        page.get_by_role("button", name="Usual").click()
    assert asked.value.ok, asked.value.text()
    expect(page.locator("figcaption")).to_contain_text("it is not known yet what is usual")
    assert address(page).endswith("usual=1")


def _across(page: Page, share: float = 0.5) -> tuple[float, float, float]:
    """So far into the first chart, its middle, and its right end; what stands above it may still push it down."""
    expect(page.get_by_text("Loading…")).to_have_count(0)
    box = page.locator(".u-over").first.bounding_box()
    assert box
    return box["x"] + box["width"] * share, box["y"] + box["height"] / 2, box["x"] + box["width"] - 3


def _together(page: Page) -> bool:
    """Whether all charts tell of the same moment; the newest step of a count is left out until it is whole."""
    told = page.locator("figcaption > span:first-child").all_inner_texts()
    if not all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text) for text in told):
        return False
    moments = [_moment(text) for text in told]
    return len(moments) == 3 and max(moments) - min(moments) <= 60


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_the_palette_goes_anywhere(open_page: Opened) -> None:
    page = open_page().at("/conversations")
    page.get_by_label("Search session or user").focus()
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Commands")
    page.keyboard.type("response p95")
    expect(palette.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="response.time.p95")).to_be_visible()
    assert address(page).endswith("/explore/measures?measure=response.time.p95")
    page.keyboard.press("/")  # this page has no search of its own
    expect(palette).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(palette.locator("[aria-selected=true]")).to_contain_text("Conversations")
    page.keyboard.type("2")  # figures are text here
    expect(page.get_by_role("heading", level=1, name="Explore")).to_be_visible()
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)


def test_the_apps_menu_is_where_people_look_for_it(open_page: Opened) -> None:
    page = open_page().at("/explore")
    page.get_by_role("button", name="Apps").click()
    menu = page.get_by_role("navigation", name="Apps")
    names = ["Monitoring", "Conversations", "Analytics", "Alerts", "Explore", "Settings"]
    expect(menu.get_by_role("link")).to_have_text(names)
    menu.get_by_role("link", name="Monitoring").click()
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Apps").click()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()


def test_from_a_dependency_to_what_it_was_counted_from(open_page: Opened) -> None:
    page = open_page().at("/actions")
    page.get_by_role("link", name="Dependencies").click()
    page.get_by_role("link", name="carrier-api").click()
    expect(page.get_by_role("heading", name="Dependency: carrier-api")).to_be_visible()
    assert params(page) == {"bot": ["support"], "name": ["carrier-api"]}
    expect(page.locator("tr.chosen")).to_contain_text("carrier-api")
    expect(page.get_by_role("img", name=re.compile("Calls: highest 1, last 1; Failed: highest 1"))).to_be_visible()
    page.get_by_role("link", name="Failed traces").click()
    expect(page.get_by_role("button", name="Remove dependency")).to_contain_text("carrier-api")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Remove dependency").click()
    expect(page.locator(".chip")).to_have_count(0)
    page.locator("tbody a").click()
    expect(page.get_by_role("heading", name="Trace: answer <b>bold</b>")).to_be_visible()


def test_models_tell_their_tokens_and_their_price(open_page: Opened) -> None:
    page = open_page().at("/actions/models")
    row = page.locator("tbody tr", has_text="gpt-4o")
    expect(row).to_contain_text("900")
    expect(row).to_contain_text("$0.00")


def test_a_table_is_sorted_by_its_headings_and_the_address_knows(open_page: Opened) -> None:
    page = open_page().at("/actions/dependencies")
    names = page.locator("tbody tr td:first-child")
    page.get_by_role("button", name="Dependency").click()
    expect(names).to_have_text(["carrier-api", "openai"])
    page.get_by_role("button", name="Dependency").click()
    expect(names).to_have_text(["openai", "carrier-api"])
    page.reload()
    expect(names).to_have_text(["openai", "carrier-api"])
    expect(page.locator("th[aria-sort=descending]")).to_have_text(re.compile("Dependency"))


def test_any_measure_by_any_label(open_page: Opened) -> None:
    page = open_page().at("/explore")
    page.get_by_role("link", name="Measures").click()
    page.get_by_role("combobox", name="Measure").select_option("messages.count")
    page.get_by_role("combobox", name="By").select_option("channel")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    page.get_by_role("combobox", name="As", exact=True).select_option("rate")
    with page.expect_response(re.compile("aggregation=rate")):
        page.reload()
    expect(page.get_by_role("combobox", name="As", exact=True)).to_have_value("rate")
    page.get_by_label("Only where").select_option("bot")
    page.get_by_role("combobox", name="is", exact=True).select_option("orders")
    expect(page.get_by_role("button", name="Remove bot=orders")).to_be_visible()
    before = address(page)
    page.reload()
    expect(rows).to_have_count(3)
    assert address(page) == before
    expect(page.get_by_role("img", name=re.compile("Email: highest"))).to_be_visible()
    page.get_by_role("button", name="WhatsApp").click()
    expect(page.locator(".chip")).to_have_count(2)
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Remove channel=WhatsApp").click()
    page.get_by_role("button", name="Remove bot=orders").click()
    expect(page.locator("main")).to_contain_text("messages in both directions")


def test_a_fault_leads_to_its_trace_and_shows_what_hides_in_it(open_page: Opened) -> None:
    page = open_page().at("/explore/faults")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text(FAULT)
    page.get_by_label("Search type or message").fill("nothing like it")
    expect(page.locator("main")).to_contain_text("No exception fits")
    page.get_by_label("Search type or message").fill("carrier")
    page.get_by_role("link", name=FAULT).click()
    expect(page.get_by_role("heading", name=f"Fault: {FAULT}")).to_be_visible()
    expect(page.locator("main")).to_contain_text(EVIL_TEXT)
    expect(page.locator(".stack")).to_contain_text("ESC[2J")
    assert not set(EVIL_ESCAPES) & set("\x1b\x07\u202e\u2066") & set(page.inner_text("body"))
    page.get_by_role("link", name="Trace of the newest").click()
    expect(page.get_by_role("heading", name="Trace: answer <b>bold</b>")).to_be_visible()


def test_what_is_shown_can_be_taken_home(open_page: Opened, tmp_path: Path) -> None:
    page = open_page(accept_downloads=True).at("/explore/measures?measure=messages.count&by=channel")
    for format, name in (("CSV", "csv"), ("JSON", "json"), ("Parquet", "parquet")):
        with page.expect_download() as download:
            page.get_by_role("link", name=format, exact=True).click()
        file = tmp_path / f"x.{name}"
        download.value.save_as(file)
        assert download.value.suggested_filename.endswith(f".{name}")
        assert file.stat().st_size > 100
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as lines:
        assert {row["channel"] for row in csv.DictReader(lines)} == {"Email", "Web", "WhatsApp"}


def test_tokens_are_made_and_revoked_and_what_was_done_is_written_down(server: Botwatch, open_page: Opened) -> None:
    page = open_page().at("/settings")
    page.get_by_label("Label of a new token").fill("=laptop<b>")
    page.get_by_role("button", name="Make").first.click()
    secret = page.locator(".snippet pre").inner_text().split('"')[1]
    headers = {"authorization": f"Bearer {secret}"}
    assert asked(server, "GET", "/api/auth/me", headers=headers).status_code == 200
    page.get_by_role("button", name="Revoke token =laptop<b>").click()
    expect(page.get_by_role("button", name="Revoke token =laptop<b>")).to_have_count(0)
    assert asked(server, "GET", "/api/auth/me", headers=headers).status_code == 401
    people = page.locator("section", has=page.get_by_role("heading", name="People"))
    people.get_by_label("Name").fill("colleague")
    people.get_by_label("Password, 10 characters or more").fill(PASSWORD)
    people.get_by_role("button", name="Add").click()
    expect(people.locator("tr", has_text="colleague")).to_contain_text("may sign in")
    people.get_by_role("button", name="Disable colleague").click()
    expect(people.locator("tr", has_text="colleague")).to_contain_text("disabled")
    page.reload()
    expect(page.locator("section", has=page.get_by_role("heading", name="What was changed"))).to_contain_text(
        "colleague"
    )


def test_a_monitor_is_shown_nothing_of_administration(server: Botwatch, open_page: Opened) -> None:
    made = asked(server, "POST", "/api/users", json={"name": "watcher", "role": "monitor", "password": PASSWORD})
    assert made.is_success, made.text
    look = open_page(anyone=True)
    look.may_say = "401"
    urls: list[str] = []
    look.page.on("request", lambda request: urls.append(request.url))
    _sign_in(look, "watcher")
    look.page.get_by_role("button", name="Apps").click()
    look.page.get_by_role("navigation", name="Apps").get_by_role("link", name="Settings").click()
    expect(look.page.get_by_role("heading", name="Signed-in browsers")).to_be_visible()
    expect(look.page.get_by_role("heading", name="What was changed")).to_have_count(0)
    assert not [url for url in urls if re.search(r"/api/(users|keys|audit)", url)]
    expect(look.page.get_by_text("this one")).to_be_visible()
    look.page.get_by_role("button", name=re.compile("End session")).click()
    expect(look.page.get_by_label("Password")).to_be_visible()


def _sign_in(look: Look, name: str) -> None:
    look.page.goto(look.base)
    look.page.get_by_label("Name").fill(name)
    look.page.get_by_label("Password").fill(PASSWORD)
    look.page.get_by_role("button", name="Sign in").click()
    expect(look.page.get_by_text("LIVE", exact=True)).to_be_visible()


def test_fifty_lines_are_told_apart(open_page: Opened) -> None:
    look = open_page()

    def many(route: Route) -> None:
        start = int(time.time()) // 300 * 300 - 86_400
        series = [
            {
                "measure": "response.time.p95",
                "labels": {"host": f"host-{number}"},
                "step_seconds": 300,
                "points": [[start + 300 * place, (place * 7 + number * 13) % 100] for place in range(288)],
                "notes": [],
            }
            for number in range(50)
        ]
        route.fulfill(json={**route.fetch().json(), "series": series})

    look.page.route("**/api/monitoring/history*", many)
    page = look.at("/explore/measures?by=host")
    expect(page.locator("tbody tr")).to_have_count(50)
    expect(page.locator("figcaption")).to_contain_text("and 35 more")
    assert len(set(page.locator("tbody .link").all_inner_texts())) == 50


def changed(id: int, sentence: str) -> dict[str, object]:
    """A change of documents, as the API tells it."""
    return {
        **dict.fromkeys(("began", "found", "last"), "2024-01-15T12:00:00Z"),
        **dict.fromkeys(("ended", "accepted", "accepted_by", "example_before", "example_after")),
        **{name: [] for name in ("sessions", "traces", "bots", "actions")},
        "id": id,
        "event": id,
        "source": "desk",
        "variant": "",
        "path": "a",
        "what": "vanished",
        "value": "",
        "sentence": sentence,
        "moved_to": "",
        "before": 1,
        "now": 0.1,
        "before_of": 900,
        "now_of": 120,
        "sure": 0.9,
        "versions": {},
    }


def test_a_name_in_a_sentence_is_code_and_never_markup(open_page: Opened) -> None:
    look = open_page()
    sentence = "`<b>a</b>` is gone where `details.topic` has come, in 9 of 120; a lone ` stays"
    change = changed(1, sentence)
    look.page.route("**/api/drift*", lambda route: route.fulfill(json={"items": [change], "next": None}))
    page = look.at("/insights")
    told = page.locator(".finding b").first
    expect(told).to_have_text(sentence.replace("`<b>a</b>`", "<b>a</b>").replace("`details.topic`", "details.topic"))
    expect(told.locator("code")).to_have_text(["<b>a</b>", "details.topic"])


def test_what_changed_in_the_same_minutes_is_folded_and_accepted_as_one(open_page: Opened) -> None:
    look = open_page()
    items = [changed(12, "`origin` has come") | {"event": 7}, changed(7, "`category` is gone") | {"event": 7}]
    look.page.route("**/api/drift*", lambda route: route.fulfill(json={"items": items, "next": None}))
    look.page.route("**/api/drift/7/accept*", lambda route: route.fulfill(json=items[1]))
    page = look.at("/insights")
    expect(page.locator(".finding b").first).to_have_text("category is gone")
    expect(page.locator(".finding .finding b")).to_be_hidden()
    page.locator(".finding summary").click()
    expect(page.locator(".finding .finding b")).to_have_text("origin has come")
    with page.expect_request("**/api/drift/7/accept?event=true"):
        page.locator(".finding > .links button").first.click()


def test_a_week_of_hours_and_a_row_of_places_are_pushed_sideways_and_the_page_is_not(open_page: Opened) -> None:
    look = open_page()
    look.page.set_viewport_size(ViewportSize(width=390, height=844))

    def week(route: Route) -> None:
        hours = [{"day": place // 24, "hour": place % 24, "mean": place, "weeks": 2} for place in range(168)]
        route.fulfill(json={**route.fetch().json(), "unit": "count", "hours": hours})

    look.page.route("**/api/insights/week*", week)
    page = look.at("/insights/week")
    expect(page.locator(".heat td[data-heat='9']").first).to_be_attached()
    assert fits(page, 390)
    expect(page.locator(".heat-key")).to_contain_text("167 an hour")
    row = page.locator("nav.segments")
    assert row.evaluate("(one) => [one.offsetHeight < 45, one.scrollWidth > one.clientWidth]") == [True, True]
    expect(row.locator(".current")).to_be_in_viewport(ratio=1)


def test_a_report_is_put_together_from_charts_shared_and_taken_home(
    open_page: Opened, node_modules: Path, tmp_path: Path
) -> None:
    look = open_page(accept_downloads=True)
    page = look.at("/explore/measures?measure=messages.count&by=channel")
    page.get_by_role("combobox", name="Add to a report").select_option("new")
    expect(page.get_by_role("img", name=re.compile(r"^messages\.count\. .*WhatsApp: highest"))).to_be_visible()
    page.get_by_label("Name", exact=True).fill("The week <b>")
    page.get_by_label("Title, if you like").fill("By channel")
    page.get_by_role("button", name="Add a chart").click()
    page.get_by_role("combobox", name="Measure").nth(1).select_option("messages.in")
    page.get_by_role("combobox", name="Drawn as").nth(1).select_option("number")
    expect(page.locator(".figure strong")).to_have_text(re.compile(r"^\d+$"))
    page.get_by_role("button", name="Move messages.in up").click()
    _accessible(look, node_modules, "report-edit")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"/insights/reports/\d+$"))
    expect(page.locator(".report h2")).to_have_text(["messages.in", "By channel"])
    expect(page.get_by_role("img", name=re.compile(r"^By channel\. .*WhatsApp: highest"))).to_be_visible()
    page.get_by_role("combobox", name="Time").select_option("1h")
    page.wait_for_url("**/insights/reports/*?period=1h")  # a colleague sees the same
    for name in ("PDF", "CSV"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        download.value.save_as(tmp_path / name)
    assert (tmp_path / "PDF").read_bytes().startswith(b"%PDF-")
    assert (tmp_path / "CSV").read_text(encoding="utf-8").startswith("panel,from,to,measure,channel,value,unit")
    _accessible(look, node_modules, "report")
    page.get_by_role("button", name="Share").click()
    page.get_by_label("For whom").fill("the board")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".snippet pre", has_text="/shared#").inner_text()
    other = open_page(anyone=True)
    other.page.goto(link)
    expect(other.page.get_by_role("heading", name="The week <b>")).to_be_visible()
    expect(other.page.get_by_role("img", name=re.compile(r"^By channel\. .*WhatsApp: highest"))).to_be_visible()
    assert other.page.get_by_role("navigation").count() == 0
    with other.page.expect_download() as download:
        other.page.get_by_role("button", name="PDF").click()
    page.get_by_role("button", name="Revoke the link for the board").click()
    expect(page.get_by_role("button", name="Revoke the link for the board")).to_have_count(0)
    other.may_say = "401"
    other.page.reload()
    expect(other.page.get_by_role("alert")).to_contain_text("has expired or was revoked")
    page.get_by_role("button", name="Duplicate").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Copy of The week <b>")
    look.at("/insights/reports")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="Copy of The week <b>").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def _accessible(look: Look, node_modules: Path, name: str) -> None:
    page = look.page
    page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    for theme, width in (("light", 1_440), ("dark", 390)):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size(ViewportSize(width=width, height=900))
        assert fits(page, width), f"at {width} px it scrolls sideways"
        look.shot(f"{name}-{theme}-{width}")
        found = page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })")["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(ViewportSize(width=1_440, height=900))


def test_a_tab_one_has_not_been_to_is_there_at_once(open_page: Opened) -> None:
    """What it asks first was asked ahead: with a server that answers no more, each still shows what it is about."""
    look = open_page()
    look.may_say = "."  # what was cut off
    answered: list[str] = []
    going: list[str] = []
    look.page.on("request", lambda request: going.append(request.url))
    look.page.on("requestfinished", lambda request: answered.append(request.url))
    page, stream = look.at("/"), f"{look.base}/api/live"
    until_s = time.monotonic() + 60
    while not any("/api/payloads/sources" in url for url in answered) or set(going) - {*answered, stream}:
        assert time.monotonic() < until_s, set(going) - set(answered)
        page.wait_for_timeout(100)
    page.route("**/api/**", lambda route: None)
    for key, name in enumerate(("Conversations", "System", "Actions", "Alerts", "Explore", "Insights"), 2):
        page.keyboard.press(str(key))
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        assert "Loading…" not in page.locator("main").inner_text(), name
