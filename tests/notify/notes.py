"""Messages to be sent, without a database."""

from __future__ import annotations

from typing import Any

from botwatch.clock import SECOND_NS, ManualClock
from botwatch.detect.rule import Severity
from botwatch.incident.steps import Status, Step
from botwatch.notify.channels.kind import Means
from botwatch.notify.note import Judged, Link, Moment, Note, Purpose, Told
from botwatch.notify.targets import Targets
from botwatch.notify.wire import Http
from tests.notify.house import NOW_NS, URL

LOOPBACK = Targets.of("127.0.0.0/8")
_STATUS = {Step.RESOLVED: Status.RESOLVED, Step.ACKNOWLEDGED: Status.ACKNOWLEDGED}


def told(step: str = Step.OPENED, **more: Any) -> Told:
    status = _STATUS.get(step, Status.OPEN)  # type: ignore[call-overload]
    known: dict[str, Any] = {
        "incident": "5f3c",
        "rule": "High CPU",
        "labels": {"host": "web-1", "bot": "shop"},
        "severity": Severity.CRITICAL,
        "status": status,
        "step": step,
        "at_ns": NOW_NS,
        "summary": "cpu.usage of host web-1 is 93.25",
        "reason": "breached",
        "value": 93.25,
        "trigger": 91.0,
        "peak": 97.0,
        "judged": Judged(
            field="cpu.usage", aggregation="avg", operand="equalOrMoreThan", value=85, timeframe_s=120, unit="percent"
        ),
        "began_ns": NOW_NS - 120 * SECOND_NS,
        "started_ns": NOW_NS,
        "resolved_ns": NOW_NS + 600 * SECOND_NS if status is Status.RESOLVED else None,
        "acknowledged_by": "ann" if status is Status.ACKNOWLEDGED else "",
        "runbook": "https://runbooks.example.com/cpu",
        "links": (Link(name="Incident", url=f"{URL}/incidents/5f3c"),),
    }
    return Told(**{**known, **more})


def note(*items: Told, purpose: Purpose = Purpose.INCIDENT, **more: Any) -> Note:
    known: dict[str, Any] = {
        "id": "0123456789abcdef0123456789abcdef",
        "purpose": purpose,
        "channel": "ops",
        "thread": "t",
        "created_ns": NOW_NS,
        "told": items,
        "url": URL,
        "zone": "Europe/Zurich",
    }
    return Note(**{**known, **more})


def late() -> Note:
    moments = (Moment(step="opened", at_ns=NOW_NS), Moment(step="resolved", at_ns=NOW_NS + 600 * SECOND_NS))
    return note(told(Step.RESOLVED, story=moments, late=True))


def means(targets: Targets = LOOPBACK) -> Means:
    return Means(Http(targets), targets, ManualClock(NOW_NS))
