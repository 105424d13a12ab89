"""What can be made in the pages: services, rules, contracts, routes, silences; tried, changed and deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Opened, asked, delete
from tests.browser.test_system import Service
from tests.fault.harness import Botwatch

SECRET = "hush-hush-0123"


def panel(page: Page, title: str) -> Locator:
    return page.locator("section.panel", has=page.get_by_role("heading", name=title, exact=True))


def save(page: Page) -> None:
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as saved:
        page.get_by_role("button", name="Save").click()
    assert saved.value.ok, saved.value.text()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.stop()


def test_a_service_is_tried_watched_changed_and_let_go(server: Botwatch, open_page: Opened, service: Service) -> None:
    look = open_page()
    page = look.at("/system")
    page.get_by_role("button", name="Add a service").click()
    form = panel(page, "A service to watch")
    form.get_by_label("Kind").select_option("http")
    form.get_by_label("Name").fill("shop-api")
    form.get_by_role("textbox", name="Address").fill("nonsense")
    look.may_say = "422"  # a refusal is told to the console, too
    form.get_by_role("button", name="Try it first").click()
    expect(form.get_by_role("alert")).to_contain_text("url: expected an address")
    form.get_by_role("textbox", name="Address").fill(service.url)
    form.get_by_label("Token").fill(SECRET)
    form.get_by_role("button", name="Try it first").click()
    expect(form.get_by_role("status")).to_contain_text("running")
    assert asked(server, "GET", "/api/services/shop-api").status_code == 404  # nothing was kept
    look.shot("service-form-light-1440")
    form.get_by_role("button", name="Watch it").click()
    opened = panel(page, "Service: shop-api")
    expect(opened.get_by_text("running").first).to_be_visible()
    opened.get_by_role("button", name="Change", exact=True).click()
    form = panel(page, "Change shop-api")
    expect(form.get_by_label("Token")).to_have_attribute("placeholder", re.compile("kept"))
    expect(form.get_by_label("Token")).to_have_value("")
    form.get_by_label("Text that must be in it").fill("no such text")
    form.get_by_role("button", name="Try it first").click()
    expect(form.get_by_role("status")).to_contain_text("degraded")
    form.get_by_role("button", name="Save").click()
    expect(opened.get_by_role("button", name="Change", exact=True)).to_be_visible()
    known = asked(server, "GET", "/api/services/shop-api/options").json()
    assert (known["options"]["expect_text"], known["secrets"]) == ("no such text", ["token", "url"])
    assert SECRET not in page.content()
    delete(opened, "shop-api")
    expect(opened).to_have_count(0)
    assert asked(server, "GET", "/api/services/shop-api/options").status_code == 404


RULES = {
    "ratio": {"Measure": "turns.unanswered", "Divided by the measure": "turns.count", "Value": "5"},
    "baseline": {"Measure": "messages.in"},
    "composite": {"All of these at once": "Bot is silent,Messages unanswered"},
}
SAID: dict[str, dict[str, object]] = {
    "ratio": {"per": "turns.count", "value": 0.05, "aggregation": "sum"},
    "baseline": {"kind": "baseline", "field": "messages.in"},
    "composite": {"all": ["Bot is silent", "Messages unanswered"]},
}


def test_a_rule_of_another_kind_is_made_and_changed(server: Botwatch, open_page: Opened) -> None:
    look = open_page()
    page = look.at("/alerts/rules")
    for kind, fields in RULES.items():
        page.get_by_role("button", name="Add a rule").click()
        form = panel(page, "A rule of your own")
        form.get_by_label("What it judges").select_option(kind)
        form.get_by_label("Name").fill(f"Ours: {kind}")
        for label, value in fields.items():
            form.get_by_label(re.compile(rf"^{label}( \*)?$")).fill(value)
        form.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("heading", name=f"Ours: {kind}")).to_be_visible()
        rule = asked(server, "GET", f"/api/rules/Ours: {kind}").json()["rule"]
        assert {name: rule[name] for name in SAID[kind]} == SAID[kind]
        if kind == "composite":
            expect(page.locator(".charts h3")).to_have_text(["Bot is silent", "Messages unanswered"])
            expect(page.get_by_role("img", name="turns.unanswered by turns.count, last 24 hours")).to_be_visible()
        page.get_by_role("link", name="Close").click()
    look.at("/alerts/rules?rule=Ours%3A+baseline")
    page.get_by_label("Sensitivity").select_option("high")
    save(page)
    assert asked(server, "GET", "/api/rules/Ours: baseline").json()["rule"]["options"] == {"sensitivity": "high"}
    judged = page.get_by_text("incidents of").or_(page.get_by_text("incident of"))
    expect(judged).to_be_visible(timeout=120_000)  # it goes through a day
    look.shot("rule-baseline-light-1440")
    for kind in RULES:
        assert asked(server, "DELETE", f"/api/rules/Ours: {kind}").status_code == 204


def test_a_contract_is_tried_on_what_was_made_and_deleted(server: Botwatch, open_page: Opened) -> None:
    look = open_page()
    page = look.at("/insights/contracts")
    page.get_by_role("button", name="Add a contract").click()
    form = panel(page, "A new contract")
    form.get_by_label("Name").fill("Hello is answered")
    form.get_by_label("this happens").fill("message in")
    form.get_by_label("this follows").fill("message bot")
    form.get_by_label("Within", exact=False).first.fill("5")
    form.get_by_role("button", name="Try it first").click()
    expect(form.get_by_text("100 % kept: 247 of 247.")).to_be_visible()
    look.shot("contract-form-light-1440")
    form.get_by_label("this follows").fill("message human")
    form.get_by_label("Within: unit", exact=True).select_option("s")
    expect(form.get_by_text("0 % kept: 0 of 247. Not kept 247.")).to_be_visible()
    form.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Not kept: Hello is answered")).to_be_visible()
    options = asked(server, "GET", "/api/rules/Hello is answered").json()["rule"]["options"]
    assert options == {"when": {"what": "message in"}, "then": [{"what": "message human"}], "within": "5s"}
    page.get_by_role("link", name="Change").click()
    expect(page.get_by_label("this follows")).to_have_value("message human")
    page.get_by_label("this follows").fill("event bot.handoff")
    save(page)
    look.at("/insights/contracts?contract=Hello+is+answered")
    delete(page, "Hello is answered")
    expect(page.get_by_role("row", name="Hello is answered")).to_have_count(0)
    assert asked(server, "GET", "/api/rules/Hello is answered").status_code == 404


def test_who_hears_of_what_is_said_in_the_page(server: Botwatch, open_page: Opened) -> None:
    """A channel that is changed keeps its secret; routes are made, ordered and deleted."""
    given = {"kind": "webhook", "options": {"url": f"https://example.com/{SECRET}"}}
    assert asked(server, "PUT", "/api/channels/oncall", json=given).is_success
    look = open_page()
    page = look.at("/alerts/channels")
    page.get_by_role("button", name="Change oncall").click()
    form = panel(page, "Change oncall")
    form.get_by_label("Format").select_option("alertmanager")
    form.get_by_role("button", name="Save").click()
    expect(panel(page, "Add a channel")).to_be_visible()
    (kept,) = [one for one in asked(server, "GET", "/api/channels").json() if one["name"] == "oncall"]
    assert (kept["options"], kept["secrets"]) == ({"format": "alertmanager"}, ["url"])
    held: list[Route] = []
    page.route(
        "**/api/routes", lambda route: held.append(route) if route.request.method == "GET" else route.continue_()
    )
    for name, severity in (("Nights", "critical"), ("Days", "warning")):
        page.get_by_role("button", name="Add a route").click()
        form = panel(page, "A new route")
        form.get_by_label("Name").fill(name)
        form.get_by_role("checkbox", name=severity).check()
        form.get_by_role("checkbox", name="oncall").check()
        with page.expect_request(lambda request: request.method == "GET" and request.url.endswith("/api/routes")):
            form.get_by_role("button", name="Save").click()
        # Routes are sent as a whole: another is not saved before the first is in what it would be added to.
        expect(form.get_by_role("button", name="Save")).to_be_disabled()
        held.pop().continue_()
        expect(page.get_by_role("row", name=name)).to_contain_text(f"severity {severity}")
    page.unroute("**/api/routes")
    page.get_by_role("button", name="Route 2 earlier").click()
    expect(panel(page, "Who hears of what").locator("tbody tr").first).to_contain_text("Days")
    look.shot("routes-light-1440")
    assert [one["name"] for one in asked(server, "GET", "/api/routes").json()["routes"]] == ["Days", "Nights"]
    delete(page, "route 2")
    expect(page.get_by_role("row", name="Nights")).to_have_count(0)
    delete(page, "route 1")
    expect(page.get_by_text("No routes")).to_be_visible()
    delete(page, "oncall")
    expect(page.get_by_role("button", name="Change oncall")).to_have_count(0)
    assert SECRET not in page.content()


def test_a_silence_recurs_is_changed_and_ended(server: Botwatch, open_page: Opened) -> None:
    page = open_page(timezone_id="Europe/Berlin").at("/alerts/silences")
    form = panel(page, "Be quiet")
    form.get_by_label("Be quiet about").fill("bot=shop")
    form.get_by_label("Until").first.fill("")
    form.get_by_role("checkbox", name="Only in these hours").check()
    window = form.locator("fieldset")
    window.get_by_label("From").fill("22:00")
    window.get_by_label("Until").fill("06:00")
    for day in ("mon", "tue", "wed", "thu", "fri"):
        window.get_by_role("checkbox", name=day).uncheck()
    window.get_by_label("Time zone").fill("Europe/Berlin")
    form.get_by_role("button", name="Silence").click()
    row = page.get_by_role("row", name="bot=shop")
    expect(row).to_contain_text("22:00–06:00 Europe/Berlin on sat, sun")
    row.get_by_role("button", name=re.compile("Change")).click()
    page.get_by_label("Why").fill("<b>backups</b>")
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("<b>backups</b>")
    (kept,) = [
        one for one in asked(server, "GET", "/api/silences").json()["items"] if "bot=shop" in one["silence"]["where"]
    ]
    assert (kept["silence"]["window"]["days"], kept["silence"]["ends"]) == (["sat", "sun"], None)
    row.get_by_role("button", name=re.compile("End silence")).click()
    expect(row).to_have_count(0)


def test_what_one_may_not_change_is_not_offered(open_page: Opened) -> None:
    look = open_page()
    look.page.route("**/api/auth/me", _as_monitor)
    for place in ("/system", "/alerts/rules", "/alerts/channels", "/insights/contracts"):
        page = look.at(place)
        expect(page.locator("table, .empty").first).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("^(Add|Change|Delete|Test)"))).to_have_count(0)


def _as_monitor(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, json={**answer.json(), "role": "monitor"})
