"""Where an incident leads, and that names of bots cannot lead elsewhere."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from botwatch.clock import SECOND_NS
from botwatch.errors import SettingError
from botwatch.incident.links import Templates, links
from botwatch.settings import Settings, load

STARTED_NS = 1_800_000_000 * SECOND_NS
HOSTILE = 'a b"&from=0#<script>/../{to_ms}'


def urls(templates: Templates = Templates({}), measure: str = "cpu.usage", **labels: str) -> dict[str, str]:  # noqa: B008
    found = links(
        templates,
        rule="CPU",
        measure=measure,
        labels=labels,
        began_ns=STARTED_NS - 60 * SECOND_NS,
        started_ns=STARTED_NS,
    )
    return {link["name"]: link["url"] for link in found}


def test_our_own_pages_show_the_moment_and_the_place() -> None:
    found = urls(bot="shop", host="web-1", action="pay")
    logs = urlsplit(found["Logs"])
    assert logs.path == "/explore"
    assert parse_qs(logs.query) == {
        "bot": ["shop"],
        "host": ["web-1"],
        "from": ["2027-01-15T07:44:00Z"],
        "to": ["2027-01-15T08:15:00Z"],
    }
    assert parse_qs(urlsplit(found["Traces"]).query)["action"] == ["pay"]
    assert parse_qs(urlsplit(found["Chart"]).query)["measure"] == ["cpu.usage"]
    assert urlsplit(found["Conversations"]).path == "/conversations"


def test_templates_are_filled_with_time_and_labels() -> None:
    settings = Settings(
        grafana_link="https://grafana.example.com/d/bots?var-host={host}&from={from_ms}&to={to_ms}&panel={nothing}",
        kibana_link="https://kibana.example.com/app/discover#/?_g=(time:(from:'{from}',to:'{to}'))",
    )
    found = urls(Templates.of(settings), host="web-1")
    assert found["Grafana"] == (
        "https://grafana.example.com/d/bots?var-host=web-1&from=1799999040000&to=1800000900000&panel="
    )
    assert "from:'2027-01-15T07%3A44%3A00Z'" in found["Kibana"]
    assert "Grafana" not in urls(Templates.of(Settings()))


def test_what_a_bot_calls_itself_stays_a_value() -> None:
    settings = Settings(grafana_link="https://grafana.example.com/d?host={host}&from={from_ms}")
    found = urls(Templates.of(settings), host=HOSTILE)
    for url in (found["Grafana"], found["Logs"]):
        assert parse_qs(urlsplit(url).query)["host"] == [HOSTILE]
        assert len(parse_qs(urlsplit(url).query)["from"]) == 1
        assert urlsplit(url).fragment == ""


@pytest.mark.parametrize("value", ["javascript:alert(1)", "grafana.example.com/d", "ftp://x"])
def test_a_template_is_a_web_address(value: str) -> None:
    with pytest.raises(SettingError, match=r"grafana_link .*expected a URL"):
        load({"grafana_link": value}, environ={})
