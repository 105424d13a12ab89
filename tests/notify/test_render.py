"""The words, and that hostile text stays text in each of them."""

from __future__ import annotations

import email
import email.policy
from html.parser import HTMLParser

import pytest

from botwatch.incident.steps import Step
from botwatch.notify import escape, html, render, shape
from botwatch.notify.channels import email as mail
from botwatch.notify.channels import slack
from botwatch.notify.note import ESCALATED, Judged, Purpose
from tests.notify.notes import late, note, told

HOSTILE = 'x\r\nBcc: all@example.com\x1b[31m<script>alert(1)</script> <!channel> *b* & "q" \u202egnp.exe \x00 |'


def test_a_message_says_what_since_when_how_far_why_where_to_look_and_how_to_acknowledge() -> None:
    text = render.text(note(told()))
    for part in (
        "cpu.usage 93.25 % (avg over 2 min), at worst 97 %; 85 % or more is too much",
        "bot shop, host web-1",
        "2027-01-15 08:58:00 CET, opened 2027-01-15 09:00:00 CET",
        "the value passed its limit",
        "https://runbooks.example.com/cpu",
        "Incident:        https://bots.example.com/incidents/5f3c",
        "To acknowledge, open https://bots.example.com/incidents/5f3c",
    ):
        assert part in text, text


def test_the_suspected_cause_is_named_while_it_is_not_over_and_programs_read_it_too() -> None:
    cause = "shop 2.0 was first seen instead of 1.9 3m before (likely)"
    known = note(told(cause=cause))
    assert f"Suspected:       {cause}" in render.text(known)
    assert cause in str(slack.blocks(known)).replace("\\u200b", "")
    assert cause in html.page(known)
    assert shape.incident(told(cause=cause))["suspectedCause"] == cause
    assert shape.incident(told())["suspectedCause"] is None
    assert "Suspected" not in render.text(note(told(Step.RESOLVED, cause=cause)))


@pytest.mark.parametrize(
    ("step", "title"),
    [
        (Step.OPENED, "CRITICAL High CPU on bot shop, host web-1"),
        (Step.WORSENED, "CRITICAL worse: High CPU on bot shop, host web-1"),
        (ESCALATED, "CRITICAL nobody acknowledged: High CPU on bot shop, host web-1"),
        (Step.RESOLVED, "resolved: High CPU on bot shop, host web-1"),
    ],
)
def test_the_title_says_what_happened(step: str, title: str) -> None:
    assert render.title(note(told(step))) == title


def test_what_could_not_be_told_in_time_says_so() -> None:
    assert "opened and resolved meanwhile: High CPU" in render.title(late())
    text = render.text(late())
    assert "This comes late" in text
    assert "opened 2027-01-15 09:00:00 CET, resolved 2027-01-15 09:10:00 CET" in text


def test_of_several_it_counts_and_names_each() -> None:
    several = note(told(), told(Step.RESOLVED, incident="b", labels={"host": "web-2"}), told(incident="c", labels={}))
    assert render.title(several) == "CRITICAL High CPU: 2 open, 1 resolved"
    assert "High CPU on host web-2" in render.text(several)
    assert "High CPU on everything" in render.text(several)


def test_an_unknown_value_is_unknown() -> None:
    assert "cpu.usage unknown (avg" in render.text(note(told(value=None, peak=None)))


@pytest.mark.parametrize("step", [Step.OPENED, Step.RESOLVED])
def test_an_sms_is_one_sms(step: str) -> None:
    words = render.short(note(told(step, rule="Überlast der Kasse in Zürich “Ost” → langsam 🤖" * 4)))
    assert escape.gsm7_length(words) <= 160
    assert words.endswith(" https://bots.example.com/incidents/5f3c")
    assert "🤖" not in words
    assert "Überlast" in words


def test_an_sms_has_the_value_where_there_is_room() -> None:
    assert render.short(note(told(labels={"host": "a"}), url="")).startswith(
        "CRITICAL High CPU on host a: 93.25 %, limit 85 %"
    )


def test_hostile_text_makes_no_header_and_no_new_line_in_a_mail() -> None:
    options = mail.EmailOptions.model_validate({"host": "h", "sender": "b@example.com", "to": ["a@example.com"]})
    hostile = note(told(rule=HOSTILE, labels={"bot": HOSTILE}, why=HOSTILE, message=HOSTILE))
    read = email.message_from_bytes(bytes(mail.message(options, hostile)), policy=email.policy.default)
    assert read["Bcc"] is None
    assert read["To"] == "a@example.com"
    assert "\x1b" not in str(read["Subject"])
    body = read.get_body(("plain",))
    assert body is not None
    assert not any(line.startswith("Bcc:") for line in body.get_content().splitlines())


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_text_makes_no_tag_and_no_address_in_a_page() -> None:
    page = html.page(note(told(rule=HOSTILE, message=HOSTILE, runbook="javascript:alert(1)")))
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.found
    assert "<script>alert(1)</script>" in tags.text
    assert 'href="javascript' not in page


def test_hostile_text_is_no_mention_and_no_format_in_slack() -> None:
    found = slack.blocks(note(told(rule=HOSTILE, message=HOSTILE)))
    mrkdwn = [block["text"]["text"] for block in found if block["text"]["type"] == "mrkdwn"]
    assert mrkdwn
    for text in mrkdwn:
        assert "<!channel>" not in text
        assert "<script>" not in text
        assert " *b*" not in text


def test_a_name_of_a_field_in_our_own_sentence_is_code_where_that_can_be_and_in_quotes_elsewhere() -> None:
    drift = "helpdesk: `category` is gone where `details.topic<b>` has come"
    known = note(told(summary=drift, labels={"bot": "`shop`"}))
    assert '"category" is gone where "details.topic<b>" has come' in render.text(known)
    page = html.page(known)
    assert "<code>category</code> is gone where <code>details.topic&lt;b&gt;</code> has come" in page
    assert "<code>shop" not in page
    said = str(slack.blocks(known))
    assert "`category` is gone where `details.topic&lt;b&gt;` has come" in said
    assert "*Where:* bot \\u200b`shop" in said


def test_an_amount_has_the_unit_of_its_measure() -> None:
    def value_of(unit: str, value: float) -> str:
        found = told(
            value=value, peak=None, judged=Judged(field="x", operand="equalOrMoreThan", value=value, unit=unit)
        )
        return next(text for name, text in render.facts(found, "UTC") if name == "Value")

    assert value_of("share", 0.0704225) == "x 7.04 %; 7.04 % or more is too much"
    assert value_of("ms", 2532.02) == "x 2.5 s; 2.5 s or more is too much"
    assert value_of("seconds", 86_400) == "x 1 d; 1 d or more is too much"
    assert value_of("count", 23_412) == "x 23,412; 23,412 or more is too much"
    assert value_of("", 0.0312) == "x 0.031; 0.031 or more is too much"


def test_a_name_with_underscores_stays_as_it_is_in_slack() -> None:
    assert escape.slack("cpu_usage of web_1") == "cpu_usage of web_1"
    assert escape.slack("_so_ and *so*") != "_so_ and *so*"


def test_a_terminal_and_a_header_get_one_harmless_line() -> None:
    line = escape.plain(HOSTILE)
    assert line.isprintable()
    assert "\u202e" not in line


def test_a_drill_and_a_test_are_marked() -> None:
    drill = note(told(mark="drill"))
    assert render.title(drill).startswith("[DRILL] ")
    assert "nothing is wrong with a real bot" in render.text(drill)
    test = note(purpose=Purpose.TEST, text="ann")
    assert render.title(test).startswith("[TEST] ")
    assert "asked for by ann" in render.text(test)
