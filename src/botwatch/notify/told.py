"""From an incident's row to what decisions and messages need of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from botwatch import limits
from botwatch.detect.rule import Severity
from botwatch.errors import BadRequest
from botwatch.incident.rows import IncidentRow
from botwatch.incident.steps import Status
from botwatch.measure.query import parse_duration_s
from botwatch.notify.escape import link
from botwatch.notify.note import DRILL_MARK, Judged, Link, Moment, Told
from botwatch.notify.route import Facts

DRILL_RULE: Final = "Botwatch drill"
DRILL_LABELS: Final = {"drill": "synthetic"}  # of no bot and no host
_LINKS_MAX: Final = 8


def facts_of(row: IncidentRow) -> Facts:
    return Facts(
        incident=row.id,
        rule=row.rule,
        severity=Severity(row.severity),
        labels=row.labels,
        status=Status(row.status),
        notify=_words(row.snapshot.get("notify")),
        depends_on=_words(row.snapshot.get("depends_on")),
    )


def told_of(row: IncidentRow, story: Sequence[tuple[Moment, str]], *, url: str, late: bool = False) -> Told:
    """`story`: the steps that this message tells, oldest first, each with its why."""
    last, why = story[-1]
    rule = row.snapshot
    return Told(
        incident=row.id,
        rule=row.rule,
        labels=row.labels,
        severity=Severity(row.severity),
        status=Status(row.status),
        step=last.step,
        at_ns=last.at_ns,
        who=last.who,
        why=why,
        story=tuple(moment for moment, _ in story) if len(story) > 1 else (),
        late=late,
        summary=row.summary,
        reason=row.reason,
        value=_finite(row.last_value if row.last_value is not None else row.trigger_value),
        trigger=_finite(row.trigger_value),
        peak=_finite(row.peak_value),
        judged=_judged(rule, _text(row.evidence.get("unit"))),
        began_ns=row.began_ns,
        started_ns=row.started_ns,
        acknowledged_by=row.acknowledged_by or "",
        resolved_ns=row.resolved_ns,
        runbook=_text(rule.get("runbook")),
        message=_text(rule.get("message")),
        cause=_text(row.evidence.get("cause")),
        links=_links(row, url),
        mark=DRILL_MARK if row.rule == DRILL_RULE and row.labels == DRILL_LABELS else "",
    )


def _judged(rule: Mapping[str, Any], unit: str) -> Judged:
    return Judged(
        field=_text(rule.get("field")),
        per=_text(rule.get("per")),
        aggregation=_text(rule.get("aggregation")),
        operand=_text(rule.get("operand")),
        value=_finite(rule.get("value")),
        timeframe_s=_duration(rule.get("timeframe")),
        unit=unit[:16],
    )


def _links(row: IncidentRow, url: str) -> tuple[Link, ...]:
    """The incident's own page first, then what its evidence leads to."""
    found = [Link(name="Incident", url=f"{url}/incidents/{quote(row.id)}")] if url else []
    known = row.evidence.get("links")
    items = known.items() if isinstance(known, Mapping) else _pairs(known)
    for name, target in items:
        absolute = f"{url}{target}" if isinstance(target, str) and target.startswith("/") and url else target
        if isinstance(name, str) and isinstance(absolute, str) and link(absolute):
            found.append(Link(name=name[:64], url=link(absolute)))
    return tuple(found[:_LINKS_MAX])


def _pairs(known: Any) -> list[tuple[Any, Any]]:
    entries = known if isinstance(known, Sequence) and not isinstance(known, str) else ()
    return [(entry.get("name"), entry.get("url")) for entry in entries if isinstance(entry, Mapping)]


def _words(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list | tuple) else ()


def _text(value: Any) -> str:
    return value[: limits.RULE_TEXT_CHARS_MAX] if isinstance(value, str) else ""


def _finite(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and math.isfinite(value) else None


def _duration(value: Any) -> int:
    try:
        return parse_duration_s(value) if isinstance(value, str) else int(_finite(value) or 0)
    except BadRequest:
        return 0
