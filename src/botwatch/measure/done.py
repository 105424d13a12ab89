"""When a conversation is done: by the bot's own definition in the settings, or by what holds for any bot.

A definition names what must have happened in the session, any of it: `action:place_order`, an action that did not fail;
`event:order.placed`, an event; `outcome:resolved`, the word it ended with. Without one, a session is done when it ended
with the outcome `completed`, or, where it did not say how, when its last turn was answered, no human took over, and
what the user thought of it was not below 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botwatch import limits
from botwatch.errors import SettingError
from botwatch.settings import Settings

ANY_BOT: Final = "*"
_KINDS: Final = ("action", "event", "outcome")
_EXPECTED: Final = "expected `done` with action:NAME, event:NAME or outcome:WORD, several parted by commas"


@dataclass(frozen=True, slots=True)
class Done:
    """`steps` are `action:NAME` and `event:NAME`."""

    steps: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Talking:
    """What is to be known of conversations to say which of them are over, and which of these are done."""

    now_s: int = 0
    idle_s: int = 1_800
    done: Mapping[str, Done] = field(default_factory=dict)  # by bot; ANY_BOT for those not named


def definitions(settings: Settings) -> Mapping[str, Done]:
    """Those of the settings; what does not fit is a `SettingError`."""
    if len(settings.bots) > limits.BOTS_DEFINED_MAX:
        raise SettingError(f"bots: expected at most {limits.BOTS_DEFINED_MAX} tables, found {len(settings.bots)}")
    return {bot: _done(f"bots.{bot}", table) for bot, table in settings.bots.items()}


def _done(place: str, table: Mapping[str, Any]) -> Done:
    if set(table) != {"done"}:
        raise SettingError(f"{place}: {_EXPECTED}")
    given = table["done"]
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, list) or not 1 <= len(parts) <= limits.DONE_WAYS_MAX:
        raise SettingError(f"{place}: {_EXPECTED}, at most {limits.DONE_WAYS_MAX}")
    ways = [_way(place, part) for part in parts]
    steps = tuple(f"{kind}:{name}" for kind, name in ways if kind != "outcome")
    return Done(steps, tuple(name for kind, name in ways if kind == "outcome"))


def _way(place: str, part: object) -> tuple[str, str]:
    kind, _, name = str(part).strip().partition(":")
    if not isinstance(part, str) or kind not in _KINDS or not name or len(name) > limits.MEASURE_TEXT_CHARS_MAX:
        raise SettingError(f"{place}: {_EXPECTED}")
    return kind, name
