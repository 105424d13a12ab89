"""Alerts and insights in a browser: the form changes what fires, and what fired can be taken care of."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.conftest import Opened, asked, delete
from tests.fault.harness import Botwatch

FIRES_MS = 150_000
NEVER_SECOND_TOUCHED = "CPU usage high"


def set_cpu(page: Page, percent: str, minutes: str) -> None:
    """As the seed's form has it: a threshold, for so many minutes, save."""
    form = page.get_by_role("group", name=NEVER_SECOND_TOUCHED).first
    form.get_by_label("Threshold, %").fill(percent)
    form.get_by_label("For, minutes").fill(minutes)
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as saved:
        page.get_by_role("button", name="Save").click()
    assert saved.value.ok, saved.value.text()


@pytest.mark.timeout(500)
def test_a_low_threshold_fires_is_taken_care_of_and_a_usual_one_ends_it(server: Botwatch, open_page: Opened) -> None:
    look = open_page()
    page = look.at("/alerts/rules")
    set_cpu(page, "0.01", "0.5")
    rule = asked(server, "GET", f"/api/rules/{NEVER_SECOND_TOUCHED}").json()["rule"]
    assert (rule["value"], rule["timeframe"]) == (0.01, "30s")
    look.at("/alerts")
    row = page.get_by_role("row", name=NEVER_SECOND_TOUCHED)
    expect(row).to_be_visible(timeout=FIRES_MS)
    expect(page.locator(".badge")).to_contain_text("open:")  # wherever one is
    look.shot("alerts-light-1440")
    row.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name=NEVER_SECOND_TOUCHED)).to_be_visible()
    page.get_by_label("Note").fill("<b>I look</b>")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("<b>I look</b>")).to_be_visible()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.get_by_role("button", name="Silence for 1 h").click()
    expect(page.get_by_role("status").filter(has_text="Silenced until")).to_be_visible()
    look.shot("incident-light-1440")
    look.at("/alerts/silences")
    silence = page.get_by_role("row", name=f"rule={NEVER_SECOND_TOUCHED}")
    expect(silence).to_contain_text("quiet now")
    silence.get_by_role("button", name="End silence").click()
    expect(silence).to_have_count(0)  # a click is not an answer: who leaves the page at once takes the request along
    look.at("/alerts/rules")
    set_cpu(page, "101", "5")  # a machine that runs tests may really be at 100
    look.at("/alerts")
    expect(page.get_by_role("row", name=NEVER_SECOND_TOUCHED)).to_have_count(0, timeout=FIRES_MS)
    assert asked(server, "DELETE", f"/api/rules/{NEVER_SECOND_TOUCHED}").status_code == 204


def test_what_a_rule_would_have_done_follows_the_threshold(open_page: Opened) -> None:
    page = open_page().at("/alerts/rules?rule=Messages+unanswered")
    expect(page.get_by_text("incidents of").or_(page.get_by_text("incident of"))).to_be_visible()

    def of_what_was_dragged(answer: Response) -> bool:
        tried = (answer.request.post_data_json or {}) if "/api/rules/backtest" in answer.url and answer.ok else {}
        return bool(tried) and tried["rule"]["value"] == pytest.approx(0.01, abs=0.005)

    with page.expect_response(of_what_was_dragged):  # one for where it stood before may still be on its way
        page.get_by_label("Drag the threshold").fill("0.01")
    expect(page.get_by_role("button", name="Save")).to_be_enabled()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()


def test_a_rule_of_ones_own_is_made_and_deleted(server: Botwatch, open_page: Opened) -> None:
    look = open_page()
    page = look.at("/alerts/rules")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Name").fill("Many errors")
    page.get_by_label(re.compile(r"^Measure \*$")).fill("errors.cuont")
    page.get_by_role("spinbutton", name="Value").fill("10")
    page.get_by_role("spinbutton", name="Over").first.fill("1")
    look.may_say = "422"  # a refusal is told to the console, too
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("errors.count")  # the nearest there is
    page.get_by_label(re.compile(r"^Measure \*$")).fill("errors.count")
    page.get_by_label("Its").select_option("sum")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("sum of errors.count over 1m ≥ 10")).to_be_visible()
    assert asked(server, "GET", "/api/rules/Many errors").json()["source"] == "api"
    delete(page, "Many errors")
    expect(page.get_by_role("heading", name="All rules")).to_be_visible()
    assert asked(server, "GET", "/api/rules/Many errors").status_code == 404


def test_a_channel_is_added_tried_and_its_failure_told(server: Botwatch, open_page: Opened) -> None:
    """A target inside this network is refused unless it is allowed, and the receipt says so."""
    look = open_page()
    page = look.at("/alerts/channels")
    page.get_by_label("Kind").select_option("webhook")
    page.get_by_label("Name", exact=True).fill("ours")
    page.get_by_label("Url").first.fill("http://127.0.0.1:9/hook")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Test ours").click()
    expect(page.get_by_role("status").filter(has_text="Test through")).to_contain_text("failed")
    look.shot("channels-light-1440")
    look.at("/alerts/deliveries")
    expect(page.get_by_role("row", name="ours").first).to_contain_text("failed")
    look.at("/alerts/channels")
    delete(page, "ours")
    expect(page.get_by_role("button", name="Test ours")).to_have_count(0)


def test_a_rule_is_switched_off_and_on_in_the_list(server: Botwatch, open_page: Opened) -> None:
    page = open_page().at("/alerts/rules?q=bot+is+silent")
    page.get_by_role("button", name="Bot is silent: on").click()
    expect(page.get_by_role("button", name="Bot is silent: off")).to_be_visible()
    assert asked(server, "GET", "/api/rules/Bot is silent").json()["rule"]["enabled"] is False
    page.get_by_role("button", name="Bot is silent: off").click()
    expect(page.get_by_role("button", name="Bot is silent: on")).to_be_visible()
    asked(server, "DELETE", "/api/rules/Bot is silent")


@pytest.mark.parametrize(
    "view", ["", "/contracts", "/questions", "/misunderstood", "/feedback", "/stops", "/people", "/week"]
)
def test_every_insight_is_shown_or_says_why_not(open_page: Opened, view: str) -> None:
    look = open_page()
    page = look.at(f"/insights{view}")
    expect(page.locator("main .panel").first).to_be_visible()
    expect(page.get_by_text("Loading…")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    look.shot(f"insights{view.replace('/', '-')}-light-1440")
