"""Times and labels as people read them: the same words as on the pages."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping

from botwatch.measure.amounts import writer
from botwatch.measure.catalogue import RATE
from botwatch.reports.answer import Answer, Window
from botwatch.reports.report import Panel


def label_of(labels: Mapping[str, str]) -> str:
    return " · ".join(value or "(none)" for value in labels.values())


def about(panel: Panel) -> str:
    """What is asked, in a line."""
    parts = [panel.measure] if panel.title else []
    parts += [f"by {', '.join(panel.by)}"] if panel.by else []
    parts += ["by the second" if panel.aggregation == RATE else panel.aggregation] if panel.aggregation else []
    return " · ".join([*parts, *panel.where])


def bounds(answer: Answer) -> str:
    if answer.bounds is None:
        return ""
    write, side = writer(answer.unit), "below" if answer.worse == "low" else "above"
    return f"warning {side} {write(answer.bounds.warning)}, critical {side} {write(answer.bounds.critical)}"


def moment(at_s: float, zone: zoneinfo.ZoneInfo, *, named: bool = True) -> str:
    at = dt.datetime.fromtimestamp(at_s, zone)
    return f"{at:%Y-%m-%d %H:%M}" + (f" {at.tzname()}" if named else "")


def window(of: Window, zone: zoneinfo.ZoneInfo) -> str:
    return f"{moment(of.start_s, zone, named=False)} – {moment(of.end_s, zone)}"


def length(period: str) -> str:
    """`7d` as `7 days`."""
    words = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
    count, unit = (period[:-1], words[period[-1]]) if period[-1] in words else (period, "second")
    return f"{int(count)} {unit}{'' if int(count) == 1 else 's'}"
