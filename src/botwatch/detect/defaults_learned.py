"""Default rules that know no limit: they learn what is usual, and are told in the digest only.

The first one knows when a bot's messages stop. It leaves smaller changes of all messages together alone, because
a holiday looks the same; a part that falls while the others do not is what the next three are for.
"""

from __future__ import annotations

from typing import Any, Final

from botwatch.detect.rule import Kind, Rule, Severity

_BESIDE: Final = {"side": "low", "beside": True}


def _usual(name: str, field: str, by: str, options: dict[str, Any], message: str, **also: Any) -> Rule:
    return Rule.model_validate(
        {
            "name": name,
            "kind": Kind.BASELINE,
            "severity": Severity.INFO,
            "source": "default",
            "field": field,
            "by": by,
            "timeframe": "15m",
            "cooldown": "1h",  # what comes back so soon is the same matter
            "options": options,
            "message": message,
            **also,
        }
    )


LEARNED: Final = (
    _usual(
        "Messages stop",
        "messages.in",
        "bot",
        {"side": "low", "change": 0.95, "expected_min": 25},
        "Users usually write at this time: look whether messages still reach the bot.",
    ),
    _usual(
        "Fewer messages in a channel",
        "messages.in",
        "bot,channel",
        _BESIDE,
        "The bot's other channels are as usual: look at what connects it to this one.",
    ),
    _usual(
        "Fewer of an action",
        "action.count",
        "bot,action",
        _BESIDE,
        "The bot's other actions are as usual: look at what should lead to this one, and at the payloads.",
    ),
    _usual(
        "Fewer of an event",
        "logs.count",
        "bot,event",
        _BESIDE,
        "The bot's other events are as usual: look at what should lead to this one, and at the payloads.",
        where="event!=",
    ),
    _usual(
        "Success rate below usual",
        "action.success_rate",
        "bot,action",
        {"expected_min": 5},
        "Look at the faults of this action, and at what was deployed.",
        guard="action.count",
        guard_min=20,
    ),
    _usual(
        "Response time above usual",
        "response.time",
        "bot",
        {"change": 0.33},
        "Look at the slowest dependency of its traces, and at what was deployed.",
        guard="turns.answered",
        guard_min=20,
    ),
)
