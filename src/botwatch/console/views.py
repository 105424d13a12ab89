"""What the console shows: each view asks one address, and says how its rows are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from botwatch import limits
from botwatch.console.words import RUNNING, UNKNOWN, ago, number, safe

Item = Mapping[str, Any]
Cells = list[str]
_SHOWN_FIELDS: Final = 6


@dataclass(frozen=True, slots=True)
class View:
    """`columns` None: those of the items themselves, as many as there is room for."""

    key: str
    name: str
    path: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None
    cells: Callable[[Item, datetime], Cells] | None = None
    empty: str = "Nothing yet."


def _session(item: Item, now: datetime) -> Cells:
    return [
        safe(item["id"]),
        safe(item["user"] or UNKNOWN),
        safe(item["bot"]),
        safe(item["channel"]),
        ago(item["started"], now),
        number(item["messages"]),
        safe(item["outcome"] or item["state"]),
    ]


def _action(item: Item, now: datetime) -> Cells:
    rate, p95 = item["success_rate"], item["latency_ms"]["p95"]
    return [
        safe(item["name"]),
        safe(item["bot"]),
        number(item["count"]),
        UNKNOWN if rate is None else f"{rate:.2f}%",
        UNKNOWN if p95 is None else f"{p95:,.0f} ms",
    ]


def _query(item: Item, now: datetime) -> Cells:
    return [safe(item["example"]), number(item["count"]), f"{item['answered_share']:.1f}%"]


def _service(item: Item, now: datetime) -> Cells:
    mark = "●" if item["status"] == RUNNING else "○" if item["status"] == UNKNOWN else "■"
    took = item["latency_ms"]
    return [
        safe(item["name"]),
        f"{mark} {safe(item['status'])}",
        safe(item["version"] or UNKNOWN),
        safe(item["key_figure"] or UNKNOWN),
        UNKNOWN if took is None else f"{took:,.0f} ms",
        safe(item["reason"] or ""),
    ]


def _incident(item: Item, now: datetime) -> Cells:
    return [
        safe(item["severity"]),
        safe(item["status"]),
        safe(item["ruleName"]),
        safe(item["hostName"]),
        ago(item["startTime"], now),
        safe(item["summary"]),
    ]


OVERVIEW: Final = View("1", "Overview", "/api/bots", {"limit": limits.CONSOLE_ROWS_MAX}, None)
CONVERSATIONS: Final = View(
    "2",
    "Conversations",
    "/api/monitoring/sessions",
    {"state": "active", "limit": limits.CONSOLE_ROWS_MAX},
    ("ID", "User", "Bot", "Channel", "Started", "Messages", "State"),
    _session,
    "Nobody is talking to a bot just now.",
)
SYSTEM: Final = View(
    "3",
    "System",
    "/api/services",
    {},
    ("Service", "Status", "Version", "Key figure", "Answers in", "Why"),
    _service,
    "No service is watched.",
)
ACTIONS: Final = View(
    "4",
    "Actions",
    "/api/actions",
    {"period": "1h", "limit": limits.CONSOLE_ROWS_MAX},
    ("Action", "Bot", "Calls", "Success", "p95"),
    _action,
    "No action in the last hour.",
)
ALERTS: Final = View(
    "5",
    "Alerts",
    "/api/incidents",
    {"limit": limits.CONSOLE_ROWS_MAX},
    ("Severity", "Status", "Rule", "On", "Since", "What"),
    _incident,
    "No incident.",
)
LOGS: Final = View("6", "Logs", "/api/logs", {"limit": 100})
QUERIES: Final = View(
    "7",
    "Insights",
    "/api/insights/queries",
    {},
    ("What users ask", "Times", "Answered"),
    _query,
    "No question was asked.",
)
VIEWS: Final = (OVERVIEW, CONVERSATIONS, SYSTEM, ACTIONS, ALERTS, LOGS, QUERIES)


def table(view: View, items: Sequence[Item], now: datetime) -> tuple[Sequence[str], list[Cells]]:
    """Headings and rows. What has no columns of its own is told by its plain fields."""
    shown = items[: limits.CONSOLE_ROWS_MAX]
    if view.cells is not None and view.columns is not None:
        return view.columns, [view.cells(item, now) for item in shown]
    names = list(dict.fromkeys(name for item in shown for name, value in item.items() if _is_plain(value)))
    names = names[:_SHOWN_FIELDS]
    return [safe(name.replace("_", " ")) for name in names], [
        [_told(name, item.get(name), now) for name in names] for item in shown
    ]


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _told(name: str, value: Any, now: datetime) -> str:
    if value is None:
        return UNKNOWN
    if name.endswith(("_seen", "opened", "since", "_at")) and isinstance(value, str):
        try:
            return ago(value, now)
        except ValueError:
            return safe(value)
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else safe(value)


@dataclass(frozen=True, slots=True)
class LogLine:
    at: str
    level: str
    bot: str
    text: str

    @classmethod
    def of(cls, item: Item) -> LogLine:
        said = item["text"] or item["attributes"].get("bot.message.text") or item["event"] or "(no text)"
        return cls(str(item["at"]), safe(item["level"]), safe(item["bot"]), safe(said))

    def words(self, zone: datetime) -> str:
        at = datetime.fromisoformat(self.at).astimezone(zone.tzinfo)
        return f"{at:%H:%M:%S} {self.level:5} {self.bot}: {self.text}"


def fresh(items: Sequence[Item], seen: set[tuple[str, str, str]]) -> list[LogLine]:
    """Those of a page that were not shown yet, the oldest first; `seen` becomes what this page has."""
    keyed = {(str(item["at"]), str(item["span_id"]), safe(item["text"])): item for item in items}
    new = [LogLine.of(item) for key, item in reversed(keyed.items()) if key not in seen]
    seen.clear()
    seen.update(keyed)
    return new
