"""Answers without a store, and a house with a store, a clock that is moved by hand, and a mail server."""

from __future__ import annotations

from typing import Any

from botwatch.clock import SECOND_NS
from botwatch.measure.model import Direction, Thresholds
from botwatch.measure.reader import Series
from botwatch.nouns import Role
from botwatch.reports.answer import Answer, Window
from botwatch.reports.report import Drawn, Panel, Report
from botwatch.state.people import Principal, Via

NOW_S = 1_800_000_000  # Friday 15 January 2027, 08:00 UTC
NOW_NS = NOW_S * SECOND_NS
DAY = Window(NOW_S - 86_400, NOW_S)
ANN = Principal("ann", Role.ADMIN, Via.BROWSER, user_id=1)
BOB = Principal("bob", Role.MONITOR, Via.BROWSER, user_id=2)
CAROL = Principal("carol", Role.MONITOR, Via.BROWSER, user_id=3)


def report(name: str = "The week", **more: Any) -> Report:
    known: dict[str, Any] = {"name": name, "panels": [{"measure": "messages.count", "by": ["channel"]}]}
    return Report.model_validate(known | more)


def scheduled(**more: Any) -> dict[str, Any]:
    return {"every": "day", "at": "08:00", "zone": "UTC", "channel": "mail"} | more


def drawn(how: Drawn = Drawn.LINES, count: int = 2, points: int = 24, *, unit: str = "percent", **more: Any) -> Answer:
    """So many series over a day, of values that go up and down, with a gap."""
    step_s = (DAY.end_s - DAY.start_s) // points if how.over_time else None
    series = []
    for number in range(count):
        starts = [DAY.start_s + place * (step_s or 0) for place in range(points if step_s else 1)]
        values = [None if place == 5 and step_s else 10.0 * number + place for place in range(len(starts))]
        series.append(Series("cpu.usage", {"host": f"web-{number}"}, tuple(zip(starts, values, strict=True)), step_s))
    known: dict[str, Any] = {"unit": unit, "worse": Direction.HIGH, "bounds": Thresholds(15, 20)}
    panel = Panel(title=f"As {how}", measure="cpu.usage", by=("host",), drawn=how)
    return Answer(panel, DAY, step_s, series=tuple(series), **known | more)
