"""What judging says: for every subject and every tick, whether an incident opens, stays or ends, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Calls = NDArray[np.int8]
Flags = NDArray[np.bool_]
Subject = tuple[str, ...]


class Call(IntEnum):
    """What one judgement asks for. `STAYS` changes nothing: neither an open incident nor none."""

    ENDS = 0
    STAYS = 1
    OPENS = 2


class Reason(StrEnum):
    """Why an incident opened or ended, as people read it."""

    BREACHED = "breached"  # the value is where the rule says it must not be
    NO_EVENTS = "no_events"  # bot and host are there, but nothing of what is counted came
    SILENT_BOT = "silent_bot"  # nothing at all comes from the bot, though its host is alive
    SILENT_HOST = "silent_host"  # nothing at all comes from the host, or from any host of the bot
    SILENT = "silent"  # nothing at all comes from anybody
    NO_DATA = "no_data"  # there is no value, and the rule takes that for a breach
    COMBINED = "combined"  # other rules are breached together
    TOO_MANY = "too_many"  # so many incidents are open that no more are opened
    RECOVERED = "recovered"
    GONE = "gone"  # nothing was heard of the subject for so long that it is no longer expected
    RULE_REMOVED = "rule_removed"
    RULE_DISABLED = "rule_disabled"
    RULE_CHANGED = "rule_changed"  # the rule is no longer about this subject


@dataclass(frozen=True, slots=True)
class Verdicts:
    """One row a subject, one column a judged tick, the last one newest.

    `found` is the value that was compared, NaN where there was none. `quiet` marks the judgements that rest on
    nothing having come; `gone` those that end because the subject is no longer expected. What is compared with a
    learned normal has what was `expected` in place of `found`, and over how many ticks (`span`).
    """

    labels: tuple[str, ...]
    subjects: tuple[Subject, ...]
    calls: Calls
    found: Floats
    quiet: Flags
    gone: Flags
    expected: Floats | None = None
    span: NDArray[np.int32] | None = None

    def labelled(self, row: int) -> dict[str, str]:
        return dict(zip(self.labels, self.subjects[row], strict=True))


NEVER_S: Final = -(2**62)
