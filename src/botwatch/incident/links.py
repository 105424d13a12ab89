"""Where an incident leads: the records of its moment and place, here and in other tools.

A template is an address with names in braces: `{from_ms}` and `{to_ms}`, `{from}` and `{to}` (ISO 8601) for the time,
`{rule}`, `{measure}`, and any label of the incident, such as `{host}` or `{bot}`; one it does not have is empty. What
stands in their place is escaped, because bots write their own names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from botwatch.clock import SECOND_NS
from botwatch.settings import Settings

_AROUND_S: Final = 900
_NAME: Final = re.compile(r"\{([A-Za-z_][\w.]*)\}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN: Final = ("bot", "host")  # what our own pages filter by


@dataclass(frozen=True, slots=True)
class Templates:
    """Addresses in other tools, by what they are called."""

    of_name: Mapping[str, str]

    @classmethod
    def of(cls, settings: Settings) -> Templates:
        found = {"Grafana": settings.grafana_link, "Kibana": settings.kibana_link}
        return cls({name: template for name, template in found.items() if template})


def links(
    templates: Templates, *, rule: str, measure: str, labels: Mapping[str, str], began_ns: int, started_ns: int
) -> list[dict[str, str]]:
    """`name` and `url` of each; those of our own pages begin with a slash."""
    from_s = began_ns // SECOND_NS - _AROUND_S
    to_s = started_ns // SECOND_NS + _AROUND_S
    time = {"from": _iso(from_s), "to": _iso(to_s)}
    found = [{"name": name, "url": url} for name, url in _pages(measure, labels, time)]
    values = {
        **labels,
        **time,
        "from_ms": str(from_s * 1_000),
        "to_ms": str(to_s * 1_000),
        "rule": rule,
        "measure": measure,
    }
    for name, template in templates.of_name.items():
        found.append({"name": name, "url": filled(template, values)})
    return found


def filled(template: str, values: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: quote(values.get(match[1], ""), safe=""), template)


def _pages(measure: str, labels: Mapping[str, str], time: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    place = {label: labels[label] for label in _SHOWN if labels.get(label)}
    bot = {"bot": place["bot"]} if "bot" in place else {}
    if measure:
        by = {"by": ",".join(labels)} if labels else {}
        yield "Chart", _page("/explore/measures", {"measure": measure, **by, **bot, **time})
    yield "Logs", _page("/explore", {**place, **time})
    work = {label: labels[label] for label in ("action", "dependency") if labels.get(label)}
    yield "Traces", _page("/explore/traces", {**bot, **work, **time})
    yield "Conversations", _page("/conversations", {"state": "all", **bot, **time})


def _page(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}"


def _iso(at_s: int) -> str:
    return (_EPOCH + timedelta(seconds=at_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
