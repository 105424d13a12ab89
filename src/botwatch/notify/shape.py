"""An incident as programs of our users read it: Botpress's six properties by its names, and ours beside them."""

from __future__ import annotations

from typing import Any

from botwatch.notify.note import Told
from botwatch.notify.render import iso


def incident(told: Told) -> dict[str, Any]:
    """`endTime` is there only when it is resolved."""
    found: dict[str, Any] = {
        "id": told.incident,
        "ruleName": told.rule,
        "hostName": told.labels.get("host"),
        "startTime": iso(told.started_ns),
        "triggerValue": told.trigger,
        "status": told.status.value,
        "step": told.step,
        "severity": told.severity.value,
        "labels": told.labels,
        "reason": told.reason,
        "summary": told.summary,
        "message": told.message,
        "suspectedCause": told.cause or None,
        "value": told.value,
        "peakValue": told.peak,
        "beganTime": iso(told.began_ns),
        "field": told.judged.field,
        "operand": told.judged.operand,
        "threshold": told.judged.value,
        "acknowledgedBy": told.acknowledged_by or None,
        "runbook": told.runbook,
        "links": [{"name": each.name, "url": each.url} for each in told.links],
        "late": told.late,
        "drill": bool(told.mark),
    }
    if told.resolved_ns is not None:
        found["endTime"] = iso(told.resolved_ns)
    return found
