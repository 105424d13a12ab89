"""How default rules are written down: what many of them say alike is said here once."""

from __future__ import annotations

from typing import Any, Final

from botwatch.detect.rule import Aggregation, NoData, Operand, Rule, Severity

SOURCE: Final = "default"
AT_MOST_NOTHING: Final = {"operand": Operand.AT_MOST, "value": 0}
OVER_WITHOUT_DATA: Final = {"no_data": NoData.OK}


def rule(name: str, severity: Severity, **said: Any) -> Rule:
    return Rule.model_validate({"name": name, "severity": severity, "source": SOURCE, **said})


def pair(
    names: tuple[str, str], limits: tuple[float, float], ends: tuple[float, float], **same: Any
) -> tuple[Rule, Rule]:
    """Two limits of one measure, each with where it is over again."""
    mild, worse = names
    return (
        rule(mild, Severity.WARNING, value=limits[0], recover=ends[0], depends_on=worse, **same),
        rule(worse, Severity.CRITICAL, value=limits[1], recover=ends[1], **same),
    )


def high(what: str, limits: tuple[float, float], ends: tuple[float, float], **same: Any) -> tuple[Rule, Rule]:
    return pair((f"{what} high", f"{what} critical"), limits, ends, **same)


def steady(field: str, by: str, message: str) -> dict[str, Any]:
    """What must last five minutes: an average over two, for three."""
    return {"field": field, "by": by, "timeframe": "2m", "for": "3m", "message": message}


def last(field: str, by: str, message: str, **also: Any) -> dict[str, Any]:
    """What tells by itself for how long it has been so."""
    return {"field": field, "by": by, "aggregation": Aggregation.LAST, "timeframe": "1m", "message": message, **also}
