"""Default rules over what stands between bots and others: what they call, their circuit breakers, what they store."""

from __future__ import annotations

from typing import Any, Final

from botwatch.detect.defaults_words import AT_MOST_NOTHING, OVER_WITHOUT_DATA, last, rule
from botwatch.detect.rule import Aggregation, Rule, Severity


def _share(what: str) -> dict[str, Any]:
    """Of a bot's calls of one other; where it made none there is nothing to tell."""
    return {
        "field": f"dependency.{what}",
        "per": "dependency.count",
        "aggregation": Aggregation.SUM,
        "by": "bot,dependency",
        "timeframe": "5m",
        "guard": f"dependency.{what}",
        "guard_min": 5,
        **OVER_WITHOUT_DATA,
    }


CALLS: Final[tuple[Rule, ...]] = (
    rule(
        "Dependency times out",
        Severity.WARNING,
        value=0.1,
        recover=0.05,
        message="Look whether it is slow for others too, and whether the bot answers its users without it.",
        **_share("timeouts"),
    ),
    rule(
        "Rate limited",
        Severity.WARNING,
        value=0.05,
        recover=0.02,
        message="It refuses calls because there are too many (429): call less often, wait as Retry-After says, "
        "or ask for a higher limit.",
        **_share("rate_limited"),
    ),
    # One that opens, rests and heals has done its work. Three quarters of two minutes open is an outage.
    rule(
        "Circuit breaker open",
        Severity.WARNING,
        field="breaker.state",
        by="bot,breaker",
        timeframe="2m",
        value=1.5,
        recover=0.5,
        message="The bot has stopped calling what fails behind it: look at that, the breaker closes by itself "
        "with the first call that succeeds.",
    ),
)

STATES: Final[tuple[Rule, ...]] = (
    # However seldom it is checked, it is invalid until a check finds it in order.
    rule(
        "Stored state invalid",
        Severity.WARNING,
        field="state.invalid",
        by="bot,state",
        aggregation=Aggregation.SUM,
        timeframe="5m",
        value=1,
        message="What the bot stores failed its check: look at what wrote it last, before the bot goes on with it.",
    ),
    rule(
        "Stored state not seen",
        Severity.WARNING,
        **{"for": "2m"},
        **last(
            "state.watched",
            "bot,state",
            "Its check cannot be made, so nobody knows whether it is in order: look at the store, and at the query.",
            timeframe="5m",  # it is looked at by the minute, or more seldom
        ),
        **AT_MOST_NOTHING,
    ),
)
